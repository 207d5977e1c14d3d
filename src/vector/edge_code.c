/*-------------------------------------------------------------------------
 *
 * edge_code.c
 *	  Codes of edges, and their estimators.
 *
 * See edge_code.h.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/vector/edge_code.c
 *
 *-------------------------------------------------------------------------
 */
#include "vector/edge_code.h"

#include <float.h>
#include <math.h>
#include <string.h>

void
diskann_edge_encode(const DiskannEdgeShape *shape, const float *node,
					const float *neighbour, DiskannEdgeCode *edge)
{
	const DiskannKernels *k = diskann_kernels;
	int			n = shape->code_dims;
	float		r2 = k->l2sq_f32(node, neighbour, shape->dims);
	uint8_t    *lo = NULL;
	float		threshold = 0;
	float		dots[2];
	double		f;

	if (shape->planes == 2)
	{
		/* One unit is the root mean square: near optimal for a Gaussian. */
		threshold = sqrtf((n == shape->dims ? r2 :
						   k->l2sq_f32(node, neighbour, n)) / n);
		lo = edge->nibbles + shape->groups;
	}
	memset(edge->nibbles, 0, (size_t) shape->planes * shape->groups);
	k->encode_edge(node, neighbour, n, threshold, edge->nibbles, lo, dots);

	/*
	 * When the coded coordinates hold next to nothing of r (equal vectors, or
	 * all of r in coordinates that are not coded) its direction is not known
	 * and the length alone is used: f = 0.
	 */
	f = (double) dots[0] * dots[0] > 1e-6 * r2 ? (double) r2 / dots[0] : 0;
	edge->f_add = (float) (r2 + 2 * f * dots[1]);
	edge->f_rescale = (float) (-2 * f);
}

size_t
diskann_edge_bytes(const DiskannEdgeShape *shape, int max_degree)
{
	return (size_t) (max_degree / DISKANN_EDGE_BLOCK) * shape->planes *
		shape->groups * DISKANN_GROUP_BYTES;
}

/* Start of the block and plane that hold edge i. */
static inline size_t
plane_offset(const DiskannEdgeShape *shape, int i, int plane)
{
	return ((size_t) (i / DISKANN_EDGE_BLOCK) * shape->planes + plane) *
		shape->groups * DISKANN_GROUP_BYTES;
}

void
diskann_edge_put(const DiskannEdgeShape *shape, uint8_t *codes, int i,
				 const uint8_t *nibbles)
{
	for (int plane = 0; plane < shape->planes; plane++)
	{
		uint8_t    *p = codes + plane_offset(shape, i, plane);

		for (int t = 0; t < shape->groups / DISKANN_TILE; t++)
		{
			DiskannScanCell cell = diskann_scan_cell(shape->groups,
													 i % DISKANN_EDGE_BLOCK, t);
			const uint8_t *from = nibbles + cell.group;

			p[cell.byte] = (uint8_t) (from[0] | from[cell.step] << 4);
			p[cell.byte + 1] = (uint8_t) (from[2 * cell.step] |
										  from[3 * cell.step] << 4);
		}
		nibbles += shape->groups;
	}
}

void
diskann_edge_get(const DiskannEdgeShape *shape, const uint8_t *codes, int i,
				 uint8_t *nibbles)
{
	for (int plane = 0; plane < shape->planes; plane++)
	{
		const uint8_t *p = codes + plane_offset(shape, i, plane);

		for (int t = 0; t < shape->groups / DISKANN_TILE; t++)
		{
			DiskannScanCell cell = diskann_scan_cell(shape->groups,
													 i % DISKANN_EDGE_BLOCK, t);
			uint8_t    *to = nibbles + cell.group;

			to[0] = p[cell.byte] & 0x0F;
			to[cell.step] = p[cell.byte] >> 4;
			to[2 * cell.step] = p[cell.byte + 1] & 0x0F;
			to[3 * cell.step] = p[cell.byte + 1] >> 4;
		}
		nibbles += shape->groups;
	}
}

/*
 * The coordinates of nibble x / 16 in the first plane and x % 16 in the second,
 * twice rounded to what they were; and of nibble x of a single plane.
 */
#define SIGN(x, i) ((x) >> (i) & 1 ? 1 : -1)
#define VALUE(x, i) (2 * SIGN(x, (i) + 4) + SIGN(x, i))
#define VALUES(x) {VALUE(x, 0), VALUE(x, 1), VALUE(x, 2), VALUE(x, 3)}
#define VALUES4(x) VALUES(x), VALUES((x) + 1), VALUES((x) + 2), VALUES((x) + 3)
#define VALUES16(x) \
	VALUES4(x), VALUES4((x) + 4), VALUES4((x) + 8), VALUES4((x) + 12)
