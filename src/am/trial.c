/*-------------------------------------------------------------------------
 *
 * trial.c
 *	  How much of what is nearest searches find.
 *
 * The search is the scan's own walk (scan_walk.h), of a scan that has no plan
 * and no table.  What a walk has visited is taken in the order of the stored
 * vectors; a scan looks at rows where that leaves the order in doubt, which
 * changes the places of what was visited, and not what was.
 *
 * Nodes are compared, not rows: the rows of one vector are all found, or none.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/trial.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "am/options.h"
#include "am/scan_walk.h"
#include "am/trial.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/*
 * Of the searches for nodes one in so many follows the edges of its node: for
 * one row, which most lack without, and for more.
 */
#define LEADING_TO_ONE 2
#define LEADING 3

typedef struct TrialQuery
{
	float	   *x;				/* in index space */
	DiskannSpaceQuery space;
	DiskannNode node;			/* whose vector it is, or DISKANN_INVALID_NODE */
	DiskannNearest nearest;		/* the least ranks, of all other nodes; in
								 * order once they have been compared */
} TrialQuery;

struct DiskannTrial
{
	MemoryContext context;		/* of the trial */
	DiskannScan scan;
	int			most_rows;
	void	   *own;			/* code of the vector looked at */
	float	   *scratch;		/* a vector in index space */
	TrialQuery *queries;
	int			nqueries;
	int			alloc;
};

DiskannTrial *
DiskannTrialCreate(Relation rel, DiskannIndex *index, int most_rows)
{
	DiskannTrial *trial = palloc0(sizeof(DiskannTrial));
	DiskannScan *scan = &trial->scan;

	Assert(most_rows > 0 && most_rows <= DISKANN_TRIAL_MOST_ROWS);

	trial->context = scan->context = CurrentMemoryContext;
	trial->most_rows = most_rows;
	trial->own = palloc(index->meta.own_bytes);
	trial->scratch = palloc(sizeof(float) * index->space.dims);
	trial->alloc = 16;
	trial->queries = palloc(sizeof(TrialQuery) * trial->alloc);
	scan->results_context = AllocSetContextCreate(CurrentMemoryContext,
												  "diskann trial results",
												  ALLOCSET_DEFAULT_SIZES);
	scan->scratch = AllocSetContextCreate(CurrentMemoryContext,
										  "diskann trial row",
										  ALLOCSET_DEFAULT_SIZES);
	scan->support = DiskannGetSupport(rel);
	DiskannWalkInit(scan, rel, index);
	if (index->space.metric == DISKANN_INNER_PRODUCT)
		scan->max_length2 = DiskannMaxLength2(rel);
	return trial;
}

bool
DiskannTrialHasRoom(const DiskannTrial *trial)
{
	Size		bytes = sizeof(TrialQuery) +
		sizeof(float) * (trial->scan.index->space.dims + trial->most_rows);

	return trial->nqueries == 0 ||
		(trial->nqueries < DISKANN_TRIAL_MOST_QUERIES &&
		 (trial->nqueries + 1) * bytes <= maintenance_work_mem * (Size) 1024);
}

int
DiskannTrialQueries(const DiskannTrial *trial)
{
	return trial->nqueries;
}

/* ---------- queries ---------- */

/* A query more, with room for its vector and for what is nearest to it. */
static TrialQuery *
add_query(DiskannTrial *trial, DiskannNode node)
{
	MemoryContext old = MemoryContextSwitchTo(trial->context);
	TrialQuery *query;

	if (trial->nqueries == trial->alloc)
	{
		trial->alloc *= 2;
		trial->queries = repalloc(trial->queries,
								  sizeof(TrialQuery) * trial->alloc);
	}
	query = &trial->queries[trial->nqueries++];
	query->node = node;
	query->x = palloc(sizeof(float) * trial->scan.index->space.dims);
	query->nearest.size = trial->most_rows;
	query->nearest.count = 0;
	query->nearest.distances = palloc(sizeof(float) * trial->most_rows);
	MemoryContextSwitchTo(old);
	return query;
}

