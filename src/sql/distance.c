/*-------------------------------------------------------------------------
 *
 * distance.c
 *	  Distance and vector functions on real[] and double precision[].
 *
 * Each C function serves all SQL signatures of its name: DiskannArrayRead
 * finds the element types in the values.  Two real vectors are compared in
 * single precision, with double precision on either side in double.
 *
 * Results are what IEEE arithmetic on the elements gives, NaN and infinity
 * included, as if squares had no range limit: sums that overflowed, or are so
 * small that squares underflowed, are computed again in a wider type or with
 * scaled elements.  That is rare, so those paths are plain rather than fast.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/distance.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "values/arrays.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "kernels/kernels.h"
#include "utils/array.h"

/*
 * Sums of squares between these bounds are good to the last bits: nothing
 * overflowed, and squares lost to underflow are too small to matter.  Those
 * of double precision also allow two such sums to be multiplied.
 */
#define FLOAT4_SUM_MIN (FLT_MIN / FLT_EPSILON)
#define FLOAT4_SUM_MAX FLT_MAX
#define FLOAT8_SUM_MIN 1e-140
#define FLOAT8_SUM_MAX 1e140

/* False for NaN. */
#define FLOAT4_SUM_OK(sum) ((sum) >= FLOAT4_SUM_MIN && (sum) <= FLOAT4_SUM_MAX)
#define FLOAT8_SUM_OK(sum) ((sum) >= FLOAT8_SUM_MIN && (sum) <= FLOAT8_SUM_MAX)

/* Two vectors of equal length and, once read, equal element type. */
typedef struct VectorPair
{
	DiskannArray a;
	DiskannArray b;
	Pointer		a_copy;			/* owned memory behind a.data, or NULL */
	Pointer		b_copy;			/* the same for b */
} VectorPair;

PG_FUNCTION_INFO_V1(diskann_l2_distance);
PG_FUNCTION_INFO_V1(diskann_inner_product);
PG_FUNCTION_INFO_V1(diskann_negative_inner_product);
PG_FUNCTION_INFO_V1(diskann_cosine_distance);
PG_FUNCTION_INFO_V1(diskann_vector_norm);
PG_FUNCTION_INFO_V1(diskann_vector_dims);
PG_FUNCTION_INFO_V1(diskann_l2_normalize);

/*
 * Free what copy points to, if anything.
 */
static inline void
free_copy(Pointer copy)
{
	if (copy != NULL)
		pfree(copy);
}

/*
 * Turn a vector into double precision if it is not.  Its previous copy, if
 * any, is freed; the new one is in the current memory context.
 */
static void
promote(DiskannArray *array, Pointer *copy)
{
	double	   *wide;

	if (array->elemtype == FLOAT8OID)
		return;

	wide = (double *) palloc(array->dims * sizeof(double));
	DiskannArrayToFloat8(array, wide);
	free_copy(*copy);

	array->elemtype = FLOAT8OID;
	array->data = wide;
	*copy = (Pointer) wide;
}

/*
 * Read both arguments and give them one element type.
 *
 * Errors: those of DiskannArrayRead, different lengths.  The caller releases
 * the pair with pair_free, so that a function called for each row of a long
 * scan holds no memory between calls.
 */
static void
pair_read(FunctionCallInfo fcinfo, VectorPair *pair)
{
	DiskannArrayRead(PG_GETARG_DATUM(0), &pair->a, &pair->a_copy);
	DiskannArrayRead(PG_GETARG_DATUM(1), &pair->b, &pair->b_copy);

	if (pair->a.dims != pair->b.dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("different vector dimensions %d and %d",
						pair->a.dims, pair->b.dims)));

	if (pair->a.elemtype != pair->b.elemtype)
	{
		promote(&pair->a, &pair->a_copy);
		promote(&pair->b, &pair->b_copy);
	}
}

/*
 * Release what pair_read and promote have allocated.
 */
static void
pair_free(VectorPair *pair)
{
	free_copy(pair->a_copy);
	free_copy(pair->b_copy);
}

/*
 * Scale x in place by a power of two, which is exact, so that its largest
 * element is in 0.5..1, and return the exponent that undoes it.  Left alone,
 * with exponent 0, if there is an infinity or nothing but zeros.
 */
static int
scale_down(double *x, int n)
{
	double		largest = 0.0;
	int			exponent;

	/* NaN compares as not larger, and stays NaN below */
	for (int i = 0; i < n; i++)
	{
		if (fabs(x[i]) > largest)
			largest = fabs(x[i]);
	}
	if (largest == 0.0 || isinf(largest))
		return 0;

	frexp(largest, &exponent);
	for (int i = 0; i < n; i++)
		x[i] = ldexp(x[i], -exponent);
	return exponent;
}

/*
 * Euclidean length of x, which is scaled in place.
 */
