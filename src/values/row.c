/*-------------------------------------------------------------------------
 *
 * row.c
 *	  Values of indexed columns and of queries.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/row.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/genam.h"
#include "values/arrays.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "kernels/kernels.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "values/row.h"

static void
check_type(Relation rel, const DiskannSupport *support, Oid type)
{
	if (!support->type->accepts(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("operator class of index \"%s\" cannot read type %s",
						RelationGetRelationName(rel), format_type_be(type)),
				 errdetail("Its support function is for another type.")));
}

bool
DiskannIsVectorFamily(Oid family, Oid type)
{
	return OidIsValid(get_opfamily_proc(family, type, type,
										DISKANN_SUPPORT_PROC));
}

bool
DiskannIsVectorClass(Oid opclass)
{
	Oid			family;
	Oid			type;

	return get_opclass_opfamily_and_input_type(opclass, &family, &type) &&
		DiskannIsVectorFamily(family, type);
}

const DiskannSupport *
DiskannSupportOfClass(Oid opclass)
{
	Oid			family;
	Oid			type;

	if (!DiskannIsVectorClass(opclass) ||
		!get_opclass_opfamily_and_input_type(opclass, &family, &type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("operator class is not one of vectors")));
	return (const DiskannSupport *)
		DatumGetPointer(OidFunctionCall1(get_opfamily_proc(family, type, type,
														   DISKANN_SUPPORT_PROC),
										 PointerGetDatum(NULL)));
}

int
DiskannVectorColumn(Relation rel)
{
	int			natts = IndexRelationGetNumberOfAttributes(rel);
	int			found = -1;

	for (int column = 0; column < natts; column++)
	{
		if (!OidIsValid(index_getprocid(rel, column + 1,
										DISKANN_SUPPORT_PROC)))
			continue;
		if (found >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a diskann index has one column of vectors, not more"),
					 errhint("Create an index for each of them.  An array of numbers that serves for filters only takes operator class scalar_ops.")));
		found = column;
	}
	if (found < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no column of index \"%s\" is one of vectors",
						RelationGetRelationName(rel)),
				 errdetail("Columns whose operator class has no distance serve for filters only."),
				 errhint("Name one of type real[] or double precision[] or, with extension diskann_pgvector, of vector or halfvec.")));
	return found;
}

const DiskannSupport *
DiskannGetSupport(Relation rel)
{
	int			column = DiskannVectorColumn(rel);
	FmgrInfo   *proc = index_getprocinfo(rel, column + 1,
										 DISKANN_SUPPORT_PROC);

	/* Once for as long as the relation is cached. */
	if (proc->fn_extra == NULL)
	{
		Datum		result = FunctionCall1Coll(proc, InvalidOid,
											   PointerGetDatum(NULL));

		check_type(rel, (DiskannSupport *) DatumGetPointer(result),
				   rel->rd_opcintype[column]);
		proc->fn_extra = DatumGetPointer(result);
	}
	return (const DiskannSupport *) proc->fn_extra;
}

void
DiskannVerifyQueryType(Relation rel, const DiskannSupport *support, Oid type)
{
	if (OidIsValid(type) && type != rel->rd_opcintype[DiskannVectorColumn(rel)])
		check_type(rel, support, type);
}

static bool
is_array(Oid type)
{
	return type == FLOAT4ARRAYOID || type == FLOAT8ARRAYOID;
}

static void
read_array(Datum value, DiskannRow *row)
{
	DiskannArray array;
	Pointer		tofree = NULL;

	DiskannArrayRead(value, &array, &tofree);
	row->dims = array.dims;
	row->x = palloc(sizeof(float) * (array.dims + 1));
	DiskannArrayToFloat4(&array, row->x);
	row->hash = DiskannArrayHash(&array);
	if (tofree)
		pfree(tofree);
}

const DiskannType DiskannArrayType = {is_array, read_array, DISKANN_FLOAT32};

/*
 * Bring a vector whose squared length would overflow or vanish into range; for
 * cosine, where length does not matter.  False if it is zero.
 */
static bool
rescale_direction(float *x, int dims)
{
	float		max = 0;

	for (int i = 0; i < dims; i++)
		max = fmaxf(max, fabsf(x[i]));
	if (max == 0)
		return false;
	if (max < 1e-15f || max > 1e15f)
	{
		for (int i = 0; i < dims; i++)
			x[i] /= max;
	}
	return true;
}

/* Rows may be as long as this, squared. */
#define MAX_NORM2 (FLT_MAX / 16)

