/*-------------------------------------------------------------------------
 *
 * scan_condition.h
 *	  One condition on a filter column.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_condition.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_CONDITION_H
#define DISKANN_SCAN_CONDITION_H

#include "access/skey.h"
#include "access/stratnum.h"
#include "values/filter.h"

/*
 * Not an operator's: the array has an element that is equal to the argument.
 * The key's function is that of the operator between the two.
 */
#define DISKANN_STRATEGY_HAS 9

/*
 * A column is NULL or not, or compares so with one of some values; or a set
 * with all of them together.
 */
typedef struct DiskannCondition
{
	const DiskannFilter *filter;	/* NULL: of the vector */
	int			number;			/* of the filter column, from 0 */
	int			flags;			/* SK_SEARCHNULL, SK_SEARCHNOTNULL */
	bool		never;			/* no row fulfils it */
	bool		decidable;		/* can a key tell?  Else all that is not NULL
								 * passes */
	StrategyNumber strategy;	/* of btree */
	Oid			subtype;		/* of the values; 0: the column's type */
	DiskannSetTest test;		/* instead, of DISKANN_FILTER_SET */
	FmgrInfo   *function;		/* the operator's */
	Oid			collation;
	int			nvalues;
	Datum	   *values;			/* of DISKANN_FILTER_VALUE */
	uint64	   *keys;			/* of other kinds; of a set, hashes */
} DiskannCondition;

/*
 * Make a condition of a scan key, which has to stay where it is.  Allocates in
 * the current context.
 */
extern void DiskannConditionStart(DiskannCondition *condition,
								  const DiskannFilters *columns, ScanKey key);

/*
 * May rows with these keys fulfil the condition?  Calls operators: nothing may
 * be locked.
 */
extern bool DiskannConditionPasses(const DiskannCondition *condition,
								   const DiskannFilterValues *keys);

#endif							/* DISKANN_SCAN_CONDITION_H */
