/*-------------------------------------------------------------------------
 *
 * scan.c
 *	  Rows in order of their distance to a query.
 *
 * A scan walks the graph with its search list, then goes on as far as rows are
 * wanted, and at last through all pages: every row is returned once.
 *
 * What is visited waits in a heap with an interval for its distance, from the
 * own vector's code.  The least leaves the heap when nothing unvisited promises
 * to be nearer.  In strict order it does so only if its interval does not reach
 * into the next one's; otherwise its row is fetched and compared by the
 * operator itself.  A row found to be nearer than what was already returned is
 * kept until everything else has been.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/relscan.h"
#include "access/tableam.h"
#include "am/am.h"
#include "am/options.h"
#include "am/scan.h"
#include "catalog/index.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "graph/search.h"
#include "kernels/kernels.h"
#include "lib/pairingheap.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "store/tids.h"
#include "store/visit.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"
#include "values/row.h"

/*
 * How far stored distances, or two of them, may be off as a multiple of the
 * standard error of their rounding.  Beyond 5 lies one in 3 million; that two
 * rows are taken for certain in the wrong order is rarer still, since they must
 * also be as near to each other as the error: less than one in 100 million.
 */
#define ERROR_SIGMAS 5.0

/* Relative error of a float sum of products, with room. */
#define FLOAT_SLACK 4e-6

/*
 * Reading ahead.  A page that is not in shared buffers costs little if the
 * operating system has it, and asking for pages ahead would only add to that.
 * So a scan begins to ask once a visit that had to read took this long.  From
 * then on it visits a beam of so many nodes at a time, whose pages are read
 * together, and has the rows read that are going to be returned, at first as
 * many.
 */
#define SLOW_VISIT_US 40
#define BEAM_WIDTH 8
#define ROWS_AHEAD 12
#define MOST_ROWS_AHEAD 48

/* A visited node whose rows have not been returned. */
typedef struct Found
{
	pairingheap_node heap_node;
	double		rank;			/* of its distance, see vector/space.h */
	double		noise;			/* which may be off by this at random, */
	double		rounding;		/* and by this in any case */
	double		low;			/* the least it may be */
	double		floor;			/* rank of what was returned before */
	bool		exact;			/* it is the operator's own value */
	bool		announced;		/* its row is being read ahead */
	DiskannNode node;
	DiskannNode next;			/* first TIDS slot */
	int			ntids;
	ItemPointerData tids[DISKANN_INLINE_TIDS];
} Found;

/* What the rest of the nodes come from. */
typedef enum Source
{
	SOURCE_LIST,				/* the search list */
	SOURCE_STREAM,				/* what did not fit into it */
	SOURCE_PAGES,				/* all pages, sorted */
	SOURCE_UNORDERED,			/* all pages, as they come */
	SOURCE_NONE
} Source;

typedef struct DiskannScan
{
	MemoryContext context;		/* of the scan */
	MemoryContext results_context;	/* reset by a rescan */
	const DiskannSupport *support;
	DiskannIndex *index;		/* NULL while it has no rows */
	bool		started;

	DiskannNodeRef ref;
	DiskannQuery query;
	DiskannSpaceQuery space_query;
	DiskannVisit visit;
	DiskannSearch *search;
	double		error_factor;	/* of a residual, see distance_interval() */
	float		max_length2;

	Source		source;
	pairingheap *results;
	Size		nresults;
	Found	   *late;			/* nearer than what was returned; a list */
	Found	   *late_tail;
	double		returned;		/* nothing returned lies beyond this */
	DiskannScanCounts counts;
	bool		slow;			/* pages come from a disk: read ahead */
	bool		missed;			/* the last visit had to read a page */
	int			rows_ahead;
	int			query_rescore;
	int			iterative;
	int			max_scan_tuples;
	Size		memory_limit;

	Tuplesortstate *sort;		/* SOURCE_PAGES: (distance, node) */
	TupleTableSlot *sort_slot;
	bool		sort_pending;	/* sort_slot holds the next one */
	DiskannNode next_page_node; /* SOURCE_UNORDERED */
	DiskannNode node_count;

	/* The rows being returned. */
	ItemPointerData *tids;
	int			ntids;
	int			tid;
	DiskannChain chain;			/* where more of them come from */

	/* Fetching rows to compare them. */
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;
	IndexInfo  *index_info;		/* of an expression index */
	EState	   *estate;
	MemoryContext fetch_context;
	ScanKeyData orderby;
} DiskannScan;

