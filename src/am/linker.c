/*-------------------------------------------------------------------------
 *
 * linker.c
 *	  Finding the edges of new nodes, and writing them.
 *
 * Search for the node's vector over the edge codes, keeping the own vector of
 * every node visited; choose neighbours among these without reading anything
 * more; write the node's edges; let the neighbours point back, each under its
 * own lock.  No slot is locked between these steps; but from before the search
 * to the last edge the lock of store/linking.h is held, so that no node seen
 * alive is freed before that.  What makes the rest safe is said in src/README.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/linker.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "am/linker.h"
#include "am/self_search.h"
#include "am/usage.h"
#include "compat.h"
#include "graph/prune.h"
#include "graph/search.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "store/edges.h"
#include "store/linking.h"
#include "store/pause.h"
#include "store/porch.h"
#include "store/roster.h"
#include "store/tids.h"
#include "store/visit.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/* Of a full list of edges, and of value edges, one in so many gets one back. */
#define BACKLINK_SHARE 2

/* For one in so many nodes linked, a node by chance is searched for. */
#define LINKED_PER_SEARCH 4

/* How many of its kin are looked at for a node's value edges. */
#define KIN_LIST_SIZE 16

/* A node visited by the search. */
typedef struct Visited
{
	DiskannNode node;
	bool		live;			/* or a tombstone */
	bool		pending;		/* live, but not linked itself */
	float		dist2;
	float		scale;
	uint64		hash;
	DiskannFilterValues *filters;
	uint8	   *signatures;
	char	   *own;			/* code of its vector */
	float	   *x;				/* the same decoded, once wanted */
} Visited;

struct DiskannLinker
{
	MemoryContext row_context;	/* reset after every row */
	const DiskannIndex *index;
	DiskannNodeRef ref;
	DiskannQuery query;			/* the vector of the node that is linked */
	uint8		signatures[DISKANN_MAX_SIGNATURES]; /* and its signatures */
	DiskannVisit visit;
	DiskannSearch *search;
	DiskannNode fetched;		/* on its way into the processor's cache */
	DiskannSearch *kin;			/* NULL: there are no value edges */
	Visited    *visited;
	int			nvisited;		/* live ones first, once sorted */
	int			nlive;
	int			visited_alloc;
	DiskannPending pending;
};

/*
 * About what a row needs, allocated once and kept, up to a few megabytes: the
 * nodes visited, and their vectors decoded.
 */
static Size
row_memory(const DiskannIndex *index)
{
	Size		node = index->meta.own_bytes + sizeof(float) * index->space.dims;

	return Min((Size) 4 * 1024 * 1024,
			   MAXALIGN(2 * node * index->meta.build_list_size)) + 64 * 1024;
}

DiskannLinker *
DiskannLinkerCreate(MemoryContext context, Relation rel,
					const DiskannIndex *index)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	DiskannLinker *linker = palloc0(sizeof(DiskannLinker));

	linker->row_context = AllocSetContextCreate(context,
												"diskann linking",
												row_memory(index),
												ALLOCSET_DEFAULT_INITSIZE,
												ALLOCSET_DEFAULT_MAXSIZE);
	linker->index = index;
	DiskannNodeInit(&linker->ref, rel, index, false);
	DiskannQueryInit(&linker->query, index);
	DiskannVisitInit(&linker->visit, index);
	DiskannPendingInit(&linker->pending, index);
	linker->search = DiskannSearchCreate(context);
	if (DiskannHasKin(&index->meta))
	{
		linker->kin = DiskannSearchCreate(context);
		DiskannVisitInitSignatures(&linker->visit, index);
		linker->visit.wants_signatures = true;
	}
	linker->visited_alloc = 2 * index->meta.build_list_size;
	linker->visited = palloc(sizeof(Visited) * linker->visited_alloc);
	MemoryContextSwitchTo(old);
	return linker;
}

/* A copy of what filter columns hold, palloc'd; NULL if there are none. */
static DiskannFilterValues *
copy_filters(const DiskannLinker *linker, const DiskannFilterValues *from)
{
	Size		bytes = DiskannFilterBytes(&linker->index->meta);

	return bytes == 0 ? NULL : memcpy(palloc(bytes), from, bytes);
}

