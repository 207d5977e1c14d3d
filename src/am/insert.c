/*-------------------------------------------------------------------------
 *
 * insert.c
 *	  Adding one row to a diskann index.
 *
 * Search for the row's vector over the edge codes, keeping the own vector of
 * every node visited; choose neighbours among these without reading anything
 * more; write the node; let the neighbours point back, each under its own lock.
 * A row whose vector is in the index already joins that node.  No slot is
 * locked between these steps; but from before the search to the last edge the
 * insert holds the lock of store/linking.h, so that no node it saw alive is
 * freed before it is done.  What makes the rest safe is said in src/README.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/insert.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "am/am.h"
#include "graph/prune.h"
#include "graph/search.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "store/link.h"
#include "store/linking.h"
#include "store/pause.h"
#include "store/roster.h"
#include "store/tids.h"
#include "store/visit.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "values/filter.h"
#include "values/signature.h"

/* Of a full list of edges, one in so many gets an edge back. */
#define BACKLINK_SHARE 2

/* A node visited by the search. */
typedef struct Visited
{
	DiskannNode node;
	bool		live;			/* or a tombstone */
	float		dist2;
	float		scale;
	uint64		hash;
	DiskannFilterValues *filters;
	uint8	   *signatures;
	char	   *own;			/* code of its vector */
	float	   *x;				/* the same decoded, once wanted */
} Visited;

typedef struct Inserter
{
	MemoryContext row_context;	/* reset after every row */
	const DiskannIndex *index;
	DiskannNodeRef ref;
	DiskannQuery query;
	DiskannVisit visit;
	DiskannSearch *search;
	Visited    *visited;
	int			nvisited;		/* live ones first, once sorted */
	int			nlive;
	int			visited_alloc;
	float		max_length2;	/* as known, see store/index.h */
	DiskannFilters *filters;
	DiskannSignatures *signatures;
} Inserter;

/* What an executor run keeps between rows. */
typedef struct InsertCache
{
	MemoryContext context;		/* of all of it */
	const DiskannSupport *support;
	int			column;			/* of the vector, from 0 */
	DiskannIndex *index;
	Inserter   *inserter;
	MemoryContext read_context;
} InsertCache;

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

/* Allocate one in context; index stays the caller's. */
static Inserter *
create_inserter(MemoryContext context, Relation rel,
				const DiskannIndex *index)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Inserter   *inserter = palloc0(sizeof(Inserter));

	inserter->row_context = AllocSetContextCreate(context,
												  "diskann insert row",
												  row_memory(index),
												  ALLOCSET_DEFAULT_INITSIZE,
												  ALLOCSET_DEFAULT_MAXSIZE);
	inserter->index = index;
	inserter->max_length2 = index->meta.max_length2;
	DiskannNodeInit(&inserter->ref, rel, index, false);
	DiskannQueryInit(&inserter->query, index);
	DiskannVisitInit(&inserter->visit, index);
	inserter->search = DiskannSearchCreate(context);
	inserter->filters = DiskannGetFilters(rel, index->meta.nfilters,
										  index->meta.filters);
	inserter->signatures = DiskannSignaturesLoad(index, inserter->filters);
	inserter->visited_alloc = 2 * index->meta.build_list_size;
	inserter->visited = palloc(sizeof(Visited) * inserter->visited_alloc);
	MemoryContextSwitchTo(old);
	return inserter;
}

/* A copy of what filter columns hold, palloc'd; NULL if there are none. */
static DiskannFilterValues *
copy_filters(const Inserter *inserter, const DiskannFilterValues *from)
{
	Size		bytes = DiskannFilterBytes(&inserter->index->meta);

	return bytes == 0 ? NULL : memcpy(palloc(bytes), from, bytes);
}

/* A copy of a node's signatures, palloc'd; NULL if there are none. */
static uint8 *
copy_signatures(const Inserter *inserter, const uint8 *from)
{
	int			n = DiskannSignatureCount(&inserter->index->meta);

	return n == 0 ? NULL : memcpy(palloc(n), from, n);
}

