/*-------------------------------------------------------------------------
 *
 * index.c
 *	  What a backend knows of an index, and how an index gets its first row.
 *
 * The metapage of an index is written by CREATE INDEX with its settings.  The
 * first row fixes dimensions, layout and centre; until then there is nothing
 * but the metapage.  Behind it lie the centre and the ranges of filter columns.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/index.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/sinval.h"
#include "storage/standby.h"
#include "store/index.h"
#include "store/layout.h"
#include "store/page.h"
#include "store/place.h"
#include "store/recent.h"
#include "store/xlog.h"
#include "utils/memutils.h"

/* ---------- centre ---------- */

static Size
centre_part(const DiskannMetaPageData *meta, int part)
{
	Size		total = DiskannCentreBytes(meta);
	Size		before = (Size) part * DISKANN_PAGE_BYTES;

	return Min(total - before, DISKANN_PAGE_BYTES);
}

static void
read_centre(Relation rel, const DiskannMetaPageData *meta, float *centre)
{
	int			nparts = DiskannCentrePages(meta);

	for (int part = 0; part < nparts; part++)
	{
		BlockNumber block = 1 + part;
		Buffer		buffer = ReadBuffer(rel, block);
		Page		page = BufferGetPage(buffer);

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (PageIsNew(page))
			DiskannReportCorrupt(rel, block, -1, "page of the centre is empty");
		DiskannVerifyPage(rel, block, page, DISKANN_PAGE_CENTRE, part);
		memcpy((char *) centre + (Size) part * DISKANN_PAGE_BYTES,
			   DiskannPageContents(page), centre_part(meta, part));
		UnlockReleaseBuffer(buffer);
	}
	for (uint32 i = 0; i < meta->space_dims; i++)
	{
		if (!isfinite(centre[i]))
			DiskannReportCorrupt(rel, 1, -1, "the centre is not finite");
	}
}

/* ---------- ranges ---------- */

static void
read_ranges(Relation rel, const DiskannMetaPageData *meta, int column,
			DiskannRanges *ranges)
{
	BlockNumber block = meta->filters[column].ranges;
	Buffer		buffer = ReadBuffer(rel, block);
	Page		page = BufferGetPage(buffer);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (PageIsNew(page))
		DiskannReportCorrupt(rel, block, -1, "page of ranges is empty");
	DiskannVerifyPage(rel, block, page, DISKANN_PAGE_RANGES, 0);
	memcpy(ranges, DiskannPageContents(page), sizeof(DiskannRanges));
	UnlockReleaseBuffer(buffer);
	if (ranges->count > DISKANN_MOST_BOUNDS)
		DiskannReportCorrupt(rel, block, -1, "there are too many ranges");
}

void
DiskannWriteRanges(Relation rel, const DiskannIndex *index, int column,
				   const DiskannRanges *ranges)
{
	Buffer		buffer = ReadBuffer(rel, index->meta.filters[column].ranges);

	Assert(ranges->count <= DISKANN_MOST_BOUNDS);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	memcpy(DiskannPageContents(BufferGetPage(buffer)), ranges,
		   sizeof(DiskannRanges));
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}

void
DiskannRefreshRanges(Relation rel, const DiskannIndex *index)
{
	for (int i = 0; i < index->meta.nfilters; i++)
	{
		if (index->meta.filters[i].ranges != 0)
			read_ranges(rel, &index->meta, i,
						unconstify(DiskannRanges *, &index->ranges[i]));
	}
}

