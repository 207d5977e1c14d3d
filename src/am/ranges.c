/*-------------------------------------------------------------------------
 *
 * ranges.c
 *	  New ranges for filter columns whose values grow.
 *
 * All new values of a column of times are greater than those that ranges were
 * learned from, so that the last range comes to hold ever more rows.  VACUUM
 * lets it end with the greatest key in it, and what is greater goes to a new
 * one.  Signatures that have been given stay.
 *
 * A key that is greater must not get the old range's signature afterwards.  So
 * an insert reads the ranges while it holds the linking lock, and they change
 * while VACUUM does, exclusively, and has seen the keys of all earlier inserts.
 * Scans may know the ranges of an earlier time: to them all that is behind is
 * their last one.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/ranges.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/am.h"
#include "am/node_set.h"
#include "am/ranges.h"
#include "compat.h"
#include "miscadmin.h"
#include "store/filter_map.h"
#include "store/linking.h"
#include "store/pause.h"
#include "utils/inval.h"
#include "values/row.h"
#include "values/signature.h"

/* The last range has many nodes if it has more than this share, and so many. */
#define MANY_SHARE (1.0 / 64)
#define LEAST_MANY 256

/* What is known of the last range of a column. */
typedef struct LastRange
{
	IndexVacuumInfo *info;
	DiskannNodeRef ref;
	DiskannSignatures *signatures;
	DiskannSought *sought;		/* of all columns: what lies in the range */
	int			column;
	NodeSet		seen;
	DiskannNode *nodes;			/* of a page of the map */
	int64		count;
	bool		found;
	uint64		greatest;		/* of the keys seen */
} LastRange;

/* Take note of a node's key.  Nothing is locked on entry and exit. */
static void
see_node(LastRange *last, DiskannNode node)
{
	DiskannFilterValues keys = {0};
	uint64		key;
	bool		live;

	if (DiskannNodeSetHas(&last->seen, node))
		return;
	if (node < last->seen.count)
		DiskannNodeSetAdd(&last->seen, node);
	DiskannNodeOpen(&last->ref, node, BUFFER_LOCK_SHARE);
	live = DiskannNodeHead(&last->ref)->state == DISKANN_LIVE;
	if (live)
		DiskannSlotFilters(last->ref.index, last->ref.slot, &keys);
	DiskannNodeClose(&last->ref);
	if (!live || keys.nulls & DiskannNullBit(last->column))
		return;
	key = keys.values[last->column];
	if (!last->found ||
		DiskannCompareKeys(last->signatures, last->column, key,
						   last->greatest) > 0)
		last->greatest = key;
	last->found = true;
}

/*
 * Take note of the keys in the range that have not been seen; sleep, if VACUUM
 * is to, only where that keeps nobody waiting.  Nothing but perhaps the linking
 * lock is held on entry and exit.
 */
static void
see_nodes(LastRange *last, bool may_sleep)
{
	DiskannMapScan scan;
	int			n;

	DiskannMapBegin(&scan, &last->ref, last->sought);
	while (DiskannMapNext(&scan, last->nodes, &n))
	{
		for (int i = 0; i < n; i++)
		{
			if (may_sleep)
				DiskannVacuumDelayPoint();
			see_node(last, last->nodes[i]);
		}
	}
}

/* Does the last range hold many nodes?  Counts them. */
static bool
has_many(LastRange *last)
{
	DiskannMapEstimate estimate;
	DiskannMapScan scan;
	int			n;

	DiskannMapSample(&last->ref, last->sought, last->ref.index->meta.seed, 0,
					 &estimate);
	last->count = 0;
	DiskannMapBegin(&scan, &last->ref, last->sought);
	while (DiskannMapNext(&scan, last->nodes, &n))
	{
		DiskannVacuumDelayPoint();
		last->count += n;
	}
	return last->count > Max(LEAST_MANY, MANY_SHARE * estimate.live);
}

/*
 * Divide the range from what comes after it.  Nothing is locked on entry and
 * exit; the linking lock exclusively meanwhile, while no more is looked at than
 * what has been added since most keys were seen.
 */
static void
divide(LastRange *last, const DiskannIndex *index)
{
	Relation	rel = last->info->index;

	DiskannNodeSetInit(&last->seen, DiskannNodeCount(&last->ref));
	last->found = false;
	see_nodes(last, true);
	DiskannPausePoint("range-seen");
	DiskannBarLinking(rel);
	see_nodes(last, false);
	if (last->found)
		DiskannAddBound(rel, index, last->column, last->greatest);
	DiskannAllowLinking(rel);
	CacheInvalidateRelcache(rel);
	ereport(last->info->message_level,
			(errmsg("index \"%s\": a new range of filter column %d was opened behind " INT64_FORMAT " nodes",
					RelationGetRelationName(rel), last->column + 1,
					last->count)));
}

void
DiskannOpenRanges(IndexVacuumInfo *info)
{
	DiskannIndex *index = DiskannLoadIndex(info->index, CurrentMemoryContext,
										   DiskannGetSupport(info->index)->metric);
	int			nfilters = index ? index->meta.nfilters : 0;
	LastRange	last;

	if (nfilters == 0)
		return;
	memset(&last, 0, sizeof(last));
	last.info = info;
	DiskannNodeInit(&last.ref, info->index, index, false);
	last.ref.strategy = info->strategy;
	last.signatures = DiskannSignaturesLoad(index,
											DiskannGetFilters(info->index,
															  nfilters,
															  index->meta.filters));
	last.sought = palloc(sizeof(DiskannSought) * nfilters);
	last.nodes = palloc(sizeof(DiskannNode) * DiskannMapPageNodes(index));
	DiskannRefreshRanges(info->index, index);
	for (last.column = 0; last.column < nfilters; last.column++)
	{
		int			range = index->ranges[last.column].count;

		if (index->meta.filters[last.column].ranges == 0 ||
			range == DISKANN_MOST_BOUNDS)
			continue;
		for (int i = 0; i < nfilters; i++)
			DiskannSeekAll(&last.sought[i]);
		DiskannSeekRange(range, &last.sought[last.column]);
		if (has_many(&last))
			divide(&last, index);
	}
}
