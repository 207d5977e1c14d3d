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

/* So many nodes for a walk to start from are kept of what the map names. */
#define STARTS_FROM_MAP 64

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

void
DiskannScanSeekStart(DiskannScanSeek *seek, const DiskannScanFilter *filter,
					 DiskannNodeRef *ref)
{
	DiskannMapEstimate estimate;

	seek->narrow = false;
	if (seek->signatures == NULL || filter->never)
		return;
	DiskannScanFilterSeek(filter, seek->signatures, seek->sought);
	for (int i = 0; i < filter->columns->count; i++)
		seek->narrow |= DiskannIsNarrow(&seek->sought[i]);
	if (!seek->narrow)
		return;
	seek->by_value = DiskannHasKin(&ref->index->meta) &&
		DiskannIsNarrow(&seek->sought[0]);
	DiskannMapSample(ref, seek->sought, ref->index->meta.seed, STARTS_FROM_MAP,
					 &estimate);
	seek->matching = estimate.wanted;
	seek->by_first = estimate.first;
	seek->share = Max(estimate.wanted, 1) / Max(estimate.live, 1);
	seek->nsome = estimate.nfound;
	seek->some = estimate.found;
}
