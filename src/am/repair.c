/*-------------------------------------------------------------------------
 *
 * repair.c
 *	  Taking tombstones out of the graph.
 *
 * A tombstone is *leaving* when every transaction that may have known it alive
 * has ended: then no insert can still write an edge to it.  For every node that
 * has an edge to a leaving one:
 *
 *		read its edges, in share mode; release
 *		search from its leaving neighbours, through tombstones, for live nodes
 *		write them in place of the edges to leaving ones, in exclusive mode
 *
 * When all nodes have been passed over, no edge leads to a leaving node, and
 * their slots are freed.  At last every live node that edges do not lead to from
 * the entry node is attached to the nearest one that a search finds.
 *
 * Nothing stays locked between these steps.  That does no harm:
 *
 * - A node read, released and opened again is still the same node, live or a
 *   tombstone: only a repair frees slots of nodes, and no two run at once, for
 *   VACUUM holds a lock on the table that keeps other VACUUMs out.  Its edges may
 *   be others by then, through an insert nearby; each is looked at again.
 * - A substitute may have become a tombstone meanwhile (not by this VACUUM; by
 *   none at all as things are).  It is not freed before the next repair, which
 *   replaces it.
 * - An insert may link a new node to a live one just while it is found not to be
 *   reached, or the other way round.  Then a node gets an edge too many.  A node
 *   inserted after the repair began is not looked at: inserts link nodes so that
 *   they are reached.
 * - An insert whose search was at a leaving node holds its number; but its
 *   transaction is older than the repair's horizon or the node was a tombstone
 *   when it was met, and no insert links to those.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/repair.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/node_set.h"
#include "am/repair.h"
#include "compat.h"
#include "graph/search.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "store/edges.h"
#include "store/link.h"
#include "store/visit.h"
#include "utils/memutils.h"

/* Nodes looked at beyond the leaving neighbours of one node, for each of them. */
#define VISITS_PER_EDGE 4

typedef struct Repair
{
	MemoryContext node_context; /* reset after every node */
	const DiskannIndex *index;
	DiskannNodeRef ref;
	DiskannQuery query;			/* the vector of the node looked at */
	DiskannVisit visit;
	DiskannSearch *search;
	NodeSet		leaving;		/* tombstones to be freed */
	DiskannNode nleaving;
	DiskannCounts counts;		/* of what stays */
} Repair;

/* Is the slot's state one of a node? */
static bool
is_node(const DiskannSlotData *head)
{
	return head->state == DISKANN_LIVE || head->state == DISKANN_DEAD ||
		head->state == DISKANN_ENTRY;
}

/* Count a tombstone that stays, or add it to the leaving ones. */
static void
sort_tombstone(Repair *repair, DiskannNode node, uint64 xid)
{
	DiskannCounts *counts = &repair->counts;

	if (DiskannXidIsPast(xid))
	{
		DiskannNodeSetAdd(&repair->leaving, node);
		repair->nleaving++;
		return;
	}
	counts->tombstones++;
	if (counts->oldest_xid == 0 || xid < counts->oldest_xid)
		counts->oldest_xid = xid;
}

/*
 * Find the leaving nodes.  Nothing is locked on entry and exit; each slot in
 * share mode meanwhile.
 */
static void
find_leaving(Repair *repair)
{
	DiskannNodeRef *ref = &repair->ref;

	for (DiskannNode node = 0; node < repair->leaving.count; node++)
	{
		const DiskannSlotData *head;

		DiskannVacuumDelayPoint();
		if (!DiskannNodeOpenNext(ref, node, BUFFER_LOCK_SHARE, NULL))
			continue;
		head = DiskannNodeHead(ref);
		if (head->state == DISKANN_LIVE)
			repair->counts.live_nodes++;
		else if (head->state == DISKANN_DEAD)
			sort_tombstone(repair, node, head->u.xid);
		DiskannNodeClose(ref);
	}
}

/* ---------- replacing edges ---------- */

/* A live node found to take a leaving one's place among the neighbours. */
typedef struct Substitute
{
	DiskannNode node;
	float	   *x;				/* decoded */
} Substitute;

