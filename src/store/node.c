/*-------------------------------------------------------------------------
 *
 * node.c
 *	  Slots: reading, writing, allocating.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/node.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/transam.h"
#include "compat.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "store/node.h"
#include "storage/smgr.h"
#include "store/recent.h"
#include "store/xlog.h"
#include "utils/snapmgr.h"

/*
 * What of a slot is fetched ahead; reading on in sequence the processor fetches
 * the rest by itself.
 */
#define PREFETCH_BYTES 2048

void
DiskannNodeInit(DiskannNodeRef *ref, Relation rel, const DiskannIndex *index,
				bool building)
{
	memset(ref, 0, sizeof(*ref));
	ref->rel = rel;
	ref->index = index;
	ref->building = building;
	ref->nblocks = RelationGetNumberOfBlocks(rel);
	ref->image = palloc(index->meta.slot_size);
	if (index->meta.pages_per_slot > 1)
		ref->assembled = palloc(index->meta.slot_size);
}

BlockNumber
DiskannNodeBlock(const DiskannIndex *index, DiskannNode node)
{
	const DiskannMetaPageData *meta = &index->meta;

	return meta->first_block + (BlockNumber) (meta->pages_per_slot > 1 ?
											  (uint64) node * meta->pages_per_slot :
											  node / meta->slots_per_page);
}

static int
slot_number(const DiskannIndex *index, DiskannNode node)
{
	return index->meta.pages_per_slot > 1 ? 0 :
		node % index->meta.slots_per_page;
}

/* First node of the page (or group of pages) that starts at block. */
static DiskannNode
first_node(const DiskannIndex *index, BlockNumber block)
{
	const DiskannMetaPageData *meta = &index->meta;

	return (block - meta->first_block) / meta->pages_per_slot *
		meta->slots_per_page;
}

DiskannNode
DiskannNodeCount(DiskannNodeRef *ref)
{
	const DiskannMetaPageData *meta = &ref->index->meta;

	ref->nblocks = RelationGetNumberOfBlocks(ref->rel);
	if (ref->nblocks <= meta->first_block)
		return 0;
	return (ref->nblocks - meta->first_block) / meta->pages_per_slot *
		meta->slots_per_page;
}

/* Bytes of the slot that lie on one of its pages. */
static Size
part_bytes(const DiskannIndex *index, int part)
{
	return Min(index->meta.slot_size - (Size) part * DISKANN_PAGE_BYTES,
			   DISKANN_PAGE_BYTES);
}

/* Check the head of a slot read from disk; its page is locked. */
static void
check_slot(const DiskannNodeRef *ref, DiskannNode node, const char *slot)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;
	const DiskannIndex *index = ref->index;
	int			max_tids = head->state == DISKANN_TIDS ? index->max_tids :
	DISKANN_INLINE_TIDS;

	if (head->state > DISKANN_TIDS)
		DiskannReportCorrupt(ref->rel, DiskannNodeBlock(index, node),
							 slot_number(index, node), "unknown slot state");
	if (head->degree > index->meta.max_degree || head->ntids > max_tids)
		DiskannReportCorrupt(ref->rel, DiskannNodeBlock(index, node),
							 slot_number(index, node), "impossible slot head");
	if ((head->state == DISKANN_LIVE || head->state == DISKANN_DEAD) &&
		!(isfinite(head->scale) && isfinite(head->norm2) &&
		  isfinite(head->residual) && isfinite(head->length2) &&
		  isfinite(head->edge_scale)))
		DiskannReportCorrupt(ref->rel, DiskannNodeBlock(index, node),
							 slot_number(index, node),
							 "slot has factors that are not finite");
}

static Buffer
read_part(DiskannNodeRef *ref, BlockNumber block, int mode)
{
	Buffer		buffer;

	ref->recent = false;
	if (ref->strategy == NULL)
		buffer = DiskannReadBuffer(ref->rel, block, &ref->recent);
	else
		buffer = ReadBufferExtended(ref->rel, MAIN_FORKNUM, block, RBM_NORMAL,
									ref->strategy);

	LockBuffer(buffer, mode);
	return buffer;
}

