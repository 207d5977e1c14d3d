/*-------------------------------------------------------------------------
 *
 * neon.c
 *	  Kernels for 64-bit ARM, using the base instruction set only.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/neon.c
 *
 *-------------------------------------------------------------------------
 */
#include "kernels/half.h"
#include "kernels/kernels_internal.h"

#ifdef DISKANN_KERNELS_NEON

#include <arm_neon.h>
#include <math.h>
#include <string.h>

/* The sums must stay in registers, so this is no matter of taste. */
#define INLINE __attribute__((always_inline)) static inline

INLINE float
sum4_f32(float32x4_t s0, float32x4_t s1, float32x4_t s2, float32x4_t s3)
{
	return vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3)));
}

INLINE double
sum4_f64(float64x2_t s0, float64x2_t s1, float64x2_t s2, float64x2_t s3)
{
	return vaddvq_f64(vaddq_f64(vaddq_f64(s0, s1), vaddq_f64(s2, s3)));
}

/* Four half floats as floats; bytes, because they may be unaligned. */
INLINE float32x4_t
load_f16(const uint8_t *x)
{
	return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(x)));
}

/* s + (a - b)^2 */
INLINE float32x4_t
l2_f32(float32x4_t s, const float *a, const float *b)
{
	float32x4_t d = vsubq_f32(vld1q_f32(a), vld1q_f32(b));

	return vfmaq_f32(s, d, d);
}

static float
l2sq_f32(const float *a, const float *b, size_t n)
{
	float32x4_t s0 = vdupq_n_f32(0);
	float32x4_t s1 = s0;
	float32x4_t s2 = s0;
	float32x4_t s3 = s0;
	float		tail = 0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		s0 = l2_f32(s0, a + i, b + i);
		s1 = l2_f32(s1, a + i + 4, b + i + 4);
		s2 = l2_f32(s2, a + i + 8, b + i + 8);
		s3 = l2_f32(s3, a + i + 12, b + i + 12);
	}
	for (; i + 4 <= n; i += 4)
		s0 = l2_f32(s0, a + i, b + i);
	for (; i < n; i++)
		tail += (a[i] - b[i]) * (a[i] - b[i]);
	return sum4_f32(s0, s1, s2, s3) + tail;
}

/* s + (a - b)^2 */
INLINE float64x2_t
l2_f64(float64x2_t s, const double *a, const double *b)
{
	float64x2_t d = vsubq_f64(vld1q_f64(a), vld1q_f64(b));

	return vfmaq_f64(s, d, d);
}

static double
l2sq_f64(const double *a, const double *b, size_t n)
{
	float64x2_t s0 = vdupq_n_f64(0);
	float64x2_t s1 = s0;
	float64x2_t s2 = s0;
	float64x2_t s3 = s0;
	double		tail = 0;
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		s0 = l2_f64(s0, a + i, b + i);
		s1 = l2_f64(s1, a + i + 2, b + i + 2);
		s2 = l2_f64(s2, a + i + 4, b + i + 4);
		s3 = l2_f64(s3, a + i + 6, b + i + 6);
	}
	for (; i + 2 <= n; i += 2)
		s0 = l2_f64(s0, a + i, b + i);
	for (; i < n; i++)
		tail += (a[i] - b[i]) * (a[i] - b[i]);
	return sum4_f64(s0, s1, s2, s3) + tail;
}

INLINE float32x4_t
mul_f32(float32x4_t s, const float *a, const float *b)
{
	return vfmaq_f32(s, vld1q_f32(a), vld1q_f32(b));
}

static float
dot_f32(const float *a, const float *b, size_t n)
{
	float32x4_t s0 = vdupq_n_f32(0);
	float32x4_t s1 = s0;
	float32x4_t s2 = s0;
	float32x4_t s3 = s0;
	float		tail = 0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		s0 = mul_f32(s0, a + i, b + i);
		s1 = mul_f32(s1, a + i + 4, b + i + 4);
		s2 = mul_f32(s2, a + i + 8, b + i + 8);
		s3 = mul_f32(s3, a + i + 12, b + i + 12);
	}
	for (; i + 4 <= n; i += 4)
		s0 = mul_f32(s0, a + i, b + i);
	for (; i < n; i++)
		tail += a[i] * b[i];
	return sum4_f32(s0, s1, s2, s3) + tail;
}