void
DiskannAddBound(Relation rel, const DiskannIndex *index, int column,
				uint64 key)
{
	BlockNumber block = index->meta.filters[column].ranges;
	Buffer		buffer = ReadBuffer(rel, block);
	DiskannRanges *ranges;
	DiskannLog	log;
	Page		page;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	DiskannVerifyPage(rel, block, BufferGetPage(buffer), DISKANN_PAGE_RANGES, 0);
	DiskannLogBegin(&log, rel, false);
	page = DiskannLogPage(&log, buffer, DISKANN_PAGE_RANGES, 0);
	ranges = (DiskannRanges *) DiskannPageContents(page);
	if (ranges->count >= DISKANN_MOST_BOUNDS)
		DiskannReportCorrupt(rel, block, -1, "there are too many ranges");
	ranges->bounds[ranges->count++] = key;
	DiskannLogFinish(&log);
	UnlockReleaseBuffer(buffer);
	DiskannRefreshRanges(rel, index);
}

/* ---------- first pages ---------- */

/*
 * An entry node lies at the centre, which is the origin of index space: its
 * code is zero, times as little as can be, for zero may stand for a fraction.
 */
void
DiskannFillEntry(const DiskannIndex *index, char *image)
{
	DiskannSlot head = (DiskannSlot) image;
	uint8		version = head->version;

	memset(image, 0, index->meta.slot_size);
	head->state = DISKANN_ENTRY;
	head->version = version + 1;
	head->next = DISKANN_INVALID_NODE;
	head->owner = DISKANN_INVALID_NODE;
	head->scale = FLT_MIN;
}

/*
 * Write all pages but the metapage of an index that is about to become ready:
 * the centre, ranges that have no bounds, a map of no nodes, the entry node,
 * and free slots on what else there is, for a crash may have left pages of an
 * earlier attempt, with another layout.  The caller holds the metapage lock, so
 * nobody else looks at or adds pages.
 */
static void
write_first_pages(Relation rel, const DiskannIndex *index, bool building)
{
	const DiskannMetaPageData *meta = &index->meta;
	BlockNumber nblocks = Max(RelationGetNumberOfBlocks(rel),
							  DiskannBlockOfNode(meta, DISKANN_ENTRY_NODE) +
							  meta->pages_per_slot);
	char	   *entry = palloc0(meta->slot_size);

	DiskannFillEntry(index, entry);
	for (BlockNumber block = 1; block < nblocks; block++)
	{
		DiskannPlace place = DiskannPlaceOfBlock(meta, block);
		bool		centre = place.kind == DISKANN_PAGE_CENTRE;
		bool		used = centre || (place.kind == DISKANN_PAGE_NODES &&
									  place.node == DISKANN_ENTRY_NODE);
		Size		start = (Size) place.part * DISKANN_PAGE_BYTES;
		Size		total = centre ? DiskannCentreBytes(meta) :
			meta->slot_size;
		Buffer		buffer = DiskannReadOrExtend(rel, block);
		DiskannLog	log;
		Page		page;

		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		DiskannLogBegin(&log, rel, building);
		page = DiskannLogFreshPage(&log, buffer, place.kind, place.part);
		if (used)
		{
			Size		bytes = Min(total - start, DISKANN_PAGE_BYTES);

			memcpy(DiskannPageContents(page),
				   (centre ? (const char *) index->data : entry) + start,
				   bytes);
			DiskannUsePage(page, bytes);
		}
		DiskannLogFinish(&log);
		UnlockReleaseBuffer(buffer);
	}
	pfree(entry);
}

/* ---------- the index in memory ---------- */

static Size
ranges_offset(const DiskannMetaPageData *meta)
{
	return MAXALIGN(offsetof(DiskannIndex, data) + sizeof(float) *
					(meta->space_dims +
					 diskann_rotation_signs(meta->space_dims)));
}

static Size
index_size(const DiskannMetaPageData *meta)
{
	return ranges_offset(meta) + sizeof(DiskannRanges) * meta->nfilters;
}

/*
 * Set pointers into the chunk itself, after it was filled or copied.
 */
static void
set_pointers(DiskannIndex *index)
{
	index->space.centre = index->data;
	index->space.rotation.signs = index->data + index->meta.space_dims;
	index->ranges = (DiskannRanges *) ((char *) index +
									   ranges_offset(&index->meta));
}

