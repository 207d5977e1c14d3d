/*-------------------------------------------------------------------------
 *
 * scan_order.c
 *	  The order in which a scan returns the nodes it has visited.
 *
 * A node's distance is computed from its stored, rounded vector, so that only
 * an interval of it is known.  The result whose interval begins first is the
 * next to be returned if its interval ends before any other's begins; otherwise
 * only a look at the row itself can tell.
 *
 * A result can turn up after something farther has been returned: the search is
 * approximate, and has not met it earlier.  In strict order it is late, and has
 * no place any more.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_order.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "am/scan_order.h"
#include "utils/float.h"

/*
 * How far stored distances, or two of them, may be off as a multiple of the
 * standard error of their rounding.  Beyond 5 lies one in 3 million.  That two
 * rows are returned in the wrong order is rarer still, less than one in 100
 * million, since their distances must also differ by no more than the error.
 */
#define ERROR_SIGMAS 5.0

/*
 * The relative error of a sum of products in single precision, with room to
 * spare: it is that of about 60 roundings.
 */
#define FLOAT_SLACK 4e-6

/* ---------- intervals ---------- */

static void
measure_interval(const DiskannOrder *order, const DiskannVisit *visit,
				 DiskannInterval *interval)
{
	const DiskannSpace *space = order->space;
	const DiskannSpaceQuery *query = order->query;
	const DiskannSlotData *head = &visit->head;
	double		dist2 = visit->dist2;
	double		dist = sqrt(dist2);
	double		residual = head->residual;
	double		mapping;
	double		noise;
	double		rounding;

	/*
	 * With q the query, o the stored vector and n its error, |n| = residual,
	 * the true squared distance differs from the computed one by 2<q - o, n>
	 * and |n|^2.  n is rounding noise in a randomly rotated space: <q - o, n>
	 * is at most |q - o||n| and has a standard deviation of that by
	 * sqrt(dims).
	 */
	noise = 2 * dist * residual * order->error_factor;

	/*
	 * Mapping both vectors to index space rounds them relative to their
	 * lengths before centring.
	 */
	mapping = FLOAT_SLACK * (sqrt(head->length2) + sqrt(query->length2));
	rounding = 2 * dist * mapping + residual * residual + mapping * mapping +
		FLOAT_SLACK * (query->norm2 + head->norm2 + dist2) + FLT_MIN;

	/*
	 * An inner product is the difference of squares.  A cosine distance is 1
	 * minus a number that may be close to 1, which operators sum up in single
	 * precision.
	 */
	if (space->metric == DISKANN_INNER_PRODUCT)
		rounding += FLOAT_SLACK * (space->max_norm2 + query->length2);
	else if (space->metric == DISKANN_COSINE)
		rounding += 2 * FLOAT_SLACK;

	interval->rank = diskann_space_rank(space, query, dist2, head->length2);
	interval->noise = diskann_space_rank(space, query, dist2 + noise,
										 head->length2) - interval->rank;

	/* The operator rounds, too. */
	interval->rounding = diskann_space_rank(space, query, dist2 + rounding,
											head->length2) -
		interval->rank + 2 * FLOAT_SLACK * fabs(interval->rank);
	interval->low = interval->rank - interval->noise - interval->rounding;
}

/* Take the rank for exact, whatever was known of it. */
static void
set_rank(DiskannInterval *interval, double rank)
{
	interval->rank = interval->low = rank;
	interval->noise = interval->rounding = 0;
}

/* DiskannOrderMeasure(), for the compiler to put into DiskannOrderAdd(). */
static inline bool
measure(const DiskannOrder *order, DiskannNode node, const DiskannVisit *visit,
		DiskannFound *found)
{
	const DiskannSlotData *head = &visit->head;

	Assert(head->state == DISKANN_LIVE);
	Assert(head->ntids <= DISKANN_INLINE_TIDS);

	measure_interval(order, visit, &found->interval);
	if (found->interval.low > order->bound)
		return false;
	if (!order->strict)
		set_rank(&found->interval, found->interval.rank);
	found->node = node;
	found->next = head->next;
	found->ntids = head->ntids;
	memcpy(found->tids, head->tids, sizeof(found->tids));
	return true;
}

