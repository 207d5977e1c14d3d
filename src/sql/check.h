/*-------------------------------------------------------------------------
 *
 * check.h
 *	  What the passes of diskann_index_check() share.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_CHECK_H
#define DISKANN_CHECK_H

#include "store/node.h"

/* Relative error of what is computed again just as it was before. */
#define DISKANN_CHECK_SAME 1e-5

/* Relative error of lengths across a rotation of floats. */
#define DISKANN_CHECK_ROUNDING 1e-4

/* What is known of a slot: its state in the second pass, and flags. */
#define DISKANN_CHECK_STATE 0x07
#define DISKANN_CHECK_CHAINED 0x08	/* a TIDS slot that is in a chain */
#define DISKANN_CHECK_REACHED 0x10	/* an edge of a reached node leads here */
#define DISKANN_CHECK_WALKED 0x20	/* its edges have been followed */

/* A copy of a slot. */
typedef struct DiskannSlotCopy
{
	DiskannNode node;
	XLogRecPtr	lsn;			/* of its first page */
	char	   *bytes;
	DiskannSlot head;			/* the same */
	float	   *x;				/* own vector, once decoded */
} DiskannSlotCopy;

/* The columns of the result, in this order. */
typedef struct DiskannCheckCounts
{
	int64		nodes;			/* live ones */
	int64		tids;			/* of live nodes */
	int64		tombstones;
	int64		free_slots;
	int64		tids_slots;
	int64		edges;
	int64		unreachable;	/* live nodes no path leads to */
	int64		empty;			/* live nodes without TIDs */
	int64		orphans;		/* TIDS slots of no chain */
} DiskannCheckCounts;

typedef struct DiskannCheckRows DiskannCheckRows;

typedef struct DiskannCheck
{
	Relation	rel;
	Relation	heap;
	const DiskannIndex *index;	/* NULL: never had a row */
	bool		in_recovery;
	DiskannNodeRef ref;
	BufferAccessStrategy strategy;	/* for what is read in order */
	DiskannNode nslots;			/* when the check began */
	BlockNumber heap_blocks;	/* TIDs are of blocks before this one */
	uint8	   *slots;			/* what is known of each */
	DiskannSlotCopy node;		/* the one looked at */
	DiskannSlotCopy other;		/* one it leads to */
	DiskannSlotCopy link;		/* a TIDS slot that leads to other */
	DiskannCheckRows *rows;
	double		centre_length;
	uint64		last_xid;
	DiskannCheckCounts counts;
} DiskannCheck;

/* ---------- check.c ---------- */

/* Copy a slot; a page of zeroes is one of free slots. */
extern void DiskannCheckRead(DiskannCheck *check, DiskannNode node,
							 DiskannSlotCopy *copy);
extern void DiskannCheckDecode(const DiskannCheck *check,
							   DiskannSlotCopy *copy);

/* Is there such a slot?  During recovery there may be more by now. */
extern bool DiskannCheckExists(DiskannCheck *check, DiskannNode node);

/* Report what is wrong with a slot in itself. */
pg_noreturn extern void DiskannCheckReport(const DiskannCheck *check,
										   const DiskannSlotCopy *copy,
										   const char *what);

/*
 * Report that something does not fit between copy and what it leads to.  But
 * if copy was changed by replay meanwhile, return.
 */
extern void DiskannCheckReportMisfit(DiskannCheck *check,
									 const DiskannSlotCopy *copy,
									 const char *what);

/* ---------- check_slots.c, check_edges.c ---------- */

extern void DiskannCheckSlots(DiskannCheck *check);
extern void DiskannCheckEdges(DiskannCheck *check);

/* ---------- check_rows.c: the rows of an index and of its table ---------- */

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

#endif							/* DISKANN_CHECK_H */