/* All of *index but the centre, from its metapage; it is given as zeroes. */
static void
fill_index(DiskannIndex *index, const DiskannMetaPageData *meta)
{
	int			prefix = meta->space_dims;

	if (meta->prefix_dims > 0 && meta->prefix_dims < meta->space_dims)
		prefix = meta->prefix_dims;
	index->size = index_size(meta);
	index->meta = *meta;
	index->kind = meta->vector_kind;
	index->space.metric = meta->metric;
	index->space.input_dims = meta->dims;
	index->space.dims = meta->space_dims;
	index->space.max_norm2 = meta->max_norm2;
	set_pointers(index);
	diskann_rotation_init(&index->space.rotation, meta->space_dims, prefix,
						  meta->seed, index->data + meta->space_dims);
	index->shape = DiskannLayoutShape(meta);
}

static DiskannIndex *
copy_index(const DiskannIndex *from, MemoryContext context)
{
	DiskannIndex *index = MemoryContextAlloc(context, from->size);

	memcpy(index, from, from->size);
	set_pointers(index);
	return index;
}

/*
 * The chunk in rd_amcache: the recent buffers, the index, the roster.  A roster
 * that has never been loaded is that of an index whose node 0 has no chain.
 */
static Size
recent_size(uint32 places)
{
	return MAXALIGN(offsetof(DiskannRecent, buffers) + places * sizeof(Buffer));
}

static DiskannIndex *
cached_index(Relation rel)
{
	DiskannRecent *recent = (DiskannRecent *) rel->rd_amcache;

	if (recent == NULL)
		return NULL;
	return (DiskannIndex *) ((char *) recent + recent_size(recent->mask + 1));
}

static DiskannRoster *
cached_roster(Relation rel)
{
	DiskannIndex *index = cached_index(rel);

	return (DiskannRoster *) ((char *) index + MAXALIGN(index->size));
}

/* False if the index never had a row. */
static bool
fill_cache(Relation rel, DiskannMetric metric)
{
	DiskannMetaPageData meta;
	uint32		places = DiskannRecentPlaces(RelationGetNumberOfBlocks(rel));
	DiskannRecent *recent;
	DiskannIndex *index;

	UnlockReleaseBuffer(DiskannReadMetapage(rel, BUFFER_LOCK_SHARE, &meta));
	if (meta.metric != metric)
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "it was built for another distance");
	if (!meta.ready)
		return false;
	recent = MemoryContextAllocZero(rel->rd_indexcxt,
									recent_size(places) +
									MAXALIGN(index_size(&meta)) +
									DiskannRosterBytes(&meta, 0));
	recent->mask = places - 1;
	index = (DiskannIndex *) ((char *) recent + recent_size(places));
	fill_index(index, &meta);
	read_centre(rel, &meta, index->data);
	DiskannRefreshRanges(rel, index);
	rel->rd_amcache = recent;
	return true;
}

const DiskannMetaPageData *
DiskannCachedMeta(Relation rel, DiskannMetric metric)
{
	if (rel->rd_amcache == NULL && !fill_cache(rel, metric))
		return NULL;
	return &cached_index(rel)->meta;
}

const DiskannRoster *
DiskannCachedRoster(Relation rel, const DiskannIndex *index)
{
	if (rel->rd_amcache == NULL && !fill_cache(rel, index->space.metric))
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "it has no rows any more");
	return cached_roster(rel);
}

const DiskannRoster *
DiskannCacheRoster(Relation rel, const DiskannIndex *index,
				   const DiskannRoster *roster)
{
	const char *old = (const char *) DiskannCachedRoster(rel, index);
	char	   *chunk = rel->rd_amcache;
	Size		before = old - chunk;
	Size		size = DiskannRosterBytes(&index->meta, roster->count);

	/* In place if it fits; there is room for as many as there were. */
	if (roster->count != ((const DiskannRoster *) old)->count)
	{
		char	   *grown = MemoryContextAlloc(rel->rd_indexcxt,
											   before + size);

		memcpy(grown, chunk, before);
		rel->rd_amcache = grown;
		set_pointers(cached_index(rel));
		pfree(chunk);
	}
	memcpy(cached_roster(rel), roster, size);
	return cached_roster(rel);
}

