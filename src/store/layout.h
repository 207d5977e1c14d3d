/*-------------------------------------------------------------------------
 *
 * layout.h
 *	  Where the parts of a slot lie, and how slots lie on pages.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/layout.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_LAYOUT_H
#define DISKANN_LAYOUT_H

#include "store/format.h"
#include "vector/edge_code.h"

/*
 * Decide the layout of an index whose settings are in *meta, for vectors of
 * input_dims coordinates, and write it there.  ranges: there are to be pages of
 * ranges for the filter columns whose keys have an order.
 */
extern void DiskannChooseLayout(DiskannMetaPageData *meta, int input_dims,
								bool ranges);

/*
 * What is impossible about a layout read from disk, or NULL: every array lies
 * within its slot, none overlaps another, and slots lie within their pages.
 * Whether it is what DiskannChooseLayout() would choose does not matter.
 */
extern const char *DiskannLayoutProblem(const DiskannMetaPageData *meta);

/*
 * Bytes of the values of filter columns in a slot, 0 if there are none, and
 * where they begin.
 */
static inline Size
DiskannFilterBytes(const DiskannMetaPageData *meta)
{
	return meta->nfilters == 0 ? 0 : sizeof(uint64) * (1 + meta->nfilters);
}

static inline Size
DiskannFiltersOffset(const DiskannMetaPageData *meta)
{
	return meta->nfilters == 0 ? DISKANN_SLOT_HEADER :
		meta->filters[0].value_offset - sizeof(uint64);
}

/* A node's marks lie behind its values. */
static inline Size
DiskannMarksBytes(const DiskannMetaPageData *meta)
{
	return (sizeof(uint16) + sizeof(uint8)) * meta->nfilters;
}

static inline Size
DiskannMarksOffset(const DiskannMetaPageData *meta)
{
	return DiskannFiltersOffset(meta) + DiskannFilterBytes(meta);
}

/* How the edge codes of an index with this layout are shaped. */
extern DiskannEdgeShape DiskannLayoutShape(const DiskannMetaPageData *meta);

/* Bytes and pages of the centre, which lies behind the metapage. */
extern Size DiskannCentreBytes(const DiskannMetaPageData *meta);
extern uint32 DiskannCentrePages(const DiskannMetaPageData *meta);

#endif							/* DISKANN_LAYOUT_H */
