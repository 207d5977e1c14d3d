/*-------------------------------------------------------------------------
 *
 * avx512.c
 *	  Kernels for x86-64 with AVX-512 F, BW, VL, DQ and VNNI.
 *
 * Laid out like avx2.c; tails are masked loads, which do not touch masked
 * elements and so never fault on them.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/avx512.c
 *
 *-------------------------------------------------------------------------
 */
#include "kernels/kernels_internal.h"

#ifdef DISKANN_KERNELS_X86

#include <immintrin.h>
#include <string.h>
#include <math.h>

#define TARGET \
	__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl," \
						  "avx512dq,avx512vnni")))

/* The sums must stay in registers, so this is no matter of taste. */
#define INLINE TARGET __attribute__((always_inline)) static inline

/*
 * Makes the compiler load a and b once and keep them.  gcc otherwise uses one
 * of them from memory again, and stored vectors are not on cache line
 * boundaries, so that every wide load is two.
 */
#define IN_REGISTERS(a, b) __asm__("" : "+v" (a), "+v" (b))

/* Arrays stay in registers only where no loop is left. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* A mask of the first k elements, k less than the width of the register. */
#define MASK8(k) ((__mmask8) ((1u << (k)) - 1))
#define MASK16(k) ((__mmask16) ((1u << (k)) - 1))
#define MASK64(k) ((__mmask64) ((UINT64_C(1) << (k)) - 1))

/* Sixteen signed bytes as floats. */
INLINE __m512
i8_ps(__m128i bytes)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

/*
 * Sixteen half floats as floats.  Without the explicit (and meaningless)
 * exception mode, clang may take the conversion apart into single elements.
 */
INLINE __m512
f16_ps(__m256i halves)
{
	return _mm512_cvt_roundph_ps(halves, _MM_FROUND_NO_EXC);
}

/* Sixteen unsigned 16 bit integers as floats. */
INLINE __m512
load_u16_ps(const uint16_t *x)
{
	__m256i		v = _mm256_loadu_si256((const __m256i *) x);

	return _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(v));
}

INLINE float
sum4_ps(__m512 s0, __m512 s1, __m512 s2, __m512 s3)
{
	return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1),
											  _mm512_add_ps(s2, s3)));
}

INLINE double
sum4_pd(__m512d s0, __m512d s1, __m512d s2, __m512d s3)
{
	return _mm512_reduce_add_pd(_mm512_add_pd(_mm512_add_pd(s0, s1),
											  _mm512_add_pd(s2, s3)));
}

/* s + (a - b)^2 */
INLINE __m512
square_ps(__m512 s, __m512 a, __m512 b)
{
	__m512		d = _mm512_sub_ps(a, b);

	return _mm512_fmadd_ps(d, d, s);
}

INLINE __m512d
square_pd(__m512d s, __m512d a, __m512d b)
{
	__m512d		d = _mm512_sub_pd(a, b);

	return _mm512_fmadd_pd(d, d, s);
}

INLINE __m512
l2_ps(__m512 s, const float *a, const float *b)
{
	return square_ps(s, _mm512_loadu_ps(a), _mm512_loadu_ps(b));
}

TARGET static float
l2sq_f32(const float *a, const float *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = l2_ps(s0, a + i, b + i);
		s1 = l2_ps(s1, a + i + 16, b + i + 16);
		s2 = l2_ps(s2, a + i + 32, b + i + 32);
		s3 = l2_ps(s3, a + i + 48, b + i + 48);
	}
	for (; i + 16 <= n; i += 16)
		s0 = l2_ps(s0, a + i, b + i);
	if (i < n)
	{
		__mmask16	mask = MASK16(n - i);

		s1 = square_ps(s1, _mm512_maskz_loadu_ps(mask, a + i),
					   _mm512_maskz_loadu_ps(mask, b + i));
	}
	return sum4_ps(s0, s1, s2, s3);
}

INLINE __m512d
l2_pd(__m512d s, const double *a, const double *b)
{
	return square_pd(s, _mm512_loadu_pd(a), _mm512_loadu_pd(b));
}

