/*-------------------------------------------------------------------------
 *
 * avx2.c
 *	  Kernels for x86-64 with AVX2, FMA and F16C.
 *
 * Each function names its instruction set itself, so that the file needs no
 * compiler options of its own.  Floating point kernels keep four independent
 * sums per result, because an FMA takes four cycles and two can start in each.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/avx2.c
 *
 *-------------------------------------------------------------------------
 */
#include "kernels/kernels_internal.h"

#ifdef DISKANN_KERNELS_X86

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))

/* The sums must stay in registers, so this is no matter of taste. */
#define INLINE TARGET __attribute__((always_inline)) static inline

/* Loading 8 (4) words from 8 - k (4 - k) on gives a mask of k elements. */
static const int32_t mask32[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
static const int64_t mask64[8] = {-1, -1, -1, -1};

/* The first k (0..7) floats of p, then zeros; a masked element is not read. */
INLINE __m256
load_ps(const float *p, size_t k)
{
	const int32_t *mask = mask32 + 8 - k;

	return _mm256_maskload_ps(p, _mm256_loadu_si256((const __m256i *) mask));
}

/* The first k (0..3) doubles of p, then zeros. */
INLINE __m256d
load_pd(const double *p, size_t k)
{
	const int64_t *mask = mask64 + 4 - k;

	return _mm256_maskload_pd(p, _mm256_loadu_si256((const __m256i *) mask));
}

/* Eight signed bytes as floats. */
INLINE __m256
load_i8_ps(const int8_t *x)
{
	__m128i		bytes = _mm_loadl_epi64((const __m128i *) x);

	return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

/* Eight half floats as floats. */
INLINE __m256
load_f16_ps(const char *x)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) x));
}

/* Eight unsigned 16 bit integers as floats. */
INLINE __m256
load_u16_ps(const uint16_t *x)
{
	__m128i		v = _mm_loadu_si128((const __m128i *) x);

	return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(v));
}

INLINE float
sum_ps(__m256 v)
{
	__m128		s = _mm_add_ps(_mm256_castps256_ps128(v),
							   _mm256_extractf128_ps(v, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

INLINE float
sum4_ps(__m256 s0, __m256 s1, __m256 s2, __m256 s3)
{
	return sum_ps(_mm256_add_ps(_mm256_add_ps(s0, s1),
								_mm256_add_ps(s2, s3)));
}

INLINE double
sum_pd(__m256d v)
{
	__m128d		s = _mm_add_pd(_mm256_castpd256_pd128(v),
							   _mm256_extractf128_pd(v, 1));

	s = _mm_add_sd(s, _mm_unpackhi_pd(s, s));
	return _mm_cvtsd_f64(s);
}

INLINE double
sum4_pd(__m256d s0, __m256d s1, __m256d s2, __m256d s3)
{
	return sum_pd(_mm256_add_pd(_mm256_add_pd(s0, s1),
								_mm256_add_pd(s2, s3)));
}

INLINE int32_t
sum_epi32(__m256i v)
{
	__m128i		s = _mm_add_epi32(_mm256_castsi256_si128(v),
								  _mm256_extracti128_si256(v, 1));

	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(1, 0, 3, 2)));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(2, 3, 0, 1)));
	return _mm_cvtsi128_si32(s);
}

/* s + (a - b)^2 */
INLINE __m256
square_ps(__m256 s, __m256 a, __m256 b)
{
	__m256		d = _mm256_sub_ps(a, b);

	return _mm256_fmadd_ps(d, d, s);
}

INLINE __m256d
square_pd(__m256d s, __m256d a, __m256d b)
{
	__m256d		d = _mm256_sub_pd(a, b);

	return _mm256_fmadd_pd(d, d, s);
}

INLINE __m256
l2_ps(__m256 s, const float *a, const float *b)
{
	return square_ps(s, _mm256_loadu_ps(a), _mm256_loadu_ps(b));
}

