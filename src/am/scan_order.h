/*-------------------------------------------------------------------------
 *
 * scan_order.h
 *	  The order in which a scan returns the nodes it has visited.
 *
 * A visited node becomes a result: the interval in which the rank of its
 * distance lies (see vector/space.h for ranks), and where its rows are.  The
 * results wait in a heap until they are taken from it, least possible rank
 * first.  Whoever has looked at a result's row replaces its interval by the
 * exact rank and puts it back.
 *
 * Nothing here reads a page or knows of a relation.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_order.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_ORDER_H
#define DISKANN_SCAN_ORDER_H

#include "lib/pairingheap.h"
#include "store/visit.h"
#include "vector/space.h"

/* The rank of a distance, and how far off it may be. */
typedef struct DiskannInterval
{
	double		rank;
	double		noise;			/* bound of the random part of its error */
	double		rounding;		/* bound of the rest of its error */
	double		low;			/* rank - noise - rounding */
} DiskannInterval;

/* A live node that has been read: how far it is, and where its rows are. */
typedef struct DiskannFound
{
	DiskannInterval interval;
	DiskannNode node;
	DiskannNode next;			/* its first TIDS slot */
	int			ntids;
	ItemPointerData tids[DISKANN_INLINE_TIDS];
} DiskannFound;

/* One whose rows have not been returned. */
typedef struct DiskannResult
{
	pairingheap_node heap_node;
	DiskannFound found;
	double		floor;			/* order->returned when it was added */
	bool		exact;			/* the rank is the operator's own value */
	bool		announced;		/* its row's page is being read ahead */
	bool		passes;			/* one of its rows passes the filter */
	bool		rejected;		/* the index tells that none of them does */
} DiskannResult;

typedef struct DiskannOrder
{
	const DiskannSpace *space;
	const DiskannSpaceQuery *query;
	double		error_factor;	/* of a residual, see DiskannOrderMeasure() */

	/* Set anew by every start. */
	MemoryContext context;		/* of the results */
	bool		strict;			/* the operator decides, not the estimates */
	double		bound;			/* no rank beyond is wanted */
	double		returned;		/* no rank returned was greater than this */
	Size		nresults;		/* added and not yet freed */
	pairingheap *heap;
} DiskannOrder;

/* Both pointers must outlive the order; *query may change between starts. */
extern void DiskannOrderInit(DiskannOrder *order, const DiskannSpace *space,
							 const DiskannSpaceQuery *query);

/*
 * Begin with no results.  They, and the heap, are allocated in the context; its
 * reset frees what an earlier start has left.  Unless strict, the estimated
 * ranks are taken for exact.  What is certainly beyond the bound, a distance,
 * is not wanted.
 */
extern void DiskannOrderStart(DiskannOrder *order, MemoryContext context,
							  bool strict, double bound);

/* What there is to know of a live node just visited; false: not wanted. */
extern bool DiskannOrderMeasure(const DiskannOrder *order, DiskannNode node,
								const DiskannVisit *visit,
								DiskannFound *found);

/* The same of a row alone, with the operator's distance. */
extern void DiskannOrderFindRow(const DiskannOrder *order, ItemPointer tid,
								double distance, DiskannFound *found);

/*
 * Add a live node just visited, if it is wanted, or one measured before.  One
 * that is rejected is not going to be returned; it is taken in its turn, so
 * that the caller knows how many are nearer.
 */
extern void DiskannOrderAdd(DiskannOrder *order, DiskannNode node,
							const DiskannVisit *visit, bool rejected);
extern void DiskannOrderAddFound(DiskannOrder *order,
								 const DiskannFound *found);

/*
 * The result of the least possible rank, NULL if the heap is empty.  Peek
 * leaves it there.  Take removes it: then it is the caller's, who either gives
 * it back by PutBack, Free or Pass, or returns its rows and frees it.
 */
extern DiskannResult *DiskannOrderPeek(const DiskannOrder *order);
extern DiskannResult *DiskannOrderTake(DiskannOrder *order);
extern void DiskannOrderPutBack(DiskannOrder *order, DiskannResult *result);

/* Free a result that was taken; free all that have not been. */
extern void DiskannOrderFree(DiskannOrder *order, DiskannResult *result);
extern void DiskannOrderClear(DiskannOrder *order);

/*
 * Take, after one that was taken, those that are not rejected and whose
 * distances are not exact, as long as each may be nearer than one before it: at
 * most so many, the first among them, which are put into the array.  Returns
 * how many.
 */
extern int	DiskannOrderTakeDoubtful(DiskannOrder *order, DiskannResult *first,
									 DiskannResult **results, int most);

/* Replace the interval of a result that was taken by the operator's value. */
extern void DiskannOrderSetExact(const DiskannOrder *order,
								 DiskannResult *result, double distance);

/*
 * Is a result that was taken certainly nearer than all others, and farther than
 * what was returned before?  lower_bound is at most the rank of any node that
 * has not been visited.
 */
extern bool DiskannOrderIsCertain(const DiskannOrder *order,
								  const DiskannResult *result,
								  double lower_bound);

/*
 * May the rows of a result that was taken be returned next?  True counts it as
 * returned.  False if something farther has been returned already, and the
 * order is strict.
 */
extern bool DiskannOrderPass(DiskannOrder *order, const DiskannResult *result);

/* The greatest rank that a distance may have. */
static inline double
DiskannIntervalHigh(const DiskannInterval *interval)
{
	return interval->rank + interval->noise + interval->rounding;
}

/* Has something that is certainly farther been returned already? */
static inline bool
DiskannOrderIsLate(const DiskannResult *result)
{
	return DiskannIntervalHigh(&result->found.interval) < result->floor;
}

/* Bytes of memory that results take. */
static inline Size
DiskannOrderMemory(const DiskannOrder *order)
{
	return order->nresults * sizeof(DiskannResult);
}

#endif							/* DISKANN_SCAN_ORDER_H */
