/*-------------------------------------------------------------------------
 *
 * recent.c
 *	  Where a backend last found the pages of an index.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/recent.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "pgstat.h"
#include "port/pg_bitutils.h"
#include "storage/buf_internals.h"
#include "storage/bufmgr.h"
#include "store/recent.h"

/* At least and at most so many places: 4 kB to 1 MB. */
#define LEAST_PLACES 1024
#define MOST_PLACES (256 * 1024)

/*
 * A buffer found again does not count as used when another is to be replaced;
 * so every so many times it is looked up as others are.
 */
#define LOOKUP_INTERVAL 8

uint32
DiskannRecentPlaces(BlockNumber nblocks)
{
	return pg_nextpower2_32(Max(LEAST_PLACES, Min(nblocks, MOST_PLACES)));
}

static inline Buffer *
place_of(Relation rel, BlockNumber block)
{
	DiskannRecent *recent = (DiskannRecent *) rel->rd_amcache;

	return recent ? &recent->buffers[block & recent->mask] : NULL;
}

Buffer
DiskannReadBuffer(Relation rel, BlockNumber block, bool *recent)
{
	static uint32 reads = 0;
	Buffer	   *place = place_of(rel, block);
	Buffer		buffer;

	*recent = false;
	if (place && *place != InvalidBuffer && ++reads % LOOKUP_INTERVAL != 0 &&
		ReadRecentBuffer(DiskannRelLocator(rel), MAIN_FORKNUM, block, *place))
	{
		*recent = true;
		pgstat_count_buffer_read(rel);
		pgstat_count_buffer_hit(rel);
		return *place;
	}
	buffer = ReadBuffer(rel, block);
	place = place_of(rel, block);
	if (place && !BufferIsLocal(buffer))
		*place = buffer;
	return buffer;
}

const char *
DiskannRecentPage(Relation rel, BlockNumber block)
{
	const Buffer *place = place_of(rel, block);

	if (!place || *place == InvalidBuffer)
		return NULL;
	__builtin_prefetch(GetBufferDescriptor(*place - 1), 1);
	return BufferGetPage(*place);
}