TARGET static float
l2sq_f32(const float *a, const float *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = l2_ps(s0, a + i, b + i);
		s1 = l2_ps(s1, a + i + 8, b + i + 8);
		s2 = l2_ps(s2, a + i + 16, b + i + 16);
		s3 = l2_ps(s3, a + i + 24, b + i + 24);
	}
	for (; i + 8 <= n; i += 8)
		s0 = l2_ps(s0, a + i, b + i);
	if (i < n)
		s1 = square_ps(s1, load_ps(a + i, n - i), load_ps(b + i, n - i));
	return sum4_ps(s0, s1, s2, s3);
}

INLINE __m256d
l2_pd(__m256d s, const double *a, const double *b)
{
	return square_pd(s, _mm256_loadu_pd(a), _mm256_loadu_pd(b));
}

TARGET static double
l2sq_f64(const double *a, const double *b, size_t n)
{
	__m256d		s0 = _mm256_setzero_pd();
	__m256d		s1 = s0;
	__m256d		s2 = s0;
	__m256d		s3 = s0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		s0 = l2_pd(s0, a + i, b + i);
		s1 = l2_pd(s1, a + i + 4, b + i + 4);
		s2 = l2_pd(s2, a + i + 8, b + i + 8);
		s3 = l2_pd(s3, a + i + 12, b + i + 12);
	}
	for (; i + 4 <= n; i += 4)
		s0 = l2_pd(s0, a + i, b + i);
	if (i < n)
		s1 = square_pd(s1, load_pd(a + i, n - i), load_pd(b + i, n - i));
	return sum4_pd(s0, s1, s2, s3);
}

INLINE __m256
mul_ps(__m256 s, const float *a, const float *b)
{
	return _mm256_fmadd_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b), s);
}

TARGET static float
dot_f32(const float *a, const float *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = mul_ps(s0, a + i, b + i);
		s1 = mul_ps(s1, a + i + 8, b + i + 8);
		s2 = mul_ps(s2, a + i + 16, b + i + 16);
		s3 = mul_ps(s3, a + i + 24, b + i + 24);
	}
	for (; i + 8 <= n; i += 8)
		s0 = mul_ps(s0, a + i, b + i);
	if (i < n)
		s1 = _mm256_fmadd_ps(load_ps(a + i, n - i),
							 load_ps(b + i, n - i), s1);
	return sum4_ps(s0, s1, s2, s3);
}

INLINE __m256d
mul_pd(__m256d s, const double *a, const double *b)
{
	return _mm256_fmadd_pd(_mm256_loadu_pd(a), _mm256_loadu_pd(b), s);
}

TARGET static double
dot_f64(const double *a, const double *b, size_t n)
{
	__m256d		s0 = _mm256_setzero_pd();
	__m256d		s1 = s0;
	__m256d		s2 = s0;
	__m256d		s3 = s0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		s0 = mul_pd(s0, a + i, b + i);
		s1 = mul_pd(s1, a + i + 4, b + i + 4);
		s2 = mul_pd(s2, a + i + 8, b + i + 8);
		s3 = mul_pd(s3, a + i + 12, b + i + 12);
	}
	for (; i + 4 <= n; i += 4)
		s0 = mul_pd(s0, a + i, b + i);
	if (i < n)
		s1 = _mm256_fmadd_pd(load_pd(a + i, n - i),
							 load_pd(b + i, n - i), s1);
	return sum4_pd(s0, s1, s2, s3);
}

/* One of the independent sets of the three running sums of a cosine. */
typedef struct CosinePs
{
	__m256		ab;
	__m256		aa;
	__m256		bb;
} CosinePs;

typedef struct CosinePd
{
	__m256d		ab;
	__m256d		aa;
	__m256d		bb;
} CosinePd;

INLINE void
cosine_ps(CosinePs *s, __m256 a, __m256 b)
{
	s->ab = _mm256_fmadd_ps(a, b, s->ab);
	s->aa = _mm256_fmadd_ps(a, a, s->aa);
	s->bb = _mm256_fmadd_ps(b, b, s->bb);
}

