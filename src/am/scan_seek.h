/*-------------------------------------------------------------------------
 *
 * scan_seek.h
 *	  What a scan with conditions seeks in signatures and in the filter map.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_seek.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_SEEK_H
#define DISKANN_SCAN_SEEK_H

#include "am/scan_filter.h"
#include "store/filter_map.h"
#include "values/signature.h"

typedef struct DiskannScanSeek
{
	DiskannSignatures *signatures;	/* NULL: the index has none */
	DiskannSought *sought;		/* of each filter column */

	/* Set anew by every start. */
	bool		narrow;			/* signatures tell that some do not match */
	bool		by_value;		/* those of the first column do */
	double		matching;		/* nodes that match, as the map tells */
	double		by_first;		/* of which the first signature does */
	double		share;			/* of all live nodes; more than 0 */
	int			nsome;			/* of the nodes that match, some by chance */
	DiskannNode *some;			/* palloc'd */
} DiskannScanSeek;

/* Learn of the index' signatures.  Allocates in the current context. */
extern void DiskannScanSeekInit(DiskannScanSeek *seek,
								const DiskannIndex *index,
								const DiskannFilters *filters);

/*
 * Find out what is sought, and how much of it there is.  Locks pages of the map
 * in share mode, one at a time.
 */
extern void DiskannScanSeekStart(DiskannScanSeek *seek,
								 const DiskannScanFilter *filter,
								 DiskannNodeRef *ref);

#endif							/* DISKANN_SCAN_SEEK_H */
