/*-------------------------------------------------------------------------
 *
 * own_code.c
 *	  Codes of stored vectors, each node's own.
 *
 * See own_code.h.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/vector/own_code.c
 *
 *-------------------------------------------------------------------------
 */
#include "vector/own_code.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/half.h"

/*
 * The bits beyond int8.  They say in which of 2^bits equal parts of its
 * interval of rounding a coordinate lies, c - 1/2 to c + 1/2; the middle of
 * part p is c + fine / 2^(bits + 1) with the odd number fine = 2 p + 1 -
 * 2^bits. A byte has them of coordinates that are as far apart as there are
 * bytes, the first in its low bits, so that coordinates next to each other are
 * unpacked a word at a time.
 */
#define FINE_WORD ((int) sizeof(uint64_t))

/* So many coordinates are packed or unpacked at a time. */
#define FINE_BATCH (64 * FINE_WORD)

static inline int
fine_bits(DiskannVectorKind kind)
{
	switch (kind)
	{
		case DISKANN_INT10:
			return 2;
		case DISKANN_INT12:
			return 4;
		default:
			return 0;
	}
}

/* A multiple of FINE_WORD. */
static inline int
fine_bytes(int bits, int dims)
{
	int			bytes = (dims * bits + 7) / 8;

	return (bytes + FINE_WORD - 1) / FINE_WORD * FINE_WORD;
}

/* Value of a unit of fine. */
static inline float
fine_unit(int bits)
{
	return 1.0f / (float) (2 << bits);
}

/* How many coordinates from first on are handled at a time. */
static inline int
fine_batch(int bits, int dims, int first)
{
	int			bytes = fine_bytes(bits, dims);
	int			n = bytes - first % bytes;

	n = n < FINE_BATCH ? n : FINE_BATCH;
	return n < dims - first ? n : dims - first;
}

/* Unpack a batch to out, which has room for FINE_BATCH. */
static void
unpack_fine(int bits, int dims, int first, const uint8_t *code, int8_t *out)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t parts = ones << bits;
	const int	bytes = fine_bytes(bits, dims);
	const int	shift = first / bytes * bits;
	const uint8_t *from = code + dims + first % bytes;
	int			n = fine_batch(bits, dims, first);

	for (int i = 0; i < n; i += FINE_WORD)
	{
		uint64_t	word;

		/* The top bit of each byte stops the borrowing. */
		memcpy(&word, from + i, FINE_WORD);
		word = (word >> shift & (parts - ones)) << 1 | ones;
		word = ((word | ones << 7) - parts) ^ ones << 7;
		memcpy(out + i, &word, FINE_WORD);
	}
}

/* <q, what is beyond the int8 code>, in units of the scale. */
static float
dot_fine(int bits, const float *q, const uint8_t *code, int dims)
{
	int8_t		fine[FINE_BATCH];
	float		dot = 0;
	int			n;

	for (int i = 0; i < dims; i += n)
	{
		n = fine_batch(bits, dims, i);
		unpack_fine(bits, dims, i, code, fine);
		dot += diskann_kernels->dot_f32_i8(q + i, fine, n);
	}
	return dot * fine_unit(bits);
}

/* Add what is beyond the int8 code to what that was decoded to. */
static void
add_fine(int bits, const uint8_t *code, float scale, int dims, float *out)
{
	int8_t		fine[FINE_BATCH];
	float		unit = scale * fine_unit(bits);
	int			n;

	for (int i = 0; i < dims; i += n)
	{
		float	   *to = out + i;	/* i + j would not vectorize with -fwrapv */

		n = fine_batch(bits, dims, i);
		unpack_fine(bits, dims, i, code, fine);
		for (int j = 0; j < n; j++)
			to[j] += unit * fine[j];
	}
}

size_t
diskann_vector_bytes(DiskannVectorKind kind, int dims)
{
	switch (kind)
	{
		case DISKANN_INT8:
		case DISKANN_INT10:
		case DISKANN_INT12:
			return (size_t) dims + fine_bytes(fine_bits(kind), dims);
		case DISKANN_FLOAT16:
			return (size_t) dims * 2;
		case DISKANN_FLOAT32:
			break;
	}
	return (size_t) dims * 4;
}

