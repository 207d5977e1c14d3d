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

/* A visited node whose rows have not been returned. */
typedef struct DiskannResult
{
	pairingheap_node heap_node;
	DiskannInterval interval;
	double		floor;			/* order->returned when it was added */
	bool		exact;			/* the rank is the operator's own value */
	bool		announced;		/* its row's page is being read ahead */
	DiskannNode node;
	DiskannNode next;			/* its first TIDS slot */
	int			ntids;
	ItemPointerData tids[DISKANN_INLINE_TIDS];
} DiskannResult;

typedef struct DiskannOrder
{
	const DiskannSpace *space;
	const DiskannSpaceQuery *query;
	double		error_factor;	/* of a residual, see DiskannOrderMeasure() */

	/* Set anew by every start. */
	MemoryContext context;		/* of the results */
	bool		strict;			/* the operator decides, not the estimates */
	double		returned;		/* no rank returned was greater than this */
	Size		nresults;		/* added and not yet freed */
	pairingheap *heap;
	DiskannResult *late;		/* a list, linked by heap_node.next_sibling */
	DiskannResult *late_tail;
} DiskannOrder;

/* Both pointers must outlive the order; *query may change between starts. */
extern void DiskannOrderInit(DiskannOrder *order, const DiskannSpace *space,
							 const DiskannSpaceQuery *query);

/*
 * Begin with no results.  They, and the heap, are allocated in the context; its
 * reset frees what an earlier start has left.  Unless strict, the estimated
 * ranks are taken for exact.
 */
extern void DiskannOrderStart(DiskannOrder *order, MemoryContext context,
							  bool strict);

/* The interval of the distance between the query and a node just visited. */
extern void DiskannOrderMeasure(const DiskannOrder *order,
								const DiskannVisit *visit,
								DiskannInterval *interval);

/* Add a live node just visited. */
extern void DiskannOrderAdd(DiskannOrder *order, DiskannNode node,
							const DiskannVisit *visit);

/*
 * The result of the least possible rank, NULL if the heap is empty.  Peek
 * leaves it there.  Take removes it: then it is the caller's, who either gives
 * it back by PutBack, Free or Pass, or returns its rows and frees it.
 */
extern DiskannResult *DiskannOrderPeek(const DiskannOrder *order);
extern DiskannResult *DiskannOrderTake(DiskannOrder *order);
extern void DiskannOrderPutBack(DiskannOrder *order, DiskannResult *result);

/* Free a result that was taken. */
extern void DiskannOrderFree(DiskannOrder *order, DiskannResult *result);

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
 * returned.  False if something farther has been returned already; it is kept
 * then, and handed out by TakeLate, which is called when all else has been
 * returned and gives NULL when there are no more.
 */
extern bool DiskannOrderPass(DiskannOrder *order, DiskannResult *result);
extern DiskannResult *DiskannOrderTakeLate(DiskannOrder *order);

/* The greatest rank that a distance may have. */
static inline double
DiskannIntervalHigh(const DiskannInterval *interval)
{
	return interval->rank + interval->noise + interval->rounding;
}

/* Bytes of memory that results take. */
static inline Size
DiskannOrderMemory(const DiskannOrder *order)
{
	return order->nresults * sizeof(DiskannResult);
}

#endif							/* DISKANN_SCAN_ORDER_H */
