/*-------------------------------------------------------------------------
 *
 * arrays.c
 *	  Reading real[] and double precision[] values as vectors.
 *
 * The element type is taken from the array itself, so that one code path
 * serves both types and a query need not have the type of the column.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/arrays.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "values/arrays.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"

/* The exponent bits of a float, all set in infinities and NaNs alone. */
#define FLOAT4_EXPONENT 0x7f800000U

/*
 * Size in bytes of one element.
 */
static inline size_t
element_size(const DiskannArray *array)
{
	return array->elemtype == FLOAT4OID ? sizeof(float) : sizeof(double);
}

/*
 * Where the elements of a one-dimensional array begin.  ARR_DATA_PTR without
 * its comparison of a signed and an unsigned offset, which compilers mind.
 */
static inline const void *
elements(const ArrayType *array)
{
	int32		offset = (int32) ARR_OVERHEAD_NONULLS(1);

	if (ARR_HASNULL(array))
		offset = array->dataoffset;
	return (const char *) array + offset;
}

/*
 * Look at an array datum as a vector.
 *
 * out->data points into the datum where that is possible.  Else the array was
 * detoasted into the current memory context, *tofree is that copy, and
 * out->data must not be used after it was freed.  Without a copy *tofree is
 * NULL.  Lower bounds other than 1 are ignored.
 *
 * Errors: more than one array dimension, no element at all, a null element.
 * The length has no upper limit and elements may be infinite or NaN: what an
 * index cannot hold is for the index to refuse.
 */
void
DiskannArrayRead(Datum value, DiskannArray *out, Pointer *tofree)
{
	ArrayType  *array;

	/* a short varlena header would misalign the elements: always expand it */
	array = (ArrayType *) PG_DETOAST_DATUM(value);
	*tofree = NULL;
	if ((Pointer) array != DatumGetPointer(value))
		*tofree = (Pointer) array;

	if (ARR_ELEMTYPE(array) != FLOAT4OID && ARR_ELEMTYPE(array) != FLOAT8OID)
		elog(ERROR, "unexpected element type %u of a vector",
			 ARR_ELEMTYPE(array));
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("vector must be one-dimensional"),
				 errdetail("The array has %d dimensions.", ARR_NDIM(array))));
	if (ARR_NDIM(array) == 0 || ARR_DIMS(array)[0] <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("vector must have at least 1 dimension")));
	/* a null bitmap need not have a null in it */
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("vector must not contain nulls")));

	out->elemtype = ARR_ELEMTYPE(array);
	out->dims = ARR_DIMS(array)[0];
	out->data = elements(array);
	Assert((uintptr_t) out->data % element_size(out) == 0);
}

/*
 * Copy the elements to out, which has room for array->dims floats.
 *
 * A double beyond the range of a float becomes an infinity; a caller that
 * minds looks at the result with DiskannFiniteFloat4.
 */
void
DiskannArrayToFloat4(const DiskannArray *array, float *out)
{
	const double *x = (const double *) array->data;

	if (array->elemtype == FLOAT4OID)
	{
		memcpy(out, array->data, (size_t) array->dims * sizeof(float));
		return;
	}

	for (int i = 0; i < array->dims; i++)
		out[i] = (float) x[i];
}

/*
 * Copy the elements to out, which has room for array->dims doubles.  Exact.
 */
void
DiskannArrayToFloat8(const DiskannArray *array, double *out)
{
	const float *x = (const float *) array->data;

	if (array->elemtype == FLOAT8OID)
	{
		memcpy(out, array->data, (size_t) array->dims * sizeof(double));
		return;
	}

	for (int i = 0; i < array->dims; i++)
		out[i] = x[i];
}

/*
 * Hash of the elements as they lie in memory.
 *
 * It therefore tells 0 from -0 and real from double precision: comparable
 * within one column, and only on machines of the same byte order.
 */
uint64
DiskannArrayHash(const DiskannArray *array)
{
	/* an array is at most 1 GB, so its length in bytes is an int */
	return hash_bytes_extended((const unsigned char *) array->data,
							   (int) (array->dims * element_size(array)), 0);
}

/*
 * Is each of the n floats neither infinite nor NaN?
 *
 * Bits are collected without leaving the loop early, which the compiler can
 * turn into vector instructions: infinities are the exception.
 */
bool
DiskannFiniteFloat4(const float *x, int n)
{
	uint32		bad = 0;

	for (int i = 0; i < n; i++)
	{
		uint32		bits;

		memcpy(&bits, &x[i], sizeof(bits));
		bad |= ((bits & FLOAT4_EXPONENT) == FLOAT4_EXPONENT);
	}

	return bad == 0;
}
