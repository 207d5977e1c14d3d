/*-------------------------------------------------------------------------
 *
 * edges.h
 *	  The edges of a node: the arrays in its slot that hold them.
 *
 * All that is kept for an edge, in however many arrays, is read and changed
 * here, so that none of it is forgotten when an edge moves.  Images are those
 * of DiskannNodeEdit(); nothing here locks or reads a page.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/edges.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_EDGES_H
#define DISKANN_EDGES_H

#include "store/marks.h"
#include "store/index.h"

/*
 * The arrays of a slot.  f_add and rescale are as vector/edge_code.h has them,
 * but for rescale being half floats in units of the head's edge_scale.
 */
static inline float *
DiskannSlotAdd(const DiskannIndex *index, const char *slot)
{
	return (float *) (slot + index->meta.add_offset);
}

static inline uint16 *
DiskannSlotRescale(const DiskannIndex *index, const char *slot)
{
	return (uint16 *) (slot + index->meta.rescale_offset);
}

static inline DiskannNode *
DiskannSlotNodes(const DiskannIndex *index, const char *slot)
{
	return (DiskannNode *) (slot + index->meta.nodes_offset);
}

static inline uint8 *
DiskannSlotCodes(const DiskannIndex *index, const char *slot)
{
	return (uint8 *) (slot + index->meta.codes_offset);
}

/* The number of the edge that leads to node, or -1. */
extern int	DiskannEdgeFind(const DiskannIndex *index, const char *slot,
							DiskannNode node);

/*
 * Replace edge i, or append it if i is the degree, which then grows; there must
 * be room.  signatures are those of node.
 */
extern void DiskannEdgePut(const DiskannIndex *index, char *image, int i,
						   DiskannNode node, const DiskannEdgeCode *edge,
						   const uint8 *signatures);

/* Remove edge i; the last one takes its place. */
extern void DiskannEdgeDrop(const DiskannIndex *index, char *image, int i);

/* Give an image whose arrays are all zeroes its first n edges. */
extern void DiskannEdgePutAll(const DiskannIndex *index, char *image,
							  const DiskannNode *nodes,
							  const DiskannEdgeCode *edges,
							  const uint8 *const *signatures, int n);

/* Bytes of the code of one edge, unpacked. */
static inline int
DiskannEdgeCodeBytes(const DiskannIndex *index)
{
	return index->shape.groups * 4;
}

/*
 * Estimate the squared lengths of a slot's edges from their factors alone, a
 * few hundredths off.
 */
extern void DiskannEdgeLengths(const DiskannIndex *index, const char *slot,
							   float *dist2);

/*
 * Unpack the codes of a slot's edges and compute their squared lengths.  codes
 * has room for max_degree codes of DiskannEdgeCodeBytes() each, dist2 for the
 * slot's degree; decoded is the node's own vector.
 */
extern void DiskannEdgeUnpack(const DiskannIndex *index, const char *slot,
							  const float *decoded, int8 *codes,
							  float *dist2);

#endif							/* DISKANN_EDGES_H */
