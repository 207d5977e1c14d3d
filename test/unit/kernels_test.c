/*-------------------------------------------------------------------------
 *
 * kernels_test.c
 *	  Every kernel table that runs here against an exact reference, against
 *	  the scalar table, and against the rules of kernels.h.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/kernels_test.c
 *
 *-------------------------------------------------------------------------
 */
#include "harness.h"
#include "kernels/half.h"

/* Lengths 0..MAX_SHORT are all tested, of the longer ones only a few. */
#define MAX_SHORT 1024
#define MAX_LENGTH 16000
#define MAX_I8_LENGTH 65536
#define MAX_FHT 16384

static const size_t long_lengths[] = {1280, 1536, 1999, 4097, MAX_LENGTH};

static bool
length_is_tested(size_t n)
{
	if (n <= MAX_SHORT)
		return true;
	for (size_t i = 0; i < LENGTHOF(long_lengths); i++)
	{
		if (long_lengths[i] == n)
			return true;
	}
	return false;
}

static Guarded guards[4];

static void
create_guards(void)
{
	for (size_t i = 0; i < LENGTHOF(guards); i++)
		guards[i] = guarded_create(MAX_LENGTH * sizeof(double) + 128);
}

/* ---------------------------------------------------------------------
 * Kernels of two vectors, seen through one signature
 * ---------------------------------------------------------------------
 */
typedef enum Type
{
	F32,
	F64,
	F16,
	I8
} Type;

static const size_t type_size[] = {4, 8, 2, 1};

typedef void (*RunFunction) (const DiskannKernels *k, const void *a,
							 const void *b, size_t n, double out[3]);

typedef enum Result
{
	L2SQ,
	DOT,
	COSINE
} Result;

typedef struct Kernel
{
	const char *name;
	Type		type_a;
	Type		type_b;
	Result		result;
	double		tolerance;		/* relative to the sum of absolute terms */
	RunFunction run;
} Kernel;

static void
run_l2sq_f32(const DiskannKernels *k, const void *a, const void *b, size_t n,
			 double out[3])
{
	out[0] = k->l2sq_f32(a, b, n);
}

static void
run_l2sq_f64(const DiskannKernels *k, const void *a, const void *b, size_t n,
			 double out[3])
{
	out[0] = k->l2sq_f64(a, b, n);
}

static void
run_dot_f32(const DiskannKernels *k, const void *a, const void *b, size_t n,
			double out[3])
{
	out[0] = k->dot_f32(a, b, n);
}

static void
run_dot_f64(const DiskannKernels *k, const void *a, const void *b, size_t n,
			double out[3])
{
	out[0] = k->dot_f64(a, b, n);
}

static void
run_cosine_f32(const DiskannKernels *k, const void *a, const void *b, size_t n,
			   double out[3])
{
	float		result[3];

	k->cosine_f32(a, b, n, result);
	for (int i = 0; i < 3; i++)
		out[i] = result[i];
}

static void
run_cosine_f64(const DiskannKernels *k, const void *a, const void *b, size_t n,
			   double out[3])
{
	k->cosine_f64(a, b, n, out);
}

static void
run_dot_f32_i8(const DiskannKernels *k, const void *a, const void *b, size_t n,
			   double out[3])
{
	out[0] = k->dot_f32_i8(a, b, n);
}

static void
run_dot_f32_f16(const DiskannKernels *k, const void *a, const void *b,
				size_t n, double out[3])
{
	out[0] = k->dot_f32_f16(a, b, n);
}

static void
run_dot_i8(const DiskannKernels *k, const void *a, const void *b, size_t n,
		   double out[3])
{
	out[0] = k->dot_i8(a, b, n);
}

/*
 * At 16000 equal terms, a table of 16 running sums adds 1000 to each, always
 * rounding the same way; hence the margin of the products.
 */