/* Of the scan that was asked for a row last. */
static DiskannScanCounts last_scan;

DiskannScanCounts
DiskannLastScan(void)
{
	return last_scan;
}

/* ---------- distances ---------- */

/*
 * The rank of the node just visited and how far off it may be.  The stored
 * vector is off by n with |n| = residual, so that the true squared distance
 * differs from the computed one by 2<q - o, n> and |n|^2.  n is rounding noise in
 * a randomly rotated space: <q - o, n> is at most |q - o||n| and has a standard
 * deviation of that by sqrt(dims).  What mapping to index space rounds is
 * relative to the lengths before centring.
 */
static void
measure_result(const DiskannScan *state, Found *result)
{
	const DiskannSpace *space = &state->index->space;
	const DiskannSlotData *head = &state->visit.head;
	double		dist2 = state->visit.dist2;
	double		dist = sqrt(dist2);
	double		residual = head->residual;
	double		mapping = FLOAT_SLACK * (sqrt(head->length2) +
										 sqrt(state->space_query.length2));
	double		noise = 2 * dist * residual * state->error_factor;
	double		rounding = 2 * dist * mapping +
	residual * residual + mapping * mapping +
	FLOAT_SLACK * (state->query.norm2 + head->norm2 + dist2) + FLT_MIN;

	/*
	 * An inner product is the difference of squares.  A cosine distance is 1
	 * minus something near it, which operators sum up in single precision.
	 */
	if (space->metric == DISKANN_INNER_PRODUCT)
		rounding += FLOAT_SLACK * (space->max_norm2 +
								   state->space_query.length2);
	else if (space->metric == DISKANN_COSINE)
		rounding += 2 * FLOAT_SLACK;

	result->rank = diskann_space_rank(space, &state->space_query, dist2,
									  head->length2);
	result->noise = diskann_space_rank(space, &state->space_query,
									   dist2 + noise, head->length2) -
		result->rank;

	/* The operator rounds, too. */
	result->rounding = diskann_space_rank(space, &state->space_query,
										  dist2 + rounding, head->length2) -
		result->rank + 2 * FLOAT_SLACK * fabs(result->rank);
	result->low = result->rank - result->noise - result->rounding;
}

static inline double
highest(const Found *result)
{
	return result->rank + result->noise + result->rounding;
}

static int
compare_results(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const Found *x = pairingheap_const_container(Found, heap_node, a);
	const Found *y = pairingheap_const_container(Found, heap_node, b);

	/* A pairing heap has its greatest on top. */
	if (x->low != y->low)
		return x->low < y->low ? 1 : -1;
	return x->node < y->node ? 1 : -1;
}

/* ---------- visiting ---------- */

static void
push_result(DiskannScan *state)
{
	const DiskannSlotData *head = &state->visit.head;
	Found	   *result = MemoryContextAlloc(state->results_context,
											sizeof(Found));

	measure_result(state, result);
	if (state->iterative == DISKANN_ITERATE_RELAXED ||
		state->query_rescore == 0)
	{
		result->noise = result->rounding = 0;
		result->low = result->rank;
	}
	result->floor = state->returned;
	result->exact = false;
	result->announced = false;
	result->node = state->ref.node;
	result->next = head->next;
	result->ntids = head->ntids;
	memcpy(result->tids, head->tids, sizeof(ItemPointerData) * head->ntids);
	pairingheap_add(state->results, &result->heap_node);
	state->nresults++;
}

/* Visit a node; its rows become results, its neighbours candidates. */
static void
visit_node(DiskannScan *state, DiskannNode node)
{
	DiskannVisit *visit = &state->visit;

	CHECK_FOR_INTERRUPTS();
	state->counts.visits++;
	if (!DiskannVisitNode(&state->ref, &state->query, node, visit, NULL))
		return;
	state->counts.estimates += visit->degree;
	if (state->source == SOURCE_LIST || state->source == SOURCE_STREAM)
		DiskannSearchAddAll(state->search, visit->nodes, visit->estimates,
							visit->degree);

	if (visit->head.state == DISKANN_LIVE)
		push_result(state);
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
		state->nresults * sizeof(Found);
}

/*
 * The graph is exhausted, or memory is: sort what has not been visited, all
 * pages in turn.  Nodes that no edge leads to are found here.
 */