/* Remember the node that inserter->visit describes; own becomes part of it. */
static void
remember(Inserter *inserter, DiskannNode node, char *own)
{
	const DiskannVisit *visit = &inserter->visit;
	Visited    *v;

	if (inserter->nvisited == inserter->visited_alloc)
	{
		inserter->visited_alloc *= 2;
		inserter->visited = repalloc(inserter->visited,
									 sizeof(Visited) * inserter->visited_alloc);
	}
	v = &inserter->visited[inserter->nvisited++];
	v->node = node;
	v->live = visit->head.state == DISKANN_LIVE;
	inserter->nlive += v->live ? 1 : 0;
	v->dist2 = visit->dist2;
	v->scale = visit->head.scale;
	v->hash = visit->head.hash;
	v->filters = copy_filters(inserter, &visit->filters);
	v->signatures = copy_signatures(inserter, visit->own_signatures);
	v->own = own;
	v->x = NULL;
}

/*
 * Visit a node on the way: remember it, and add its neighbours to the search.
 * Nothing is locked on entry and exit; the slot in share mode meanwhile.
 */
static void
visit_on_the_way(Inserter *inserter, DiskannNode node)
{
	DiskannVisit *visit = &inserter->visit;
	char	   *own = palloc(inserter->index->meta.own_bytes);

	CHECK_FOR_INTERRUPTS();
	if (!DiskannVisitNode(&inserter->ref, &inserter->query, node, visit, own))
	{
		pfree(own);
		return;
	}
	DiskannSearchAddAll(inserter->search, visit->nodes, visit->estimates,
						visit->degree);

	/* A place to start from may have become an entry node: no edge to that. */
	if (visit->head.state != DISKANN_ENTRY)
		remember(inserter, node, own);
	else
		pfree(own);
}

/*
 * Search for the vector in inserter->query, filling inserter->visited.  Where
 * many rows have been deleted the list may hold little but tombstones: then go
 * on beyond it, within reason, for as many live nodes as there can be edges.
 * Nothing is locked on entry and exit.
 */
#define MAX_VISITS_PER_LIST 10