/* Copy a slot that spans pages; its first page is locked. */
static void
assemble(DiskannNodeRef *ref, BlockNumber block)
{
	int			nparts = ref->index->meta.pages_per_slot;

	for (int part = 0; part < nparts; part++)
	{
		Buffer		buffer = part == 0 ? ref->buffer :
		read_part(ref, block + part, BUFFER_LOCK_SHARE);
		Page		page = BufferGetPage(buffer);
		char	   *dest = ref->assembled + (Size) part * DISKANN_PAGE_BYTES;

		DiskannVerifyPage(ref->rel, block + part, page, DISKANN_PAGE_NODES,
						 part);
		if (PageIsNew(page))
			memset(dest, 0, part_bytes(ref->index, part));
		else
			memcpy(dest, DiskannPageContents(page),
				   part_bytes(ref->index, part));
		if (part > 0)
			UnlockReleaseBuffer(buffer);
	}
	ref->slot = ref->assembled;
}

/*
 * Point ref->slot at a slot of the page that ref->buffer holds locked.  False
 * if the page is new (then slot is NULL).
 */
static bool
locate_slot(DiskannNodeRef *ref, DiskannNode node)
{
	BlockNumber block = DiskannNodeBlock(ref->index, node);
	Page		page = BufferGetPage(ref->buffer);

	ref->node = node;
	ref->slot = NULL;
	if (PageIsNew(page))
		return false;

	/*
	 * The page was checked when it was read.  Its special area is far from all
	 * else that a visit reads, and would take time to fetch.
	 */
	if (!ref->recent)
		DiskannVerifyPage(ref->rel, block, page, DISKANN_PAGE_NODES, 0);
	ref->recent = false;
	if (ref->index->meta.pages_per_slot > 1)
		assemble(ref, block);
	else
		ref->slot = DiskannPageContents(page) +
			(Size) slot_number(ref->index, node) * ref->index->meta.slot_size;
	check_slot(ref, node, ref->slot);
	return true;
}

void
DiskannNodePrefetch(const DiskannNodeRef *ref, DiskannNode node)
{
	const char *page = DiskannRecentPage(ref->rel,
										 DiskannNodeBlock(ref->index, node));
	const char *slot;

	if (page == NULL)
		return;
	slot = page + MAXALIGN(SizeOfPageHeaderData) +
		(Size) slot_number(ref->index, node) * ref->index->meta.slot_size;
	__builtin_prefetch(page);
	DiskannPrefetch(slot, Min(ref->index->meta.slot_size, PREFETCH_BYTES));
}

void
DiskannNodeReadAhead(const DiskannNodeRef *ref, DiskannNode node)
{
	BlockNumber block = DiskannNodeBlock(ref->index, node);

	for (int part = 0; part < ref->index->meta.pages_per_slot; part++)
	{
		if (block + part < ref->nblocks)
			(void) PrefetchBuffer(ref->rel, MAIN_FORKNUM, block + part);
	}
}

bool
DiskannNodeOpen(DiskannNodeRef *ref, DiskannNode node, int mode)
{
	BlockNumber block = DiskannNodeBlock(ref->index, node);
	BlockNumber last = block + ref->index->meta.pages_per_slot - 1;

	if (node == DISKANN_INVALID_NODE || last >= ref->nblocks)
	{
		if (node == DISKANN_INVALID_NODE || node >= DiskannNodeCount(ref))
			DiskannReportCorrupt(ref->rel, block, -1,
								 "a node number is beyond the end");
	}
	ref->buffer = read_part(ref, block, mode);
	if (ref->snapshot)
		DiskannTestForOldSnapshot(ref->snapshot, ref->rel,
								  BufferGetPage(ref->buffer));
	if (locate_slot(ref, node))
		return true;
	DiskannNodeClose(ref);
	return false;
}

void
DiskannNodeClose(DiskannNodeRef *ref)
{
	UnlockReleaseBuffer(ref->buffer);
	ref->buffer = InvalidBuffer;
	ref->slot = NULL;
}

DiskannSlot
DiskannNodeEdit(DiskannNodeRef *ref)
{
	if (ref->slot)
		memcpy(ref->image, ref->slot, ref->index->meta.slot_size);
	else
		memset(ref->image, 0, ref->index->meta.slot_size);
	return (DiskannSlot) ref->image;
}

