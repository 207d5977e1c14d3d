/*-------------------------------------------------------------------------
 *
 * fastscan_avx2.c
 *	  FastScan for x86-64 with AVX2.
 *
 * A pair of tiles (kernels.h) is looked up at once, one in each half of a
 * register; a shuffle puts the bytes of one group side by side first.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/fastscan_avx2.c
 *
 *-------------------------------------------------------------------------
 */
#include "kernels/kernels_internal.h"

#ifdef DISKANN_KERNELS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))

/* The sums must stay in registers, so this is no matter of taste. */
#define INLINE TARGET __attribute__((always_inline)) static inline

/*
 * Sums of 16 bits of bytes that are not widened first: even has each even byte
 * plus 256 times its odd neighbour (overflow is harmless, all is modulo 2^16),
 * odd has the odd bytes, with which even is corrected at the end.  The halves
 * are two tiles' parts of the same edges.
 */
typedef struct ByteSums
{
	__m256i		even;
	__m256i		odd;
} ByteSums;

/* Sixteen sums in the order of the bytes, both halves added up. */
INLINE void
store_bytes(const ByteSums *s, uint16_t *out)
{
	__m256i		corrected = _mm256_sub_epi16(s->even,
											 _mm256_slli_epi16(s->odd, 8));
	__m128i		even = _mm_add_epi16(_mm256_castsi256_si128(corrected),
									 _mm256_extracti128_si256(corrected, 1));
	__m128i		odd = _mm_add_epi16(_mm256_castsi256_si128(s->odd),
									_mm256_extracti128_si256(s->odd, 1));

	_mm_storeu_si128((__m128i *) out, _mm_unpacklo_epi16(even, odd));
	_mm_storeu_si128((__m128i *) (out + 8), _mm_unpackhi_epi16(even, odd));
}

/* Tables of the four nibbles of an edge in a pair of tiles. */
typedef struct PairTables
{
	__m256i		t0;
	__m256i		t1;
	__m256i		t2;
	__m256i		t3;
} PairTables;

INLINE void
add_bytes(ByteSums *s, __m256i bytes)
{
	s->even = _mm256_add_epi16(s->even, bytes);
	s->odd = _mm256_add_epi16(s->odd, _mm256_srli_epi16(bytes, 8));
}

/* Look up both nibbles of bytes. */
INLINE void
scan_bytes(ByteSums *s, __m256i codes, __m256i low, __m256i high)
{
	const __m256i nibble = _mm256_set1_epi8(0x0f);
	__m256i		c = _mm256_and_si256(codes, nibble);

	add_bytes(s, _mm256_shuffle_epi8(low, c));
	c = _mm256_and_si256(_mm256_srli_epi16(codes, 4), nibble);
	add_bytes(s, _mm256_shuffle_epi8(high, c));
}

/* Look up sixteen edges in a pair of tiles, eight in each of x and y. */
INLINE void
scan_pair(ByteSums *s, __m256i x, __m256i y, const PairTables *tables)
{
	/* First the first bytes of edges, then the second ones. */
	const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14,
																	1, 3, 5, 7, 9, 11, 13, 15));
	__m256i		a = _mm256_shuffle_epi8(x, order);
	__m256i		b = _mm256_shuffle_epi8(y, order);

	scan_bytes(s, _mm256_unpacklo_epi64(a, b), tables->t0, tables->t1);
	scan_bytes(s, _mm256_unpackhi_epi64(a, b), tables->t2, tables->t3);
}

/* Thirty-two bytes. */
INLINE __m256i
load_bytes(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *) p);
}

/* Sixteen bytes, and zeroes. */
INLINE __m256i
load_half(const uint8_t *p)
{
	return _mm256_inserti128_si256(_mm256_setzero_si256(),
								   _mm_loadu_si128((const __m128i *) p), 0);
}

TARGET void
diskann_fastscan32_avx2(const uint8_t *codes, const uint8_t *lut, size_t ngroups,
						uint16_t out[DISKANN_EDGE_BLOCK])
{
	ByteSums	low;
	ByteSums	high;
	size_t		g = 0;

	low.even = low.odd = _mm256_setzero_si256();
	high.even = high.odd = _mm256_setzero_si256();
	for (; g + 2 * DISKANN_TILE <= ngroups; g += 2 * DISKANN_TILE)
	{
		const uint8_t *c = codes + 16 * g;
		const uint8_t *t = lut + 16 * g;
		PairTables	tables = {load_bytes(t), load_bytes(t + 32),
		load_bytes(t + 64), load_bytes(t + 96)};

		scan_pair(&low, load_bytes(c), load_bytes(c + 32), &tables);
		scan_pair(&high, load_bytes(c + 64), load_bytes(c + 96), &tables);
	}
	if (g < ngroups)
	{
		/* tables of zeroes in the upper half add nothing */
		const uint8_t *c = codes + 16 * g;
		const uint8_t *t = lut + 16 * g;
		PairTables	tables = {load_half(t), load_half(t + 16),
		load_half(t + 32), load_half(t + 48)};

		scan_pair(&low, load_half(c), load_half(c + 16), &tables);
		scan_pair(&high, load_half(c + 32), load_half(c + 48), &tables);
	}
	store_bytes(&low, out);
	store_bytes(&high, out + 16);
}

#endif							/* DISKANN_KERNELS_X86 */
