/*-------------------------------------------------------------------------
 *
 * tids.h
 *	  Rows of a node.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/tids.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_TIDS_H
#define DISKANN_TIDS_H

#include "store/node.h"

/*
 * Add a row to a live node that holds the same vector; false if the node is
 * not live any more or holds another vector.  May allocate a TIDS slot.
 */
extern bool DiskannAddTid(DiskannNodeRef *ref, DiskannNode node, uint64 hash,
						  ItemPointer tid);

/* A way through a node's TIDS slots. */
typedef struct DiskannChain
{
	DiskannNode owner;
	DiskannNode next;
	uint32		before;			/* sequence numbers from here on are done */
	DiskannNode slot;			/* the one read last */
} DiskannChain;

extern void DiskannStartChain(DiskannChain *chain, DiskannNode node,
							  DiskannNode first);

/*
 * Read the next TIDS slot; false at the end.  tids has room for
 * index->max_tids.
 */
extern bool DiskannReadChain(DiskannNodeRef *ref, DiskannChain *chain,
							 ItemPointerData *tids, int *ntids);

/*
 * Read the TIDs in a live node's own slot, at most DISKANN_INLINE_TIDS, the
 * first slot of its chain, and the values of filter columns unless values is
 * NULL; false if the node is not live.
 */
extern bool DiskannReadNodeTids(DiskannNodeRef *ref, DiskannNode node,
								ItemPointerData *tids, int *ntids,
								DiskannNode *next,
								DiskannFilterValues *values);

#endif							/* DISKANN_TIDS_H */
