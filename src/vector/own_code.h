/*-------------------------------------------------------------------------
 *
 * own_code.h
 *	  Codes of stored vectors, each node's own.
 *
 * All vectors here are in index space: rotated and centred (see
 * vector/space.h).  Plain C, no PostgreSQL header, no allocation.
 *
 * A vector x is stored as scale * code, code being int8, int8 with two or four
 * more bits a coordinate, half float or float32.  With norm2 = |scale * code|^2
 * kept beside it, the squared distance of a float query q is |q|^2 + norm2 -
 * 2 * scale * <q, code>; residual is the length of the rounding error, so that
 * the true distance is known within it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/vector/own_code.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_OWN_CODE_H
#define DISKANN_OWN_CODE_H

#include "kernels/kernels.h"

/*
 * Numbers are on disk; ascending by precision.  The code of INT10 and INT12
 * begins with that of INT8, byte for byte.
 */
typedef enum DiskannVectorKind
{
	DISKANN_INT8 = 1,
	DISKANN_INT10 = 2,
	DISKANN_INT12 = 3,
	DISKANN_FLOAT16 = 4,
	DISKANN_FLOAT32 = 5
} DiskannVectorKind;

typedef struct DiskannVectorFactors
{
	float		scale;			/* of the code */
	float		norm2;			/* squared length of the decoded vector */
	float		residual;		/* length of (decoded - original) */
} DiskannVectorFactors;

/* Bytes of the code of a vector of dims coordinates. */
extern size_t diskann_vector_bytes(DiskannVectorKind kind, int dims);

/* Does the code begin with that of DISKANN_INT8? */
static inline bool
diskann_vector_has_int8(DiskannVectorKind kind)
{
	return kind <= DISKANN_INT12;
}

extern void diskann_vector_encode(DiskannVectorKind kind, const float *x,
								  int dims, void *code,
								  DiskannVectorFactors *factors);
extern void diskann_vector_decode(DiskannVectorKind kind, const void *code,
								  float scale, int dims, float *out);

/* Squared distance between a query, with q2 = |q|^2, and a stored vector. */
extern float diskann_vector_distance(DiskannVectorKind kind, const float *q,
									 float q2, const void *code, float scale,
									 float norm2, int dims);

/* The kind's name, as options and reports show it; NULL if there is none. */
extern const char *diskann_vector_kind_name(int kind);

#endif							/* DISKANN_OWN_CODE_H */