static void
sort_pages(DiskannScan *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->results_context);
	TupleDesc	desc = CreateTemplateTupleDesc(2);
	AttrNumber	column = 1;
	Oid			less = Float8LessOperator;
	Oid			collation = InvalidOid;
	bool		nulls_first = false;
	DiskannNode count = DiskannNodeCount(&state->ref);

	TupleDescInitEntry(desc, 1, "distance", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "node", INT8OID, -1, 0);
	state->sort = tuplesort_begin_heap(desc, 1, &column, &less, &collation,
									   &nulls_first, work_mem, NULL,
									   TUPLESORT_NONE);
	if (state->sort_slot)
		ExecDropSingleTupleTableSlot(state->sort_slot);
	state->sort_slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	MemoryContextSwitchTo(old);

	for (DiskannNode node = DISKANN_ENTRY_NODE + 1; node < count; node++)
	{
		TupleTableSlot *slot = state->sort_slot;
		Found		result;

		CHECK_FOR_INTERRUPTS();
		if (DiskannSearchVisited(state->search, node) ||
			!DiskannVisitNext(&state->ref, &state->query, node,
							  &state->visit, NULL) ||
			state->visit.head.state != DISKANN_LIVE)
			continue;
		measure_result(state, &result);
		ExecClearTuple(slot);
		slot->tts_values[0] = Float8GetDatum(result.low);
		slot->tts_values[1] = Int64GetDatum(node);
		slot->tts_isnull[0] = slot->tts_isnull[1] = false;
		ExecStoreVirtualTuple(slot);
		tuplesort_puttupleslot(state->sort, slot);
	}
	tuplesort_performsort(state->sort);
	state->source = SOURCE_PAGES;
	state->sort_pending = false;
}

static double
promise(const DiskannScan *state, float key)
{
	return diskann_space_lower_bound(&state->index->space, &state->space_query,
								 Max(0, key), state->max_length2);
}

/*
 * Least rank that what is not visited promises; false: nothing is left.  Any
 * bound will do that is not below enough.
 */
static bool
peek_source(DiskannScan *state, double enough, double *rank)
{
	float		key;

	if (state->max_scan_tuples > 0 && state->counts.visits >= state->max_scan_tuples)
		return false;
	if (state->source == SOURCE_STREAM)
	{
		if (DiskannSearchBound(state->search, &key) &&
			(*rank = promise(state, key)) >= enough)
			return true;
		if (DiskannSearchPeek(state->search, &key))
		{
			*rank = promise(state, key);
			return true;
		}
		sort_pages(state);
	}
	if (state->source != SOURCE_PAGES)
		return false;
	if (!state->sort_pending)
		state->sort_pending = tuplesort_gettupleslot(state->sort, true, false,
													 state->sort_slot, NULL);
	if (!state->sort_pending)
		return false;
	slot_getallattrs(state->sort_slot);
	*rank = DatumGetFloat8(state->sort_slot->tts_values[0]);
	return true;
}

/* Visit the node that peek_source() told of, or find a better source. */
static void
advance_source(DiskannScan *state)
{
	DiskannNode node;

	if (state->source == SOURCE_PAGES)
	{
		node = (DiskannNode) DatumGetInt64(state->sort_slot->tts_values[1]);
		state->sort_pending = false;
		visit_node(state, node);
	}
	else if (memory_used(state) > state->memory_limit)
		sort_pages(state);
	else if (DiskannSearchStream(state->search, &node))
		visit_node(state, node);
}

static void
search_list(DiskannScan *state, int list_size)
{
	DiskannSearchReset(state->search, list_size,
					   state->iterative != DISKANN_ITERATE_OFF);

	/* The entry node is no candidate: it takes no place in the list. */
	visit_node(state, DISKANN_ENTRY_NODE);
	while (visit_next(state))
		;

	/* The list takes what it was set to take; more is bounded by work_mem. */
	state->memory_limit = memory_used(state) + (Size) work_mem * 1024;
	state->source = state->iterative == DISKANN_ITERATE_OFF ?
		SOURCE_NONE : SOURCE_STREAM;
}

/* ---------- comparing by the rows themselves ---------- */

/* The indexed value of the row in state->slot. */
static Datum
indexed_value(IndexScanDesc scan, DiskannScan *state, bool *isnull)
{
	AttrNumber	attno = scan->indexRelation->rd_index->indkey.values[0];
	Datum		values[INDEX_MAX_KEYS];
	bool		isnulls[INDEX_MAX_KEYS];

	if (attno != 0)
		return slot_getattr(state->slot, attno, isnull);
	if (state->estate == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);

		state->index_info = BuildIndexInfo(scan->indexRelation);
		state->estate = CreateExecutorState();
		MemoryContextSwitchTo(old);
	}
	ResetPerTupleExprContext(state->estate);
	GetPerTupleExprContext(state->estate)->ecxt_scantuple = state->slot;
	FormIndexDatum(state->index_info, state->slot, state->estate, values,
				   isnulls);
	*isnull = isnulls[0];
	return values[0];
}