INLINE float64x2_t
mul_f64(float64x2_t s, const double *a, const double *b)
{
	return vfmaq_f64(s, vld1q_f64(a), vld1q_f64(b));
}

static double
dot_f64(const double *a, const double *b, size_t n)
{
	float64x2_t s0 = vdupq_n_f64(0);
	float64x2_t s1 = s0;
	float64x2_t s2 = s0;
	float64x2_t s3 = s0;
	double		tail = 0;
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		s0 = mul_f64(s0, a + i, b + i);
		s1 = mul_f64(s1, a + i + 2, b + i + 2);
		s2 = mul_f64(s2, a + i + 4, b + i + 4);
		s3 = mul_f64(s3, a + i + 6, b + i + 6);
	}
	for (; i + 2 <= n; i += 2)
		s0 = mul_f64(s0, a + i, b + i);
	for (; i < n; i++)
		tail += a[i] * b[i];
	return sum4_f64(s0, s1, s2, s3) + tail;
}

/* One of the independent sets of the three running sums of a cosine. */
typedef struct CosineF32
{
	float32x4_t ab;
	float32x4_t aa;
	float32x4_t bb;
} CosineF32;

typedef struct CosineF64
{
	float64x2_t ab;
	float64x2_t aa;
	float64x2_t bb;
} CosineF64;

INLINE void
cos_f32(CosineF32 *s, const float *a, const float *b)
{
	float32x4_t va = vld1q_f32(a);
	float32x4_t vb = vld1q_f32(b);

	s->ab = vfmaq_f32(s->ab, va, vb);
	s->aa = vfmaq_f32(s->aa, va, va);
	s->bb = vfmaq_f32(s->bb, vb, vb);
}

static void
cosine_f32(const float *a, const float *b, size_t n, float out[3])
{
	const float32x4_t zero = vdupq_n_f32(0);
	CosineF32	s0 = {zero, zero, zero};
	CosineF32	s1 = s0;
	CosineF32	s2 = s0;
	CosineF32	s3 = s0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		cos_f32(&s0, a + i, b + i);
		cos_f32(&s1, a + i + 4, b + i + 4);
		cos_f32(&s2, a + i + 8, b + i + 8);
		cos_f32(&s3, a + i + 12, b + i + 12);
	}
	for (; i + 4 <= n; i += 4)
		cos_f32(&s0, a + i, b + i);
	out[0] = sum4_f32(s0.ab, s1.ab, s2.ab, s3.ab);
	out[1] = sum4_f32(s0.aa, s1.aa, s2.aa, s3.aa);
	out[2] = sum4_f32(s0.bb, s1.bb, s2.bb, s3.bb);
	for (; i < n; i++)
	{
		out[0] += a[i] * b[i];
		out[1] += a[i] * a[i];
		out[2] += b[i] * b[i];
	}
}

INLINE void
cos_f64(CosineF64 *s, const double *a, const double *b)
{
	float64x2_t va = vld1q_f64(a);
	float64x2_t vb = vld1q_f64(b);

	s->ab = vfmaq_f64(s->ab, va, vb);
	s->aa = vfmaq_f64(s->aa, va, va);
	s->bb = vfmaq_f64(s->bb, vb, vb);
}

static void
cosine_f64(const double *a, const double *b, size_t n, double out[3])
{
	const float64x2_t zero = vdupq_n_f64(0);
	CosineF64	s0 = {zero, zero, zero};
	CosineF64	s1 = s0;
	CosineF64	s2 = s0;
	CosineF64	s3 = s0;
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		cos_f64(&s0, a + i, b + i);
		cos_f64(&s1, a + i + 2, b + i + 2);
		cos_f64(&s2, a + i + 4, b + i + 4);
		cos_f64(&s3, a + i + 6, b + i + 6);
	}
	for (; i + 2 <= n; i += 2)
		cos_f64(&s0, a + i, b + i);
	out[0] = sum4_f64(s0.ab, s1.ab, s2.ab, s3.ab);
	out[1] = sum4_f64(s0.aa, s1.aa, s2.aa, s3.aa);
	out[2] = sum4_f64(s0.bb, s1.bb, s2.bb, s3.bb);
	for (; i < n; i++)
	{
		out[0] += a[i] * b[i];
		out[1] += a[i] * a[i];
		out[2] += b[i] * b[i];
	}
}

