/*-------------------------------------------------------------------------
 *
 * vacuum.c
 *	  VACUUM: removing rows, repairing the graph, freeing slots.
 *
 * Bulk delete passes over all slots once and takes dead TIDs out.  A node without
 * rows becomes a tombstone: searches walk through it, nothing new links to it.
 * When tombstones are a tenth of all nodes, cleanup repairs the graph around
 * those that no running transaction can have known alive (see src/README): every
 * edge to one is replaced by an edge to a live node found beyond it, and after a
 * complete pass their slots are free.
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
#include "compat.h"
#include "graph/search.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "store/link.h"
#include "store/node.h"
#include "store/tids.h"
#include "store/visit.h"
#include "utils/memutils.h"
#include "values/row.h"

/* Repair is due when there is a tombstone for so many nodes. */
#define NODES_PER_TOMBSTONE 10

/* Nodes looked at beyond the dead neighbours of one node, for each of them. */
#define VISITS_PER_EDGE 4

/* A growing list of node numbers. */
typedef struct NodeList
{
	DiskannNode *nodes;
	Size		count;
	Size		alloc;
} NodeList;

static void
list_add(NodeList *list, DiskannNode node)
{
	if (list->count == list->alloc)
	{
		list->alloc = Max(64, 2 * list->alloc);
		list->nodes = list->nodes == NULL ?
			palloc(sizeof(DiskannNode) * list->alloc) :
			repalloc_huge(list->nodes, sizeof(DiskannNode) * list->alloc);
	}
	list->nodes[list->count++] = node;
}

/* Bitmaps of nodes. */
static bool
bitmap_get(const uint8 *bitmap, DiskannNode node)
{
	return (bitmap[node / 8] >> (node % 8)) & 1;
}

static void
bitmap_set(uint8 *bitmap, DiskannNode node)
{
	bitmap[node / 8] |= 1 << (node % 8);
}

static uint8 *
make_bitmap(DiskannNode count)
{
	return palloc_extended(count / 8 + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* ---------- bulk delete ---------- */

typedef struct BulkState
{
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void	   *callback_state;
	DiskannNodeRef ref;
	NodeList	chained;		/* live nodes with TIDS slots */
	NodeList	empty;			/* TIDS slots without TIDs */
	DiskannNode count;			/* size of the bitmap */
	uint8	   *in_chain;		/* bitmap of TIDS slots that nodes own */
	ItemPointerData *tids;
	uint64		live;
	uint32		tombstones;
} BulkState;

/* TIDs of a slot, wherever its state keeps them. */
static ItemPointer
slot_tids(const char *slot)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;

	return head->state == DISKANN_TIDS ? DiskannSlotTids(slot) :
		(ItemPointer) head->tids;
}

static int
count_dead(BulkState *state, const char *slot)
{
	ItemPointer tids = slot_tids(slot);
	int			dead = 0;

	for (int i = 0; i < ((const DiskannSlotData *) slot)->ntids; i++)
		dead += state->callback(&tids[i], state->callback_state) ? 1 : 0;
	return dead;
}

/* Turn a node being edited into a tombstone. */
static void
bury(DiskannSlot head)
{
	head->state = DISKANN_DEAD;
	head->u.xid = DiskannLastXid();
}

/* Take the dead TIDs out of the slot, open exclusively. */
static void
remove_dead(BulkState *state)
{
	DiskannSlot head = DiskannNodeEdit(&state->ref);
	ItemPointer tids = slot_tids(state->ref.image);
	int			kept = 0;
	int			ntids = head->ntids;

	for (int i = 0; i < ntids; i++)
	{
		if (state->callback(&tids[i], state->callback_state))
			state->stats->tuples_removed++;
		else
			tids[kept++] = tids[i];
	}
	if (kept == ntids)
		return;
	memset(&tids[kept], 0, sizeof(ItemPointerData) * (ntids - kept));
	head->ntids = kept;
	if (head->state == DISKANN_LIVE && kept == 0 &&
		head->next == DISKANN_INVALID_NODE)
		bury(head);
	DiskannNodeWrite(&state->ref, 0,
					 head->state == DISKANN_TIDS ?
					 DISKANN_SLOT_HEADER + sizeof(ItemPointerData) * ntids :
					 DISKANN_SLOT_HEADER);
}

/* Count a slot, open in any mode, as it is left; returns if it is free. */
static bool
count_slot(BulkState *state, DiskannNode node)
{
	const DiskannSlotData *head = (const DiskannSlotData *) state->ref.slot;

	state->stats->num_index_tuples += head->ntids;
	switch (head->state)
	{
		case DISKANN_LIVE:
			state->live++;
			if (head->next != DISKANN_INVALID_NODE)
				list_add(&state->chained, node);
			break;
		case DISKANN_DEAD:
			state->tombstones++;
			break;
		case DISKANN_TIDS:
			if (head->ntids == 0)
				list_add(&state->empty, node);
			break;
		default:
			break;
	}
	return head->state == DISKANN_FREE;
}

static void
process_slot(BulkState *state, DiskannNode node)
{
	DiskannNodeRef *ref = &state->ref;
	bool		free;

	/* A page of zeroes was added but never used. */
	if (!DiskannNodeOpen(ref, node, BUFFER_LOCK_SHARE))
	{
		DiskannNodeRecordFree(ref, node);
		return;
	}
	if (count_dead(state, ref->slot) > 0)
	{
		DiskannNodeClose(ref);
		if (!DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE))
			return;
		remove_dead(state);
	}
	free = count_slot(state, node);
	DiskannNodeClose(ref);
	if (free)
		DiskannNodeRecordFree(ref, node);
}

