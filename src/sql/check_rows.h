/*-------------------------------------------------------------------------
 *
 * check_rows.h
 *	  Are an index' rows those of its table?
 *
 * See check_rows.c.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check_rows.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_CHECK_ROWS_H
#define DISKANN_CHECK_ROWS_H

#include "store/index.h"

/* A node as its rows should be. */
typedef struct DiskannCheckNode
{
	uint64		hash;
	float		residual;
	float		length2;
	const float *x;				/* decoded, dims floats */
	DiskannFilterValues filters;
} DiskannCheckNode;

/* What can be wrong with a row. */
typedef enum DiskannRowProblem
{
	DISKANN_ROWS_GOOD,
	DISKANN_ROW_TWICE,			/* the index has it more than once */
	DISKANN_ROW_MISSING			/* the index should have it */
} DiskannRowProblem;

typedef struct DiskannCheckRows DiskannCheckRows;

/*
 * Start to collect the rows of an index, in the current memory context.  If
 * compare is true they are compared with those of the table that the
 * transaction's snapshot sees.  index is NULL if the index never had a row.
 */
extern DiskannCheckRows *DiskannCheckRowsBegin(Relation rel, Relation heap,
											   bool compare,
											   const DiskannIndex *index);

/*
 * Add a row that the index has, of the node given.  Returns what is wrong with
 * it, or NULL.  Nothing may be locked: this may fetch the row and evaluate
 * expressions of the index.
 */
extern const char *DiskannCheckRowsAdd(DiskannCheckRows *rows, ItemPointer tid,
									   const DiskannCheckNode *node);

/*
 * The next row that is not in the index exactly once, in the order of TIDs.
 * The first call ends adding; after DISKANN_ROWS_GOOD there is no other.
 */
extern DiskannRowProblem DiskannCheckRowsNext(DiskannCheckRows *rows,
											  ItemPointer tid);

/* Free everything. */
extern void DiskannCheckRowsEnd(DiskannCheckRows *rows);

#endif							/* DISKANN_CHECK_ROWS_H */