bool
DiskannOrderMeasure(const DiskannOrder *order, DiskannNode node,
					const DiskannVisit *visit, DiskannFound *found)
{
	return measure(order, node, visit, found);
}

void
DiskannOrderFindRow(const DiskannOrder *order, ItemPointer tid,
					double distance, DiskannFound *found)
{
	set_rank(&found->interval, diskann_space_rank_of(order->space, distance));
	found->node = DISKANN_INVALID_NODE;
	found->next = DISKANN_INVALID_NODE;
	found->ntids = 1;
	found->tids[0] = *tid;
}

/* ---------- the heap ---------- */

static const DiskannResult *
result_of(const pairingheap_node *node)
{
	return pairingheap_const_container(DiskannResult, heap_node, node);
}

/* A pairing heap has its greatest on top, so what is nearer is greater. */
static int
compare_results(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const DiskannResult *x = result_of(a);
	const DiskannResult *y = result_of(b);

	if (x->found.interval.low != y->found.interval.low)
		return x->found.interval.low < y->found.interval.low ? 1 : -1;
	return x->found.node < y->found.node ? 1 : -1;
}

void
DiskannOrderInit(DiskannOrder *order, const DiskannSpace *space,
				 const DiskannSpaceQuery *query)
{
	Assert(space->dims > 0);

	memset(order, 0, sizeof(DiskannOrder));
	order->space = space;
	order->query = query;
	order->error_factor = Min(1.0, ERROR_SIGMAS / sqrt(space->dims));
}

void
DiskannOrderStart(DiskannOrder *order, MemoryContext context, bool strict,
				  double bound)
{
	MemoryContext old = MemoryContextSwitchTo(context);

	order->context = context;
	order->strict = strict;
	order->bound = diskann_space_rank_of_bound(order->space, bound);
	order->returned = -get_float8_infinity();
	order->nresults = 0;
	order->heap = pairingheap_allocate(compare_results, NULL);
	MemoryContextSwitchTo(old);
}

/* A result that is not in the heap; found is to be filled in. */
static DiskannResult *
create_result(DiskannOrder *order)
{
	DiskannResult *result = MemoryContextAlloc(order->context,
											   sizeof(DiskannResult));

	result->floor = order->returned;
	result->exact = false;
	result->announced = false;
	result->passes = false;
	result->rejected = false;
	order->nresults++;
	return result;
}

void
DiskannOrderAdd(DiskannOrder *order, DiskannNode node,
				const DiskannVisit *visit, bool rejected)
{
	DiskannResult *result = create_result(order);

	result->rejected = rejected;
	if (measure(order, node, visit, &result->found))
		pairingheap_add(order->heap, &result->heap_node);
	else
		DiskannOrderFree(order, result);
}

void
DiskannOrderAddFound(DiskannOrder *order, const DiskannFound *found)
{
	DiskannResult *result = create_result(order);

	result->found = *found;
	pairingheap_add(order->heap, &result->heap_node);
}

DiskannResult *
DiskannOrderPeek(const DiskannOrder *order)
{
	if (pairingheap_is_empty(order->heap))
		return NULL;
	return pairingheap_container(DiskannResult, heap_node,
								 pairingheap_first(order->heap));
}

DiskannResult *
DiskannOrderTake(DiskannOrder *order)
{
	if (pairingheap_is_empty(order->heap))
		return NULL;
	return pairingheap_container(DiskannResult, heap_node,
								 pairingheap_remove_first(order->heap));
}

void
DiskannOrderPutBack(DiskannOrder *order, DiskannResult *result)
{
	Assert(order->nresults > 0);

	pairingheap_add(order->heap, &result->heap_node);
}

void
DiskannOrderFree(DiskannOrder *order, DiskannResult *result)
{
	Assert(order->nresults > 0);

	order->nresults--;
	pfree(result);
}

