/*-------------------------------------------------------------------------
 *
 * node.c
 *	  Slots: reading, writing, allocating, freeing.
 *
 * DiskannNodeRef.mode says how the open slot is locked.  Every function here
 * asserts what it needs of that: nothing open to open or allocate one, an
 * exclusive lock to edit or write it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/node.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
#include "store/node.h"
#include "store/page.h"
#include "store/recent.h"
#include "store/xlog.h"

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
	ref->mode = BUFFER_LOCK_UNLOCK;
	ref->has_free = InvalidBlockNumber;
	(void) DiskannNodeCount(ref);
	ref->image = palloc(index->meta.slot_size);
	if (index->meta.pages_per_slot > 1)
		ref->assembled = palloc(index->meta.slot_size);
}

static int
slot_number(const DiskannIndex *index, DiskannNode node)
{
	return index->meta.pages_per_slot > 1 ? 0 :
		node % index->meta.slots_per_page;
}

DiskannNode
DiskannNodeCount(DiskannNodeRef *ref)
{
	ref->nblocks = RelationGetNumberOfBlocks(ref->rel);
	ref->count = Min(DiskannNodesOfBlocks(&ref->index->meta, ref->nblocks),
					 DISKANN_INVALID_NODE);
	return ref->count;
}

void
DiskannNodeReport(const DiskannNodeRef *ref, DiskannNode node,
				  const char *what)
{
	DiskannReportCorrupt(ref->rel, DiskannNodeBlock(ref->index, node),
						 slot_number(ref->index, node), what);
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
	int			max_tids = head->state == DISKANN_TIDS ?
		index->meta.max_tids : DISKANN_INLINE_TIDS;

	if (head->state > DISKANN_LAST_STATE)
		DiskannNodeReport(ref, node, "unknown slot state");
	if (head->degree > index->meta.max_degree || head->ntids > max_tids)
		DiskannNodeReport(ref, node, "impossible slot head");
	if ((head->state == DISKANN_LIVE || head->state == DISKANN_DEAD) &&
		!(isfinite(head->scale) && isfinite(head->norm2) &&
		  isfinite(head->residual) && isfinite(head->length2) &&
		  isfinite(head->edge_scale)))
		DiskannNodeReport(ref, node,
						  "slot has factors that are not finite");
}

/* Read and lock a page of a slot. */
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

/*
 * Copy a slot that spans pages; its first page is locked, and is not of zeroes.
 * The others are written before it, so they must be there too.  They are locked
 * for the time of copying.
 */
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
			DiskannReportCorrupt(ref->rel, block + part, -1,
								 "a page of a node is empty");
		memcpy(dest, DiskannPageContents(page), part_bytes(ref->index, part));
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
	Page		page = BufferGetPage(ref->buffer);

	ref->node = node;
	ref->slot = NULL;
	if (PageIsNew(page))
		return false;

	/*
	 * The page was checked when it was read.  Its special area is far from
	 * all else that a visit reads, and would take time to fetch.
	 */
	if (!ref->recent)
		DiskannVerifyPage(ref->rel, BufferGetBlockNumber(ref->buffer), page,
						  DISKANN_PAGE_NODES, 0);
	ref->recent = false;
	if (ref->index->meta.pages_per_slot > 1)
		assemble(ref, BufferGetBlockNumber(ref->buffer));
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

/* Pin and lock the first page of a node's slot, once the node is there. */
static void
open_page(DiskannNodeRef *ref, DiskannNode node, int mode)
{
	Assert(ref->mode == BUFFER_LOCK_UNLOCK);
	Assert(mode == BUFFER_LOCK_SHARE || mode == BUFFER_LOCK_EXCLUSIVE);
	if (node >= ref->count && node >= DiskannNodeCount(ref))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is corrupted: a node number is beyond the end",
						RelationGetRelationName(ref->rel)),
				 errdetail("Node %u of %u.", node, ref->count),
				 errhint("Please REINDEX it.")));
	ref->buffer = read_part(ref, DiskannNodeBlock(ref->index, node), mode);
	ref->mode = mode;
	if (ref->snapshot)
		DiskannTestForOldSnapshot(ref->snapshot, ref->rel,
								  BufferGetPage(ref->buffer));
}

