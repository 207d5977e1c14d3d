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

/* Do the keys of a filter column have an order, that of values? */
static inline bool
DiskannHasOrder(const DiskannFilterColumn *filter)
{
	return filter->kind != DISKANN_FILTER_HASH &&
		filter->kind != DISKANN_FILTER_SET;
}

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

/* Bytes of DiskannFilterValues that are in use, 0 without filter columns. */
static inline Size
DiskannFilterBytes(const DiskannMetaPageData *meta)
{
	return meta->nfilters == 0 ? 0 : sizeof(uint64) * (1 + meta->nfilters);
}

/*
 * In a slot: where the values of filter columns begin, the bits of NULLs, and
 * the node's marks; and bytes of each half of the bits, and of the marks.
 */
static inline Size
DiskannFiltersOffset(const DiskannMetaPageData *meta)
{
	return meta->nfilters == 0 ? DISKANN_SLOT_HEADER :
		meta->filters[0].value_offset;
}

static inline Size
DiskannNullsOffset(const DiskannMetaPageData *meta)
{
	return DiskannFiltersOffset(meta) + sizeof(uint64) * meta->nfilters;
}

static inline Size
DiskannNullsBytes(const DiskannMetaPageData *meta)
{
	return (meta->nfilters + 7) / 8;
}

static inline Size
DiskannMarksOffset(const DiskannMetaPageData *meta)
{
	return DiskannNullsOffset(meta) + 2 * DiskannNullsBytes(meta);
}

/* How many signatures a node has of the first filter columns, by number. */
static inline int
DiskannSignaturesBefore(const DiskannMetaPageData *meta, int columns)
{
	int			n = 0;

	for (int i = 0; i < columns; i++)
		n += meta->filters[i].kind == DISKANN_FILTER_SET ?
			DISKANN_SET_SIGNATURES : 1;
	return n;
}

/* And of all of them. */
static inline int
DiskannSignatureCount(const DiskannMetaPageData *meta)
{
	return DiskannSignaturesBefore(meta, meta->nfilters);
}

/*
 * Do the rows of a signature of the first filter column have a value in common,
 * so that value edges between them are of use?
 */
static inline bool
DiskannHasKin(const DiskannMetaPageData *meta)
{
	return meta->nfilters > 0 && meta->filters[0].kind != DISKANN_FILTER_SET;
}

/* One edge in so many leads to a node of the same value, if there are any. */
#define DISKANN_VALUE_SHARE 8

/* How many value edges should a node have? */
static inline int
DiskannValueEdges(const DiskannMetaPageData *meta)
{
	return DiskannHasKin(meta) ? meta->max_degree / DISKANN_VALUE_SHARE : 0;
}

static inline Size
DiskannMarksBytes(const DiskannMetaPageData *meta)
{
	return sizeof(uint16) * meta->nfilters + DiskannSignatureCount(meta);
}

/* How the edge codes of an index with this layout are shaped. */
extern DiskannEdgeShape DiskannLayoutShape(const DiskannMetaPageData *meta);

/* Bytes and pages of the centre, which lies behind the metapage. */
extern Size DiskannCentreBytes(const DiskannMetaPageData *meta);
extern uint32 DiskannCentrePages(const DiskannMetaPageData *meta);

#endif							/* DISKANN_LAYOUT_H */
