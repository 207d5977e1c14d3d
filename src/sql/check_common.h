/*-------------------------------------------------------------------------
 *
 * check_common.h
 *	  What the passes of diskann_index_check() share.
 *
 * One DiskannCheck is handed from pass to pass.  It has the index and what is
 * known of each slot so far, three slots copied out of their pages, and the
 * counts that are returned.  This is the ground floor of the check: the passes
 * (check_slots.c, check_edges.c, check_rows.c) use it and not each other,
 * except that slots hand their TIDs to check_rows.c; check.c runs them.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check_common.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_CHECK_COMMON_H
#define DISKANN_CHECK_COMMON_H

#include "values/signature.h"

/*
 * How far a number that is computed again may be from the one stored, relative
 * to it, if it is computed from the same input.  It is not zero because sums
 * round differently on a machine with other vector instructions.
 */
#define DISKANN_CHECK_SAME 1e-5

/* The same for a length before and after vectors of floats were rotated. */
#define DISKANN_CHECK_ROUNDING 1e-4

/*
 * What is known of a slot, a byte each: the state it had when check_slots.c
 * looked at it, and flags.
 */
#define DISKANN_CHECK_STATE 0x07
#define DISKANN_CHECK_CHAINED 0x08	/* a TIDS slot, an entry node or a porch
									 * that is in a chain */
#define DISKANN_CHECK_REACHED 0x10	/* an edge of a reached node leads here */
#define DISKANN_CHECK_WALKED 0x20	/* its edges have been followed */

StaticAssertDecl(DISKANN_LAST_STATE <= DISKANN_CHECK_STATE,
				 "every state of a slot fits what is known of it");

/* A copy of a slot. */
typedef struct DiskannSlotCopy
{
	DiskannNode node;
	XLogRecPtr	lsn;			/* of its first page */
	char	   *bytes;
	DiskannSlot head;			/* points to the same bytes */
	float	   *x;				/* own vector, after DiskannCheckDecode() */
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
	int64		orphans;		/* TIDS slots, entry nodes and porches of no
								 * chain */
} DiskannCheckCounts;

typedef struct DiskannCheck
{
	/* What is checked. */
	Relation	rel;
	Relation	heap;
	const DiskannIndex *index;	/* NULL: never had a row */

	/* As it was when the check began. */
	bool		in_recovery;
	DiskannNode nslots;
	BlockNumber heap_blocks;	/* TIDs must be of blocks before this one */
	double		centre_length;	/* of the centre of the index space */
	DiskannSignatures *signatures;	/* of its filter columns */

	/* For reading slots; one at a time is locked, and only to copy it. */
	DiskannNodeRef ref;
	BufferAccessStrategy strategy;	/* for what is read in order */
	DiskannSlotCopy node;		/* the slot looked at */
	DiskannSlotCopy other;		/* one that it leads to */
	DiskannSlotCopy link;		/* a TIDS slot that leads to other */

	/* What is known so far. */
	uint8	   *slots;			/* DISKANN_CHECK_* flags of each slot */
	struct DiskannCheckRows *rows;	/* the rows found, see check_rows.h */
	DiskannCheckCounts counts;
} DiskannCheck;

/*
 * Allocate the three copies of slots and what is known of each slot, in the
 * current memory context.  index and nslots must be set.
 */
extern void DiskannCheckInitSlots(DiskannCheck *check);

/*
 * Copy a slot that exists; a page of zeroes is one of free slots.  The slot is
 * share-locked meanwhile; nothing is locked before or after.
 */
extern void DiskannCheckRead(DiskannCheck *check, DiskannNode node,
							 DiskannSlotCopy *copy);

/* Decode the own vector of a copied node to its x. */
extern void DiskannCheckDecode(const DiskannCheck *check,
							   DiskannSlotCopy *copy);

/* Is there such a slot?  During recovery there may be more by now. */
extern bool DiskannCheckExists(DiskannCheck *check, DiskannNode node);

/*
 * Report what is wrong with a page, of which slot is negative, or with one of
 * its slots: an error ERRCODE_INDEX_CORRUPTED with the block.
 */
pg_noreturn extern void DiskannCheckReportPage(const DiskannCheck *check,
											   BlockNumber block, int slot,
											   XLogRecPtr lsn,
											   const char *what);

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

#endif							/* DISKANN_CHECK_COMMON_H */