/* Close a TIDS slot to inserts if it is empty; tells its next one. */
static bool
close_if_empty(DiskannNodeRef *ref, DiskannNode node, DiskannNode slot,
			   DiskannNode *next)
{
	const DiskannSlotData *head;
	bool		closed = false;

	if (!DiskannNodeOpen(ref, slot, BUFFER_LOCK_EXCLUSIVE))
		return false;
	head = (const DiskannSlotData *) ref->slot;
	if (head->state == DISKANN_TIDS && head->owner == node && head->ntids == 0)
	{
		*next = head->next;
		DiskannNodeEdit(ref)->closed = 1;
		DiskannNodeWrite(ref, 0, DISKANN_SLOT_HEADER);
		closed = true;
	}
	DiskannNodeClose(ref);
	return closed;
}

/*
 * Take a closed slot out of a chain: let its predecessor, the node itself or a
 * TIDS slot, point to the next one.  False if it does not point here any more,
 * because a new slot came between; the next VACUUM will do it then.  A node
 * left without rows becomes a tombstone.
 */
static bool
unlink_slot(BulkState *state, DiskannNode node, DiskannNode predecessor,
			DiskannNode slot, DiskannNode next)
{
	DiskannNodeRef *ref = &state->ref;
	DiskannSlot head;
	bool		unlinked = false;

	if (!DiskannNodeOpen(ref, predecessor, BUFFER_LOCK_EXCLUSIVE))
		return false;
	head = DiskannNodeEdit(ref);
	if (head->next == slot &&
		(predecessor == node ? head->state == DISKANN_LIVE :
		 head->state == DISKANN_TIDS && head->owner == node))
	{
		head->next = next;
		if (predecessor == node && head->ntids == 0 &&
			next == DISKANN_INVALID_NODE)
		{
			bury(head);
			state->live--;
			state->tombstones++;
		}
		DiskannNodeWrite(ref, 0, DISKANN_SLOT_HEADER);
		unlinked = true;
	}
	DiskannNodeClose(ref);
	return unlinked;
}