TARGET static double
l2sq_f64(const double *a, const double *b, size_t n)
{
	__m512d		s0 = _mm512_setzero_pd();
	__m512d		s1 = s0;
	__m512d		s2 = s0;
	__m512d		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = l2_pd(s0, a + i, b + i);
		s1 = l2_pd(s1, a + i + 8, b + i + 8);
		s2 = l2_pd(s2, a + i + 16, b + i + 16);
		s3 = l2_pd(s3, a + i + 24, b + i + 24);
	}
	for (; i + 8 <= n; i += 8)
		s0 = l2_pd(s0, a + i, b + i);
	if (i < n)
	{
		__mmask8	mask = MASK8(n - i);

		s1 = square_pd(s1, _mm512_maskz_loadu_pd(mask, a + i),
					   _mm512_maskz_loadu_pd(mask, b + i));
	}
	return sum4_pd(s0, s1, s2, s3);
}

INLINE __m512
mul_ps(__m512 s, const float *a, const float *b)
{
	return _mm512_fmadd_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b), s);
}

TARGET static float
dot_f32(const float *a, const float *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = mul_ps(s0, a + i, b + i);
		s1 = mul_ps(s1, a + i + 16, b + i + 16);
		s2 = mul_ps(s2, a + i + 32, b + i + 32);
		s3 = mul_ps(s3, a + i + 48, b + i + 48);
	}
	for (; i + 16 <= n; i += 16)
		s0 = mul_ps(s0, a + i, b + i);
	if (i < n)
	{
		__mmask16	mask = MASK16(n - i);

		s1 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i),
							 _mm512_maskz_loadu_ps(mask, b + i), s1);
	}
	return sum4_ps(s0, s1, s2, s3);
}

INLINE __m512d
mul_pd(__m512d s, const double *a, const double *b)
{
	return _mm512_fmadd_pd(_mm512_loadu_pd(a), _mm512_loadu_pd(b), s);
}

TARGET static double
dot_f64(const double *a, const double *b, size_t n)
{
	__m512d		s0 = _mm512_setzero_pd();
	__m512d		s1 = s0;
	__m512d		s2 = s0;
	__m512d		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = mul_pd(s0, a + i, b + i);
		s1 = mul_pd(s1, a + i + 8, b + i + 8);
		s2 = mul_pd(s2, a + i + 16, b + i + 16);
		s3 = mul_pd(s3, a + i + 24, b + i + 24);
	}
	for (; i + 8 <= n; i += 8)
		s0 = mul_pd(s0, a + i, b + i);
	if (i < n)
	{
		__mmask8	mask = MASK8(n - i);

		s1 = _mm512_fmadd_pd(_mm512_maskz_loadu_pd(mask, a + i),
							 _mm512_maskz_loadu_pd(mask, b + i), s1);
	}
	return sum4_pd(s0, s1, s2, s3);
}

/* One of the independent sets of the three running sums of a cosine. */
typedef struct CosinePs
{
	__m512		ab;
	__m512		aa;
	__m512		bb;
} CosinePs;

typedef struct CosinePd
{
	__m512d		ab;
	__m512d		aa;
	__m512d		bb;
} CosinePd;

INLINE void
cosine_ps(CosinePs *s, __m512 a, __m512 b)
{
	s->ab = _mm512_fmadd_ps(a, b, s->ab);
	s->aa = _mm512_fmadd_ps(a, a, s->aa);
	s->bb = _mm512_fmadd_ps(b, b, s->bb);
}

INLINE void
cosine_full_ps(CosinePs *s, const float *a, const float *b)
{
	__m512		va = _mm512_loadu_ps(a);
	__m512		vb = _mm512_loadu_ps(b);

	IN_REGISTERS(va, vb);
	cosine_ps(s, va, vb);
}