void
DiskannOrderClear(DiskannOrder *order)
{
	DiskannResult *result;

	while ((result = DiskannOrderTake(order)) != NULL)
		DiskannOrderFree(order, result);
}

int
DiskannOrderTakeDoubtful(DiskannOrder *order, DiskannResult *first,
						 DiskannResult **results, int most)
{
	double		high = DiskannIntervalHigh(&first->found.interval);
	pairingheap_node *exact = NULL;
	DiskannResult *next;
	int			n = 0;

	results[n++] = first;
	while (n < most && (next = DiskannOrderPeek(order)) != NULL &&
		   next->found.interval.low <= high)
	{
		next = DiskannOrderTake(order);
		high = Max(high, DiskannIntervalHigh(&next->found.interval));
		if (!next->exact && !next->rejected)
			results[n++] = next;
		else
		{
			next->heap_node.next_sibling = exact;
			exact = &next->heap_node;
		}
	}
	while (exact != NULL)
	{
		pairingheap_node *node = exact;

		exact = node->next_sibling;
		pairingheap_add(order->heap, node);
	}
	return n;
}

/* ---------- which is next ---------- */

void
DiskannOrderSetExact(const DiskannOrder *order, DiskannResult *result,
					 double distance)
{
	Assert(order->strict && !result->exact);

	set_rank(&result->found.interval, diskann_space_rank_of(order->space, distance));
	result->exact = true;
}

/*
 * Is the first certainly nearer?  The noise of two results is independent, so
 * that of their difference is the root of the sum of squares.
 */
static bool
is_nearer(const DiskannInterval *a, const DiskannInterval *b)
{
	double		noise2 = a->noise * a->noise + b->noise * b->noise;

	return b->rank - a->rank > sqrt(noise2) + a->rounding + b->rounding;
}

/*
 * The heap node that a walk, parents before children, comes to after this one
 * and all of its descendants; NULL at the end.  The first child of a node
 * points to that, every other one to the sibling before it.
 */
static const pairingheap_node *
next_outside(const pairingheap_node *node)
{
	while (node->next_sibling == NULL)
	{
		const pairingheap_node *before = node->prev_or_parent;

		while (before != NULL && before->first_child != node)
		{
			Assert(before->next_sibling == node);
			node = before;
			before = node->prev_or_parent;
		}
		if (before == NULL)
			return NULL;
		node = before;
	}
	return node->next_sibling;
}

/*
 * Is a result that was taken certainly nearer than all in the heap?  None of a
 * heap node's descendants can begin before the node itself does, so that they
 * need not be looked at if the result ends before that.
 *
 * The heap may be as deep as it has nodes.  Therefore this walks it in a loop
 * rather than by calling itself.
 */
static bool
is_nearest(const DiskannOrder *order, const DiskannResult *result)
{
	const pairingheap_node *node = order->heap->ph_root;
	double		high = DiskannIntervalHigh(&result->found.interval);

	while (node != NULL)
	{
		const DiskannResult *other = result_of(node);

		Assert(other->found.interval.low >= result->found.interval.low);
		if (high < other->found.interval.low)
			node = next_outside(node);
		else if (!other->rejected &&
				 !is_nearer(&result->found.interval, &other->found.interval))
			return false;
		else if (node->first_child != NULL)
			node = node->first_child;
		else
			node = next_outside(node);
	}
	return true;
}

bool
DiskannOrderIsCertain(const DiskannOrder *order, const DiskannResult *result,
					  double lower_bound)
{
	Assert(order->strict && !result->exact);

	return result->found.interval.low >= result->floor &&
		DiskannIntervalHigh(&result->found.interval) <= lower_bound &&
		is_nearest(order, result);
}

bool
DiskannOrderPass(DiskannOrder *order, const DiskannResult *result)
{
	const DiskannInterval *interval = &result->found.interval;

	if (order->strict && interval->low < result->floor)
		return false;
	order->returned = Max(order->returned, DiskannIntervalHigh(interval));
	return true;
}