void
DiskannTrialAddQuery(DiskannTrial *trial, Datum value)
{
	DiskannScan *scan = &trial->scan;
	MemoryContext old = MemoryContextSwitchTo(scan->scratch);
	DiskannRow	row;

	if (DiskannReadRow(scan->support, value, scan->index->meta.dims, &row))
	{
		TrialQuery *query = add_query(trial, DISKANN_INVALID_NODE);

		memcpy(query->x, row.x, sizeof(float) * row.dims);
		diskann_space_query(&scan->index->space, query->x, &query->space);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(scan->scratch);
}

/* Take a node for a query, if it is live.  Share-locks its slot meanwhile. */
static void
add_node(DiskannTrial *trial, DiskannNode node)
{
	DiskannScan *scan = &trial->scan;
	const DiskannIndex *index = scan->index;
	DiskannSlotData *head = &scan->visit.head;
	TrialQuery *query;

	if (!DiskannCopyNext(&scan->ref, node, head, trial->own))
		return;
	query = add_query(trial, node);
	diskann_vector_decode(index->kind, trial->own, head->scale,
						  index->space.dims, query->x);
	diskann_space_query_of_row(&index->space, query->x, trial->scratch,
							   &query->space);
}

static bool
have_common_divisor(uint64 a, uint64 b)
{
	while (b != 0)
	{
		uint64		rest = a % b;

		a = b;
		b = rest;
	}
	return a > 1;
}

/*
 * Steps of the golden ratio, whose length has no divisor in common with the
 * number of nodes, come to each of them once, and any number of them are spread
 * evenly.
 */
void
DiskannTrialAddSample(DiskannTrial *trial, int queries, uint64 seed)
{
	uint64		count = DiskannNodeCount(&trial->scan.ref) - 1;
	uint64		step = (uint64) (0.618 * (double) count) + 1;
	uint64		place;

	if (count == 0)
		return;
	while (have_common_divisor(step, count))
		step++;
	place = diskann_random64(&seed) % count;
	for (uint64 i = 0; i < count && trial->nqueries < queries &&
		 DiskannTrialHasRoom(trial); i++)
	{
		CHECK_FOR_INTERRUPTS();
		add_node(trial, (DiskannNode) (DISKANN_ENTRY_NODE + 1 + place));
		place = (place + step) % count;
	}
}

/* ---------- exact answers ---------- */

/* Offer a node, whose vector has been copied, to all queries but itself. */
static void
offer_node(DiskannTrial *trial, DiskannNode node)
{
	const DiskannIndex *index = trial->scan.index;
	const DiskannSlotData *head = &trial->scan.visit.head;

	for (int i = 0; i < trial->nqueries; i++)
	{
		TrialQuery *query = &trial->queries[i];
		float		dist2;

		if (query->node == node)
			continue;
		dist2 = diskann_vector_distance(index->kind, query->x,
										query->space.norm2, trial->own,
										head->scale, head->norm2,
										index->space.dims);
		DiskannNearestAdd(&query->nearest,
						  (float) diskann_space_rank(&index->space,
													 &query->space, dist2,
													 head->length2));
	}
}

static int
compare_floats(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return x < y ? -1 : x > y ? 1 : 0;
}

int64
DiskannTrialCompare(DiskannTrial *trial)
{
	DiskannScan *scan = &trial->scan;
	DiskannNode count = DiskannNodeCount(&scan->ref);
	int64		nodes = 0;

	scan->ref.strategy = GetAccessStrategy(BAS_BULKREAD);
	for (DiskannNode node = DISKANN_ENTRY_NODE + 1; node < count; node++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!DiskannCopyNext(&scan->ref, node, &scan->visit.head, trial->own))
			continue;
		offer_node(trial, node);
		nodes++;
	}
	FreeAccessStrategy(scan->ref.strategy);
	scan->ref.strategy = NULL;
	for (int i = 0; i < trial->nqueries; i++)
		qsort(trial->queries[i].nearest.distances,
			  trial->queries[i].nearest.count, sizeof(float), compare_floats);
	return nodes;
}

/* ---------- searches ---------- */

/* Begin the walk of a scan that is to return so many rows. */
static void
start_walk(DiskannTrial *trial, const TrialQuery *query, int rows,
		   int list_size)
{
	DiskannScan *scan = &trial->scan;
	const DiskannIndex *index = scan->index;
	int			leading = rows == 1 ? LEADING_TO_ONE : LEADING;

	scan->wanted.rows = rows;
	scan->wanted.bound = get_float8_infinity();
	scan->list_size = list_size;
	DiskannWalkReset(scan);
	scan->left_out = query->node;
	scan->left_out_leads = (query - trial->queries) % leading == leading - 1;
	memcpy(scan->query.x, query->x, sizeof(float) * index->space.dims);
	scan->query.norm2 = query->space.norm2;
	scan->space_query = query->space;
	DiskannQueryPrepare(&scan->query, index);
	DiskannOrderStart(&scan->order, scan->results_context, false,
					  scan->wanted.bound);
	DiskannWalkStart(scan);
}

/*
 * How many of the rows that the scan would return are among the nearest, which
 * end at this rank.  What is found too late for its place is not returned if
 * the order is strict.
 */
static int
count_found(DiskannScan *scan, int rows, float last)
{
	double		returned = -get_float8_infinity();
	int			found = 0;

	while (scan->returned < rows)
	{
		DiskannResult *result;
		double		rank;

		(void) DiskannWalkNearer(scan);
		result = DiskannOrderTake(&scan->order);
		if (result == NULL)
			break;
		rank = result->found.interval.rank;
		DiskannOrderFree(&scan->order, result);
		if (rank < returned && scan->iterative != DISKANN_ITERATE_RELAXED)
		{
			scan->dropped++;
			continue;
		}
		returned = Max(returned, rank);
		scan->returned++;
		found += (float) rank <= last ? 1 : 0;
	}
	return found;
}

/*
 * The share of the nearest that a search finds; negative if there is nothing to
 * be found.
 */
static double
search_for(DiskannTrial *trial, const TrialQuery *query, int rows,
		   int list_size)
{
	DiskannScan *scan = &trial->scan;
	int			wanted = Min(rows, query->nearest.count);
	MemoryContext old;
	int			found;

	if (wanted == 0)
		return -1;
	MemoryContextReset(scan->results_context);
	old = MemoryContextSwitchTo(scan->results_context);
	start_walk(trial, query, rows, list_size);
	found = count_found(scan, rows, query->nearest.distances[wanted - 1]);
	DiskannSortedEnd(&scan->pages);
	MemoryContextSwitchTo(old);
	return Min(found, wanted) / (double) wanted;
}

void
DiskannTrialSearch(DiskannTrial *trial, int rows, int list_size,
				   DiskannTrialResult *result)
{
	double		sum = 0;
	double		squares = 0;
	int64		visits = 0;
	int			n = 0;

	Assert(rows <= trial->most_rows);

	for (int i = 0; i < trial->nqueries; i++)
	{
		double		share = search_for(trial, &trial->queries[i], rows,
									   list_size);

		if (share < 0)
			continue;
		sum += share;
		squares += share * share;
		visits += trial->scan.counts.visits;
		n++;
	}
	memset(result, 0, sizeof(*result));
	result->queries = n;
	if (n == 0)
		return;
	result->recall = sum / n;
	result->variance = Max(0, squares / n - result->recall * result->recall);
	result->visits = (double) visits / n;
}