static float
dot_f32_i8(const float *q, const int8_t *x, size_t n)
{
	float32x4_t s0 = vdupq_n_f32(0);
	float32x4_t s1 = s0;
	float32x4_t s2 = s0;
	float32x4_t s3 = s0;
	float		tail = 0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		int8x16_t	bytes = vld1q_s8(x + i);
		int16x8_t	low = vmovl_s8(vget_low_s8(bytes));
		int16x8_t	high = vmovl_high_s8(bytes);

		s0 = vfmaq_f32(s0, vld1q_f32(q + i),
					   vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))));
		s1 = vfmaq_f32(s1, vld1q_f32(q + i + 4),
					   vcvtq_f32_s32(vmovl_high_s16(low)));
		s2 = vfmaq_f32(s2, vld1q_f32(q + i + 8),
					   vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))));
		s3 = vfmaq_f32(s3, vld1q_f32(q + i + 12),
					   vcvtq_f32_s32(vmovl_high_s16(high)));
	}
	for (; i < n; i++)
		tail += q[i] * (float) x[i];
	return sum4_f32(s0, s1, s2, s3) + tail;
}

INLINE float32x4_t
mul_f16(float32x4_t s, const float *q, const uint8_t *x)
{
	return vfmaq_f32(s, vld1q_f32(q), load_f16(x));
}

static float
dot_f32_f16(const float *q, const void *x, size_t n)
{
	const uint8_t *h = x;
	float32x4_t s0 = vdupq_n_f32(0);
	float32x4_t s1 = s0;
	float32x4_t s2 = s0;
	float32x4_t s3 = s0;
	float		tail = 0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		s0 = mul_f16(s0, q + i, h + 2 * i);
		s1 = mul_f16(s1, q + i + 4, h + 2 * i + 8);
		s2 = mul_f16(s2, q + i + 8, h + 2 * i + 16);
		s3 = mul_f16(s3, q + i + 12, h + 2 * i + 24);
	}
	for (; i + 4 <= n; i += 4)
		s0 = mul_f16(s0, q + i, h + 2 * i);
	for (; i < n; i++)
	{
		uint16_t	bits;

		memcpy(&bits, h + 2 * i, sizeof(bits));
		tail += q[i] * diskann_half_to_float(bits);
	}
	return sum4_f32(s0, s1, s2, s3) + tail;
}

static void
decode_i8(const int8_t *x, float scale, size_t n, float *out)
{
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		int16x8_t	v = vmovl_s8(vld1_s8(x + i));
		float32x4_t low = vcvtq_f32_s32(vmovl_s16(vget_low_s16(v)));
		float32x4_t high = vcvtq_f32_s32(vmovl_high_s16(v));

		vst1q_f32(out + i, vmulq_n_f32(low, scale));
		vst1q_f32(out + i + 4, vmulq_n_f32(high, scale));
	}
	for (; i < n; i++)
		out[i] = scale * x[i];
}

/* s + products, two of which (at most 2 * 127 * 127) fit 16 bits. */
INLINE int32x4_t
mul_s8(int32x4_t s, const int8_t *a, const int8_t *b)
{
	int8x16_t	va = vld1q_s8(a);
	int8x16_t	vb = vld1q_s8(b);
	int16x8_t	products = vmull_s8(vget_low_s8(va), vget_low_s8(vb));

	return vpadalq_s16(s, vmlal_high_s8(products, va, vb));
}

static int32_t
dot_i8(const int8_t *a, const int8_t *b, size_t n)
{
	int32x4_t	s0 = vdupq_n_s32(0);
	int32x4_t	s1 = s0;
	int32_t		tail = 0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = mul_s8(s0, a + i, b + i);
		s1 = mul_s8(s1, a + i + 16, b + i + 16);
	}
	if (i + 16 <= n)
	{
		s0 = mul_s8(s0, a + i, b + i);
		i += 16;
	}
	for (; i < n; i++)
		tail += (int32_t) a[i] * (int32_t) b[i];
	return vaddvq_s32(vaddq_s32(s0, s1)) + tail;
}

static void
decode_f16(const void *x, float scale, size_t n, float *out)
{
	const uint8_t *h = x;
	size_t		i = 0;

	for (; i + 4 <= n; i += 4)
		vst1q_f32(out + i, vmulq_n_f32(load_f16(h + 2 * i), scale));
	diskann_decode_f16_scalar(h + 2 * i, scale, n - i, out + i);
}

