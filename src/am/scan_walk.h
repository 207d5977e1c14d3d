/*-------------------------------------------------------------------------
 *
 * scan_walk.h
 *	  The state of a scan, and its walk over the nodes.
 *
 * A scan has two halves.  The walk visits nodes and puts what it finds into the
 * order (scan_order.h); scan.c takes it from there and returns its rows.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_walk.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_WALK_H
#define DISKANN_SCAN_WALK_H

#include "access/genam.h"
#include "am/am.h"
#include "am/scan_counts.h"
#include "am/scan_filter.h"
#include "am/scan_order.h"
#include "am/scan_pages.h"
#include "am/scan_rows.h"
#include "am/scan_seek.h"
#include "am/scan_table.h"
#include "am/wanted.h"
#include "graph/match.h"
#include "graph/nearest.h"
#include "graph/search.h"
#include "store/porch.h"
#include "store/tids.h"
#include "store/visit.h"
#include "values/row.h"

/* Where the next node to visit comes from. */
typedef enum Phase
{
	PHASE_LIST,					/* the search list */
	PHASE_STREAM,				/* what did not fit into it */
	PHASE_MATCH,				/* a search among nodes that match */
	PHASE_PAGES,				/* all pages, sorted */
	PHASE_UNORDERED,			/* all pages, as they come */
	PHASE_DONE					/* nowhere: no more nodes are visited */
} Phase;

typedef struct DiskannScan
{
	IndexScanDesc desc;
	MemoryContext context;		/* of the scan */
	MemoryContext results_context;	/* reset by a rescan */
	MemoryContext scratch;		/* reset after every value that is read */
	const DiskannSupport *support;
	DiskannIndex *index;		/* NULL while it has no rows */
	bool		started;
	DiskannScanCounts counts;
	DiskannScanCounts before;	/* of the starts before this one */
	int64		starts;			/* of this scan, so far */

	/* Settings, as they were at the start. */
	int			query_rescore;
	int			iterative;
	int			max_scan_tuples;
	int			list_size;
	DiskannWanted wanted;
	DiskannScanFilter filter;	/* conditions on columns of the index */
	DiskannScanSeek seek;		/* what they are in signatures */

	/* Visiting nodes. */
	Phase		phase;
	DiskannNodeRef ref;
	DiskannQuery query;
	DiskannSpaceQuery space_query;
	DiskannVisit visit;			/* of the node visited last */
	DiskannSearch *search;
	DiskannNearest nearest;		/* of those visited, if the list may end early */
	bool		stopped;		/* it has */
	DiskannMatch *match;		/* of PHASE_MATCH */
	DiskannPending pending;		/* rows that are not linked yet */
	Size		memory_limit;	/* of PHASE_STREAM */
	float		max_length2;	/* of rows, if the metric is inner product */
	DiskannNode left_out;		/* not to be found, or DISKANN_INVALID_NODE */
	bool		left_out_leads; /* but its edges are followed */
	DiskannNode fetched;		/* by the processor, to be visited soon */
	bool		slow;			/* pages come from a disk: read ahead */
	bool		missed;			/* the last visit had to read a page */
	int64		considered;		/* nodes visited, or taken from the sort */
	int64		returned;		/* results whose rows were returned */
	int64		dropped;		/* late ones, and what the filter rejects */
	DiskannSortedNodes pages;	/* of PHASE_PAGES */
	DiskannGiven given;			/* in PHASE_STREAM, if there is a filter */
	DiskannNode next_node;		/* of PHASE_UNORDERED */
	DiskannNode end_node;

	DiskannOrder order;			/* of what has been visited */
	DiskannRowReader reader;	/* for what order cannot tell apart */
	DiskannNodeRows rows;		/* being returned */
} DiskannScan;

/*
 * Have what walks of an index need, in the current context, which is that of
 * the scan.
 */
extern void DiskannWalkInit(DiskannScan *state, Relation rel,
							DiskannIndex *index);

/* Forget an earlier walk, and take the settings of now. */
extern void DiskannWalkReset(DiskannScan *state);

/*
 * Visit what is to be visited before the first row: as many nodes as the list
 * holds, or all of them if all rows are wanted.  The query has been prepared,
 * and the order has been started.  Nothing is locked on entry and exit; one
 * slot at a time in share mode meanwhile.
 */
extern void DiskannWalkStart(DiskannScan *state);

/*
 * Visit nodes until none that is left can be nearer than the first result, and
 * few that are nearer are likely to be met later.  Returns a lower bound of the
 * rank of those left, infinity if there are none.  Locks as above.
 */
extern double DiskannWalkNearer(DiskannScan *state);

#endif							/* DISKANN_SCAN_WALK_H */