static const Kernel kernels[] = {
	{"l2sq_f32", F32, F32, L2SQ, 1e-5, run_l2sq_f32},
	{"l2sq_f64", F64, F64, L2SQ, 1e-12, run_l2sq_f64},
	{"dot_f32", F32, F32, DOT, 2e-5, run_dot_f32},
	{"dot_f64", F64, F64, DOT, 1e-12, run_dot_f64},
	{"cosine_f32", F32, F32, COSINE, 1e-5, run_cosine_f32},
	{"cosine_f64", F64, F64, COSINE, 1e-12, run_cosine_f64},
	{"dot_f32_i8", F32, I8, DOT, 2e-5, run_dot_f32_i8},
	{"dot_f32_f16", F32, F16, DOT, 2e-5, run_dot_f32_f16},
	{"dot_i8", I8, I8, DOT, 0.0, run_dot_i8},
};

static void
run_kernel(const DiskannKernels *k, const Kernel *kernel, const void *a,
		   const void *b, size_t n, double out[3])
{
	current_table = k->name;
	current_kernel = kernel->name;
	current_n = n;
	memset(out, 0, 3 * sizeof(double));
	kernel->run(k, a, b, n, out);
}

/* ---------------------------------------------------------------------
 * Data
 * ---------------------------------------------------------------------
 */
static double
clamp(double value, double limit)
{
	return value > limit ? limit : value < -limit ? -limit : value;
}

static void
put(Type type, void *array, size_t i, double value)
{
	if (type == F32)
		((float *) array)[i] = (float) value;
	else if (type == F64)
		((double *) array)[i] = value;
	else if (type == I8)
		((int8_t *) array)[i] = (int8_t) lrint(clamp(value, 127.0));
	else
		((uint16_t *) array)[i] =
			diskann_half_from_float((float) clamp(value, 65504.0));
}

static double
half_value(uint16_t h)
{
	int			exponent = (h >> 10) & 0x1f;
	int			mantissa = h & 0x3ff;
	double		value;

	if (exponent == 31)
		value = mantissa == 0 ? INFINITY : NAN;
	else if (exponent == 0)
		value = ldexp(mantissa, -24);
	else
		value = ldexp(mantissa + 1024, exponent - 25);
	return (h & 0x8000) != 0 ? -value : value;
}

static double
get(Type type, const void *array, size_t i)
{
	if (type == F32)
		return ((const float *) array)[i];
	if (type == F64)
		return ((const double *) array)[i];
	if (type == I8)
		return ((const int8_t *) array)[i];
	return half_value(((const uint16_t *) array)[i]);
}

static const char *const patterns[] = {
	"random", "identical", "opposite", "zero", "alternating", "1e6", "1e-6",
	"random 1e6", "mixed 1e6 and 1e-6", "corner", "opposite corner",
	"one", "last in pair only", "small halves"
};

/* Element i of both vectors. */
static void
pattern_values(size_t pattern, size_t i, double *a, double *b)
{
	const double sign = i % 2 == 0 ? 1.0 : -1.0;

	*a = 10.0 * random_normal();
	*b = 10.0 * random_normal();
	switch (pattern)
	{
		case 1:
			*b = *a;
			break;
		case 2:
			*b = -*a;
			break;
		case 3:
			*a = *b = 0.0;
			break;
		case 4:
			*a = sign;
			*b = -sign;
			break;
		case 5:
			*a = 1e6;
			*b = -1e6;
			break;
		case 6:
			*a = 1e-6;
			*b = -2e-6;
			break;
		case 7:
			*a *= 1e6;
			*b *= 1e6;
			break;
		case 8:
			*a = i % 2 == 0 ? 1e6 : 1e-6;
			*b = i % 3 == 0 ? 1e-6 : -1e6;
			break;
		case 9:
			*a = *b = 1e15;		/* 127 and 65504 in the narrow types */
			break;
		case 10:
			*a = 1e15;
			*b = -1e15;
			break;
		case 11:
			*a = *b = 1.0;
			break;
		case 12:
			*a = i % 2 == 0 ? 0.0 : 127.0;
			*b = i % 4 == 3 ? -127.0 : 126.0;
			break;
		case 13:
			*a = 1e3 * sign;
			*b = ldexp((double) (i % 64), -24); /* subnormal as half */
			break;
		default:
			break;
	}
}

