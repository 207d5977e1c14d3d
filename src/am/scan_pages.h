/*-------------------------------------------------------------------------
 *
 * scan_pages.h
 *	  The nodes of all pages, sorted by the least rank they may have.
 *
 * A scan that wants all rows, or whose walk has come to an end, measures every
 * node that it has not visited, in the order of the pages, and has them sorted.
 * What a node's result needs goes through the sort, so that no page is read
 * twice, and memory is bounded by work_mem.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_pages.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_PAGES_H
#define DISKANN_SCAN_PAGES_H

#include "am/scan_order.h"
#include "compat.h"
#include "executor/tuptable.h"
#include "utils/tuplesort.h"

typedef struct DiskannSortedNodes
{
	Tuplesortstate *sort;		/* of (rank, found node); NULL: not begun */
	TupleTableSlot *slot;		/* takes its tuples */
	bool		pending;		/* slot holds the next node */
} DiskannSortedNodes;

/* Begin with no nodes, in the current context.  Nothing may have begun. */
extern void DiskannSortedBegin(DiskannSortedNodes *nodes);

/* Add a node; after the last one, sort them. */
extern void DiskannSortedPut(DiskannSortedNodes *nodes,
							 const DiskannFound *found);
extern void DiskannSortedPerform(DiskannSortedNodes *nodes);

/* The least rank that the next node may have; false if there is none. */
extern bool DiskannSortedPeek(DiskannSortedNodes *nodes, double *rank);

/* The node that Peek has told of; the next one comes after it. */
extern void DiskannSortedTake(DiskannSortedNodes *nodes, DiskannFound *found);

/* Release the sort, if there is one, before its context is reset. */
extern void DiskannSortedEnd(DiskannSortedNodes *nodes);

#endif							/* DISKANN_SCAN_PAGES_H */