static double
scaled_norm(double *x, int n)
{
	int			exponent = scale_down(x, n);
	double		sum = 0.0;

	for (int i = 0; i < n; i++)
		sum += x[i] * x[i];
	return ldexp(sqrt(sum), exponent);
}

/*
 * A copy of n doubles in the current memory context.
 */
static double *
copy_doubles(const double *x, int n)
{
	double	   *copy = (double *) palloc(n * sizeof(double));

	memcpy(copy, x, n * sizeof(double));
	return copy;
}

/*
 * Euclidean length of a vector of doubles.
 */
static double
norm_float8(const double *x, int n)
{
	double		sum = diskann_kernels->dot_f64(x, x, n);
	double		norm;
	double	   *copy;

	if (FLOAT8_SUM_OK(sum))
		return sqrt(sum);

	copy = copy_doubles(x, n);
	norm = scaled_norm(copy, n);
	pfree(copy);
	return norm;
}

/*
 * Euclidean distance of two vectors of doubles.
 */
static double
l2_float8(const double *a, const double *b, int n)
{
	double		sum = diskann_kernels->l2sq_f64(a, b, n);
	double		distance;
	double	   *diff;

	if (FLOAT8_SUM_OK(sum))
		return sqrt(sum);

	diff = copy_doubles(a, n);
	for (int i = 0; i < n; i++)
		diff[i] -= b[i];
	distance = scaled_norm(diff, n);
	pfree(diff);
	return distance;
}

/*
 * Cosine distance from the three sums a.b, a.a and b.b, in 0..2 or NaN.
 *
 * A zero vector has no direction; 1, as if at a right angle to everything,
 * keeps such rows sortable.  One square root of the product, instead of a
 * product of roots, makes the distance of a vector to itself exactly 0.
 */
static double
cosine_from_sums(double ab, double aa, double bb)
{
	double		similarity;

	if (aa == 0.0 || bb == 0.0)
		return 1.0;

	similarity = ab / sqrt(aa * bb);
	if (similarity > 1.0)
		similarity = 1.0;
	else if (similarity < -1.0)
		similarity = -1.0;
	return 1.0 - similarity;
}

/*
 * Cosine distance of two vectors of doubles.
 */
static double
cosine_float8(const double *a, const double *b, int n)
{
	double		sums[3];
	double	   *a_copy;
	double	   *b_copy;

	diskann_kernels->cosine_f64(a, b, n, sums);
	if (FLOAT8_SUM_OK(sums[1]) && FLOAT8_SUM_OK(sums[2]))
		return cosine_from_sums(sums[0], sums[1], sums[2]);

	/* the angle does not depend on the scale */
	a_copy = copy_doubles(a, n);
	b_copy = copy_doubles(b, n);
	scale_down(a_copy, n);
	scale_down(b_copy, n);
	memset(sums, 0, sizeof(sums));
	for (int i = 0; i < n; i++)
	{
		sums[0] += a_copy[i] * b_copy[i];
		sums[1] += a_copy[i] * a_copy[i];
		sums[2] += b_copy[i] * b_copy[i];
	}
	pfree(a_copy);
	pfree(b_copy);
	return cosine_from_sums(sums[0], sums[1], sums[2]);
}

/*
 * Euclidean distance.  Promotes the pair where floats do not suffice.
 */
static double
pair_l2(VectorPair *pair)
{
	if (pair->a.elemtype == FLOAT4OID)
	{
		float		sum = diskann_kernels->l2sq_f32(pair->a.data, pair->b.data,
													pair->a.dims);

		if (FLOAT4_SUM_OK(sum))
			return sqrt((double) sum);
		promote(&pair->a, &pair->a_copy);
		promote(&pair->b, &pair->b_copy);
	}
	return l2_float8(pair->a.data, pair->b.data, pair->a.dims);
}

/*
 * Inner product.  Promotes the pair where floats do not suffice.
 */
static double
pair_inner_product(VectorPair *pair)
{
	if (pair->a.elemtype == FLOAT4OID)
	{
		float		sum = diskann_kernels->dot_f32(pair->a.data, pair->b.data,
												   pair->a.dims);

		/* terms may cancel, so that a small sum proves nothing */
		if (isfinite(sum))
			return sum;
		promote(&pair->a, &pair->a_copy);
		promote(&pair->b, &pair->b_copy);
	}
	return diskann_kernels->dot_f64(pair->a.data, pair->b.data, pair->a.dims);
}

/*
 * Cosine distance.  Promotes the pair where floats do not suffice.
 */
static double
pair_cosine(VectorPair *pair)
{
	if (pair->a.elemtype == FLOAT4OID)
	{
		float		sums[3];

		diskann_kernels->cosine_f32(pair->a.data, pair->b.data, pair->a.dims,
									sums);
		if (FLOAT4_SUM_OK(sums[1]) && FLOAT4_SUM_OK(sums[2]))
			return cosine_from_sums(sums[0], sums[1], sums[2]);
		promote(&pair->a, &pair->a_copy);
		promote(&pair->b, &pair->b_copy);
	}
	return cosine_float8(pair->a.data, pair->b.data, pair->a.dims);
}