static void
fill(size_t pattern, Type type_a, void *a, Type type_b, void *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		double		va;
		double		vb;

		pattern_values(pattern, i, &va, &vb);
		put(type_a, a, i, va);
		put(type_b, b, i, vb);
	}
}

/* ---------------------------------------------------------------------
 * Comparison with the exact result
 * ---------------------------------------------------------------------
 */
typedef struct Exact
{
	long double l2sq;
	long double ab;
	long double abs_ab;
	long double aa;
	long double bb;
} Exact;

static void
exact_add(Exact *e, long double a, long double b)
{
	e->l2sq += (a - b) * (a - b);
	e->ab += a * b;
	e->abs_ab += fabsl(a * b);
	e->aa += a * a;
	e->bb += b * b;
}

/* The cosine itself; more interesting than the three sums it is made of. */
static void
compare_cosine(const Kernel *kernel, const double got[3], const Exact *e)
{
	double		expected;

	if (e->aa <= 0 || e->bb <= 0)
		return;
	expected = (double) (e->ab / sqrtl(e->aa * e->bb));
	check_close(got[0] / sqrt(got[1] * got[2]), expected, kernel->tolerance,
				"cosine");
}

static void
compare_exact(const Kernel *kernel, const double got[3], const Exact *e,
			  const char *what)
{
	const double tolerance = kernel->tolerance;

	if (kernel->result == L2SQ)
	{
		check_close(got[0], (double) e->l2sq, tolerance * (double) e->l2sq,
					what);
		return;
	}
	check_close(got[0], (double) e->ab, tolerance * (double) e->abs_ab, what);
	if (kernel->result == COSINE)
	{
		check_close(got[1], (double) e->aa, tolerance * (double) e->aa, what);
		check_close(got[2], (double) e->bb, tolerance * (double) e->bb, what);
		compare_cosine(kernel, got, e);
	}
}

static void
compare_scalar(const Kernel *kernel, const double got[3], const void *a,
			   const void *b, size_t n, const Exact *e)
{
	double		scalar[3];
	double		scale = (double) (kernel->result == L2SQ ? e->l2sq : e->abs_ab);

	/* not by run_kernel(), as a failure is that of the table under test */
	kernel->run(&diskann_kernels_scalar, a, b, n, scalar);
	check_close(got[0], scalar[0], 2 * kernel->tolerance * scale,
				"differs from scalar");
}

static void
test_values(const DiskannKernels *k, const Kernel *kernel, size_t pattern,
			const void *a, const void *b)
{
	Exact		e;

	memset(&e, 0, sizeof(e));
	for (size_t n = 0; n <= MAX_LENGTH; n++)
	{
		double		got[3];

		if (n > 0)
			exact_add(&e, get(kernel->type_a, a, n - 1),
					  get(kernel->type_b, b, n - 1));
		if (!length_is_tested(n))
			continue;
		run_kernel(k, kernel, a, b, n, got);
		compare_exact(kernel, got, &e, patterns[pattern]);
		compare_scalar(kernel, got, a, b, n, &e);
	}
}

/* ---------------------------------------------------------------------
 * Placement: guard pages and alignment must not change a single bit
 * ---------------------------------------------------------------------
 */
static void
test_guarded(const DiskannKernels *k, const Kernel *kernel, const void *a,
			 const void *b, bool at_end)
{
	for (size_t n = 0; n <= MAX_LENGTH; n++)
	{
		double		aligned[3];
		double		guarded[3];
		void	   *ga;
		void	   *gb;

		if (!length_is_tested(n))
			continue;
		ga = guarded_copy(&guards[0], at_end, a,
						  n * type_size[kernel->type_a]);
		gb = guarded_copy(&guards[1], at_end, b,
						  n * type_size[kernel->type_b]);
		run_kernel(k, kernel, a, b, n, aligned);
		run_kernel(k, kernel, ga, gb, n, guarded);
		check(memcmp(aligned, guarded, sizeof(aligned)) == 0,
			  "other bits next to a guard page");
	}
}

