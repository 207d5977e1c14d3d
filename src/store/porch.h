/*-------------------------------------------------------------------------
 *
 * porch.h
 *	  Porches: rows that are in the index but not linked yet.
 *
 * None of these has anything locked on entry or exit.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/porch.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_PORCH_H
#define DISKANN_PORCH_H

#include "graph/search.h"
#include "store/recent.h"
#include "store/filter_map.h"
#include "store/visit.h"

/*
 * Pending rows, and what their squared distances to a query are hardly below.
 * Codes relative to the centre tell little of rows far from there, so all that
 * may be near is to be visited.
 */
typedef struct DiskannPending
{
	int			count;
	int			alloc;
	int			next;			/* to be taken */
	DiskannNode *nodes;
	float	   *bounds;
} DiskannPending;

/* Room for some is palloc'd in the current context, and grows there. */
extern void DiskannPendingInit(DiskannPending *pending,
							   const DiskannIndex *index);

/*
 * Score all pending rows, or if sought is not NULL, those with such signatures;
 * it has an entry for each filter column.  first is a copy of node 0's head.
 * Share-locks each porch in use in turn.
 */
extern void DiskannReadPending(DiskannNodeRef *ref, const DiskannQuery *query,
							   const DiskannSlotData *first,
							   const DiskannSought *sought,
							   DiskannPending *pending);

/*
 * Take the next of them that may be nearer than all that the search's list, of
 * which all has been visited, leads to, and that has not been visited, for the
 * caller to visit; at the end the others are added to the search.  limit is
 * DiskannSearchReach() before the first.
 */
extern bool DiskannNextPending(DiskannPending *pending,
							   DiskannSearch *search, float limit,
							   DiskannNode *node);

/*
 * Let a porch lead to a node at x with these signatures.  False if those that
 * may be used, "most" of them, are full.  The caller is linking.  Locks porches
 * exclusively, one at a time, and node 0 in share mode; to use another porch,
 * node 0 exclusively.
 */
extern bool DiskannAddPending(DiskannNodeRef *ref, DiskannNode node,
							  const float *x, const uint8 *signatures, int most);

/*
 * The porches in use, or all of them, in their order; returns how many these
 * are.  porches has room for DISKANN_MOST_PORCHES.  Locks node 0 and each porch
 * in share mode.
 */
extern int	DiskannReadPorches(DiskannNodeRef *ref, DiskannNode *porches,
							   bool all);

/* The place of the one among them that this backend has used last, or 0. */
extern int	DiskannLastPorch(const DiskannNodeRef *ref);

/*
 * The nodes a porch leads to, max_degree at most; returns how many there are.
 * Locks it in share mode.
 */
extern int	DiskannReadPorch(DiskannNodeRef *ref, DiskannNode porch,
							 DiskannNode *nodes);

/*
 * The place in this backend's memory for the node of a vector of this hash,
 * which is set if it is that of the place.  Valid until invalidations are
 * accepted.  Reads the metapage if the relation's cache has been emptied.
 */
extern DiskannKnownVector *DiskannKnownNode(const DiskannNodeRef *ref,
											uint64 hash);

/* Let a porch lead to none of these nodes any more.  Locks it exclusively. */
extern void DiskannClearPorch(DiskannNodeRef *ref, DiskannNode porch,
							  const DiskannNode *nodes, int n);

/*
 * Let searches read no more porches than they need to.  The caller is merging,
 * and not linking.  Waits for who is linking, and keeps others from it, if any
 * porch is in use; locks porches in share mode and node 0 exclusively.
 */
extern void DiskannLeavePorches(DiskannNodeRef *ref);

#endif							/* DISKANN_PORCH_H */
