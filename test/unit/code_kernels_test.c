/*-------------------------------------------------------------------------
 *
 * code_kernels_test.c
 *	  Kernels that work on codes while edges are chosen and written, with
 *	  every table that runs here, against plain arithmetic.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/code_kernels_test.c
 *
 *-------------------------------------------------------------------------
 */
#include "harness.h"
#include "kernels/half.h"

/* Lengths around those of registers, and some usual ones. */
static const size_t lengths[] = {
	0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128,
	129, 384, 601, 784, 1279
};

#define MAX_DIMS 1280

static Guarded guards[5];

/* Bytes of memory that ends where the process must not read or write. */
static void *
at_edge(int guard, size_t size)
{
	return guards[guard].start + guards[guard].size - size;
}

static void
random_codes(int8_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (int8_t) (random_bits() % 255 - 127);
}

/* Four dot products at a time against plain sums. */
static void
test_dot4(const DiskannKernels *k)
{
	current_kernel = "dot4_i8";
	for (size_t t = 0; t < LENGTHOF(lengths); t++)
	{
		size_t		n = lengths[t];
		int8_t	   *a = at_edge(0, n);
		const int8_t *others[4];
		int32_t		out[4];

		current_n = n;
		random_codes(a, n);
		for (int i = 0; i < 4; i++)
		{
			int8_t	   *b = at_edge(i + 1, n);

			random_codes(b, n);
			if (t % 5 == 0)
				memset(b, i % 2 ? 127 : -127, n);
			others[i] = b;
		}
		k->dot4_i8(a, others, n, out);
		for (int i = 0; i < 4; i++)
		{
			int32_t		sum = 0;

			for (size_t d = 0; d < n; d++)
				sum += a[d] * others[i][d];
			check(out[i] == sum, "sum");
		}
	}
}

/* Decoding is one multiplication, so that it is exact to the bit. */
static void
test_decode(const DiskannKernels *k)
{
	const float scale = 0.37f;

	for (size_t t = 0; t < LENGTHOF(lengths); t++)
	{
		size_t		n = lengths[t];
		int8_t	   *codes = at_edge(0, n);
		char	   *halves = at_edge(1, 2 * n);
		float	   *out = at_edge(2, 4 * n);
		bool		good = true;

		current_n = n;
		current_kernel = "decode_i8";
		random_codes(codes, n);
		k->decode_i8(codes, scale, n, out);
		for (size_t i = 0; i < n; i++)
			good = good && out[i] == scale * codes[i];
		check(good, "values");

		current_kernel = "decode_f16";
		for (size_t i = 0; i < n; i++)
		{
			/* Every exponent but that of infinity; subnormal numbers, too. */
			uint16_t	h = (uint16_t) (random_bits() & 0xFFFF);

			if ((h & 0x7C00) == 0x7C00)
				h ^= 0x4000;
			memcpy(halves + 2 * i, &h, 2);
		}
		k->decode_f16(halves, scale, n, out);
		good = true;
		for (size_t i = 0; i < n; i++)
		{
			uint16_t	h;

			memcpy(&h, halves + 2 * i, 2);
			good = good && out[i] == scale * diskann_half_to_float(h);
		}
		check(good, "values");
	}
}

