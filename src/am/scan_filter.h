/*-------------------------------------------------------------------------
 *
 * scan_filter.h
 *	  The conditions of a scan on filter columns.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_filter.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_FILTER_H
#define DISKANN_SCAN_FILTER_H

#include "access/genam.h"
#include "access/stratnum.h"
#include "values/filter.h"

/* A column is NULL or not, or compares so with one of some values. */
typedef struct DiskannCondition
{
	const DiskannFilter *filter;
	int			number;			/* of the filter column, from 0 */
	int			flags;			/* SK_SEARCHNULL, SK_SEARCHNOTNULL */
	StrategyNumber strategy;	/* of btree */
	bool		decidable;		/* can a key tell?  Else all that is not NULL
								 * passes */
	FmgrInfo   *function;		/* the operator's */
	Oid			collation;
	int			nvalues;
	Datum	   *values;			/* of DISKANN_FILTER_VALUE */
	uint64	   *keys;			/* of other kinds */
} DiskannCondition;

typedef struct DiskannScanFilter
{
	const DiskannFilters *columns;

	/* Set anew by every start. */
	int			count;
	DiskannCondition *conditions;	/* all have to hold */
	bool		never;			/* no row fulfils them */
	bool		lossy;			/* rows have to be looked at again */
	bool		undecided;		/* of some condition nothing can be told */
} DiskannScanFilter;

/* Learn of the index' columns.  Allocates in the current context. */
extern void DiskannScanFilterInit(DiskannScanFilter *filter, Relation rel,
								  const DiskannIndex *index);

/*
 * Take the conditions from the scan's keys, which stay where they are.
 * Allocates in the current context.
 */
extern void DiskannScanFilterStart(DiskannScanFilter *filter,
								   IndexScanDesc desc);

/*
 * May rows with these keys fulfil the conditions?  Calls operators: nothing may
 * be locked.
 */
extern bool DiskannScanFilterPasses(const DiskannScanFilter *filter,
									const DiskannFilterValues *keys);

#endif							/* DISKANN_SCAN_FILTER_H */
