/*-------------------------------------------------------------------------
 *
 * inspect.h
 *	  What the functions that look into an index share.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/inspect.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_INSPECT_H
#define DISKANN_INSPECT_H

#include "storage/index.h"
#include "storage/lockdefs.h"

/* ---------- info.c ---------- */

/*
 * Open and lock an index by its oid.  What is no diskann index, or has no
 * pages this session could read, is an error.
 */
extern Relation DiskannOpenForInspection(Oid relid, LOCKMODE lockmode);

/*
 * DiskannLoadIndex() from the pages, not from what the backend remembers;
 * NULL if the index never had a row.
 */
extern DiskannIndex *DiskannLoadForInspection(Relation rel);

/* ---------- check_rows.c: the rows of an index and of its table ---------- */

typedef struct DiskannCheckRows DiskannCheckRows;

/* A node as its rows should be. */
typedef struct DiskannCheckNode
{
	uint64		hash;
	float		residual;
	float		length2;
	const float *x;				/* decoded, dims floats */
} DiskannCheckNode;

/* What can be wrong with a row. */
typedef enum DiskannRowProblem
{
	DISKANN_ROWS_GOOD,
	DISKANN_ROW_TWICE,			/* the index has it more than once */
	DISKANN_ROW_MISSING			/* the index should have it */
} DiskannRowProblem;

/*
 * Start to collect the rows of an index.  With heap, compare them with the
 * table's; index may be NULL if the index is empty.
 */
extern DiskannCheckRows *DiskannCheckRowsBegin(Relation rel, Relation heap,
											   bool compare,
											   const DiskannIndex *index);

/*
 * Add a row that the index has, of the node given.  Returns what is wrong with
 * it, or NULL.
 */
extern const char *DiskannCheckRowsAdd(DiskannCheckRows *rows, ItemPointer tid,
									   const DiskannCheckNode *node);

/*
 * The next row that is not in the index exactly once, in the order of TIDs.
 * The first call ends adding; after DISKANN_ROWS_GOOD there is no other.
 */
extern DiskannRowProblem DiskannCheckRowsNext(DiskannCheckRows *rows,
											  ItemPointer tid);

extern void DiskannCheckRowsEnd(DiskannCheckRows *rows);

#endif							/* DISKANN_INSPECT_H */