INLINE void
cosine_full_ps(CosinePs *s, const float *a, const float *b)
{
	cosine_ps(s, _mm256_loadu_ps(a), _mm256_loadu_ps(b));
}

TARGET static void
cosine_f32(const float *a, const float *b, size_t n, float out[3])
{
	const CosinePs zero = {
		_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()
	};
	CosinePs	s0 = zero;
	CosinePs	s1 = zero;
	CosinePs	s2 = zero;
	CosinePs	s3 = zero;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		cosine_full_ps(&s0, a + i, b + i);
		cosine_full_ps(&s1, a + i + 8, b + i + 8);
		cosine_full_ps(&s2, a + i + 16, b + i + 16);
		cosine_full_ps(&s3, a + i + 24, b + i + 24);
	}
	for (; i + 8 <= n; i += 8)
		cosine_full_ps(&s0, a + i, b + i);
	if (i < n)
		cosine_ps(&s1, load_ps(a + i, n - i), load_ps(b + i, n - i));
	out[0] = sum4_ps(s0.ab, s1.ab, s2.ab, s3.ab);
	out[1] = sum4_ps(s0.aa, s1.aa, s2.aa, s3.aa);
	out[2] = sum4_ps(s0.bb, s1.bb, s2.bb, s3.bb);
}

INLINE void
cosine_pd(CosinePd *s, __m256d a, __m256d b)
{
	s->ab = _mm256_fmadd_pd(a, b, s->ab);
	s->aa = _mm256_fmadd_pd(a, a, s->aa);
	s->bb = _mm256_fmadd_pd(b, b, s->bb);
}

INLINE void
cosine_full_pd(CosinePd *s, const double *a, const double *b)
{
	cosine_pd(s, _mm256_loadu_pd(a), _mm256_loadu_pd(b));
}

TARGET static void
cosine_f64(const double *a, const double *b, size_t n, double out[3])
{
	const CosinePd zero = {
		_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()
	};
	CosinePd	s0 = zero;
	CosinePd	s1 = zero;
	CosinePd	s2 = zero;
	CosinePd	s3 = zero;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		cosine_full_pd(&s0, a + i, b + i);
		cosine_full_pd(&s1, a + i + 4, b + i + 4);
		cosine_full_pd(&s2, a + i + 8, b + i + 8);
		cosine_full_pd(&s3, a + i + 12, b + i + 12);
	}
	for (; i + 4 <= n; i += 4)
		cosine_full_pd(&s0, a + i, b + i);
	if (i < n)
		cosine_pd(&s1, load_pd(a + i, n - i), load_pd(b + i, n - i));
	out[0] = sum4_pd(s0.ab, s1.ab, s2.ab, s3.ab);
	out[1] = sum4_pd(s0.aa, s1.aa, s2.aa, s3.aa);
	out[2] = sum4_pd(s0.bb, s1.bb, s2.bb, s3.bb);
}

INLINE __m256
mul_i8_ps(__m256 s, const float *q, const int8_t *x)
{
	return _mm256_fmadd_ps(_mm256_loadu_ps(q), load_i8_ps(x), s);
}

TARGET static float
dot_f32_i8(const float *q, const int8_t *x, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	float		tail = 0.0f;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = mul_i8_ps(s0, q + i, x + i);
		s1 = mul_i8_ps(s1, q + i + 8, x + i + 8);
		s2 = mul_i8_ps(s2, q + i + 16, x + i + 16);
		s3 = mul_i8_ps(s3, q + i + 24, x + i + 24);
	}
	for (; i + 8 <= n; i += 8)
		s0 = mul_i8_ps(s0, q + i, x + i);
	for (; i < n; i++)
		tail += q[i] * (float) x[i];
	return sum4_ps(s0, s1, s2, s3) + tail;
}

INLINE __m256
mul_f16_ps(__m256 s, const float *q, const char *x)
{
	return _mm256_fmadd_ps(_mm256_loadu_ps(q), load_f16_ps(x), s);
}

