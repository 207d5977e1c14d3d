/*-------------------------------------------------------------------------
 *
 * within.c
 *	  How many of the rows are within a distance.
 *
 * The planner has no statistics of distances, but nodes tell.  Some at equal
 * steps through the index are as good as any others: their places have nothing
 * to do with their vectors, or those of neighbours are near each other, which
 * spreads them all the better.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/within.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/within.h"
#include "store/visit.h"
#include "utils/memutils.h"
#include "values/row.h"
#include "vector/space.h"

/* What tells a fifth from a hundredth. */
#define NODES_ASKED 64

typedef struct Sample
{
	const DiskannIndex *index;
	const float *x;				/* the query, in index space */
	DiskannSpaceQuery query;
	double		bound;			/* of ranks */
	void	   *own;			/* code of the vector looked at */
	int			nodes;
	int			within;
} Sample;

/* Share-locks the node's slot for the time of the call. */
static void
ask_node(Sample *sample, DiskannNodeRef *ref, DiskannNode node)
{
	const DiskannIndex *index = sample->index;
	DiskannSlotData head;
	float		dist2;

	if (!DiskannCopyNext(ref, node, &head, sample->own))
		return;
	dist2 = diskann_vector_distance(index->kind, sample->x,
									sample->query.norm2, sample->own,
									head.scale, head.norm2, index->space.dims);
	sample->nodes++;
	if (diskann_space_rank(&index->space, &sample->query, dist2,
						   head.length2) <= sample->bound)
		sample->within++;
}

static void
ask_nodes(Sample *sample, Relation rel, Datum query, double bound)
{
	const DiskannIndex *index = sample->index;
	DiskannNodeRef ref;
	DiskannNode nodes;
	DiskannRow	row;
	float	   *x = palloc(sizeof(float) * index->space.dims);

	if (!DiskannReadRow(DiskannGetSupport(rel), query, index->meta.dims, &row))
		return;
	memcpy(x, row.x, sizeof(float) * row.dims);
	diskann_space_query(&index->space, x, &sample->query);
	sample->x = x;
	sample->bound = diskann_space_rank_of_bound(&index->space, bound);
	sample->own = palloc(index->meta.own_bytes);
	DiskannNodeInit(&ref, rel, index, false);
	nodes = DiskannNodeCount(&ref) - (DISKANN_ENTRY_NODE + 1);
	for (uint64 i = 0; i < NODES_ASKED && nodes > 0; i++)
		ask_node(sample, &ref, DISKANN_ENTRY_NODE + 1 +
				 (DiskannNode) (i * nodes / NODES_ASKED));
}

double
DiskannShareWithin(Relation rel, Datum query, double bound, double unknown)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "diskann sample",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	const DiskannSupport *support = DiskannGetSupport(rel);
	Sample		sample = {0};

	sample.index = DiskannLoadIndex(rel, context, support->metric);
	if (sample.index != NULL &&
		DiskannMayReadRow(support, query, sample.index->meta.dims))
		ask_nodes(&sample, rel, query, bound);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (sample.within + unknown) / (sample.nodes + 1);
}
