/*-------------------------------------------------------------------------
 *
 * meta.c
 *	  The metapage: settings, layout, and what VACUUM and inserts note.
 *
 * Nothing is taken from the metapage before verify_meta() has seen it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/meta.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "kernels/kernels.h"
#include "store/layout.h"
#include "store/meta.h"
#include "store/page.h"
#include "store/xlog.h"
#include "utils/timestamp.h"

/* ---------- checking ---------- */

/* Is it a metapage, of a format this library reads? */
static void
verify_version(Relation rel, Page page)
{
	DiskannMetaPage meta;

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
	if (meta->version < DISKANN_MIN_VERSION ||
		meta->version > DISKANN_FORMAT_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" has format version %u, which this version of diskann does not read",
						RelationGetRelationName(rel), meta->version),
				 errdetail("It reads versions %d to %d.",
						   DISKANN_MIN_VERSION, DISKANN_FORMAT_VERSION),
				 errhint("Please REINDEX it.")));
	if ((meta->features & ~DISKANN_KNOWN_FEATURES) != 0 ||
		(meta->ready && meta->code_scheme != DISKANN_CODE_SCHEME))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" was made by another version of diskann",
						RelationGetRelationName(rel)),
				 errdetail("It has features 0x%x and codes of kind %d, which this version does not know.",
						   meta->features, meta->code_scheme),
				 errhint("Please REINDEX it, or install that version.")));
}

/* Are columns described, in the order they have in the index, that can be? */
static bool
filters_are_possible(const DiskannMetaPageData *meta)
{
	if (meta->nfilters > DISKANN_MAX_FILTER_COLUMNS ||
		(meta->nfilters > 0) != ((meta->features & DISKANN_FEATURE_FILTERS) != 0))
		return false;
	for (int i = 0; i < meta->nfilters; i++)
	{
		const DiskannFilterColumn *filter = &meta->filters[i];

		if (filter->attno < 1 || filter->attno > meta->nfilters + 1 ||
			(i > 0 && filter->attno <= filter[-1].attno) ||
			filter->kind < 1 || filter->kind > DISKANN_LAST_FILTER_KIND)
			return false;
	}
	return true;
}

static bool
settings_are_possible(const DiskannMetaPageData *meta)
{
	return meta->metric >= DISKANN_L2 &&
		meta->metric <= DISKANN_INNER_PRODUCT &&
		meta->max_degree >= DISKANN_MIN_DEGREE &&
		meta->max_degree <= DISKANN_MAX_DEGREE &&
		meta->max_degree % DISKANN_EDGE_BLOCK == 0 &&
		meta->build_list_size >= 1 &&
		meta->vector_storage <= DISKANN_FLOAT32 &&
		meta->vector_limit <= DISKANN_FLOAT32 &&
		meta->bits_per_dimension <= 2 &&
		meta->edge_bits <= DISKANN_MAX_EDGE_BITS &&
		filters_are_possible(meta) &&
		meta->alpha >= 1.0f && meta->ready <= 1;
}

static bool
calibration_is_possible(const DiskannCalibration *calibration)
{
	if (calibration->queries == 0)
		return true;
	for (int i = 0; i < DISKANN_CALIBRATED_SIZES; i++)
	{
		const uint16 *size = &calibration->sizes[i];

		if (*size == 0 || (i > 0 && *size <= size[-1]))
			return false;
		for (int rows = 0; rows < DISKANN_CALIBRATED_ROWS; rows++)
		{
			const float *missed = &calibration->missed[rows][i];

			if (!(*missed >= 0 && *missed <= 2) ||
				(i > 0 && *missed > missed[-1]))
				return false;
		}
	}
	return calibration->nodes > 0 && calibration->blocks > 0 &&
		IS_VALID_TIMESTAMP(calibration->time);
}

static void
verify_meta(Relation rel, Page page)
{
	DiskannMetaPage meta = DiskannPageGetMeta(page);
	const char *problem;

	verify_version(rel, page);
	DiskannVerifyPage(rel, DISKANN_METAPAGE_BLKNO, page, DISKANN_PAGE_META, 0);
	if (!settings_are_possible(meta))
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "metapage has impossible settings");
	if (!calibration_is_possible(&meta->calibration))
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "metapage has an impossible calibration");
	if (!IS_VALID_TIMESTAMP(meta->repaired))
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "metapage tells of a repair at no time");
	if (!meta->ready)
		return;
	if (meta->nfilters + 1 != IndexRelationGetNumberOfAttributes(rel))
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "metapage tells of other columns");
	problem = DiskannLayoutProblem(meta);
	if (problem == NULL &&
		!(isfinite(meta->max_norm2) && isfinite(meta->max_length2)))
		problem = "metapage has lengths that are not finite";
	if (problem)
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1, problem);
}

/* ---------- reading and writing ---------- */