TARGET static float
dot_f32_f16(const float *q, const void *x, size_t n)
{
	const char *h = x;
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	float		tail = 0.0f;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = mul_f16_ps(s0, q + i, h + 2 * i);
		s1 = mul_f16_ps(s1, q + i + 8, h + 2 * i + 16);
		s2 = mul_f16_ps(s2, q + i + 16, h + 2 * i + 32);
		s3 = mul_f16_ps(s3, q + i + 24, h + 2 * i + 48);
	}
	for (; i + 8 <= n; i += 8)
		s0 = mul_f16_ps(s0, q + i, h + 2 * i);
	for (; i < n; i++)
	{
		uint16_t	bits;

		memcpy(&bits, h + 2 * i, sizeof(bits));
		tail += q[i] * _cvtsh_ss(bits);
	}
	return sum4_ps(s0, s1, s2, s3) + tail;
}

/*
 * s + sums of four neighbouring products.  The multiplication of bytes takes
 * one unsigned operand, so the sign of a moves to b.  Two products of at most
 * 127 * 127 fit the 16 bits it gives, so it never saturates.
 */
INLINE __m256i
dot_epi8(__m256i s, const int8_t *a, const int8_t *b)
{
	__m256i		va = _mm256_loadu_si256((const __m256i *) a);
	__m256i		vb = _mm256_loadu_si256((const __m256i *) b);
	__m256i		pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(va),
											 _mm256_sign_epi8(vb, va));

	return _mm256_add_epi32(s, _mm256_madd_epi16(pairs,
												 _mm256_set1_epi16(1)));
}

TARGET void
diskann_decode_i8_avx2(const int8_t *x, float scale, size_t n, float *out)
{
	__m256		by = _mm256_set1_ps(scale);
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		__m128i		bytes = _mm_loadl_epi64((const __m128i *) (x + i));

		_mm256_storeu_ps(out + i, _mm256_mul_ps(by, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes))));
	}
	for (; i < n; i++)
		out[i] = scale * x[i];
}

TARGET static int32_t
dot_i8(const int8_t *a, const int8_t *b, size_t n)
{
	__m256i		s0 = _mm256_setzero_si256();
	__m256i		s1 = _mm256_setzero_si256();
	int32_t		tail = 0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = dot_epi8(s0, a + i, b + i);
		s1 = dot_epi8(s1, a + i + 32, b + i + 32);
	}
	if (i + 32 <= n)
	{
		s0 = dot_epi8(s0, a + i, b + i);
		i += 32;
	}
	for (; i < n; i++)
		tail += (int32_t) a[i] * (int32_t) b[i];
	return sum_epi32(_mm256_add_epi32(s0, s1)) + tail;
}

TARGET void
diskann_decode_f16_avx2(const void *x, float scale, size_t n, float *out)
{
	const char *halves = x;
	__m256		by = _mm256_set1_ps(scale);
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		__m128i		eight = _mm_loadu_si128((const __m128i *) (halves + 2 * i));

		_mm256_storeu_ps(out + i, _mm256_mul_ps(by, _mm256_cvtph_ps(eight)));
	}
	diskann_decode_f16_scalar(halves + 2 * i, scale, n - i, out + i);
}

TARGET static void
dot4_i8(const int8_t *a, const int8_t *const others[4], size_t n,
		int32_t out[4])
{
	__m256i		s0 = _mm256_setzero_si256();
	__m256i		s1 = s0;
	__m256i		s2 = s0;
	__m256i		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = dot_epi8(s0, a + i, others[0] + i);
		s1 = dot_epi8(s1, a + i, others[1] + i);
		s2 = dot_epi8(s2, a + i, others[2] + i);
		s3 = dot_epi8(s3, a + i, others[3] + i);
	}
	s0 = _mm256_hadd_epi32(_mm256_hadd_epi32(s0, s1),
						   _mm256_hadd_epi32(s2, s3));
	_mm_storeu_si128((__m128i *) out,
					 _mm_add_epi32(_mm256_castsi256_si128(s0),
								   _mm256_extracti128_si256(s0, 1)));
	for (; i < n; i++)
	{
		for (int k = 0; k < 4; k++)
			out[k] += (int32_t) a[i] * (int32_t) others[k][i];
	}
}