TARGET static void
cosine_f32(const float *a, const float *b, size_t n, float out[3])
{
	const CosinePs zero = {
		_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()
	};
	CosinePs	s0 = zero;
	CosinePs	s1 = zero;
	CosinePs	s2 = zero;
	CosinePs	s3 = zero;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		cosine_full_ps(&s0, a + i, b + i);
		cosine_full_ps(&s1, a + i + 16, b + i + 16);
		cosine_full_ps(&s2, a + i + 32, b + i + 32);
		cosine_full_ps(&s3, a + i + 48, b + i + 48);
	}
	for (; i + 16 <= n; i += 16)
		cosine_full_ps(&s0, a + i, b + i);
	if (i < n)
	{
		__mmask16	mask = MASK16(n - i);

		cosine_ps(&s1, _mm512_maskz_loadu_ps(mask, a + i),
				  _mm512_maskz_loadu_ps(mask, b + i));
	}
	out[0] = sum4_ps(s0.ab, s1.ab, s2.ab, s3.ab);
	out[1] = sum4_ps(s0.aa, s1.aa, s2.aa, s3.aa);
	out[2] = sum4_ps(s0.bb, s1.bb, s2.bb, s3.bb);
}

INLINE void
cosine_pd(CosinePd *s, __m512d a, __m512d b)
{
	s->ab = _mm512_fmadd_pd(a, b, s->ab);
	s->aa = _mm512_fmadd_pd(a, a, s->aa);
	s->bb = _mm512_fmadd_pd(b, b, s->bb);
}

INLINE void
cosine_full_pd(CosinePd *s, const double *a, const double *b)
{
	__m512d		va = _mm512_loadu_pd(a);
	__m512d		vb = _mm512_loadu_pd(b);

	IN_REGISTERS(va, vb);
	cosine_pd(s, va, vb);
}

TARGET static void
cosine_f64(const double *a, const double *b, size_t n, double out[3])
{
	const CosinePd zero = {
		_mm512_setzero_pd(), _mm512_setzero_pd(), _mm512_setzero_pd()
	};
	CosinePd	s0 = zero;
	CosinePd	s1 = zero;
	CosinePd	s2 = zero;
	CosinePd	s3 = zero;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		cosine_full_pd(&s0, a + i, b + i);
		cosine_full_pd(&s1, a + i + 8, b + i + 8);
		cosine_full_pd(&s2, a + i + 16, b + i + 16);
		cosine_full_pd(&s3, a + i + 24, b + i + 24);
	}
	for (; i + 8 <= n; i += 8)
		cosine_full_pd(&s0, a + i, b + i);
	if (i < n)
	{
		__mmask8	mask = MASK8(n - i);

		cosine_pd(&s1, _mm512_maskz_loadu_pd(mask, a + i),
				  _mm512_maskz_loadu_pd(mask, b + i));
	}
	out[0] = sum4_pd(s0.ab, s1.ab, s2.ab, s3.ab);
	out[1] = sum4_pd(s0.aa, s1.aa, s2.aa, s3.aa);
	out[2] = sum4_pd(s0.bb, s1.bb, s2.bb, s3.bb);
}

INLINE __m512
mul_i8_ps(__m512 s, const float *q, const int8_t *x)
{
	__m128i		bytes = _mm_loadu_si128((const __m128i *) x);

	return _mm512_fmadd_ps(_mm512_loadu_ps(q), i8_ps(bytes), s);
}

TARGET static float
dot_f32_i8(const float *q, const int8_t *x, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = mul_i8_ps(s0, q + i, x + i);
		s1 = mul_i8_ps(s1, q + i + 16, x + i + 16);
		s2 = mul_i8_ps(s2, q + i + 32, x + i + 32);
		s3 = mul_i8_ps(s3, q + i + 48, x + i + 48);
	}
	for (; i + 16 <= n; i += 16)
		s0 = mul_i8_ps(s0, q + i, x + i);
	if (i < n)
	{
		__mmask16	mask = MASK16(n - i);
		__m128i		bytes = _mm_maskz_loadu_epi8(mask, x + i);

		s1 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, q + i),
							 i8_ps(bytes), s1);
	}
	return sum4_ps(s0, s1, s2, s3);
}

INLINE __m512
mul_f16_ps(__m512 s, const float *q, const char *x)
{
	__m256i		halves = _mm256_loadu_si256((const __m256i *) x);

	return _mm512_fmadd_ps(_mm512_loadu_ps(q), f16_ps(halves), s);
}

