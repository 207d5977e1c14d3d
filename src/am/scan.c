/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Rows in order of their distance to a query.
 *
 * A scan visits nodes in phases: first the graph, as far as the search list
 * reaches; then the graph beyond that, as far as rows are wanted; and at last
 * all pages, so that every row is returned once.
 *
 * What has been visited becomes a result, see scan_order.h.  The least result
 * is taken when no node that has not been visited can be nearer.  In strict
 * order its rows are returned only if it is certain to be the nearest;
 * otherwise one of its rows is fetched, see scan_rows.h, and the result waits
 * with its exact distance.
 *
 * Nothing is locked or pinned by the scan between two calls of the executor.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/relscan.h"
#include "am/am.h"
#include "am/calibrate.h"
#include "am/options.h"
#include "am/scan.h"
#include "am/scan_walk.h"
#include "am/usage.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Rows compared at once: as many as were before by this, and at most. */
#define COMPARED_SHARE 8
#define MAX_COMPARED 256

/* Of the scan that was asked for a row last. */
static DiskannScanCounts last_scan;
static DiskannWanted last_wanted =
{
	.rows = DISKANN_ROWS_UNKNOWN, .bound = INFINITY
};

DiskannScanCounts
DiskannLastScan(void)
{
	return last_scan;
}

DiskannWanted
DiskannLastWanted(void)
{
	return last_wanted;
}

/* Add what was counted since the last start. */
static void
add_counts(DiskannScanCounts *total, const DiskannScanCounts *counts)
{
	total->visits += counts->visits;
	total->estimates += counts->estimates;
	total->rescored += counts->rescored;
	total->late += counts->late;
	total->bridges += counts->bridges;
	total->share = counts->share;
	total->list_size = counts->list_size;
	total->way = counts->way;
}

DiskannScanCounts
DiskannScanTotal(IndexScanDesc scan, DiskannWanted *wanted)
{
	const DiskannScan *state = scan->opaque;
	DiskannScanCounts total = state->before;

	add_counts(&total, &state->counts);
	*wanted = state->wanted;
	return total;
}

/* ---------- returning ---------- */

/* By where in the table the first of their rows is. */
static int
compare_places(const void *a, const void *b)
{
	const DiskannResult *x = *(DiskannResult *const *) a;
	const DiskannResult *y = *(DiskannResult *const *) b;

	return ItemPointerCompare((ItemPointer) x->found.tids,
							  (ItemPointer) y->found.tids);
}

/*
 * Need no row be looked at to tell whether this result, just taken, may be
 * returned?  lower_bound is that of the nodes not visited.
 */
static bool
is_settled(const DiskannScan *state, const DiskannResult *result,
		   double lower_bound)
{
	if (result->exact || !state->order.strict)
		return true;
	if (state->counts.rescored < state->query_rescore)
		return false;
	return DiskannOrderIsLate(result) ||
		DiskannOrderIsCertain(&state->order, result, lower_bound);
}

/*
 * Give back a result that was taken, with the operator's distance for its
 * interval; free it if the snapshot sees none of its rows.
 */
static void
rescore(DiskannScan *state, DiskannResult *result)
{
	double		distance;

	state->counts.rescored++;
	if (DiskannRowReaderDistance(&state->reader, result, &distance))
	{
		DiskannOrderSetExact(&state->order, result, distance);
		DiskannOrderPutBack(&state->order, result);
	}
	else
		DiskannOrderFree(&state->order, result);
}

/*
 * How many rows may be compared at once: of those compared before a part, since
 * some may turn out to be needless, and no more than are still wanted.  Those
 * after one that passes the scan's filter are likely not to.
 */
static int
rows_to_compare(const DiskannScan *state)
{
	int64		most = Min(state->counts.rescored / COMPARED_SHARE,
						   MAX_COMPARED);

	if (state->reader.filter != NULL)
		return 1;
	if (state->wanted.rows > 0 && !state->wanted.filtered)
		most = Min(most, state->wanted.rows - state->returned);
	return (int) Max(1, most);
}

/*
 * Rescore a result that was taken, and of those after it some that may be
 * nearer than it or each other, in the order of the table's pages.
 */
static void
compare_rows(DiskannScan *state, DiskannResult *first)
{
	DiskannResult *results[MAX_COMPARED];
	int			most = rows_to_compare(state);
	int			n = DiskannOrderTakeDoubtful(&state->order, first, results,
											 most);

	if (n > 1)
		qsort(results, n, sizeof(DiskannResult *), compare_places);
	for (int i = 0; i < n; i++)
		rescore(state, results[i]);
}

/*
 * Does a result pass the scan's filter, if it is for us to know?  What does not
 * is never compared, and nothing is late because of it.
 */
static bool
passes_filter(DiskannScan *state, DiskannResult *result)
{
	if (!result->passes)
		result->passes = state->reader.filter == NULL ||
			DiskannRowReaderPasses(&state->reader, result);
	return result->passes;
}

