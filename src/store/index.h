/*-------------------------------------------------------------------------
 *
 * index.h
 *	  What a backend knows of an index: its metapage and what follows from it.
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

#include "compat.h"
#include "storage/block.h"
#include "store/format.h"
#include "utils/rel.h"
#include "vector/edge_code.h"
#include "vector/own_code.h"
#include "vector/space.h"

/* What CREATE INDEX decides; the first part of the metapage. */
typedef struct DiskannSettings
{
	DiskannMetric metric;
	int			max_degree;
	int			build_list_size;
	int			vector_storage; /* DiskannVectorKind, 0: choose */
	int			vector_limit;	/* the most precise to be chosen, 0: any */
	int			bits_per_dimension; /* 1, 2, 0: choose */
	int			edge_bits;		/* 0: choose */
	int			prefix_dims;	/* 0: none */
	float		alpha;
	uint64		seed;
} DiskannSettings;

/* One palloc'd chunk, so that it can be part of the relation's rd_amcache. */
typedef struct DiskannIndex
{
	Size		size;			/* of this chunk */
	DiskannMetaPageData meta;
	DiskannSpace space;
	DiskannEdgeShape shape;
	DiskannVectorKind kind;

	/* Offsets within a slot. */
	Size		rescale_offset;
	Size		nodes_offset;
	Size		codes_offset;
	Size		own_offset;
	Size		own_bytes;
	int			max_tids;		/* of a TIDS slot */

	float		data[FLEXIBLE_ARRAY_MEMBER];	/* centre, signs */
} DiskannIndex;

/* Offset of the first array, f_add. */
#define DISKANN_ADD_OFFSET DISKANN_SLOT_HEADER

/* Write the metapage of an index without rows into an empty fork. */
extern void DiskannCreateMetapage(Relation rel, ForkNumber fork,
								  const DiskannSettings *settings);

/*
 * The index' parameters, palloc'd in the context given and valid as long as
 * it.  NULL if the index never had a row.  Takes and releases a share lock on
 * the metapage unless the relation's cache has them.  An index of another
 * metric than expected, of another version, or damaged, is an error.
 */
extern DiskannIndex *DiskannLoadIndex(Relation rel, MemoryContext context,
									  DiskannMetric metric);

/* Settings frozen at CREATE INDEX; share-locks the metapage. */
extern void DiskannLoadSettings(Relation rel, DiskannSettings *settings);

/*
 * Give an index without rows its dimensions and a centre, the mean of nrows
 * vectors of input_dims floats (row-major), create the entry node, and make it
 * ready.  max_norm2 is the squared length no row is expected to exceed.
 * Harmless if somebody else did so meanwhile.  Exclusively locks the metapage
 * while it works; scratch memory comes from the current context.
 */
extern void DiskannMakeReady(Relation rel, int input_dims,
							 const float *rows, int nrows, float max_norm2,
							 bool building);

/* Note what VACUUM found in the metapage; read it. */
extern void DiskannSetCounts(Relation rel, uint32 tombstones,
							 uint64 live_nodes);
extern void DiskannGetCounts(Relation rel, uint32 *tombstones,
							 uint64 *live_nodes);

/*
 * The squared length that no row of the index exceeds (inner product only),
 * and raising it before a longer row is added.  Both lock the metapage.
 */
extern float DiskannMaxLength2(Relation rel);
extern void DiskannRaiseMaxLength2(Relation rel, float length2,
								   bool building);

/* Report a damaged page. */
pg_noreturn extern void DiskannReportCorrupt(Relation rel, BlockNumber block,
											 int slot, const char *what);

/* Check a page's header and special area; buffer is locked. New is fine. */
extern void DiskannVerifyPage(Relation rel, BlockNumber block, Page page,
							 DiskannPageKind kind, int part);

#endif							/* DISKANN_INDEX_H */