/*
 * Products of four bytes of a row, repeated, with eight columns, summed.  The
 * byte product takes one unsigned operand, so signs move from the row to the
 * columns; two products of at most 127 * 127 fit into 16 bits.
 */
INLINE __m256i
dot_group(__m256i sum, __m256i row, const int8_t *columns)
{
	__m256i		x = _mm256_loadu_si256((const __m256i *) columns);
	__m256i		pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(row),
											 _mm256_sign_epi8(x, row));

	return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs,
												   _mm256_set1_epi16(1)));
}

/* One row against one panel. */
INLINE void
dot_row_panel(const int8_t *row, const int8_t *panel, size_t ngroups,
			  int32_t *out)
{
	__m256i		low = _mm256_setzero_si256();
	__m256i		high = _mm256_setzero_si256();

	for (size_t g = 0; g < ngroups; g++)
	{
		int32_t		four;
		__m256i		repeated;

		memcpy(&four, row + 4 * g, sizeof(four));
		repeated = _mm256_set1_epi32(four);
		low = dot_group(low, repeated, panel);
		high = dot_group(high, repeated, panel + DISKANN_PANEL_GROUP / 2);
		panel += DISKANN_PANEL_GROUP;
	}
	_mm256_storeu_si256((__m256i *) out, low);
	_mm256_storeu_si256((__m256i *) (out + 8), high);
}

TARGET static void
dot_i8_panels(const int8_t *rows, size_t nrows, size_t row_stride,
			  const int8_t *panels, size_t npanels, size_t ngroups,
			  int32_t *out, size_t out_stride)
{
	for (size_t p = 0; p < npanels; p++)
	{
		for (size_t r = 0; r < nrows; r++)
			dot_row_panel(rows + r * row_stride,
						  panels + p * ngroups * DISKANN_PANEL_GROUP, ngroups,
						  out + r * out_stride + p * DISKANN_PANEL);
	}
}

TARGET void
diskann_l2sq_of_dots_avx2(void *dots, size_t n, float scale, float norm2,
						  const float *scales, const float *norms2)
{
	const __m256 twice = _mm256_set1_ps(2 * scale);
	const __m256 own = _mm256_set1_ps(norm2);
	char	   *at = dots;
	size_t		i = 0;

	for (; i + 8 <= n; i += 8, at += 32)
	{
		__m256		dot = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *) at));
		__m256		factor = _mm256_mul_ps(twice, _mm256_loadu_ps(scales + i));
		__m256		sum = _mm256_add_ps(own, _mm256_loadu_ps(norms2 + i));
		__m256		dist = _mm256_fnmadd_ps(factor, dot, sum);

		_mm256_storeu_ps((float *) at, _mm256_max_ps(dist, _mm256_setzero_ps()));
	}
	diskann_l2sq_of_dots_scalar(at, n - i, scale, norm2, scales + i,
								norms2 + i);
}

/* Distances with a tag in their last bits. */
INLINE __m256
load_tagged(const float *dist, uint32_t tag)
{
	const __m256 mask = _mm256_castsi256_ps(_mm256_set1_epi32(DISKANN_TAG_MASK));
	const __m256 tags = _mm256_castsi256_ps(_mm256_set1_epi32((int32_t) tag));

	return _mm256_or_ps(_mm256_andnot_ps(mask, _mm256_loadu_ps(dist)), tags);
}

TARGET static void
keep_least(float *least, size_t k, const float *dist, uint32_t tag,
		   size_t npanels)
{
	for (size_t p = 0; p < npanels; p++, dist += DISKANN_PANEL)
	{
		__m256		low = load_tagged(dist, tag);
		__m256		high = load_tagged(dist + 8, tag);

		for (size_t i = 0; i < k; i++, least += DISKANN_PANEL)
		{
			__m256		a = _mm256_loadu_ps(least);
			__m256		b = _mm256_loadu_ps(least + 8);

			_mm256_storeu_ps(least, _mm256_min_ps(a, low));
			_mm256_storeu_ps(least + 8, _mm256_min_ps(b, high));
			low = _mm256_max_ps(a, low);
			high = _mm256_max_ps(b, high);
		}
	}
}

