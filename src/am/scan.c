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
#include "am/options.h"
#include "am/scan.h"
#include "am/scan_filter.h"
#include "am/scan_order.h"
#include "am/scan_pages.h"
#include "am/scan_rows.h"
#include "am/wanted.h"
#include "graph/search.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "store/roster.h"
#include "store/tids.h"
#include "store/visit.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "values/row.h"

/*
 * Reading ahead.  A page that is not in shared buffers costs little if the
 * operating system has it, and asking for pages ahead would only add to that.
 * So a scan begins to ask once a visit that had to read took this long.  From
 * then on it visits a beam of so many nodes at a time, whose pages are read
 * together, and has the rows read that are going to be returned.
 */
#define SLOW_VISIT_US 40
#define BEAM_WIDTH 8

/*
 * To return k rows a scan visits k nodes, and so many lists by the root of k.
 * A list shorter than what ten rows need to be good is meant to be so.
 */
#define LIST_PER_ROOT 0.28
#define LIST_FOR_TEN 100.0

/* Beyond this a heap takes no longer than a list. */
#define MAX_LIST_SIZE 2000

/* So many nodes are sorted in the time in which one is walked to. */
#define WALK_PER_SORT 6

/* Rows compared at once: as many as were before by this, and at most. */
#define COMPARED_SHARE 8
#define MAX_COMPARED 256

/* Where the next node to visit comes from. */
typedef enum Phase
{
	PHASE_LIST,					/* the search list */
	PHASE_STREAM,				/* what did not fit into it */
	PHASE_PAGES,				/* all pages, sorted */
	PHASE_UNORDERED,			/* all pages, as they come */
	PHASE_DONE					/* nowhere: no more nodes are visited */
} Phase;

typedef struct DiskannScan
{
	IndexScanDesc desc;
	MemoryContext context;		/* of the scan */
	MemoryContext results_context;	/* reset by a rescan */
	MemoryContext scratch;		/* reset after every value that is read */
	const DiskannSupport *support;
	DiskannIndex *index;		/* NULL while it has no rows */
	bool		started;
	DiskannScanCounts counts;

	/* Settings, as they were at the start. */
	int			query_rescore;
	int			iterative;
	int			max_scan_tuples;
	int			list_size;
	DiskannWanted wanted;
	DiskannScanFilter filter;	/* conditions on columns of the index */

	/* Visiting nodes. */
	Phase		phase;
	DiskannNodeRef ref;
	DiskannQuery query;
	DiskannSpaceQuery space_query;
	DiskannVisit visit;			/* of the node visited last */
	DiskannSearch *search;
	Size		memory_limit;	/* of PHASE_STREAM */
	float		max_length2;	/* of rows, if the metric is inner product */
	bool		slow;			/* pages come from a disk: read ahead */
	bool		missed;			/* the last visit had to read a page */
	int64		considered;		/* nodes visited, or taken from the sort */
	int64		returned;		/* results whose rows were returned */
	int64		dropped;		/* late ones, and what the filter rejects */
	DiskannSortedNodes pages;	/* of PHASE_PAGES */
	DiskannNode next_node;		/* of PHASE_UNORDERED */
	DiskannNode end_node;

	DiskannOrder order;			/* of what has been visited */
	DiskannRowReader reader;	/* for what order cannot tell apart */
	DiskannNodeRows rows;		/* being returned */
} DiskannScan;

/* Of the scan that was asked for a row last. */
static DiskannScanCounts last_scan;
static DiskannWanted last_wanted;

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

/* ---------- visiting ---------- */

/*
 * Visit a node, which has not been visited before; its rows become a result,
 * its neighbours candidates of the search.  The node may have been freed.
 * Share-locks its slot for the time of the call.
 */
static void
visit_node(DiskannScan *state, DiskannNode node)
{
	DiskannVisit *visit = &state->visit;

	Assert(state->phase == PHASE_LIST || state->phase == PHASE_STREAM);

	CHECK_FOR_INTERRUPTS();
	state->counts.visits++;
	state->considered++;
	if (!DiskannVisitNode(&state->ref, &state->query, node, visit, NULL))
		return;
	state->counts.estimates += visit->degree;
	DiskannSearchAddAll(state->search, visit->nodes, visit->estimates,
						visit->degree);

	/* Tombstones only lead to other nodes. */
	if (visit->head.state == DISKANN_LIVE)
		DiskannOrderAdd(&state->order, node, visit,
						!DiskannScanFilterPasses(&state->filter,
												 &visit->filters));
}