/* The edges of the node that is being repaired, as they were read. */
typedef struct OldEdges
{
	DiskannNode node;
	int			degree;
	int			nleaving;
	DiskannNode neighbours[DISKANN_MAX_DEGREE];
} OldEdges;

/* Would an edge to this node be none, or one too many? */
static bool
is_known(const Repair *repair, const OldEdges *old, DiskannNode node)
{
	if (node == old->node)
		return true;
	for (int i = 0; i < old->degree; i++)
	{
		if (old->neighbours[i] == node)
			return !DiskannNodeSetHas(&repair->leaving, node);
	}
	return false;
}

/* Make the vector of the open node the one to search for. */
static void
decode_query(Repair *repair)
{
	const DiskannIndex *index = repair->index;

	diskann_vector_decode(index->kind,
						  DiskannSlotOwn(index, repair->ref.slot),
						  DiskannNodeHead(&repair->ref)->scale,
						  index->space.dims, repair->query.x);
}

/*
 * Read a node's edges, and its vector into the query if there is a leaving one
 * among its neighbours; false if there is none.  Nothing is locked on entry and
 * exit; the slot in share mode meanwhile.
 */
static bool
read_old_edges(Repair *repair, DiskannNode node, OldEdges *old)
{
	DiskannNodeRef *ref = &repair->ref;
	const DiskannSlotData *head;

	if (!DiskannNodeOpenNext(ref, node, BUFFER_LOCK_SHARE, NULL))
		return false;
	head = DiskannNodeHead(ref);
	old->node = node;
	old->nleaving = 0;
	old->degree = is_node(head) ? head->degree : 0;
	memcpy(old->neighbours, DiskannSlotNodes(repair->index, ref->slot),
		   sizeof(DiskannNode) * old->degree);
	for (int i = 0; i < old->degree; i++)
	{
		if (DiskannNodeSetHas(&repair->leaving, old->neighbours[i]))
			old->nleaving++;
	}
	if (old->nleaving > 0)
		decode_query(repair);
	DiskannNodeClose(ref);
	return old->nleaving > 0;
}

/*
 * Search beyond the leaving neighbours of a node, at repair->query, for as many
 * live nodes that are not its neighbours yet, nearest first; returns how many
 * were found.  Nothing is locked on entry and exit; each node visited in share
 * mode meanwhile.
 */
static int
find_substitutes(Repair *repair, const OldEdges *old, Substitute *substitutes)
{
	const DiskannIndex *index = repair->index;
	char	   *own = palloc(index->meta.own_bytes);
	int			n = 0;
	DiskannNode next;

	/* The entry node must find live nodes however far they are. */
	int64		max_visits = old->node == DISKANN_ENTRY_NODE ? PG_INT64_MAX :
		old->nleaving * VISITS_PER_EDGE;

	DiskannSearchReset(repair->search, index->meta.build_list_size, false);
	for (int i = 0; i < old->degree; i++)
	{
		if (DiskannNodeSetHas(&repair->leaving, old->neighbours[i]))
			DiskannSearchAdd(repair->search, old->neighbours[i], 0);
	}
	while (n < old->nleaving &&
		   DiskannSearchVisits(repair->search) < max_visits &&
		   DiskannSearchNext(repair->search, &next))
	{
		DiskannVacuumDelayPoint();
		if (is_known(repair, old, next) ||
			!DiskannVisitNode(&repair->ref, &repair->query, next,
							  &repair->visit, own))
			continue;
		if (repair->visit.head.state == DISKANN_LIVE)
		{
			substitutes[n].node = next;
			substitutes[n].x = palloc(sizeof(float) * index->space.dims);
			diskann_vector_decode(index->kind, own, repair->visit.head.scale,
								  index->space.dims, substitutes[n].x);
			n++;
		}
		else
			DiskannSearchAddAll(repair->search, repair->visit.nodes,
								repair->visit.estimates,
								repair->visit.degree);
	}
	return n;
}

/*
 * Replace or remove the edges of a node, at repair->query, to leaving ones.  Its
 * list may have changed since the substitutes were chosen, so what is in it now
 * decides.  Nothing is locked on entry and exit; the slot exclusively meanwhile.
 */
