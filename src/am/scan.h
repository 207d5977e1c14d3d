/*-------------------------------------------------------------------------
 *
 * scan.h
 *	  What a scan tells of itself.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_H
#define DISKANN_SCAN_H

#include "am/wanted.h"

/* What a scan has done since its start. */
typedef struct DiskannScanCounts
{
	int64		visits;			/* nodes read */
	int64		estimates;		/* of distances to their neighbours */
	int64		rescored;		/* rows looked at to compare them */
	int64		list_size;		/* of the search; 0: there was none */
	int64		late;			/* nodes found too late for their place */
	const char *way;			/* where its rows came from at last */
} DiskannScanCounts;

/* Of the scan of this session that was last asked for a row. */
extern DiskannScanCounts DiskannLastScan(void);
extern DiskannWanted DiskannLastWanted(void);

#endif							/* DISKANN_SCAN_H */
