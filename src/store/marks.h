/*-------------------------------------------------------------------------
 *
 * marks.h
 *	  Keys, signatures and hashes of filter columns, in slots and in the map.
 *
 * A live node's marks are written when it is, into its slot and, in the same
 * change, into the map; what is no live node has signatures 0 there.  The
 * arrays of a page of the map are, for each column, the hashes of all its
 * nodes, and then, for each signature of a column, those.
 *
 * A signature is numbered among those of all columns.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/marks.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_MARKS_H
#define DISKANN_MARKS_H

#include "store/layout.h"

/* A node's signatures, in its slot. */
static inline uint8 *
DiskannSlotOwnSignatures(const DiskannMetaPageData *meta, const char *slot)
{
	return (uint8 *) (slot + DiskannMarksOffset(meta) +
					  sizeof(uint16) * meta->nfilters);
}

/* The signatures of some number of what edges lead to. */
static inline uint8 *
DiskannSlotSignatures(const DiskannMetaPageData *meta, const char *slot,
					  int number)
{
	return (uint8 *) (slot + meta->filters[0].signature_offset +
					  number * meta->max_degree);
}

/* What filter columns hold, of which marks tell. */
static inline void
DiskannReadKeys(const DiskannMetaPageData *meta, const char *slot,
				DiskannFilterValues *values)
{
	const uint8 *bits = (const uint8 *) slot + DiskannNullsOffset(meta);
	int			bytes = DiskannNullsBytes(meta);

	values->nulls = 0;
	for (int i = 0; i < bytes; i++)
		values->nulls |= (uint64) bits[i] << (8 * i) |
			(uint64) bits[bytes + i] << (32 + 8 * i);
	memcpy(values->values, slot + DiskannFiltersOffset(meta),
		   sizeof(uint64) * meta->nfilters);
}

static inline void
DiskannWriteKeys(const DiskannMetaPageData *meta, char *slot,
				 const DiskannFilterValues *values)
{
	uint8	   *bits = (uint8 *) slot + DiskannNullsOffset(meta);
	int			bytes = DiskannNullsBytes(meta);

	for (int i = 0; i < bytes; i++)
	{
		bits[i] = values->nulls >> (8 * i);
		bits[bytes + i] = values->nulls >> (32 + 8 * i);
	}
	memcpy(slot + DiskannFiltersOffset(meta), values->values,
		   sizeof(uint64) * meta->nfilters);
}

static inline void
DiskannReadMarks(const DiskannMetaPageData *meta, const char *slot,
				 DiskannMarks *marks)
{
	memcpy(marks->hashes, slot + DiskannMarksOffset(meta),
		   sizeof(uint16) * meta->nfilters);
	memcpy(marks->signatures, DiskannSlotOwnSignatures(meta, slot),
		   DiskannSignatureCount(meta));
}

static inline void
DiskannWriteMarks(const DiskannMetaPageData *meta, char *slot,
				  const DiskannMarks *marks)
{
	memcpy(slot + DiskannMarksOffset(meta), marks->hashes,
		   sizeof(uint16) * meta->nfilters);
	memcpy(DiskannSlotOwnSignatures(meta, slot), marks->signatures,
		   DiskannSignatureCount(meta));
}

/* Arrays of a page of the map, given its contents, by number in the region. */
static inline uint16 *
DiskannMapHashes(const DiskannMetaPageData *meta, const char *contents,
				 int column)
{
	return (uint16 *) (contents +
					   sizeof(uint16) * column * meta->region_nodes);
}

static inline uint8 *
DiskannMapSignatures(const DiskannMetaPageData *meta, const char *contents,
					 int number)
{
	return (uint8 *) (contents + (sizeof(uint16) * meta->nfilters + number) *
					  meta->region_nodes);
}

#endif							/* DISKANN_MARKS_H */
