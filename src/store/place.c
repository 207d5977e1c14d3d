/*-------------------------------------------------------------------------
 *
 * place.c
 *	  Which blocks of an index hold which nodes, and what else blocks are for.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/place.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/layout.h"
#include "store/place.h"

/*
 * Divide blocks from first_block on into whole regions and the rest.  Without a
 * map all of them are the rest.
 */
static uint32
whole_regions(const DiskannMetaPageData *meta, BlockNumber *blocks)
{
	uint32		pages;
	uint32		regions;

	if (meta->region_nodes == 0)
		return 0;
	pages = DiskannRegionPages(meta);
	regions = *blocks / pages;
	*blocks -= regions * pages;
	return regions;
}

uint64
DiskannNodesOfBlocks(const DiskannMetaPageData *meta, BlockNumber nblocks)
{
	BlockNumber rest = nblocks - Min(nblocks, meta->first_block);
	uint64		regions = whole_regions(meta, &rest);

	/* The first page of a region is one of the map. */
	if (meta->region_nodes > 0 && rest > 0)
		rest--;
	return regions * meta->region_nodes +
		(uint64) (rest / meta->pages_per_slot) * meta->slots_per_page;
}

uint32
DiskannMapPagesOfBlocks(const DiskannMetaPageData *meta, BlockNumber nblocks)
{
	BlockNumber rest = nblocks - Min(nblocks, meta->first_block);
	uint32		regions = whole_regions(meta, &rest);

	return meta->region_nodes == 0 ? 0 : regions + (rest > 0 ? 1 : 0);
}

DiskannPlace
DiskannPlaceOfBlock(const DiskannMetaPageData *meta, BlockNumber block)
{
	DiskannPlace place = {DISKANN_PAGE_NODES, 0, 0};
	BlockNumber ranges = DISKANN_METAPAGE_BLKNO + 1 + DiskannCentrePages(meta);
	BlockNumber rest = block - meta->first_block;

	if (block == DISKANN_METAPAGE_BLKNO)
		place.kind = DISKANN_PAGE_META;
	else if (block < ranges)
	{
		place.kind = DISKANN_PAGE_CENTRE;
		place.part = block - (DISKANN_METAPAGE_BLKNO + 1);
	}
	else if (block < meta->first_block)
		place.kind = DISKANN_PAGE_RANGES;
	else
	{
		place.node = (uint64) whole_regions(meta, &rest) * meta->region_nodes;
		if (meta->region_nodes > 0 && rest-- == 0)
		{
			place.kind = DISKANN_PAGE_FILTER_MAP;
			return place;
		}
		place.part = rest % meta->pages_per_slot;
		place.node += (uint64) (rest / meta->pages_per_slot) *
			meta->slots_per_page;
	}
	return place;
}
