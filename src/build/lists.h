/*-------------------------------------------------------------------------
 *
 * lists.h
 *	  Lists of candidates in temporary files.
 *
 * compare.c finds candidates for the edges of a node in several leaves, and so
 * writes several lists for it; choose.c reads all of them together, a group of
 * nodes at a time.  See lists.c for how they are stored.
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

/*
 * Lists fill blocks of BuildShared.list_block bytes; a list without candidates
 * ends a block early.  A group's blocks lie all over a file, and the larger
 * they are the faster they are read: as large as there is memory for one a
 * group.
 */
#define DISKANN_LEAST_LIST_BLOCK ((Size) 8 * 1024)
#define DISKANN_MOST_LIST_BLOCK ((Size) 64 * 1024)

/*
 * Where a list was found: in a ball, whose members are near each other, in a
 * sample, whose members are spread over the table, or among kin, who have the
 * same value; see graph/select.h.
 */
typedef enum BuildRange
{
	RANGE_LOCAL,
	RANGE_REMOTE,
	RANGE_KIN,
	NRANGES
} BuildRange;

/* Candidates for the edges of one node, or a part of such a list. */
typedef struct BuildList
{
	uint32		owner;			/* row whose candidates these are */
	uint16		count;
	uint16		range;			/* BuildRange */
	DiskannCandidate candidates[FLEXIBLE_ARRAY_MEMBER];
} BuildList;

/*
 * Writing: each participant writes a file of blocks of lists, and a directory,
 * the group of each block.  The writer has a block in memory for each group.
 */
typedef struct ListWriter ListWriter;

/* Allocated in the current memory context: one block a group. */
extern ListWriter *DiskannStartLists(BuildState *state);

/*
 * Append the candidates, which are rows, of the node that row owner stands
 * for; that row is at home in a ball of the group.
 */
extern void DiskannWriteList(ListWriter *writer, uint32 group, uint32 owner,
							 BuildRange range,
							 const DiskannCandidate *candidates, int n);

/* Write out the blocks still in memory; frees the writer. */
extern void DiskannFinishLists(ListWriter *writer);

/*
 * Reading all participants' lists of a group, once all are written.  What is
 * allocated is in the current memory context.
 */
typedef struct ListReader ListReader;

extern ListReader *DiskannOpenLists(BuildState *state);

/*
 * Begin with a group.  Returns the bytes of its blocks in all files; if they
 * are no more than room they are read, in the current memory context, and lists
 * need not be read again however often they are asked for.  End with it.
 */
extern Size DiskannBeginLists(ListReader *reader, uint32 group, Size room);
extern void DiskannEndLists(ListReader *reader);

/* Called for each list of the group; the list is valid until it returns. */
typedef void (*ListCallback) (void *arg, const BuildList *list);

extern void DiskannReadLists(ListReader *reader, ListCallback callback,
							 void *arg);

#endif							/* DISKANN_BUILD_LISTS_H */
