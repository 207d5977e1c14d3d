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

#include "store/visit.h"

/*
 * Let target point to node, whose decoded vector is the query, and whose
 * signatures are given, one for each filter column.  A full list is
 * pruned from its own page; then the link may be judged needless and left out,
 * unless forced.  If that cost target an edge, node gets it instead, so that
 * nothing is cut off.  Nothing is locked on entry and exit; target, and then
 * node, exclusively meanwhile.
 */
extern void DiskannAddBacklink(DiskannNodeRef *ref, DiskannNode target,
							   DiskannNode node, const DiskannQuery *query,
							   const uint8 *signatures, bool force);

/*
 * Let an entry node point to a node at x, if it has room, or else in place of
 * its edge number replace.  Returns the node that this one led to, or
 * DISKANN_INVALID_NODE.  Nothing is locked on entry and exit; the entry node
 * exclusively meanwhile.
 */
extern DiskannNode DiskannLinkEntry(DiskannNodeRef *ref, DiskannNode entry,
									DiskannNode node, const float *x,
									const uint8 *signatures, int replace);

/*
 * Decode the vector of the node that is open, dims floats, and copy its
 * signatures.
 */
extern void DiskannReadOpen(const DiskannNodeRef *ref, float *x,
							uint8 *signatures);

/*
 * The same of a node that something leads to, which is not open; false if it is
 * not live any more.  Nothing is locked on entry and exit; the node in share
 * mode meanwhile.
 */
extern bool DiskannReadLive(DiskannNodeRef *ref, DiskannNode node, float *x,
							uint8 *signatures);

/* A node that may become a neighbour. */
typedef struct DiskannNearNode
{
	DiskannNode node;
	float		dist2;			/* squared distance to the node in question */
	const float *x;				/* its vector, decoded */
	const uint8 *signatures;
} DiskannNearNode;

/*
 * Fill the room there is for edges of the node being edited, at decoded, with
 * those of some candidates that RobustPrune admits beside the edges there are;
 * these are known by their codes.  Candidates are sorted here; one that is a
 * neighbour already is passed over.  The caller writes the edges.  The node is
 * open exclusively on entry and exit.
 */
extern void DiskannFillEdges(DiskannNodeRef *ref, const float *decoded,
							 DiskannNearNode *candidates, int n);

/* Fill a LIVE slot's image for a new node with these neighbours. */
typedef struct DiskannNewNode
{
	const void *own;			/* code of its vector */
	DiskannVectorFactors factors;
	float		length2;
	uint64		hash;
	const DiskannFilterValues *filters;
	const DiskannMarks *marks;
	int			ntids;			/* at most DISKANN_INLINE_TIDS */
	const ItemPointerData *tids;
	DiskannNode next;			/* TIDS slot, or DISKANN_INVALID_NODE */
	uint32		sequence;		/* of that slot, or 0 */
	int			degree;
	const DiskannNode *nodes;
	const float *const *vectors;	/* decoded vectors of the neighbours */
	const uint8 *const *signatures; /* of the neighbours */
} DiskannNewNode;

/* decoded gets the node's own decoded vector, dims floats. */
extern void DiskannFillNode(const DiskannIndex *index, char *image,
							const DiskannNewNode *node, float *decoded);

#endif							/* DISKANN_LINK_H */
