/*-------------------------------------------------------------------------
 *
 * scan_counts.h
 *	  What is counted of a scan.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_counts.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_COUNTS_H
#define DISKANN_SCAN_COUNTS_H

/* What a scan has done since its start. */
typedef struct DiskannScanCounts
{
	int64		visits;			/* nodes read */
	int64		estimates;		/* of distances to their neighbours */
	int64		rescored;		/* rows looked at to compare them */
	int64		list_size;		/* of the search; 0: there was none */
	int64		late;			/* nodes found too late for their place */
	double		share;			/* of all nodes that match, as is estimated; 0:
								 * it was not */
	int64		bridges;		/* nodes visited though they cannot match */
	const char *way;			/* where its rows came from at last */
} DiskannScanCounts;

#endif							/* DISKANN_SCAN_COUNTS_H */