/* The operator's distance of one row; false if the row is not visible. */
static bool
fetch_distance(IndexScanDesc scan, DiskannScan *state, ItemPointer tid,
			   double *distance)
{
	MemoryContext old;
	ItemPointerData root = *tid;	/* becomes that of the visible version */
	bool		call_again = false;
	bool		all_dead = false;
	bool		isnull;
	Datum		value;

	if (state->fetch == NULL)
	{
		old = MemoryContextSwitchTo(state->context);
		state->fetch = table_index_fetch_begin(scan->heapRelation);
		state->slot = table_slot_create(scan->heapRelation, NULL);
		MemoryContextSwitchTo(old);
	}
	if (!table_index_fetch_tuple(state->fetch, &root, scan->xs_snapshot,
								 state->slot, &call_again, &all_dead))
		return false;

	old = MemoryContextSwitchTo(state->fetch_context);
	value = indexed_value(scan, state, &isnull);
	if (!isnull)
		*distance = DatumGetFloat8(FunctionCall2Coll(&state->orderby.sk_func,
													 state->orderby.sk_collation,
													 value,
													 state->orderby.sk_argument));
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->fetch_context);
	ExecClearTuple(state->slot);
	return !isnull;
}

/*
 * Replace a result's interval by the operator's value.  All its rows have the
 * same vector, so any visible one will do.  False if there is none.
 */
static bool
rescore(IndexScanDesc scan, DiskannScan *state, Found *result)
{
	double		distance = 0;
	bool		found = false;
	DiskannChain chain;

	state->counts.rescored++;
	for (int i = 0; i < result->ntids && !found; i++)
		found = fetch_distance(scan, state, &result->tids[i], &distance);
	DiskannStartChain(&chain, result->node, result->next);
	while (!found && DiskannReadChain(&state->ref, &chain, state->tids,
									  &state->ntids))
	{
		for (int i = 0; i < state->ntids && !found; i++)
			found = fetch_distance(scan, state, &state->tids[i], &distance);
	}
	state->ntids = 0;
	if (found)
	{
		result->rank = diskann_space_rank_of(&state->index->space, distance);
		result->low = result->rank;
		result->noise = result->rounding = 0;
		result->exact = true;
	}
	return found;
}

/* ---------- results in order ---------- */

static Found *
top_result(DiskannScan *state)
{
	if (pairingheap_is_empty(state->results))
		return NULL;
	return pairingheap_container(Found, heap_node,
								 pairingheap_first(state->results));
}

static Found *
pop_result(DiskannScan *state)
{
	return pairingheap_container(Found, heap_node,
								 pairingheap_remove_first(state->results));
}

/*
 * Is the result certainly nearer than all in this part of the heap?  None of a
 * node's descendants may be nearer than the node itself.  The noise of two
 * results is independent.
 */
static bool
is_nearest(const Found *result, const pairingheap_node *node)
{
	for (; node != NULL; node = node->next_sibling)
	{
		const Found *other = pairingheap_const_container(Found, heap_node,
														 node);
		double		noise2 = result->noise * result->noise +
		other->noise * other->noise;

		if (highest(result) < other->low)
			continue;
		if (other->rank - result->rank <=
			sqrt(noise2) + result->rounding + other->rounding ||
			!is_nearest(result, node->first_child))
			return false;
	}
	return true;
}

/*
 * May this result, just popped, be returned without looking at its row?
 * promised is the least rank of what has not been visited.
 */
static bool
is_certain(DiskannScan *state, const Found *result, double promised)
{
	if (result->exact || state->query_rescore == 0 ||
		state->iterative == DISKANN_ITERATE_RELAXED)
		return true;
	if (state->counts.rescored < state->query_rescore)
		return false;
	return result->low >= result->floor && highest(result) <= promised &&
		is_nearest(result, state->results->ph_root);
}

static void
keep_for_last(DiskannScan *state, Found *result)
{
	result->heap_node.next_sibling = NULL;
	if (state->late == NULL)
		state->late = result;
	else
		state->late_tail->heap_node.next_sibling = &result->heap_node;
	state->late_tail = result;
}

