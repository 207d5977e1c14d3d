/*-------------------------------------------------------------------------
 *
 * vector_test.c
 *	  Rotation, codes, estimators and the mapping of metrics, against plain
 *	  arithmetic in double precision and against theory.
 *
 * What uses kernels is tested with every table that runs here.  Random numbers
 * have fixed seeds, so a statistical test that passes once passes always (up to
 * what different instruction sets round differently).
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/vector_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "vector/edge_code.h"
#include "vector/own_code.h"
#include "vector/rotate.h"
#include "vector/space.h"

#define MAX_DIMS 2048
#define MAX_EDGES 128

#define LENGTHOF(array) ((int) (sizeof(array) / sizeof((array)[0])))

/* Failures shown in full; the rest is only counted. */
#define MAX_SHOWN 20

static const double two_pi = 6.283185307179586;

static long passed = 0;
static long failed = 0;
static uint64_t random_state = 1;

static const DiskannVectorKind kinds[] = {DISKANN_INT8, DISKANN_INT10,
DISKANN_INT12, DISKANN_FLOAT16, DISKANN_FLOAT32};

static void
check(bool ok, const char *format,...)
{
	va_list		args;

	if (ok)
	{
		passed++;
		return;
	}
	if (failed++ >= MAX_SHOWN)
		return;
	printf("FAILED (%s): ", diskann_kernels->name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* Uniform in (0, 1). */
static double
uniform(void)
{
	return ((diskann_random64(&random_state) >> 11) + 0.5) / 9007199254740992.0;
}

static double
gaussian(void)
{
	return sqrt(-2 * log(uniform())) * cos(two_pi * uniform());
}

static void
fill_gaussian(float *x, int n, double scale)
{
	for (int i = 0; i < n; i++)
		x[i] = (float) (scale * gaussian());
}

static double
dot(const float *a, const float *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += (double) a[i] * b[i];
	return sum;
}

static double
distance2(const float *a, const float *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sum;
}

static bool
near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance;
}

/* ---------- rotation ---------- */

/* Lengths and angles stay, also within and behind the prefix. */
static void
test_orthonormal(int dims, int prefix)
{
	static float signs[DISKANN_ROTATION_ROUNDS * MAX_DIMS];
	DiskannRotation rot;
	float		x[MAX_DIMS];
	float		y[MAX_DIMS];
	double		xx,
				yy,
				xy,
				head;

	check(diskann_rotation_signs(dims) ==
		  (size_t) DISKANN_ROTATION_ROUNDS * dims,
		  "signs for %d dims", dims);
	diskann_rotation_init(&rot, dims, prefix, 77 + dims, signs);
	fill_gaussian(x, dims, 1);
	fill_gaussian(y, dims, 3);
	xx = dot(x, x, dims);
	yy = dot(y, y, dims);
	xy = dot(x, y, dims);
	head = dot(x, y, prefix);
	diskann_rotate(&rot, x);
	diskann_rotate(&rot, y);
	check(near(dot(x, x, dims), xx, 1e-5 * xx), "length, %d dims, prefix %d",
		  dims, prefix);
	check(near(dot(x, y, dims), xy, 1e-5 * sqrt(xx * yy)),
		  "dot product, %d dims, prefix %d", dims, prefix);
	check(near(dot(x, y, prefix), head, 1e-5 * sqrt(xx * yy)),
		  "dot product of the prefix, %d dims, prefix %d", dims, prefix);
}

static void
test_deterministic(int dims)
{
	static float signs[2][DISKANN_ROTATION_ROUNDS * MAX_DIMS];
	DiskannRotation rot[2];
	float		x[MAX_DIMS];
	float		y[MAX_DIMS];

	fill_gaussian(x, dims, 1);
	memcpy(y, x, sizeof(float) * dims);
	diskann_rotation_init(&rot[0], dims, dims, 5, signs[0]);
	diskann_rotation_init(&rot[1], dims, dims, 5, signs[1]);
	diskann_rotate(&rot[0], x);
	diskann_rotate(&rot[1], y);
	check(memcmp(x, y, sizeof(float) * dims) == 0,
		  "one seed, two rotations of %d dims", dims);
	diskann_rotation_init(&rot[1], dims, dims, 6, signs[1]);
	check(dims < 32 || memcmp(signs[0], signs[1],
							  sizeof(float) * dims) != 0,
		  "two seeds, one rotation of %d dims", dims);
}

/*
 * A vector along one axis spreads over all coordinates, and no quarter of them
 * holds much more than its share, nor does a single one.
 */
static void
test_spread(int dims)
{
	static float signs[DISKANN_ROTATION_ROUNDS * MAX_DIMS];
	DiskannRotation rot;
	float		x[MAX_DIMS];
	double		quarter[4] = {0, 0, 0, 0};
	double		greatest = 0;
	int			n = 0;

	for (int seed = 0; seed < 8; seed++)
	{
		diskann_rotation_init(&rot, dims, dims, seed, signs);
		for (int axis = seed; axis < dims; axis += 1 + dims / 16)
		{
			memset(x, 0, sizeof(x));
			x[axis] = 1;
			diskann_rotate(&rot, x);
			for (int i = 0; i < dims; i++)
			{
				quarter[4 * i / dims] += (double) x[i] * x[i];
				greatest = fmax(greatest, fabs(x[i]) * sqrt(dims));
			}
			n++;
		}
	}
	check(greatest < 6.5,
		  "%d dims: a coordinate of %.2f standard deviations",
		  dims, greatest);
	for (int i = 0; i < 4; i++)
		check(near(quarter[i] / n, 0.25, 0.05),
			  "%d dims: quarter %d has %.3f of the energy", dims, i,
			  quarter[i] / n);
}

static void
test_rotation(void)
{
	static const int dims[] = {1, 2, 3, 4, 5, 7, 8, 31, 64, 100, 127, 128,
	129, 130, 255, 256, 257, 384, 784, 960, 1280, 1536, 2000};

	for (int i = 0; i < LENGTHOF(dims); i++)
	{
		test_orthonormal(dims[i], dims[i]);
		test_orthonormal(dims[i], 1);
		test_orthonormal(dims[i], (dims[i] + 1) / 2);
		test_orthonormal(dims[i], (dims[i] + 2) / 3);
		test_deterministic(dims[i]);
		if (dims[i] >= 100)
			test_spread(dims[i]);
	}
}

/* ---------- own vectors ---------- */

/* The most a coordinate of a vector may be off, greatest being the greatest. */
static double
rounding_bound(DiskannVectorKind kind, double x, double greatest)
{
	switch (kind)
	{
		case DISKANN_INT8:
			return greatest / 127 * 0.5 * (1 + 1e-5);
		case DISKANN_INT10:
			return greatest / 127 / 8 * (1 + 1e-4);
		case DISKANN_INT12:
			return greatest / 127 / 32 * (1 + 1e-3);
		case DISKANN_FLOAT16:
			return fmax(fabs(x) / 2048, greatest / (1 << 24)) * (1 + 1e-6);
		case DISKANN_FLOAT32:
			break;
	}
	return 0;
}

static double
greatest_of(const float *x, int n)
{
	double		greatest = 0;

	for (int i = 0; i < n; i++)
		greatest = fmax(greatest, fabs(x[i]));
	return greatest;
}

/*
 * Squares of the least vectors cannot be told from zero: FLT_MIN, as far as
 * a squared length goes.
 */
static void
test_own_vector(DiskannVectorKind kind, int dims, double scale)
{
	float		x[MAX_DIMS];
	float		q[MAX_DIMS];
	float		y[MAX_DIMS];
	char		code[4 * MAX_DIMS + 1];
	DiskannVectorFactors factors;
	size_t		bytes = diskann_vector_bytes(kind, dims);
	double		greatest;
	double		norm2;
	double		q2;
	double		error;
	bool		within = true;

	fill_gaussian(x, dims, scale);
	greatest = greatest_of(x, dims);
	fill_gaussian(q, dims, scale);
	code[bytes] = 0x55;
	diskann_vector_encode(kind, x, dims, code, &factors);
	check(code[bytes] == 0x55, "kind %d, %d dims: code is too long", kind, dims);
	diskann_vector_decode(kind, code, factors.scale, dims, y);
	for (int i = 0; i < dims; i++)
	{
		within &= near(y[i], x[i], rounding_bound(kind, x[i], greatest));
		if (diskann_vector_has_int8(kind))
			within &= (int8_t) code[i] != -128;
	}
	check(within, "kind %d, %d dims, scale %g: rounding", kind, dims, scale);

	norm2 = dot(y, y, dims);
	q2 = dot(q, q, dims);
	error = sqrt(distance2(x, y, dims));
	check(near(factors.norm2, norm2, 1e-6 * norm2 + FLT_MIN),
		  "kind %d, %d dims, scale %g: norm2 %g, not %g", kind, dims, scale,
		  factors.norm2, norm2);
	/* Where products and sums are fused, decoding rounds, encoding does not. */
	check(near(factors.residual, error,
			   1e-6 * error + FLT_EPSILON * sqrt(norm2) + FLT_MIN),
		  "kind %d, %d dims, scale %g: residual %g, not %g", kind, dims, scale,
		  factors.residual, error);
	check(near(diskann_vector_distance(kind, q, (float) q2, code, factors.scale,
									   factors.norm2, dims),
			   distance2(q, y, dims), 2e-6 * (q2 + norm2) + 4 * FLT_MIN),
		  "kind %d, %d dims, scale %g: distance", kind, dims, scale);
	error = diskann_vector_distance(kind, y, (float) norm2, code, factors.scale,
									factors.norm2, dims);
	check(error >= 0 && error <= 2e-6 * norm2 + 4 * FLT_MIN,
		  "kind %d, %d dims, scale %g: distance %g to itself", kind, dims,
		  scale, error);
}

/* One great coordinate among small ones, the least numbers, and none at all. */
static void
test_odd_vectors(DiskannVectorKind kind)
{
	float		x[8] = {1e15f, 1, -1e-15f, 0, 3e13f, -2e12f, 1e-30f, -1e15f};
	float		tiny[3] = {1e-39f, -3e-40f, 0};
	float		zero[5] = {0, 0, -0.0f, 0, 0};
	float		y[8];
	char		code[32];
	double		greatest = greatest_of(x, 8);
	DiskannVectorFactors factors;
	bool		within = true;

	diskann_vector_encode(kind, x, 8, code, &factors);
	diskann_vector_decode(kind, code, factors.scale, 8, y);
	for (int i = 0; i < 8; i++)
		within &= near(y[i], x[i], rounding_bound(kind, x[i], greatest));
	check(within, "kind %d: rounding of a mixed vector", kind);

	diskann_vector_encode(kind, tiny, 3, code, &factors);
	diskann_vector_decode(kind, code, factors.scale, 3, y);
	check(factors.scale > 0 && isfinite(factors.scale) &&
		  near(y[0], tiny[0], FLT_MIN) && near(y[1], tiny[1], FLT_MIN) &&
		  factors.norm2 >= 0 && factors.residual <= FLT_MIN,
		  "kind %d: a tiny vector", kind);

	diskann_vector_encode(kind, zero, 5, code, &factors);
	diskann_vector_decode(kind, code, factors.scale, 5, y);
	check(factors.scale > 0 && factors.norm2 == 0 &&
		  factors.residual <= FLT_MIN && near(dot(y, y, 5), 0, FLT_MIN),
		  "kind %d: zero vector", kind);
	check(near(diskann_vector_distance(kind, x, 9, code, factors.scale, 0, 5),
			   9, 0), "kind %d: distance from zero", kind);
}

/*
 * More bits leave the int8 code as it is, and divide what it is off by four, or
 * sixteen.
 */
static void
test_fine_bits(int dims)
{
	float		x[MAX_DIMS];
	char		code[4 * MAX_DIMS];
	char		finer[4 * MAX_DIMS];
	DiskannVectorFactors factors[3];

	fill_gaussian(x, dims, 1);
	diskann_vector_encode(DISKANN_INT8, x, dims, code, &factors[0]);
	for (int i = 1; i <= 2; i++)
	{
		double		ratio;

		diskann_vector_encode(DISKANN_INT8 + i, x, dims, finer, &factors[i]);
		check(memcmp(code, finer, dims) == 0 &&
			  factors[i].scale == factors[0].scale,
			  "%d dims: not the int8 code with more bits", dims);
		ratio = factors[i - 1].residual / factors[i].residual;
		check(near(ratio, 4, 0.4), "%d dims: two bits divide errors by %g",
			  dims, ratio);
	}
}

static void
test_own_vectors(void)
{
	static const int dims[] = {1, 2, 3, 5, 16, 127, 128, 129, 784, 1536};
	static const double scales[] = {1e-20, 1e-15, 1e-6, 1, 255, 1e6, 1e15};

	for (int k = 0; k < LENGTHOF(kinds); k++)
	{
		test_odd_vectors(kinds[k]);
		for (int i = 0; i < LENGTHOF(dims); i++)
		{
			for (int j = 0; j < LENGTHOF(scales); j++)
				test_own_vector(kinds[k], dims[i], scales[j]);
		}
	}
	test_fine_bits(784);
	test_fine_bits(1201);
}

/* ---------- edges: codes ---------- */

static DiskannEdgeShape
make_shape(int dims, int code_dims, int planes)
{
	DiskannEdgeShape shape = {dims, code_dims, planes,
	(code_dims + 15) / 16 * 4};

	return shape;
}

/* Is the bit of coordinate i set in a plane? */
static int
code_bit(const DiskannEdgeShape *shape, const uint8_t *nibbles, int plane,
		 int i)
{
	return (nibbles[plane * shape->groups + i / 4] >> (i % 4)) & 1;
}

/* What a coordinate was rounded to. */
static double
code_value(const DiskannEdgeShape *shape, const uint8_t *nibbles, int i)
{
	double		hi = code_bit(shape, nibbles, 0, i) ? 1 : -1;

	if (shape->planes == 1)
		return hi;
	return hi + (code_bit(shape, nibbles, 1, i) ? 0.5 : -0.5);
}

static void
random_nibbles(const DiskannEdgeShape *shape, uint8_t *nibbles)
{
	memset(nibbles, 0, DISKANN_MAX_NIBBLES);
	for (int plane = 0; plane < shape->planes; plane++)
	{
		for (int i = 0; i < shape->code_dims; i++)
		{
			if (diskann_random64(&random_state) & 1)
				nibbles[plane * shape->groups + i / 4] |= 1 << (i % 4);
		}
	}
}

/* The nibble of an edge where diskann_scan_cell() in kernels.h has it. */
static int
stored_nibble(const DiskannEdgeShape *shape, const uint8_t *codes, int edge,
			  int plane, int group)
{
	size_t		block = (size_t) (edge / 32) * shape->planes + plane;
	int			pair = group / 8;
	bool		single = shape->groups - 8 * pair == 4;
	int			tile = single ? 0 : group % 2;
	int			nibble = single ? group % 4 : group % 8 / 2;
	int			byte = codes[(block * shape->groups + 8 * pair) * 16 +
							 (single ? 16 : 32) * (edge % 32 / 8) +
							 16 * tile + 2 * (edge % 8) + nibble / 2];

	return nibble % 2 == 0 ? byte & 0x0F : byte >> 4;
}

static void
test_put_get(const DiskannEdgeShape *shape)
{
	static uint8_t codes[MAX_EDGES * DISKANN_MAX_NIBBLES / 2 + 1];
	static uint8_t given[MAX_EDGES][DISKANN_MAX_NIBBLES];
	uint8_t		got[DISKANN_MAX_NIBBLES];
	size_t		bytes = diskann_edge_bytes(shape, MAX_EDGES);
	int			count = shape->planes * shape->groups;
	bool		same = true;
	bool		placed = true;

	check(bytes == (size_t) MAX_EDGES * count / 2, "bytes of %d edges", MAX_EDGES);
	memset(codes, 0xAA, sizeof(codes));

	/* Twice, and not in order: what was there before must not matter. */
	for (int i = 0; i < 2 * MAX_EDGES; i++)
	{
		int			edge = i * 37 % MAX_EDGES;

		random_nibbles(shape, given[edge]);
		diskann_edge_put(shape, codes, edge, given[edge]);
	}
	for (int i = 0; i < MAX_EDGES; i++)
	{
		diskann_edge_get(shape, codes, i, got);
		same &= memcmp(got, given[i], count) == 0;
		for (int j = 0; j < count; j++)
			placed &= stored_nibble(shape, codes, i, j / shape->groups,
									j % shape->groups) == given[i][j];
	}
	check(same, "put and get, %d dims in %d planes", shape->code_dims,
		  shape->planes);
	check(placed, "layout, %d dims in %d planes", shape->code_dims,
		  shape->planes);
	check(codes[bytes] == 0xAA, "put beyond the end, %d dims in %d planes",
		  shape->code_dims, shape->planes);
}

static void
test_unpack(const DiskannEdgeShape *shape)
{
	uint8_t		nibbles[DISKANN_MAX_NIBBLES];
	int8_t		out[DISKANN_MAX_CODE_DIMS + 1];
	int			unit = shape->planes == 2 ? 2 : 1;
	bool		same = true;

	random_nibbles(shape, nibbles);
	memset(out, 99, sizeof(out));
	diskann_edge_unpack(shape, nibbles, out);
	for (int i = 0; i < 4 * shape->groups; i++)
	{
		double		expected = 0;

		if (i < shape->code_dims)
			expected = unit * code_value(shape, nibbles, i);
		same &= out[i] == expected;
	}
	check(same && out[4 * shape->groups] == 99,
		  "unpack, %d dims in %d planes", shape->code_dims, shape->planes);
}

/* The parts of an edge as they should be. */
static void
test_encode(const DiskannEdgeShape *shape, double scale)
{
	float		c[MAX_DIMS];
	float		o[MAX_DIMS];
	DiskannEdgeCode edge;
	double		r2;
	double		rms = 0;
	double		ur = 0;
	double		uc = 0;
	double		f;
	bool		rounded = true;

	fill_gaussian(c, shape->dims, scale);
	fill_gaussian(o, shape->dims, scale);
	diskann_edge_encode(shape, c, o, &edge);
	r2 = distance2(o, c, shape->dims);
	rms = sqrt(distance2(o, c, shape->code_dims) / shape->code_dims);
	for (int i = 0; i < shape->code_dims; i++)
	{
		double		r = (double) o[i] - c[i];
		double		u = code_value(shape, edge.nibbles, i);

		rounded &= (u > 0) == (r >= 0);
		if (shape->planes == 2 && !near(fabs(r), rms, 1e-5 * rms))
			rounded &= fabs(u) == (fabs(r) > rms ? 1.5 : 0.5);
		ur += u * r;
		uc += u * c[i];
	}
	f = r2 / ur;
	check(rounded, "code of an edge, %d dims in %d planes", shape->code_dims,
		  shape->planes);
	for (int i = shape->code_dims; i < 4 * shape->groups; i++)
	{
		for (int plane = 0; plane < shape->planes; plane++)
			check(!code_bit(shape, edge.nibbles, plane, i), "a bit of no coordinate");
	}
	check(near(edge.f_rescale, -2 * f, 1e-5 * f) &&
		  near(edge.f_add, r2 + 2 * f * uc, 1e-5 * (r2 + fabs(2 * f * uc))),
		  "factors of an edge, %d dims in %d planes, scale %g",
		  shape->code_dims, shape->planes, scale);

	/* What a node says of its double is the distance, exactly. */
	diskann_edge_encode(shape, c, c, &edge);
	check(edge.f_add == 0 && edge.f_rescale == 0, "an edge of no length");
}

/* All of r in coordinates that are not coded: only the length is known. */
static void
test_uncoded(void)
{
	DiskannEdgeShape shape = make_shape(100, 40, 2);
	float		c[100];
	float		o[100];
	DiskannEdgeCode edge;

	fill_gaussian(c, 100, 1);
	memcpy(o, c, sizeof(c));
	fill_gaussian(o + 40, 60, 1);
	diskann_edge_encode(&shape, c, o, &edge);
	check(near(edge.f_add, distance2(o, c, 100), 1e-4) && edge.f_rescale == 0,
		  "an edge outside of the coded coordinates");
}

static void
test_edge_codes(void)
{
	static const int code_dims[] = {1, 2, 3, 4, 5, 6, 7, 31, 100, 127, 128,
	129, 130, 255, 256, 257, 384, 510, 512, 1021, 1024};

	for (int i = 0; i < LENGTHOF(code_dims); i++)
	{
		for (int planes = 1; planes <= 2; planes++)
		{
			DiskannEdgeShape shape = make_shape(code_dims[i] + 3, code_dims[i],
												planes);

			test_put_get(&shape);
			test_unpack(&shape);
			test_encode(&shape, 1e-10);
			test_encode(&shape, 1);
			test_encode(&shape, 1e10);
		}
	}
	test_uncoded();
}

/* ---------- edges: estimates ---------- */

/* A node at c with neighbours at random, as a slot would have it. */
typedef struct Star
{
	DiskannEdgeShape shape;
	float		c[MAX_DIMS];
	uint8_t		nibbles[MAX_EDGES][DISKANN_MAX_NIBBLES];
	uint8_t		codes[MAX_EDGES * DISKANN_MAX_NIBBLES / 2];
	float		f_add[MAX_EDGES];
	uint16_t	f_rescale[MAX_EDGES];
	float		scale;
} Star;

static void
make_star(Star *star, const DiskannEdgeShape *shape, int degree, bool twins)
{
	static DiskannEdgeCode edges[MAX_EDGES];
	float		o[MAX_DIMS];

	memset(star, 0, sizeof(*star));
	star->shape = *shape;
	fill_gaussian(star->c, shape->dims, 1);
	for (int i = 0; i < degree; i++)
	{
		fill_gaussian(o, shape->dims, 1 + i % 3);
		if (twins && i % 2 == 0)
			memcpy(o, star->c, sizeof(o));
		diskann_edge_encode(shape, star->c, o, &edges[i]);
		star->scale = fmaxf(star->scale, fabsf(edges[i].f_rescale));
	}
	for (int i = 0; i < degree; i++)
	{
		memcpy(star->nibbles[i], edges[i].nibbles, DISKANN_MAX_NIBBLES);
		diskann_edge_put(shape, star->codes, i, edges[i].nibbles);
		star->f_add[i] = edges[i].f_add;
		star->f_rescale[i] =
			diskann_half_from_float(edges[i].f_rescale / star->scale);
	}
}

/*
 * Estimates through tables are those of the formula.  An entry of a table is
 * rounded by half a step at most, so the bound on the sum is strict.
 */
static void
test_estimates(const DiskannEdgeShape *shape, int degree, double scale)
{
	static Star star;
	static uint8_t lut[DISKANN_MAX_GROUPS * DISKANN_GROUP_BYTES + 1];
	float		q[MAX_DIMS];
	float		out[MAX_EDGES];
	DiskannEdgeQuery query;
	double		slack;
	float		base;

	make_star(&star, shape, degree, false);
	fill_gaussian(q, shape->dims, scale);
	lut[shape->groups * DISKANN_GROUP_BYTES] = 0x55;
	diskann_edge_query(shape, q, lut, &query);
	check(lut[shape->groups * DISKANN_GROUP_BYTES] == 0x55, "table is too long");
	base = (float) distance2(q, star.c, shape->dims);
	diskann_edge_estimate(shape, &query, star.codes, star.f_add, star.f_rescale,
						  base, star.scale, degree, out);

	slack = 0.5 * query.step * shape->groups * (shape->planes == 2 ? 1.5 : 1);
	for (int i = 0; i < degree; i++)
	{
		double		f = star.scale * diskann_half_to_float(star.f_rescale[i]);
		double		uq = 0;
		double		expected;
		double		sum = fabs(query.offset);

		for (int j = 0; j < shape->code_dims; j++)
			uq += code_value(shape, star.nibbles[i], j) * q[j];
		expected = base + star.f_add[i] + f * uq;
		check(near(out[i], expected, fabs(f) * (slack + 1e-5 * sum) +
				   1e-5 * (base + fabs(star.f_add[i]))),
			  "estimate %d of %d, %d dims in %d planes, scale %g: %g, not %g",
			  i, degree, shape->code_dims, shape->planes, scale, out[i],
			  expected);
	}
}

/* Neighbours equal to the node are estimated to be where the node is. */
static void
test_twins(const DiskannEdgeShape *shape)
{
	static Star star;
	static uint8_t lut[DISKANN_MAX_GROUPS * DISKANN_GROUP_BYTES];
	float		q[MAX_DIMS];
	float		out[MAX_EDGES];
	DiskannEdgeQuery query;
	bool		exact = true;

	make_star(&star, shape, 64, true);
	fill_gaussian(q, shape->dims, 1);
	diskann_edge_query(shape, q, lut, &query);
	diskann_edge_estimate(shape, &query, star.codes, star.f_add, star.f_rescale,
						  123.25f, star.scale, 64, out);
	for (int i = 0; i < 64; i += 2)
		exact &= out[i] == 123.25f;
	check(exact, "estimates of twins, %d dims in %d planes", shape->code_dims,
		  shape->planes);

	/* A query at the origin has tables without steps. */
	memset(q, 0, sizeof(q));
	diskann_edge_query(shape, q, lut, &query);
	diskann_edge_estimate(shape, &query, star.codes, star.f_add, star.f_rescale,
						  1, star.scale, 64, out);
	for (int i = 0; i < 64; i++)
		exact &= near(out[i], 1 + (double) star.f_add[i],
					  1e-6 * (1 + fabs(star.f_add[i])));
	check(exact, "estimates for the origin, %d dims in %d planes",
		  shape->code_dims, shape->planes);
}

static void
test_edge_estimates(void)
{
	static const int code_dims[] = {1, 2, 3, 5, 64, 127, 128, 130, 256, 383,
	384, 512, 1024};
	static const int degrees[] = {1, 31, 32, 33, 64, 96, 128};

	for (int i = 0; i < LENGTHOF(code_dims); i++)
	{
		for (int planes = 1; planes <= 2; planes++)
		{
			DiskannEdgeShape shape = make_shape(code_dims[i] + code_dims[i] % 3,
												code_dims[i], planes);

			for (int j = 0; j < LENGTHOF(degrees); j++)
				test_estimates(&shape, degrees[j], 1);
			test_estimates(&shape, 32, 1e-12);
			test_estimates(&shape, 32, 1e8);
			test_twins(&shape);
		}
	}
}

/* ---------- edges: statistics ---------- */

/* The part of an isotropic vector's squared length that its code captures. */
static double
captured(int planes)
{
	/* 2/pi for signs; for +-0.5 and +-1.5 around 1, by integration. */
	return planes == 1 ? 0.63662 : 0.88118;
}

/* <u, y> by the code of an edge. */
static double
code_dot(const DiskannEdgeShape *shape, const DiskannEdgeCode *edge,
		 const float *y)
{
	double		sum = 0;

	for (int i = 0; i < shape->code_dims; i++)
		sum += code_value(shape, edge->nibbles, i) * y[i];
	return sum;
}

/*
 * Error of one estimate, in units of the standard error that theory says: with
 * y = q - c and its part y' orthogonal to r, 2 |r||y'| sqrt(1/k - 1) /
 * sqrt(D - 1), where k is the captured part of |r|^2.
 */
static double
standard_error(const DiskannEdgeShape *shape, const float *c, const float *o,
			   const float *q)
{
	DiskannEdgeCode edge;
	float		r[MAX_DIMS];
	float		y[MAX_DIMS];
	double		r2,
				y2,
				ry,
				k,
				estimate;

	diskann_edge_encode(shape, c, o, &edge);
	for (int i = 0; i < shape->dims; i++)
	{
		r[i] = o[i] - c[i];
		y[i] = q[i] - c[i];
	}
	r2 = dot(r, r, shape->dims);
	y2 = dot(y, y, shape->dims);
	ry = dot(r, y, shape->dims);
	estimate = y2 + edge.f_add + edge.f_rescale * code_dot(shape, &edge, q);
	k = captured(shape->planes) * shape->code_dims / shape->dims;
	return (estimate - distance2(o, q, shape->dims)) /
		(2 * sqrt((r2 * y2 - ry * ry) * (1 / k - 1) / (shape->dims - 1)));
}

static void
check_errors(const char *what, const DiskannEdgeShape *shape, double sum,
			 double sum2, int n, double tolerance)
{
	double		mean = sum / n;
	double		deviation = sqrt(sum2 / n);

	check(fabs(mean) < 4 / sqrt(n), "%s, %d of %d dims in %d planes: bias %.4f",
		  what, shape->code_dims, shape->dims, shape->planes, mean);
	check(near(deviation, 1, tolerance),
		  "%s, %d of %d dims in %d planes: error %.3f of theory", what,
		  shape->code_dims, shape->dims, shape->planes, deviation);
}

static void
test_gaussian_errors(int dims, int code_dims, int planes)
{
	DiskannEdgeShape shape = make_shape(dims, code_dims, planes);
	float		c[MAX_DIMS];
	float		o[MAX_DIMS];
	float		q[MAX_DIMS];
	int			n = 2000 + 600000 / dims;
	double		sum = 0;
	double		sum2 = 0;

	for (int i = 0; i < n; i++)
	{
		double		error;

		fill_gaussian(c, dims, 1);
		fill_gaussian(o, dims, 1);
		fill_gaussian(q, dims, 1);
		error = standard_error(&shape, c, o, q);
		sum += error;
		sum2 += error * error;
	}
	check_errors("Gaussian data", &shape, sum, sum2, n, 0.08);
}

/* The same of sparse vectors, which only the rotation makes isotropic. */
static void
test_rotated_errors(int dims, int prefix, int code_dims, int planes)
{
	static float signs[DISKANN_ROTATION_ROUNDS * MAX_DIMS];
	DiskannEdgeShape shape = make_shape(prefix, code_dims, planes);
	DiskannRotation rot;
	float		v[3][MAX_DIMS];
	int			n = 2000;
	double		sum = 0;
	double		sum2 = 0;

	for (int seed = 0; seed < n; seed++)
	{
		double		error;

		diskann_rotation_init(&rot, dims, prefix, seed, signs);
		for (int i = 0; i < 3; i++)
		{
			memset(v[i], 0, sizeof(v[i]));
			for (int j = 0; j < prefix; j += 5)
				v[i][j + i] = (float) (1 + j % 7);
			diskann_rotate(&rot, v[i]);
		}
		error = standard_error(&shape, v[0], v[1], v[2]);
		sum += error;
		sum2 += error * error;
	}
	check_errors("rotated data", &shape, sum, sum2, n, 0.15);
}

/* Correlation of two unpacked codes. */
static float
correlation(const int8_t *a, const int8_t *b, int n)
{
	return diskann_kernels->dot_i8(a, b, n) /
		sqrtf((float) diskann_kernels->dot_i8(a, a, n) *
			  (float) diskann_kernels->dot_i8(b, b, n));
}

/* Cosines of two edges whose angle is known. */
static void
test_cosine(int dims, int planes, double rho)
{
	DiskannEdgeShape shape = make_shape(dims, dims, planes);
	float		origin[MAX_DIMS] = {0};
	float		a[MAX_DIMS];
	float		b[MAX_DIMS];
	int8_t		codes[2][DISKANN_MAX_CODE_DIMS];
	DiskannEdgeCode edge;
	int			n = 400;
	int			bytes = 4 * shape.groups;
	double		sum = 0;
	double		sum2 = 0;
	double		mean;
	double		deviation;

	for (int i = 0; i < n; i++)
	{
		double		cosine;
		double		truth;

		fill_gaussian(a, dims, 1);
		fill_gaussian(b, dims, 2);
		for (int j = 0; j < dims; j++)
			b[j] = (float) (2 * rho * a[j] + sqrt(1 - rho * rho) * b[j]);
		diskann_edge_encode(&shape, origin, a, &edge);
		diskann_edge_unpack(&shape, edge.nibbles, codes[0]);
		diskann_edge_encode(&shape, origin, b, &edge);
		diskann_edge_unpack(&shape, edge.nibbles, codes[1]);
		cosine = diskann_edge_cosine(shape.planes, correlation(codes[0], codes[1],
															   bytes));
		truth = dot(a, b, dims) / sqrt(dot(a, a, dims) * dot(b, b, dims));
		sum += cosine - truth;
		sum2 += (cosine - truth) * (cosine - truth);
	}
	mean = sum / n;
	deviation = sqrt(sum2 / n);
	check(near(mean, 0, 0.015), "cosine %.2f, %d dims in %d planes: bias %.4f",
		  rho, dims, planes, mean);
	check(deviation * sqrt(dims) < 1.4,
		  "cosine %.2f, %d dims in %d planes: error %.3f / sqrt(dims)", rho,
		  dims, planes, deviation * sqrt(dims));
	check(rho < 1 || near(deviation, 0, 3e-4),
		  "cosine of equal directions, %d planes", planes);
}

static void
test_edge_statistics(void)
{
	static const double rhos[] = {-1, -0.9, -0.5, 0, 0.2, 0.5, 0.7, 0.9, 0.97,
	1};

	for (int planes = 1; planes <= 2; planes++)
	{
		test_gaussian_errors(100, 100, planes);
		test_gaussian_errors(128, 128, planes);
		test_gaussian_errors(128, 96, planes);
		test_gaussian_errors(384, 384, planes);
		test_gaussian_errors(768, 384, planes);
		test_gaussian_errors(1536, 512, planes);
		test_rotated_errors(128, 128, 128, planes);
		test_rotated_errors(200, 200, 200, planes);
		test_rotated_errors(300, 300, 150, planes);
		test_rotated_errors(400, 200, 100, planes);
		for (int i = 0; i < LENGTHOF(rhos); i++)
		{
			test_cosine(128, planes, rhos[i]);
			test_cosine(385, planes, rhos[i]);
		}
	}
}

/* ---------- metrics ---------- */

/* What the operator says, from the user's vectors. */
static double
true_distance(DiskannMetric metric, const float *x, const float *q, int dims)
{
	double		xq = dot(x, q, dims);

	switch (metric)
	{
		case DISKANN_COSINE:
			return 1 - xq / sqrt(dot(x, x, dims) * dot(q, q, dims));
		case DISKANN_INNER_PRODUCT:
			return -xq;
		case DISKANN_L2:
			break;
	}
	return sqrt(distance2(x, q, dims));
}

/* How exact that must come out, for vectors of these squared lengths. */
static double
distance_slack(const DiskannSpace *space, double x2, double q2, double truth)
{
	switch (space->metric)
	{
		case DISKANN_COSINE:
			return 4e-6;
		case DISKANN_INNER_PRODUCT:
			return 4e-6 * sqrt(fmax(x2, space->max_norm2) * q2) *
				(1 + x2 / space->max_norm2);
		case DISKANN_L2:
			break;
	}
	return 4e-6 * (x2 + q2) / (truth + 1e-3 * sqrt(x2 + q2));
}

typedef struct SpaceBuffers
{
	float		signs[DISKANN_ROTATION_ROUNDS * MAX_DIMS];
	float		centre[MAX_DIMS];
	float		x[MAX_DIMS];
	float		q[MAX_DIMS];
	float		row[MAX_DIMS];
	float		query[MAX_DIMS];
} SpaceBuffers;

static void
make_space(DiskannSpace *space, SpaceBuffers *buffers, DiskannMetric metric,
		   int dims, int prefix, double scale)
{
	space->metric = metric;
	space->input_dims = dims;
	space->dims = diskann_space_dims(metric, dims);
	space->max_norm2 = (float) (1.2 * dims * scale * scale);
	diskann_rotation_init(&space->rotation, space->dims, prefix, 9,
						  buffers->signs);
	fill_gaussian(buffers->centre, space->dims,
				  0.3 * (metric == DISKANN_COSINE ? 1 / sqrt(dims) : scale));
	space->centre = buffers->centre;
}

/* The operator's distance, from a rank. */
static double
space_distance(const DiskannSpace *space, const DiskannSpaceQuery *query,
			   double dist2, float length2)
{
	double		rank = diskann_space_rank(space, query, dist2, length2);
	double		distance = space->metric == DISKANN_L2 ? sqrt(rank) : rank;

	check(near(diskann_space_rank_of(space, distance), rank,
			   1e-14 * fabs(rank)),
		  "metric %d: rank %g", space->metric, rank);
	return distance;
}

/* One row and one query, both given in the buffers' x and q. */
static void
check_distance(const DiskannSpace *space, SpaceBuffers *b, const char *what)
{
	int			dims = space->input_dims;
	double		x2 = dot(b->x, b->x, dims);
	double		q2 = dot(b->q, b->q, dims);
	double		truth = true_distance(space->metric, b->x, b->q, dims);
	DiskannSpaceQuery query;
	double		distance;
	double		norm2;
	float		length2;

	memcpy(b->row, b->x, sizeof(float) * dims);
	memcpy(b->query, b->q, sizeof(float) * dims);
	b->row[dims] = b->query[dims] = NAN;
	length2 = diskann_space_row(space, b->row);
	diskann_space_query(space, b->query, &query);
	distance = space_distance(space, &query,
							  distance2(b->row, b->query, space->dims),
							  length2);
	check(near(distance, truth, distance_slack(space, x2, q2, truth)),
		  "%s, metric %d, %d dims, prefix %d: distance %g, not %g", what,
		  space->metric, dims, space->rotation.prefix, distance, truth);

	/* The lengths that come with them. */
	norm2 = dot(b->query, b->query, space->dims);
	check(near(query.norm2, norm2, 1e-5 * norm2), "%s: norm2 of a query", what);
	norm2 = space->metric == DISKANN_COSINE ? 1 : x2;
	if (space->metric == DISKANN_INNER_PRODUCT)
		norm2 = fmax(x2, space->max_norm2);
	check(near(length2, norm2, 1e-5 * norm2), "%s: length of a row", what);

	/* Under inner product all rows are as long there. */
	if (space->metric == DISKANN_INNER_PRODUCT)
		norm2 = space->max_norm2;
	for (int i = 0; i < space->dims && space->centre != NULL; i++)
		b->row[i] += space->centre[i];
	check(near(dot(b->row, b->row, space->dims), norm2, 1e-5 * norm2),
		  "%s: length of a row before it was centred", what);
}

/* A row made a query is what the query for its vector is. */
static void
check_query_of_row(const DiskannSpace *space, SpaceBuffers *b)
{
	static float scratch[MAX_DIMS];
	int			dims = space->input_dims;
	DiskannSpaceQuery query;
	DiskannSpaceQuery of_row;
	double		far;

	memcpy(b->row, b->x, sizeof(float) * dims);
	memcpy(b->query, b->x, sizeof(float) * dims);
	diskann_space_row(space, b->row);
	diskann_space_query(space, b->query, &query);
	diskann_space_query_of_row(space, b->row, scratch, &of_row);
	far = distance2(b->row, b->query, space->dims);
	check(far < 1e-9 * query.length2,
		  "metric %d: a row as a query is %g off", space->metric, far);
	check(near(query.norm2, of_row.norm2, 1e-4 * query.length2) &&
		  near(query.length2, of_row.length2, 1e-4 * query.length2),
		  "metric %d: lengths of a row as a query", space->metric);
}

static void
test_space(DiskannMetric metric, int dims, int prefix, double scale)
{
	static SpaceBuffers b;
	DiskannSpace space;

	make_space(&space, &b, metric, dims, prefix, scale);
	fill_gaussian(b.x, dims, scale);
	fill_gaussian(b.q, dims, scale);
	check_distance(&space, &b, "random vectors");
	check_query_of_row(&space, &b);
	fill_gaussian(b.q, dims, 1e-3 * scale);
	check_distance(&space, &b, "a short query");
	fill_gaussian(b.q, dims, 1e3 * scale);
	check_distance(&space, &b, "a long query");
	for (int i = 0; i < dims; i++)
		b.q[i] = (float) (b.x[i] + 0.01 * scale * gaussian());
	check_distance(&space, &b, "near vectors");
	memcpy(b.q, b.x, sizeof(float) * dims);
	check_distance(&space, &b, "equal vectors");
	fill_gaussian(b.x, dims, 3 * scale);
	check_distance(&space, &b, "a long row");
	check_query_of_row(&space, &b);
	fill_gaussian(b.x, dims, scale);
	space.centre = NULL;
	check_distance(&space, &b, "no centre");
	check_query_of_row(&space, &b);
}

/* Queries without a direction, or next to none. */
static void
test_odd_queries(DiskannMetric metric)
{
	static SpaceBuffers b;
	DiskannSpace space;
	DiskannSpaceQuery query;
	double		distance;
	float		length2;

	make_space(&space, &b, metric, 20,
			   space.dims = diskann_space_dims(metric, 20), 1);
	fill_gaussian(b.row, 20, 1);
	length2 = diskann_space_row(&space, b.row);
	for (double scale = 0; scale <= 1; scale = scale == 0 ? 1e-22 : scale * 10)
	{
		bool		finite = true;

		fill_gaussian(b.query, 20, scale);
		diskann_space_query(&space, b.query, &query);
		for (int i = 0; i < space.dims; i++)
			finite &= isfinite(b.query[i]) != 0;
		distance = space_distance(&space, &query,
								  distance2(b.row, b.query, space.dims),
								  length2);
		check(finite && isfinite(distance) && isfinite(query.norm2) &&
			  isfinite(query.factor), "metric %d: query of scale %g", metric,
			  scale);
		check(scale > 0 || metric != DISKANN_INNER_PRODUCT ||
			  near(distance, 0, 1e-4), "inner product with zero: %g", distance);
	}
}

/* Distances increase with squared distances in index space. */
static void
test_monotone(DiskannMetric metric)
{
	DiskannSpace space = {.metric = metric, .dims = 5, .max_norm2 = 4};
	DiskannSpaceQuery query = {2, 4, 4};
	double		last = -INFINITY;

	for (double dist2 = 0; dist2 < 20; dist2 += 0.25)
	{
		double		distance = space_distance(&space, &query, dist2, 4);

		check(distance > last, "metric %d: order at %g", metric, dist2);
		last = distance;
	}
}

/* What is promised is no more than any row allowed has, but as much as one. */
static void
test_lower_bound(DiskannMetric metric)
{
	DiskannSpace space = {.metric = metric, .dims = 5, .max_norm2 = 4};
	DiskannSpaceQuery query = {2, 4, 4};

	for (double dist2 = 0; dist2 < 20; dist2 += 0.25)
	{
		double		bound = diskann_space_lower_bound(&space, &query, dist2, 9);
		double		least = INFINITY;

		for (float length2 = 4; length2 <= 9; length2 += 0.5f)
			least = fmin(least, diskann_space_rank(&space, &query, dist2,
												   length2));
		check(near(bound, least, 1e-6 * fabs(least)),
			  "metric %d: bound %g, not %g, at %g", metric, bound, least,
			  dist2);
	}
}

static void
test_metrics(void)
{
	static const int dims[] = {1, 2, 3, 5, 127, 128, 300, 768, 1536};
	static const DiskannMetric metrics[] = {DISKANN_L2, DISKANN_COSINE,
	DISKANN_INNER_PRODUCT};

	for (int m = 0; m < LENGTHOF(metrics); m++)
	{
		for (int i = 0; i < LENGTHOF(dims); i++)
		{
			int			all = diskann_space_dims(metrics[m], dims[i]);

			test_space(metrics[m], dims[i], all, 1);
			test_space(metrics[m], dims[i], (all + 1) / 2, 1);
			test_space(metrics[m], dims[i], all, 1e-6);
			test_space(metrics[m], dims[i], all, 1e6);
		}
		test_odd_queries(metrics[m]);
		test_monotone(metrics[m]);
		test_lower_bound(metrics[m]);
	}
}

int
main(void)
{
	for (int i = 0; diskann_kernels_available(i) != NULL; i++)
	{
		long		before = passed + failed;

		diskann_kernels_force(diskann_kernels_available(i)->name);
		random_state = 1;
		test_rotation();
		test_own_vectors();
		test_edge_codes();
		test_edge_estimates();
		test_metrics();
		printf("%s: %ld checks\n", diskann_kernels->name,
			   passed + failed - before);
	}
	test_edge_statistics();
	printf("%ld passed, %ld failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