/* A copy of a node's signatures, palloc'd; NULL if there are none. */
static uint8 *
copy_signatures(const DiskannLinker *linker, const uint8 *from)
{
	int			n = DiskannSignatureCount(&linker->index->meta);

	return n == 0 ? NULL : memcpy(palloc(n), from, n);
}

/* Remember the node that linker->visit describes; own becomes part of it. */
static void
remember(DiskannLinker *linker, DiskannNode node, char *own)
{
	const DiskannVisit *visit = &linker->visit;
	Visited    *v;

	if (linker->nvisited == linker->visited_alloc)
	{
		linker->visited_alloc *= 2;
		linker->visited = repalloc(linker->visited,
								   sizeof(Visited) * linker->visited_alloc);
	}
	v = &linker->visited[linker->nvisited++];
	v->node = node;
	v->live = visit->head.state == DISKANN_LIVE;
	v->pending = visit->head.closed != 0;
	linker->nlive += v->live ? 1 : 0;
	v->dist2 = visit->dist2;
	v->scale = visit->head.scale;
	v->hash = visit->head.hash;
	v->filters = copy_filters(linker, &visit->filters);
	v->signatures = copy_signatures(linker, visit->own_signatures);
	v->own = own;
	v->x = NULL;
}

/* Those neighbours of the node just visited that are kin of the new one. */
static void
add_kin(DiskannLinker *linker)
{
	const DiskannVisit *visit = &linker->visit;

	for (int i = 0; linker->kin && i < visit->degree; i++)
	{
		if (visit->signatures[i] == linker->signatures[0])
			DiskannSearchAdd(linker->kin, visit->nodes[i],
							 visit->estimates[i]);
	}
}

/*
 * Have the processor fetch the node that is to be visited next, as far as is
 * known now.
 */
static void
fetch_next(DiskannLinker *linker)
{
	DiskannNode next;

	if (!DiskannSearchLookAhead(linker->search, &next) ||
		next == linker->fetched)
		return;
	DiskannNodePrefetch(&linker->ref, next);
	linker->fetched = next;
}

/*
 * Visit a node on the way: remember it, and add its neighbours to the search.
 * Nothing is locked on entry and exit; the slot in share mode meanwhile.
 */
static void
visit_on_the_way(DiskannLinker *linker, DiskannNode node)
{
	DiskannVisit *visit = &linker->visit;
	char	   *own = palloc(linker->index->meta.own_bytes);

	CHECK_FOR_INTERRUPTS();
	fetch_next(linker);
	if (!DiskannVisitNode(&linker->ref, &linker->query, node, visit, own))
	{
		pfree(own);
		return;
	}
	DiskannSearchAddAll(linker->search, visit->nodes, visit->estimates,
						visit->degree);
	fetch_next(linker);
	add_kin(linker);

	/* A place to start from may have become an entry node: no edge to that. */
	if (visit->head.state != DISKANN_ENTRY)
		remember(linker, node, own);
	else
		pfree(own);
}

/*
 * Go on to the nearest kin, of those that the neighbours of nodes visited are.
 * Nothing is locked on entry and exit.
 */
static void
search_kin(DiskannLinker *linker)
{
	DiskannNode node;

	while (linker->kin && DiskannSearchNext(linker->kin, &node))
	{
		if (DiskannSearchTake(linker->search, node))
			visit_on_the_way(linker, node);
	}
}

/*
 * Search for the vector in linker->query, filling linker->visited.  Where
 * many rows have been deleted the list may hold little but tombstones: then go
 * on beyond it, within reason, for as many live nodes as there can be edges.
 * Nothing is locked on entry and exit.
 */
#define MAX_VISITS_PER_LIST 10