static void
dot4_i8(const int8_t *a, const int8_t *const others[4], size_t n,
		int32_t out[4])
{
	int32x4_t	s0 = vdupq_n_s32(0);
	int32x4_t	s1 = s0;
	int32x4_t	s2 = s0;
	int32x4_t	s3 = s0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		s0 = mul_s8(s0, a + i, others[0] + i);
		s1 = mul_s8(s1, a + i, others[1] + i);
		s2 = mul_s8(s2, a + i, others[2] + i);
		s3 = mul_s8(s3, a + i, others[3] + i);
	}
	vst1q_s32(out, vpaddq_s32(vpaddq_s32(s0, s1), vpaddq_s32(s2, s3)));
	for (; i < n; i++)
	{
		for (int k = 0; k < 4; k++)
			out[k] += (int32_t) a[i] * (int32_t) others[k][i];
	}
}

/* One row against one panel; sum[k] has two halves of columns 2k and 2k + 1. */
static inline void
dot_row_panel(const int8_t *row, const int8_t *panel, size_t ngroups,
			  int32_t *out)
{
	int32x4_t	sum[DISKANN_PANEL / 2];

	for (int k = 0; k < DISKANN_PANEL / 2; k++)
		sum[k] = vdupq_n_s32(0);
	for (size_t g = 0; g < ngroups; g++)
	{
		int32_t		four;
		int8x8_t	repeated;

		memcpy(&four, row + 4 * g, sizeof(four));
		repeated = vreinterpret_s8_s32(vdup_n_s32(four));
		for (int k = 0; k < DISKANN_PANEL / 2; k++)
			sum[k] = vpadalq_s16(sum[k],
								 vmull_s8(vld1_s8(panel + 8 * k), repeated));
		panel += DISKANN_PANEL_GROUP;
	}
	for (int k = 0; k < DISKANN_PANEL / 2; k += 2)
		vst1q_s32(out + 2 * k, vpaddq_s32(sum[k], sum[k + 1]));
}

static void
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

static void
l2sq_of_dots(void *dots, size_t n, float scale, float norm2,
			 const float *scales, const float *norms2)
{
	char	   *at = dots;
	size_t		i = 0;

	for (; i + 4 <= n; i += 4, at += 16)
	{
		float32x4_t dot = vcvtq_f32_s32(vld1q_s32((const int32_t *) at));
		float32x4_t factor = vmulq_n_f32(vld1q_f32(scales + i), 2 * scale);
		float32x4_t sum = vaddq_f32(vdupq_n_f32(norm2), vld1q_f32(norms2 + i));
		float32x4_t dist = vfmsq_f32(sum, factor, dot);

		vst1q_f32((float *) at, vmaxq_f32(dist, vdupq_n_f32(0)));
	}
	diskann_l2sq_of_dots_scalar(at, n - i, scale, norm2, scales + i,
								norms2 + i);
}

static void
keep_least(float *least, size_t k, const float *dist, uint32_t tag,
		   size_t npanels)
{
	const uint32x4_t mask = vdupq_n_u32(DISKANN_TAG_MASK);

	for (size_t p = 0; p < npanels; p++)
	{
		for (size_t j = 0; j < DISKANN_PANEL; j += 4, dist += 4)
		{
			uint32x4_t	bits = vreinterpretq_u32_f32(vld1q_f32(dist));
			float32x4_t key = vreinterpretq_f32_u32(vbslq_u32(mask,
															  vdupq_n_u32(tag),
															  bits));

			for (size_t i = 0; i < k; i++)
			{
				float	   *at = least + i * DISKANN_PANEL + j;
				float32x4_t kept = vld1q_f32(at);

				vst1q_f32(at, vminq_f32(kept, key));
				key = vmaxq_f32(kept, key);
			}
		}
		least += k * DISKANN_PANEL;
	}
}

/*
 * Butterflies over distances 1 and 2 within a register: an element with its
 * partner's bit clear becomes partner + self, else partner - self.
 */
INLINE float32x4_t
fht4(float32x4_t v)
{
	static const float signs[2][4] = {{1, -1, 1, -1}, {1, 1, -1, -1}};

	v = vfmaq_f32(vrev64q_f32(v), v, vld1q_f32(signs[0]));
	v = vfmaq_f32(vextq_f32(v, v, 2), v, vld1q_f32(signs[1]));
	return v;
}

