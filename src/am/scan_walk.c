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

#include "am/effort.h"
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
 * The list is left once the nearest estimate in it is farther than the k-th
 * nearest node visited, by a share of this distance that is STOP_GAP for one
 * row and less for more of them; but a part of it is always visited.
 */
#define STOP_GAP 0.24
#define STOP_GAP_POWER (-0.3)
#define LEAST_SHARE 4

/* Estimates from codes of fewer bits are too rough for that. */
#define LEAST_STOP_BITS 128

/* Beyond this a heap takes no longer than a list. */
#define MAX_LIST_SIZE 2000

/*
 * A walk among nodes that match should have so many of the roster for a start;
 * otherwise it gets some from the map.
 */
#define MATCHING_STARTS 16

/*
 * All that matches may take so many times what a walk to far matches does,
 * which misses some.
 */
#define FAR_WALKS 2

/* ---------- visiting ---------- */

/* The next node of the list, or of the walk among nodes that match. */
static bool
next_to_visit(DiskannScan *state, DiskannNode *node)
{
	if (state->phase == PHASE_MATCH)
		return DiskannMatchNext(state->match, node);
	return DiskannSearchNext(state->search, node);
}

static bool
look_ahead(const DiskannScan *state, DiskannNode *node)
{
	if (state->phase == PHASE_MATCH)
		return DiskannMatchLookAhead(state->match, node);
	return DiskannSearchLookAhead(state->search, node);
}

/*
 * Have the processor fetch the node that is to be visited next, as far as is
 * known now.  Pages that come from a disk are read ahead instead.
 */
static inline void
fetch_next(DiskannScan *state)
{
	DiskannNode next;

	if (state->slow || !look_ahead(state, &next) || next == state->fetched)
		return;
	DiskannNodePrefetch(&state->ref, next);
	state->fetched = next;
}

/*
 * Offer the neighbours of the node just visited to a search among nodes that
 * match, as it does or not.
 */
static void
offer_matching(DiskannScan *state, DiskannNode node, bool matches)
{
	const DiskannVisit *visit = &state->visit;
	bool		may_match[DISKANN_MAX_DEGREE];

	DiskannMatchVisited(state->match, node, matches);
	DiskannSeekSignatures(state->index, visit->signatures, state->seek.sought,
						  visit->degree, may_match);
	DiskannMatchAddAll(state->match, visit->nodes, visit->estimates, may_match,
					   visit->degree);
}

/*
 * Visit a node, which has not been visited before; its rows become a result,
 * its neighbours candidates of the search.  The node may have been freed.
 * Share-locks its slot for the time of the call.
 */
static void
visit_node(DiskannScan *state, DiskannNode node)
{
	DiskannVisit *visit = &state->visit;
	bool		passes;

	Assert(state->phase == PHASE_LIST || state->phase == PHASE_STREAM ||
		   state->phase == PHASE_MATCH);

	CHECK_FOR_INTERRUPTS();
	state->counts.visits++;
	if (!DiskannVisitNode(&state->ref, &state->query, node, visit, NULL))
		visit->degree = 0;
	if (node == state->left_out)
	{
		visit->head.state = DISKANN_DEAD;
		if (!state->left_out_leads)
			visit->degree = 0;
	}
	state->counts.estimates += visit->degree;

	/* Tombstones only lead to other nodes. */
	passes = visit->head.state == DISKANN_LIVE &&
		DiskannScanFilterPasses(&state->filter, &visit->filters);
	if (state->phase == PHASE_MATCH)
		offer_matching(state, node, passes);
	else
		DiskannSearchAddAll(state->search, visit->nodes, visit->estimates,
							visit->degree);
	fetch_next(state);
	state->considered += passes || state->phase != PHASE_MATCH ? 1 : 0;
	if (visit->head.state != DISKANN_LIVE)
		return;
	DiskannNearestAdd(&state->nearest, visit->dist2);
	if (passes || state->phase != PHASE_MATCH)
		DiskannOrderAdd(&state->order, node, visit, !passes);
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
	int			width = state->slow ? BEAM_WIDTH : 1;
	int			n = 0;
	int64		before = blocks_read();
	instr_time	start;
	instr_time	end;
	bool		timed = state->missed && !state->slow;

	Assert(state->phase == PHASE_LIST || state->phase == PHASE_MATCH);

	while (n < width && next_to_visit(state, &beam[n]))
		n++;
	if (n == 0)
		return false;
	if (state->slow)
	{
		for (int i = 0; i < n; i++)
			DiskannNodeReadAhead(&state->ref, beam[i]);
	}
	fetch_next(state);

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
		(state->match ? DiskannMatchMemory(state->match) : 0) +
		DiskannOrderMemory(&state->order);
}