/* The smallest step by which a vector of this type may be misplaced. */
static size_t
alignment_step(Type type)
{
	return type == F16 ? 1 : type_size[type];
}

static void
test_unaligned_length(const DiskannKernels *k, const Kernel *kernel,
					  const void *a, const void *b, size_t n)
{
	double		aligned[3];
	double		unaligned[3];

	run_kernel(k, kernel, a, b, n, aligned);
	for (size_t step = 1; step < 16; step++)
	{
		size_t		sa = step * alignment_step(kernel->type_a);
		size_t		sb = (16 - step) * alignment_step(kernel->type_b);
		char	   *ua = guards[0].start + sa;
		char	   *ub = guards[1].start + sb;

		memcpy(ua, a, n * type_size[kernel->type_a]);
		memcpy(ub, b, n * type_size[kernel->type_b]);
		run_kernel(k, kernel, ua, b, n, unaligned);
		check(memcmp(aligned, unaligned, sizeof(aligned)) == 0,
			  "other bits with an unaligned first vector");
		run_kernel(k, kernel, ua, ub, n, unaligned);
		check(memcmp(aligned, unaligned, sizeof(aligned)) == 0,
			  "other bits with unaligned vectors");
	}
}

static void
test_unaligned(const DiskannKernels *k, const Kernel *kernel, const void *a,
			   const void *b)
{
	for (size_t n = 0; n <= MAX_LENGTH; n++)
	{
		if (n <= 300 || (n > MAX_SHORT && length_is_tested(n)))
			test_unaligned_length(k, kernel, a, b, n);
	}
}

/* NaN and infinity may give anything, but must not trap. */
static void
test_not_finite(const DiskannKernels *k, const Kernel *kernel, void *a,
				void *b)
{
	double		out[3];

	if (kernel->type_a == I8)
		return;
	put(kernel->type_a, a, 3, NAN);
	put(kernel->type_a, a, 70, INFINITY);
	if (kernel->type_b != I8)
		put(kernel->type_b, b, 5, -INFINITY);
	run_kernel(k, kernel, a, b, 100, out);
	check(isnan(out[0]), "NaN got lost");
}

static void
test_kernel(const DiskannKernels *k, const Kernel *kernel)
{
	void	   *a = aligned_alloc(64, MAX_LENGTH * sizeof(double));
	void	   *b = aligned_alloc(64, MAX_LENGTH * sizeof(double));

	for (size_t p = 0; p < LENGTHOF(patterns); p++)
	{
		fill(p, kernel->type_a, a, kernel->type_b, b, MAX_LENGTH);
		test_values(k, kernel, p, a, b);
	}
	fill(0, kernel->type_a, a, kernel->type_b, b, MAX_LENGTH);
	test_guarded(k, kernel, a, b, true);
	test_guarded(k, kernel, a, b, false);
	test_unaligned(k, kernel, a, b);
	test_not_finite(k, kernel, a, b);
	free(a);
	free(b);
}

/* Largest sums at the longest length promised. */
static void
test_i8_limit(const DiskannKernels *k)
{
	int8_t	   *a = malloc(MAX_I8_LENGTH);
	int8_t	   *b = malloc(MAX_I8_LENGTH);

	current_kernel = "dot_i8";
	current_n = MAX_I8_LENGTH;
	memset(a, 127, MAX_I8_LENGTH);
	memset(b, 127, MAX_I8_LENGTH);
	check(k->dot_i8(a, b, MAX_I8_LENGTH) == 127 * 127 * MAX_I8_LENGTH,
		  "127 * 127");
	memset(b, -127, MAX_I8_LENGTH);
	check(k->dot_i8(a, b, MAX_I8_LENGTH) == -127 * 127 * MAX_I8_LENGTH,
		  "127 * -127");
	memset(a, -127, MAX_I8_LENGTH);
	check(k->dot_i8(a, b, MAX_I8_LENGTH) == 127 * 127 * MAX_I8_LENGTH,
		  "-127 * -127");
	free(a);
	free(b);
}

/* ---------------------------------------------------------------------
 * Walsh-Hadamard transform
 * ---------------------------------------------------------------------
 */