TARGET static float
dot_f32_f16(const float *q, const void *x, size_t n)
{
	const char *h = x;
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = mul_f16_ps(s0, q + i, h + 2 * i);
		s1 = mul_f16_ps(s1, q + i + 16, h + 2 * i + 32);
		s2 = mul_f16_ps(s2, q + i + 32, h + 2 * i + 64);
		s3 = mul_f16_ps(s3, q + i + 48, h + 2 * i + 96);
	}
	for (; i + 16 <= n; i += 16)
		s0 = mul_f16_ps(s0, q + i, h + 2 * i);
	if (i < n)
	{
		__mmask16	mask = MASK16(n - i);
		__m256i		halves = _mm256_maskz_loadu_epi16(mask, h + 2 * i);

		s1 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, q + i),
							 f16_ps(halves), s1);
	}
	return sum4_ps(s0, s1, s2, s3);
}

/*
 * The byte product of VNNI takes one unsigned operand, so a is raised by 128
 * (flipping its top bit) and 128 * b, summed the same way, is subtracted at
 * the end.  The instruction does not saturate and wrapping is harmless, as the
 * final difference fits.
 */
typedef struct ByteDot
{
	__m512i		raised;
	__m512i		excess;
} ByteDot;

INLINE void
dot_epi8(ByteDot *s, __m512i a, __m512i b)
{
	const __m512i top = _mm512_set1_epi8((char) 0x80);

	s->raised = _mm512_dpbusd_epi32(s->raised, _mm512_xor_si512(a, top), b);
	s->excess = _mm512_dpbusd_epi32(s->excess, top, b);
}

TARGET static int32_t
dot_i8(const int8_t *a, const int8_t *b, size_t n)
{
	const ByteDot zero = {_mm512_setzero_si512(), _mm512_setzero_si512()};
	ByteDot		s0 = zero;
	ByteDot		s1 = zero;
	size_t		i = 0;

	for (; i + 128 <= n; i += 128)
	{
		dot_epi8(&s0, _mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i));
		dot_epi8(&s1, _mm512_loadu_si512(a + i + 64),
				 _mm512_loadu_si512(b + i + 64));
	}
	if (i + 64 <= n)
	{
		dot_epi8(&s0, _mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i));
		i += 64;
	}
	if (i < n)
	{
		__mmask64	mask = MASK64(n - i);

		dot_epi8(&s1, _mm512_maskz_loadu_epi8(mask, a + i),
				 _mm512_maskz_loadu_epi8(mask, b + i));
	}
	s0.raised = _mm512_add_epi32(s0.raised, s1.raised);
	s0.excess = _mm512_add_epi32(s0.excess, s1.excess);
	return _mm512_reduce_add_epi32(_mm512_sub_epi32(s0.raised, s0.excess));
}

/* s + bytes of a times those of other, raised by 128. */
INLINE __m512i
dot_raised(__m512i s, __m512i a, __mmask64 in, const int8_t *other)
{
	__m512i		b = _mm512_maskz_loadu_epi8(in, other);

	return _mm512_dpbusd_epi32(s, _mm512_xor_si512(b, _mm512_set1_epi8((char) 0x80)), a);
}

/* Sum of the elements of each of four registers. */
INLINE __m128i
sum4_epi32(__m512i s0, __m512i s1, __m512i s2, __m512i s3)
{
	__m512i		s01 = _mm512_add_epi32(_mm512_unpacklo_epi32(s0, s1),
									   _mm512_unpackhi_epi32(s0, s1));
	__m512i		s23 = _mm512_add_epi32(_mm512_unpacklo_epi32(s2, s3),
									   _mm512_unpackhi_epi32(s2, s3));
	__m512i		s = _mm512_add_epi32(_mm512_unpacklo_epi64(s01, s23),
									 _mm512_unpackhi_epi64(s01, s23));
	__m256i		half = _mm256_add_epi32(_mm512_castsi512_si256(s),
										_mm512_extracti64x4_epi64(s, 1));

	return _mm_add_epi32(_mm256_castsi256_si128(half),
						 _mm256_extracti128_si256(half, 1));
}

