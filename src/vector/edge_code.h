/*-------------------------------------------------------------------------
 *
 * edge_code.h
 *	  Codes of edges, and their estimators.
 *
 * All vectors here are in index space: rotated and centred (see
 * vector/space.h).  Plain C, no PostgreSQL header, no allocation.
 *
 * RaBitQ (Gao and Long, SIGMOD 2024), with the node as centroid as in
 * SymphonyQG (Gou et al., SIGMOD 2025).  For a node at c with a neighbour at o,
 * r = o - c, the first code_dims coordinates of r are rounded to u: +-1 (one
 * plane), or +-0.5, +-1.5 in units of their root mean square (two planes, u =
 * hi + lo/2 with hi, lo = +-1).  <r, y> is estimated by f * <u, y>, f = |r|^2 /
 * <u, r>, unbiased over the rotation.  Hence with the query's <u, q> from
 * FastScan
 *
 *	|o - q|^2  ~  |q - c|^2 + f_add + f_rescale * <u, q>
 *	f_add = |r|^2 + 2 f <u, c>,		f_rescale = -2 f
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/vector/edge_code.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_EDGE_CODE_H
#define DISKANN_EDGE_CODE_H

#include "kernels/kernels.h"

/* How edge codes are shaped; the same for all nodes of an index. */
typedef struct DiskannEdgeShape
{
	int			dims;			/* of the index space */
	int			code_dims;		/* leading coordinates that are coded */
	int			planes;			/* bits a coordinate: 1 or 2 */
	int			groups;			/* of 4 coordinates, see diskann_edge_groups() */
} DiskannEdgeShape;

/* Most coordinates an edge code can have. */
#define DISKANN_MAX_CODE_DIMS (4 * DISKANN_MAX_GROUPS)

/* Most bytes of one edge's nibbles: one a group and plane. */
#define DISKANN_MAX_NIBBLES (2 * DISKANN_MAX_GROUPS)

/* One edge as it is computed, before it is put among a node's edges. */
typedef struct DiskannEdgeCode
{
	float		f_add;
	float		f_rescale;
	uint8_t		nibbles[DISKANN_MAX_NIBBLES];	/* plane-major */
} DiskannEdgeCode;

/* Coordinates of a tile, whose groups have four. */
#define DISKANN_TILE_DIMS (4 * DISKANN_TILE)

/* Groups of so many coordinates: whole tiles, filled up with zeroes. */
static inline int
diskann_edge_groups(int code_dims)
{
	return (code_dims + DISKANN_TILE_DIMS - 1) / DISKANN_TILE_DIMS * DISKANN_TILE;
}

/* Code the edge from a node (its decoded vector) to a neighbour. */
extern void diskann_edge_encode(const DiskannEdgeShape *shape,
								const float *node, const float *neighbour,
								DiskannEdgeCode *edge);

/* Bytes of the FastScan codes of max_degree edges (a multiple of 32). */
extern size_t diskann_edge_bytes(const DiskannEdgeShape *shape,
								 int max_degree);

/* Write the nibbles of edge number i within a node's code area. */
extern void diskann_edge_put(const DiskannEdgeShape *shape, uint8_t *codes,
							 int i, const uint8_t *nibbles);

/* Read those of edge number i. */
extern void diskann_edge_get(const DiskannEdgeShape *shape,
							 const uint8_t *codes, int i, uint8_t *nibbles);

/*
 * The code as signed bytes, one a coded coordinate: +-1 (one plane) or
 * +-1, +-3 (two planes: twice u).  out has 4 x groups entries, those beyond
 * code_dims are 0.
 */
extern void diskann_edge_unpack(const DiskannEdgeShape *shape,
								const uint8_t *nibbles, int8_t *out);

/*
 * Cosine of the angle between two edges of one node, estimated from the
 * correlation of their unpacked codes: <a, b> / (|a| |b|).
 */
static inline float
diskann_edge_cosine(int planes, float rho)
{
	float		rho2 = rho * rho;
	float		cosine;

	/*
	 * One bit: the arcsine law of sign correlations, sin(pi/2 rho), here by a
	 * polynomial that is off by 2e-4 at most.  Two bits: the inverse of what
	 * rounding does to a correlation, by a polynomial that is off by 2e-3.
	 */
	if (planes == 1)
		return rho * (1.5706268f - rho2 * (0.6432292f - rho2 * 0.0727102f));
	cosine = rho * (1.15108f - rho2 * (0.233976f - rho2 *
									   (0.548730f - rho2 * 0.464476f)));
	return cosine < 1.0f ? cosine : 1.0f;
}

/* A query prepared for scoring edges. */
typedef struct DiskannEdgeQuery
{
	float		step;
	float		offset;
	uint8_t    *lut;			/* groups x 16 bytes */
} DiskannEdgeQuery;

/* lut points to shape->groups x 16 bytes owned by the caller. */
extern void diskann_edge_query(const DiskannEdgeShape *shape, const float *q,
							   uint8_t *lut, DiskannEdgeQuery *query);

/*
 * Estimated squared distances of a node's first degree edges to the query.
 * base is the squared distance query - node; f_add and f_rescale are the
 * node's arrays (unaligned), scale multiplies f_rescale.  out has room for
 * degree rounded up to a multiple of 32.
 */
extern void diskann_edge_estimate(const DiskannEdgeShape *shape,
								  const DiskannEdgeQuery *query,
								  const uint8_t *codes, const void *f_add,
								  const void *f_rescale, float base,
								  float scale, int degree, float *out);

#endif							/* DISKANN_EDGE_CODE_H */