static void
search_neighbours(Inserter *inserter)
{
	const DiskannMetaPageData *meta = &inserter->index->meta;
	DiskannNode node;

	inserter->nvisited = 0;
	inserter->nlive = 0;
	DiskannSearchReset(inserter->search, meta->build_list_size, true);
	(void) DiskannStartSearch(&inserter->ref, &inserter->query,
							  &inserter->visit, inserter->search);
	while (DiskannSearchNext(inserter->search, &node))
		visit_on_the_way(inserter, node);
	while (inserter->nlive < meta->max_degree &&
		   DiskannSearchVisits(inserter->search) <
		   MAX_VISITS_PER_LIST * meta->build_list_size &&
		   DiskannSearchStream(inserter->search, &node))
		visit_on_the_way(inserter, node);
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
visited_vector(Inserter *inserter, Visited *v)
{
	const DiskannIndex *index = inserter->index;

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
	Inserter   *inserter = arg;
	const float *x = visited_vector(inserter, &inserter->visited[a]);

	for (int k = 0; k < n; k++)
		out[k] = diskann_kernels->l2sq_f32(x, visited_vector(inserter,
															 &inserter->visited[others[k]]),
										   inserter->index->space.dims);
}

/*
 * Add the row to a node that holds the same vector and values, if one was
 * visited.  The hash is of the user's values; code and stored values are
 * compared as well, so that a collision would have to be one of near
 * neighbours.  Nothing is locked on entry and exit; slots of the node's rows
 * exclusively meanwhile.
 */
static bool
join_duplicate(Inserter *inserter, const char *own, uint64 hash,
			   const DiskannFilterValues *filters, ItemPointer tid)
{
	const DiskannIndex *index = inserter->index;
	Size		filter_bytes = DiskannFilterBytes(&index->meta);

	for (int i = 0; i < inserter->nlive; i++)
	{
		Visited    *v = &inserter->visited[i];

		if (v->hash == hash &&
			memcmp(v->own, own, index->meta.own_bytes) == 0 &&
			(filter_bytes == 0 || memcmp(v->filters, filters, filter_bytes) == 0) &&
			DiskannAddTid(&inserter->ref, v->node, hash, tid))
			return true;
	}
	return false;
}

/*
 * A search for the new node may end among tombstones nearer than any live
 * node: let the nearest of these point to it.  (A repair may have freed it
 * since it was visited, and the new node have come into its slot.)  If there is
 * no live node at all, only the entry node lasts.  Nothing is locked on entry
 * and exit.
 */
static void
link_past_tombstones(Inserter *inserter, DiskannNode node,
					 const float *decoded, const uint8 *signatures)
{
	const Visited *live = inserter->nlive > 0 ? &inserter->visited[0] : NULL;
	const Visited *dead = inserter->nvisited > inserter->nlive ?
		&inserter->visited[inserter->nlive] : NULL;

	if (dead && dead->node != node &&
		(live == NULL || dead->dist2 < live->dist2))
		DiskannAddBacklink(&inserter->ref, dead->node, node, decoded,
						   signatures, true);
	if (live == NULL)
		DiskannLinkEntry(&inserter->ref, DISKANN_ENTRY_NODE, node, decoded,
						 signatures, node % inserter->index->meta.max_degree);
}

/*
 * Write a node for the row and link it both ways.  The first nearest ones of
 * its neighbours are equally near.  Nothing is locked on entry and exit; the
 * new slot, and each neighbour's, exclusively meanwhile, one at a time.
 */
static void
add_node(Inserter *inserter, const DiskannNewNode *new, int nearest)
{
	const DiskannIndex *index = inserter->index;
	DiskannNodeRef *ref = &inserter->ref;
	float	   *decoded = palloc(sizeof(float) * index->space.dims);
	const uint8 *signatures = new->marks->signatures;
	int			nbacklinks = Max(index->meta.max_degree / BACKLINK_SHARE,
								 nearest);
	DiskannNode node;

	Assert(new->degree <= index->meta.max_degree);
	Assert(nearest >= 1);
	DiskannNodeAllocate(ref);
	node = ref->node;
	(void) DiskannNodeEdit(ref);
	DiskannFillNode(index, ref->image, new, decoded);
	DiskannNodeWriteAll(ref);
	DiskannNodeClose(ref);
	DiskannPausePoint("node-written");

	/*
	 * The nearest must point here, so that the node can be found.  Of equally
	 * near ones not always the same.  The half that was admitted last gets no
	 * edges back, which cost as much but gain little.
	 */
	for (int i = 0; i < Min(new->degree, nbacklinks); i++)
	{
		CHECK_FOR_INTERRUPTS();
		DiskannAddBacklink(ref, new->nodes[i], node, decoded, signatures,
						   i == (int) (node % nearest));
	}
	link_past_tombstones(inserter, node, decoded, signatures);
	DiskannOfferToRoster(ref, node, decoded, signatures);
}

/*
 * Choose neighbours among the nodes visited and add the node.  Nothing is
 * locked on entry and exit.
 */
static void
insert_node(Inserter *inserter, DiskannNewNode *new)
{
	const DiskannIndex *index = inserter->index;
	DiskannPrune prune = {index->meta.max_degree, index->meta.alpha,
	1, visited_distances, inserter, 0};
	int		   *chosen = palloc(sizeof(int) * index->meta.max_degree);
	float	   *dist = palloc(sizeof(float) * (inserter->nlive + 1));
	DiskannNode *nodes = palloc(sizeof(DiskannNode) * index->meta.max_degree);
	const float **vectors = palloc(sizeof(float *) * index->meta.max_degree);
	const uint8 **signatures = palloc(sizeof(uint8 *) *
									  index->meta.max_degree);
	int			nearest = 1;

	for (int i = 0; i < inserter->nlive; i++)
		dist[i] = inserter->visited[i].dist2;
	new->degree = DiskannRobustPrune(&prune, dist, inserter->nlive, chosen);
	for (int i = 0; i < new->degree; i++)
	{
		Visited    *v = &inserter->visited[chosen[i]];

		nodes[i] = v->node;
		vectors[i] = visited_vector(inserter, v);
		signatures[i] = v->signatures;
	}
	while (nearest < new->degree &&
		   dist[chosen[nearest]] == dist[chosen[0]])
		nearest++;
	new->nodes = nodes;
	new->vectors = vectors;
	new->signatures = signatures;
	add_node(inserter, new, nearest);
}

/* Insert a row already read; row->x is overwritten. */
static void
insert_row(Inserter *inserter, DiskannRow *row,
		   const DiskannFilterValues *filters, ItemPointer tid)
{
	const DiskannIndex *index = inserter->index;
	DiskannQuery *query = &inserter->query;
	MemoryContext old = MemoryContextSwitchTo(inserter->row_context);
	char	   *own = palloc(index->meta.own_bytes);
	DiskannMarks marks;
	DiskannNewNode new;

	memcpy(query->x, row->x, sizeof(float) * row->dims);
	new.length2 = diskann_space_row(&index->space, query->x);
	DiskannQueryPrepareVector(query, index);
	diskann_vector_encode(index->kind, query->x, index->space.dims, own,
						  &new.factors);
	new.own = own;
	new.hash = row->hash;
	new.filters = filters;
	new.marks = &marks;
	new.ntids = 1;
	new.tids = tid;
	new.next = DISKANN_INVALID_NODE;
	new.sequence = 0;
	if (index->space.metric == DISKANN_INNER_PRODUCT &&
		new.length2 > inserter->max_length2)
	{
		DiskannRaiseMaxLength2(inserter->ref.rel, new.length2, false);
		inserter->max_length2 = new.length2;
	}

	DiskannBeginLinking(inserter->ref.rel);
	DiskannRefreshRanges(inserter->ref.rel, inserter->index);
	DiskannSign(inserter->signatures, filters, &marks);
	search_neighbours(inserter);
	DiskannPausePoint("neighbours-found");
	qsort(inserter->visited, inserter->nvisited, sizeof(Visited), compare_visited);
	if (!join_duplicate(inserter, own, row->hash, filters, tid))
		insert_node(inserter, &new);
	DiskannEndLinking(inserter->ref.rel);

	MemoryContextSwitchTo(old);
	MemoryContextReset(inserter->row_context);
}

/*
 * Make an index ready with this row as its first, unless it has become so.
 * Nothing is locked on entry and exit; the metapage exclusively meanwhile.
 */
static DiskannIndex *
make_ready(Relation rel, const DiskannSupport *support, MemoryContext context,
		   const DiskannRow *row)
{
	DiskannIndex *index;
	float		norm2 = diskann_kernels->dot_f32(row->x, row->x, row->dims);

	/*
	 * One row tells little of the lengths to come: leave room for rows four
	 * times as long.
	 */
	DiskannMakeReady(rel, row->dims, row->x, 1,
					 DiskannLengthLimit(support->metric, 16 * norm2), false,
					 false);
	index = DiskannLoadIndex(rel, context, support->metric);
	DiskannVerifyDims(index->meta.dims, row, NULL);
	return index;
}

/*
 * Does the index have a row that is not dead to everybody?  Nothing is locked
 * on entry and exit; each slot in share mode meanwhile, and pages of the table.
 */
static bool
has_rows(Relation rel, Relation heap, const DiskannIndex *index)
{
	ItemPointerData *tids = palloc(sizeof(ItemPointerData) *
								   Max(index->meta.max_tids,
									   DISKANN_INLINE_TIDS));
	SnapshotData snapshot;
	DiskannNodeRef ref;
	DiskannNode count;

	InitDirtySnapshot(snapshot);
	DiskannNodeInit(&ref, rel, index, false);
	count = DiskannNodeCount(&ref);
	for (DiskannNode node = 0; node < count; node++)
	{
		int			ntids;

		CHECK_FOR_INTERRUPTS();
		if (!DiskannNodeOpenNext(&ref, node, BUFFER_LOCK_SHARE, NULL))
			continue;
		ntids = DiskannNodeHead(&ref)->ntids;
		memcpy(tids, DiskannSlotTidList(ref.slot),
			   sizeof(ItemPointerData) * ntids);
		DiskannNodeClose(&ref);
		for (int i = 0; i < ntids; i++)
		{
			bool		all_dead = false;

			if (table_index_fetch_tuple_check(heap, &tids[i], &snapshot,
											  &all_dead) || !all_dead)
				return true;
		}
	}
	return false;
}

/*
 * The first row decides how many dimensions an index has, even if its
 * transaction is rolled back.  So when a row of other dimensions comes, and no
 * row is left but dead ones, the index starts anew.  That takes a lock that
 * nobody shares, kept to the end of the transaction; if it cannot be had at
 * once, or this backend uses the index elsewhere, things stay as they are.
 * Returns whether the index has forgotten its rows.
 */
static bool
forget_dead_rows(Relation rel, Relation heap, const DiskannIndex *index)
{
	if (rel->rd_refcnt > 1 ||
		!TransactionIdIsValid(GetTopTransactionIdIfAny()) ||
		!ConditionalLockRelation(rel, AccessExclusiveLock))
		return false;
	if (has_rows(rel, heap, index))
	{
		UnlockRelation(rel, AccessExclusiveLock);
		return false;
	}
	DiskannForgetRows(rel);
	DiskannPausePoint("rows-forgotten");
	return true;
}

static InsertCache *
create_cache(Relation rel, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "diskann insert",
												  ALLOCSET_DEFAULT_SIZES);
	InsertCache *cache = MemoryContextAllocZero(context, sizeof(InsertCache));

	cache->context = context;
	cache->support = DiskannGetSupport(rel);
	cache->column = DiskannVectorColumn(rel);
	cache->index = DiskannLoadIndex(rel, context, cache->support->metric);
	cache->read_context = AllocSetContextCreate(context,
												"diskann insert value",
												ALLOCSET_DEFAULT_SIZES);
	return cache;
}