static double
norm(const float *x, size_t n)
{
	double		sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * x[i];
	return sqrt(sum);
}

static double
fht_definition(const float *x, size_t n, size_t row)
{
	double		sum = 0.0;

	for (size_t i = 0; i < n; i++)
	{
		bool		odd = __builtin_parityll(row & i);

		sum += odd ? -x[i] : x[i];
	}
	return sum / sqrt((double) n);
}

/* All rows of a short transform, a selection of a long one. */
static void
compare_fht(const float *x, const float *y, size_t n)
{
	const double tolerance = 1e-6 * norm(x, n);
	const size_t stride = n <= 1024 ? 1 : 2 * (n / 512) - 1;

	for (size_t row = 0; row < n; row += stride)
		check_close(y[row], fht_definition(x, n, row), tolerance, "value");
}

static void
test_fht_placement(const DiskannKernels *k, const float *x, const float *y,
				   size_t n)
{
	const size_t size = n * sizeof(float);
	float	   *p;

	p = guarded_copy(&guards[0], true, x, size);
	k->fht_f32(p, n);
	check(memcmp(p, y, size) == 0, "other bits before a guard page");
	p = guarded_copy(&guards[0], false, x, size);
	k->fht_f32(p, n);
	check(memcmp(p, y, size) == 0, "other bits behind a guard page");
	p = (float *) guards[0].start + 1;
	memcpy(p, x, size);
	k->fht_f32(p, n);
	check(memcmp(p, y, size) == 0, "other bits when unaligned");
}

static void
test_fht_length(const DiskannKernels *k, size_t n)
{
	float	   *x = aligned_alloc(64, MAX_FHT * sizeof(float));
	float	   *y = aligned_alloc(64, MAX_FHT * sizeof(float));

	current_n = n;
	for (size_t i = 0; i < n; i++)
		x[i] = (float) (10.0 * random_normal());
	memcpy(y, x, n * sizeof(float));
	k->fht_f32(y, n);
	compare_fht(x, y, n);
	check_close(norm(y, n), norm(x, n), 1e-6 * norm(x, n), "norm");
	test_fht_placement(k, x, y, n);

	k->fht_f32(y, n);
	for (size_t i = 0; i < n; i++)
		check_close(y[i], x[i], 1e-6 * norm(x, n), "not its own inverse");
	free(x);
	free(y);
}

static void
test_fht(const DiskannKernels *k)
{
	current_kernel = "fht_f32";
	for (size_t n = 1; n <= MAX_FHT; n *= 2)
		test_fht_length(k, n);
	current_n = 0;
	k->fht_f32((float *) (guards[0].start + guards[0].size), 0);
}

/* ---------------------------------------------------------------------
 * FastScan
 * ---------------------------------------------------------------------
 */
#define MAX_SCAN_BYTES (DISKANN_MAX_GROUPS * DISKANN_GROUP_BYTES)

/* Plain reading of the comment on diskann_scan_cell() in kernels.h. */
static uint8_t
scan_code(const uint8_t *codes, size_t ngroups, int edge, size_t group)
{
	size_t		pair = group / 8;
	bool		single = ngroups - 8 * pair == 4;
	size_t		tile = single ? 0 : group % 2;
	size_t		nibble = single ? group % 4 : group % 8 / 2;
	const uint8_t *eight = codes + 128 * pair + (single ? 16 : 32) * (edge / 8);
	uint8_t		byte = eight[16 * tile + 2 * (edge % 8) + nibble / 2];

	return nibble % 2 == 0 ? byte % 16 : byte / 16;
}

static unsigned int
scan_edge(const uint8_t *codes, const uint8_t *lut, size_t ngroups, int edge)
{
	unsigned int sum = 0;

	for (size_t g = 0; g < ngroups; g++)
		sum += lut[g * 16 + scan_code(codes, ngroups, edge, g)];
	return sum;
}