TARGET static void
dot4_i8(const int8_t *a, const int8_t *const others[4], size_t n,
		int32_t out[4])
{
	const __m512i top = _mm512_set1_epi8((char) 0x80);
	__m512i		s0 = _mm512_setzero_si512();
	__m512i		s1 = s0;
	__m512i		s2 = s0;
	__m512i		s3 = s0;
	__m512i		excess = s0;

	for (size_t i = 0; i < n; i += 64)
	{
		__mmask64	in = n - i < 64 ? MASK64(n - i) : ~UINT64_C(0);
		__m512i		x = _mm512_maskz_loadu_epi8(in, a + i);

		s0 = dot_raised(s0, x, in, others[0] + i);
		s1 = dot_raised(s1, x, in, others[1] + i);
		s2 = dot_raised(s2, x, in, others[2] + i);
		s3 = dot_raised(s3, x, in, others[3] + i);
		excess = _mm512_dpbusd_epi32(excess, top, x);
	}
	_mm_storeu_si128((__m128i *) out,
					 _mm_sub_epi32(sum4_epi32(s0, s1, s2, s3),
								   sum4_epi32(excess, excess, excess, excess)));
}

/*
 * Rows and panels scored together, so that a load of either serves several
 * products, and there are enough sums to wait for none: 1.4 times as fast as
 * 8 rows against one panel.
 */
#define ROW_BLOCK 8
#define PANEL_BLOCK 3

/*
 * n rows against some panels, both numbers constants.  Here the columns are
 * raised by 128, once for all rows; excess is what that adds to each row's
 * products.
 */
INLINE void
dot_rows_block(const int8_t *rows, int n, size_t row_stride,
			   const int8_t *panels, int npanels, size_t ngroups,
			   const int32_t *excess, int32_t *out, size_t out_stride)
{
	const __m512i top = _mm512_set1_epi8((char) 0x80);
	__m512i		sum[ROW_BLOCK][PANEL_BLOCK];

	UNROLL
	for (int r = 0; r < n; r++)
	{
		UNROLL
		for (int p = 0; p < npanels; p++)
			sum[r][p] = _mm512_set1_epi32(-excess[r]);
	}
	for (size_t g = 0; g < ngroups; g++)
	{
		__m512i		x[PANEL_BLOCK];

		UNROLL
		for (int p = 0; p < npanels; p++)
			x[p] = _mm512_xor_si512(_mm512_loadu_si512(panels + ((size_t) p * ngroups + g) *
													   DISKANN_PANEL_GROUP),
									top);
		UNROLL
		for (int r = 0; r < n; r++)
		{
			int32_t		four;

			memcpy(&four, rows + r * row_stride + 4 * g, sizeof(four));
			UNROLL
			for (int p = 0; p < npanels; p++)
				sum[r][p] = _mm512_dpbusd_epi32(sum[r][p], x[p],
												_mm512_set1_epi32(four));
		}
	}
	UNROLL
	for (int r = 0; r < n; r++)
	{
		UNROLL
		for (int p = 0; p < npanels; p++)
			_mm512_storeu_si512(out + r * out_stride + p * DISKANN_PANEL,
								sum[r][p]);
	}
}

/* n rows, a constant, against all panels. */
INLINE void
dot_rows_panels(const int8_t *rows, int n, size_t row_stride,
				const int8_t *panels, size_t npanels, size_t ngroups,
				int32_t *out, size_t out_stride)
{
	const size_t panel_bytes = ngroups * DISKANN_PANEL_GROUP;
	int32_t		excess[ROW_BLOCK];
	size_t		p = 0;

	for (int r = 0; r < n; r++)
	{
		int32_t		sum = 0;

		for (size_t i = 0; i < 4 * ngroups; i++)
			sum += rows[r * row_stride + i];
		excess[r] = 128 * sum;
	}
	for (; p + PANEL_BLOCK <= npanels; p += PANEL_BLOCK)
		dot_rows_block(rows, n, row_stride, panels + p * panel_bytes,
					   PANEL_BLOCK, ngroups, excess, out + p * DISKANN_PANEL,
					   out_stride);
	for (; p < npanels; p++)
		dot_rows_block(rows, n, row_stride, panels + p * panel_bytes, 1,
					   ngroups, excess, out + p * DISKANN_PANEL, out_stride);
}