/* Unlink the empty TIDS slots of a node, noting in a bitmap what stays. */
static void
shorten_chain(BulkState *state, DiskannNode node)
{
	DiskannNodeRef *ref = &state->ref;
	DiskannNode predecessor = node;
	DiskannNode first;
	DiskannChain chain;
	int			ntids;

	if (!DiskannReadNodeTids(ref, node, state->tids, &ntids, &first))
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
			DiskannFreeSlot(ref, slot);
			continue;
		}
		predecessor = slot;
		if (slot < state->count)
			bitmap_set(state->in_chain, slot);
	}
}

/*
 * Shorten all chains; then an empty TIDS slot in none of them was left by a
 * crash between unlinking and freeing it, or before it was linked.
 */
static void
shorten_chains(BulkState *state)
{
	state->count = DiskannNodeCount(&state->ref);
	state->in_chain = make_bitmap(state->count);
	state->tids = palloc(sizeof(ItemPointerData) *
						 Max(state->ref.index->max_tids, DISKANN_INLINE_TIDS));
	for (Size i = 0; i < state->chained.count; i++)
		shorten_chain(state, state->chained.nodes[i]);
	for (Size i = 0; i < state->empty.count; i++)
	{
		DiskannNode slot = state->empty.nodes[i];
		const DiskannSlotData *head;
		bool		orphan;

		DiskannVacuumDelayPoint();
		if (bitmap_get(state->in_chain, slot) ||
			!DiskannNodeOpen(&state->ref, slot, BUFFER_LOCK_SHARE))
			continue;
		head = (const DiskannSlotData *) state->ref.slot;
		orphan = head->state == DISKANN_TIDS && head->ntids == 0;
		DiskannNodeClose(&state->ref);
		if (orphan)
			DiskannFreeSlot(&state->ref, slot);
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
		DiskannSetCounts(info->index, state.tombstones, state.live);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return stats;
}

/* ---------- repair ---------- */

typedef struct RepairState
{
	MemoryContext node_context; /* reset after every node */
	const DiskannIndex *index;
	DiskannNodeRef ref;
	DiskannQuery query;
	DiskannVisit visit;
	DiskannSearch *search;
	BufferAccessStrategy strategy;
	DiskannNode count;
	uint8	   *leaving;		/* bitmap of tombstones to be freed */
	DiskannNode nleaving;
	uint32		tombstones;		/* that stay */
	uint64		live;
} RepairState;

/* A node beyond the bitmap was added later: it is not leaving. */
static bool
is_leaving(const RepairState *state, DiskannNode node)
{
	return node < state->count && bitmap_get(state->leaving, node);
}

/* Which tombstones can no running transaction have known alive? */
static void
find_leaving(RepairState *state)
{
	for (DiskannNode node = 0; node < state->count; node++)
	{
		const DiskannSlotData *head;

		DiskannVacuumDelayPoint();
		if (!DiskannNodeOpen(&state->ref, node, BUFFER_LOCK_SHARE))
			continue;
		head = (const DiskannSlotData *) state->ref.slot;
		if (head->state == DISKANN_LIVE)
			state->live++;
		else if (head->state == DISKANN_DEAD && DiskannXidIsPast(head->u.xid))
		{
			bitmap_set(state->leaving, node);
			state->nleaving++;
		}
		else if (head->state == DISKANN_DEAD)
			state->tombstones++;
		DiskannNodeClose(&state->ref);
	}
}

/* A live node found to take a leaving one's place among the neighbours. */
typedef struct Substitute
{
	DiskannNode node;
	float	   *x;				/* decoded */
} Substitute;

/*
 * Search beyond the leaving neighbours of a node, at state->query, for up to
 * wanted live nodes that are not its neighbours yet, nearest first.
 */
static int
find_substitutes(RepairState *state, DiskannNode node,
				 const DiskannNode *neighbours, int degree,
				 Substitute *substitutes, int wanted, int64 max_visits)
{
	const DiskannIndex *index = state->index;
	char	   *own = palloc(index->own_bytes);
	int			n = 0;
	DiskannNode next;

	DiskannSearchReset(state->search, index->meta.build_list_size, false);
	for (int i = 0; i < degree; i++)
	{
		if (is_leaving(state, neighbours[i]))
			DiskannSearchAdd(state->search, neighbours[i], 0);
	}
	while (n < wanted && DiskannSearchVisits(state->search) < max_visits &&
		   DiskannSearchNext(state->search, &next))
	{
		bool		known = next == node;

		for (int i = 0; i < degree && !known; i++)
			known = neighbours[i] == next && !is_leaving(state, next);
		if (known || !DiskannVisitNode(&state->ref, &state->query, next,
									   &state->visit, own))
			continue;
		if (state->visit.head.state == DISKANN_LIVE)
		{
			substitutes[n].node = next;
			substitutes[n].x = palloc(sizeof(float) * index->space.dims);
			diskann_vector_decode(index->kind, own, state->visit.head.scale,
								  index->space.dims, substitutes[n].x);
			n++;
			continue;
		}
		DiskannSearchAddAll(state->search, state->visit.nodes,
							state->visit.estimates, state->visit.degree);
	}
	return n;
}

/* Does the slot being edited have this neighbour? */
static bool
image_has(const DiskannIndex *index, const char *image, DiskannNode node)
{
	const DiskannNode *nodes = DiskannSlotNodes(index, image);

	for (int i = 0; i < ((const DiskannSlotData *) image)->degree; i++)
	{
		if (nodes[i] == node)
			return true;
	}
	return false;
}

/* Put edge from in the place of edge to. */
static void
move_edge(const DiskannIndex *index, char *image, int from, int to)
{
	uint8		nibbles[DISKANN_MAX_NIBBLES];

	if (from == to)
		return;
	DiskannSlotAdd(index, image)[to] = DiskannSlotAdd(index, image)[from];
	DiskannSlotRescale(index, image)[to] =
		DiskannSlotRescale(index, image)[from];
	DiskannSlotNodes(index, image)[to] = DiskannSlotNodes(index, image)[from];
	diskann_edge_get(&index->shape, DiskannSlotCodes(index, image), from,
					 nibbles);
	diskann_edge_put(&index->shape, DiskannSlotCodes(index, image), to,
					 nibbles);
}

/*
 * Replace or remove the edges of a node to leaving ones.  Its list may have
 * changed since the substitutes were chosen; that does no harm.
 */
static void
replace_edges(RepairState *state, DiskannNode node, const float *decoded,
			  const Substitute *substitutes, int nsubstitutes)
{
	const DiskannIndex *index = state->index;
	DiskannSlot head;
	int			used = 0;

	if (!DiskannNodeOpen(&state->ref, node, BUFFER_LOCK_EXCLUSIVE))
		return;
	head = DiskannNodeEdit(&state->ref);
	for (int i = 0; i < head->degree;)
	{
		char	   *image = state->ref.image;
		DiskannEdgeCode edge;

		if (!is_leaving(state, DiskannSlotNodes(index, image)[i]))
		{
			i++;
			continue;
		}
		while (used < nsubstitutes &&
			   image_has(index, image, substitutes[used].node))
			used++;
		if (used < nsubstitutes)
		{
			diskann_edge_encode(&index->shape, decoded, substitutes[used].x,
								&edge);
			DiskannPutEdge(index, image, i, substitutes[used].node, &edge);
			used++;
			i++;
		}
		else
			move_edge(index, image, --head->degree, i);
	}
	DiskannNodeWrite(&state->ref, 0, index->own_offset);
	DiskannNodeClose(&state->ref);
}

/* Repair one node, if it is one and has a leaving neighbour. */
static void
repair_node(RepairState *state, DiskannNode node)
{
	const DiskannIndex *index = state->index;
	const DiskannSlotData *head;
	DiskannNode neighbours[DISKANN_MAX_DEGREE];
	Substitute	substitutes[DISKANN_MAX_DEGREE];
	int			degree;
	int			nleaving = 0;
	int			n;

	if (is_leaving(state, node) ||
		!DiskannNodeOpen(&state->ref, node, BUFFER_LOCK_SHARE))
		return;
	head = (const DiskannSlotData *) state->ref.slot;
	degree = head->state == DISKANN_LIVE || head->state == DISKANN_DEAD ||
		head->state == DISKANN_ENTRY ? head->degree : 0;
	memcpy(neighbours, DiskannSlotNodes(index, state->ref.slot),
		   sizeof(DiskannNode) * degree);
	for (int i = 0; i < degree; i++)
		nleaving += is_leaving(state, neighbours[i]) ? 1 : 0;
	if (nleaving > 0)
		diskann_vector_decode(index->kind,
							  DiskannSlotOwn(index, state->ref.slot),
							  head->scale, index->space.dims, state->query.x);
	DiskannNodeClose(&state->ref);
	if (nleaving == 0)
		return;

	state->query.norm2 = diskann_kernels->dot_f32(state->query.x,
												  state->query.x,
												  index->space.dims);
	DiskannQueryPrepare(&state->query, index);

	/* The entry node must find live nodes however far they are. */
	n = find_substitutes(state, node, neighbours, degree, substitutes,
						 nleaving, node == DISKANN_ENTRY_NODE ? PG_INT64_MAX :
						 nleaving * VISITS_PER_EDGE);
	replace_edges(state, node, state->query.x, substitutes, n);
}

/* ---------- reachability ---------- */

/* Add all that can be reached from the nodes in the list from head on. */
static void
spread(RepairState *state, uint8 *reached, NodeList *list, Size head)
{
	while (head < list->count)
	{
		DiskannNode node = list->nodes[head++];
		const DiskannNode *nodes;
		int			degree;

		DiskannVacuumDelayPoint();
		if (!DiskannNodeOpen(&state->ref, node, BUFFER_LOCK_SHARE))
			continue;
		nodes = DiskannSlotNodes(state->index, state->ref.slot);
		degree = ((const DiskannSlotData *) state->ref.slot)->degree;
		for (int i = 0; i < degree; i++)
		{
			if (nodes[i] >= state->count || bitmap_get(reached, nodes[i]))
				continue;
			bitmap_set(reached, nodes[i]);
			list_add(list, nodes[i]);
		}
		DiskannNodeClose(&state->ref);
	}
}

/* Let the nearest live node a search finds point to this one. */
static void
attach_node(RepairState *state, DiskannNode node)
{
	const DiskannIndex *index = state->index;
	float	   *x = palloc(sizeof(float) * index->space.dims);
	DiskannNode next;
	DiskannNode best = DISKANN_INVALID_NODE;
	float		best_dist2 = 0;

	if (!DiskannNodeOpen(&state->ref, node, BUFFER_LOCK_SHARE))
		return;
	diskann_vector_decode(index->kind, DiskannSlotOwn(index, state->ref.slot),
						  ((const DiskannSlotData *) state->ref.slot)->scale,
						  index->space.dims, x);
	DiskannNodeClose(&state->ref);
	memcpy(state->query.x, x, sizeof(float) * index->space.dims);
	state->query.norm2 = diskann_kernels->dot_f32(x, x, index->space.dims);
	DiskannQueryPrepare(&state->query, index);

	DiskannSearchReset(state->search, index->meta.build_list_size, false);
	DiskannSearchAdd(state->search, DISKANN_ENTRY_NODE, 0);
	while (DiskannSearchNext(state->search, &next))
	{
		if (!DiskannVisitNode(&state->ref, &state->query, next, &state->visit,
							  NULL))
			continue;
		DiskannSearchAddAll(state->search, state->visit.nodes,
							state->visit.estimates, state->visit.degree);
		if (next == node || state->visit.head.state != DISKANN_LIVE ||
			(best != DISKANN_INVALID_NODE && state->visit.dist2 >= best_dist2))
			continue;
		best = next;
		best_dist2 = state->visit.dist2;
	}
	if (best != DISKANN_INVALID_NODE)
		DiskannAddBacklink(&state->ref, best, node, x, true);
	else
		DiskannLinkEntry(&state->ref, node, x, 0);
}

/*
 * What could only be reached through tombstones may be cut off after they
 * left: find such nodes and attach them.
 */
static void
attach_unreachable(RepairState *state)
{
	MemoryContext old = CurrentMemoryContext;
	uint8	   *reached = make_bitmap(state->count);
	NodeList	list = {0};
	int64		attached = 0;

	bitmap_set(reached, DISKANN_ENTRY_NODE);
	list_add(&list, DISKANN_ENTRY_NODE);
	spread(state, reached, &list, 0);
	for (DiskannNode node = 1; node < state->count; node++)
	{
		bool		live;
		Size		head = list.count;

		if (bitmap_get(reached, node) ||
			!DiskannNodeOpen(&state->ref, node, BUFFER_LOCK_SHARE))
			continue;
		live = ((const DiskannSlotData *) state->ref.slot)->state == DISKANN_LIVE;
		DiskannNodeClose(&state->ref);
		if (!live)
			continue;
		MemoryContextSwitchTo(state->node_context);
		attach_node(state, node);
		MemoryContextSwitchTo(old);
		MemoryContextReset(state->node_context);
		attached++;
		bitmap_set(reached, node);
		list_add(&list, node);
		spread(state, reached, &list, head);
	}
	if (attached > 0)
		elog(DEBUG1, "diskann: attached " INT64_FORMAT " unreachable nodes",
			 attached);
	pfree(reached);
	if (list.nodes)
		pfree(list.nodes);
}

/* The whole of a repair, in a memory context of its own. */
static void
repair_graph(IndexVacuumInfo *info, const DiskannIndex *index)
{
	RepairState state;
	MemoryContext context = CurrentMemoryContext;

	memset(&state, 0, sizeof(state));
	state.index = index;
	state.node_context = AllocSetContextCreate(context, "diskann repair node",
											   ALLOCSET_DEFAULT_SIZES);
	DiskannNodeInit(&state.ref, info->index, index, false);
	state.ref.strategy = info->strategy;
	DiskannQueryInit(&state.query, index);
	DiskannVisitInit(&state.visit, index);
	state.search = DiskannSearchCreate(context);
	state.count = DiskannNodeCount(&state.ref);
	state.leaving = make_bitmap(state.count);

	find_leaving(&state);
	if (state.nleaving == 0)
		return;
	for (DiskannNode node = 0; node < state.count; node++)
	{
		DiskannVacuumDelayPoint();
		MemoryContextSwitchTo(state.node_context);
		repair_node(&state, node);
		MemoryContextSwitchTo(context);
		MemoryContextReset(state.node_context);
	}
	for (DiskannNode node = 0; node < state.count; node++)
	{
		if (!bitmap_get(state.leaving, node))
			continue;
		DiskannVacuumDelayPoint();
		DiskannFreeSlot(&state.ref, node);
	}
	attach_unreachable(&state);
	IndexFreeSpaceMapVacuum(info->index);
	DiskannSetCounts(info->index, state.tombstones, state.live);
}

IndexBulkDeleteResult *
diskannvacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	MemoryContext context;
	MemoryContext old;
	DiskannIndex *index;
	uint32		tombstones;
	uint64		live;

	if (info->analyze_only)
		return stats;

	context = AllocSetContextCreate(CurrentMemoryContext,
									"diskann vacuum cleanup",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	DiskannGetCounts(info->index, &tombstones, &live);
	if (tombstones > 0 &&
		(uint64) tombstones * NODES_PER_TOMBSTONE >= live + tombstones)
	{
		index = DiskannLoadIndex(info->index, context,
								 DiskannGetSupport(info->index)->metric);
		if (index)
			repair_graph(info, index);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);

	if (stats)
	{
		stats->num_pages = RelationGetNumberOfBlocks(info->index);
		IndexFreeSpaceMapVacuum(info->index);
	}
	return stats;
}