float
DiskannLengthLimit(DiskannMetric metric, float norm2)
{
	if (metric != DISKANN_INNER_PRODUCT)
		return 0;
	return norm2 > 0 ? Min(norm2, MAX_NORM2) : 1.0f;
}

static void
name_row(void *arg)
{
	const DiskannRowContext *context = arg;

	errcontext("while adding row (%u,%u) of table \"%s\" to index \"%s\"",
			   ItemPointerGetBlockNumber(context->tid),
			   ItemPointerGetOffsetNumber(context->tid),
			   RelationGetRelationName(context->heap),
			   RelationGetRelationName(context->rel));
}

void
DiskannEnterRow(DiskannRowContext *context, Relation rel, Relation heap,
				ItemPointer tid)
{
	context->callback.callback = name_row;
	context->callback.arg = context;
	context->callback.previous = error_context_stack;
	context->rel = rel;
	context->heap = heap;
	context->tid = tid;
	error_context_stack = &context->callback;
}

void
DiskannLeaveRow(DiskannRowContext *context)
{
	Assert(error_context_stack == &context->callback);
	error_context_stack = context->callback.previous;
}

void
DiskannVerifyDims(int dims, const DiskannRow *row, const char *hint)
{
	if (row->dims != dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("vector has %d dimensions, but the index has %d",
						row->dims, dims),
				 errdetail("All vectors of a diskann index have as many dimensions as its first row had."),
				 hint ? errhint("%s", hint) : 0));
}

bool
DiskannReadRow(const DiskannSupport *support, Datum value, int dims,
			   DiskannRow *row)
{
	support->type->read(value, row);
	if (row->dims > DISKANN_MAX_DIMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("vector has %d dimensions, but a diskann index holds at most %d",
						row->dims, DISKANN_MAX_DIMS)));
	if (dims > 0)
		DiskannVerifyDims(dims, row, NULL);
	if (!DiskannFiniteFloat4(row->x, row->dims))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("vector must not contain NaN, infinity, or values beyond the range of type real")));
	if (support->metric == DISKANN_COSINE)
		return rescale_direction(row->x, row->dims);

	/* Squared distances between two such vectors must not overflow. */
	if (!(diskann_kernels->dot_f32(row->x, row->x, row->dims) < MAX_NORM2))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("vector is too long for a diskann index"),
				 errdetail("Its squared length must be less than %g.",
						   MAX_NORM2)));
	return true;
}

bool
DiskannMayReadRow(const DiskannSupport *support, Datum value, int dims)
{
	DiskannRow	row;

	support->type->read(value, &row);
	return row.dims == dims && DiskannFiniteFloat4(row.x, row.dims) &&
		(support->metric == DISKANN_COSINE ||
		 diskann_kernels->dot_f32(row.x, row.x, row.dims) < MAX_NORM2);
}

/* One support function for each opclass, all alike. */
#define SUPPORT_FUNCTION(name, distance, type) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	static const DiskannSupport support = {distance, &type}; \
\
	PG_RETURN_POINTER(&support); \
} \
extern Datum name(PG_FUNCTION_ARGS)

SUPPORT_FUNCTION(diskann_real_l2_support, DISKANN_L2, DiskannArrayType);
SUPPORT_FUNCTION(diskann_real_cosine_support, DISKANN_COSINE, DiskannArrayType);
SUPPORT_FUNCTION(diskann_real_ip_support, DISKANN_INNER_PRODUCT, DiskannArrayType);
SUPPORT_FUNCTION(diskann_double_l2_support, DISKANN_L2, DiskannArrayType);
SUPPORT_FUNCTION(diskann_double_cosine_support, DISKANN_COSINE, DiskannArrayType);
SUPPORT_FUNCTION(diskann_double_ip_support, DISKANN_INNER_PRODUCT, DiskannArrayType);
SUPPORT_FUNCTION(diskann_vector_l2_support, DISKANN_L2, DiskannVectorType);
SUPPORT_FUNCTION(diskann_vector_cosine_support, DISKANN_COSINE, DiskannVectorType);
SUPPORT_FUNCTION(diskann_vector_ip_support, DISKANN_INNER_PRODUCT, DiskannVectorType);
SUPPORT_FUNCTION(diskann_halfvec_l2_support, DISKANN_L2, DiskannHalfvecType);
SUPPORT_FUNCTION(diskann_halfvec_cosine_support, DISKANN_COSINE, DiskannHalfvecType);
SUPPORT_FUNCTION(diskann_halfvec_ip_support, DISKANN_INNER_PRODUCT, DiskannHalfvecType);
