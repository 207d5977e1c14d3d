/*-------------------------------------------------------------------------
 *
 * place.h
 *	  Which blocks of an index hold which nodes, and what else blocks are for.
 *
 * Nodes follow each other from first_block on.  In an index with a filter map
 * they form *regions* of region_nodes each: a page of the map, and then the
 * pages of the nodes that it describes.  This alone knows of it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/place.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_PLACE_H
#define DISKANN_PLACE_H

#include "store/format.h"

/* Pages of a whole region. */
static inline uint32
DiskannRegionPages(const DiskannMetaPageData *meta)
{
	return 1 + meta->region_nodes / meta->slots_per_page * meta->pages_per_slot;
}

/* The block of a page of the map, counted from 0. */
static inline BlockNumber
DiskannBlockOfMap(const DiskannMetaPageData *meta, uint32 region)
{
	return meta->first_block + region * DiskannRegionPages(meta);
}

/* The block, the first one, of a node. */
static inline BlockNumber
DiskannBlockOfNode(const DiskannMetaPageData *meta, DiskannNode node)
{
	BlockNumber start = meta->first_block;

	if (meta->region_nodes > 0)
	{
		uint32		region = node / meta->region_nodes;

		start = DiskannBlockOfMap(meta, region) + 1;
		node -= region * meta->region_nodes;
	}
	return start + (BlockNumber) (meta->pages_per_slot > 1 ?
								  (uint64) node * meta->pages_per_slot :
								  node / meta->slots_per_page);
}

/* How many nodes, and pages of the map, an index of so many blocks has. */
extern uint64 DiskannNodesOfBlocks(const DiskannMetaPageData *meta,
								   BlockNumber nblocks);
extern uint32 DiskannMapPagesOfBlocks(const DiskannMetaPageData *meta,
									  BlockNumber nblocks);

/*
 * What a block is for: the kind of its page; which part it is of a slot or the
 * centre, if that spans several; of a page of nodes, its first node.
 */
typedef struct DiskannPlace
{
	DiskannPageKind kind;
	int			part;
	uint64		node;
} DiskannPlace;

/* Of a block of an index that is ready. */
extern DiskannPlace DiskannPlaceOfBlock(const DiskannMetaPageData *meta,
										BlockNumber block);

#endif							/* DISKANN_PLACE_H */