/* Lanes in which loops below keep maxima and sums, so that they vectorize. */
#define LANES 8

static float
greatest(const float *x, int dims)
{
	float		lanes[LANES] = {0};
	float		max = 0;
	int			i = 0;

	for (; i + LANES <= dims; i += LANES)
	{
		for (int j = 0; j < LANES; j++)
		{
			float		size = fabsf(x[i + j]);

			lanes[j] = size > lanes[j] ? size : lanes[j];
		}
	}
	for (; i < dims; i++)
		max = fabsf(x[i]) > max ? fabsf(x[i]) : max;
	for (int j = 0; j < LANES; j++)
		max = lanes[j] > max ? lanes[j] : max;
	return max;
}

/*
 * The factor that brings x into the range of the code.  Half floats get a
 * power of two, so that scaling itself does not round.  With bits beyond int8
 * no coordinate is zero, so a zero vector has to have a small scale.
 */
static float
vector_scale(DiskannVectorKind kind, const float *x, int dims)
{
	float		max = greatest(x, dims);
	int			exponent;

	if (diskann_vector_has_int8(kind))
		return fmaxf(max / 127.0f, FLT_MIN);
	if (kind == DISKANN_FLOAT32 || max < FLT_MIN)
		return 1.0f;
	frexpf(max, &exponent);
	return fmaxf(ldexpf(1.0f, exponent), FLT_MIN);
}

/* Returns the square of what rounding to the code loses, in units of scale. */
static inline float
encode_int8(float x, float scale, float inverse, int8_t *code)
{
	/*
	 * Adding this leaves no room for a fraction: rounds to nearest even.  The
	 * assignment sees to it where sums are computed with more precision.
	 */
	const float integer = 12582912.0f;	/* 1.5 * 2^23 */
	float		sum = x / scale + integer;
	float		rounded = sum - integer;
	float		error = (scale * rounded - x) * inverse;

	*code = (int8_t) (int) rounded;
	return error * error;
}

static void
encode_int8_vector(const float *x, int dims, float scale, int8_t *code,
				   DiskannVectorFactors *factors)
{
	const float inverse = 1.0f / scale;
	float		lanes[LANES] = {0};
	double		error2 = 0;
	int			i = 0;

	for (; i + LANES <= dims; i += LANES)
	{
		for (int j = 0; j < LANES; j++)
			lanes[j] += encode_int8(x[i + j], scale, inverse, &code[i + j]);
	}
	for (; i < dims; i++)
		error2 += encode_int8(x[i], scale, inverse, &code[i]);
	for (int j = 0; j < LANES; j++)
		error2 += lanes[j];
	factors->norm2 = (float) ((double) scale * scale *
							  diskann_kernels->dot_i8(code, code, dims));
	factors->residual = (float) (scale * sqrt(error2));
}

/* Add more bits to the int8 code of x, whose factors become theirs. */
static void
encode_fine(int bits, const float *x, int dims, float scale, uint8_t *code,
			DiskannVectorFactors *factors)
{
	const int8_t *whole = (const int8_t *) code;
	const int	bytes = fine_bytes(bits, dims);
	const int	parts = 1 << bits;
	const float unit = fine_unit(bits);
	const float inverse = 1.0f / scale;
	double		added2 = 0;
	double		error2 = 0;
	int			n;

	memset(code + dims, 0, bytes);
	for (int i = 0; i < dims; i += n)
	{
		const float *from = x + i;
		const int8_t *c = whole + i;
		uint8_t    *to = code + dims + i % bytes;
		int			shift = i / bytes * bits;
		int8_t		fine[FINE_BATCH];
		float		error[FINE_BATCH];

		n = fine_batch(bits, dims, i);
		for (int j = 0; j < n; j++)
		{
			float		rest = from[j] / scale - c[j];
			int			part = (int) ((rest + 0.5f) * parts);

			part = part < parts ? part : parts - 1;
			to[j] |= (uint8_t) (part << shift);
			fine[j] = (int8_t) (2 * part + 1 - parts);
			error[j] = (scale * c[j] + scale * unit * fine[j] - from[j]) *
				inverse;
		}
		added2 += 2.0 * unit * diskann_kernels->dot_i8(c, fine, n) +
			(double) unit * unit * diskann_kernels->dot_i8(fine, fine, n);
		error2 += diskann_kernels->dot_f32(error, error, n);
	}
	factors->norm2 += (float) ((double) scale * scale * added2);
	factors->residual = (float) (scale * sqrt(error2));
}

