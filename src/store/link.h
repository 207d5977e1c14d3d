/*-------------------------------------------------------------------------
 *
 * link.h
 *	  Edges between stored nodes.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/link.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_LINK_H
#define DISKANN_LINK_H

#include "store/node.h"

/*
 * Let target point to node, whose decoded vector x is given.  A full list is
 * pruned from its own page; then the link may be judged needless and left out,
 * unless forced.  If that cost target an edge, node gets it instead, so that
 * nothing is cut off.  Nothing is locked on entry and exit; target, and then
 * node, exclusively meanwhile.
 */
extern void DiskannAddBacklink(DiskannNodeRef *ref, DiskannNode target,
							   DiskannNode node, const float *x, bool force);

/*
 * Let the entry node point to a node at x, if it has room, or else in place of
 * its edge number replace, unless that is negative.  Nothing is locked on entry
 * and exit; the entry node exclusively meanwhile.
 */
extern void DiskannLinkEntry(DiskannNodeRef *ref, DiskannNode node,
						   const float *x, int replace);

/*
 * The same for a newly inserted node, with the probability that keeps the
 * entry node's edges a uniform sample of all nodes (reservoir sampling).
 */
extern void DiskannOfferToEntry(DiskannNodeRef *ref, DiskannNode node,
							  const float *x);

/* Fill a LIVE slot's image for a new node with these neighbours. */
typedef struct DiskannNewNode
{
	const void *own;			/* code of its vector */
	DiskannVectorFactors factors;
	float		length2;
	uint64		hash;
	int			ntids;			/* at most DISKANN_INLINE_TIDS */
	const ItemPointerData *tids;
	DiskannNode next;			/* TIDS slot, or DISKANN_INVALID_NODE */
	uint32		sequence;		/* of that slot, or 0 */
	int			degree;
	const DiskannNode *nodes;
	const float *const *vectors;	/* decoded vectors of the neighbours */
} DiskannNewNode;

/* decoded gets the node's own decoded vector, dims floats. */
extern void DiskannFillNode(const DiskannIndex *index, char *image,
							const DiskannNewNode *node, float *decoded);

#endif							/* DISKANN_LINK_H */