static Found *
pop_late(DiskannScan *state)
{
	Found	   *result = state->late;

	if (result)
		state->late = result->heap_node.next_sibling == NULL ? NULL :
			pairingheap_container(Found, heap_node,
								  result->heap_node.next_sibling);
	return result;
}

/*
 * Have the pages of the rows read that are nearest now.  Called before a row is
 * looked at or returned: when it is one that nothing has been done about yet,
 * it and those after it are announced.
 */
static void
read_rows_ahead(IndexScanDesc scan, DiskannScan *state, Found *first)
{
	Found	   *results[MOST_ROWS_AHEAD];
	int			n = 0;

	if (!state->slow || first->announced)
		return;
	results[n++] = first;
	while (n < state->rows_ahead && !pairingheap_is_empty(state->results))
		results[n++] = pop_result(state);
	for (int i = 0; i < n; i++)
	{
		if (!results[i]->announced && results[i]->ntids > 0)
			(void) PrefetchBuffer(scan->heapRelation, MAIN_FORKNUM,
								  ItemPointerGetBlockNumber(&results[i]->tids[0]));
		results[i]->announced = true;
		if (i > 0)
			pairingheap_add(state->results, &results[i]->heap_node);
	}
	state->rows_ahead = Min(2 * state->rows_ahead, MOST_ROWS_AHEAD);
}