bool
diskanninsert(Relation rel, Datum *values, bool *isnull, ItemPointer heap_tid,
			  Relation heap, IndexUniqueCheck checkUnique, bool indexUnchanged,
			  IndexInfo *indexInfo)
{
	InsertCache *cache = (InsertCache *) indexInfo->ii_AmCache;
	DiskannRowContext adding;
	MemoryContext old;
	DiskannFilterValues filters;
	DiskannRow	row;
	bool		indexed;

	if (cache == NULL)
	{
		cache = create_cache(rel, indexInfo->ii_Context);
		indexInfo->ii_AmCache = cache;
	}
	if (isnull[cache->column])
		return false;
	DiskannEnterRow(&adding, rel, heap, heap_tid);
	old = MemoryContextSwitchTo(cache->read_context);
	indexed = DiskannReadRow(cache->support, values[cache->column], 0, &row);
	if (cache->index && row.dims != (int) cache->index->meta.dims)
	{
		if (!forget_dead_rows(rel, heap, cache->index))
			DiskannVerifyDims(cache->index->meta.dims, &row,
							  "If there is no such row any more, REINDEX the index.");
		cache->index = NULL;
		cache->inserter = NULL;
	}
	if (indexed)
	{
		if (cache->index == NULL)
			cache->index = make_ready(rel, cache->support, cache->context,
									  &row);
		if (cache->inserter == NULL)
			cache->inserter = create_inserter(cache->context, rel,
											  cache->index);
		DiskannReadFilters(cache->inserter->filters, values, isnull, &row,
						   &filters);
		insert_row(cache->inserter, &row, &filters, heap_tid);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(cache->read_context);
	DiskannLeaveRow(&adding);
	return false;
}

/*
 * The executor is done with the index.  Before PostgreSQL 17 nobody says so;
 * then all goes with ii_Context.
 */
void
diskanninsertcleanup(Relation rel, IndexInfo *indexInfo)
{
	InsertCache *cache = (InsertCache *) indexInfo->ii_AmCache;

	if (cache == NULL)
		return;
	indexInfo->ii_AmCache = NULL;
	MemoryContextDelete(cache->context);
}
