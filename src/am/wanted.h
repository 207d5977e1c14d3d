/*-------------------------------------------------------------------------
 *
 * wanted.h
 *	  What the plan wants of a scan.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/wanted.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_WANTED_H
#define DISKANN_WANTED_H

#include "access/genam.h"

/* Not a number of rows. */
#define DISKANN_ROWS_UNKNOWN	(-1)
#define DISKANN_ROWS_ALL		0

typedef struct DiskannWanted
{
	/* So many rows end the query, or one of the two above. */
	int64		rows;

	/*
	 * They are counted where some may have been dropped, so that the scan has
	 * to return more than that.
	 */
	bool		filtered;

	/*
	 * The greatest distance, as the operator has it, that the conditions on
	 * the row leave room for; infinity if they do not bound it.
	 */
	double		bound;

	/* The same without regard to the filter of the scan's own node. */
	bool		filtered_above;

	/* The scan's own node, whose filter it may apply; NULL: not found. */
	struct IndexScanState *node;
} DiskannWanted;

/* Take part in the execution of queries. */
extern void DiskannInitWanted(void);

/*
 * What is wanted of a scan by the query that is running.  To be called when the
 * first row is asked for, after every rescan anew.
 */
extern void DiskannFindWanted(IndexScanDesc scan, DiskannWanted *wanted);

/* How many rows are wanted, in words, in the current context. */
extern const char *DiskannWantedText(const DiskannWanted *wanted);

#endif							/* DISKANN_WANTED_H */
