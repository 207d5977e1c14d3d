/*-------------------------------------------------------------------------
 *
 * vacuum.c
 *	  VACUUM: removing rows, freeing slots, and when to repair the graph.
 *
 * Bulk delete passes over all slots once and takes dead TIDs out.  A node
 * without rows becomes a tombstone: searches walk through it, nothing new links
 * to it. TIDS slots left empty are taken out of their chains and freed.  When
 * tombstones are a twentieth of all nodes, or the last repair did not find what
 * it searched for, cleanup has repair.c take all of them out of the graph and
 * search for nodes.  It also has ranges.c open new ranges of columns that grow.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/vacuum.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/am.h"
#include "am/linker.h"
#include "am/node_set.h"
#include "am/ranges.h"
#include "am/repair.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "store/pause.h"
#include "store/tids.h"
#include "utils/memutils.h"
#include "values/row.h"

/* ---------- bulk delete ---------- */

typedef struct BulkState
{
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void	   *callback_state;
	DiskannNodeRef ref;
	NodeList	chained;		/* live nodes with TIDS slots */
	NodeList	empty;			/* TIDS slots without TIDs */
	NodeSet		in_chain;		/* TIDS slots that nodes own */
	ItemPointerData *tids;
	DiskannCounts counts;
} BulkState;

static int
count_dead(BulkState *state, const char *slot)
{
	ItemPointer tids = DiskannSlotTidList(slot);
	int			dead = 0;

	for (int i = 0; i < ((const DiskannSlotData *) slot)->ntids; i++)
		dead += state->callback(&tids[i], state->callback_state) ? 1 : 0;
	return dead;
}

/* Has a live node no row left? */
static bool
is_empty_node(const DiskannSlotData *head)
{
	return head->state == DISKANN_LIVE && head->ntids == 0 &&
		head->next == DISKANN_INVALID_NODE;
}

/* Turn a node being edited, which has no row left, into a tombstone. */
static void
bury(DiskannSlot head)
{
	Assert(is_empty_node(head));
	head->state = DISKANN_DEAD;
	head->closed = 0;
}

/*
 * Take the dead TIDs out of the slot, which is open exclusively and stays so; a
 * node without rows becomes a tombstone.
 */
static void
remove_dead(BulkState *state)
{
	DiskannSlot head = DiskannNodeEdit(&state->ref);
	ItemPointer tids = DiskannSlotTidList(state->ref.image);
	int			kept = 0;
	int			ntids = head->ntids;

	for (int i = 0; i < ntids; i++)
	{
		if (state->callback(&tids[i], state->callback_state))
			state->stats->tuples_removed++;
		else
			tids[kept++] = tids[i];
	}
	memset(&tids[kept], 0, sizeof(ItemPointerData) * (ntids - kept));
	head->ntids = kept;
	if (is_empty_node(head))
		bury(head);
	else if (kept == ntids)
		return;
	if (head->state == DISKANN_TIDS)
		DiskannNodeWriteTids(&state->ref, ntids);
	else
		DiskannNodeWriteHead(&state->ref);
}

/* Count a slot, open in any mode, as it is left; returns if it is free. */
static bool
count_slot(BulkState *state, DiskannNode node)
{
	const DiskannSlotData *head = DiskannNodeHead(&state->ref);
	DiskannCounts *counts = &state->counts;

	state->stats->num_index_tuples += head->ntids;
	switch (head->state)
	{
		case DISKANN_LIVE:
			counts->live_nodes++;
			if (head->next != DISKANN_INVALID_NODE)
				DiskannNodeListAdd(&state->chained, node);
			break;
		case DISKANN_DEAD:
			counts->tombstones++;
			break;
		case DISKANN_TIDS:
			if (head->ntids == 0)
				DiskannNodeListAdd(&state->empty, node);
			break;
		default:
			break;
	}
	return head->state == DISKANN_FREE;
}

