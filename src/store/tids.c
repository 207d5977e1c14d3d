/*-------------------------------------------------------------------------
 *
 * tids.c
 *	  Rows of a node.
 *
 * Rows with the same vector share a node.  The first few TIDs are in the node's
 * own slot, more in a chain of TIDS slots.  Only the first TIDS slot of a chain
 * is added to; a full one stays and a new one goes before it, with the next
 * sequence number.  No two slots are ever locked at once:
 *
 * - a TIDS slot is written, pointing to the node's chain, before the node
 *   points to it.  Until then it is closed, so that nobody adds to it who took
 *   its number from the node when the same slot was part of the chain before:
 *   if it cannot be linked it is freed, and what others had added would be
 *   lost.  A crash or an error before it is linked leaves a slot that belongs
 *   to nobody, whose dead TID the next VACUUM removes before it frees the slot.
 *   One after it is linked may leave it closed: nobody adds to it any more, and
 *   all else is as ever;
 * - to unlink an empty TIDS slot VACUUM first marks it closed, so that nobody
 *   adds to it, then takes it out of the chain, then frees it, and it may be
 *   reused at once.
 *
 * A reader on its way through a chain may find that the slot it comes to is no
 * longer part of it.  It starts again from the node and skips what it has read,
 * by the sequence numbers.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/tids.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "store/page.h"
#include "store/pause.h"
#include "store/tids.h"

/*
 * Add to the node's own slot if there is room.  It is open exclusively and
 * stays so.
 */
static bool
add_inline(DiskannNodeRef *ref, ItemPointer tid)
{
	DiskannSlot head = DiskannNodeEdit(ref);

	Assert(head->state == DISKANN_LIVE);
	if (head->ntids == DISKANN_INLINE_TIDS)
		return false;
	head->tids[head->ntids++] = *tid;
	DiskannNodeWriteHead(ref);
	return true;
}

/*
 * Add to a TIDS slot if it still is the node's, not closed, and not full.
 * Nothing is open on entry and exit; locks the slot exclusively.
 */