/*
 * Butterflies over distances 1, 2 and 4 within a register: an element with
 * its partner's bit clear becomes partner + self, else partner - self.
 */
INLINE __m256
fht8(__m256 v)
{
	const __m256 sign1 = _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1);
	const __m256 sign2 = _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1);
	const __m256 sign4 = _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1);

	v = _mm256_fmadd_ps(v, sign1,
						_mm256_permute_ps(v, _MM_SHUFFLE(2, 3, 0, 1)));
	v = _mm256_fmadd_ps(v, sign2,
						_mm256_permute_ps(v, _MM_SHUFFLE(1, 0, 3, 2)));
	v = _mm256_fmadd_ps(v, sign4, _mm256_permute2f128_ps(v, v, 1));
	return v;
}

/* Butterflies over distances h and 2h, h a multiple of 8, in one pass. */
INLINE void
fht_pass4(float *x, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i += 4 * h)
	{
		for (size_t j = i; j < i + h; j += 8)
		{
			__m256		a = _mm256_loadu_ps(x + j);
			__m256		b = _mm256_loadu_ps(x + j + h);
			__m256		c = _mm256_loadu_ps(x + j + 2 * h);
			__m256		d = _mm256_loadu_ps(x + j + 3 * h);
			__m256		ab = _mm256_add_ps(a, b);
			__m256		cd = _mm256_add_ps(c, d);

			a = _mm256_sub_ps(a, b);
			c = _mm256_sub_ps(c, d);
			_mm256_storeu_ps(x + j, _mm256_add_ps(ab, cd));
			_mm256_storeu_ps(x + j + h, _mm256_add_ps(a, c));
			_mm256_storeu_ps(x + j + 2 * h, _mm256_sub_ps(ab, cd));
			_mm256_storeu_ps(x + j + 3 * h, _mm256_sub_ps(a, c));
		}
	}
}

/* The last butterflies, over distance n / 2. */
INLINE void
fht_pass2(float *x, size_t n)
{
	size_t		h = n / 2;

	for (size_t j = 0; j < h; j += 8)
	{
		__m256		a = _mm256_loadu_ps(x + j);
		__m256		b = _mm256_loadu_ps(x + j + h);

		_mm256_storeu_ps(x + j, _mm256_add_ps(a, b));
		_mm256_storeu_ps(x + j + h, _mm256_sub_ps(a, b));
	}
}

TARGET void
diskann_fht_f32_avx2(float *x, size_t n)
{
	__m256		scale;
	size_t		h = 8;

	if (n < 8)
	{
		diskann_fht_f32_scalar(x, n);
		return;
	}

	scale = _mm256_set1_ps((float) (1.0 / sqrt((double) n)));
	for (size_t i = 0; i < n; i += 8)
		_mm256_storeu_ps(x + i, fht8(_mm256_mul_ps(_mm256_loadu_ps(x + i),
												   scale)));
	for (; 4 * h <= n; h *= 4)
		fht_pass4(x, n, h);
	if (h < n)
		fht_pass2(x, n);
}

