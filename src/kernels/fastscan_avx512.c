/*-------------------------------------------------------------------------
 *
 * fastscan_avx512.c
 *	  FastScan for x86-64 with AVX-512 F, BW and VL.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/fastscan_avx512.c
 *
 *-------------------------------------------------------------------------
 */
#include "kernels/kernels_internal.h"

#ifdef DISKANN_KERNELS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,avx512f,avx512bw,avx512vl")))

/* The sums must stay in registers, so this is no matter of taste. */
#define INLINE TARGET __attribute__((always_inline)) static inline

/*
 * Sums of bytes without widening, see fastscan_avx2.c.  The halves are
 * different edges, the quarters in each two tiles' parts of the same.
 */
typedef struct ByteSums
{
	__m512i		even;
	__m512i		odd;
} ByteSums;

/* The sums of one half: of eight edges, and of those 16 after each. */
INLINE void
store_half(__m256i even, __m256i odd, uint16_t *out)
{
	__m128i		o = _mm_add_epi16(_mm256_castsi256_si128(odd),
								  _mm256_extracti128_si256(odd, 1));
	__m128i		e = _mm_add_epi16(_mm256_castsi256_si128(even),
								  _mm256_extracti128_si256(even, 1));

	e = _mm_sub_epi16(e, _mm_slli_epi16(o, 8));
	_mm_storeu_si128((__m128i *) out, _mm_unpacklo_epi16(e, o));
	_mm_storeu_si128((__m128i *) (out + 16), _mm_unpackhi_epi16(e, o));
}

INLINE void
store_bytes(const ByteSums *s, uint16_t *out)
{
	store_half(_mm512_castsi512_si256(s->even), _mm512_castsi512_si256(s->odd),
			   out);
	store_half(_mm512_extracti64x4_epi64(s->even, 1),
			   _mm512_extracti64x4_epi64(s->odd, 1), out + 8);
}

INLINE void
add_bytes(ByteSums *s, __m512i bytes)
{
	s->even = _mm512_add_epi16(s->even, bytes);
	s->odd = _mm512_add_epi16(s->odd, _mm512_srli_epi16(bytes, 8));
}

/* Look up both nibbles of bytes. */
INLINE void
scan_bytes(ByteSums *s, __m512i codes, __m256i low, __m256i high)
{
	const __m512i nibble = _mm512_set1_epi8(0x0f);
	__m512i		c = _mm512_and_si512(codes, nibble);

	add_bytes(s, _mm512_shuffle_epi8(_mm512_broadcast_i64x4(low), c));
	c = _mm512_and_si512(_mm512_srli_epi16(codes, 4), nibble);
	add_bytes(s, _mm512_shuffle_epi8(_mm512_broadcast_i64x4(high), c));
}

/*
 * Look up a pair of tiles, sixteen edges in each of x and y: these get the
 * tables of a nibble, which are width bytes, from lut on.
 */
INLINE void
scan_pair(ByteSums *s, __m512i x, __m512i y, const uint8_t *lut,
		  __mmask32 mask, size_t width)
{
	/* First the first bytes of edges, then the second ones. */
	const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14,
															   1, 3, 5, 7, 9, 11, 13, 15));
	__m512i		a = _mm512_shuffle_epi8(x, order);
	__m512i		b = _mm512_shuffle_epi8(y, order);

	scan_bytes(s, _mm512_unpacklo_epi64(a, b),
			   _mm256_maskz_loadu_epi8(mask, lut),
			   _mm256_maskz_loadu_epi8(mask, lut + width));
	scan_bytes(s, _mm512_unpackhi_epi64(a, b),
			   _mm256_maskz_loadu_epi8(mask, lut + 2 * width),
			   _mm256_maskz_loadu_epi8(mask, lut + 3 * width));
}

/* Thirty-two bytes, sixteen in each half, and zeroes. */
INLINE __m512i
load_halves(const uint8_t *p)
{
	return _mm512_maskz_expandloadu_epi64(0x33, p);
}

TARGET void
diskann_fastscan32_avx512(const uint8_t *codes, const uint8_t *lut, size_t ngroups,
						  uint16_t out[DISKANN_EDGE_BLOCK])
{
	ByteSums	sums = {_mm512_setzero_si512(), _mm512_setzero_si512()};
	size_t		g = 0;

	for (; g + 2 * DISKANN_TILE <= ngroups; g += 2 * DISKANN_TILE)
		scan_pair(&sums, _mm512_loadu_si512(codes + 16 * g),
				  _mm512_loadu_si512(codes + 16 * g + 64), lut + 16 * g,
				  0xFFFFFFFF, 32);
	/* tables of zeroes for the tile that there is not add nothing */
	if (g < ngroups)
		scan_pair(&sums, load_halves(codes + 16 * g),
				  load_halves(codes + 16 * g + 32), lut + 16 * g, 0xFFFF, 16);
	store_bytes(&sums, out);
}

#endif							/* DISKANN_KERNELS_X86 */
