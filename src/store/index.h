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

	float		data[FLEXIBLE_ARRAY_MEMBER];	/* centre, signs */
} DiskannIndex;

/*
 * The index' parameters, palloc'd in the context given and valid as long as
 * it.  NULL if the index never had a row.  Takes and releases a share lock on
 * the metapage unless the relation's cache has them.  An index of another
 * metric than expected, of another version, or damaged, is an error.
 */
extern DiskannIndex *DiskannLoadIndex(Relation rel, MemoryContext context,
									  DiskannMetric metric);

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

/*
 * Let an index forget its dimensions, layout and nodes, as none of them stands
 * for a row any more.  The caller has seen that, and holds a lock on the index
 * that keeps everybody else away from it until the end of the transaction.
 * Other backends, and this one, forget what they know of it.
 */
extern void DiskannForgetRows(Relation rel);

#endif							/* DISKANN_INDEX_H */
