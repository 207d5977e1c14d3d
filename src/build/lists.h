/*-------------------------------------------------------------------------
 *
 * lists.h
 *	  Lists of candidates in temporary files.
 *
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/lists.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_LISTS_H
#define DISKANN_BUILD_LISTS_H

#include "build/state.h"
#include "graph/carve.h"

/* Lists fill blocks of this size; a count of zero ends a block early. */
#define DISKANN_LIST_BLOCK 8192

typedef struct BuildList
{
	uint32		owner;			/* row whose candidates these are */
	uint16		count;
	uint16		far;			/* found in a sample */
	DiskannCandidate candidates[FLEXIBLE_ARRAY_MEMBER];
} BuildList;

/*
 * Writing: each participant writes a file of blocks of lists, and a directory,
 * the group of each block.  The writer has a block in memory for each group.
 */
typedef struct ListWriter ListWriter;

extern ListWriter *DiskannStartLists(BuildState *state);
extern void DiskannWriteList(ListWriter *writer, uint32 group, uint32 owner,
							 bool far, const DiskannCandidate *candidates,
							 int n);
extern void DiskannFinishLists(ListWriter *writer);

/* Reading all participants' lists of a group. */
typedef struct ListReader ListReader;

extern ListReader *DiskannOpenLists(BuildState *state);
extern Size DiskannListBytes(const ListReader *reader, uint32 group);
extern void DiskannReadLists(ListReader *reader, uint32 group,
							 void (*callback) (void *arg, const BuildList *list),
							 void *arg);

#endif							/* DISKANN_BUILD_LISTS_H */
