/*-------------------------------------------------------------------------
 *
 * half.h
 *	  IEEE half floats.
 *
 * Plain C, for any processor: kernels that have instructions for it use those.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/half.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_HALF_H
#define DISKANN_HALF_H

#include <stdint.h>

/* The greatest finite one. */
#define DISKANN_HALF_MAX 65504.0f

/*
 * Conversion, rounding to nearest, ties to even; any bit pattern is taken, and
 * a NaN stays one.
 */
extern uint16_t diskann_half_from_float(float f);
extern float diskann_half_to_float(uint16_t h);

#endif							/* DISKANN_HALF_H */