/* The same with all operands next to a guard page. */
static void
test_scan_placement(const DiskannKernels *k, const uint8_t *codes,
					const uint8_t *lut, size_t ngroups,
					const uint16_t *expected)
{
	const size_t size = ngroups * DISKANN_GROUP_BYTES;
	const size_t out_size = DISKANN_EDGE_BLOCK * sizeof(uint16_t);

	for (int at_end = 0; at_end <= 1; at_end++)
	{
		uint8_t    *c = guarded_copy(&guards[0], at_end, codes, size);
		uint8_t    *l = guarded_copy(&guards[1], at_end, lut, size);
		uint16_t   *out = guarded_copy(&guards[2], at_end, expected, out_size);

		memset(out, 0xaa, out_size);
		k->fastscan32(c, l, ngroups, out);
		check(memcmp(out, expected, out_size) == 0, "next to a guard page");
	}
}

static void
test_scan_groups(const DiskannKernels *k, const uint8_t *codes,
				 const uint8_t *lut, size_t ngroups, const char *what)
{
	uint16_t	out[DISKANN_EDGE_BLOCK];
	uint8_t    *unaligned = (uint8_t *) guards[0].start + 1;
	uint16_t	again[DISKANN_EDGE_BLOCK];

	current_n = ngroups;
	memset(out, 0xaa, sizeof(out));
	k->fastscan32(codes, lut, ngroups, out);
	for (int j = 0; j < DISKANN_EDGE_BLOCK; j++)
		check(out[j] == scan_edge(codes, lut, ngroups, j), what);
	memcpy(unaligned, codes, ngroups * DISKANN_GROUP_BYTES);
	k->fastscan32(unaligned, lut, ngroups, again);
	check(memcmp(out, again, sizeof(out)) == 0, "unaligned codes");
	test_scan_placement(k, codes, lut, ngroups, out);
}

static void
test_fastscan(const DiskannKernels *k)
{
	static uint8_t codes[MAX_SCAN_BYTES];
	static uint8_t lut[MAX_SCAN_BYTES];
	static uint8_t full[MAX_SCAN_BYTES];

	current_kernel = "fastscan32";
	memset(full, 255, sizeof(full));
	for (size_t g = 0; g <= DISKANN_MAX_GROUPS; g += DISKANN_TILE)
	{
		random_bytes(codes, sizeof(codes));
		random_bytes(lut, sizeof(lut));
		test_scan_groups(k, codes, lut, g, "random tables");
		test_scan_groups(k, codes, full, g, "tables of 255");
	}
}

/* ---------------------------------------------------------------------
 * Estimates
 * ---------------------------------------------------------------------
 */
typedef struct Block
{
	uint16_t	hi[DISKANN_EDGE_BLOCK];
	uint16_t	lo[DISKANN_EDGE_BLOCK];
	float		f_add[DISKANN_EDGE_BLOCK];
	uint16_t	f_rescale[DISKANN_EDGE_BLOCK];
	DiskannEstimateFactors factors;
} Block;

static void
random_block(Block *b, bool full)
{
	for (int j = 0; j < DISKANN_EDGE_BLOCK; j++)
	{
		b->hi[j] = full ? 65280 : (uint16_t) (random_bits() % 65281);
		b->lo[j] = full ? 65280 : (uint16_t) (random_bits() % 65281);
		b->f_add[j] = (float) (100.0 * random_normal());
		b->f_rescale[j] = diskann_half_from_float((float) random_normal());
	}
	b->factors.base = (float) (100.0 * random_uniform());
	b->factors.step = (float) (1e-2 * random_uniform());
	b->factors.offset = (float) (10.0 * random_normal());
	b->factors.scale = (float) random_normal();
}

static void
compare_estimates(const Block *b, bool with_lo, const float *out)
{
	for (int j = 0; j < DISKANN_EDGE_BLOCK; j++)
	{
		const DiskannEstimateFactors *f = &b->factors;
		double		sum = b->hi[j] + (with_lo ? 0.5 * b->lo[j] : 0.0);
		double		factor = f->scale * half_value(b->f_rescale[j]);
		double		magnitude;

		magnitude = fabs(f->base) + fabs(b->f_add[j]) +
			fabs(factor) * (f->step * sum + fabs(f->offset));
		check_close(out[j],
					f->base + b->f_add[j] +
					factor * (f->step * sum + f->offset),
					1e-6 * magnitude,
					with_lo ? "both planes" : "one plane");
	}
}