/* The code of an edge, one plane or two, against its definition. */
static void
test_encode_edge_length(const DiskannKernels *k, size_t n, bool two)
{
	size_t		groups = (n + 3) / 4;
	float	   *node = at_edge(0, 4 * n);
	float	   *neighbour = at_edge(1, 4 * n);
	uint8_t    *hi = at_edge(2, groups);
	uint8_t    *lo = two ? at_edge(3, groups) : NULL;
	const float threshold = 0.9f;
	float		out[2];
	double		sum[2] = {0, 0};
	double		terms[2] = {0, 0};
	bool		good = true;

	for (size_t i = 0; i < n; i++)
	{
		node[i] = (float) random_normal();
		/* Now and then no difference, which counts as plus. */
		neighbour[i] = i % 11 == 3 ? node[i] : (float) random_normal();
	}
	memset(hi, 0xAA, groups);
	if (two)
		memset(lo, 0xAA, groups);
	k->encode_edge(node, neighbour, n, threshold, hi, lo, out);
	for (size_t i = 0; i < 4 * groups; i++)
	{
		int			high = hi[i / 4] >> (i % 4) & 1;
		int			low = two ? lo[i / 4] >> (i % 4) & 1 : 0;
		float		r = i < n ? neighbour[i] - node[i] : 0;
		double		u = 2 * high - 1 + (two ? 0.5 * (2 * low - 1) : 0);

		if (i >= n)
		{
			good = good && high == 0 && low == 0;
			continue;
		}
		good = good && high == (r >= 0);
		if (two)
			good = good && fabs(u) == (fabsf(r) > threshold ? 1.5 : 0.5);
		sum[0] += u * r;
		sum[1] += u * node[i];
		terms[0] += fabs(u * r);
		terms[1] += fabs(u * node[i]);
	}
	for (size_t g = 0; g < groups; g++)
		good = good && hi[g] < 16 && (!two || lo[g] < 16);
	check(good, "bits");
	check_close(out[0], sum[0], 1e-6 * terms[0], "<u, r>");
	check_close(out[1], sum[1], 1e-6 * terms[1], "<u, node>");
}

static void
test_encode_edge(const DiskannKernels *k)
{
	current_kernel = "encode_edge";
	for (size_t t = 0; t < LENGTHOF(lengths); t++)
	{
		current_n = lengths[t];
		test_encode_edge_length(k, lengths[t], false);
		test_encode_edge_length(k, lengths[t], true);
	}
}

/* Panels against plain sums, rows and panels of several numbers and lengths. */
static void
test_i8_panels(const DiskannKernels *k)
{
	enum
	{
		MAX_ROWS = 37,
		MAX_PANELS = 7,
		MAX_PANEL_GROUPS = 321
	};
	static const size_t groups[] = {1, 2, 7, 32, MAX_PANEL_GROUPS, 16, 40};
	const size_t stride = 4 * MAX_PANEL_GROUPS + 3;
	const size_t out_stride = MAX_PANELS * DISKANN_PANEL + 5;
	int8_t	   *rows = malloc(MAX_ROWS * stride);
	int8_t	   *panels = malloc((size_t) MAX_PANELS * MAX_PANEL_GROUPS *
								DISKANN_PANEL_GROUP);
	int32_t    *out = malloc(MAX_ROWS * out_stride * sizeof(int32_t));

	current_kernel = "dot_i8_panels";
	for (size_t t = 0; t < LENGTHOF(groups); t++)
	{
		size_t		ngroups = groups[t];
		size_t		npanels = 1 + t;
		size_t		nrows = t == 0 ? 1 : MAX_ROWS - t;
		bool		good = true;

		current_n = ngroups;
		for (size_t i = 0; i < MAX_ROWS * stride; i++)
			rows[i] = t == 3 ? -127 : (int8_t) (random_bits() % 255 - 127);
		for (size_t i = 0; i < npanels * ngroups * DISKANN_PANEL_GROUP; i++)
			panels[i] = t == 3 ? 127 : (int8_t) (random_bits() % 255 - 127);
		k->dot_i8_panels(rows, nrows, stride, panels, npanels, ngroups, out,
						 out_stride);
		for (size_t r = 0; r < nrows; r++)
		{
			for (size_t c = 0; c < npanels * DISKANN_PANEL; c++)
			{
				const int8_t *x = panels + c / DISKANN_PANEL * ngroups *
					DISKANN_PANEL_GROUP + c % DISKANN_PANEL * 4;
				int32_t		sum = 0;

				for (size_t i = 0; i < 4 * ngroups; i++)
					sum += rows[r * stride + i] *
						x[i / 4 * DISKANN_PANEL_GROUP + i % 4];
				good = good && out[r * out_stride + c] == sum;
			}
		}
		check(good, "sums");
	}
	free(rows);
	free(panels);
	free(out);
}