static void
search_neighbours(DiskannLinker *linker)
{
	const DiskannMetaPageData *meta = &linker->index->meta;
	DiskannNode node;
	float		limit;

	linker->nvisited = 0;
	linker->nlive = 0;
	DiskannSearchReset(linker->search, meta->build_list_size, true);
	if (linker->kin)
		DiskannSearchReset(linker->kin, KIN_LIST_SIZE, false);
	(void) DiskannStartSearch(&linker->ref, &linker->query,
							  &linker->visit, linker->search);
	DiskannReadPending(&linker->ref, &linker->query,
					   &linker->visit.head, NULL, &linker->pending);
	while (DiskannSearchNext(linker->search, &node))
		visit_on_the_way(linker, node);
	limit = DiskannSearchReach(linker->search);
	while (DiskannNextPending(&linker->pending, linker->search, limit, &node))
		visit_on_the_way(linker, node);
	while (DiskannSearchNext(linker->search, &node))
		visit_on_the_way(linker, node);
	while (linker->nlive < meta->max_degree &&
		   DiskannSearchVisits(linker->search) <
		   MAX_VISITS_PER_LIST * meta->build_list_size &&
		   DiskannSearchStream(linker->search, &node))
		visit_on_the_way(linker, node);
	search_kin(linker);
}