/*
 * An array of dims zeros in the current memory context; *data is its first
 * element.
 */
static ArrayType *
new_vector(Oid elemtype, int dims, void **data)
{
	size_t		size = ARR_OVERHEAD_NONULLS(1);
	ArrayType  *array;

	if (elemtype == FLOAT4OID)
		size += dims * sizeof(float);
	else
		size += dims * sizeof(double);
	array = (ArrayType *) palloc0(size);

	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;		/* no null bitmap */
	array->elemtype = elemtype;
	ARR_DIMS(array)[0] = dims;
	ARR_LBOUND(array)[0] = 1;
	*data = (char *) array + ARR_OVERHEAD_NONULLS(1);
	return array;
}

/*
 * l2_distance(a, b) and the operator <->.  Errors: see pair_read.
 */
Datum
diskann_l2_distance(PG_FUNCTION_ARGS)
{
	VectorPair	pair;
	double		result;

	pair_read(fcinfo, &pair);
	result = pair_l2(&pair);
	pair_free(&pair);
	PG_RETURN_FLOAT8(result);
}

/*
 * inner_product(a, b).  Errors: see pair_read.
 */
Datum
diskann_inner_product(PG_FUNCTION_ARGS)
{
	VectorPair	pair;
	double		result;

	pair_read(fcinfo, &pair);
	result = pair_inner_product(&pair);
	pair_free(&pair);
	PG_RETURN_FLOAT8(result);
}

/*
 * negative_inner_product(a, b) and the operator <#>, which sorts the largest
 * inner product first.  Errors: see pair_read.
 */
Datum
diskann_negative_inner_product(PG_FUNCTION_ARGS)
{
	VectorPair	pair;
	double		result;

	pair_read(fcinfo, &pair);
	result = pair_inner_product(&pair);
	pair_free(&pair);

	/* a subtraction, as the negation of 0 would print as -0 */
	PG_RETURN_FLOAT8(0.0 - result);
}

/*
 * cosine_distance(a, b) and the operator <=>.  Errors: see pair_read.
 */
Datum
diskann_cosine_distance(PG_FUNCTION_ARGS)
{
	VectorPair	pair;
	double		result;

	pair_read(fcinfo, &pair);
	result = pair_cosine(&pair);
	pair_free(&pair);
	PG_RETURN_FLOAT8(result);
}

/*
 * vector_norm(a): Euclidean length.  Errors: see DiskannArrayRead.
 */
Datum
diskann_vector_norm(PG_FUNCTION_ARGS)
{
	DiskannArray array;
	Pointer		copy;
	double		result;

	DiskannArrayRead(PG_GETARG_DATUM(0), &array, &copy);
	if (array.elemtype == FLOAT4OID)
	{
		float		sum = diskann_kernels->dot_f32(array.data, array.data,
												   array.dims);

		if (FLOAT4_SUM_OK(sum))
		{
			free_copy(copy);
			PG_RETURN_FLOAT8(sqrt((double) sum));
		}
		promote(&array, &copy);
	}
	result = norm_float8(array.data, array.dims);
	free_copy(copy);
	PG_RETURN_FLOAT8(result);
}

/*
 * vector_dims(a): number of elements.  Errors: see DiskannArrayRead.
 */
Datum
diskann_vector_dims(PG_FUNCTION_ARGS)
{
	DiskannArray array;
	Pointer		copy;

	DiskannArrayRead(PG_GETARG_DATUM(0), &array, &copy);
	free_copy(copy);
	PG_RETURN_INT32(array.dims);
}

/*
 * l2_normalize(a): a divided by its length, of the type of a; a zero vector
 * is returned as it is.  Errors: see DiskannArrayRead.
 */
Datum
diskann_l2_normalize(PG_FUNCTION_ARGS)
{
	DiskannArray array;
	Pointer		copy;
	ArrayType  *result;
	void	   *out;
	double	   *x;
	double		sum;
	double		norm;

	DiskannArrayRead(PG_GETARG_DATUM(0), &array, &copy);
	result = new_vector(array.elemtype, array.dims, &out);

	x = (double *) palloc(array.dims * sizeof(double));
	DiskannArrayToFloat8(&array, x);
	sum = diskann_kernels->dot_f64(x, x, array.dims);
	if (!FLOAT8_SUM_OK(sum))
	{
		scale_down(x, array.dims);
		sum = diskann_kernels->dot_f64(x, x, array.dims);
	}
	norm = sum == 0.0 ? 1.0 : sqrt(sum);

	for (int i = 0; i < array.dims; i++)
	{
		if (array.elemtype == FLOAT4OID)
			((float *) out)[i] = (float) (x[i] / norm);
		else
			((double *) out)[i] = x[i] / norm;
	}

	pfree(x);
	free_copy(copy);
	PG_RETURN_ARRAYTYPE_P(result);
}