DiskannIndex *
DiskannLoadIndex(Relation rel, MemoryContext context, DiskannMetric metric)
{
	if (rel->rd_amcache == NULL && !fill_cache(rel, metric))
		return NULL;
	return copy_index(cached_index(rel), context);
}

/*
 * The mean of some rows in index space, whose centre is not known yet, as the
 * centre.  What is subtracted later must not itself be normalized or augmented
 * as a row would be, hence the mean of rows already mapped.
 */
static void
compute_centre(DiskannIndex *index, const float *rows, int nrows)
{
	int			dims = index->space.dims;
	float	   *x = palloc(sizeof(float) * dims);
	double	   *sum = palloc0(sizeof(double) * dims);

	index->space.centre = NULL;
	for (int row = 0; row < nrows; row++)
	{
		memcpy(x, rows + (Size) row * index->space.input_dims,
			   sizeof(float) * index->space.input_dims);
		(void) diskann_space_row(&index->space, x);
		for (int i = 0; i < dims; i++)
			sum[i] += x[i];
	}
	set_pointers(index);
	for (int i = 0; i < dims; i++)
		index->data[i] = (float) (sum[i] / nrows);
	pfree(x);
	pfree(sum);
}

void
DiskannMakeReady(Relation rel, int input_dims, const float *rows, int nrows,
				 float max_norm2, bool ranges, bool building)
{
	DiskannMetaPageData meta;
	Buffer		buffer = DiskannReadMetapage(rel, BUFFER_LOCK_EXCLUSIVE, &meta);

	if (!meta.ready)
	{
		DiskannIndex *index;

		DiskannChooseLayout(&meta, input_dims, ranges);
		meta.max_norm2 = max_norm2;
		meta.max_length2 = max_norm2;
		index = palloc0(index_size(&meta));
		fill_index(index, &meta);
		compute_centre(index, rows, nrows);
		write_first_pages(rel, index, building);
		meta.ready = 1;
		DiskannWriteMetapage(rel, buffer, &meta, building);
		pfree(index);
	}
	UnlockReleaseBuffer(buffer);
}

void
DiskannForgetCache(Relation rel)
{
	if (rel->rd_amcache)
		pfree(rel->rd_amcache);
	rel->rd_amcache = NULL;
}

/*
 * Tell all backends, those of standbys too, to forget what they have cached of
 * the index, whether this transaction commits or not: pages change at once.
 */
void
DiskannInvalidate(Relation rel)
{
	SharedInvalidationMessage message;

	memset(&message, 0, sizeof(message));
	message.rc.id = SHAREDINVALRELCACHE_ID;
	message.rc.dbId = MyDatabaseId;
	message.rc.relId = RelationGetRelid(rel);
	if (RelationNeedsWAL(rel) && XLogStandbyInfoActive())
		LogStandbyInvalidations(1, &message, false);
	SendSharedInvalidMessages(&message, 1);
	DiskannForgetCache(rel);
}

void
DiskannForgetRows(Relation rel)
{
	DiskannMetaPageData meta;
	Buffer		buffer;

	Assert(CheckRelationLockedByMe(rel, AccessExclusiveLock, false) ||
		   RELATION_IS_LOCAL(rel));
	buffer = DiskannReadMetapage(rel, BUFFER_LOCK_EXCLUSIVE, &meta);
	if (meta.ready)
	{
		meta.ready = 0;
		meta.live_nodes = 0;
		meta.tombstones = 0;
		meta.self_searched = 0;
		meta.self_missed = 0;
		meta.repaired = 0;
		memset(&meta.calibration, 0, sizeof(meta.calibration));
		DiskannWriteMetapage(rel, buffer, &meta, false);
	}
	UnlockReleaseBuffer(buffer);
	DiskannInvalidate(rel);
}
