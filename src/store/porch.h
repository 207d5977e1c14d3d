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
 * it has an entry for each filter column.  first is the first porch, as node 0
 * has it.  Share-locks each porch in turn.
 */
extern void DiskannReadPending(DiskannNodeRef *ref, const DiskannQuery *query,
							   DiskannNode first, const DiskannSought *sought,
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
 * Let a porch lead to a node at x with these signatures.  False if all are
 * full, and there are as many as there may be.  Locks porches exclusively, one
 * at a time, and node 0 in share mode; to create one, while linking, node 0
 * exclusively.
 */
extern bool DiskannAddPending(DiskannNodeRef *ref, DiskannNode node,
							  const float *x, const uint8 *signatures, int most);

/* The first porch, or DISKANN_INVALID_NODE.  Locks node 0 in share mode. */
extern DiskannNode DiskannFirstPorch(DiskannNodeRef *ref);

/*
 * The porch this backend has added a row to last, or if that is not known, the
 * first one: those behind it have been filled before.
 */
extern DiskannNode DiskannLastPorch(DiskannNodeRef *ref);

/*
 * All porches, first to last; returns how many there are.  porches has room for
 * DISKANN_MOST_PORCHES.  Locks node 0 and each porch in share mode.
 */
extern int	DiskannReadPorches(DiskannNodeRef *ref, DiskannNode *porches);

/*
 * The nodes a porch leads to, max_degree at most; returns how many there are.
 * *next is the porch behind it.  Locks it in share mode.
 */
extern int	DiskannReadPorch(DiskannNodeRef *ref, DiskannNode porch,
							 DiskannNode *nodes, DiskannNode *next);

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

#endif							/* DISKANN_PORCH_H */
