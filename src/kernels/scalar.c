/*-------------------------------------------------------------------------
 *
 * scalar.c
 *	  Plain C kernels: the reference for the others, and the table used on
 *	  CPUs that have no table of their own.
 *
 * Sums of floats are kept in double.  That makes the reference accurate for
 * every length, and costs nothing: one addition waits for the one before in
 * either type.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/scalar.c
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/kernels_internal.h"

static float
l2sq_f32(const float *a, const float *b, size_t n)
{
	double		sum = 0.0;

	for (size_t i = 0; i < n; i++)
	{
		double		d = (double) a[i] - (double) b[i];

		sum += d * d;
	}
	return (float) sum;
}

static double
l2sq_f64(const double *a, const double *b, size_t n)
{
	double		sum = 0.0;

	for (size_t i = 0; i < n; i++)
	{
		double		d = a[i] - b[i];

		sum += d * d;
	}
	return sum;
}

static float
dot_f32(const float *a, const float *b, size_t n)
{
	double		sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double) a[i] * (double) b[i];
	return (float) sum;
}

static double
dot_f64(const double *a, const double *b, size_t n)
{
	double		sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static void
cosine_f32(const float *a, const float *b, size_t n, float out[3])
{
	double		ab = 0.0;
	double		aa = 0.0;
	double		bb = 0.0;

	for (size_t i = 0; i < n; i++)
	{
		ab += (double) a[i] * (double) b[i];
		aa += (double) a[i] * (double) a[i];
		bb += (double) b[i] * (double) b[i];
	}
	out[0] = (float) ab;
	out[1] = (float) aa;
	out[2] = (float) bb;
}

static void
cosine_f64(const double *a, const double *b, size_t n, double out[3])
{
	double		ab = 0.0;
	double		aa = 0.0;
	double		bb = 0.0;

	for (size_t i = 0; i < n; i++)
	{
		ab += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
	}
	out[0] = ab;
	out[1] = aa;
	out[2] = bb;
}

static float
dot_f32_i8(const float *q, const int8_t *x, size_t n)
{
	double		sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double) q[i] * (double) x[i];
	return (float) sum;
}

/* Half float i of an array that may be unaligned. */
static float
half_at(const void *x, size_t i)
{
	uint16_t	h;

	memcpy(&h, (const char *) x + i * sizeof(h), sizeof(h));
	return diskann_half_to_float(h);
}

static float
dot_f32_f16(const float *q, const void *x, size_t n)
{
	double		sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double) q[i] * (double) half_at(x, i);
	return (float) sum;
}

static int32_t
dot_i8(const int8_t *a, const int8_t *b, size_t n)
{
	int32_t		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (int32_t) a[i] * (int32_t) b[i];
	return sum;
}

static void
decode_i8(const int8_t *x, float scale, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = scale * x[i];
}

void
diskann_decode_f16_scalar(const void *x, float scale, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = scale * half_at(x, i);
}

static void
dot4_i8(const int8_t *a, const int8_t *const others[4], size_t n,
		int32_t out[4])
{
	for (int k = 0; k < 4; k++)
		out[k] = dot_i8(a, others[k], n);
}

static void
dot_i8_panels(const int8_t *rows, size_t nrows, size_t row_stride,
			  const int8_t *panels, size_t npanels, size_t ngroups,
			  int32_t *out, size_t out_stride)
{
	for (size_t r = 0; r < nrows; r++)
	{
		const int8_t *row = rows + r * row_stride;

		for (size_t column = 0; column < npanels * DISKANN_PANEL; column++)
		{
			const int8_t *x = panels +
				column / DISKANN_PANEL * ngroups * DISKANN_PANEL_GROUP +
				column % DISKANN_PANEL * 4;
			int32_t		sum = 0;

			for (size_t g = 0; g < ngroups; g++)
			{
				for (int i = 0; i < 4; i++)
					sum += row[4 * g + i] * x[g * DISKANN_PANEL_GROUP + i];
			}
			out[r * out_stride + column] = sum;
		}
	}
}

void
diskann_l2sq_of_dots_scalar(void *dots, size_t n, float scale, float norm2,
							const float *scales, const float *norms2)
{
	char	   *at = dots;

	for (size_t i = 0; i < n; i++, at += sizeof(int32_t))
	{
		int32_t		dot;
		float		dist;

		memcpy(&dot, at, sizeof(dot));
		dist = (norm2 + norms2[i]) - 2 * scale * scales[i] * (float) dot;
		dist = dist > 0 ? dist : 0;
		memcpy(at, &dist, sizeof(dist));
	}
}