/* Write the image's bytes from..to on parts first..last in one change. */
static void
write_parts(DiskannNodeRef *ref, int first, int last, Size from, Size to)
{
	BlockNumber block = BufferGetBlockNumber(ref->buffer);
	Size		base = ref->index->meta.pages_per_slot > 1 ? 0 :
	(Size) slot_number(ref->index, ref->node) * ref->index->meta.slot_size;
	Buffer		buffers[MAX_GENERIC_XLOG_PAGES];
	DiskannLog	log;

	Assert(last - first < MAX_GENERIC_XLOG_PAGES);
	for (int part = first; part <= last; part++)
		buffers[part - first] = part == 0 ? ref->buffer :
			read_part(ref, block + part, BUFFER_LOCK_EXCLUSIVE);

	DiskannLogBegin(&log, ref->rel, ref->building);
	for (int part = first; part <= last; part++)
	{
		Page		page = DiskannLogPage(&log, buffers[part - first],
										  DISKANN_PAGE_NODES, part);
		Size		start = (Size) part * DISKANN_PAGE_BYTES;
		Size		low = Max(from, start);
		Size		high = Min(to, start + DISKANN_PAGE_BYTES);

		memcpy(DiskannPageContents(page) + base + (low - start),
			   ref->image + low, high - low);
	}
	DiskannLogFinish(&log);

	for (int part = Max(first, 1); part <= last; part++)
		UnlockReleaseBuffer(buffers[part - first]);
}

void
DiskannNodeWrite(DiskannNodeRef *ref, Size from, Size to)
{
	int			first = from / DISKANN_PAGE_BYTES;
	int			last = (to - 1) / DISKANN_PAGE_BYTES;

	Assert(from < to && to <= ref->index->meta.slot_size);

	/* From the end, so that the head makes the slot what it is last. */
	while (last >= first)
	{
		int			start = Max(first, last - MAX_GENERIC_XLOG_PAGES + 1);

		write_parts(ref, start, last, from, to);
		last = start - 1;
	}
	(void) locate_slot(ref, ref->node);
}

/* ---------- allocation ---------- */

uint64
DiskannLastXid(void)
{
	return U64FromFullTransactionId(ReadNextFullTransactionId()) - 1;
}

bool
DiskannXidIsPast(uint64 xid)
{
	/* No relation: the horizon of all databases, the most cautious one. */
	return GlobalVisCheckRemovableFullXid(NULL, FullTransactionIdFromU64(xid));
}

/* Is the slot of the page that ref->buffer holds locked free? */
static bool
slot_is_free(DiskannNodeRef *ref, DiskannNode node)
{
	return !locate_slot(ref, node) ||
		((const DiskannSlotData *) ref->slot)->state == DISKANN_FREE;
}

/*
 * Find a reusable slot on a page (or group of pages) and leave it open
 * exclusively; false, holding nothing, if there is none.  *more tells whether
 * there is another one.
 */
static bool
allocate_on(DiskannNodeRef *ref, BlockNumber block, bool *more)
{
	DiskannNode start = first_node(ref->index, block);
	DiskannNode found = DISKANN_INVALID_NODE;

	*more = false;
	ref->buffer = read_part(ref, block, BUFFER_LOCK_EXCLUSIVE);
	for (int i = 0; i < ref->index->meta.slots_per_page; i++)
	{
		if (!slot_is_free(ref, start + i))
			continue;
		if (found == DISKANN_INVALID_NODE)
			found = start + i;
		else
		{
			*more = true;
			break;
		}
	}
	if (found == DISKANN_INVALID_NODE)
	{
		DiskannNodeClose(ref);
		return false;
	}
	(void) locate_slot(ref, found);
	return true;
}

/* A page the free space map knows; it may be wrong, and is then corrected. */
static bool
allocate_known_free(DiskannNodeRef *ref)
{
	const DiskannMetaPageData *meta = &ref->index->meta;

	for (;;)
	{
		BlockNumber block = GetFreeIndexPage(ref->rel);
		bool		more;

		if (block == InvalidBlockNumber)
			return false;
		if (block < meta->first_block ||
			(block - meta->first_block) % meta->pages_per_slot != 0 ||
			first_node(ref->index, block) >= DiskannNodeCount(ref))
			continue;
		if (!allocate_on(ref, block, &more))
			continue;
		if (more)
			RecordFreeIndexPage(ref->rel, block);
		return true;
	}
}

