/*-------------------------------------------------------------------------
 *
 * scan_table.h
 *	  The rows of the table that pass a scan's filter, sorted.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_table.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_TABLE_H
#define DISKANN_SCAN_TABLE_H

#include "am/scan_order.h"
#include "am/scan_pages.h"
#include "am/scan_rows.h"

/* The TIDs of rows that were returned; all zeroes: none. */
typedef struct DiskannGiven
{
	ItemPointerData *tids;
	Size		count;
	Size		alloc;
} DiskannGiven;

/* A row is returned.  Allocates in the current context. */
extern void DiskannGive(DiskannGiven *given, ItemPointer tid);

/*
 * Read the table and have the rows that pass the filter, but those given,
 * sorted by their exact distances.  Returns how many.  Share-locks pages of the
 * table, one at a time.
 */
extern int64 DiskannSortTable(DiskannRowReader *reader,
							  const DiskannOrder *order, DiskannGiven *given,
							  DiskannSortedNodes *sorted);

#endif							/* DISKANN_SCAN_TABLE_H */