static void
test_estimate_block(const DiskannKernels *k, const Block *b, bool with_lo)
{
	const size_t size = sizeof(b->hi);
	float		out[DISKANN_EDGE_BLOCK];

	k->estimate32(b->hi, with_lo ? b->lo : NULL, b->f_add, b->f_rescale,
				  &b->factors, out);
	compare_estimates(b, with_lo, out);

	for (int place = 0; place <= 2; place++)
	{
		bool		at_end = place == 1;
		uint16_t   *hi = guarded_copy(&guards[0], at_end, b->hi, size);
		uint16_t   *lo = guarded_copy(&guards[1], at_end, b->lo, size);
		char	   *add = guarded_copy(&guards[2], at_end, b->f_add, 2 * size);
		char	   *rescale = guarded_copy(&guards[3], at_end, b->f_rescale,
										   size);
		float		again[DISKANN_EDGE_BLOCK];

		if (place == 2)
		{
			add = memmove(add + 3, add, 2 * size);
			rescale = memmove(rescale + 1, rescale, size);
		}
		k->estimate32(hi, with_lo ? lo : NULL, add, rescale, &b->factors,
					  again);
		check(memcmp(out, again, sizeof(out)) == 0, "other bits elsewhere");
	}
}

static void
test_estimate_output(const DiskannKernels *k, const Block *b)
{
	for (int at_end = 0; at_end <= 1; at_end++)
	{
		float	   *out = guarded_copy(&guards[0], at_end, b->f_add,
									   sizeof(b->f_add));

		k->estimate32(b->hi, b->lo, b->f_add, b->f_rescale, &b->factors, out);
		compare_estimates(b, true, out);
	}
}

static void
test_estimate(const DiskannKernels *k)
{
	Block		b;

	current_kernel = "estimate32";
	current_n = DISKANN_EDGE_BLOCK;
	for (int round = 0; round < 200; round++)
	{
		random_block(&b, round % 10 == 0);
		test_estimate_block(k, &b, false);
		test_estimate_block(k, &b, true);
		test_estimate_output(k, &b);
	}
}

/* ---------------------------------------------------------------------
 * Half floats
 * ---------------------------------------------------------------------
 */
