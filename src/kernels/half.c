/*-------------------------------------------------------------------------
 *
 * half.c
 *	  IEEE half floats.
 *
 * See half.h.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/half.c
 *
 *-------------------------------------------------------------------------
 */
#include "kernels/half.h"

#include <string.h>

/* Shift m right by shift (1..24), rounding to nearest even. */
static uint32_t
shift_round_even(uint32_t m, int shift)
{
	uint32_t	quotient = m >> shift;
	uint32_t	rest = m & ((UINT32_C(1) << shift) - 1);
	uint32_t	tie = UINT32_C(1) << (shift - 1);

	if (rest > tie || (rest == tie && (quotient & 1) != 0))
		quotient++;
	return quotient;
}

/* A NaN keeps the part of its payload that fits, and stays a NaN. */
static uint32_t
half_nan_from_bits(uint32_t x)
{
	uint32_t	payload = (x >> 13) & 0x3ff;

	return 0x7c00 | (payload != 0 ? payload : 0x200);
}

uint16_t
diskann_half_from_float(float f)
{
	uint32_t	x;
	uint32_t	sign;
	uint32_t	half;

	memcpy(&x, &f, sizeof(x));
	sign = (x >> 16) & 0x8000;
	x &= 0x7fffffff;

	if (x > 0x7f800000)
		half = half_nan_from_bits(x);
	else if (x >= 0x477ff000)	/* 65520 and above round to infinity */
		half = 0x7c00;
	else if (x >= 0x38800000)	/* 2^-14, least normal half float */
		half = shift_round_even(x - 0x38000000, 13);
	else if (x > 0x33000000)	/* 2^-25 is a tie, and goes to zero */
		half = shift_round_even((x & 0x7fffff) | 0x800000,
								126 - (int) (x >> 23));
	else
		half = 0;

	return (uint16_t) (sign | half);
}

float
diskann_half_to_float(uint16_t h)
{
	uint32_t	sign = (uint32_t) (h & 0x8000) << 16;
	uint32_t	exponent = (h >> 10) & 0x1f;
	uint32_t	mantissa = h & 0x3ff;
	uint32_t	x;
	float		f;

	if (exponent == 0)
	{
		/* zero or subnormal: exact, the unit is 2^-24 */
		f = (float) mantissa * 0x1p-24f;
		return sign != 0 ? -f : f;
	}
	if (exponent == 31)
		x = 0x7f800000 | (mantissa << 13);
	else
		x = ((exponent + 112) << 23) | (mantissa << 13);
	x |= sign;
	memcpy(&f, &x, sizeof(f));
	return f;
}