static inline int64
blocks_read(void)
{
	return pgBufferUsage.shared_blks_read + pgBufferUsage.local_blks_read;
}

/*
 * Visit the next node of the list while the one after it is on its way into the
 * processor's cache.  Where pages come from a disk, visit the next few, all on
 * their way into memory at once; what the first of them leads to has to wait.
 * False if all of the list has been visited.  Visits are timed only while pages
 * are missing.
 */
static bool
visit_next(DiskannScan *state)
{
	DiskannNode beam[BEAM_WIDTH];
	DiskannNode next;
	int			width = state->slow ? BEAM_WIDTH : 1;
	int			n = 0;
	int64		before = blocks_read();
	instr_time	start;
	instr_time	end;
	bool		timed = state->missed && !state->slow;

	Assert(state->phase == PHASE_LIST);

	while (n < width && DiskannSearchNext(state->search, &beam[n]))
		n++;
	if (n == 0)
		return false;
	if (state->slow)
	{
		for (int i = 0; i < n; i++)
			DiskannNodeReadAhead(&state->ref, beam[i]);
	}
	else if (DiskannSearchLookAhead(state->search, &next))
		DiskannNodePrefetch(&state->ref, next);

	if (timed)
		INSTR_TIME_SET_CURRENT(start);
	for (int i = 0; i < n; i++)
		visit_node(state, beam[i]);
	state->missed = blocks_read() != before;
	if (timed && state->missed)
	{
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, start);
		state->slow = INSTR_TIME_GET_MICROSEC(end) >= SLOW_VISIT_US;
	}
	return true;
}

static Size
memory_used(const DiskannScan *state)
{
	return DiskannSearchMemory(state->search) +
		DiskannOrderMemory(&state->order);
}

/*
 * How many nodes are to be visited before this many rows may be returned: fewer
 * and too many rows would be found too late for their place.
 */
static int64
visits_for(const DiskannScan *state, int64 rows)
{
	int64		needed = rows * Min(1.0, state->list_size / LIST_FOR_TEN) +
		LIST_PER_ROOT * state->list_size * (sqrt(rows) - 1);

	return Max(Max(state->list_size, rows), needed);
}

/* The size that is set, or what the rows wanted need, if that is more. */
static int
size_of_list(const DiskannScan *state)
{
	int64		size = Min(visits_for(state, Max(state->wanted.rows, 0)),
						   MAX_LIST_SIZE);

	if (state->max_scan_tuples > 0)
		size = Min(size, state->max_scan_tuples);
	return (int) Max(size, state->list_size);
}

/* Pass through PHASE_LIST at once: no result is taken before its end. */
static void
search_list(DiskannScan *state)
{
	bool		iterate = state->iterative != DISKANN_ITERATE_OFF;
	int			size = iterate ? size_of_list(state) : state->list_size;

	state->counts.list_size = size;
	state->counts.way = "the list";
	DiskannSearchReset(state->search, size, iterate);

	/* Entry nodes are no candidates: they take no place in the list. */
	state->phase = PHASE_LIST;
	state->counts.estimates += DiskannStartSearch(&state->ref, &state->query,
												  &state->visit,
												  state->search);
	state->counts.visits++;
	while (visit_next(state))
		;

	/* The list takes what it was set to take; more is bounded by work_mem. */
	state->memory_limit = memory_used(state) + (Size) work_mem * 1024;
	state->phase = iterate ? PHASE_STREAM : PHASE_DONE;
}

/* ---------- all pages, sorted ---------- */

/*
 * All rows are wanted, or the graph is exhausted, or memory is, as "why" tells
 * whoever asks what the scan has done: measure the nodes that have not been
 * visited, from all pages in turn, and sort them.  Nodes that no edge leads to
 * are found here.  Share-locks one slot at a time.
 */