TARGET static void
dot_i8_panels(const int8_t *rows, size_t nrows, size_t row_stride,
			  const int8_t *panels, size_t npanels, size_t ngroups,
			  int32_t *out, size_t out_stride)
{
	size_t		r = 0;

	for (; r + ROW_BLOCK <= nrows; r += ROW_BLOCK)
		dot_rows_panels(rows + r * row_stride, ROW_BLOCK, row_stride, panels,
						npanels, ngroups, out + r * out_stride, out_stride);
	for (; r < nrows; r++)
		dot_rows_panels(rows + r * row_stride, 1, row_stride, panels,
						npanels, ngroups, out + r * out_stride, out_stride);
}

TARGET static void
keep_least(float *least, size_t k, const float *dist, uint32_t tag,
		   size_t npanels)
{
	const __m512i mask = _mm512_set1_epi32(DISKANN_TAG_MASK);
	const __m512i tags = _mm512_set1_epi32((int32_t) tag);

	for (size_t p = 0; p < npanels; p++, dist += DISKANN_PANEL)
	{
		__m512i		bits = _mm512_andnot_si512(mask, _mm512_loadu_si512(dist));
		__m512		key = _mm512_castsi512_ps(_mm512_or_si512(bits, tags));

		for (size_t i = 0; i < k; i++, least += DISKANN_PANEL)
		{
			__m512		kept = _mm512_loadu_ps(least);

			_mm512_storeu_ps(least, _mm512_min_ps(kept, key));
			key = _mm512_max_ps(kept, key);
		}
	}
}

/*
 * Butterflies over distances 1, 2, 4 and 8 within a register: an element with
 * its partner's bit clear becomes partner + self, else partner - self.
 */
INLINE __m512
fht16(__m512 v)
{
	const __m512 sign1 = _mm512_setr4_ps(1, -1, 1, -1);
	const __m512 sign2 = _mm512_setr4_ps(1, 1, -1, -1);
	const __m512 sign4 = _mm512_setr_ps(1, 1, 1, 1, -1, -1, -1, -1,
										1, 1, 1, 1, -1, -1, -1, -1);
	const __m512 sign8 = _mm512_setr_ps(1, 1, 1, 1, 1, 1, 1, 1,
										-1, -1, -1, -1, -1, -1, -1, -1);

	v = _mm512_fmadd_ps(v, sign1,
						_mm512_permute_ps(v, _MM_SHUFFLE(2, 3, 0, 1)));
	v = _mm512_fmadd_ps(v, sign2,
						_mm512_permute_ps(v, _MM_SHUFFLE(1, 0, 3, 2)));
	v = _mm512_fmadd_ps(v, sign4,
						_mm512_shuffle_f32x4(v, v, _MM_SHUFFLE(2, 3, 0, 1)));
	v = _mm512_fmadd_ps(v, sign8,
						_mm512_shuffle_f32x4(v, v, _MM_SHUFFLE(1, 0, 3, 2)));
	return v;
}

/* Butterflies over distances h and 2h, h a multiple of 16, in one pass. */
INLINE void
fht_pass4(float *x, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i += 4 * h)
	{
		for (size_t j = i; j < i + h; j += 16)
		{
			__m512		a = _mm512_loadu_ps(x + j);
			__m512		b = _mm512_loadu_ps(x + j + h);
			__m512		c = _mm512_loadu_ps(x + j + 2 * h);
			__m512		d = _mm512_loadu_ps(x + j + 3 * h);
			__m512		ab = _mm512_add_ps(a, b);
			__m512		cd = _mm512_add_ps(c, d);

			a = _mm512_sub_ps(a, b);
			c = _mm512_sub_ps(c, d);
			_mm512_storeu_ps(x + j, _mm512_add_ps(ab, cd));
			_mm512_storeu_ps(x + j + h, _mm512_add_ps(a, c));
			_mm512_storeu_ps(x + j + 2 * h, _mm512_sub_ps(ab, cd));
			_mm512_storeu_ps(x + j + 3 * h, _mm512_sub_ps(a, c));
		}
	}
}