static void
encode_float_vector(DiskannVectorKind kind, const float *x, int dims,
					float scale, char *code, DiskannVectorFactors *factors)
{
	double		norm2 = 0;
	double		error2 = 0;

	for (int i = 0; i < dims; i++)
	{
		float		decoded = x[i];

		if (kind == DISKANN_FLOAT16)
		{
			uint16_t	h = diskann_half_from_float(x[i] / scale);

			memcpy(code + 2 * (size_t) i, &h, 2);
			decoded = scale * diskann_half_to_float(h);
		}
		else
			memcpy(code + 4 * (size_t) i, &decoded, 4);
		norm2 += (double) decoded * decoded;
		error2 += ((double) decoded - x[i]) * ((double) decoded - x[i]);
	}
	factors->norm2 = (float) norm2;
	factors->residual = (float) sqrt(error2);
}

void
diskann_vector_encode(DiskannVectorKind kind, const float *x, int dims,
					  void *code, DiskannVectorFactors *factors)
{
	factors->scale = vector_scale(kind, x, dims);
	if (!diskann_vector_has_int8(kind))
	{
		encode_float_vector(kind, x, dims, factors->scale, code, factors);
		return;
	}
	encode_int8_vector(x, dims, factors->scale, code, factors);
	if (kind != DISKANN_INT8)
		encode_fine(fine_bits(kind), x, dims, factors->scale, code, factors);
}

void
diskann_vector_decode(DiskannVectorKind kind, const void *code, float scale,
					  int dims, float *out)
{
	switch (kind)
	{
		case DISKANN_INT8:
		case DISKANN_INT10:
		case DISKANN_INT12:
			diskann_kernels->decode_i8(code, scale, dims, out);
			if (kind != DISKANN_INT8)
				add_fine(fine_bits(kind), code, scale, dims, out);
			break;
		case DISKANN_FLOAT16:
			diskann_kernels->decode_f16(code, scale, dims, out);
			break;
		case DISKANN_FLOAT32:
			memcpy(out, code, (size_t) dims * 4);
			break;
	}
}

float
diskann_vector_distance(DiskannVectorKind kind, const float *q, float q2,
						const void *code, float scale, float norm2, int dims)
{
	float		dot = 0;
	float		dist;

	switch (kind)
	{
		case DISKANN_INT8:
		case DISKANN_INT10:
		case DISKANN_INT12:
			dot = diskann_kernels->dot_f32_i8(q, code, dims);
			if (kind != DISKANN_INT8)
				dot += dot_fine(fine_bits(kind), q, code, dims);
			break;
		case DISKANN_FLOAT16:
			dot = diskann_kernels->dot_f32_f16(q, code, dims);
			break;
		case DISKANN_FLOAT32:
			dot = diskann_kernels->dot_f32(q, code, dims);
			break;
	}
	dist = q2 + norm2 - 2.0f * scale * dot;

	/* Rounding may leave a small negative number for equal vectors. */
	return dist > 0 ? dist : 0;
}

const char *
diskann_vector_kind_name(int kind)
{
	static const char *const names[] = {
		"auto", "int8", "int10", "int12", "float16", "float32"
	};

	if (kind < 0 || kind >= (int) (sizeof(names) / sizeof(names[0])))
		return NULL;
	return names[kind];
}