/* Does the page that ref holds locked hold nodes, or is it of zeroes? */
static bool
holds_nodes(const DiskannNodeRef *ref)
{
	Page		page = BufferGetPage(ref->buffer);

	return PageIsNew(page) ||
		DiskannGetPageKind(ref->rel, BufferGetBlockNumber(ref->buffer),
						   page) < DISKANN_PAGE_ROSTER;
}

void
DiskannNodeOpen(DiskannNodeRef *ref, DiskannNode node, int mode)
{
	open_page(ref, node, mode);
	if (!locate_slot(ref, node))
		DiskannNodeReport(ref, node, "something leads to an empty page");
}

const DiskannSlotData *
DiskannNodeOpenOwned(DiskannNodeRef *ref, DiskannNode node, int mode,
					 DiskannSlotState state, const char *missing)
{
	DiskannNodeOpen(ref, node, mode);
	if (DiskannNodeHead(ref)->state != state)
		DiskannNodeReport(ref, node, missing);
	return DiskannNodeHead(ref);
}

bool
DiskannNodeOpenNext(DiskannNodeRef *ref, DiskannNode node, int mode,
					bool *unused)
{
	bool		is_new;

	open_page(ref, node, mode);
	is_new = PageIsNew(BufferGetPage(ref->buffer));
	if (unused)
		*unused = is_new;
	if (is_new || !holds_nodes(ref))
	{
		DiskannNodeClose(ref);
		return false;
	}
	(void) locate_slot(ref, node);
	return true;
}

void
DiskannNodeClose(DiskannNodeRef *ref)
{
	BlockNumber has_free = ref->has_free;

	Assert(ref->mode != BUFFER_LOCK_UNLOCK && BufferIsValid(ref->buffer));
	UnlockReleaseBuffer(ref->buffer);
	ref->buffer = InvalidBuffer;
	ref->mode = BUFFER_LOCK_UNLOCK;
	ref->slot = NULL;
	ref->has_free = InvalidBlockNumber;

	/* The free space map has locks of its own, so not before. */
	if (has_free != InvalidBlockNumber)
		RecordFreeIndexPage(ref->rel, has_free);
}

DiskannSlot
DiskannNodeEdit(DiskannNodeRef *ref)
{
	Assert(ref->mode == BUFFER_LOCK_EXCLUSIVE);
	if (ref->slot)
		memcpy(ref->image, ref->slot, ref->index->meta.slot_size);
	else
		memset(ref->image, 0, ref->index->meta.slot_size);
	return (DiskannSlot) ref->image;
}

/* Does the map change with the image's head? */
static bool
map_changes(const DiskannNodeRef *ref)
{
	bool		was_live = ref->slot != NULL &&
		((const DiskannSlotData *) ref->slot)->state == DISKANN_LIVE;
	bool		is_live = ((DiskannSlot) ref->image)->state == DISKANN_LIVE;

	return ref->index->meta.region_nodes > 0 && was_live != is_live;
}

/* Pin and lock exclusively the page of the map that describes the open node. */
static Buffer
read_map(DiskannNodeRef *ref)
{
	const DiskannMetaPageData *meta = &ref->index->meta;
	BlockNumber block = DiskannBlockOfMap(meta, ref->node / meta->region_nodes);
	Buffer		buffer = read_part(ref, block, BUFFER_LOCK_EXCLUSIVE);

	DiskannVerifyPage(ref->rel, block, BufferGetPage(buffer),
					  DISKANN_PAGE_FILTER_MAP, 0);
	return buffer;
}

/* Let an image of that page say of the node what the image of its slot says. */
static void
change_map(const DiskannNodeRef *ref, Page page)
{
	const DiskannMetaPageData *meta = &ref->index->meta;
	char	   *contents = DiskannPageContents(page);
	uint32		number = ref->node % meta->region_nodes;
	DiskannMarks marks = {0};

	if (((DiskannSlot) ref->image)->state == DISKANN_LIVE)
		DiskannReadMarks(meta, ref->image, &marks);
	for (int i = 0; i < meta->nfilters; i++)
		DiskannMapHashes(meta, contents, i)[number] = marks.hashes[i];
	for (int i = 0; i < DiskannSignatureCount(meta); i++)
		DiskannMapSignatures(meta, contents, i)[number] = marks.signatures[i];
}