/* The last butterflies, over distance n / 2. */
INLINE void
fht_pass2(float *x, size_t n)
{
	size_t		h = n / 2;

	for (size_t j = 0; j < h; j += 16)
	{
		__m512		a = _mm512_loadu_ps(x + j);
		__m512		b = _mm512_loadu_ps(x + j + h);

		_mm512_storeu_ps(x + j, _mm512_add_ps(a, b));
		_mm512_storeu_ps(x + j + h, _mm512_sub_ps(a, b));
	}
}

TARGET static void
fht_f32(float *x, size_t n)
{
	__m512		scale;
	size_t		h = 16;

	if (n < 16)
	{
		diskann_fht_f32_avx2(x, n);
		return;
	}

	scale = _mm512_set1_ps((float) (1.0 / sqrt((double) n)));
	for (size_t i = 0; i < n; i += 16)
		_mm512_storeu_ps(x + i, fht16(_mm512_mul_ps(_mm512_loadu_ps(x + i),
													scale)));
	for (; 4 * h <= n; h *= 4)
		fht_pass4(x, n, h);
	if (h < n)
		fht_pass2(x, n);
}

/* The estimates of edges j .. j + 15. */
INLINE __m512
estimate16(const uint16_t *hi, const uint16_t *lo, const char *adds,
		   const char *rescales, const DiskannEstimateFactors *factors, int j)
{
	__m256i		halves = _mm256_loadu_si256((const __m256i *)
											(rescales + 2 * j));
	__m512		factor = _mm512_mul_ps(_mm512_set1_ps(factors->scale),
									   f16_ps(halves));
	__m512		add = _mm512_add_ps(_mm512_set1_ps(factors->base),
									_mm512_loadu_ps(adds + 4 * j));
	__m512		sum = load_u16_ps(hi + j);
	__m512		w;

	if (lo != NULL)
		sum = _mm512_fmadd_ps(load_u16_ps(lo + j), _mm512_set1_ps(0.5f), sum);
	w = _mm512_fmadd_ps(_mm512_set1_ps(factors->step), sum,
						_mm512_set1_ps(factors->offset));
	return _mm512_fmadd_ps(factor, w, add);
}

TARGET static void
estimate32(const uint16_t hi[DISKANN_EDGE_BLOCK], const uint16_t *lo,
		   const void *f_add, const void *f_rescale,
		   const DiskannEstimateFactors *factors,
		   float out[DISKANN_EDGE_BLOCK])
{
	/* both before the first store, which as far as C knows may alias */
	__m512		e0 = estimate16(hi, lo, f_add, f_rescale, factors, 0);
	__m512		e1 = estimate16(hi, lo, f_add, f_rescale, factors, 16);

	_mm512_storeu_ps(out, e0);
	_mm512_storeu_ps(out + 16, e1);
}

/* What the table of AMX (amx.c) has as well. */
#define COMMON_KERNELS \
	.decode_i8 = diskann_decode_i8_avx2, \
	.l2sq_f32 = l2sq_f32, \
	.l2sq_f64 = l2sq_f64, \
	.dot_f32 = dot_f32, \
	.dot_f64 = dot_f64, \
	.cosine_f32 = cosine_f32, \
	.cosine_f64 = cosine_f64, \
	.dot_f32_i8 = dot_f32_i8, \
	.dot_f32_f16 = dot_f32_f16, \
	.decode_f16 = diskann_decode_f16_avx2, \
	.dot_i8 = dot_i8, \
	.dot4_i8 = dot4_i8, \
	.l2sq_of_dots = diskann_l2sq_of_dots_avx2, \
	.keep_least = keep_least, \
	.fht_f32 = fht_f32, \
	.fastscan32 = diskann_fastscan32_avx512, \
	.estimate32 = estimate32, \
	.encode_edge = diskann_encode_edge_avx2

const DiskannKernels diskann_kernels_avx512 = {
	.name = "avx512",
	.dot_i8_panels = dot_i8_panels,
	COMMON_KERNELS
};

#ifdef DISKANN_KERNELS_AMX
const DiskannKernels diskann_kernels_amx = {
	.name = "amx",
	.dot_i8_panels = diskann_dot_i8_panels_amx,
	COMMON_KERNELS
};
#endif

#endif							/* DISKANN_KERNELS_X86 */