/* Add a page (or group of pages); its first slot is left open. */
static void
allocate_by_extending(DiskannNodeRef *ref)
{
	const DiskannMetaPageData *meta = &ref->index->meta;
	bool		needlock = !RELATION_IS_LOCAL(ref->rel);
	DiskannNode node;
	Buffer		buffer = InvalidBuffer;

	if (needlock)
		LockRelationForExtension(ref->rel, ExclusiveLock);

	/* A crash may have left a group of pages incomplete: complete that. */
	node = DiskannNodeCount(ref);
	if (node > DISKANN_INVALID_NODE - meta->slots_per_page)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot hold more vectors",
						RelationGetRelationName(ref->rel))));
	for (int part = 0; part < meta->pages_per_slot; part++)
	{
		Buffer		next = DiskannReadOrExtend(ref->rel,
											   DiskannNodeBlock(ref->index, node) + part);

		if (part == 0)
			buffer = next;
		else
			ReleaseBuffer(next);
	}
	if (needlock)
		UnlockRelationForExtension(ref->rel, ExclusiveLock);
	ref->buffer = buffer;
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	ref->nblocks = RelationGetNumberOfBlocks(ref->rel);
	(void) locate_slot(ref, node);
}

void
DiskannNodeAllocate(DiskannNodeRef *ref)
{
	const DiskannMetaPageData *meta = &ref->index->meta;
	DiskannNode count;
	bool		more;

	if (allocate_known_free(ref))
		return;

	/* Pages fill one after the other: look at the last one. */
	count = DiskannNodeCount(ref);
	if (meta->slots_per_page > 1 && count > 0 &&
		allocate_on(ref, DiskannNodeBlock(ref->index, count - 1), &more))
		return;

	/* Others may take the new page's slots before we have it locked. */
	for (;;)
	{
		allocate_by_extending(ref);
		if (slot_is_free(ref, ref->node))
			return;
		DiskannNodeClose(ref);
	}
}

void
DiskannNodeRecordFree(DiskannNodeRef *ref, DiskannNode node)
{
	RecordFreeIndexPage(ref->rel, DiskannNodeBlock(ref->index, node));
}

Buffer
DiskannReadOrExtend(Relation rel, BlockNumber block)
{
	Buffer		buffer = InvalidBuffer;

	while (RelationGetNumberOfBlocks(rel) <= block)
	{
		if (BufferIsValid(buffer))
			ReleaseBuffer(buffer);
		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, P_NEW, RBM_NORMAL, NULL);
		if (BufferGetBlockNumber(buffer) == block)
			return buffer;
	}
	if (BufferIsValid(buffer))
		ReleaseBuffer(buffer);
	return ReadBuffer(rel, block);
}

void
DiskannExtendIndex(Relation rel, BlockNumber nblocks)
{
	PGAlignedBlock zero;

	memset(&zero, 0, BLCKSZ);

	/* The last page of each file is enough; what is between reads as zeroes. */
	for (BlockNumber end = RelationGetNumberOfBlocks(rel); end < nblocks;)
	{
		end = Min(nblocks, (end / RELSEG_SIZE + 1) * RELSEG_SIZE);
		smgrextend(RelationGetSmgr(rel), MAIN_FORKNUM, end - 1, zero.data,
				   true);
	}
}

void
DiskannNodeCreate(DiskannNodeRef *ref, DiskannNode node, bool fresh)
{
	BlockNumber block = DiskannNodeBlock(ref->index, node);
	int			nparts = ref->index->meta.pages_per_slot;

	ref->buffer = ReadBufferExtended(ref->rel, MAIN_FORKNUM, block,
									 fresh ? RBM_ZERO_AND_LOCK : RBM_NORMAL,
									 NULL);
	if (!fresh)
		LockBuffer(ref->buffer, BUFFER_LOCK_EXCLUSIVE);
	for (int part = 1; fresh && part < nparts; part++)
		UnlockReleaseBuffer(ReadBufferExtended(ref->rel, MAIN_FORKNUM,
											   block + part, RBM_ZERO_AND_LOCK,
											   NULL));
	(void) locate_slot(ref, node);
}

void
DiskannFillEntry(char *image, const DiskannIndex *index)
{
	DiskannSlot head = (DiskannSlot) image;

	/*
	 * At the centre, which is the origin of index space: its code is zero,
	 * times as little as can be, for zero may stand for a fraction.
	 */
	memset(image, 0, index->meta.slot_size);
	head->state = DISKANN_ENTRY;
	head->next = DISKANN_INVALID_NODE;
	head->owner = DISKANN_INVALID_NODE;
	head->scale = FLT_MIN;
}
