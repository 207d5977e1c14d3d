/*-------------------------------------------------------------------------
 *
 * linker.h
 *	  Finding the edges of new nodes, and writing them.
 *
 * None of these has anything locked on entry or exit.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/linker.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_LINKER_H
#define DISKANN_LINKER_H

#include "store/link.h"

typedef struct DiskannLinker DiskannLinker;

/* Allocate one in context; index stays the caller's. */
extern DiskannLinker *DiskannLinkerCreate(MemoryContext context, Relation rel,
										  const DiskannIndex *index);

/*
 * Add a row: to a node that has the same vector and values, or as a new one,
 * linked both ways; returns the node.  Of *new its edges are set here.  The
 * caller is linking.  Locks slots of nodes exclusively, one at a time.
 */
extern DiskannNode DiskannLinkerInsert(DiskannLinker *linker,
									   DiskannNewNode *new);

/*
 * Link a node that is pending.  The caller is linking, and holds the lock of
 * those who merge unless nothing leads to the node.  Locks slots exclusively,
 * one at a time.  Returns false if its rows are gone.
 */
extern bool DiskannLinkerLink(DiskannLinker *linker, DiskannNode node);

/*
 * Link this many pending rows, or all if there are fewer, and return how many
 * that were.  The caller is merging, and not linking.  Locks as above.
 */
extern int64 DiskannLinkerMerge(DiskannLinker *linker, int64 rows);

/*
 * Link all rows that are pending now, and return how many that were.  Waits for
 * who is merging.  Locks as above.
 */
extern int64 DiskannLinkAllPending(Relation rel, const DiskannIndex *index);

#endif							/* DISKANN_LINKER_H */
