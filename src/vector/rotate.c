/*-------------------------------------------------------------------------
 *
 * rotate.c
 *	  Seeded random rotation: signs, Hadamard transforms, Kac steps.
 *
 * A segment of n coordinates is rotated in rounds.  Each round flips random
 * signs and applies a Hadamard transform to 2^k <= n coordinates, alternately
 * the first and the last ones; when n is not a power of two a Kac step (45
 * degree plane rotations between the two halves) after every second round mixes
 * what the transforms did not.  Two rounds suffice when the transform covers
 * everything.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/vector/rotate.c
 *
 *-------------------------------------------------------------------------
 */
#include "vector/rotate.h"

#include "kernels/kernels.h"

uint64_t
diskann_random64(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

size_t
diskann_rotation_signs(int dims)
{
	return (size_t) DISKANN_ROTATION_ROUNDS * dims;
}

void
diskann_rotation_init(DiskannRotation *rot, int dims, int prefix,
					  uint64_t seed, float *signs)
{
	size_t		count = diskann_rotation_signs(dims);
	uint64_t	state = seed;
	uint64_t	bits = 0;

	rot->dims = dims;
	rot->prefix = prefix;
	rot->signs = signs;
	for (size_t i = 0; i < count; i++)
	{
		if (i % 64 == 0)
			bits = diskann_random64(&state);
		signs[i] = (bits >> (i % 64)) & 1 ? 1.0f : -1.0f;
	}
}

/*
 * Rotate each coordinate of the first half with its partner in the last half
 * by 45 degrees; the middle coordinate of an odd n stays.
 */
static void
kac_step(float *x, int n)
{
	const float c = 0.70710678118654752f;
	int			half = n / 2;
	float	   *y = x + (n - half);

	for (int i = 0; i < half; i++)
	{
		float		a = x[i];
		float		b = y[i];

		x[i] = (a + b) * c;
		y[i] = (a - b) * c;
	}
}

/* signs has one row of stride floats a round. */
static void
rotate_segment(float *x, int n, const float *signs, int stride)
{
	int			pow2 = 1;
	int			rounds;

	while (pow2 * 2 <= n)
		pow2 *= 2;
	rounds = (pow2 == n) ? 2 : DISKANN_ROTATION_ROUNDS;

	for (int round = 0; round < rounds; round++)
	{
		const float *s = signs + (size_t) round * stride;

		for (int i = 0; i < n; i++)
			x[i] *= s[i];
		diskann_kernels->fht_f32(round % 2 == 0 ? x : x + (n - pow2), pow2);

		/*
		 * Only when both ends have been transformed: a Kac step before that
		 * would move a coordinate the first transform missed, not spread it.
		 */
		if (pow2 != n && round % 2 == 1)
			kac_step(x, n);
	}
}

void
diskann_rotate(const DiskannRotation *rot, float *x)
{
	rotate_segment(x, rot->prefix, rot->signs, rot->dims);
	if (rot->prefix < rot->dims)
		rotate_segment(x + rot->prefix, rot->dims - rot->prefix,
					   rot->signs + rot->prefix, rot->dims);
}
