/*-------------------------------------------------------------------------
 *
 * arrays.h
 *	  Reading real[] and double precision[] values as vectors.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/arrays.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_ARRAYS_H
#define DISKANN_ARRAYS_H

/* A one-dimensional array without nulls, seen as a vector. */
typedef struct DiskannArray
{
	Oid			elemtype;		/* FLOAT4OID or FLOAT8OID */
	int			dims;			/* number of elements, at least 1 */
	const void *data;			/* float or double elements, aligned for them */
} DiskannArray;

/* arrays.c */
extern void DiskannArrayRead(Datum value, DiskannArray *out, Pointer *tofree);
extern void DiskannArrayToFloat4(const DiskannArray *array, float *out);
extern void DiskannArrayToFloat8(const DiskannArray *array, double *out);
extern uint64 DiskannArrayHash(const DiskannArray *array);
extern bool DiskannFiniteFloat4(const float *x, int n);

#endif							/* DISKANN_ARRAYS_H */
