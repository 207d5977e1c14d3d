/*-------------------------------------------------------------------------
 *
 * scan_filter.c
 *	  The conditions of a scan on filter columns.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_filter.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relscan.h"
#include "am/scan_filter.h"

void
DiskannScanFilterInit(DiskannScanFilter *filter, Relation rel,
					  const DiskannIndex *index)
{
	filter->columns = DiskannGetFilters(rel, index->meta.nfilters,
										index->meta.filters);
}

/*
 * Take a condition of a scan key.  The executor leaves to us what it has made a
 * key of, unless it is told that rows have to be looked at again.
 */
static void
take_key(DiskannScanFilter *filter, ScanKey key)
{
	DiskannCondition *condition = &filter->conditions[filter->count];

	DiskannConditionStart(condition, filter->columns, key);
	filter->never |= condition->never;
	if (condition->filter == NULL)
		return;
	if (condition->flags == 0 && !condition->never)
	{
		filter->lossy |= condition->filter->kind != DISKANN_FILTER_VALUE;
		filter->undecided |= !condition->decidable;
	}
	filter->count++;
}

void
DiskannScanFilterStart(DiskannScanFilter *filter, IndexScanDesc desc,
					   IndexScanState *node)
{
	const DiskannFilters *columns = filter->columns;
	DiskannScanQual *qual = &filter->qual;
	ListCell   *lc;

	memset(filter, 0, sizeof(DiskannScanFilter));
	filter->columns = columns;
	DiskannScanQualStart(qual, desc->indexRelation, columns, node);
	filter->conditions = palloc(sizeof(DiskannCondition) *
								(desc->numberOfKeys +
								 list_length(qual->conditions) + 1));
	for (int i = 0; i < desc->numberOfKeys; i++)
		take_key(filter, &desc->keyData[i]);
	foreach(lc, qual->conditions)
	{
		DiskannCondition *condition = lfirst(lc);

		filter->never |= condition->never;
		filter->conditions[filter->count++] = *condition;
	}
}

bool
DiskannScanFilterPasses(const DiskannScanFilter *filter,
						const DiskannFilterValues *keys)
{
	for (int i = 0; i < filter->count; i++)
	{
		if (!DiskannConditionPasses(&filter->conditions[i], keys))
			return false;
	}
	return DiskannScanQualPasses(&filter->qual, keys);
}
