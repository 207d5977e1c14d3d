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
#include "am/scan_condition.h"
#include "am/scan_qual.h"
#include "store/index.h"

typedef struct DiskannScanFilter
{
	const DiskannFilters *columns;

	/* Set anew by every start. */
	int			count;
	DiskannCondition *conditions;	/* all have to hold */
	DiskannScanQual qual;		/* and so has this */
	bool		never;			/* no row fulfils them */
	bool		lossy;			/* rows have to be looked at again */
	bool		undecided;		/* of some condition nothing can be told */
} DiskannScanFilter;

/* Learn of the index' columns.  Allocates in the current context. */
extern void DiskannScanFilterInit(DiskannScanFilter *filter, Relation rel,
								  const DiskannIndex *index);

/*
 * Take the conditions from the scan's keys, which stay where they are, and from
 * the filter of its plan node, unless that is NULL.  Allocates in the current
 * context.
 */
extern void DiskannScanFilterStart(DiskannScanFilter *filter,
								   IndexScanDesc desc, IndexScanState *node);

/* Are there any, but such that no row fulfils? */
static inline bool
DiskannScanFilters(const DiskannScanFilter *filter)
{
	return filter->count > 0 || filter->qual.state != NULL;
}

/*
 * May rows with these keys fulfil the conditions?  Calls operators: nothing may
 * be locked.
 */
extern bool DiskannScanFilterPasses(const DiskannScanFilter *filter,
									const DiskannFilterValues *keys);

#endif							/* DISKANN_SCAN_FILTER_H */