#define VALUES64(x) \
	VALUES16(x), VALUES16((x) + 16), VALUES16((x) + 32), VALUES16((x) + 48)
#define SIGNS(x) {SIGN(x, 0), SIGN(x, 1), SIGN(x, 2), SIGN(x, 3)}
#define SIGNS4(x) SIGNS(x), SIGNS((x) + 1), SIGNS((x) + 2), SIGNS((x) + 3)

static const int8_t two_planes[256][4] = {
	VALUES64(0), VALUES64(64), VALUES64(128), VALUES64(192)
};
static const int8_t one_plane[16][4] = {
	SIGNS4(0), SIGNS4(4), SIGNS4(8), SIGNS4(12)
};

/* Coordinates that only fill the last tile have no sign. */
static inline void
clear_filling(const DiskannEdgeShape *shape, int8_t *out)
{
	for (int i = shape->code_dims; i < 4 * shape->groups; i++)
		out[i] = 0;
}

void
diskann_edge_unpack(const DiskannEdgeShape *shape, const uint8_t *nibbles,
					int8_t *out)
{
	if (shape->planes == 2)
	{
		const uint8_t *lo = nibbles + shape->groups;

		for (int g = 0; g < shape->groups; g++)
			memcpy(out + 4 * g, two_planes[nibbles[g] << 4 | lo[g]], 4);
	}
	else
	{
		for (int g = 0; g < shape->groups; g++)
			memcpy(out + 4 * g, one_plane[nibbles[g]], 4);
	}
	clear_filling(shape, out);
}

/* In comparisons that need no call of a function; NaN becomes a number. */
static inline uint8_t
to_byte(float x)
{
	x = x < 255.0f ? x : 255.0f;
	return (uint8_t) (x > 0 ? x : 0);
}

void
diskann_edge_query(const DiskannEdgeShape *shape, const float *q,
				   uint8_t *lut, DiskannEdgeQuery *query)
{
	/* Of coordinate j in entry p, in a form that compilers vectorize. */
	static const float signs[4][16] = {
		{-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1},
		{-1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1},
		{-1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1},
		{-1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1}
	};
	float		max = 0;
	float		offset = 0;
	float		inverse;

	/*
	 * An entry is the sum of four signed coordinates, measured from the least
	 * of its group in steps of 1/255 of the widest group's range.
	 */
	for (int i = 0; i < shape->code_dims; i += 4)
	{
		float		sum = 0;

		for (int j = i; j < i + 4 && j < shape->code_dims; j++)
			sum += fabsf(q[j]);
		max = sum > max ? sum : max;
		offset -= sum;
	}
	query->step = 2 * max / 255.0f;
	query->offset = offset * (shape->planes == 2 ? 1.5f : 1.0f);
	query->lut = lut;
	inverse = query->step > 0 ? 1.0f / query->step : 0;

	for (int i = 0; i < 4 * shape->groups; i += 4)
	{
		float		x[4] = {0, 0, 0, 0};
		float		middle = 0.5f;

		/* The least sum of signed coordinates is that of their sizes. */
		for (int j = 0; j < 4 && i + j < shape->code_dims; j++)
		{
			x[j] = q[i + j] * inverse;
			middle += fabsf(x[j]);
		}
		for (int p = 0; p < 16; p++)
			lut[p] = to_byte(middle + x[0] * signs[0][p] + x[1] * signs[1][p] +
							 x[2] * signs[2][p] + x[3] * signs[3][p]);
		lut += 16;
	}
}

void
diskann_edge_estimate(const DiskannEdgeShape *shape,
					  const DiskannEdgeQuery *query, const uint8_t *codes,
					  const void *f_add, const void *f_rescale, float base,
					  float scale, int degree, float *out)
{
	DiskannEstimateFactors factors = {base, query->step, query->offset, scale};
	size_t		plane_bytes = (size_t) shape->groups * DISKANN_GROUP_BYTES;

	for (int i = 0; i < degree; i += DISKANN_EDGE_BLOCK)
	{
		uint16_t	hi[DISKANN_EDGE_BLOCK];
		uint16_t	lo[DISKANN_EDGE_BLOCK];

		diskann_kernels->fastscan32(codes, query->lut, shape->groups, hi);
		codes += plane_bytes;
		if (shape->planes == 2)
		{
			diskann_kernels->fastscan32(codes, query->lut, shape->groups, lo);
			codes += plane_bytes;
		}
		diskann_kernels->estimate32(hi, shape->planes == 2 ? lo : NULL,
									(const char *) f_add + 4 * (size_t) i,
									(const char *) f_rescale + 2 * (size_t) i,
									&factors, out + i);
	}
}
