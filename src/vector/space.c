/*-------------------------------------------------------------------------
 *
 * space.c
 *	  From a user's vector to index space.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/vector/space.c
 *
 *-------------------------------------------------------------------------
 */
#include "vector/space.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

int
diskann_space_dims(DiskannMetric metric, int input_dims)
{
	return metric == DISKANN_INNER_PRODUCT ? input_dims + 1 : input_dims;
}

static void
multiply(float *x, int n, float factor)
{
	for (int i = 0; i < n; i++)
		x[i] *= factor;
}

/* Add the centre so many times. */
static void
move_by_centre(const DiskannSpace *space, float *x, float times)
{
	if (space->centre == NULL)
		return;
	for (int i = 0; i < space->dims; i++)
		x[i] += times * space->centre[i];
}

static void
rotate_and_centre(const DiskannSpace *space, float *x)
{
	diskann_rotate(&space->rotation, x);
	move_by_centre(space, x, -1);
}

float
diskann_space_row(const DiskannSpace *space, float *x)
{
	float		length2 = diskann_kernels->dot_f32(x, x, space->input_dims);

	if (space->metric == DISKANN_COSINE && length2 > 0)
	{
		multiply(x, space->input_dims, 1.0f / sqrtf(length2));
		length2 = 1.0f;
	}
	else if (space->metric == DISKANN_INNER_PRODUCT)
	{
		float		missing = fmaxf(0, space->max_norm2 - length2);

		x[space->input_dims] = sqrtf(missing);
		if (length2 > space->max_norm2)
			multiply(x, space->input_dims, sqrtf(space->max_norm2 / length2));
		length2 = fmaxf(length2, space->max_norm2);
	}
	rotate_and_centre(space, x);
	return length2;
}

void
diskann_space_query(const DiskannSpace *space, float *x,
					DiskannSpaceQuery *query)
{
	float		length2 = diskann_kernels->dot_f32(x, x, space->input_dims);

	query->factor = 1.0f;
	if (space->metric == DISKANN_COSINE && length2 > 0)
		query->factor = 1.0f / sqrtf(length2);
	else if (space->metric == DISKANN_INNER_PRODUCT)
	{
		if (length2 > 0 && space->max_norm2 > 0)
			query->factor = sqrtf(space->max_norm2) / sqrtf(length2);
		x[space->input_dims] = 0;
	}
	if (query->factor != 1.0f)
		multiply(x, space->input_dims, query->factor);
	query->length2 = length2 * query->factor * query->factor;
	rotate_and_centre(space, x);
	query->norm2 = diskann_kernels->dot_f32(x, x, space->dims);
}

/*
 * Take the additional coordinate of a row out of its rotated vector.  unit has
 * room for a vector.
 */
static void
remove_additional(const DiskannSpace *space, float *x, float *unit)
{
	float		length;

	memset(unit, 0, sizeof(float) * space->dims);
	unit[space->input_dims] = 1;
	diskann_rotate(&space->rotation, unit);
	length = diskann_kernels->dot_f32(x, unit, space->dims);
	for (int i = 0; i < space->dims; i++)
		x[i] -= length * unit[i];
}

void
diskann_space_query_of_row(const DiskannSpace *space, float *x, float *scratch,
						   DiskannSpaceQuery *query)
{
	move_by_centre(space, x, 1);
	if (space->metric == DISKANN_INNER_PRODUCT)
		remove_additional(space, x, scratch);
	query->factor = 1.0f;
	query->length2 = diskann_kernels->dot_f32(x, x, space->dims);
	if (space->metric == DISKANN_INNER_PRODUCT && query->length2 > 0 &&
		space->max_norm2 > 0)
	{
		query->factor = sqrtf(space->max_norm2 / query->length2);
		multiply(x, space->dims, query->factor);
		query->length2 *= query->factor * query->factor;
	}
	move_by_centre(space, x, -1);
	query->norm2 = diskann_kernels->dot_f32(x, x, space->dims);
}

double
diskann_space_rank(const DiskannSpace *space, const DiskannSpaceQuery *query,
				   double dist2, float length2)
{
	double		product;

	switch (space->metric)
	{
		case DISKANN_COSINE:
			return dist2 / 2;
		case DISKANN_INNER_PRODUCT:
			product = (dist2 - space->max_norm2 - query->length2) /
				(2 * query->factor);

			/* Undo the shortening of a row longer than all should be. */
			if (length2 > space->max_norm2 && space->max_norm2 > 0)
				product *= sqrt(length2 / space->max_norm2);
			return product;
		case DISKANN_L2:
			break;
	}
	return dist2;
}

double
diskann_space_lower_bound(const DiskannSpace *space,
						  const DiskannSpaceQuery *query, double dist2,
						  float max_length2)
{
	/* A longer row is better where the product is, and worse where not. */
	return fmin(diskann_space_rank(space, query, dist2, space->max_norm2),
				diskann_space_rank(space, query, dist2, max_length2));
}
