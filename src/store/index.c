/*-------------------------------------------------------------------------
 *
 * index.c
 *	  What a backend knows of an index: its metapage and what follows from it.
 *
 * The metapage of an index is written by CREATE INDEX with its settings.  The
 * first row fixes dimensions, layout and centre; until then there is nothing
 * but the metapage.  Pages 1 to first_block - 1 hold the centre.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/index.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "store/index.h"
#include "store/node.h"
#include "store/recent.h"
#include "store/xlog.h"
#include "utils/memutils.h"

/*
 * What an edge code should have when it is decided how many slots a page holds,
 * what it keeps when own vectors become finer than int8 at its expense, and
 * what it grows to before others.
 */
#define EDGE_BITS_WANTED 384
#define EDGE_BITS_KEPT 320
#define EDGE_BITS_ENOUGH 512

/* Up to this many dimensions two bits a dimension are worth their place. */
#define TWO_BIT_DIMS 256

void
DiskannReportCorrupt(Relation rel, BlockNumber block, int slot,
					 const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" is corrupted: %s",
					RelationGetRelationName(rel), what),
			 slot < 0 ? errdetail("Block %u.", block) :
			 errdetail("Block %u, slot %d.", block, slot),
			 errhint("Please REINDEX it.")));
}

void
DiskannVerifyPage(Relation rel, BlockNumber block, Page page,
				 DiskannPageKind kind, int part)
{
	DiskannPageOpaque opaque;

	if (PageIsNew(page))
		return;
	if (PageGetSpecialSize(page) != MAXALIGN(sizeof(DiskannPageOpaqueData)))
		DiskannReportCorrupt(rel, block, -1, "unexpected special area");
	opaque = DiskannPageGetOpaque(page);
	if (opaque->page_id != DISKANN_PAGE_ID || opaque->kind != kind ||
		opaque->part != part)
		DiskannReportCorrupt(rel, block, -1, "not the kind of page expected");
}

/* ---------- layout ---------- */

static Size
slot_size(const DiskannMetaPageData *meta, int code_dims,
		  DiskannVectorKind kind)
{
	DiskannEdgeShape shape = {meta->space_dims, code_dims, meta->planes,
	(code_dims + 3) / 4};

	return MAXALIGN(DISKANN_SLOT_HEADER +
					meta->max_degree * (sizeof(float) + sizeof(uint16) +
										sizeof(DiskannNode)) +
					diskann_edge_bytes(&shape, meta->max_degree) +
					diskann_vector_bytes(kind, meta->space_dims));
}

/* As many coded coordinates as fit budget bytes, from what is given to most. */
static int
grow_code(const DiskannMetaPageData *meta, int code_dims, int most,
		  DiskannVectorKind kind, Size budget)
{
	while (code_dims < most &&
		   slot_size(meta, Min(code_dims + 4, most), kind) <= budget)
		code_dims = Min(code_dims + 4, most);
	return code_dims;
}

/* The most precise own vector that fits budget bytes, of those up to most. */
static DiskannVectorKind
finest_kind(const DiskannMetaPageData *meta, int code_dims,
			DiskannVectorKind most, Size budget)
{
	while (most > DISKANN_INT8 && slot_size(meta, code_dims, most) > budget)
		most--;
	return most;
}

/*
 * Decide the layout for vectors of input_dims.  Start with int8 and the edge
 * bits wanted, and see how many slots a page holds, or pages a slot takes.  Two
 * more bits a coordinate of the own vector come first, if edge codes keep enough:
 * with int8 three rows a query are looked at because their order is in doubt.
 * Then what is left is spent on enough edge bits, on a finer own vector, and on
 * more edge bits, in that order.  What the user asked for is not touched.
 */