/*
 * Write what of the image's bytes up to to lies on parts first..last, in one
 * change, which may be one of the map, too.  The slot's first page is locked
 * exclusively; its others, and then that of the map, are locked for the time of
 * the call.
 */
static void
write_parts(DiskannNodeRef *ref, int first, int last, Size to, bool map)
{
	BlockNumber block = BufferGetBlockNumber(ref->buffer);
	Size		base = ref->index->meta.pages_per_slot > 1 ? 0 :
		(Size) slot_number(ref->index, ref->node) * ref->index->meta.slot_size;
	Buffer		buffers[MAX_GENERIC_XLOG_PAGES];
	Buffer		map_buffer = InvalidBuffer;
	DiskannLog	log;

	Assert(last - first < MAX_GENERIC_XLOG_PAGES - (map ? 1 : 0));
	for (int part = first; part <= last; part++)
		buffers[part - first] = part == 0 ? ref->buffer :
			read_part(ref, block + part, BUFFER_LOCK_EXCLUSIVE);
	if (map)
		map_buffer = read_map(ref);

	DiskannLogBegin(&log, ref->rel, ref->building);

	/*
	 * The first page last: one that is new becomes an empty one at once, and
	 * then those behind it have to be there.
	 */
	for (int part = last; part >= first; part--)
	{
		Size		start = (Size) part * DISKANN_PAGE_BYTES;
		Size		bytes = Min(to - start, DISKANN_PAGE_BYTES);
		Page		page = DiskannLogPart(&log, buffers[part - first],
										  DISKANN_PAGE_NODES, part, base,
										  bytes);

		memcpy(DiskannPageContents(page) + base, ref->image + start, bytes);
		DiskannUsePage(page, base + part_bytes(ref->index, part));
	}
	if (map)
		change_map(ref, DiskannLogPage(&log, map_buffer,
									   DISKANN_PAGE_FILTER_MAP, 0));
	DiskannLogFinish(&log);

	for (int part = Max(first, 1); part <= last; part++)
		UnlockReleaseBuffer(buffers[part - first]);
	if (map)
		UnlockReleaseBuffer(map_buffer);
}

/* Write the image's first bytes back. */
static void
write_image(DiskannNodeRef *ref, Size to)
{
	int			last = (to - 1) / DISKANN_PAGE_BYTES;
	bool		map = map_changes(ref);
	int			most = MAX_GENERIC_XLOG_PAGES - (map ? 1 : 0);

	Assert(ref->mode == BUFFER_LOCK_EXCLUSIVE);
	Assert(to >= DISKANN_SLOT_HEADER && to <= ref->index->meta.slot_size);

	/* From the end, so that the head makes the slot what it is last. */
	while (last >= 0)
	{
		int			start = Max(0, last - most + 1);

		write_parts(ref, start, last, to, map && start == 0);
		last = start - 1;
	}
	(void) locate_slot(ref, ref->node);
}

void
DiskannNodeWriteHead(DiskannNodeRef *ref)
{
	write_image(ref, DISKANN_SLOT_HEADER);
}

void
DiskannNodeWriteTids(DiskannNodeRef *ref, int ntids)
{
	Assert(((DiskannSlot) ref->image)->state == DISKANN_TIDS);
	Assert(ntids <= ref->index->meta.max_tids);
	write_image(ref, DISKANN_SLOT_HEADER + sizeof(ItemPointerData) * ntids);
}

void
DiskannNodeWriteEdges(DiskannNodeRef *ref)
{
	Assert(((DiskannSlot) ref->image)->degree <= ref->index->meta.max_degree);
	write_image(ref, ref->index->meta.own_offset);
}

void
DiskannNodeWriteAll(DiskannNodeRef *ref)
{
	Assert(((DiskannSlot) ref->image)->degree <= ref->index->meta.max_degree);
	write_image(ref, ref->index->meta.slot_size);
}

/* ---------- allocation ---------- */

/*
 * Lock a page (or group of pages) exclusively, as part of ref.  False, holding
 * nothing, if it is not one of nodes.
 */