/* Butterflies over distances h and 2h, h a multiple of 4, in one pass. */
INLINE void
fht_pass4(float *x, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i += 4 * h)
	{
		for (size_t j = i; j < i + h; j += 4)
		{
			float32x4_t a = vld1q_f32(x + j);
			float32x4_t b = vld1q_f32(x + j + h);
			float32x4_t c = vld1q_f32(x + j + 2 * h);
			float32x4_t d = vld1q_f32(x + j + 3 * h);
			float32x4_t ab = vaddq_f32(a, b);
			float32x4_t cd = vaddq_f32(c, d);

			a = vsubq_f32(a, b);
			c = vsubq_f32(c, d);
			vst1q_f32(x + j, vaddq_f32(ab, cd));
			vst1q_f32(x + j + h, vaddq_f32(a, c));
			vst1q_f32(x + j + 2 * h, vsubq_f32(ab, cd));
			vst1q_f32(x + j + 3 * h, vsubq_f32(a, c));
		}
	}
}

/* The last butterflies, over distance n / 2. */
INLINE void
fht_pass2(float *x, size_t n)
{
	size_t		h = n / 2;

	for (size_t j = 0; j < h; j += 4)
	{
		float32x4_t a = vld1q_f32(x + j);
		float32x4_t b = vld1q_f32(x + j + h);

		vst1q_f32(x + j, vaddq_f32(a, b));
		vst1q_f32(x + j + h, vsubq_f32(a, b));
	}
}

static void
fht_f32(float *x, size_t n)
{
	float		scale;
	size_t		h = 4;

	if (n < 4)
	{
		diskann_fht_f32_scalar(x, n);
		return;
	}

	scale = (float) (1.0 / sqrt((double) n));
	for (size_t i = 0; i < n; i += 4)
		vst1q_f32(x + i, fht4(vmulq_n_f32(vld1q_f32(x + i), scale)));
	for (; 4 * h <= n; h *= 4)
		fht_pass4(x, n, h);
	if (h < n)
		fht_pass2(x, n);
}

/* Sums of sixteen edges. */
typedef struct ScanSums
{
	uint16x8_t	first;
	uint16x8_t	last;
} ScanSums;

/* Look up both nibbles of bytes. */
INLINE void
scan_bytes(ScanSums *s, uint8x16_t codes, const uint8_t *low,
		   const uint8_t *high)
{
	uint8x16_t	x = vqtbl1q_u8(vld1q_u8(low), vandq_u8(codes, vdupq_n_u8(0x0f)));
	uint8x16_t	y = vqtbl1q_u8(vld1q_u8(high), vshrq_n_u8(codes, 4));

	s->first = vaddq_u16(s->first, vaddl_u8(vget_low_u8(x), vget_low_u8(y)));
	s->last = vaddq_u16(s->last, vaddl_high_u8(x, y));
}

/*
 * Look up sixteen edges in a tile, eight at codes and eight at codes + next;
 * the table of each nibble is step bytes behind that of the one before.
 */
INLINE void
scan_tile(ScanSums *s, const uint8_t *codes, size_t next, const uint8_t *lut,
		  size_t step)
{
	uint8x16_t	x = vld1q_u8(codes);
	uint8x16_t	y = vld1q_u8(codes + next);

	scan_bytes(s, vuzp1q_u8(x, y), lut, lut + step);
	scan_bytes(s, vuzp2q_u8(x, y), lut + 2 * step, lut + 3 * step);
}

static void
fastscan32(const uint8_t *codes, const uint8_t *lut, size_t ngroups,
		   uint16_t out[DISKANN_EDGE_BLOCK])
{
	const uint16x8_t zero = vdupq_n_u16(0);
	ScanSums	low = {zero, zero};
	ScanSums	high = {zero, zero};
	size_t		g = 0;

	for (; g + 2 * DISKANN_TILE <= ngroups; g += 2 * DISKANN_TILE)
	{
		const uint8_t *c = codes + 16 * g;
		const uint8_t *t = lut + 16 * g;

		scan_tile(&low, c, 32, t, 32);
		scan_tile(&low, c + 16, 32, t + 16, 32);
		scan_tile(&high, c + 64, 32, t, 32);
		scan_tile(&high, c + 80, 32, t + 16, 32);
	}
	if (g < ngroups)
	{
		scan_tile(&low, codes + 16 * g, 16, lut + 16 * g, 16);
		scan_tile(&high, codes + 16 * g + 32, 16, lut + 16 * g, 16);
	}
	vst1q_u16(out, low.first);
	vst1q_u16(out + 8, low.last);
	vst1q_u16(out + 16, high.first);
	vst1q_u16(out + 24, high.last);
}

