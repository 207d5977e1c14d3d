/*-------------------------------------------------------------------------
 *
 * repair.c
 *	  Taking tombstones out of the graph.
 *
 * First the repair waits for the inserts under way to end (store/linking.h).
 * Nobody can then write an edge to any tombstone there is: who met it alive has
 * ended, and who meets it from now on sees what it is.  So all of them are
 * *leaving*.  For every node that has an edge to a leaving one:
 *
 *		read its edges, in share mode; release
 *		search from its leaving neighbours, through tombstones, for live nodes
 *		write them in place of the edges to leaving ones, in exclusive mode
 *
 * When all nodes have been passed over, no edge leads to a leaving node, and
 * their slots are freed.  The roster, from which searches start, is drawn anew
 * before.  At last live nodes are attached to the nearest one that a search
 * finds: every one that edges do not lead to from the entry nodes, and of some
 * others, searched for by their own vectors, those that are not found.
 *
 * Nothing stays locked between these steps.  That does no harm:
 *
 * - A node read, released and opened again is still the same node, live or a
 *   tombstone: only a repair frees slots of nodes, and no two run at once, for
 *   VACUUM holds a lock on the table that keeps other VACUUMs out.  Its edges
 *   may be others by then, through an insert nearby; each is looked at again.
 * - A substitute may have become a tombstone meanwhile (not by this VACUUM; by
 *   none at all as things are).  It is not freed before the next repair, which
 *   replaces it.
 * - An insert may link a new node to a live one just while it is found not to
 *   be reached, or the other way round.  Then a node gets an edge too many.
 *   Nodes inserted since the repair began are looked at, too: the only edge to
 *   one may have been of an entry node whose edges were drawn anew.
 * - An insert that began after the wait may hold the number of a leaving node.
 *   It met a tombstone, and links to none: it does let one point to its new
 *   node, and should another node be in that slot by then, that gets an edge
 *   too many.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/repair.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "am/node_set.h"
#include "am/repair.h"
#include "am/self_search.h"
#include "compat.h"
#include "graph/search.h"
#include "miscadmin.h"
#include "storage/indexfsm.h"
#include "store/edges.h"
#include "store/link.h"
#include "store/linking.h"
#include "store/pause.h"
#include "store/porch.h"
#include "store/roster.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/*
 * Nodes looked at beyond the leaving neighbours of a node, for each of them,
 * and how many live ones among these are enough to choose from.
 */
#define VISITS_PER_EDGE 4
#define CANDIDATES_PER_EDGE 3

/* Nodes searched for so after a repair, for each one that left. */
#define SEARCHES_PER_LEAVING 2

/* If more than this share of them was not found, as many again, and so on. */
#define MISSED_TOLERATED 0.002
#define MAX_ROUNDS 4

typedef struct Repair
{
	MemoryContext node_context; /* reset after every node */
	const DiskannIndex *index;
	DiskannNodeRef ref;
	DiskannQuery query;			/* the vector of the node looked at */
	DiskannVisit visit;
	uint8		signatures[DISKANN_MAX_SIGNATURES]; /* of that node */
	DiskannSearch *search;
	NodeSet		leaving;		/* tombstones to be freed */
	DiskannNode nleaving;
	DiskannCounts counts;		/* of what stays */
	NodeList	entries;		/* entry nodes beside node 0, and porches, in
								 * a chain or not */
	DiskannNode *members;		/* of the next roster: live nodes by chance */
	int			nmembers;
	uint64		random;
	int64		repaired;		/* nodes whose edges were replaced */
	int64		attached;		/* nodes no edge led to */
	DiskannSelfRecall recall;	/* nodes searched for, and not found */
} Repair;

/* Is the slot's state one of a node? */
static bool
is_node(const DiskannSlotData *head)
{
	return head->state == DISKANN_LIVE || head->state == DISKANN_DEAD ||
		head->state == DISKANN_ENTRY;
}

/*
 * Count a live node, which may become a member of the next roster (reservoir
 * sampling; Vitter, 1985).
 */
static void
count_live(Repair *repair, DiskannNode node)
{
	int			most = DiskannRosterSize(repair->index, repair->leaving.count);
	uint64		draw;

	repair->counts.live_nodes++;
	if (repair->members == NULL)
		repair->members = palloc(sizeof(DiskannNode) * most);
	if (repair->nmembers < most)
	{
		repair->members[repair->nmembers++] = node;
		return;
	}
	draw = diskann_random64(&repair->random) % repair->counts.live_nodes;
	if (draw < (uint64) most)
		repair->members[draw] = node;
}