static void
drop_result(DiskannScan *state, DiskannResult *result)
{
	state->dropped++;
	DiskannOrderFree(&state->order, result);
}

/* Take the next result whose rows are to be returned; NULL: there is none. */
static DiskannResult *
next_result(DiskannScan *state)
{
	for (;;)
	{
		double		lower_bound = DiskannWalkNearer(state);
		DiskannResult *result = DiskannOrderTake(&state->order);

		if (result == NULL)
			return NULL;
		if (state->slow)
			DiskannRowReaderAhead(&state->reader, &state->order, result);
		if (result->rejected ||
			(state->order.strict && !passes_filter(state, result)))
			drop_result(state, result);
		else if (!is_settled(state, result, lower_bound))
			compare_rows(state, result);
		else if (DiskannOrderPass(&state->order, result))
		{
			state->returned++;
			return result;
		}
		else
		{
			state->counts.late++;
			drop_result(state, result);
		}
	}
}

/* Turn to the next live node of PHASE_UNORDERED; false if there is none. */
static bool
next_unordered(DiskannScan *state)
{
	DiskannFilterValues keys;

	while (state->next_node < state->end_node)
	{
		CHECK_FOR_INTERRUPTS();
		if (DiskannNodeRowsRead(&state->rows, state->next_node++, &keys) &&
			DiskannScanFilterPasses(&state->filter, &keys))
			return true;
	}
	DiskannNodeRowsClear(&state->rows);
	return false;
}

/* Turn to the rows of the next node; false if there is none. */
static bool
next_node(DiskannScan *state)
{
	DiskannResult *result;

	if (state->phase == PHASE_UNORDERED)
		return next_unordered(state);
	result = next_result(state);
	if (result == NULL)
		return false;
	DiskannNodeRowsStart(&state->rows, &result->found);
	DiskannOrderFree(&state->order, result);
	return true;
}

/* The next row; false if there is none. */
static bool
next_row(DiskannScan *state, ItemPointer tid)
{
	if (state->index == NULL)
		return false;
	while (!DiskannNodeRowsNext(&state->rows, tid))
	{
		if (!next_node(state))
			return false;
	}
	if (state->phase == PHASE_STREAM && state->reader.filter != NULL)
		DiskannGive(&state->given, tid);
	return true;
}

/* ---------- starting ---------- */

/*
 * Load the index unless it has no rows, and allocate what a scan of it needs.
 * It stays for rescans.
 */
static void
prepare_index(DiskannScan *state)
{
	Relation	rel = state->desc->indexRelation;
	MemoryContext old = MemoryContextSwitchTo(state->context);
	DiskannIndex *index = DiskannLoadIndex(rel, state->context,
										   state->support->metric);

	if (index != NULL)
	{
		DiskannWalkInit(state, rel, index);
		state->ref.snapshot = state->desc->xs_snapshot;
		DiskannRowReaderInit(&state->reader, state->desc, &state->ref,
							 state->context, state->scratch);
		DiskannNodeRowsInit(&state->rows, &state->ref);
	}
	MemoryContextSwitchTo(old);
}

/*
 * Map the query to index space.  False if it has no place there (a NULL, or
 * zero under cosine): then all rows are equally far.
 */
static bool
prepare_query(DiskannScan *state)
{
	const DiskannIndex *index = state->index;
	ScanKey		order_by = &state->desc->orderByData[0];
	MemoryContext old;
	DiskannRow	row;
	bool		found;

	if (order_by->sk_flags & SK_ISNULL)
		return false;
	DiskannVerifyQueryType(state->ref.rel, state->support,
						   order_by->sk_subtype);
	old = MemoryContextSwitchTo(state->scratch);
	found = DiskannReadRow(state->support, order_by->sk_argument,
						   index->meta.dims, &row);
	if (found)
		memcpy(state->query.x, row.x, sizeof(float) * row.dims);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->scratch);
	if (!found)
		return false;
	diskann_space_query(&index->space, state->query.x, &state->space_query);
	state->query.norm2 = state->space_query.norm2;
	DiskannQueryPrepare(&state->query, index);
	return true;
}

/* Error if this is a scan that the access method cannot do. */
static void
verify_scan(IndexScanDesc desc)
{
	if (desc->numberOfOrderBys != 1)
		elog(ERROR, "a diskann index scan needs an order");

	/*
	 * Nothing is pinned between calls, so a row's place may be taken by
	 * another row; only an MVCC snapshot does not see that one.
	 */
	if (!IsMVCCSnapshot(desc->xs_snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("non-MVCC snapshots are not supported with diskann")));
}

/* Forget what an earlier start has left, and take the settings of now. */
static void
reset_state(DiskannScan *state)
{
	state->started = true;
	state->starts++;
	state->query_rescore = diskann_query_rescore;
	DiskannFindWanted(state->desc, &state->wanted);
	state->list_size = DiskannSearchListSize(state->desc->indexRelation,
											 state->wanted.rows);
	add_counts(&state->before, &state->counts);
	DiskannWalkReset(state);
}

