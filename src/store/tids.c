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
 *   points to it; a crash or an error between leaves a slot that belongs to
 *   nobody, whose dead TID the next VACUUM removes before it frees the slot;
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
#include "store/tids.h"

/* Add to the node's own slot, open exclusively, if there is room. */
static bool
add_inline(DiskannNodeRef *ref, ItemPointer tid)
{
	DiskannSlot head = DiskannNodeEdit(ref);

	if (head->ntids == DISKANN_INLINE_TIDS)
		return false;
	head->tids[head->ntids++] = *tid;
	DiskannNodeWrite(ref, 0, DISKANN_SLOT_HEADER);
	return true;
}

/* Add to a TIDS slot if it still is the node's, open, and not full. */
static bool
add_to_chain(DiskannNodeRef *ref, DiskannNode node, DiskannNode chain,
			 ItemPointer tid)
{
	const DiskannSlotData *head;
	bool		added = false;

	if (chain == DISKANN_INVALID_NODE ||
		!DiskannNodeOpen(ref, chain, BUFFER_LOCK_EXCLUSIVE))
		return false;
	head = (const DiskannSlotData *) ref->slot;
	if (head->state == DISKANN_TIDS && head->owner == node && !head->closed &&
		head->ntids < ref->index->max_tids)
	{
		DiskannSlot edit = DiskannNodeEdit(ref);

		DiskannSlotTids(ref->image)[edit->ntids++] = *tid;
		DiskannNodeWrite(ref, 0, DISKANN_SLOT_HEADER +
						 sizeof(ItemPointerData) * edit->ntids);
		added = true;
	}
	DiskannNodeClose(ref);
	return added;
}

/* Make the TIDS slot just allocated, or written by us, one of the node's. */
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
	head->ntids = 1;
	DiskannSlotTids(ref->image)[0] = *tid;
	DiskannNodeWrite(ref, 0, DISKANN_SLOT_HEADER + sizeof(ItemPointerData));
}

/*
 * Put a chain's new first slot in place of old.  False if the node died or its
 * chain changed; the sequence number tells even if old is its first again.
 */
static bool
link_tids_slot(DiskannNodeRef *ref, DiskannNode node, uint64 hash,
			   DiskannNode old, uint32 sequence, DiskannNode chain)
{
	DiskannSlot head;
	bool		unchanged;

	if (!DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE))
		return false;
	head = DiskannNodeEdit(ref);
	unchanged = head->state == DISKANN_LIVE && head->u.hash == hash &&
		head->next == old && head->sequence == sequence;
	if (unchanged)
	{
		head->next = chain;
		head->sequence = sequence + 1;
		DiskannNodeWrite(ref, 0, DISKANN_SLOT_HEADER);
	}
	DiskannNodeClose(ref);
	return unchanged;
}

void
DiskannFreeSlot(DiskannNodeRef *ref, DiskannNode node)
{
	DiskannSlot head;
	uint8		version;

	if (!DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE))
		return;
	head = DiskannNodeEdit(ref);
	version = head->version;
	memset(head, 0, DISKANN_SLOT_HEADER);
	head->version = version;
	DiskannNodeWrite(ref, 0, DISKANN_SLOT_HEADER);
	DiskannNodeClose(ref);
	DiskannNodeRecordFree(ref, node);
}

/* Start a new first slot of the node's chain with this row. */
static bool
extend_chain(DiskannNodeRef *ref, DiskannNode node, uint64 hash,
			 DiskannNode next, uint32 sequence, ItemPointer tid)
{
	DiskannNode chain;

	DiskannNodeAllocate(ref);
	chain = ref->node;
	write_tids_slot(ref, node, next, sequence + 1, tid);
	DiskannNodeClose(ref);
	if (link_tids_slot(ref, node, hash, next, sequence, chain))
		return true;

	/* The chain changed, or the node died: start over. */
	DiskannFreeSlot(ref, chain);
	return false;
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
		if (!DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE))
			return false;
		head = (const DiskannSlotData *) ref->slot;
		if (head->state != DISKANN_LIVE || head->u.hash != hash)
		{
			DiskannNodeClose(ref);
			return false;
		}
		chain = head->next;
		sequence = head->sequence;
		added = add_inline(ref, tid);
		DiskannNodeClose(ref);
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

/* Start again from the node; its chain ends here if it has none any more. */
static void
restart_chain(DiskannNodeRef *ref, DiskannChain *chain)
{
	ItemPointerData tids[DISKANN_INLINE_TIDS];
	int			ntids;

	if (!DiskannReadNodeTids(ref, chain->owner, tids, &ntids, &chain->next))
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
		if (DiskannNodeOpen(ref, chain->slot, BUFFER_LOCK_SHARE))
		{
			head = (const DiskannSlotData *) ref->slot;
			if (head->state == DISKANN_TIDS && head->owner == chain->owner)
			{
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
					DiskannReportCorrupt(ref->rel,
										 DiskannNodeBlock(ref->index,
														  chain->slot), -1,
										 "a chain of TIDS slots has no end");
				continue;
			}
			DiskannNodeClose(ref);
		}
		if (++restarts > MAX_RESTARTS)
			DiskannReportCorrupt(ref->rel,
								 DiskannNodeBlock(ref->index, chain->owner), -1,
								 "a node points to a slot without its TIDs");
		restart_chain(ref, chain);
	}
	return false;
}

bool
DiskannReadNodeTids(DiskannNodeRef *ref, DiskannNode node,
					ItemPointerData *tids, int *ntids, DiskannNode *next)
{
	const DiskannSlotData *head;
	bool		live;

	if (!DiskannNodeOpen(ref, node, BUFFER_LOCK_SHARE))
		return false;
	head = (const DiskannSlotData *) ref->slot;
	live = head->state == DISKANN_LIVE;
	if (live)
	{
		*ntids = head->ntids;
		*next = head->next;
		memcpy(tids, head->tids, sizeof(ItemPointerData) * head->ntids);
	}
	DiskannNodeClose(ref);
	return live;
}