/*
 * Find the leaving nodes, the members of the next roster, and entry nodes.
 * Nothing is locked on entry and exit; each slot in share mode meanwhile.
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
			count_live(repair, node);
		else if (head->state == DISKANN_DEAD)
		{
			DiskannNodeSetAdd(&repair->leaving, node);
			repair->nleaving++;
		}
		else if (head->state == DISKANN_PORCH ||
				 (head->state == DISKANN_ENTRY && node != DISKANN_ENTRY_NODE))
			DiskannNodeListAdd(&repair->entries, node);
		DiskannNodeClose(ref);
	}
}

/*
 * Of the entry nodes and porches found, forget those that are in a chain.
 * Nothing is locked on entry and exit; each slot of the chains in share mode
 * meanwhile.
 */
static void
forget_chained(Repair *repair)
{
	DiskannNode chain[DISKANN_MOST_ENTRIES + 1 + DISKANN_MOST_PORCHES];
	int			nentries = DiskannReadEntries(&repair->ref, chain);
	int			nchained = nentries +
		DiskannReadPorches(&repair->ref, chain + nentries, true);
	NodeList   *entries = &repair->entries;
	Size		kept = 0;

	for (Size i = 0; i < entries->count; i++)
	{
		bool		chained = false;

		for (int k = 0; k < nchained; k++)
			chained |= chain[k] == entries->nodes[i];
		if (!chained)
			entries->nodes[kept++] = entries->nodes[i];
	}
	entries->count = kept;
}

/*
 * Free an entry node or porch in no chain, unless the slot is another's by now.
 * Nothing is locked on entry and exit but linking; the slot exclusively
 * meanwhile.
 */
static void
free_lost_entry(Repair *repair, DiskannNode entry)
{
	bool		lost;

	if (!DiskannNodeOpenNext(&repair->ref, entry, BUFFER_LOCK_SHARE, NULL))
		return;
	lost = DiskannNodeHead(&repair->ref)->state == DISKANN_ENTRY ||
		DiskannNodeHead(&repair->ref)->state == DISKANN_PORCH;
	DiskannNodeClose(&repair->ref);
	if (lost)
		DiskannNodeFree(&repair->ref, entry);
}

/*
 * Free entry nodes and porches that were written but never put into a chain. An
 * insert that began after the wait may have written one and not have put it
 * there yet.  So if there is any, keep all inserts out and look again: what is
 * in no chain while nobody is linking stays so, whatever has become of its slot
 * since it was found.  That is a rare event, and short: the chain and the slots
 * in question are read and nothing else.  Nothing is locked on entry and exit.
 */
static void
free_lost_entries(Repair *repair)
{
	forget_chained(repair);
	if (repair->entries.count == 0)
		return;
	DiskannBarLinking(repair->ref.rel);
	forget_chained(repair);
	for (Size i = 0; i < repair->entries.count; i++)
		free_lost_entry(repair, repair->entries.nodes[i]);
	DiskannAllowLinking(repair->ref.rel);
}

/* ---------- replacing edges ---------- */

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
		DiskannReadOpen(ref, repair->query.x, repair->signatures);
	DiskannNodeClose(ref);
	return old->nleaving > 0;
}

/*
 * Search beyond the leaving neighbours of a node, at repair->query, for live
 * nodes that are not its neighbours yet; returns how many were found, at most
 * CANDIDATES_PER_EDGE for each leaving one.  Nothing is locked on entry and
 * exit; each node visited in share mode meanwhile.
 */