/*
 * Take the conditions of the query, those of the plan node's filter included as
 * far as the index can decide them; the row reader applies the filter as long
 * as there is more to it.
 */
static void
start_filter(DiskannScan *state)
{
	IndexScanState *node = state->wanted.node;
	DiskannScanFilter *filter = &state->filter;
	bool		more;

	DiskannScanFilterStart(filter, state->desc, node);
	more = node && list_length(node->ss.ps.plan->qual) > filter->qual.ntaken;
	if (state->wanted.filters == filter->qual.ntaken)
		state->wanted.filtered = state->wanted.filtered_above;
	DiskannRowReaderStart(&state->reader,
						  more || filter->undecided ? node : NULL,
						  filter->lossy || filter->undecided);
}

/*
 * Begin a scan when its first row is wanted: through the graph if the query has
 * a place in the index, in the order of the pages if not.
 */
static void
start_scan(DiskannScan *state)
{
	Relation	rel = state->desc->indexRelation;

	verify_scan(state->desc);
	pgstat_count_index_scan(rel);
	DiskannCountSearch(state->desc);
	reset_state(state);
	if (state->index == NULL)
		prepare_index(state);
	if (state->index == NULL)
		return;

	DiskannOrderStart(&state->order, state->results_context,
					  state->iterative != DISKANN_ITERATE_RELAXED &&
					  state->query_rescore != 0,
					  state->wanted.bound);
	start_filter(state);
	DiskannNodeRowsClear(&state->rows);
	state->max_length2 = 0;
	if (state->index->space.metric == DISKANN_INNER_PRODUCT)
		state->max_length2 = DiskannMaxLength2(rel);
	if (state->filter.never)
		state->counts.way = "nowhere: no row fulfils the conditions";
	else if (prepare_query(state))
		DiskannWalkStart(state);
	else
	{
		state->phase = PHASE_UNORDERED;
		state->counts.way = "all pages: the query has no order";
		state->next_node = DISKANN_ENTRY_NODE + 1;
		state->end_node = DiskannNodeCount(&state->ref);
	}
}

/* ---------- the calls of the executor ---------- */

IndexScanDesc
diskannbeginscan(Relation rel, int nkeys, int norderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(rel, nkeys, norderbys);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "diskann scan",
												  ALLOCSET_DEFAULT_SIZES);
	DiskannScan *state = MemoryContextAllocZero(context, sizeof(DiskannScan));

	state->desc = scan;
	state->context = context;
	state->results_context = AllocSetContextCreate(context,
												   "diskann scan results",
												   ALLOCSET_DEFAULT_SIZES);
	state->scratch = AllocSetContextCreate(context,
										   "diskann scan row",
										   ALLOCSET_DEFAULT_SIZES);
	state->support = DiskannGetSupport(rel);
	scan->opaque = state;
	return scan;
}

void
diskannrescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys,
			  int norderbys)
{
	DiskannScan *state = scan->opaque;

	Assert(state->desc == scan);

	state->started = false;
	DiskannSortedEnd(&state->pages);
	MemoryContextReset(state->results_context);
	if (keys && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	if (orderbys && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys,
				scan->numberOfOrderBys * sizeof(ScanKeyData));
}

bool
diskanngettuple(IndexScanDesc scan, ScanDirection dir)
{
	DiskannScan *state = scan->opaque;
	MemoryContext old = MemoryContextSwitchTo(state->results_context);
	bool		found;

	Assert(ScanDirectionIsForward(dir));
	Assert(state->desc == scan);

	if (!state->started)
		start_scan(state);
	found = next_row(state, &scan->xs_heaptid);
	scan->xs_recheck = state->filter.lossy;
	scan->xs_recheckorderby = false;
	DiskannRowReaderPause(&state->reader);
	last_scan = state->counts;
	last_wanted = state->wanted;
	MemoryContextSwitchTo(old);
	Assert(!BufferIsValid(state->ref.buffer));
	return found;
}

/* Once for all of its starts: what is shared should be touched seldom. */
static void
count_usage(IndexScanDesc scan)
{
	DiskannWanted wanted;
	DiskannScanCounts total = DiskannScanTotal(scan, &wanted);
	DiskannUsage usage = {0};

	usage.scans = ((DiskannScan *) scan->opaque)->starts;
	if (usage.scans == 0)
		return;
	usage.visits = total.visits;
	usage.compared = total.rescored;
	DiskannAddUsage(scan->indexRelation, &usage);
}

void
diskannendscan(IndexScanDesc scan)
{
	DiskannScan *state = scan->opaque;

	count_usage(scan);
	DiskannSortedEnd(&state->pages);
	DiskannRowReaderEnd(&state->reader);
	MemoryContextDelete(state->context);
	scan->opaque = NULL;
}