static void
choose_layout(DiskannMetaPageData *meta, int input_dims)
{
	DiskannVectorKind kind = meta->vector_storage ? meta->vector_storage :
	DISKANN_INT8;
	int			most;
	int			code_dims;
	int			enough;
	Size		size;
	Size		budget;

	meta->dims = input_dims;
	meta->space_dims = diskann_space_dims(meta->metric, input_dims);
	meta->planes = meta->bits_per_dimension ? meta->bits_per_dimension :
		(meta->space_dims <= TWO_BIT_DIMS + 1 ? 2 : 1);
	most = Min(meta->space_dims, DISKANN_MAX_EDGE_BITS / meta->planes);
	if (meta->prefix_dims > 0)
		most = Min(most, (int) meta->prefix_dims);
	code_dims = Min(most, (meta->edge_bits ? meta->edge_bits :
						   EDGE_BITS_WANTED) / meta->planes);
	if (meta->planes == 2 && meta->edge_bits == 0)
		code_dims = Min(most, TWO_BIT_DIMS + 1);

	size = slot_size(meta, code_dims, kind);
	meta->slots_per_page = Max(1, DISKANN_PAGE_BYTES / size);
	meta->pages_per_slot = (size + DISKANN_PAGE_BYTES - 1) / DISKANN_PAGE_BYTES;
	budget = meta->pages_per_slot * DISKANN_PAGE_BYTES / meta->slots_per_page;
	budget -= budget % MAXIMUM_ALIGNOF;

	enough = Max(code_dims, Min(most, EDGE_BITS_ENOUGH / meta->planes));
	if (meta->edge_bits == 0)
		code_dims = Min(code_dims, EDGE_BITS_KEPT / meta->planes);
	if (meta->vector_storage == 0)
		kind = finest_kind(meta, code_dims, DISKANN_INT10, budget);
	if (meta->edge_bits == 0)
		code_dims = grow_code(meta, code_dims, enough, kind, budget);
	if (meta->vector_storage == 0)
		kind = finest_kind(meta, code_dims, meta->vector_limit ?
						   meta->vector_limit : DISKANN_FLOAT32, budget);
	if (meta->edge_bits == 0)
		code_dims = grow_code(meta, code_dims, most, kind, budget);

	meta->vector_kind = kind;
	meta->code_dims = code_dims;
	meta->slot_size = slot_size(meta, code_dims, kind);
	meta->first_block = DISKANN_METAPAGE_BLKNO + 1 +
		(meta->space_dims * sizeof(float) + DISKANN_PAGE_BYTES - 1) /
		DISKANN_PAGE_BYTES;
}

/* ---------- metapage ---------- */

/* Check what was read before anything is computed from it. */
static void
check_meta(Relation rel, Page page)
{
	DiskannMetaPage meta;
	DiskannMetaPageData expected;

	if (PageIsNew(page) ||
		PageGetSpecialSize(page) != MAXALIGN(sizeof(DiskannPageOpaqueData)) ||
		DiskannPageGetMeta(page)->magic != DISKANN_MAGIC)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" is not a diskann index",
						RelationGetRelationName(rel)),
				 errdetail("Block %u holds no diskann metapage.",
						   DISKANN_METAPAGE_BLKNO),
				 errhint("Please REINDEX it.")));
	meta = DiskannPageGetMeta(page);
	if (meta->version != DISKANN_FORMAT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has format version %u, but this version of diskann reads version %u",
						RelationGetRelationName(rel), meta->version,
						DISKANN_FORMAT_VERSION),
				 errhint("Please REINDEX it.")));
	DiskannVerifyPage(rel, DISKANN_METAPAGE_BLKNO, page,
					 DISKANN_PAGE_META, 0);

	if (meta->metric < DISKANN_L2 || meta->metric > DISKANN_INNER_PRODUCT ||
		meta->max_degree < DISKANN_MIN_DEGREE ||
		meta->max_degree > DISKANN_MAX_DEGREE ||
		meta->max_degree % DISKANN_EDGE_BLOCK != 0 ||
		meta->build_list_size < 1 || meta->vector_storage > DISKANN_FLOAT32 ||
		meta->vector_limit > DISKANN_FLOAT32 ||
		meta->bits_per_dimension > 2 ||
		meta->edge_bits > DISKANN_MAX_EDGE_BITS || !(meta->alpha >= 1.0f) ||
		meta->ready > 1)
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "metapage has impossible settings");
	if (!meta->ready)
		return;

	/* The layout follows from settings and dimensions: compare. */
	if (meta->dims < 1 || meta->dims > DISKANN_MAX_DIMS)
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "metapage has impossible dimensions");
	expected = *meta;
	choose_layout(&expected, meta->dims);
	if (memcmp(&expected, meta, sizeof(expected)) != 0 ||
		!isfinite(meta->max_norm2) || !isfinite(meta->max_length2))
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "metapage has an impossible layout");
}

/* Read and lock the metapage; the caller releases the buffer. */
static Buffer
read_metapage(Relation rel, int mode, DiskannMetaPageData *meta)
{
	Buffer		buffer;

	if (RelationGetNumberOfBlocks(rel) == 0)
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "it has no metapage");
	buffer = ReadBuffer(rel, DISKANN_METAPAGE_BLKNO);
	LockBuffer(buffer, mode);
	check_meta(rel, BufferGetPage(buffer));
	memcpy(meta, DiskannPageGetMeta(BufferGetPage(buffer)), sizeof(*meta));
	return buffer;
}

static void
write_meta(Relation rel, Buffer buffer, const DiskannMetaPageData *meta,
		   bool building)
{
	DiskannLog	log;

	DiskannLogBegin(&log, rel, building);
	memcpy(DiskannPageGetMeta(DiskannLogPage(&log, buffer,
											 DISKANN_PAGE_META, 0)),
		   meta, sizeof(*meta));
	DiskannLogFinish(&log);
}