static uint32_t
float_bits(float f)
{
	uint32_t	bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static float
float_from_bits(uint32_t bits)
{
	float		f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static bool
half_is_nan(uint16_t h)
{
	return (h & 0x7fff) > 0x7c00;
}

static void
test_half_round_trip(void)
{
	for (uint32_t h = 0; h <= 0xffff; h++)
	{
		float		f = diskann_half_to_float((uint16_t) h);

		current_n = h;
		check(diskann_half_from_float(f) == h, "round trip");
		if (half_is_nan((uint16_t) h))
			check(isnan(f), "NaN");
		else
			check(f == half_value((uint16_t) h) &&
				  (signbit(f) != 0) == (h >= 0x8000), "value");
	}
}

/* What lies between h and the next larger magnitude. */
static void
test_half_between(uint16_t h)
{
	double		next = h == 0x7bff ? 65536.0 : half_value(h + 1);
	float		middle = (float) ((half_value(h) + next) / 2);
	uint16_t	even = h % 2 == 0 ? h : h + 1;

	current_n = h;
	check(diskann_half_from_float(middle) == even, "tie to even");
	check(diskann_half_from_float(-middle) == (0x8000 | even),
		  "negative tie to even");
	check(diskann_half_from_float(nextafterf(middle, 0.0f)) == h,
		  "below the middle");
	check(diskann_half_from_float(nextafterf(middle, INFINITY)) == h + 1,
		  "above the middle");
}

static void
test_half_rounding(void)
{
	for (uint16_t h = 0; h < 0x7c00; h++)
		test_half_between(h);
	current_n = 0;
	check(diskann_half_from_float(FLT_MAX) == 0x7c00, "FLT_MAX");
	check(diskann_half_from_float(-FLT_MAX) == 0xfc00, "-FLT_MAX");
	check(diskann_half_from_float(FLT_TRUE_MIN) == 0, "smallest float");
	check(diskann_half_from_float(-FLT_TRUE_MIN) == 0x8000,
		  "smallest negative float");
}

/* Patterns of random bits, with the compiler's type as judge if it has one. */
static void
test_half_random(void)
{
	for (int i = 0; i < 1000000; i++)
	{
		uint32_t	bits = (uint32_t) (random_bits() >> 32);
		float		f;
		uint16_t	h;

		/* half of them in the range in which something happens */
		if (i % 2 == 0)
			bits = (bits & 0x80ffffff) + 0x32000000 +
				((bits & 0x1f000000) >> 1);
		f = float_from_bits(bits);
		h = diskann_half_from_float(f);
		current_n = float_bits(f);
		if (isnan(f))
			check(half_is_nan(h) && (h >> 15) == (bits >> 31), "NaN, sign");
#ifdef __FLT16_MAX__
		else
		{
			_Float16	native = (_Float16) f;
			uint16_t	expected;

			memcpy(&expected, &native, sizeof(expected));
			check(h == expected, "differs from _Float16");
		}
#endif
	}
}

static void
test_half(void)
{
	current_table = "half float";
	current_kernel = "conversion";
	test_half_round_trip();
	test_half_rounding();
	test_half_random();
}

/* ---------------------------------------------------------------------
 * Choice of the table
 * ---------------------------------------------------------------------
 */
static int
count_tables(void)
{
	int			n = 0;

	while (diskann_kernels_available(n) != NULL)
		n++;
	return n;
}

static void
test_unknown_names(void)
{
	static const char *const unknown[] = {
		"", "avx", "AVX2", "avx2 ", "avx5122", "sse", "automatic"
	};
	const DiskannKernels *before = diskann_kernels;

	for (size_t i = 0; i < LENGTHOF(unknown); i++)
		check(!diskann_kernels_force(unknown[i]), "unknown name accepted");
#if defined(__x86_64__)
	check(!diskann_kernels_force("neon"), "foreign name accepted");
#elif defined(__aarch64__)
	check(!diskann_kernels_force("avx2"), "foreign name accepted");
	check(!diskann_kernels_force("avx512"), "foreign name accepted");
#endif
	check(diskann_kernels == before, "table changed by an unknown name");
}

static void
test_choice(void)
{
	int			ntables = count_tables();
	const DiskannKernels *best = diskann_kernels_available(ntables - 1);

	current_table = "choice";
	current_kernel = "of a table";
	check(ntables >= 1, "no table");
	check(diskann_kernels_available(0) == &diskann_kernels_scalar,
		  "scalar is not first");
	check(diskann_kernels_available(-1) == NULL, "table -1");
	check(diskann_kernels_available(ntables + 1) == NULL, "table past last");
	check(diskann_kernels == best, "the best is not in use at start");
	for (int i = 0; i < ntables; i++)
	{
		const DiskannKernels *k = diskann_kernels_available(i);

		check(diskann_kernels_force(k->name), "known name refused");
		check(diskann_kernels == k, "wrong table");
		test_unknown_names();
	}
	check(diskann_kernels_force("auto"), "auto refused");
	check(diskann_kernels == best, "auto is not the best");
}

static void
test_table(const DiskannKernels *k)
{
	long		before = passed + failed;

	printf("%s: ", k->name);
	fflush(stdout);
	current_table = k->name;
	for (size_t i = 0; i < LENGTHOF(kernels); i++)
		test_kernel(k, &kernels[i]);
	current_table = k->name;
	test_i8_limit(k);
	test_fht(k);
	test_fastscan(k);
	test_estimate(k);
	printf("%ld checks\n", passed + failed - before);
}

int
main(void)
{
	catch_faults();
	create_guards();
	test_choice();
	test_half();
	for (int i = 0; diskann_kernels_available(i) != NULL; i++)
		test_table(diskann_kernels_available(i));
	return report();
}