static int
compare_visited(const void *a, const void *b)
{
	const Visited *x = a;
	const Visited *y = b;

	if (x->live != y->live)
		return x->live ? -1 : 1;
	if (x->dist2 != y->dist2)
		return x->dist2 < y->dist2 ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static const float *
visited_vector(DiskannLinker *linker, Visited *v)
{
	const DiskannIndex *index = linker->index;

	if (v->x == NULL)
	{
		v->x = palloc(sizeof(float) * index->space.dims);
		diskann_vector_decode(index->kind, v->own, v->scale,
							  index->space.dims, v->x);
	}
	return v->x;
}

static void
visited_distances(void *arg, int a, const int *others, int n, float *out)
{
	DiskannLinker *linker = arg;
	const float *x = visited_vector(linker, &linker->visited[a]);

	for (int k = 0; k < n; k++)
		out[k] = diskann_kernels->l2sq_f32(x, visited_vector(linker,
															 &linker->visited[others[k]]),
										   linker->index->space.dims);
}

/*
 * Add the row to a node that holds the same vector and values, if one was
 * visited, and return that.  The hash is of the user's values; code and stored
 * values are compared as well, so that a collision would have to be one of near
 * neighbours.  Nothing is locked on entry and exit; slots of the node's rows
 * exclusively meanwhile.
 */
static DiskannNode
join_duplicate(DiskannLinker *linker, const char *own, uint64 hash,
			   const DiskannFilterValues *filters, ItemPointer tid)
{
	const DiskannIndex *index = linker->index;
	Size		filter_bytes = DiskannFilterBytes(&index->meta);

	for (int i = 0; i < linker->nlive; i++)
	{
		Visited    *v = &linker->visited[i];

		if (v->hash == hash &&
			memcmp(v->own, own, index->meta.own_bytes) == 0 &&
			(filter_bytes == 0 || memcmp(v->filters, filters, filter_bytes) == 0) &&
			DiskannAddTid(&linker->ref, v->node, hash, tid))
			return v->node;
	}
	return DISKANN_INVALID_NODE;
}

/*
 * A search for the new node may end among tombstones nearer than any live
 * node: let the nearest of these point to it.  (A repair may have freed it
 * since it was visited, and the new node have come into its slot.)  If no live
 * node has been forced to, only the entry node lasts.  Nothing is locked on
 * entry and exit.
 */
static void
link_past_tombstones(DiskannLinker *linker, DiskannNode node,
					 DiskannNode forced)
{
	const Visited *live = linker->nlive > 0 ? &linker->visited[0] : NULL;
	const Visited *dead = linker->nvisited > linker->nlive ?
		&linker->visited[linker->nlive] : NULL;

	if (dead && dead->node != node &&
		(live == NULL || dead->dist2 < live->dist2))
		DiskannAddBacklink(&linker->ref, dead->node, node, &linker->query,
						   linker->signatures, true);
	if (forced == DISKANN_INVALID_NODE)
		(void) DiskannLinkEntry(&linker->ref, DISKANN_ENTRY_NODE, node,
								linker->query.x, linker->signatures,
								node % linker->index->meta.max_degree);
}

/* What a node's edges are to lead to, the most wanted first, then its kin. */
typedef struct Neighbours
{
	int			degree;
	int			nkin;			/* those chosen for being kin */
	const Visited *visited[DISKANN_MAX_DEGREE];
	DiskannNode nodes[DISKANN_MAX_DEGREE];
	const float *vectors[DISKANN_MAX_DEGREE];
	const uint8 *signatures[DISKANN_MAX_DEGREE];
} Neighbours;

static bool
is_kin(const DiskannLinker *linker, int place)
{
	return linker->visited[place].signatures[0] == linker->signatures[0];
}

/* Candidates for edges, by their places among the nodes visited. */
typedef struct Places
{
	DiskannLinker *linker;
	int		   *places;
	int			n;
} Places;

static void
place_distances(void *arg, int a, const int *others, int n, float *out)
{
	const Places *candidates = arg;
	int			places[DISKANN_PRUNE_BATCH];

	for (int k = 0; k < n; k++)
		places[k] = candidates->places[others[k]];
	visited_distances(candidates->linker, candidates->places[a], places, n,
					  out);
}

/* Append the kin that were visited and are not among the n chosen. */
static void
append_kin(Places *candidates, const int *chosen, int n)
{
	DiskannLinker *linker = candidates->linker;
	bool	   *given = palloc0(sizeof(bool) * (linker->nlive + 1));

	for (int i = 0; i < n; i++)
		given[chosen[i]] = true;
	for (int i = 0; i < linker->nlive; i++)
	{
		if (!given[i] && is_kin(linker, i))
			candidates->places[candidates->n++] = i;
	}
	pfree(given);
}

/*
 * See to it that enough of the n edges chosen lead to kin (DiskannChooseKin).
 * Returns how many edges there are then, and in *nkin how many of them were
 * chosen for it, which come last.
 */
static int
choose_value_edges(DiskannLinker *linker, int *chosen, int n, int *nkin)
{
	const DiskannMetaPageData *meta = &linker->index->meta;
	int			most = n + linker->nlive + 1;
	Places		candidates = {linker, palloc(sizeof(int) * most), n};
	float	   *dist = palloc(sizeof(float) * most);
	bool	   *kin = palloc(sizeof(bool) * most);
	int		   *numbers = palloc(sizeof(int) * most);
	DiskannKinChoice choice = {meta->max_degree, DiskannValueEdges(meta), 0,
	meta->alpha, dist, kin, place_distances, &candidates};

	memcpy(candidates.places, chosen, sizeof(int) * n);
	append_kin(&candidates, chosen, n);
	for (int i = 0; i < candidates.n; i++)
	{
		dist[i] = linker->visited[candidates.places[i]].dist2;
		kin[i] = is_kin(linker, candidates.places[i]);
	}
	n = DiskannChooseKin(&choice, n, candidates.n - n, numbers, nkin);
	for (int i = 0; i < n; i++)
		chosen[i] = candidates.places[numbers[i]];
	pfree(candidates.places);
	pfree(dist);
	pfree(kin);
	pfree(numbers);
	return n;
}

/* Choose them among the nodes visited.  Reads no page. */
static void
choose_neighbours(DiskannLinker *linker, Neighbours *chosen)
{
	const DiskannIndex *index = linker->index;
	DiskannPrune prune = {index->meta.max_degree, index->meta.alpha,
	1, visited_distances, linker, 0};
	int			places[DISKANN_MAX_DEGREE];
	float	   *dist = palloc(sizeof(float) * (linker->nlive + 1));

	for (int i = 0; i < linker->nlive; i++)
		dist[i] = linker->visited[i].dist2;
	chosen->degree = DiskannRobustPrune(&prune, dist, linker->nlive, places);
	chosen->nkin = 0;
	if (linker->kin)
		chosen->degree = choose_value_edges(linker, places, chosen->degree,
											&chosen->nkin);
	for (int i = 0; i < chosen->degree; i++)
	{
		Visited    *v = &linker->visited[places[i]];

		chosen->visited[i] = v;
		chosen->nodes[i] = v->node;
		chosen->vectors[i] = visited_vector(linker, v);
		chosen->signatures[i] = v->signatures;
	}
	pfree(dist);
}

/*
 * Which node must point to this one, so that it can be found?  The nearest, and
 * of equally near ones not always the same.  But not one that is pending: two
 * of those might lead to each other and nothing to them.
 */
static DiskannNode
node_to_force(const DiskannLinker *linker, const Neighbours *chosen,
			  DiskannNode node)
{
	DiskannNode nearest[DISKANN_MAX_DEGREE];
	float		least = 0;
	int			n = 0;

	for (int i = 0; i < chosen->degree; i++)
	{
		const Visited *v = chosen->visited[i];

		if (v->pending || (n > 0 && v->dist2 > least))
			continue;
		if (n > 0 && v->dist2 < least)
			n = 0;
		least = v->dist2;
		nearest[n++] = v->node;
	}
	if (n > 0)
		return nearest[node % n];
	for (int i = 0; i < linker->nlive; i++)
	{
		if (!linker->visited[i].pending)
			return linker->visited[i].node;
	}
	return DISKANN_INVALID_NODE;
}

/*
 * Search for a node, which may be any, and attach it if it is not found.
 * Replaces the query.  Nothing is locked on entry and exit but linking; slots
 * meanwhile, one at a time.
 */
static void
look_for(DiskannLinker *linker, DiskannNode node)
{
	DiskannSelfSearch self = {&linker->ref, &linker->query, &linker->visit,
	linker->search, linker->signatures};

	if (DiskannSelfSearchRead(&self, node))
		(void) DiskannFindOrAttach(&self, node, DISKANN_SELF_LIST_SIZE);
}

/*
 * A node that is linked may have taken from others what they were found by:
 * from a member of the roster its place, and edges from any, also far from
 * here.  So look for that member, and of a share of all nodes linked for a node
 * by chance: one edge to a cluster serves all of it, so nodes that are not
 * found are brought back many at a time.  Which nodes follows from the number
 * of the new one.  Replaces the query.  Nothing is locked on entry and exit but
 * linking; slots meanwhile, one at a time.
 */
static void
look_for_others(DiskannLinker *linker, DiskannNode node, DiskannNode member)
{
	uint64		random = linker->index->meta.seed ^ node;

	if (member != DISKANN_INVALID_NODE)
		look_for(linker, member);
	if (diskann_random64(&random) % LINKED_PER_SEARCH == 0)
		look_for(linker, diskann_random64(&random) %
				 DiskannNodeCount(&linker->ref));
}

/*
 * Let other nodes lead to this one, at the query, whose edges are written.  The
 * half of its neighbours that was admitted last gets no edges back, which
 * cost as much but gain little.  Replaces the query.  Nothing is locked on
 * entry and exit but linking; slots exclusively meanwhile, one at a time.
 */
static void
link_back(DiskannLinker *linker, DiskannNode node, const Neighbours *chosen)
{
	DiskannUsage usage = {.linked = 1};
	DiskannNodeRef *ref = &linker->ref;
	int			nothers = chosen->degree - chosen->nkin;
	int			nbacklinks = Min(nothers,
								 linker->index->meta.max_degree /
								 BACKLINK_SHARE);
	DiskannNode forced = node_to_force(linker, chosen, node);
	DiskannNode member;

	if (forced != DISKANN_INVALID_NODE)
		DiskannAddBacklink(ref, forced, node, &linker->query,
						   linker->signatures, true);
	for (int i = 0; i < chosen->degree; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i >= nbacklinks &&
			(i < nothers || (i - nothers) % BACKLINK_SHARE != 0))
			continue;
		if (chosen->nodes[i] != forced)
			DiskannAddBacklink(ref, chosen->nodes[i], node,
							   &linker->query, linker->signatures, false);
	}
	link_past_tombstones(linker, node, forced);
	member = DiskannOfferToRoster(ref, node, linker->query.x,
								  linker->signatures);
	look_for_others(linker, node, member);
	DiskannAddUsage(ref->rel, &usage);
}