TARGET static void
estimate32(const uint16_t hi[DISKANN_EDGE_BLOCK], const uint16_t *lo,
		   const void *f_add, const void *f_rescale,
		   const DiskannEstimateFactors *factors,
		   float out[DISKANN_EDGE_BLOCK])
{
	const __m256 base = _mm256_set1_ps(factors->base);
	const __m256 step = _mm256_set1_ps(factors->step);
	const __m256 offset = _mm256_set1_ps(factors->offset);
	const __m256 scale = _mm256_set1_ps(factors->scale);
	const char *adds = f_add;
	const char *rescales = f_rescale;

	for (int j = 0; j < DISKANN_EDGE_BLOCK; j += 8)
	{
		__m256		sum = load_u16_ps(hi + j);
		__m256		add = _mm256_loadu_ps((const float *) (adds + 4 * j));
		__m256		factor = _mm256_mul_ps(scale,
										   load_f16_ps(rescales + 2 * j));
		__m256		w;

		if (lo != NULL)
			sum = _mm256_fmadd_ps(load_u16_ps(lo + j),
								  _mm256_set1_ps(0.5f), sum);
		w = _mm256_fmadd_ps(step, sum, offset);
		_mm256_storeu_ps(out + j, _mm256_fmadd_ps(factor, w,
												  _mm256_add_ps(base, add)));
	}
}

/* Eight signs as two nibbles. */
INLINE void
put_signs(uint8_t *nibbles, __m256 positive)
{
	int			signs = _mm256_movemask_ps(positive);

	nibbles[0] = (uint8_t) (signs & 0x0F);
	nibbles[1] = (uint8_t) (signs >> 4);
}

TARGET void
diskann_encode_edge_avx2(const float *node, const float *neighbour, size_t n,
						 float threshold, uint8_t *hi, uint8_t *lo,
						 float out[2])
{
	const __m256 minus = _mm256_set1_ps(-0.0f);
	const __m256 limit = _mm256_set1_ps(threshold);
	__m256		ur = _mm256_setzero_ps();
	__m256		uc = ur;
	float		tail[2];
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		__m256		c = _mm256_loadu_ps(node + i);
		__m256		r = _mm256_sub_ps(_mm256_loadu_ps(neighbour + i), c);
		__m256		plus = _mm256_cmp_ps(r, _mm256_setzero_ps(), _CMP_GE_OQ);
		__m256		size = _mm256_set1_ps(1.0f);
		__m256		u;

		put_signs(hi + i / 4, plus);
		if (lo != NULL)
		{
			__m256		beyond = _mm256_cmp_ps(_mm256_andnot_ps(minus, r),
											   limit, _CMP_GT_OQ);

			size = _mm256_blendv_ps(_mm256_set1_ps(0.5f),
									_mm256_set1_ps(1.5f), beyond);

			/* Equal, where they do not differ. */
			put_signs(lo + i / 4, _mm256_xor_ps(_mm256_xor_ps(plus, beyond),
												minus));
		}
		u = _mm256_xor_ps(size, _mm256_andnot_ps(plus, minus));
		ur = _mm256_fmadd_ps(u, r, ur);
		uc = _mm256_fmadd_ps(u, c, uc);
	}
	diskann_encode_edge_scalar(node + i, neighbour + i, n - i, threshold,
							   hi + i / 4, lo != NULL ? lo + i / 4 : NULL,
							   tail);
	out[0] = sum_ps(ur) + tail[0];
	out[1] = sum_ps(uc) + tail[1];
}

const DiskannKernels diskann_kernels_avx2 = {
	.name = "avx2",
	.l2sq_f32 = l2sq_f32,
	.l2sq_f64 = l2sq_f64,
	.dot_f32 = dot_f32,
	.dot_f64 = dot_f64,
	.cosine_f32 = cosine_f32,
	.cosine_f64 = cosine_f64,
	.dot_f32_i8 = dot_f32_i8,
	.dot_f32_f16 = dot_f32_f16,
	.decode_i8 = diskann_decode_i8_avx2,
	.decode_f16 = diskann_decode_f16_avx2,
	.dot_i8 = dot_i8,
	.dot4_i8 = dot4_i8,
	.dot_i8_panels = dot_i8_panels,
	.l2sq_of_dots = diskann_l2sq_of_dots_avx2,
	.keep_least = keep_least,
	.fht_f32 = diskann_fht_f32_avx2,
	.encode_edge = diskann_encode_edge_avx2,
	.fastscan32 = diskann_fastscan32_avx2,
	.estimate32 = estimate32,
};

#endif							/* DISKANN_KERNELS_X86 */
