/*-------------------------------------------------------------------------
 *
 * rotate.h
 *	  Seeded random rotation: signs, Hadamard transforms, Kac steps.
 *
 * An orthonormal map of R^dims that needs no training and no padding.  It
 * spreads the energy of any vector evenly over the coordinates, so that a
 * per-vector scale quantizes well, and the first coordinates of a rotated
 * vector are a random projection of it.  Plain C, no PostgreSQL header.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/vector/rotate.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_ROTATE_H
#define DISKANN_ROTATE_H

#include <stddef.h>
#include <stdint.h>

#define DISKANN_ROTATION_ROUNDS 4

typedef struct DiskannRotation
{
	int			dims;			/* length of the vectors rotated */
	int			prefix;			/* leading coordinates rotated among
								 * themselves; dims when there is no prefix */
	float	   *signs;			/* DISKANN_ROTATION_ROUNDS x dims of +1 / -1 */
} DiskannRotation;

/* Floats that diskann_rotation_init() writes to its signs argument. */
extern size_t diskann_rotation_signs(int dims);

/*
 * Fill *rot for vectors of dims coordinates from a seed.  signs points to
 * diskann_rotation_signs(dims) floats owned by the caller and kept as long as
 * the rotation is.  prefix is 1..dims.
 */
extern void diskann_rotation_init(DiskannRotation *rot, int dims, int prefix,
								  uint64_t seed, float *signs);

/* Rotate x (dims floats) in place. */
extern void diskann_rotate(const DiskannRotation *rot, float *x);

/* One step of the splitmix64 generator (Steele, Lea, Flood 2014). */
extern uint64_t diskann_random64(uint64_t *state);

#endif							/* DISKANN_ROTATE_H */
