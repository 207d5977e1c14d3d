/*-------------------------------------------------------------------------
 *
 * index.h
 *	  What a backend knows of an index, and how an index gets its first row.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/index.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_INDEX_H
#define DISKANN_INDEX_H

#include "store/meta.h"
#include "utils/rel.h"
#include "vector/edge_code.h"
#include "vector/own_code.h"
#include "vector/space.h"

/* One palloc'd chunk, so that it can be part of the relation's rd_amcache. */
typedef struct DiskannIndex
{
	Size		size;			/* of this chunk */
	DiskannMetaPageData meta;
	DiskannSpace space;
	DiskannEdgeShape shape;
	DiskannVectorKind kind;
	const DiskannRanges *ranges;	/* of each filter column; only what the
									 * metapage tells of is filled */

	float		data[FLEXIBLE_ARRAY_MEMBER];	/* centre, signs, ranges */
} DiskannIndex;

/*
 * A backend's copy of the chain of entry nodes, see store/roster.c.  The slots
 * are copied up to their own vectors, DiskannEntryBytes() each.
 */
typedef struct DiskannRoster
{
	uint32		version;		/* node 0's sequence when it was read */
	int			count;
	DiskannNode nodes[DISKANN_MOST_ENTRIES];
	char		slots[FLEXIBLE_ARRAY_MEMBER];
} DiskannRoster;

StaticAssertDecl(offsetof(DiskannRoster, slots) % MAXIMUM_ALIGNOF == 0,
				 "slots of a roster are aligned");

static inline Size
DiskannEntryBytes(const DiskannMetaPageData *meta)
{
	return MAXALIGN(meta->own_offset);
}

/* Bytes of a roster with so many slots. */
static inline Size
DiskannRosterBytes(const DiskannMetaPageData *meta, int count)
{
	return offsetof(DiskannRoster, slots) + count * DiskannEntryBytes(meta);
}

/*
 * The index' parameters, palloc'd in the context given and valid as long as
 * it.  NULL if the index never had a row.  Takes and releases a share lock on
 * the metapage unless the relation's cache has them.  An index of another
 * metric than expected, of another version, or damaged, is an error.
 */
extern DiskannIndex *DiskannLoadIndex(Relation rel, MemoryContext context,
									  DiskannMetric metric);

/*
 * The metapage as the relation's cache has it, valid until invalidations are
 * accepted; NULL if the index never had a row.  Locks, and errors, as above.
 */
extern const DiskannMetaPageData *DiskannCachedMeta(Relation rel,
													DiskannMetric metric);

/*
 * The roster in the relation's cache, of version 0 and empty if none has been
 * put there.  It is valid until invalidations are accepted or another one is
 * put there.  Reads the metapage if the cache has been emptied since index was
 * loaded; nothing may be locked.
 */
extern const DiskannRoster *DiskannCachedRoster(Relation rel,
												const DiskannIndex *index);

/* Put a copy of a roster there, and return it. */
extern const DiskannRoster *DiskannCacheRoster(Relation rel,
											   const DiskannIndex *index,
											   const DiskannRoster *roster);

/*
 * Make the image of a slot that of an entry node without edges, in no chain.
 * The image tells by its version how often the slot has been used.
 */
extern void DiskannFillEntry(const DiskannIndex *index, char *image);

/*
 * Give an index without rows its dimensions and a centre, the mean of nrows
 * vectors of input_dims floats (row-major), create the entry node, and make it
 * ready.  max_norm2 is the squared length no row is expected to exceed.
 * ranges: there are to be ranges for filter columns, which are written later.
 * Harmless if somebody else did so meanwhile.  Exclusively locks the metapage
 * while it works; scratch memory comes from the current context.
 */
extern void DiskannMakeReady(Relation rel, int input_dims,
							 const float *rows, int nrows, float max_norm2,
							 bool ranges, bool building);

/*
 * Write the ranges of a filter column that is to have some, in an index that is
 * being built.  Nothing is locked on entry and exit; their page exclusively
 * meanwhile.  What this and other processes have cached knows nothing of them.
 */
extern void DiskannWriteRanges(Relation rel, const DiskannIndex *index,
							   int column, const DiskannRanges *ranges);

/*
 * Read anew what ranges index is to have, which may be more by now.  Nothing is
 * locked on entry and exit; each page of ranges in share mode meanwhile.
 */
extern void DiskannRefreshRanges(Relation rel, const DiskannIndex *index);

/*
 * Let the last range of a column end with a key, and another one follow; there
 * must be room for it.  Nothing is locked on entry and exit but the linking
 * lock, exclusively, so that no insert goes on with what it knew before; the
 * page of ranges exclusively meanwhile.
 */
extern void DiskannAddBound(Relation rel, const DiskannIndex *index, int column,
							uint64 key);

/* Forget what this backend has cached of the index. */
extern void DiskannForgetCache(Relation rel);

/* Let all backends, this one too, read the metapage anew. */
extern void DiskannInvalidate(Relation rel);

/*
 * Let an index forget its dimensions, layout and nodes, as none of them stands
 * for a row any more.  The caller has seen that, and holds a lock on the index
 * that keeps everybody else away from it until the end of the transaction.
 * Other backends, and this one, forget what they know of it.
 */
extern void DiskannForgetRows(Relation rel);

#endif							/* DISKANN_INDEX_H */
