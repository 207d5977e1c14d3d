/*-------------------------------------------------------------------------
 *
 * scan_walk.c
 *	  Which nodes a scan visits, and when it has visited enough.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_walk.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "am/options.h"
#include "am/scan_walk.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "store/roster.h"
#include "utils/float.h"

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

static bool
has_bound(const DiskannScan *state)
{
	return state->order.bound < get_float8_infinity();
}

/*
 * The size that is set, or what the rows wanted need, if that is more.  Within
 * a bound there may be fewer rows: they need no more than a stream.
 */
static int
size_of_list(const DiskannScan *state)
{
	int64		size = Min(visits_for(state, Max(state->wanted.rows, 0)),
						   MAX_LIST_SIZE);

	if (has_bound(state))
		return state->list_size;
	if (state->max_scan_tuples > 0)
		size = Min(size, state->max_scan_tuples);
	return (int) Max(size, state->list_size);
}

/*
 * Visit the pending nodes that may be nearer than the last of the list, however
 * many they are.  Share-locks one slot at a time.
 */
static void
visit_pending(DiskannScan *state)
{
	float		limit = DiskannSearchReach(state->search);
	DiskannNode node;

	while (DiskannNextPending(&state->pending, state->search, limit, &node))
		visit_node(state, node);
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
	DiskannReadPending(&state->ref, &state->query, state->visit.head.owner,
					   &state->pending);
	state->counts.estimates += state->pending.count;
	while (visit_next(state))
		;
	visit_pending(state);
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

	Assert(CurrentMemoryContext == state->results_context);

	DiskannSortedBegin(&state->pages);
	for (DiskannNode node = DISKANN_ENTRY_NODE + 1; node < count; node++)
	{
		DiskannFound found;

		CHECK_FOR_INTERRUPTS();
		if (DiskannSearchVisited(state->search, node) ||
			!DiskannMeasureNext(&state->ref, &state->query, node, visit))
			continue;
		state->counts.visits++;
		if (DiskannScanFilterPasses(&state->filter, &visit->filters) &&
			DiskannOrderMeasure(&state->order, node, visit, &found))
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

/* bound_of_unvisited(), but that *lower_bound is not set if there are none. */
static bool
has_unvisited(DiskannScan *state, double enough, double *lower_bound)
{
	if (state->max_scan_tuples > 0 &&
		state->considered >= state->max_scan_tuples)
		return false;
	if (state->phase == PHASE_STREAM)
	{
		if (bound_of_stream(state, enough, lower_bound))
			return *lower_bound <= state->order.bound;
		sort_pages(state, "all pages: the graph was used up");
	}
	return state->phase == PHASE_PAGES &&
		DiskannSortedPeek(&state->pages, lower_bound);
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
	if (has_unvisited(state, enough, lower_bound))
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

double
DiskannWalkNearer(DiskannScan *state)
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

/* ---------- the start ---------- */

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
	return rows == DISKANN_ROWS_ALL ||
		rows * WALK_PER_SORT >= DiskannNodeCount(&state->ref);
}

/*
 * All rows within the bound are wanted: visit what may be within it before the
 * first is returned, so that none is found too late for its place.  All pages
 * are sorted instead once that is cheaper.
 */
static void
visit_bounded(DiskannScan *state)
{
	double		infinity = get_float8_infinity();
	double		lower_bound;

	while (state->phase == PHASE_STREAM &&
		   bound_of_unvisited(state, infinity, &lower_bound))
	{
		if (state->considered * WALK_PER_SORT >= DiskannNodeCount(&state->ref))
			sort_pages(state, "all pages: the bound holds many");
		else
			visit_unvisited(state);
	}
}

void
DiskannWalkStart(DiskannScan *state)
{
	bool		all = wants_all(state);

	if (all && !has_bound(state))
		sort_all(state);
	else
		search_list(state);
	if (all && has_bound(state))
		visit_bounded(state);
}