/* No index has so many nodes as there may be rows wanted. */
static int64
visits_for(const DiskannScan *state, int64 rows)
{
	return Min(DiskannVisitsFor(state->list_size, rows), PG_UINT32_MAX);
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
 * Prepare to leave the list early, if estimates are good and the number of rows
 * that are going to be asked for is known: none must be rejected by a filter.
 */
static void
prepare_stop(DiskannScan *state, int size)
{
	const DiskannEdgeShape *shape = &state->index->shape;
	int64		rows = state->wanted.rows;

	if (rows <= 0 || rows > size || state->wanted.filtered ||
		shape->planes * shape->code_dims < LEAST_STOP_BITS ||
		state->reader.filter != NULL || DiskannScanFilters(&state->filter) ||
		state->iterative == DISKANN_ITERATE_OFF)
		return;
	state->nearest.size = (int) rows;
	state->nearest.distances = palloc(sizeof(float) * rows);
}

/* Is what the list has left so far that no row wanted is likely among it? */
static bool
may_stop(const DiskannScan *state, float gap2)
{
	float		key;
	float		last;

	return DiskannNearestLast(&state->nearest, &last) &&
		state->considered >= state->counts.list_size / LEAST_SHARE &&
		DiskannSearchPeekList(state->search, &key) &&
		key > gap2 * last;
}

/* Visit the nodes of the list, all of them or as many as the rows need. */
static void
visit_list(DiskannScan *state)
{
	double		gap = 1 + STOP_GAP * pow(Max(state->nearest.size, 1),
										 STOP_GAP_POWER);

	while (visit_next(state))
	{
		if (may_stop(state, gap * gap))
		{
			DiskannSearchLeaveList(state->search);
			state->stopped = true;
			state->counts.way = "the nearer part of the list";
			break;
		}
	}
}

/*
 * Score the pending nodes, all or those with signatures that are sought.  The
 * start of the search has just visited node 0, which tells where they are.
 */
static void
read_pending(DiskannScan *state, const DiskannSought *sought)
{
	DiskannReadPending(&state->ref, &state->query, &state->visit.head,
					   sought, &state->pending);
	state->counts.estimates += state->pending.count;
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
	prepare_stop(state, size);

	/* Entry nodes are no candidates: they take no place in the list. */
	state->phase = PHASE_LIST;
	state->fetched = DISKANN_INVALID_NODE;
	state->counts.estimates += DiskannStartSearch(&state->ref, &state->query,
												  &state->visit,
												  state->search);
	state->counts.visits++;
	read_pending(state, NULL);
	visit_list(state);
	visit_pending(state);
	visit_list(state);

	/* The list takes what it was set to take; more is bounded by work_mem. */
	state->memory_limit = memory_used(state) + (Size) work_mem * 1024;
	state->phase = iterate ? PHASE_STREAM : PHASE_DONE;
}

/* ---------- all pages, sorted ---------- */

/*
 * Measure a node that has not been visited, and have it sorted, if it is live
 * and may fulfil the conditions.  Share-locks its slot for the time of the
 * call.
 */
static void
sort_node(DiskannScan *state, DiskannNode node)
{
	DiskannVisit *visit = &state->visit;
	DiskannFound found;

	CHECK_FOR_INTERRUPTS();
	if (node == state->left_out ||
		DiskannSearchVisited(state->search, node) ||
		!DiskannMeasureNext(&state->ref, &state->query, node, visit))
		return;
	state->counts.visits++;
	if (DiskannScanFilterPasses(&state->filter, &visit->filters) &&
		DiskannOrderMeasure(&state->order, node, visit, &found))
		DiskannSortedPut(&state->pages, &found);
}

/* Sort the nodes that the map names.  Locks as above, and pages of the map. */
static void
sort_map(DiskannScan *state)
{
	DiskannNode *nodes = palloc(sizeof(DiskannNode) *
								DiskannMapPageNodes(state->index));
	DiskannMapScan scan;
	int			n;

	DiskannMapBegin(&scan, &state->ref, state->seek.sought);
	while (DiskannMapNext(&scan, nodes, &n))
	{
		for (int i = 0; i < n; i++)
		{
			if (i + 1 < n)
				DiskannNodePrefetch(&state->ref, nodes[i + 1]);
			sort_node(state, nodes[i]);
		}
	}
	pfree(nodes);
}

/*
 * Measure the nodes that have not been visited, from all pages in turn, or
 * those that the map names, and put them into the sort.  Nodes that no edge
 * leads to are found here.  Share-locks one slot at a time.
 */
static void
sort_nodes(DiskannScan *state)
{
	DiskannNode count = DiskannNodeCount(&state->ref);

	if (state->seek.narrow)
	{
		sort_map(state);
		return;
	}
	for (DiskannNode node = DISKANN_ENTRY_NODE + 1; node < count; node++)
		sort_node(state, node);
}

/*
 * All rows are wanted, or the graph is exhausted, or memory is, as "why" tells
 * whoever asks what the scan has done: go on with all nodes, sorted.  Locks as
 * above.
 */
static void
sort_pages(DiskannScan *state, const char *why)
{
	Assert(CurrentMemoryContext == state->results_context);

	DiskannSortedBegin(&state->pages);
	sort_nodes(state);
	DiskannSortedPerform(&state->pages);
	state->phase = PHASE_PAGES;
	state->counts.way = why;
}

/* The same with the table, where what has been visited is found again. */
static void
sort_table(DiskannScan *state)
{
	DiskannOrderClear(&state->order);
	state->counts.rescored += DiskannSortTable(&state->reader, &state->order,
											   &state->given, &state->pages);
	state->phase = PHASE_PAGES;
	state->counts.way = "the table: few rows pass the filter";
}

/* The same with nothing visited. */
static void
sort_all(DiskannScan *state, const char *why)
{
	DiskannSearchReset(state->search, state->list_size, true);
	sort_pages(state, why);
}

/* ---------- among nodes that match ---------- */

/* How many visits takes a walk to as many nodes as a list of this size has? */
static double
visits_to_match(const DiskannScanSeek *seek, double list_size)
{
	return DiskannVisitsToMatch(list_size, seek->share, seek->by_value ?
								seek->by_first / Max(seek->matching, 1) : 0);
}

/* Do all nodes that match take no longer to measure than so many visits? */
static bool
matches_cost(const DiskannScan *state, double visits)
{
	double		matching = state->seek.matching;

	return (state->max_scan_tuples <= 0 ||
			matching <= state->max_scan_tuples) &&
		matching <= DISKANN_MEASURES_PER_VISIT * visits;
}

/* Is it cheaper to measure all nodes that match than to walk to them? */
static bool
matches_are_few(const DiskannScan *state, double list_size)
{
	return matches_cost(state, visits_to_match(&state->seek, list_size));
}

/* Start a walk from nodes that the map has told of.  Locks as sort_node(). */
static void
start_from_map(DiskannScan *state)
{
	DiskannVisit *visit = &state->visit;
	const DiskannNode *nodes = state->seek.some;
	const bool	may_match = true;

	for (int i = 0; i < state->seek.nsome; i++)
	{
		if (DiskannSearchVisited(state->search, nodes[i]) ||
			!DiskannMeasureNext(&state->ref, &state->query, nodes[i], visit))
			continue;
		state->counts.visits++;
		DiskannMatchAddAll(state->match, &nodes[i], &visit->dist2, &may_match,
						   1);
	}
}

/*
 * Visit until the list is used up, and note what has been done for it.  What
 * matches is all measured if it is far and not too much.
 */
static void
walk_matching(DiskannScan *state)
{
	do
	{
		while (visit_next(state))
			;
		state->counts.bridges = DiskannMatchBridges(state->match);
		if (matches_cost(state, FAR_WALKS * DiskannMatchFarSize(state->match)))
		{
			sort_pages(state, "filter map: what matches is far");
			return;
		}
	} while (DiskannMatchLengthen(state->match));
}

/* Pass through PHASE_MATCH as far as the list reaches. */
static void
search_matching(DiskannScan *state)
{
	int			size = state->iterative == DISKANN_ITERATE_OFF ?
		state->list_size : size_of_list(state);
	int			scored;
	int			starts;

	state->counts.list_size = size;
	state->counts.way = "filtered walk";
	DiskannSearchReset(state->search, size, true);
	DiskannMatchReset(state->match, state->search, size,
					  Max(state->seek.matching, 1), state->seek.share,
					  state->seek.by_value);
	state->phase = PHASE_MATCH;
	state->fetched = DISKANN_INVALID_NODE;
	starts = DiskannStartMatch(&state->ref, &state->query, &state->visit,
							   state->seek.sought, state->match, &scored);
	state->counts.estimates += scored;
	state->counts.visits++;
	read_pending(state, state->seek.sought);
	if (starts < MATCHING_STARTS)
		start_from_map(state);
	walk_matching(state);
	if (state->phase == PHASE_MATCH)
	{
		visit_pending(state);
		walk_matching(state);
	}
	state->memory_limit = memory_used(state) + (Size) work_mem * 1024;
	if (state->iterative == DISKANN_ITERATE_OFF && state->phase == PHASE_MATCH)
		state->phase = PHASE_DONE;
}

/*
 * Visit more of what matches than the list has held, or measure all of it where
 * that is cheaper or the walk has found too little.
 */
static void
match_further(DiskannScan *state)
{
	int64		size = 2 * state->counts.list_size;

	if (memory_used(state) > state->memory_limit)
		sort_pages(state, "filter map: work_mem was used up");
	else if (matches_are_few(state, size))
		sort_pages(state, "filter map: many of what matches is wanted");
	else
	{
		state->counts.list_size = size;
		DiskannMatchGrow(state->match, (int) size);
		walk_matching(state);
	}
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
 * The same where the list holds what matches.  If it is not full, there is
 * nothing more that the walk can find.
 */
static bool
bound_of_matching(DiskannScan *state, double *lower_bound)
{
	float		dist2;

	if (!DiskannSearchLimit(state->search, &dist2))
		return false;
	*lower_bound = rank_of_estimate(state, dist2);
	return true;
}

/*
 * May what is left hold rows that are wanted?  Not if it is beyond the bound,
 * once as many nodes have been visited as the rows within it need.
 */
static bool
may_be_wanted(const DiskannScan *state, double lower_bound)
{
	int64		rows = state->returned + state->order.nresults;

	if (state->wanted.rows > 0)
		rows = Min(rows, state->wanted.rows);
	return lower_bound <= state->order.bound ||
		state->considered < visits_for(state, rows);
}

/* bound_of_unvisited(), but that *lower_bound is not set if there are none. */
static bool
has_unvisited(DiskannScan *state, double enough, double *lower_bound)
{
	if (state->max_scan_tuples > 0 &&
		state->considered >= state->max_scan_tuples)
		return false;
	if (state->phase == PHASE_MATCH)
	{
		if (bound_of_matching(state, lower_bound))
			return may_be_wanted(state, *lower_bound);
		sort_pages(state, "filter map: the walk was used up");
	}
	else if (state->phase == PHASE_STREAM)
	{
		if (bound_of_stream(state, enough, lower_bound))
			return may_be_wanted(state, *lower_bound);
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

/* The share of rows that pass, if it is known how many are wanted; else 1. */
static double
share_passing(const DiskannScan *state)
{
	int64		met = state->returned + state->dropped;

	if (state->wanted.rows <= 0 || state->wanted.filtered_above ||
		(state->reader.filter == NULL && !DiskannScanFilters(&state->filter)) ||
		state->max_scan_tuples > 0 || met < state->list_size / LEAST_SHARE)
		return 1;
	return Max(state->returned, 1) / (double) Max(met, 1);
}

/*
 * Where so few rows pass the filter that the walk will be longer than to read
 * the table, if that may be done, or to look at all nodes in turn, change to
 * that.  Returns whether it has.
 */
static bool
give_up_walk(DiskannScan *state)
{
	double		share = share_passing(state);
	double		rows = state->wanted.rows;

	if (share == 1)
		return false;
	if (DiskannReadsTable(rows, share, state->ref.count) &&
		DiskannRowReaderMayReadTable(&state->reader))
		sort_table(state);
	else if (rows / share * DISKANN_WALK_PER_SORT >= state->ref.count)
		sort_pages(state, "all pages: few rows pass the filter");
	else
		return false;
	return true;
}

/*
 * Visit the node that bound_of_unvisited() has told of, or change to
 * PHASE_PAGES, which has better bounds.
 */
static void
visit_unvisited(DiskannScan *state)
{
	DiskannNode node;

	Assert(state->phase == PHASE_STREAM || state->phase == PHASE_MATCH ||
		   state->phase == PHASE_PAGES);

	if (state->phase == PHASE_PAGES)
		take_sorted(state);
	else if (state->phase == PHASE_MATCH)
		match_further(state);
	else if (memory_used(state) > state->memory_limit)
		sort_pages(state, "all pages: work_mem was used up");
	else if (!give_up_walk(state) &&
			 DiskannSearchStream(state->search, &node))
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
		((state->stopped && rows <= state->wanted.rows) ||
		 state->considered >= visits_for(state, rows));
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

void
DiskannWalkInit(DiskannScan *state, Relation rel, DiskannIndex *index)
{
	Assert(CurrentMemoryContext == state->context);

	DiskannNodeInit(&state->ref, rel, index, false);
	DiskannQueryInit(&state->query, index);
	DiskannVisitInit(&state->visit, index);
	state->search = DiskannSearchCreate(state->context);
	DiskannPendingInit(&state->pending, index);
	DiskannOrderInit(&state->order, &index->space, &state->space_query);
	DiskannScanFilterInit(&state->filter, rel, index);
	DiskannScanSeekInit(&state->seek, index, state->filter.columns);
	if (state->seek.signatures)
	{
		DiskannVisitInitSignatures(&state->visit, index);
		state->match = DiskannMatchCreate(state->context);
	}
	state->left_out = DISKANN_INVALID_NODE;
	state->index = index;
}

void
DiskannWalkReset(DiskannScan *state)
{
	state->iterative = diskann_iterative_search;
	state->max_scan_tuples = diskann_max_scan_tuples;
	memset(&state->counts, 0, sizeof(state->counts));
	state->phase = PHASE_DONE;
	state->slow = false;
	state->missed = false;
	state->stopped = false;
	memset(&state->given, 0, sizeof(state->given));
	state->nearest.size = 0;
	state->nearest.count = 0;
	state->considered = 0;
	state->returned = 0;
	state->dropped = 0;
}

/* How many nodes would be measured if all that may match were. */
static double
nodes_to_sort(DiskannScan *state)
{
	if (state->seek.narrow)
		return state->seek.matching;
	return DiskannNodeCount(&state->ref);
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
	return rows == DISKANN_ROWS_ALL ||
		(double) rows * DISKANN_WALK_PER_SORT >= nodes_to_sort(state);
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

	while ((state->phase == PHASE_STREAM || state->phase == PHASE_MATCH) &&
		   bound_of_unvisited(state, infinity, &lower_bound))
	{
		if (state->considered * DISKANN_WALK_PER_SORT >= nodes_to_sort(state))
			sort_pages(state, "all pages: the bound holds many");
		else
			visit_unvisited(state);
	}
}

void
DiskannWalkStart(DiskannScan *state)
{
	bool		all;

	DiskannScanSeekStart(&state->seek, &state->filter, &state->ref);
	state->visit.wants_signatures = state->seek.narrow;
	if (state->seek.narrow)
		state->counts.share = state->seek.share;
	all = wants_all(state);
	if (all && !has_bound(state))
		sort_all(state, state->seek.narrow ?
				 "filter map: so many rows are wanted" :
				 "all pages: so many rows are wanted");
	else if (!state->seek.narrow)
		search_list(state);
	else if (matches_are_few(state, size_of_list(state)))
		sort_all(state, "filter map");
	else
		search_matching(state);
	if (all && has_bound(state))
		visit_bounded(state);
}
