/*-------------------------------------------------------------------------
 *
 * insert.c
 *	  Adding one row to a diskann index.
 *
 * Search for the row's vector over the edge codes, keeping the own vector of
 * every node visited; choose neighbours among these without reading anything
 * more; write the node; let the neighbours point back, each under its own lock.
 * A row whose vector is in the index already joins that node.  Nothing is locked
 * between these steps.  What makes that safe is said in src/README.
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
#include "am/am.h"
#include "graph/prune.h"
#include "graph/search.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A node met by the search. */
typedef struct Met
{
	DiskannNode node;
	float		dist2;
	float		scale;
	uint64		hash;
	char	   *own;			/* code of its vector */
	float	   *x;				/* the same decoded, once wanted */
} Met;

struct DiskannInserter
{
	MemoryContext row_context;	/* reset after every row */
	const DiskannIndex *index;
	DiskannNodeRef ref;
	DiskannQuery query;
	DiskannVisit visit;
	DiskannSearch *search;
	Met		   *met;
	int			nmet;
	int			met_alloc;
};

/* What an executor run keeps between rows. */
typedef struct InsertCache
{
	const DiskannSupport *support;
	DiskannIndex *index;
	DiskannInserter *inserter;
	MemoryContext read_context;
} InsertCache;

/*
 * About what a row needs, allocated once and kept, up to a few megabytes: the
 * nodes met, and their vectors decoded.
 */
static Size
row_memory(const DiskannIndex *index)
{
	Size		node = index->own_bytes + sizeof(float) * index->space.dims;

	return Min((Size) 4 * 1024 * 1024,
			   MAXALIGN(2 * node * index->meta.build_list_size)) + 64 * 1024;
}

DiskannInserter *
DiskannInserterCreate(MemoryContext context, Relation rel,
					  const DiskannIndex *index, bool building)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	DiskannInserter *inserter = palloc0(sizeof(DiskannInserter));

	inserter->row_context = AllocSetContextCreate(context,
												  "diskann insert row",
												  row_memory(index),
												  ALLOCSET_DEFAULT_INITSIZE,
												  ALLOCSET_DEFAULT_MAXSIZE);
	inserter->index = index;
	DiskannNodeInit(&inserter->ref, rel, index, building);
	DiskannQueryInit(&inserter->query, index);
	DiskannVisitInit(&inserter->visit, index);
	inserter->search = DiskannSearchCreate(context);
	inserter->met_alloc = 2 * index->meta.build_list_size;
	inserter->met = palloc(sizeof(Met) * inserter->met_alloc);
	MemoryContextSwitchTo(old);
	return inserter;
}

/* Remember a visited live node. */
static void
remember(DiskannInserter *inserter, DiskannNode node, char *own)
{
	const DiskannVisit *visit = &inserter->visit;
	Met		   *met;

	if (inserter->nmet == inserter->met_alloc)
	{
		inserter->met_alloc *= 2;
		inserter->met = repalloc(inserter->met,
								 sizeof(Met) * inserter->met_alloc);
	}
	met = &inserter->met[inserter->nmet++];
	met->node = node;
	met->dist2 = visit->dist2;
	met->scale = visit->head.scale;
	met->hash = visit->head.u.hash;
	met->own = own;
	met->x = NULL;
}

/* Search for the vector in inserter->query, filling inserter->met. */
static void
search_neighbours(DiskannInserter *inserter)
{
	const DiskannIndex *index = inserter->index;
	DiskannVisit *visit = &inserter->visit;
	DiskannNode node;

	inserter->nmet = 0;
	DiskannSearchReset(inserter->search, index->meta.build_list_size, false);
	DiskannSearchAdd(inserter->search, DISKANN_HUB, 0);
	while (DiskannSearchNext(inserter->search, &node))
	{
		char	   *own = palloc(index->own_bytes);

		CHECK_FOR_INTERRUPTS();
		if (!DiskannVisitNode(&inserter->ref, &inserter->query, node, visit,
							  own))
		{
			pfree(own);
			continue;
		}
		for (int i = 0; i < visit->degree; i++)
			DiskannSearchAdd(inserter->search, visit->nodes[i],
							 visit->estimates[i]);

		/* No edge should lead to a tombstone, or back to the entry. */
		if (visit->head.state == DISKANN_LIVE)
			remember(inserter, node, own);
		else
			pfree(own);
	}
}

