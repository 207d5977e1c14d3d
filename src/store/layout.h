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
 * input_dims coordinates, and write it there.
 */
extern void DiskannChooseLayout(DiskannMetaPageData *meta, int input_dims);

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

/* How the edge codes of an index with this layout are shaped. */
extern DiskannEdgeShape DiskannLayoutShape(const DiskannMetaPageData *meta);

/* Bytes of the centre, which lies on the pages before first_block. */
extern Size DiskannCentreBytes(const DiskannMetaPageData *meta);

#endif							/* DISKANN_LAYOUT_H */