/* Four table sums as floats. */
INLINE float32x4_t
load_u16(const uint16_t *x)
{
	return vcvtq_f32_u32(vmovl_u16(vld1_u16(x)));
}

static void
estimate32(const uint16_t hi[DISKANN_EDGE_BLOCK], const uint16_t *lo,
		   const void *f_add, const void *f_rescale,
		   const DiskannEstimateFactors *factors,
		   float out[DISKANN_EDGE_BLOCK])
{
	const float32x4_t base = vdupq_n_f32(factors->base);
	const float32x4_t offset = vdupq_n_f32(factors->offset);
	const uint8_t *adds = f_add;
	const uint8_t *rescales = f_rescale;

	for (int j = 0; j < DISKANN_EDGE_BLOCK; j += 4)
	{
		float32x4_t add = vreinterpretq_f32_u8(vld1q_u8(adds + 4 * j));
		float32x4_t factor = vmulq_n_f32(load_f16(rescales + 2 * j),
										 factors->scale);
		float32x4_t sum = load_u16(hi + j);
		float32x4_t w;

		if (lo != NULL)
			sum = vfmaq_n_f32(sum, load_u16(lo + j), 0.5f);
		w = vfmaq_n_f32(offset, sum, factors->step);
		vst1q_f32(out + j, vfmaq_f32(vaddq_f32(base, add), factor, w));
	}
}

/* Four signs as a nibble. */
INLINE uint8_t
nibble_of(uint32x4_t plus)
{
	static const uint32_t bits[4] = {1, 2, 4, 8};

	return (uint8_t) vaddvq_u32(vandq_u32(plus, vld1q_u32(bits)));
}

static void
encode_edge(const float *node, const float *neighbour, size_t n,
			float threshold, uint8_t *hi, uint8_t *lo, float out[2])
{
	float32x4_t ur = vdupq_n_f32(0);
	float32x4_t uc = ur;
	float		tail[2];
	size_t		i = 0;

	for (; i + 4 <= n; i += 4)
	{
		float32x4_t c = vld1q_f32(node + i);
		float32x4_t r = vsubq_f32(vld1q_f32(neighbour + i), c);
		uint32x4_t	plus = vcgezq_f32(r);
		float32x4_t size = vdupq_n_f32(1.0f);
		float32x4_t u;

		hi[i / 4] = nibble_of(plus);
		if (lo != NULL)
		{
			uint32x4_t	beyond = vcgtq_f32(vabsq_f32(r),
										   vdupq_n_f32(threshold));

			size = vbslq_f32(beyond, vdupq_n_f32(1.5f), vdupq_n_f32(0.5f));
			lo[i / 4] = nibble_of(vceqq_u32(plus, beyond));
		}
		u = vbslq_f32(plus, size, vnegq_f32(size));
		ur = vfmaq_f32(ur, u, r);
		uc = vfmaq_f32(uc, u, c);
	}
	diskann_encode_edge_scalar(node + i, neighbour + i, n - i, threshold,
							   hi + i / 4, lo != NULL ? lo + i / 4 : NULL,
							   tail);
	out[0] = vaddvq_f32(ur) + tail[0];
	out[1] = vaddvq_f32(uc) + tail[1];
}

const DiskannKernels diskann_kernels_neon = {
	.name = "neon",
	.l2sq_f32 = l2sq_f32,
	.l2sq_f64 = l2sq_f64,
	.dot_f32 = dot_f32,
	.dot_f64 = dot_f64,
	.cosine_f32 = cosine_f32,
	.cosine_f64 = cosine_f64,
	.dot_f32_i8 = dot_f32_i8,
	.dot_f32_f16 = dot_f32_f16,
	.decode_i8 = decode_i8,
	.decode_f16 = decode_f16,
	.dot_i8 = dot_i8,
	.dot4_i8 = dot4_i8,
	.dot_i8_panels = dot_i8_panels,
	.l2sq_of_dots = l2sq_of_dots,
	.keep_least = keep_least,
	.fht_f32 = fht_f32,
	.encode_edge = encode_edge,
	.fastscan32 = fastscan32,
	.estimate32 = estimate32,
};

#endif							/* DISKANN_KERNELS_NEON */