/*
 * Write a node for the row, link it both ways, and return it.  Nothing is
 * locked on entry and exit but linking; slots exclusively meanwhile, one at a
 * time.
 */
static DiskannNode
add_node(DiskannLinker *linker, DiskannNewNode *new)
{
	const DiskannIndex *index = linker->index;
	DiskannNodeRef *ref = &linker->ref;
	Neighbours *chosen = palloc(sizeof(Neighbours));
	DiskannNode node;

	choose_neighbours(linker, chosen);
	new->degree = chosen->degree;
	new->nodes = chosen->nodes;
	new->vectors = chosen->vectors;
	new->signatures = chosen->signatures;
	DiskannNodeAllocate(ref);
	node = ref->node;
	(void) DiskannNodeEdit(ref);
	DiskannFillNode(index, ref->image, new, linker->query.x);
	DiskannNodeWriteAll(ref);
	DiskannNodeClose(ref);
	DiskannPausePoint("node-written");
	link_back(linker, node, chosen);
	return node;
}

DiskannNode
DiskannLinkerInsert(DiskannLinker *linker, DiskannNewNode *new)
{
	const DiskannIndex *index = linker->index;
	MemoryContext old = MemoryContextSwitchTo(linker->row_context);
	ItemPointerData tid = new->tids[0];
	DiskannNode node;

	Assert(new->ntids == 1);
	diskann_vector_decode(index->kind, new->own, new->factors.scale,
						  index->space.dims, linker->query.x);
	DiskannQueryPrepareVector(&linker->query, index);
	memcpy(linker->signatures, new->marks->signatures,
		   DiskannSignatureCount(&index->meta));
	search_neighbours(linker);
	DiskannPausePoint("neighbours-found");
	qsort(linker->visited, linker->nvisited, sizeof(Visited), compare_visited);
	node = join_duplicate(linker, new->own, new->hash, new->filters, &tid);
	if (node == DISKANN_INVALID_NODE)
		node = add_node(linker, new);
	MemoryContextSwitchTo(old);
	MemoryContextReset(linker->row_context);
	return node;
}