static void
replace_edges(Repair *repair, DiskannNode node, const Substitute *substitutes,
			  int nsubstitutes)
{
	const DiskannIndex *index = repair->index;
	DiskannNodeRef *ref = &repair->ref;
	DiskannSlot head;
	int			used = 0;
	bool		changed = false;

	DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	Assert(is_node(head));
	for (int i = 0; i < head->degree;)
	{
		DiskannEdgeCode edge;

		if (!DiskannNodeSetHas(&repair->leaving,
							   DiskannSlotNodes(index, ref->image)[i]))
		{
			i++;
			continue;
		}
		changed = true;
		while (used < nsubstitutes &&
			   DiskannEdgeFind(index, ref->image,
							   substitutes[used].node) >= 0)
			used++;
		if (used == nsubstitutes)
		{
			DiskannEdgeDrop(index, ref->image, i);
			continue;
		}
		diskann_edge_encode(&index->shape, repair->query.x,
							substitutes[used].x, &edge);
		DiskannEdgePut(index, ref->image, i, substitutes[used].node, &edge);
		used++;
		i++;
	}
	if (changed)
		DiskannNodeWriteEdges(ref);
	DiskannNodeClose(ref);
}

/*
 * Repair one node, if it is one and has a leaving neighbour.  Nothing is locked
 * on entry and exit.
 */
static void
repair_node(Repair *repair, DiskannNode node)
{
	OldEdges	old;
	Substitute	substitutes[DISKANN_MAX_DEGREE];
	int			n;

	if (DiskannNodeSetHas(&repair->leaving, node) ||
		!read_old_edges(repair, node, &old))
		return;
	DiskannQueryPrepareVector(&repair->query, repair->index);
	n = find_substitutes(repair, &old, substitutes);
	replace_edges(repair, node, substitutes, n);
}

/* ---------- reachability ---------- */

/*
 * Add to reached, and to the list, all that can be reached from the nodes in the
 * list from head on.  Nothing is locked on entry and exit; each slot in share
 * mode meanwhile.
 */
static void
spread(Repair *repair, NodeSet *reached, NodeList *list, Size head)
{
	DiskannNodeRef *ref = &repair->ref;

	while (head < list->count)
	{
		const DiskannNode *nodes;
		int			degree;

		DiskannVacuumDelayPoint();
		DiskannNodeOpen(ref, list->nodes[head++], BUFFER_LOCK_SHARE);
		nodes = DiskannSlotNodes(repair->index, ref->slot);
		degree = DiskannNodeHead(ref)->degree;
		for (int i = 0; i < degree; i++)
		{
			if (nodes[i] >= reached->count ||
				DiskannNodeSetHas(reached, nodes[i]))
				continue;
			DiskannNodeSetAdd(reached, nodes[i]);
			DiskannNodeListAdd(list, nodes[i]);
		}
		DiskannNodeClose(ref);
	}
}

/*
 * The live node nearest to the query that a search finds, other than node;
 * DISKANN_INVALID_NODE if there is none.  Nothing is locked on entry and exit;
 * each node visited in share mode meanwhile.
 */
static DiskannNode
find_nearest(Repair *repair, DiskannNode node)
{
	DiskannNode best = DISKANN_INVALID_NODE;
	float		best_dist2 = 0;
	DiskannNode next;

	DiskannSearchReset(repair->search, repair->index->meta.build_list_size,
					   false);
	DiskannSearchAdd(repair->search, DISKANN_ENTRY_NODE, 0);
	while (DiskannSearchNext(repair->search, &next))
	{
		DiskannVacuumDelayPoint();
		if (!DiskannVisitNode(&repair->ref, &repair->query, next,
							  &repair->visit, NULL))
			continue;
		DiskannSearchAddAll(repair->search, repair->visit.nodes,
							repair->visit.estimates, repair->visit.degree);
		if (next == node || repair->visit.head.state != DISKANN_LIVE ||
			(best != DISKANN_INVALID_NODE &&
			 repair->visit.dist2 >= best_dist2))
			continue;
		best = next;
		best_dist2 = repair->visit.dist2;
	}
	return best;
}