static void
sort_pages(DiskannScan *state, const char *why)
{
	DiskannVisit *visit = &state->visit;
	DiskannNode count = DiskannNodeCount(&state->ref);
	MemoryContext old = MemoryContextSwitchTo(state->results_context);

	DiskannSortedBegin(&state->pages);
	MemoryContextSwitchTo(old);
	for (DiskannNode node = DISKANN_ENTRY_NODE + 1; node < count; node++)
	{
		DiskannFound found;

		CHECK_FOR_INTERRUPTS();
		if (DiskannSearchVisited(state->search, node) ||
			!DiskannMeasureNext(&state->ref, &state->query, node, visit))
			continue;
		state->counts.visits++;
		if (!DiskannScanFilterPasses(&state->filter, &visit->filters))
			continue;
		DiskannOrderMeasure(&state->order, node, visit, &found);
		DiskannSortedPut(&state->pages, &found);
	}
	DiskannSortedPerform(&state->pages);
	state->phase = PHASE_PAGES;
	state->counts.way = why;
}

/* The same with nothing visited. */
static void
sort_all(DiskannScan *state)
{
	DiskannSearchReset(state->search, state->list_size, true);
	sort_pages(state, "all pages: so many rows are wanted");
}

/* ---------- beyond the list ---------- */

/* The least rank of a row whose estimated squared distance is this. */
static double
rank_of_estimate(const DiskannScan *state, float dist2)
{
	return diskann_space_lower_bound(&state->index->space, &state->space_query,
									 Max(0, dist2), state->max_length2);
}

/*
 * A lower bound of the rank of what the graph has left to visit; false if
 * nothing is left.  A bound that is at least `enough` need not be the best one.
 */
static bool
bound_of_stream(DiskannScan *state, double enough, double *lower_bound)
{
	float		dist2;

	/* The bound of all that is beyond the list costs nothing. */
	if (DiskannSearchBound(state->search, &dist2))
	{
		*lower_bound = rank_of_estimate(state, dist2);
		if (*lower_bound >= enough)
			return true;
	}
	if (!DiskannSearchPeek(state->search, &dist2))
		return false;
	*lower_bound = rank_of_estimate(state, dist2);
	return true;
}

/*
 * A lower bound of the rank of all nodes that this scan may yet visit; false,
 * with infinity for a bound, if it will visit no more.
 *
 * If the least rank of them is at least `enough`, any lower bound that is at
 * least `enough` may be returned: the caller only wants to know that nothing
 * below it is left.
 */
static bool
bound_of_unvisited(DiskannScan *state, double enough, double *lower_bound)
{
	bool		limited = state->max_scan_tuples > 0 &&
		state->considered >= state->max_scan_tuples;

	if (!limited && state->phase == PHASE_STREAM)
	{
		if (bound_of_stream(state, enough, lower_bound))
			return true;
		sort_pages(state, "all pages: the graph was used up");
	}
	if (!limited && state->phase == PHASE_PAGES &&
		DiskannSortedPeek(&state->pages, lower_bound))
		return true;
	*lower_bound = get_float8_infinity();
	return false;
}

/* The node that bound_of_unvisited() has told of becomes a result. */
static void
take_sorted(DiskannScan *state)
{
	DiskannFound found;

	state->considered++;
	DiskannSortedTake(&state->pages, &found);
	DiskannOrderAddFound(&state->order, &found);
}

/*
 * Are the rows that pass the filter so few that the walk will be longer than
 * to look at all nodes in turn?
 */
static bool
walk_is_too_long(DiskannScan *state)
{
	int64		rows = state->wanted.rows;
	int64		met = state->returned + state->dropped;

	if (rows <= 0 || state->wanted.filtered_above ||
		(state->reader.filter == NULL && state->filter.count == 0) ||
		state->max_scan_tuples > 0 || met < state->list_size)
		return false;
	return (double) rows * met * WALK_PER_SORT / Max(state->returned, 1) >=
		state->ref.count;
}

/*
 * Visit the node that bound_of_unvisited() has told of, or change to
 * PHASE_PAGES, which has better bounds.
 */
static void
visit_unvisited(DiskannScan *state)
{
	DiskannNode node;

	Assert(state->phase == PHASE_STREAM || state->phase == PHASE_PAGES);

	if (state->phase == PHASE_PAGES)
		take_sorted(state);
	else if (memory_used(state) > state->memory_limit)
		sort_pages(state, "all pages: work_mem was used up");
	else if (walk_is_too_long(state))
		sort_pages(state, "all pages: few rows pass the filter");
	else if (DiskannSearchStream(state->search, &node))
	{
		state->counts.way = "beyond the list";
		visit_node(state, node);
	}
}