static int
find_substitutes(Repair *repair, const OldEdges *old,
				 DiskannNearNode *substitutes)
{
	const DiskannIndex *index = repair->index;
	char	   *own = palloc(index->meta.own_bytes);
	int			n = 0;
	DiskannNode next;

	DiskannSearchReset(repair->search, index->meta.build_list_size, false);
	for (int i = 0; i < old->degree; i++)
	{
		if (DiskannNodeSetHas(&repair->leaving, old->neighbours[i]))
			DiskannSearchAdd(repair->search, old->neighbours[i], 0);
	}
	while (n < old->nleaving * CANDIDATES_PER_EDGE &&
		   DiskannSearchVisits(repair->search) <
		   old->nleaving * VISITS_PER_EDGE &&
		   DiskannSearchNext(repair->search, &next))
	{
		DiskannVacuumDelayPoint();
		if (is_known(repair, old, next) ||
			!DiskannVisitNode(&repair->ref, &repair->query, next,
							  &repair->visit, own))
			continue;
		if (repair->visit.head.state == DISKANN_LIVE)
		{
			float	   *x = palloc(sizeof(float) * index->space.dims);

			diskann_vector_decode(index->kind, own, repair->visit.head.scale,
								  index->space.dims, x);
			substitutes[n].node = next;
			substitutes[n].dist2 = repair->visit.dist2;
			substitutes[n].x = x;
			substitutes[n].signatures =
				memcpy(palloc(DISKANN_MAX_SIGNATURES),
					   repair->visit.own_signatures,
					   DISKANN_MAX_SIGNATURES);
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
 * Remove the edges of a node, at repair->query, to leaving ones, and let
 * substitutes take their places.  Its list may have changed since these were
 * found, so what is in it now decides.  Nothing is locked on entry and exit;
 * the slot exclusively meanwhile.
 */
static void
replace_edges(Repair *repair, DiskannNode node, DiskannNearNode *substitutes,
			  int nsubstitutes)
{
	const DiskannIndex *index = repair->index;
	DiskannNodeRef *ref = &repair->ref;
	DiskannSlot head;
	bool		changed = false;

	DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	Assert(is_node(head));
	for (int i = head->degree - 1; i >= 0; i--)
	{
		if (!DiskannNodeSetHas(&repair->leaving,
							   DiskannSlotNodes(index, ref->image)[i]))
			continue;
		DiskannEdgeDrop(index, ref->image, i);
		changed = true;
	}
	if (changed)
	{
		DiskannFillEdges(ref, repair->query.x, substitutes, nsubstitutes);
		DiskannNodeWriteEdges(ref);
	}
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
	DiskannNearNode *substitutes;
	int			n;

	if (DiskannNodeSetHas(&repair->leaving, node) ||
		!read_old_edges(repair, node, &old))
		return;
	DiskannQueryPrepareVector(&repair->query, repair->index);
	substitutes = palloc(sizeof(DiskannNearNode) * old.nleaving *
						 CANDIDATES_PER_EDGE);
	n = find_substitutes(repair, &old, substitutes);
	replace_edges(repair, node, substitutes, n);
	repair->repaired++;
}

/* ---------- reachability ---------- */

/*
 * Add to reached, and to the list, all that can be reached from the nodes in
 * the list from head on.  Nothing is locked on entry and exit; each slot in
 * share mode meanwhile.
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

static DiskannSelfSearch
self_search(Repair *repair)
{
	DiskannSelfSearch self = {&repair->ref, &repair->query, &repair->visit,
	repair->search, repair->signatures};

	return self;
}

/*
 * What could only be reached through tombstones may be cut off after they left:
 * find such nodes and attach them.  Nothing is locked on entry and exit.
 */
static void
attach_unreachable(Repair *repair)
{
	MemoryContext old = CurrentMemoryContext;
	DiskannNode entries[DISKANN_MOST_ENTRIES + 1];
	int			nentries = DiskannReadEntries(&repair->ref, entries);
	DiskannSelfSearch self = self_search(repair);
	NodeSet		reached;
	NodeList	list = {0};

	DiskannNodeSetInit(&reached, DiskannNodeCount(&repair->ref));
	for (int i = 0; i < nentries; i++)
	{
		DiskannNodeSetAdd(&reached, entries[i]);
		DiskannNodeListAdd(&list, entries[i]);
	}
	spread(repair, &reached, &list, 0);
	for (DiskannNode node = 1; node < reached.count; node++)
	{
		Size		head = list.count;
		bool		lost;

		if (DiskannNodeSetHas(&reached, node))
			continue;
		DiskannVacuumDelayPoint();
		MemoryContextSwitchTo(repair->node_context);
		lost = DiskannSelfSearchRead(&self, node) &&
			!DiskannFindOrAttach(&self, node,
								 repair->index->meta.build_list_size);
		MemoryContextSwitchTo(old);
		MemoryContextReset(repair->node_context);
		if (!lost)
			continue;
		repair->attached++;
		DiskannNodeSetAdd(&reached, node);
		DiskannNodeListAdd(&list, node);
		spread(repair, &reached, &list, head);
	}
}

/*
 * Search for about so many live nodes by chance, and attach those that are not
 * found.  Nothing is locked on entry and exit.
 */
static DiskannSelfRecall
search_for_sample(Repair *repair, double wanted)
{
	MemoryContext old = MemoryContextSwitchTo(repair->node_context);
	double		share = wanted / Max(repair->counts.live_nodes, 1);
	DiskannNode count = DiskannNodeCount(&repair->ref);
	DiskannSelfRecall recall = {0, 0};
	DiskannSelfSearch self = self_search(repair);

	for (DiskannNode node = 1; node < count; node++)
	{
		double		draw = (double) diskann_random64(&repair->random);

		if (draw / (double) PG_UINT64_MAX >= share)
			continue;
		DiskannVacuumDelayPoint();
		if (DiskannSelfSearchRead(&self, node))
		{
			recall.searched++;
			if (!DiskannFindOrAttach(&self, node, DISKANN_SELF_LIST_SIZE))
				recall.missed++;
		}
		MemoryContextReset(repair->node_context);
	}
	MemoryContextSwitchTo(old);
	return recall;
}

/*
 * What can be reached need not be found: a search that begins in another
 * cluster may fill its list there.  The edges that lead from cluster to cluster
 * go when their nodes leave, so look for a sample of all nodes in proportion to
 * those that left, or of so many, and attach what is not found.  A link to one
 * node of a cluster serves all of it.  Where more than a few were missed there
 * are others like them, so look for another sample.  Nothing is locked on entry
 * and exit.
 */
static void
attach_missed(Repair *repair, uint32 searches)
{
	double		wanted = SEARCHES_PER_LEAVING * (double) repair->nleaving;
	int			rounds = 0;

	wanted = Max(wanted, searches);
	do
	{
		repair->recall = search_for_sample(repair, wanted);
		rounds++;
	} while (rounds < MAX_ROUNDS &&
			 repair->recall.missed > MISSED_TOLERATED * repair->recall.searched);
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

	/* Other draws at every repair. */
	repair->random = index->meta.seed ^
		U64FromFullTransactionId(ReadNextFullTransactionId());
}

/*
 * Replace the edges to leaving nodes, all over the index, and free these.
 * Nothing is locked on entry and exit.
 */
static void
remove_leaving(Repair *repair)
{
	MemoryContext old = CurrentMemoryContext;

	for (DiskannNode node = 0; node < repair->leaving.count; node++)
	{
		DiskannVacuumDelayPoint();
		MemoryContextSwitchTo(repair->node_context);
		repair_node(repair, node);
		MemoryContextSwitchTo(old);
		MemoryContextReset(repair->node_context);
	}
	for (DiskannNode node = 0; node < repair->leaving.count; node++)
	{
		if (!DiskannNodeSetHas(&repair->leaving, node))
			continue;
		DiskannVacuumDelayPoint();
		DiskannNodeFree(&repair->ref, node);
	}
}

/* Tell what was done, if VACUUM is to tell of indexes. */
static void
report_repair(const Repair *repair, const IndexVacuumInfo *info)
{
	ereport(info->message_level,
			(errmsg("repaired the graph of index \"%s\"",
					RelationGetRelationName(info->index)),
			 errdetail("%u tombstones were removed, and edges of " INT64_FORMAT " nodes replaced.\n"
					   INT64_FORMAT " nodes could not be reached and were attached.\n"
					   "%u nodes were searched for; %u were not found and were attached.",
					   repair->nleaving, repair->repaired, repair->attached,
					   repair->recall.searched, repair->recall.missed)));
}

void
DiskannRepair(IndexVacuumInfo *info, const DiskannIndex *index, uint32 searches)
{
	Repair		repair;
	bool		due;

	DiskannBarLinking(info->index);
	DiskannAllowLinking(info->index);
	DiskannPausePoint("inserts-ended");
	init_repair(&repair, info, index);
	find_leaving(&repair);
	due = repair.nleaving > 0 || searches > 0;
	if (due)
	{
		DiskannDrawRoster(&repair.ref, repair.members, repair.nmembers);
		free_lost_entries(&repair);
		if (repair.nleaving > 0)
			remove_leaving(&repair);
		attach_unreachable(&repair);
		attach_missed(&repair, searches);
		IndexFreeSpaceMapVacuum(info->index);
		report_repair(&repair, info);
	}
	DiskannSetCounts(info->index, &repair.counts,
					 due ? &repair.recall : NULL);
}
