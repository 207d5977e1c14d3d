/*-------------------------------------------------------------------------
 *
 * scan_rows.h
 *	  The rows of a scan's nodes: their TIDs, and their distances as the
 *	  operator has them.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_rows.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_ROWS_H
#define DISKANN_SCAN_ROWS_H

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "am/scan_order.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "store/tids.h"

/* The TIDs of one node in turn: its own slot's, then its TIDS slots'. */
typedef struct DiskannNodeRows
{
	DiskannNodeRef *ref;
	ItemPointerData *tids;		/* those of one slot */
	int			ntids;
	int			next;			/* the first that has not been returned */
	DiskannChain chain;			/* the TIDS slots that have not been read */
} DiskannNodeRows;

/* Have no rows.  Allocates in the current context; ref must outlive it. */
extern void DiskannNodeRowsInit(DiskannNodeRows *rows, DiskannNodeRef *ref);

/* Forget what is left of a node's rows. */
extern void DiskannNodeRowsClear(DiskannNodeRows *rows);

/* Turn to the rows of a node that has been visited; reads nothing. */
extern void DiskannNodeRowsStart(DiskannNodeRows *rows,
								 const DiskannFound *found);

/*
 * Turn to the rows of a node that has not been visited, and tell what filter
 * columns hold of them.  False, having none, if the node is not live.
 * Share-locks its slot for the time of the call.
 */
extern bool DiskannNodeRowsRead(DiskannNodeRows *rows, DiskannNode node,
								DiskannFilterValues *filters);

/*
 * The next TID; false when there are no more.  May share-lock a TIDS slot for
 * the time of the call.
 */
extern bool DiskannNodeRowsNext(DiskannNodeRows *rows, ItemPointer tid);

/* Fetching rows from the table to compute their distances. */
typedef struct DiskannRowReader
{
	IndexScanDesc desc;			/* tells table, snapshot and ORDER BY */
	MemoryContext context;		/* of what lasts as long as the reader */
	int			column;			/* of the vector, from 0 */
	MemoryContext scratch;		/* reset after every row */
	DiskannNodeRows rows;		/* of the node being looked at */
	int			rows_ahead;		/* how many rows to read ahead next */

	/*
	 * The plan node whose filter is applied here, and before it the index
	 * conditions if the index does not decide them for good; NULL: neither
	 * is.
	 */
	IndexScanState *filter;
	bool		recheck;

	/* Made when the first row is fetched. */
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;

	/* The same, if the index is on an expression. */
	IndexInfo  *index_info;
	EState	   *estate;
} DiskannRowReader;

/*
 * ref, desc and the contexts must outlive the reader.  scratch is reset after
 * every row that is fetched, so nobody else may keep anything there.
 */
extern void DiskannRowReaderInit(DiskannRowReader *reader, IndexScanDesc desc,
								 DiskannNodeRef *ref, MemoryContext context,
								 MemoryContext scratch);

/*
 * Begin to read ahead anew, for another query.  node is the scan's plan node,
 * or NULL if it is not known, or not needed; its filter is applied if nobody
 * can tell that it is applied twice to rows that pass, and so are its index
 * conditions if they are to be checked again: of some, the index cannot tell
 * for any row, or not for good.
 */
extern void DiskannRowReaderStart(DiskannRowReader *reader,
								  IndexScanState *node, bool recheck);

/*
 * Does one of a node's rows pass the filter?  The same is done with the pages
 * as by DiskannRowReaderDistance().
 */
extern bool DiskannRowReaderPasses(DiskannRowReader *reader,
								   const DiskannResult *result);

/* Is there a filter that may be applied to all rows of the table? */
extern bool DiskannRowReaderMayReadTable(const DiskannRowReader *reader);

/*
 * Call a function for each row of the table that passes the filter, with the
 * TID that the index has of it and the operator's distance.  Reads the whole
 * table in its own order, in a small part of the time that it takes to fetch
 * its rows by TID.  Share-locks pages of the table, one at a time, and none
 * while the function is called.
 */
typedef void (*DiskannTakeRow) (void *context, ItemPointer tid,
								double distance);

extern void DiskannRowReaderReadTable(DiskannRowReader *reader,
									  DiskannTakeRow take, void *context);

/*
 * The operator's distance between the query and a node's rows, which all have
 * the same vector.  False if the scan's snapshot sees none of them.  A page of
 * the table may stay pinned until DiskannRowReaderPause().
 */
extern bool DiskannRowReaderDistance(DiskannRowReader *reader,
									 const DiskannResult *result,
									 double *distance);

/*
 * Have the operating system read the pages of the rows that are going to be
 * looked at or returned: that of the result first, which has been taken, and
 * of those that come after it.  Does nothing if first's is on its way already.
 */
extern void DiskannRowReaderAhead(DiskannRowReader *reader,
								  DiskannOrder *order, DiskannResult *first);

/*
 * Leave nothing pinned.  To be called before control goes back to the executor:
 * a cursor may be idle for long, and VACUUM cannot clean a pinned page.
 */
extern void DiskannRowReaderPause(DiskannRowReader *reader);

/* Release all that the contexts do not. */
extern void DiskannRowReaderEnd(DiskannRowReader *reader);

#endif							/* DISKANN_SCAN_ROWS_H */
