/*-------------------------------------------------------------------------
 *
 * space.h
 *	  From a user's vector to index space.
 *
 * Every metric becomes squared Euclidean distance in index space:
 *
 * L2: the vector itself.
 * cosine: the vector scaled to unit length; cosine distance is half the
 * squared distance.
 * inner product: one more coordinate, sqrt(max_norm2 - |x|^2), gives all rows
 * the same length, while a query gets 0 there and is scaled to that length;
 * then the nearest is the one of greatest inner product (Bachrach et al.,
 * RecSys 2014).  max_norm2 is frozen when the index gets its first row; a
 * longer row is shortened to that length, which is undone when its distance
 * is computed.
 *
 * Then the vector is rotated and the index's centre subtracted.  Plain C, no
 * PostgreSQL header.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/vector/space.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SPACE_H
#define DISKANN_SPACE_H

#include "vector/rotate.h"

/* Numbers are on disk. */
typedef enum DiskannMetric
{
	DISKANN_L2 = 1,
	DISKANN_COSINE = 2,
	DISKANN_INNER_PRODUCT = 3
} DiskannMetric;

typedef struct DiskannSpace
{
	DiskannMetric metric;
	int			input_dims;		/* of the user's vectors */
	int			dims;			/* of index space */
	float		max_norm2;		/* inner product only */
	const float *centre;		/* rotated, dims floats; NULL: the origin */
	DiskannRotation rotation;
} DiskannSpace;

typedef struct DiskannSpaceQuery
{
	float		factor;			/* the query was multiplied by this */
	float		length2;		/* squared length before centring */
	float		norm2;			/* squared length after centring */
} DiskannSpaceQuery;

/* Dimensions of index space for vectors of input_dims. */
extern int	diskann_space_dims(DiskannMetric metric, int input_dims);

/*
 * Map a row's vector in place.  x has room for space->dims floats, the first
 * input_dims of them given.  Returns the squared length in index space before
 * centring, or the row's own if that is greater than max_norm2.
 */
extern float diskann_space_row(const DiskannSpace *space, float *x);

/* The same for a query, describing it in *query. */
extern void diskann_space_query(const DiskannSpace *space, float *x,
								DiskannSpaceQuery *query);

/*
 * Make of a row's vector in index space, in place, that of a query for the same
 * vector of the user's.  scratch has room for space->dims floats.
 */
extern void diskann_space_query_of_row(const DiskannSpace *space, float *x,
									   float *scratch,
									   DiskannSpaceQuery *query);

/*
 * What rows are compared by: the operator's distance, under L2 its square; for
 * a squared distance in index space, length2 being what diskann_space_row()
 * returned for the row.  Linear and increasing in dist2.
 */
extern double diskann_space_rank(const DiskannSpace *space,
								 const DiskannSpaceQuery *query,
								 double dist2, float length2);

/* The same for a value of the operator. */
static inline double
diskann_space_rank_of(const DiskannSpace *space, double distance)
{
	return space->metric == DISKANN_L2 ? distance * distance : distance;
}

/* The same for a bound of that value: under L2 nothing is nearer than 0. */
static inline double
diskann_space_rank_of_bound(const DiskannSpace *space, double bound)
{
	if (space->metric == DISKANN_L2 && bound < 0)
		bound = 0;
	return diskann_space_rank_of(space, bound);
}

/*
 * The least rank that a row at this squared distance in index space can have,
 * if no row is longer than max_length2.
 */
extern double diskann_space_lower_bound(const DiskannSpace *space,
										const DiskannSpaceQuery *query,
										double dist2, float max_length2);

#endif							/* DISKANN_SPACE_H */
