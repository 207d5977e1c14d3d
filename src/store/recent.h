/*-------------------------------------------------------------------------
 *
 * recent.h
 *	  Where a backend last found the pages of an index.
 *
 * Finding a page among the shared buffers takes several cache misses, and the
 * page itself some more, which make up most of the cost of a visit.  A backend
 * therefore remembers the buffers, in rel->rd_amcache (see DiskannLoadIndex),
 * tries there first, and can have the processor fetch what is needed next.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/recent.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_RECENT_H
#define DISKANN_RECENT_H

#include "storage/buf.h"
#include "store/format.h"
#include "utils/rel.h"

/*
 * Where this backend has met a vector, by its hash; so that more rows of it
 * share its node although nobody searches for that.
 */
typedef struct DiskannKnownVector
{
	uint64		hash;
	DiskannNode node;			/* DISKANN_ENTRY_NODE: none */
} DiskannKnownVector;

#define DISKANN_KNOWN_BITS 10

/* A porch, and its place in their chain, from 0; no porch is all zero. */
typedef struct DiskannPorchPlace
{
	DiskannNode porch;
	int			place;
} DiskannPorchPlace;

/* What rd_amcache begins with.  Blocks share places if there are not enough. */
typedef struct DiskannRecent
{
	uint32		mask;			/* number of places - 1 */
	DiskannPorchPlace last;		/* where a row was added last */
	DiskannKnownVector known[1 << DISKANN_KNOWN_BITS];
	Buffer		buffers[FLEXIBLE_ARRAY_MEMBER]; /* InvalidBuffer: not known */
} DiskannRecent;

/* Places worth having for an index of that many blocks. */
extern uint32 DiskannRecentPlaces(BlockNumber nblocks);

/*
 * Like ReadBuffer(): pins a page of the index.  *recent tells whether it has
 * been in this buffer since this backend last read it.
 */
extern Buffer DiskannReadBuffer(Relation rel, BlockNumber block,
								bool *recent);

/*
 * Where the page may be, to be given to the processor as a hint but not to be
 * read from; NULL if that is not known.  The processor fetches what pins and
 * locks of that buffer are written to.
 */
extern const char *DiskannRecentPage(Relation rel, BlockNumber block);

#endif							/* DISKANN_RECENT_H */