/* The next node whose rows are to be returned. */
static Found *
next_result(IndexScanDesc scan, DiskannScan *state)
{
	bool		strict = state->iterative != DISKANN_ITERATE_RELAXED &&
	state->query_rescore != 0;

	for (;;)
	{
		Found	   *result = top_result(state);
		double		promised = get_float8_infinity();

		if (peek_source(state, result ? highest(result) : promised, &promised) &&
			(result == NULL || promised < result->low))
		{
			advance_source(state);
			continue;
		}
		result = top_result(state);
		if (result == NULL)
			return pop_late(state);
		result = pop_result(state);
		read_rows_ahead(scan, state, result);
		if (!is_certain(state, result, promised))
		{
			if (rescore(scan, state, result))
				pairingheap_add(state->results, &result->heap_node);
			else
			{
				state->nresults--;
				pfree(result);
			}
			continue;
		}
		if (strict && result->low < result->floor)
		{
			keep_for_last(state, result);
			continue;
		}
		state->nresults--;
		state->returned = Max(state->returned, highest(result));
		return result;
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

	state->context = context;
	state->results_context = AllocSetContextCreate(context,
												   "diskann scan results",
												   ALLOCSET_DEFAULT_SIZES);
	state->fetch_context = AllocSetContextCreate(context,
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

	state->started = false;
	if (state->sort)
		tuplesort_end(state->sort);
	state->sort = NULL;
	if (state->sort_slot)
		ExecDropSingleTupleTableSlot(state->sort_slot);
	state->sort_slot = NULL;
	MemoryContextReset(state->results_context);
	if (state->fetch)
		table_index_fetch_reset(state->fetch);
	if (orderbys && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys,
				scan->numberOfOrderBys * sizeof(ScanKeyData));
}

/* Allocate what a scan needs once it is known that the index has rows. */
static void
prepare_index(IndexScanDesc scan, DiskannScan *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);

	state->index = DiskannLoadIndex(scan->indexRelation, state->context,
									state->support->metric);
	if (state->index)
	{
		const DiskannIndex *index = state->index;

		DiskannNodeInit(&state->ref, scan->indexRelation, index, false);
		state->ref.snapshot = scan->xs_snapshot;
		DiskannQueryInit(&state->query, index);
		DiskannVisitInit(&state->visit, index);
		state->search = DiskannSearchCreate(state->context);
		state->tids = palloc(sizeof(ItemPointerData) *
							 Max(index->meta.max_tids, DISKANN_INLINE_TIDS));
		state->error_factor = Min(1.0, ERROR_SIGMAS / sqrt(index->space.dims));
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
	MemoryContext old;
	DiskannRow	row;
	bool		found;

	if (state->orderby.sk_flags & SK_ISNULL)
		return false;
	DiskannVerifyQueryType(state->ref.rel, state->support,
						  state->orderby.sk_subtype);
	old = MemoryContextSwitchTo(state->fetch_context);
	found = DiskannReadRow(state->support, state->orderby.sk_argument,
						   index->meta.dims, &row);
	if (found)
		memcpy(state->query.x, row.x, sizeof(float) * row.dims);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->fetch_context);
	if (!found)
		return false;
	diskann_space_query(&index->space, state->query.x, &state->space_query);
	state->query.norm2 = state->space_query.norm2;
	DiskannQueryPrepare(&state->query, index);
	return true;
}

static void
start_scan(IndexScanDesc scan, DiskannScan *state)
{
	if (scan->numberOfOrderBys != 1)
		elog(ERROR, "a diskann index scan needs an order");

	/*
	 * Nothing is pinned between calls, so a row's place may be taken by
	 * another row; only an MVCC snapshot does not see that one.
	 */
	if (!IsMVCCSnapshot(scan->xs_snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("non-MVCC snapshots are not supported with diskann")));

	pgstat_count_index_scan(scan->indexRelation);
	DiskannCountSearch(scan);
	state->started = true;
	state->orderby = scan->orderByData[0];
	state->iterative = diskann_iterative_search;
	state->query_rescore = diskann_query_rescore;
	state->max_scan_tuples = diskann_max_scan_tuples;
	state->results = pairingheap_allocate(compare_results, NULL);
	state->nresults = 0;
	state->late = NULL;
	state->returned = -get_float8_infinity();
	memset(&state->counts, 0, sizeof(state->counts));
	state->slow = false;
	state->missed = false;
	state->rows_ahead = ROWS_AHEAD;
	state->ntids = 0;
	state->tid = 0;
	state->chain.next = DISKANN_INVALID_NODE;
	state->source = SOURCE_NONE;

	if (state->index == NULL)
		prepare_index(scan, state);
	if (state->index == NULL)
		return;
	state->max_length2 = state->index->space.metric == DISKANN_INNER_PRODUCT ?
		DiskannMaxLength2(scan->indexRelation) : 0;
	if (prepare_query(state))
	{
		state->source = SOURCE_LIST;
		search_list(state, DiskannSearchListSize(scan->indexRelation));
	}
	else
	{
		state->source = SOURCE_UNORDERED;
		state->next_page_node = DISKANN_ENTRY_NODE + 1;
		state->node_count = DiskannNodeCount(&state->ref);
	}
}

/* Put the rows of the next node, or TIDS slot, into state->tids. */
static bool
next_tids(IndexScanDesc scan, DiskannScan *state)
{
	Found	   *result;

	state->tid = 0;
	if (DiskannReadChain(&state->ref, &state->chain, state->tids,
						 &state->ntids))
		return true;
	if (state->source == SOURCE_UNORDERED)
	{
		while (state->next_page_node < state->node_count)
		{
			DiskannNode node = state->next_page_node++;
			DiskannNode first;

			CHECK_FOR_INTERRUPTS();
			if (!DiskannReadNodeTids(&state->ref, node, state->tids,
									 &state->ntids, &first))
				continue;
			DiskannStartChain(&state->chain, node, first);
			return true;
		}
		return false;
	}
	if (state->index == NULL)
		return false;
	result = next_result(scan, state);
	if (result == NULL)
		return false;
	DiskannStartChain(&state->chain, result->node, result->next);
	state->ntids = result->ntids;
	memcpy(state->tids, result->tids, sizeof(ItemPointerData) * result->ntids);
	pfree(result);
	return true;
}

bool
diskanngettuple(IndexScanDesc scan, ScanDirection dir)
{
	DiskannScan *state = scan->opaque;
	MemoryContext old = MemoryContextSwitchTo(state->results_context);
	bool		found = true;

	Assert(ScanDirectionIsForward(dir));
	if (!state->started)
		start_scan(scan, state);
	while (found && state->tid >= state->ntids)
		found = next_tids(scan, state);
	if (found)
	{
		scan->xs_heaptid = state->tids[state->tid++];
		scan->xs_recheck = false;
		scan->xs_recheckorderby = false;
	}
	last_scan = state->counts;
	MemoryContextSwitchTo(old);
	return found;
}

void
diskannendscan(IndexScanDesc scan)
{
	DiskannScan *state = scan->opaque;

	if (state->sort)
		tuplesort_end(state->sort);
	if (state->sort_slot)
		ExecDropSingleTupleTableSlot(state->sort_slot);
	if (state->slot)
		ExecDropSingleTupleTableSlot(state->slot);
	if (state->fetch)
		table_index_fetch_end(state->fetch);
	if (state->estate)
		FreeExecutorState(state->estate);
	MemoryContextDelete(state->context);
	scan->opaque = NULL;
}