void
DiskannCreateMetapage(Relation rel, ForkNumber fork,
					  const DiskannSettings *settings)
{
	Buffer		buffer;
	Page		page;
	DiskannMetaPage meta;

	buffer = ReadBufferExtended(rel, fork, P_NEW, RBM_NORMAL, NULL);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	Assert(BufferGetBlockNumber(buffer) == DISKANN_METAPAGE_BLKNO);
	page = BufferGetPage(buffer);

	DiskannInitPage(page, DISKANN_PAGE_META, 0);
	meta = DiskannPageGetMeta(page);
	memset(meta, 0, sizeof(*meta));
	meta->magic = DISKANN_MAGIC;
	meta->version = DISKANN_FORMAT_VERSION;
	meta->metric = settings->metric;
	meta->max_degree = settings->max_degree;
	meta->build_list_size = settings->build_list_size;
	meta->vector_storage = settings->vector_storage;
	meta->vector_limit = settings->vector_limit;
	meta->bits_per_dimension = settings->bits_per_dimension;
	meta->edge_bits = settings->edge_bits;
	meta->prefix_dims = settings->prefix_dims;
	meta->alpha = settings->alpha;
	meta->seed = settings->seed;
	DiskannLogNewPage(buffer, fork);
	UnlockReleaseBuffer(buffer);
}

void
DiskannLoadSettings(Relation rel, DiskannSettings *settings)
{
	DiskannMetaPageData meta;

	UnlockReleaseBuffer(read_metapage(rel, BUFFER_LOCK_SHARE, &meta));
	settings->metric = meta.metric;
	settings->max_degree = meta.max_degree;
	settings->build_list_size = meta.build_list_size;
	settings->vector_storage = meta.vector_storage;
	settings->vector_limit = meta.vector_limit;
	settings->bits_per_dimension = meta.bits_per_dimension;
	settings->edge_bits = meta.edge_bits;
	settings->prefix_dims = meta.prefix_dims;
	settings->alpha = meta.alpha;
	settings->seed = meta.seed;
}

void
DiskannSetCounts(Relation rel, uint32 tombstones, uint64 live_nodes)
{
	DiskannMetaPageData meta;
	Buffer		buffer = read_metapage(rel, BUFFER_LOCK_EXCLUSIVE, &meta);

	if (meta.tombstones != tombstones || meta.live_nodes != live_nodes)
	{
		meta.tombstones = tombstones;
		meta.live_nodes = live_nodes;
		write_meta(rel, buffer, &meta, false);
	}
	UnlockReleaseBuffer(buffer);
}

void
DiskannGetCounts(Relation rel, uint32 *tombstones, uint64 *live_nodes)
{
	DiskannMetaPageData meta;

	UnlockReleaseBuffer(read_metapage(rel, BUFFER_LOCK_SHARE, &meta));
	*tombstones = meta.tombstones;
	*live_nodes = meta.live_nodes;
}

float
DiskannMaxLength2(Relation rel)
{
	DiskannMetaPageData meta;

	UnlockReleaseBuffer(read_metapage(rel, BUFFER_LOCK_SHARE, &meta));
	return Max(meta.max_length2, meta.max_norm2);
}

void
DiskannRaiseMaxLength2(Relation rel, float length2, bool building)
{
	DiskannMetaPageData meta;
	Buffer		buffer = read_metapage(rel, BUFFER_LOCK_EXCLUSIVE, &meta);

	/* Some more, so that this is a rare event. */
	if (meta.max_length2 < length2)
	{
		meta.max_length2 = 1.5f * length2;
		write_meta(rel, buffer, &meta, building);
	}
	UnlockReleaseBuffer(buffer);
}

/* ---------- centre ---------- */

static Size
centre_part(const DiskannMetaPageData *meta, int part)
{
	Size		total = meta->space_dims * sizeof(float);
	Size		before = (Size) part * DISKANN_PAGE_BYTES;

	return Min(total - before, DISKANN_PAGE_BYTES);
}

