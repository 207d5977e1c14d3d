/*-------------------------------------------------------------------------
 *
 * scan_seek.c
 *	  What a scan with conditions seeks in signatures and in the filter map.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_seek.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/scan_seek.h"

void
DiskannScanSeekInit(DiskannScanSeek *seek, const DiskannIndex *index,
					const DiskannFilters *filters)
{
	memset(seek, 0, sizeof(DiskannScanSeek));
	if (index->meta.nfilters == 0)
		return;
	seek->signatures = DiskannSignaturesLoad(index, filters);
	seek->sought = palloc(sizeof(DiskannSought) * index->meta.nfilters);
}

/* Narrow what is sought by a condition. */
static void
seek_condition(DiskannScanSeek *seek, const DiskannCondition *condition)
{
	DiskannSought *sought = &seek->sought[condition->number];
	DiskannComparison comparison = {
		.strategy = condition->strategy,
		.subtype = condition->subtype,
		.nvalues = condition->nvalues,
		.values = condition->values,
		.keys = condition->keys
	};

	if (condition->flags != 0)
	{
		DiskannSeekNull(sought, (condition->flags & SK_SEARCHNULL) != 0);
		return;
	}
	comparison.function = condition->function->fn_oid;
	DiskannSeekCompared(seek->signatures, condition->number, &comparison,
						sought);
}

void
DiskannScanSeekStart(DiskannScanSeek *seek, const DiskannScanFilter *filter,
					 DiskannNodeRef *ref)
{
	DiskannMapEstimate estimate;
	DiskannSought all;

	seek->narrow = false;
	if (seek->signatures == NULL || filter->never)
		return;
	DiskannSeekAll(&all);
	for (int i = 0; i < filter->columns->count; i++)
		seek->sought[i] = all;
	for (int i = 0; i < filter->count; i++)
		seek_condition(seek, &filter->conditions[i]);
	for (int i = 0; i < filter->columns->count; i++)
		seek->narrow |= memcmp(seek->sought[i].signatures, all.signatures,
							   sizeof(all.signatures)) != 0;
	if (!seek->narrow)
		return;
	seek->by_value = memcmp(seek->sought[0].signatures, all.signatures,
							sizeof(all.signatures)) != 0;
	DiskannMapSample(ref, seek->sought, ref->index->meta.seed, 0, &estimate);
	seek->matching = estimate.wanted;
	seek->share = Max(estimate.wanted, 1) / Max(estimate.live, 1);
}

DiskannNode *
DiskannScanSeekSome(const DiskannScanSeek *seek, DiskannNodeRef *ref, int most,
					int *n)
{
	DiskannMapEstimate estimate;

	DiskannMapSample(ref, seek->sought, ref->index->meta.seed, most, &estimate);
	*n = estimate.nfound;
	return estimate.found;
}
