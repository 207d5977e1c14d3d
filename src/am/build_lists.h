/*-------------------------------------------------------------------------
 *
 * build_lists.h
 *	  Lists of candidates in temporary files.
 *
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/build_lists.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_LISTS_H
#define DISKANN_BUILD_LISTS_H

#include "graph/carve.h"

/* Lists fill blocks of this size; a count of zero ends a block early. */
#define DISKANN_LIST_BLOCK 8192

typedef struct BuildList
{
	uint32		row;			/* whose candidates these are */
	uint16		count;
	uint16		far;			/* found in a sample */
	DiskannCandidate candidates[FLEXIBLE_ARRAY_MEMBER];
} BuildList;

#endif							/* DISKANN_BUILD_LISTS_H */
