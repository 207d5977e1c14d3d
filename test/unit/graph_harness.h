/*-------------------------------------------------------------------------
 *
 * graph_harness.h
 *	  What the tests of src/graph share: numbered cases, each with random
 *	  numbers of its own, and sets of vectors with plain distances.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/graph_harness.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_TEST_GRAPH_HARNESS_H
#define DISKANN_TEST_GRAPH_HARNESS_H

#include "postgres.h"

#include "harness.h"
#include "graph/block.h"

/*
 * Begin case number n of a test.  It has its own random numbers, so that it
 * does the same when the cases before it are left out.
 */
static inline void
start_case(const char *test, size_t n)
{
	current_table = diskann_kernels->name;
	current_kernel = test;
	current_n = n;
	random_state = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	for (int i = 0; i < 4; i++)
		random_bits();
}

/* In from..to. */
static inline int
random_between(int from, int to)
{
	return from + (int) (random_bits() % (uint64_t) (to - from + 1));
}

/* Fill an array with first, first + 1, ... in random order. */
static inline void
random_order(uint32 *numbers, uint32 count, uint32 first)
{
	for (uint32 i = 0; i < count; i++)
	{
		uint32		j = random_between(0, i);

		numbers[i] = numbers[j];
		numbers[j] = first + i;
	}
}

/* ---------------------------------------------------------------------
 * Vectors, as blocks take them
 * ---------------------------------------------------------------------
 */
typedef struct Vectors
{
	int			dims;
	uint32		count;
	int8	   *codes;
	float	   *scale;
	float	   *norm2;
	uint32		first;			/* number by which the first one is fetched */
	long		fetches;		/* calls of fetch_vectors() */
} Vectors;

/* Give a vector its code from dims small numbers. */
static inline void
set_vector(Vectors *v, uint32 i, const int *x, float scale)
{
	double		norm2 = 0;

	for (int d = 0; d < v->dims; d++)
	{
		v->codes[(size_t) i * v->dims + d] = (int8) x[d];
		norm2 += (double) x[d] * x[d];
	}
	v->scale[i] = scale;
	v->norm2[i] = (float) (norm2 * scale * scale);
}

static inline Vectors *
create_vectors(int dims, uint32 count, uint32 first)
{
	Vectors    *v = malloc(sizeof(Vectors));

	v->dims = dims;
	v->count = count;
	v->first = first;
	v->fetches = 0;
	v->codes = malloc((size_t) dims * count + 1);
	v->scale = malloc(sizeof(float) * (count + 1));
	v->norm2 = malloc(sizeof(float) * (count + 1));
	return v;
}

static inline void
free_vectors(Vectors *v)
{
	free(v->codes);
	free(v->scale);
	free(v->norm2);
	free(v);
}

/*
 * Vectors around nclusters random centres, spread being how far around; those
 * of 0 are copies of the centres.  Scales differ a little.
 */
static inline Vectors *
random_vectors(int dims, uint32 count, uint32 first, int nclusters, int spread)
{
	Vectors    *v = create_vectors(dims, count, first);
	int		   *centres = malloc(sizeof(int) * nclusters * dims);
	int		   *x = malloc(sizeof(int) * dims);

	for (int i = 0; i < nclusters * dims; i++)
		centres[i] = random_between(spread - 127, 127 - spread);
	for (uint32 i = 0; i < count; i++)
	{
		const int  *centre = centres + random_between(0, nclusters - 1) * dims;

		for (int d = 0; d < dims; d++)
			x[d] = centre[d] + random_between(-spread, spread);
		set_vector(v, i, x,
				   0.5f + (spread == 0 ? 0 : random_between(0, 3) * 0.01f));
	}
	free(centres);
	free(x);
	return v;
}

/* A DiskannFetch. */
static inline void
fetch_vectors(void *arg, const uint32 *members, int n, DiskannBlock *block)
{
	Vectors    *v = arg;

	v->fetches++;
	for (int i = 0; i < n; i++)
	{
		uint32		at = members[i] - v->first;

		Assert(at < v->count);
		DiskannBlockAdd(block, v->codes + (size_t) at * v->dims, v->scale[at],
						v->norm2[at]);
	}
}

/* Squared distance of two vectors, by their numbers. */
static inline double
plain_distance(const Vectors *v, uint32 a, uint32 b)
{
	const int8 *x = v->codes + (size_t) (a - v->first) * v->dims;
	const int8 *y = v->codes + (size_t) (b - v->first) * v->dims;
	double		sum = 0;

	for (int d = 0; d < v->dims; d++)
	{
		double		difference = (double) v->scale[a - v->first] * x[d] -
			(double) v->scale[b - v->first] * y[d];

		sum += difference * difference;
	}
	return sum;
}

/* How far from the truth a distance in single precision may be. */
static inline double
distance_tolerance(const Vectors *v, uint32 a, uint32 b)
{
	return 1e-6 * ((double) v->norm2[a - v->first] + v->norm2[b - v->first]);
}

#endif							/* DISKANN_TEST_GRAPH_HARNESS_H */
