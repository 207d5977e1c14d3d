/*-------------------------------------------------------------------------
 *
 * signature.h
 *	  Signatures of filter columns: a byte that stands for a range of keys, or
 *	  four that are the pattern of a set.
 *
 * A node whose signature is not among those that a condition seeks does not
 * fulfil it.  One whose signature is may fulfil it or not: its key tells.
 *
 * Signatures beside edges and in the map are copies of those in a node's slot,
 * which are given to it when it is written, and stay.  Only here it is known
 * what they mean.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/signature.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SIGNATURE_H
#define DISKANN_SIGNATURE_H

#include "access/stratnum.h"
#include "store/filter_map.h"
#include "values/filter.h"

/* What signatures of an index' columns mean. */
typedef struct DiskannSignatures DiskannSignatures;

/*
 * Of the index' filter columns, palloc'd in the current context; index and
 * filters must last as long.  Looks into catalogs.
 */
extern DiskannSignatures *DiskannSignaturesLoad(const DiskannIndex *index,
												const DiskannFilters *filters);

/*
 * The signatures and hashes of a node with these keys.  Calls functions of
 * types: nothing may be locked.
 */
extern void DiskannSign(DiskannSignatures *signatures,
						const DiskannFilterValues *keys, DiskannMarks *marks);

/* The first column whose ranges are not in order, as damage; -1: none. */
extern int	DiskannDisorderedRanges(DiskannSignatures *signatures);

/* Keys of a column with ranges, in the order of these.  Calls as above. */
extern int	DiskannCompareKeys(DiskannSignatures *signatures, int column,
							   uint64 a, uint64 b);

/* A comparison with some values: one of them has to fulfil it. */
typedef struct DiskannComparison
{
	StrategyNumber strategy;	/* of btree */
	Oid			function;		/* the operator's */
	Oid			subtype;		/* sk_subtype: of the values; 0: the column's */
	int			nvalues;
	const Datum *values;		/* none is NULL */
	const uint64 *keys;			/* of the same; NULL if keys do not compare */
} DiskannComparison;

/*
 * What a column of nodes has to be: begin with all of them, and narrow it by
 * each condition on the column.  DiskannSeekCompared() calls functions of
 * types: nothing may be locked.  DiskannSeekSet() is for sets, and hashes of
 * elements.
 */
extern void DiskannSeekAll(DiskannSought *sought);
extern void DiskannSeekNull(DiskannSought *sought, bool isnull);
extern void DiskannSeekRange(int range, DiskannSought *sought);
extern void DiskannSeekSet(DiskannSetTest test, const uint64 *hashes, int n,
						   DiskannSought *sought);
extern void DiskannSeekCompared(DiskannSignatures *signatures, int column,
								const DiskannComparison *comparison,
								DiskannSought *sought);

/* Narrow, or widen, what is sought by what another condition seeks. */
extern void DiskannSeekBoth(DiskannSought *sought, const DiskannSought *other);
extern void DiskannSeekEither(DiskannSought *sought,
							  const DiskannSought *other);

/* Is it narrower than all? */
extern bool DiskannIsNarrow(const DiskannSought *sought);

/*
 * Learn ranges from keys of some rows: at most DISKANN_MOST_LEARNED bounds,
 * about equally many rows in each, frequent values alone.  The keys are sorted
 * here, and are not of NULLs.
 */
extern void DiskannLearnRanges(const DiskannFilter *filter, uint64 *keys,
							   int n, DiskannRanges *ranges);

#endif							/* DISKANN_SIGNATURE_H */
