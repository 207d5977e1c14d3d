/*-------------------------------------------------------------------------
 *
 * scan_table.c
 *	  The rows of the table that pass a scan's filter, sorted.
 *
 * Where few rows pass, a walk fetches most of the table in the order of
 * distances, and it takes less to read it in its own.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_table.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/scan_table.h"

/* What rows are taken with. */
typedef struct Taker
{
	const DiskannGiven *given;
	const DiskannOrder *order;
	DiskannSortedNodes *sorted;
	int64		taken;
} Taker;

static int
compare_tids(const void *a, const void *b)
{
	return ItemPointerCompare((ItemPointer) a, (ItemPointer) b);
}

/* A row that passes the filter: have it sorted unless it was returned. */
static void
take_row(void *context, ItemPointer tid, double distance)
{
	Taker	   *taker = context;
	const DiskannGiven *given = taker->given;
	DiskannFound found;

	if (given->count > 0 &&
		bsearch(tid, given->tids, given->count, sizeof(ItemPointerData),
				compare_tids))
		return;
	taker->taken++;
	DiskannOrderFindRow(taker->order, tid, distance, &found);
	DiskannSortedPut(taker->sorted, &found);
}

int64
DiskannSortTable(DiskannRowReader *reader, const DiskannOrder *order,
				 DiskannGiven *given, DiskannSortedNodes *sorted)
{
	Taker		taker = {given, order, sorted, 0};

	if (given->count > 1)
		qsort(given->tids, given->count, sizeof(ItemPointerData),
			  compare_tids);
	DiskannSortedBegin(sorted);
	DiskannRowReaderReadTable(reader, take_row, &taker);
	DiskannSortedPerform(sorted);
	return taker.taken;
}

void
DiskannGive(DiskannGiven *given, ItemPointer tid)
{
	if (given->tids == NULL)
	{
		given->alloc = 16;
		given->tids = palloc(sizeof(ItemPointerData) * given->alloc);
	}
	else if (given->count == given->alloc)
	{
		given->alloc *= 2;
		given->tids = repalloc_huge(given->tids, sizeof(ItemPointerData) *
									given->alloc);
	}
	given->tids[given->count++] = *tid;
}