static int
compare_met(const void *a, const void *b)
{
	const Met  *x = a;
	const Met  *y = b;

	if (x->dist2 != y->dist2)
		return x->dist2 < y->dist2 ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static const float *
met_vector(DiskannInserter *inserter, Met *met)
{
	const DiskannIndex *index = inserter->index;

	if (met->x == NULL)
	{
		met->x = palloc(sizeof(float) * index->space.dims);
		diskann_vector_decode(index->kind, met->own, met->scale,
							  index->space.dims, met->x);
	}
	return met->x;
}

static float
met_distance(void *arg, int a, int b)
{
	DiskannInserter *inserter = arg;

	return diskann_kernels->l2sq_f32(met_vector(inserter, &inserter->met[a]),
									 met_vector(inserter, &inserter->met[b]),
									 inserter->index->space.dims);
}

/*
 * Add the row to a node that holds the same vector, if one was met.  The hash
 * is of the user's value; the code is compared as well, so that a collision
 * would have to be one of near neighbours.
 */
static bool
join_duplicate(DiskannInserter *inserter, const char *own, uint64 hash,
			   ItemPointer tid)
{
	const DiskannIndex *index = inserter->index;

	for (int i = 0; i < inserter->nmet; i++)
	{
		Met		   *met = &inserter->met[i];

		if (met->hash == hash && memcmp(met->own, own, index->own_bytes) == 0 &&
			DiskannAddTid(&inserter->ref, met->node, hash, tid))
			return true;
	}
	return false;
}

/* Write a node for the row and link it both ways. */
static void
add_node(DiskannInserter *inserter, const DiskannNewNode *new)
{
	const DiskannIndex *index = inserter->index;
	DiskannNodeRef *ref = &inserter->ref;
	float	   *decoded = palloc(sizeof(float) * index->space.dims);
	DiskannNode node;

	DiskannNodeAllocate(ref);
	node = ref->node;
	DiskannNodeEdit(ref);
	DiskannFillNode(index, ref->image, new, decoded);
	DiskannNodeWrite(ref, 0, index->meta.slot_size);
	DiskannNodeClose(ref);

	for (int i = 0; i < new->degree; i++)
	{
		CHECK_FOR_INTERRUPTS();

		/* The nearest must point here, so that the node can be found. */
		DiskannAddBacklink(ref, new->nodes[i], node, decoded, i == 0);
	}
	DiskannOfferToHub(ref, node, decoded);
}

/* Choose neighbours among what was met and add the node. */
static void
insert_node(DiskannInserter *inserter, DiskannNewNode *new)
{
	const DiskannIndex *index = inserter->index;
	DiskannPrune prune = {index->meta.max_degree, index->meta.alpha,
		met_distance, inserter};
	int		   *chosen = palloc(sizeof(int) * index->meta.max_degree);
	float	   *dist = palloc(sizeof(float) * (inserter->nmet + 1));
	DiskannNode *nodes = palloc(sizeof(DiskannNode) * index->meta.max_degree);
	const float **vectors = palloc(sizeof(float *) * index->meta.max_degree);

	for (int i = 0; i < inserter->nmet; i++)
		dist[i] = inserter->met[i].dist2;
	new->degree = DiskannRobustPrune(&prune, dist, inserter->nmet, chosen,
									 NULL);
	for (int i = 0; i < new->degree; i++)
	{
		Met		   *met = &inserter->met[chosen[i]];

		nodes[i] = met->node;
		vectors[i] = met_vector(inserter, met);
	}
	new->nodes = nodes;
	new->vectors = vectors;
	add_node(inserter, new);
}

void
DiskannInsertRow(DiskannInserter *inserter, DiskannRow *row, ItemPointer tid)
{
	const DiskannIndex *index = inserter->index;
	DiskannQuery *query = &inserter->query;
	MemoryContext old = MemoryContextSwitchTo(inserter->row_context);
	char	   *own = palloc(index->own_bytes);
	DiskannNewNode new;

	memcpy(query->x, row->x, sizeof(float) * row->dims);
	new.length2 = diskann_space_row(&index->space, query->x);
	query->norm2 = diskann_kernels->dot_f32(query->x, query->x,
											index->space.dims);
	DiskannQueryPrepare(query, index);
	diskann_vector_encode(index->kind, query->x, index->space.dims, own,
						  &new.factors);
	new.own = own;
	new.hash = row->hash;
	new.ntids = 1;
	new.tids = tid;
	new.next = DISKANN_INVALID_NODE;

	search_neighbours(inserter);
	qsort(inserter->met, inserter->nmet, sizeof(Met), compare_met);
	if (!join_duplicate(inserter, own, row->hash, tid))
		insert_node(inserter, &new);

	MemoryContextSwitchTo(old);
	MemoryContextReset(inserter->row_context);
}

/* The index' parameters, making it ready with this row if it has none. */
static DiskannIndex *
load_or_make_ready(Relation rel, InsertCache *cache, MemoryContext context,
				   const DiskannRow *row)
{
	DiskannMetric metric = cache->support->metric;
	DiskannIndex *index = DiskannLoadIndex(rel, context, metric);

	if (index == NULL)
	{
		float		norm2 = diskann_kernels->dot_f32(row->x, row->x, row->dims);

		/*
		 * One row tells little of the lengths to come: leave room for rows
		 * twice as long.
		 */
		DiskannMakeReady(rel, row->dims, row->x, 1,
						 metric == DISKANN_INNER_PRODUCT ? 4 * norm2 : 0,
						 false);
		index = DiskannLoadIndex(rel, context, metric);
	}
	return index;
}

bool
diskanninsert(Relation rel, Datum *values, bool *isnull, ItemPointer heap_tid,
			  Relation heap, IndexUniqueCheck checkUnique, bool indexUnchanged,
			  IndexInfo *indexInfo)
{
	InsertCache *cache = (InsertCache *) indexInfo->ii_AmCache;
	MemoryContext old;
	DiskannRow	row;

	if (isnull[0])
		return false;
	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(indexInfo->ii_Context,
									   sizeof(InsertCache));
		cache->support = DiskannGetSupport(rel);
		cache->read_context = AllocSetContextCreate(indexInfo->ii_Context,
													"diskann insert value",
													ALLOCSET_DEFAULT_SIZES);
		indexInfo->ii_AmCache = cache;
	}

	old = MemoryContextSwitchTo(cache->read_context);
	if (DiskannReadRow(cache->support, values[0],
					   cache->index ? cache->index->meta.dims : 0, &row))
	{
		if (cache->inserter == NULL)
		{
			cache->index = load_or_make_ready(rel, cache,
											  indexInfo->ii_Context, &row);
			DiskannCheckDims(cache->index->meta.dims, &row);
			cache->inserter = DiskannInserterCreate(indexInfo->ii_Context, rel,
													cache->index, false);
		}
		DiskannInsertRow(cache->inserter, &row, heap_tid);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(cache->read_context);
	return false;
}