/*
 * Let the nearest live node that a search finds point to this one, if it is live
 * itself; if there is no other, let the entry node.  Returns whether it is live.
 * Nothing is locked on entry and exit.
 */
static bool
attach_node(Repair *repair, DiskannNode node)
{
	DiskannNodeRef *ref = &repair->ref;
	bool		live;
	DiskannNode nearest;

	if (!DiskannNodeOpenNext(ref, node, BUFFER_LOCK_SHARE, NULL))
		return false;
	live = DiskannNodeHead(ref)->state == DISKANN_LIVE;
	if (live)
		decode_query(repair);
	DiskannNodeClose(ref);
	if (!live)
		return false;
	DiskannQueryPrepareVector(&repair->query, repair->index);
	nearest = find_nearest(repair, node);
	if (nearest != DISKANN_INVALID_NODE)
		DiskannAddBacklink(ref, nearest, node, repair->query.x, true);
	else
		DiskannLinkEntry(ref, node, repair->query.x, 0);
	return true;
}

/*
 * What could only be reached through tombstones may be cut off after they left:
 * find such nodes and attach them.  Nothing is locked on entry and exit.
 */
static void
attach_unreachable(Repair *repair)
{
	MemoryContext old = CurrentMemoryContext;
	NodeSet		reached;
	NodeList	list = {0};
	int64		attached = 0;

	DiskannNodeSetInit(&reached, repair->leaving.count);
	DiskannNodeSetAdd(&reached, DISKANN_ENTRY_NODE);
	DiskannNodeListAdd(&list, DISKANN_ENTRY_NODE);
	spread(repair, &reached, &list, 0);
	for (DiskannNode node = 1; node < reached.count; node++)
	{
		Size		head = list.count;
		bool		live;

		if (DiskannNodeSetHas(&reached, node))
			continue;
		DiskannVacuumDelayPoint();
		MemoryContextSwitchTo(repair->node_context);
		live = attach_node(repair, node);
		MemoryContextSwitchTo(old);
		MemoryContextReset(repair->node_context);
		if (!live)
			continue;
		attached++;
		DiskannNodeSetAdd(&reached, node);
		DiskannNodeListAdd(&list, node);
		spread(repair, &reached, &list, head);
	}
	if (attached > 0)
		elog(DEBUG1, "diskann: attached " INT64_FORMAT " unreachable nodes",
			 attached);
}

/* ---------- the whole ---------- */

static void
init_repair(Repair *repair, IndexVacuumInfo *info, const DiskannIndex *index)
{
	memset(repair, 0, sizeof(*repair));
	repair->index = index;
	repair->node_context = AllocSetContextCreate(CurrentMemoryContext,
												 "diskann repair node",
												 ALLOCSET_DEFAULT_SIZES);
	DiskannNodeInit(&repair->ref, info->index, index, false);
	repair->ref.strategy = info->strategy;
	DiskannQueryInit(&repair->query, index);
	DiskannVisitInit(&repair->visit, index);
	repair->search = DiskannSearchCreate(CurrentMemoryContext);
	DiskannNodeSetInit(&repair->leaving, DiskannNodeCount(&repair->ref));
}

void
DiskannRepair(IndexVacuumInfo *info, const DiskannIndex *index)
{
	MemoryContext context = CurrentMemoryContext;
	Repair		repair;

	init_repair(&repair, info, index);
	find_leaving(&repair);
	if (repair.nleaving > 0)
	{
		for (DiskannNode node = 0; node < repair.leaving.count; node++)
		{
			DiskannVacuumDelayPoint();
			MemoryContextSwitchTo(repair.node_context);
			repair_node(&repair, node);
			MemoryContextSwitchTo(context);
			MemoryContextReset(repair.node_context);
		}
		for (DiskannNode node = 0; node < repair.leaving.count; node++)
		{
			if (!DiskannNodeSetHas(&repair.leaving, node))
				continue;
			DiskannVacuumDelayPoint();
			DiskannNodeFree(&repair.ref, node);
		}
		attach_unreachable(&repair);
		IndexFreeSpaceMapVacuum(info->index);
	}
	DiskannSetCounts(info->index, &repair.counts);
}