/*
 * May the first result be taken, with this lower bound of what has not been
 * visited?  A visit costs a page, so that it is put off as long as possible.
 * What was sorted costs nothing, and spares rows of the table if all that may
 * be as near as the result can be compared with it.
 */
static bool
visited_enough(const DiskannScan *state, const DiskannResult *first,
			   double lower_bound)
{
	int64		rows = Max(state->returned + state->dropped + 1,
						   state->wanted.rows);

	if (state->phase == PHASE_PAGES)
		return lower_bound > DiskannIntervalHigh(&first->found.interval);
	return lower_bound >= first->found.interval.low &&
		state->considered >= visits_for(state, rows);
}

/*
 * Visit nodes until none that is left can be nearer than the first result, and
 * few that are nearer are likely to be met later.  Returns a lower bound of the
 * rank of those left, infinity if there are none.
 */
static double
visit_nearer(DiskannScan *state)
{
	for (;;)
	{
		DiskannResult *first = DiskannOrderPeek(&state->order);
		double		enough = get_float8_infinity();
		double		lower_bound;

		if (first != NULL)
			enough = DiskannIntervalHigh(&first->found.interval);
		if (!bound_of_unvisited(state, enough, &lower_bound))
			return lower_bound;
		if (first != NULL && visited_enough(state, first, lower_bound))
			return lower_bound;
		visit_unvisited(state);
	}
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
		double		lower_bound = visit_nearer(state);
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
		DiskannNodeInit(&state->ref, rel, index, false);
		state->ref.snapshot = state->desc->xs_snapshot;
		DiskannQueryInit(&state->query, index);
		DiskannVisitInit(&state->visit, index);
		state->search = DiskannSearchCreate(state->context);
		DiskannOrderInit(&state->order, &index->space, &state->space_query);
		DiskannRowReaderInit(&state->reader, state->desc, &state->ref,
							 state->context, state->scratch);
		DiskannNodeRowsInit(&state->rows, &state->ref);
		DiskannScanFilterInit(&state->filter, rel, index);
	}
	state->index = index;
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
	state->iterative = diskann_iterative_search;
	state->query_rescore = diskann_query_rescore;
	state->max_scan_tuples = diskann_max_scan_tuples;
	state->list_size = DiskannSearchListSize(state->desc->indexRelation);
	DiskannFindWanted(state->desc, &state->wanted);
	memset(&state->counts, 0, sizeof(state->counts));
	state->phase = PHASE_DONE;
	state->slow = false;
	state->missed = false;
	state->considered = 0;
	state->returned = 0;
	state->dropped = 0;
}

/*
 * Are so many rows wanted that to look at all nodes in turn, and have them
 * sorted, is cheaper than to walk to them?
 */
static bool
wants_all(DiskannScan *state)
{
	int64		rows = state->wanted.rows;

	if (state->iterative == DISKANN_ITERATE_OFF || state->max_scan_tuples > 0)
		return false;
	return rows == 0 || rows * WALK_PER_SORT >= DiskannNodeCount(&state->ref);
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
					  state->query_rescore != 0);
	DiskannScanFilterStart(&state->filter, state->desc);
	DiskannRowReaderStart(&state->reader, state->wanted.node,
						  state->filter.undecided);
	DiskannNodeRowsClear(&state->rows);
	state->max_length2 = 0;
	if (state->index->space.metric == DISKANN_INNER_PRODUCT)
		state->max_length2 = DiskannMaxLength2(rel);
	if (state->filter.never)
		state->counts.way = "nowhere: no row fulfils the conditions";
	else if (prepare_query(state))
	{
		if (wants_all(state))
			sort_all(state);
		else
			search_list(state);
	}
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

void
diskannendscan(IndexScanDesc scan)
{
	DiskannScan *state = scan->opaque;

	DiskannSortedEnd(&state->pages);
	DiskannRowReaderEnd(&state->reader);
	MemoryContextDelete(state->context);
	scan->opaque = NULL;
}