static float
tagged(float x, uint32_t tag)
{
	uint32_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	bits = bits / 1024 * 1024 + tag;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

static int
compare_floats(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return (x > y) - (x < y);
}

/* Distances from dots, as they are in place, against the formula. */
static void
test_distances(const DiskannKernels *k)
{
	current_kernel = "l2sq_of_dots";
	for (size_t t = 0; t < LENGTHOF(lengths); t++)
	{
		size_t		n = lengths[t];
		float	   *scales = at_edge(0, 4 * n);
		float	   *norms2 = at_edge(1, 4 * n);
		char	   *dots = at_edge(2, 4 * n);
		int32_t    *before = malloc(4 * n + 4);

		current_n = n;
		for (size_t i = 0; i < n; i++)
		{
			scales[i] = (float) random_uniform();
			norms2[i] = (float) (1e5 * random_uniform());
			before[i] = (int32_t) (random_bits() % 200001) - 100000;
		}
		memcpy(dots, before, 4 * n);
		k->l2sq_of_dots(dots, n, 0.5f, 7.0f, scales, norms2);
		for (size_t i = 0; i < n; i++)
		{
			double		product = 2 * 0.5 * scales[i] * before[i];
			double		expected = 7.0 + norms2[i] - product;
			float		got;

			memcpy(&got, dots + 4 * i, 4);
			check_close(got, expected > 0 ? expected : 0,
						1e-6 * (7.0 + norms2[i] + fabs(product)), "distance");
		}
		free(before);
	}
}

/* The least keys of each column against sorting them all. */
static void
test_keep_least(const DiskannKernels *k)
{
	enum
	{
		NROWS = 50,
		NCOLUMNS = 3 * DISKANN_PANEL
	};
	static float keys[NROWS][NCOLUMNS];
	static const size_t counts[] = {1, 6, 50};

	current_kernel = "keep_least";
	for (int t = 0; t < 3; t++)
	{
		size_t		n = counts[t];
		float	   *least = malloc(n * NCOLUMNS * sizeof(float));
		bool		good = true;

		current_n = n;
		for (size_t i = 0; i < n * NCOLUMNS; i++)
			least[i] = FLT_MAX;
		for (int r = 0; r < NROWS; r++)
		{
			for (int c = 0; c < NCOLUMNS; c++)
				keys[r][c] = (float) (random_bits() % 40) + 0.3f;
			k->keep_least(least, n, keys[r], (uint32_t) r,
						  NCOLUMNS / DISKANN_PANEL);
		}
		for (int c = 0; c < NCOLUMNS; c++)
		{
			float		column[NROWS];

			for (int r = 0; r < NROWS; r++)
				column[r] = tagged(keys[r][c], (uint32_t) r);
			qsort(column, NROWS, sizeof(float), compare_floats);
			for (size_t i = 0; i < n; i++)
				good = good && column[i] ==
					least[(c / DISKANN_PANEL * n + i) * DISKANN_PANEL +
						  c % DISKANN_PANEL];
		}
		check(good, "least keys");
		free(least);
	}
}

int
main(void)
{
	catch_faults();
	for (size_t i = 0; i < LENGTHOF(guards); i++)
		guards[i] = guarded_create(sizeof(float) * MAX_DIMS);
	for (int i = 0; diskann_kernels_available(i) != NULL; i++)
	{
		const DiskannKernels *k = diskann_kernels_available(i);
		long		before = passed + failed;

		printf("%s: ", k->name);
		fflush(stdout);
		current_table = k->name;
		test_dot4(k);
		test_decode(k);
		test_encode_edge(k);
		test_i8_panels(k);
		test_distances(k);
		test_keep_least(k);
		printf("%ld checks\n", passed + failed - before);
	}
	return report();
}