static void
keep_least(float *least, size_t k, const float *dist, uint32_t tag,
		   size_t npanels)
{
	for (size_t p = 0; p < npanels; p++)
	{
		for (size_t j = 0; j < DISKANN_PANEL; j++)
		{
			uint32_t	bits;
			float		key;

			memcpy(&bits, dist++, sizeof(bits));
			bits = (bits & ~DISKANN_TAG_MASK) | tag;
			memcpy(&key, &bits, sizeof(key));
			for (size_t i = 0; i < k; i++)
			{
				float	   *kept = &least[i * DISKANN_PANEL + j];
				float		greater = key < *kept ? *kept : key;

				*kept = key < *kept ? key : *kept;
				key = greater;
			}
		}
		least += k * DISKANN_PANEL;
	}
}

void
diskann_fht_f32_scalar(float *x, size_t n)
{
	float		scale;

	for (size_t h = 1; h < n; h *= 2)
	{
		for (size_t i = 0; i < n; i += 2 * h)
		{
			for (size_t j = i; j < i + h; j++)
			{
				float		a = x[j];
				float		b = x[j + h];

				x[j] = a + b;
				x[j + h] = a - b;
			}
		}
	}

	if (n < 2)
		return;
	scale = (float) (1.0 / sqrt((double) n));
	for (size_t i = 0; i < n; i++)
		x[i] *= scale;
}

void
diskann_encode_edge_scalar(const float *node, const float *neighbour, size_t n,
						   float threshold, uint8_t *hi, uint8_t *lo,
						   float out[2])
{
	double		ur = 0.0;
	double		uc = 0.0;

	memset(hi, 0, (n + 3) / 4);
	if (lo != NULL)
		memset(lo, 0, (n + 3) / 4);
	for (size_t i = 0; i < n; i++)
	{
		float		r = neighbour[i] - node[i];
		bool		plus = r >= 0;
		bool		beyond = fabsf(r) > threshold;
		float		size = lo == NULL ? 1.0f : beyond ? 1.5f : 0.5f;
		float		u = plus ? size : -size;

		ur += (double) u * r;
		uc += (double) u * node[i];
		hi[i / 4] |= (uint8_t) (plus << (i % 4));
		if (lo != NULL)
			lo[i / 4] |= (uint8_t) ((plus == beyond) << (i % 4));
	}
	out[0] = (float) ur;
	out[1] = (float) uc;
}

static void
fastscan32(const uint8_t *codes, const uint8_t *lut, size_t ngroups,
		   uint16_t out[DISKANN_EDGE_BLOCK])
{
	for (int j = 0; j < DISKANN_EDGE_BLOCK; j++)
	{
		out[j] = 0;
		for (size_t t = 0; t < ngroups / DISKANN_TILE; t++)
		{
			DiskannScanCell cell = diskann_scan_cell(ngroups, j, t);

			for (size_t i = 0; i < DISKANN_TILE; i++)
			{
				uint8_t		byte = codes[cell.byte + i / 2];
				uint8_t		code = i % 2 == 0 ? byte & 0x0f : byte >> 4;

				out[j] += lut[16 * (cell.group + i * cell.step) + code];
			}
		}
	}
}

static void
estimate32(const uint16_t hi[DISKANN_EDGE_BLOCK], const uint16_t *lo,
		   const void *f_add, const void *f_rescale,
		   const DiskannEstimateFactors *factors,
		   float out[DISKANN_EDGE_BLOCK])
{
	for (int j = 0; j < DISKANN_EDGE_BLOCK; j++)
	{
		float		sum = (float) hi[j];
		float		add;
		float		w;

		if (lo != NULL)
			sum += 0.5f * (float) lo[j];
		memcpy(&add, (const char *) f_add + j * sizeof(add), sizeof(add));
		w = factors->step * sum + factors->offset;
		out[j] = factors->base + add +
			factors->scale * half_at(f_rescale, (size_t) j) * w;
	}
}

const DiskannKernels diskann_kernels_scalar = {
	.name = "scalar",
	.l2sq_f32 = l2sq_f32,
	.l2sq_f64 = l2sq_f64,
	.dot_f32 = dot_f32,
	.dot_f64 = dot_f64,
	.cosine_f32 = cosine_f32,
	.cosine_f64 = cosine_f64,
	.dot_f32_i8 = dot_f32_i8,
	.dot_f32_f16 = dot_f32_f16,
	.decode_i8 = decode_i8,
	.decode_f16 = diskann_decode_f16_scalar,
	.dot_i8 = dot_i8,
	.dot4_i8 = dot4_i8,
	.dot_i8_panels = dot_i8_panels,
	.l2sq_of_dots = diskann_l2sq_of_dots_scalar,
	.keep_least = keep_least,
	.fht_f32 = diskann_fht_f32_scalar,
	.encode_edge = diskann_encode_edge_scalar,
	.fastscan32 = fastscan32,
	.estimate32 = estimate32,
};