static bool
lock_nodes_page(DiskannNodeRef *ref, BlockNumber block)
{
	Assert(ref->mode == BUFFER_LOCK_UNLOCK);
	ref->buffer = read_part(ref, block, BUFFER_LOCK_EXCLUSIVE);
	ref->mode = BUFFER_LOCK_EXCLUSIVE;
	if (holds_nodes(ref))
		return true;
	DiskannNodeClose(ref);
	return false;
}

/* Is the slot of the page that ref holds locked free? */
static bool
slot_is_free(DiskannNodeRef *ref, DiskannNode node)
{
	return !locate_slot(ref, node) ||
		DiskannNodeHead(ref)->state == DISKANN_FREE;
}

/*
 * Find a reusable slot on a page (or group of pages) and leave it open
 * exclusively; false, holding nothing, if there is none.  If there is another
 * one, the free space map will be told when the slot is closed.
 */
static bool
allocate_on(DiskannNodeRef *ref, BlockNumber block)
{
	DiskannNode start = DiskannPlaceOfBlock(&ref->index->meta, block).node;
	DiskannNode found = DISKANN_INVALID_NODE;

	if (!lock_nodes_page(ref, block))
		return false;
	for (int i = 0; i < ref->index->meta.slots_per_page; i++)
	{
		if (!slot_is_free(ref, start + i))
			continue;
		if (found == DISKANN_INVALID_NODE)
			found = start + i;
		else
		{
			ref->has_free = block;
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
	for (;;)
	{
		BlockNumber block = GetFreeIndexPage(ref->rel);
		DiskannPlace place;

		CHECK_FOR_INTERRUPTS();
		if (block == InvalidBlockNumber)
			return false;
		place = DiskannPlaceOfBlock(&ref->index->meta, block);
		if (place.kind != DISKANN_PAGE_NODES || place.part != 0 ||
			place.node >= DiskannNodeCount(ref))
			continue;
		if (allocate_on(ref, block))
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
	ref->mode = BUFFER_LOCK_EXCLUSIVE;
	ref->recent = false;
	(void) DiskannNodeCount(ref);
	(void) locate_slot(ref, node);
}

void
DiskannNodeAllocate(DiskannNodeRef *ref)
{
	const DiskannMetaPageData *meta = &ref->index->meta;
	DiskannNode count;

	Assert(ref->mode == BUFFER_LOCK_UNLOCK);
	if (allocate_known_free(ref))
		return;

	/* Pages fill one after the other: look at the last one. */
	count = DiskannNodeCount(ref);
	if (meta->slots_per_page > 1 && count > 0 &&
		allocate_on(ref, DiskannNodeBlock(ref->index, count - 1)))
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
	Assert(ref->mode == BUFFER_LOCK_UNLOCK);
	RecordFreeIndexPage(ref->rel, DiskannNodeBlock(ref->index, node));
}

void
DiskannNodeFree(DiskannNodeRef *ref, DiskannNode node)
{
	DiskannSlot head;
	uint8		version;

	DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	Assert(head->state != DISKANN_FREE && head->state != DISKANN_LIVE);
	version = head->version;
	memset(head, 0, DISKANN_SLOT_HEADER);
	head->version = version;
	DiskannNodeWriteHead(ref);
	DiskannNodeClose(ref);
	DiskannNodeRecordFree(ref, node);
}

void
DiskannNodeCreate(DiskannNodeRef *ref, DiskannNode node, bool fresh)
{
	BlockNumber block = DiskannNodeBlock(ref->index, node);
	int			nparts = ref->index->meta.pages_per_slot;

	Assert(ref->mode == BUFFER_LOCK_UNLOCK && ref->building);
	ref->buffer = ReadBufferExtended(ref->rel, MAIN_FORKNUM, block,
									 fresh ? RBM_ZERO_AND_LOCK : RBM_NORMAL,
									 NULL);
	if (!fresh)
		LockBuffer(ref->buffer, BUFFER_LOCK_EXCLUSIVE);
	for (int part = 1; fresh && part < nparts; part++)
		UnlockReleaseBuffer(ReadBufferExtended(ref->rel, MAIN_FORKNUM,
											   block + part, RBM_ZERO_AND_LOCK,
											   NULL));
	ref->mode = BUFFER_LOCK_EXCLUSIVE;
	ref->recent = false;
	(void) locate_slot(ref, node);
}