Buffer
DiskannReadMetapage(Relation rel, int mode, DiskannMetaPageData *meta)
{
	Buffer		buffer;

	if (RelationGetNumberOfBlocks(rel) == 0)
		DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
							 "it has no metapage");
	buffer = ReadBuffer(rel, DISKANN_METAPAGE_BLKNO);
	LockBuffer(buffer, mode);
	verify_meta(rel, BufferGetPage(buffer));
	memcpy(meta, DiskannPageGetMeta(BufferGetPage(buffer)), sizeof(*meta));
	return buffer;
}

void
DiskannWriteMetapage(Relation rel, Buffer buffer,
					 const DiskannMetaPageData *meta, bool building)
{
	DiskannLog	log;

	DiskannLogBegin(&log, rel, building);
	memcpy(DiskannPageGetMeta(DiskannLogPage(&log, buffer,
											 DISKANN_PAGE_META, 0)),
		   meta, sizeof(*meta));
	DiskannLogFinish(&log);
}

void
DiskannApplySettings(DiskannMetaPageData *meta, const DiskannSettings *settings)
{
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
	meta->nfilters = settings->nfilters;
	memcpy(meta->filters, settings->filters,
		   sizeof(DiskannFilterColumn) * settings->nfilters);
	if (meta->nfilters > 0)
		meta->features |= DISKANN_FEATURE_FILTERS;
	Assert(settings_are_possible(meta));
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
	DiskannApplySettings(meta, settings);
	DiskannLogNewPage(buffer, fork);
	UnlockReleaseBuffer(buffer);
}

/* A copy of the metapage, with no lock left. */
static DiskannMetaPageData
copy_metapage(Relation rel)
{
	DiskannMetaPageData meta;

	UnlockReleaseBuffer(DiskannReadMetapage(rel, BUFFER_LOCK_SHARE, &meta));
	return meta;
}

void
DiskannLoadSettings(Relation rel, DiskannSettings *settings)
{
	DiskannMetaPageData meta = copy_metapage(rel);

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
	settings->nfilters = meta.nfilters;
	memcpy(settings->filters, meta.filters, sizeof(meta.filters));
}

void
DiskannSetCounts(Relation rel, const DiskannCounts *counts,
				 const DiskannSelfRecall *recall)
{
	DiskannMetaPageData old;
	DiskannMetaPageData meta;
	Buffer		buffer = DiskannReadMetapage(rel, BUFFER_LOCK_EXCLUSIVE,
											 &meta);

	memcpy(&old, &meta, sizeof(meta));
	meta.tombstones = counts->tombstones;
	meta.live_nodes = counts->live_nodes;
	if (recall)
	{
		meta.self_searched = recall->searched;
		meta.self_missed = recall->missed;
		meta.repaired = GetCurrentTimestamp();
	}
	if (memcmp(&old, &meta, sizeof(meta)) != 0)
		DiskannWriteMetapage(rel, buffer, &meta, false);
	UnlockReleaseBuffer(buffer);
}

void
DiskannGetCounts(Relation rel, DiskannCounts *counts,
				 DiskannSelfRecall *recall)
{
	DiskannMetaPageData meta = copy_metapage(rel);

	counts->tombstones = meta.tombstones;
	counts->live_nodes = meta.live_nodes;
	recall->searched = meta.self_searched;
	recall->missed = meta.self_missed;
}

void
DiskannSetCalibration(Relation rel, const DiskannCalibration *calibration)
{
	DiskannMetaPageData meta;
	Buffer		buffer = DiskannReadMetapage(rel, BUFFER_LOCK_EXCLUSIVE,
											 &meta);

	Assert(calibration_is_possible(calibration));
	meta.calibration = *calibration;
	DiskannWriteMetapage(rel, buffer, &meta, false);
	UnlockReleaseBuffer(buffer);
}

void
DiskannGetCalibration(Relation rel, DiskannCalibration *calibration)
{
	*calibration = copy_metapage(rel).calibration;
}

void
DiskannNoteFeature(Relation rel, uint32 feature)
{
	DiskannMetaPageData meta;
	Buffer		buffer = DiskannReadMetapage(rel, BUFFER_LOCK_EXCLUSIVE,
											 &meta);

	if ((meta.features & feature) == 0)
	{
		meta.features |= feature;
		DiskannWriteMetapage(rel, buffer, &meta, false);
	}
	UnlockReleaseBuffer(buffer);
}

bool
DiskannHasFeature(Relation rel, uint32 feature)
{
	DiskannMetaPageData meta = copy_metapage(rel);

	return (meta.features & feature) != 0;
}

float
DiskannMaxLength2(Relation rel)
{
	DiskannMetaPageData meta = copy_metapage(rel);

	return Max(meta.max_length2, meta.max_norm2);
}

void
DiskannRaiseMaxLength2(Relation rel, float length2, bool building)
{
	DiskannMetaPageData meta;
	Buffer		buffer = DiskannReadMetapage(rel, BUFFER_LOCK_EXCLUSIVE,
											 &meta);

	/* Some more, so that this is a rare event. */
	if (meta.max_length2 < length2)
	{
		meta.max_length2 = 1.5f * length2;
		DiskannWriteMetapage(rel, buffer, &meta, building);
	}
	UnlockReleaseBuffer(buffer);
}
