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

#include "am/scan_counts.h"
#include "am/wanted.h"

/* Of the scan of this session that was last asked for a row. */
extern DiskannScanCounts DiskannLastScan(void);
extern DiskannWanted DiskannLastWanted(void);

/*
 * Of a scan that is open: counts of all that it has done, rescans included, and
 * what was wanted of it last.  "way" is NULL if it was never asked for a row.
 */
extern DiskannScanCounts DiskannScanTotal(IndexScanDesc scan,
										  DiskannWanted *wanted);

#endif							/* DISKANN_SCAN_H */
