/*-------------------------------------------------------------------------
 *
 * check_common.c
 *	  Reading slots for diskann_index_check(), and reporting what is wrong.
 *
 * Every slot is copied under its lock before anything is concluded from it, so
 * that a copy is good or bad in itself, whatever others do meanwhile.  Only
 * what two slots say of each other can be torn, and only during recovery, when
 * the check cannot keep writers out; DiskannCheckReportMisfit() sees to that.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check_common.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "sql/check_common.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* ---------- reporting ---------- */

void
DiskannCheckReportPage(const DiskannCheck *check, BlockNumber block, int slot,
					   XLogRecPtr lsn, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" is corrupted: %s",
					RelationGetRelationName(check->rel), what),
			 slot < 0 ?
			 errdetail_internal("Block %u, page LSN %X/%X.", block,
								LSN_FORMAT_ARGS(lsn)) :
			 errdetail_internal("Block %u, slot %d, page LSN %X/%X.", block,
								slot, LSN_FORMAT_ARGS(lsn)),
			 errhint("Please REINDEX it.")));
}

void
DiskannCheckReport(const DiskannCheck *check, const DiskannSlotCopy *copy,
				   const char *what)
{
	int			slot = copy->node % check->index->meta.slots_per_page;

	DiskannCheckReportPage(check, DiskannNodeBlock(check->index, copy->node),
						   slot, copy->lsn,
						   psprintf("node %u: %s", copy->node, what));
}

/*
 * Nothing that a slot leads to is turned into something else before the slot
 * itself was changed.  So if the slot is still the same after what it leads to
 * was read, and found to be wrong, it was wrong.
 */
void
DiskannCheckReportMisfit(DiskannCheck *check, const DiskannSlotCopy *copy,
						 const char *what)
{
	if (check->in_recovery)
	{
		Size		size = check->index->meta.slot_size;
		DiskannSlotCopy again = *copy;
		bool		changed;

		again.bytes = palloc(size);
		DiskannCheckRead(check, copy->node, &again);
		changed = memcmp(again.bytes, copy->bytes, size) != 0;
		pfree(again.bytes);
		if (changed)
			return;
	}
	DiskannCheckReport(check, copy, what);
}

/* ---------- slots ---------- */

static void
init_copy(DiskannSlotCopy *copy, const DiskannIndex *index)
{
	copy->bytes = palloc(index->meta.slot_size);
	copy->head = (DiskannSlot) copy->bytes;
	copy->x = palloc(sizeof(float) * index->space.dims);
}

void
DiskannCheckInitSlots(DiskannCheck *check)
{
	Assert(check->nslots > 0);
	check->slots = MemoryContextAllocHuge(CurrentMemoryContext, check->nslots);
	memset(check->slots, 0, check->nslots);
	init_copy(&check->node, check->index);
	init_copy(&check->other, check->index);
	init_copy(&check->link, check->index);
}

void
DiskannCheckRead(DiskannCheck *check, DiskannNode node, DiskannSlotCopy *copy)
{
	DiskannNodeRef *ref = &check->ref;
	Size		size = check->index->meta.slot_size;

	/* Whoever reads a number from disk tests it before, to say where it was. */
	Assert(DiskannCheckExists(check, node));
	copy->node = node;
	if (DiskannNodeOpenNext(ref, node, BUFFER_LOCK_SHARE, NULL))
	{
		copy->lsn = PageGetLSN(BufferGetPage(ref->buffer));
		memcpy(copy->bytes, ref->slot, size);
		DiskannNodeClose(ref);

		/* DiskannNodeOpen() has raised an error where these do not hold. */
		Assert(((DiskannSlot) copy->bytes)->state <= DISKANN_LAST_STATE);
		Assert(((DiskannSlot) copy->bytes)->degree <=
			   check->index->meta.max_degree);
	}
	else
	{
		copy->lsn = InvalidXLogRecPtr;
		memset(copy->bytes, 0, size);
	}
}

void
DiskannCheckDecode(const DiskannCheck *check, DiskannSlotCopy *copy)
{
	const DiskannIndex *index = check->index;

	/* A TIDS slot has TIDs where a node has its vector. */
	Assert(copy->head->state != DISKANN_TIDS);
	diskann_vector_decode(index->kind, DiskannSlotOwn(index, copy->bytes),
						  copy->head->scale, index->space.dims, copy->x);
}

bool
DiskannCheckExists(DiskannCheck *check, DiskannNode node)
{
	return node < check->nslots ||
		(check->in_recovery && node < DiskannNodeCount(&check->ref));
}