static bool
add_to_chain(DiskannNodeRef *ref, DiskannNode node, DiskannNode chain,
			 ItemPointer tid)
{
	const DiskannSlotData *head;
	bool		added = false;

	if (chain == DISKANN_INVALID_NODE)
		return false;
	DiskannNodeOpen(ref, chain, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeHead(ref);
	if (head->state == DISKANN_TIDS && head->owner == node && !head->closed &&
		head->ntids < ref->index->meta.max_tids)
	{
		DiskannSlot edit = DiskannNodeEdit(ref);

		DiskannSlotTids(ref->image)[edit->ntids++] = *tid;
		DiskannNodeWriteTids(ref, edit->ntids);
		added = true;
	}
	DiskannNodeClose(ref);
	return added;
}

/*
 * Make the slot just allocated, which is open exclusively and stays so, a TIDS
 * slot of the node's, closed until it is linked.
 */
static void
write_tids_slot(DiskannNodeRef *ref, DiskannNode node, DiskannNode next,
				uint32 sequence, ItemPointer tid)
{
	DiskannSlot head = DiskannNodeEdit(ref);
	uint8		version = head->version;

	memset(head, 0, DISKANN_SLOT_HEADER);
	head->state = DISKANN_TIDS;
	head->version = version + 1;
	head->owner = node;
	head->next = next;
	head->sequence = sequence;
	head->closed = 1;
	head->ntids = 1;
	DiskannSlotTids(ref->image)[0] = *tid;
	DiskannNodeWriteTids(ref, 1);
}

/*
 * Let others add to a slot of the node's chain that we have linked.  Nothing is
 * open on entry and exit; locks the slot exclusively.  It has not been freed
 * meanwhile: our TID is in it, and VACUUM removes none of a running
 * transaction.
 */
static void
open_tids_slot(DiskannNodeRef *ref, DiskannNode node, DiskannNode chain)
{
	DiskannSlot head;

	DiskannNodeOpen(ref, chain, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	Assert(head->state == DISKANN_TIDS && head->owner == node &&
		   head->closed && head->ntids > 0);
	head->closed = 0;
	DiskannNodeWriteHead(ref);
	DiskannNodeClose(ref);
}

/*
 * Put a chain's new first slot in place of old.  False if the node died or its
 * chain changed; the sequence number tells even if old is its first again.
 * Nothing is open on entry and exit; locks the node's slot exclusively.
 */
static bool
link_tids_slot(DiskannNodeRef *ref, DiskannNode node, uint64 hash,
			   DiskannNode old, uint32 sequence, DiskannNode chain)
{
	DiskannSlot head;
	bool		unchanged;

	DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	unchanged = head->state == DISKANN_LIVE && head->hash == hash &&
		head->next == old && head->sequence == sequence;
	if (unchanged)
	{
		head->next = chain;
		head->sequence = sequence + 1;
		DiskannNodeWriteHead(ref);
	}
	DiskannNodeClose(ref);
	return unchanged;
}

/*
 * Start a new first slot of the node's chain with this row; false if the chain
 * changed, or the node died, meanwhile.  Nothing is open on entry and exit.
 */
static bool
extend_chain(DiskannNodeRef *ref, DiskannNode node, uint64 hash,
			 DiskannNode next, uint32 sequence, ItemPointer tid)
{
	DiskannNode chain;

	DiskannNodeAllocate(ref);
	chain = ref->node;
	write_tids_slot(ref, node, next, sequence + 1, tid);
	DiskannNodeClose(ref);
	DiskannPausePoint("tids-written");
	if (!link_tids_slot(ref, node, hash, next, sequence, chain))
	{
		DiskannNodeFree(ref, chain);
		return false;
	}
	DiskannPausePoint("tids-linked");
	open_tids_slot(ref, node, chain);
	return true;
}

bool
DiskannAddTid(DiskannNodeRef *ref, DiskannNode node, uint64 hash,
			  ItemPointer tid)
{
	for (;;)
	{
		const DiskannSlotData *head;
		DiskannNode chain;
		uint32		sequence;
		bool		added;

		CHECK_FOR_INTERRUPTS();
		DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE);
		head = DiskannNodeHead(ref);
		if (head->state != DISKANN_LIVE || head->hash != hash)
		{
			DiskannNodeClose(ref);
			return false;
		}
		chain = head->next;
		sequence = head->sequence;
		added = add_inline(ref, tid);
		DiskannNodeClose(ref);
		DiskannPausePoint("tids-read");
		if (added || add_to_chain(ref, node, chain, tid) ||
			extend_chain(ref, node, hash, chain, sequence, tid))
			return true;
	}
}

void
DiskannStartChain(DiskannChain *chain, DiskannNode node, DiskannNode first)
{
	chain->owner = node;
	chain->next = first;
	chain->before = PG_UINT32_MAX;
}

/*
 * Start again from the node; its chain ends here if it has none any more.
 * Nothing is open on entry and exit; locks the node's slot in share mode.
 */
static void
restart_chain(DiskannNodeRef *ref, DiskannChain *chain)
{
	ItemPointerData tids[DISKANN_INLINE_TIDS];
	int			ntids;

	if (!DiskannReadNodeTids(ref, chain->owner, tids, &ntids, &chain->next,
							 NULL))
		chain->next = DISKANN_INVALID_NODE;
}

/* More restarts in a row than VACUUM could cause. */
#define MAX_RESTARTS 1000

bool
DiskannReadChain(DiskannNodeRef *ref, DiskannChain *chain,
				 ItemPointerData *tids, int *ntids)
{
	int			restarts = 0;
	DiskannNode skipped = 0;

	*ntids = 0;
	while (chain->next != DISKANN_INVALID_NODE)
	{
		const DiskannSlotData *head;
		bool		wanted;

		CHECK_FOR_INTERRUPTS();
		chain->slot = chain->next;
		DiskannNodeOpen(ref, chain->slot, BUFFER_LOCK_SHARE);
		head = DiskannNodeHead(ref);
		if (head->state != DISKANN_TIDS || head->owner != chain->owner)
		{
			DiskannNodeClose(ref);
			if (++restarts > MAX_RESTARTS)
				DiskannNodeReport(ref, chain->owner,
								  "a node points to a slot without its TIDs");
			restart_chain(ref, chain);
			continue;
		}
		wanted = head->sequence < chain->before;
		chain->next = head->next;
		if (wanted)
		{
			chain->before = head->sequence;
			*ntids = head->ntids;
			memcpy(tids, DiskannSlotTids(ref->slot),
				   sizeof(ItemPointerData) * head->ntids);
		}
		DiskannNodeClose(ref);
		if (wanted)
			return true;
		if (++skipped > DiskannNodeCount(ref))
			DiskannNodeReport(ref, chain->slot,
							  "a chain of TIDS slots has no end");
	}
	return false;
}

bool
DiskannReadNodeTids(DiskannNodeRef *ref, DiskannNode node,
					ItemPointerData *tids, int *ntids, DiskannNode *next,
					DiskannFilterValues *values)
{
	const DiskannSlotData *head;
	bool		live;

	DiskannNodeOpen(ref, node, BUFFER_LOCK_SHARE);
	head = DiskannNodeHead(ref);
	live = head->state == DISKANN_LIVE;
	if (live)
	{
		*ntids = head->ntids;
		*next = head->next;
		memcpy(tids, head->tids, sizeof(ItemPointerData) * head->ntids);
		if (values)
			DiskannSlotFilters(ref->index, ref->slot, values);
	}
	DiskannNodeClose(ref);
	return live;
}