/* ---------- pending rows ---------- */

/*
 * Make the vector of a live node the query; false if it has no rows any more.
 * Nothing is locked on entry and exit; the slot in share mode meanwhile.
 */
static bool
read_query(DiskannLinker *linker, DiskannNode node)
{
	if (!DiskannReadLive(&linker->ref, node, linker->query.x,
						 linker->signatures))
		return false;
	DiskannQueryPrepareVector(&linker->query, linker->index);
	return true;
}

/* The node itself, which a porch leads to, is none of its neighbours. */
static void
forget_visit(DiskannLinker *linker, DiskannNode node)
{
	for (int i = 0; i < linker->nvisited; i++)
	{
		if (linker->visited[i].node != node)
			continue;
		linker->nlive -= linker->visited[i].live ? 1 : 0;
		linker->visited[i] = linker->visited[--linker->nvisited];
		return;
	}
}

/*
 * Give the node being edited, which has no edges, those to these neighbours.
 * It is open exclusively and stays so.
 */
static void
put_first_edges(DiskannLinker *linker, const float *decoded,
				const Neighbours *chosen)
{
	const DiskannIndex *index = linker->index;
	DiskannEdgeCode *edges = palloc(sizeof(DiskannEdgeCode) *
									(chosen->degree + 1));

	for (int i = 0; i < chosen->degree; i++)
		diskann_edge_encode(&index->shape, decoded, chosen->vectors[i],
							&edges[i]);
	DiskannEdgePutAll(index, linker->ref.image, chosen->nodes, edges,
					  chosen->signatures, chosen->degree);
	pfree(edges);
}

/*
 * The same beside edges that nodes linked before have got: these stay, for they
 * may be the only ones to there.
 */