/*
 * Look at a slot, in share mode, and once more exclusively if there is
 * something to be changed.  Nothing is locked on entry and exit.
 */
static void
process_slot(BulkState *state, DiskannNode node)
{
	DiskannNodeRef *ref = &state->ref;
	bool		free;
	bool		unused;

	if (!DiskannNodeOpenNext(ref, node, BUFFER_LOCK_SHARE, &unused))
	{
		/* A page of zeroes was added but never used. */
		if (unused)
			DiskannNodeRecordFree(ref, node);
		return;
	}
	if (count_dead(state, ref->slot) > 0 ||
		is_empty_node(DiskannNodeHead(ref)))
	{
		DiskannNodeClose(ref);
		DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE);
		remove_dead(state);
	}
	free = count_slot(state, node);
	DiskannNodeClose(ref);
	if (free)
		DiskannNodeRecordFree(ref, node);
}

/*
 * Close a TIDS slot to inserts if it is empty; *next is then the one after it.
 * Nothing is locked on entry and exit; the slot exclusively meanwhile.
 */
static bool
close_if_empty(DiskannNodeRef *ref, DiskannNode node, DiskannNode slot,
			   DiskannNode *next)
{
	const DiskannSlotData *head;
	bool		closed = false;

	DiskannNodeOpen(ref, slot, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeHead(ref);
	if (head->state == DISKANN_TIDS && head->owner == node && head->ntids == 0)
	{
		*next = head->next;
		DiskannNodeEdit(ref)->closed = 1;
		DiskannNodeWriteHead(ref);
		closed = true;
	}
	DiskannNodeClose(ref);
	return closed;
}

/*
 * Take a closed slot out of a chain: let its predecessor, the node itself or a
 * TIDS slot, point to the next one.  False if it does not point here any more,
 * because a new slot came between; the next VACUUM will do it then.  A node
 * left without rows becomes a tombstone.  Nothing is locked on entry and exit;
 * the predecessor exclusively meanwhile.
 */
static bool
unlink_slot(BulkState *state, DiskannNode node, DiskannNode predecessor,
			DiskannNode slot, DiskannNode next)
{
	DiskannNodeRef *ref = &state->ref;
	DiskannSlot head;
	bool		unlinked = false;

	DiskannNodeOpen(ref, predecessor, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	if (head->next == slot &&
		(predecessor == node ? head->state == DISKANN_LIVE :
		 head->state == DISKANN_TIDS && head->owner == node))
	{
		head->next = next;
		if (is_empty_node(head))
		{
			bury(head);
			state->counts.live_nodes--;
			state->counts.tombstones++;
		}
		DiskannNodeWriteHead(ref);
		unlinked = true;
	}
	DiskannNodeClose(ref);
	return unlinked;
}

/*
 * Unlink and free the empty TIDS slots of a node, noting which stay.  Nothing
 * is locked on entry and exit.
 */
static void
shorten_chain(BulkState *state, DiskannNode node)
{
	DiskannNodeRef *ref = &state->ref;
	DiskannNode predecessor = node;
	DiskannNode first;
	DiskannChain chain;
	int			ntids;

	if (!DiskannReadNodeTids(ref, node, state->tids, &ntids, &first, NULL))
		return;
	DiskannStartChain(&chain, node, first);
	while (DiskannReadChain(ref, &chain, state->tids, &ntids))
	{
		DiskannNode slot = chain.slot;
		DiskannNode next;

		DiskannVacuumDelayPoint();
		if (ntids == 0 && close_if_empty(ref, node, slot, &next) &&
			unlink_slot(state, node, predecessor, slot, next))
		{
			DiskannPausePoint("tids-unlinked");
			DiskannNodeFree(ref, slot);
			continue;
		}
		predecessor = slot;
		if (slot < state->in_chain.count)
			DiskannNodeSetAdd(&state->in_chain, slot);
	}
}

/*
 * Shorten all chains; then an empty TIDS slot in none of them was left by a
 * crash between unlinking and freeing it, or before it was linked.  Nothing is
 * locked on entry and exit.
 */
static void
shorten_chains(BulkState *state)
{
	DiskannNodeSetInit(&state->in_chain, DiskannNodeCount(&state->ref));
	state->tids = palloc(sizeof(ItemPointerData) *
						 Max(state->ref.index->meta.max_tids, DISKANN_INLINE_TIDS));
	for (Size i = 0; i < state->chained.count; i++)
		shorten_chain(state, state->chained.nodes[i]);
	for (Size i = 0; i < state->empty.count; i++)
	{
		DiskannNode slot = state->empty.nodes[i];
		const DiskannSlotData *head;
		bool		orphan;

		DiskannVacuumDelayPoint();
		if (DiskannNodeSetHas(&state->in_chain, slot))
			continue;
		DiskannNodeOpen(&state->ref, slot, BUFFER_LOCK_SHARE);
		head = DiskannNodeHead(&state->ref);
		orphan = head->state == DISKANN_TIDS && head->ntids == 0;
		DiskannNodeClose(&state->ref);
		if (orphan)
			DiskannNodeFree(&state->ref, slot);
	}
}

static IndexBulkDeleteResult *
make_stats(IndexBulkDeleteResult *stats)
{
	return stats ? stats : palloc0(sizeof(IndexBulkDeleteResult));
}

IndexBulkDeleteResult *
diskannbulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
				  IndexBulkDeleteCallback callback, void *callback_state)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "diskann vacuum",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	DiskannIndex *index;
	BulkState	state;

	stats = make_stats(stats);
	stats->num_index_tuples = 0;
	stats->estimated_count = false;
	old = MemoryContextSwitchTo(context);
	index = DiskannLoadIndex(info->index, context,
							 DiskannGetSupport(info->index)->metric);
	if (index)
	{
		memset(&state, 0, sizeof(state));
		state.stats = stats;
		state.callback = callback;
		state.callback_state = callback_state;
		DiskannNodeInit(&state.ref, info->index, index, false);
		state.ref.strategy = info->strategy;

		/* Slots added meanwhile hold new rows only, but look all the same. */
		for (DiskannNode node = 0, count = 0;; node++)
		{
			if (node >= count &&
				node >= (count = DiskannNodeCount(&state.ref)))
				break;
			DiskannVacuumDelayPoint();
			process_slot(&state, node);
		}
		if (state.chained.count > 0 || state.empty.count > 0)
			shorten_chains(&state);
		DiskannSetCounts(info->index, &state.counts, NULL);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return stats;
}

/* ---------- cleanup ---------- */

IndexBulkDeleteResult *
diskannvacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	MemoryContext context;
	MemoryContext old;
	DiskannIndex *index;
	DiskannCounts counts;
	DiskannSelfRecall recall;
	uint32		searches;
	bool		porches;
	bool		due;

	if (info->analyze_only)
		return stats;

	context = AllocSetContextCreate(CurrentMemoryContext,
									"diskann vacuum cleanup",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	DiskannGetCounts(info->index, &counts, &recall);
	searches = DiskannSearchesToHeal(&counts, &recall);
	porches = DiskannHasFeature(info->index, DISKANN_FEATURE_PORCHES);
	due = searches > 0 || DiskannRepairIsDue(&counts);
	if (porches || due)
	{
		index = DiskannLoadIndex(info->index, context,
								 DiskannGetSupport(info->index)->metric);

		/* No porch leads to a tombstone after that: see repair.c. */
		if (index && porches)
			(void) DiskannLinkAllPending(info->index, index);
		if (index && due)
			DiskannRepair(info, index, searches);
	}
	DiskannOpenRanges(info);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);

	if (stats)
	{
		stats->num_pages = RelationGetNumberOfBlocks(info->index);
		IndexFreeSpaceMapVacuum(info->index);
	}
	return stats;
}