static void
read_centre(Relation rel, const DiskannMetaPageData *meta, float *centre)
{
	int			nparts = meta->first_block - 1;

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

/*
 * Write all pages but the metapage of an index that is about to become ready:
 * the centre, the entry node, and free slots on what else there is, for a
 * crash may have left pages of an earlier attempt, with another layout.  The
 * caller holds the metapage lock, so nobody else looks at or adds pages.
 */
static void
write_first_pages(Relation rel, const DiskannIndex *index, bool building)
{
	const DiskannMetaPageData *meta = &index->meta;
	BlockNumber nblocks = Max(RelationGetNumberOfBlocks(rel),
							  meta->first_block + meta->pages_per_slot);
	char	   *entry = palloc(meta->slot_size);

	DiskannFillEntry(entry, index);
	for (BlockNumber block = 1; block < nblocks; block++)
	{
		bool		centre = block < meta->first_block;
		BlockNumber first = centre ? 1 : meta->first_block;
		int			part = centre ? block - 1 :
			(block - first) % meta->pages_per_slot;
		bool		used = block - first < (centre ? meta->first_block :
											meta->pages_per_slot);
		Size		start = (Size) part * DISKANN_PAGE_BYTES;
		Size		total = centre ? meta->space_dims * sizeof(float) :
			meta->slot_size;
		Buffer		buffer = DiskannReadOrExtend(rel, block);
		DiskannLog	log;
		Page		page;

		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		DiskannLogBegin(&log, rel, building);
		page = DiskannLogFreshPage(&log, buffer, centre ? DISKANN_PAGE_CENTRE :
								   DISKANN_PAGE_NODES, part);
		if (used)
			memcpy(DiskannPageContents(page),
				   (centre ? (const char *) index->data : entry) + start,
				   Min(total - start, DISKANN_PAGE_BYTES));
		DiskannLogFinish(&log);
		UnlockReleaseBuffer(buffer);
	}
	pfree(entry);
}

/* ---------- the index in memory ---------- */

static Size
index_size(const DiskannMetaPageData *meta)
{
	return offsetof(DiskannIndex, data) + sizeof(float) *
		(meta->space_dims + diskann_rotation_signs(meta->space_dims));
}

/*
 * Set pointers into the chunk itself, after it was filled or copied.
 */
static void
set_pointers(DiskannIndex *index)
{
	index->space.centre = index->data;
	index->space.rotation.signs = index->data + index->meta.space_dims;
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
	index->shape.dims = meta->space_dims;
	index->shape.code_dims = meta->code_dims;
	index->shape.planes = meta->planes;
	index->shape.groups = (meta->code_dims + 3) / 4;
	index->rescale_offset = DISKANN_ADD_OFFSET +
		sizeof(float) * meta->max_degree;
	index->nodes_offset = index->rescale_offset +
		sizeof(uint16) * meta->max_degree;
	index->codes_offset = index->nodes_offset +
		sizeof(DiskannNode) * meta->max_degree;
	index->own_offset = index->codes_offset +
		diskann_edge_bytes(&index->shape, meta->max_degree);
	index->own_bytes = diskann_vector_bytes(index->kind, meta->space_dims);
	index->max_tids = (Min(meta->slot_size, DISKANN_PAGE_BYTES) -
					   DISKANN_SLOT_HEADER) / sizeof(ItemPointerData);
}

static DiskannIndex *
copy_index(const DiskannIndex *from, MemoryContext context)
{
	DiskannIndex *index = MemoryContextAlloc(context, from->size);

	memcpy(index, from, from->size);
	set_pointers(index);
	return index;
}

/* The index follows the recent buffers in rd_amcache, which is one chunk. */
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

/* False if the index never had a row. */
static bool
fill_cache(Relation rel, DiskannMetric metric)
{
	DiskannMetaPageData meta;
	uint32		places = DiskannRecentPlaces(RelationGetNumberOfBlocks(rel));
	DiskannRecent *recent;
	DiskannIndex *index;

	UnlockReleaseBuffer(read_metapage(rel, BUFFER_LOCK_SHARE, &meta));
	if (meta.metric != metric)
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "it was built for another distance");
	if (!meta.ready)
		return false;
	recent = MemoryContextAllocZero(rel->rd_indexcxt,
									recent_size(places) + index_size(&meta));
	recent->mask = places - 1;
	index = (DiskannIndex *) ((char *) recent + recent_size(places));
	fill_index(index, &meta);
	read_centre(rel, &meta, index->data);
	rel->rd_amcache = recent;
	return true;
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
				 float max_norm2, bool building)
{
	DiskannMetaPageData meta;
	Buffer		buffer = read_metapage(rel, BUFFER_LOCK_EXCLUSIVE, &meta);

	if (!meta.ready)
	{
		DiskannIndex *index;

		choose_layout(&meta, input_dims);
		meta.max_norm2 = max_norm2;
		meta.max_length2 = max_norm2;
		index = palloc0(index_size(&meta));
		fill_index(index, &meta);
		compute_centre(index, rows, nrows);
		write_first_pages(rel, index, building);
		meta.ready = 1;
		write_meta(rel, buffer, &meta, building);
		pfree(index);
	}
	UnlockReleaseBuffer(buffer);
}