static void
put_more_edges(DiskannLinker *linker, const float *decoded,
			   const Neighbours *chosen)
{
	DiskannNearNode *near = palloc(sizeof(DiskannNearNode) *
								   (chosen->degree + 1));

	for (int i = 0; i < chosen->degree; i++)
	{
		near[i].node = chosen->nodes[i];
		near[i].dist2 = chosen->visited[i]->dist2;
		near[i].x = chosen->vectors[i];
		near[i].signatures = chosen->signatures[i];
	}
	DiskannFillEdges(&linker->ref, decoded, near, chosen->degree);
	pfree(near);
}

/*
 * Write the edges of a pending node, which is pending no more; false if it has
 * lost its rows.  Nothing is locked on entry and exit but linking; the slot
 * exclusively meanwhile.
 */
static bool
write_edges(DiskannLinker *linker, DiskannNode node, const float *decoded,
			const Neighbours *chosen)
{
	DiskannNodeRef *ref = &linker->ref;
	DiskannSlot head;
	bool		live;

	DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	live = head->state == DISKANN_LIVE;
	if (live)
	{
		head->closed = 0;
		if (head->degree == 0)
			put_first_edges(linker, decoded, chosen);
		else
			put_more_edges(linker, decoded, chosen);
		DiskannNodeWriteEdges(ref);
	}
	DiskannNodeClose(ref);
	return live;
}

bool
DiskannLinkerLink(DiskannLinker *linker, DiskannNode node)
{
	MemoryContext old = MemoryContextSwitchTo(linker->row_context);
	Neighbours *chosen = palloc(sizeof(Neighbours));
	bool		live = read_query(linker, node);

	if (live)
	{
		search_neighbours(linker);
		forget_visit(linker, node);
		qsort(linker->visited, linker->nvisited, sizeof(Visited),
			  compare_visited);
		choose_neighbours(linker, chosen);
		live = write_edges(linker, node, linker->query.x, chosen);
	}
	DiskannPausePoint("edges-written");
	if (live)
		link_back(linker, node, chosen);
	MemoryContextSwitchTo(old);
	MemoryContextReset(linker->row_context);
	return live;
}

/*
 * Link some of what a porch leads to, and then let it lead there no more.
 * Nothing is locked on entry and exit but merging; slots meanwhile, one at a
 * time.
 */
static int
merge_porch(DiskannLinker *linker, DiskannNode porch,
			const DiskannNode *nodes, int n)
{
	int			linked = 0;

	DiskannBeginLinking(linker->ref.rel);
	for (int i = 0; i < n; i++)
		linked += DiskannLinkerLink(linker, nodes[i]) ? 1 : 0;
	DiskannEndLinking(linker->ref.rel);
	DiskannPausePoint("porch-linked");
	DiskannClearPorch(&linker->ref, porch, nodes, n);
	return linked;
}

int64
DiskannLinkerMerge(DiskannLinker *linker, int64 rows)
{
	DiskannNodeRef *ref = &linker->ref;
	DiskannNode porches[DISKANN_MOST_PORCHES];
	DiskannNode nodes[DISKANN_MAX_DEGREE];
	int			last = DiskannLastPorch(ref);
	int			used = DiskannReadPorches(ref, porches, false);
	int64		linked = 0;

	/* Beginning with the one behind the last: there a row is added next. */
	for (int i = 1; i <= used && linked < rows; i++)
	{
		DiskannNode porch = porches[(last + i) % used];
		int			n;
		int			some;

		DiskannVacuumDelayPoint();
		n = DiskannReadPorch(ref, porch, nodes);

		/* Those at the end: nothing takes their places there. */
		some = Min(n, rows - linked);
		if (some > 0)
			linked += merge_porch(linker, porch, nodes + n - some, some);
	}
	return linked;
}

int64
DiskannLinkAllPending(Relation rel, const DiskannIndex *index)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "diskann pending rows",
												  ALLOCSET_DEFAULT_SIZES);
	DiskannLinker *linker = DiskannLinkerCreate(context, rel, index);
	int64		linked;

	DiskannBeginMerging(rel);
	linked = DiskannLinkerMerge(linker, PG_INT64_MAX);
	DiskannPausePoint("all-linked");
	DiskannLeavePorches(&linker->ref);
	DiskannEndMerging(rel);
	MemoryContextDelete(context);
	return linked;
}
