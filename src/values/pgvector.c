/*-------------------------------------------------------------------------
 *
 * pgvector.c
 *	  Reading pgvector's types vector and halfvec.
 *
 * Their layouts are those of pgvector's headers vector.h and halfvec.h, which
 * that extension installs for others to use; they are repeated here, so that
 * one library serves with pgvector and without it.  Nothing is taken from a
 * value before its length has been compared with what it says of itself.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/pgvector.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "common/hashfn.h"
#include "compat.h"
#include "fmgr.h"
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "utils/syscache.h"
#include "values/row.h"

/* What both types begin with; float or uint16 elements follow. */
typedef struct VectorHeader
{
	int32		vl_len_;		/* varlena header, do not touch */
	int16		dim;
	int16		unused;			/* 0 */
} VectorHeader;

/*
 * A name proves nothing, as anybody may create a type of that name: it must be
 * the extension's own.
 */
static bool
is_pgvector_type(Oid type, const char *name)
{
	HeapTuple	tuple;
	bool		result;
	Oid			extension;
	char	   *extension_name;

	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_type) GETSTRUCT(tuple))->typlen == -1 &&
		strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), name) == 0;
	ReleaseSysCache(tuple);
	if (!result)
		return false;

	extension = getExtensionOfObject(TypeRelationId, type);
	extension_name = OidIsValid(extension) ? get_extension_name(extension) : NULL;
	return extension_name != NULL && strcmp(extension_name, "vector") == 0;
}

static bool
is_vector(Oid type)
{
	return is_pgvector_type(type, "vector");
}

static bool
is_halfvec(Oid type)
{
	return is_pgvector_type(type, "halfvec");
}

/*
 * Read a value whose elements have the given size, in bytes.  Returns the
 * elements, in the value itself or in a copy: *tofree, or NULL.
 */
static const void *
read_header(Datum value, Size element_size, DiskannRow *row, void **tofree)
{
	/* A short varlena header would misalign the elements: always expand it. */
	VectorHeader *vector = (VectorHeader *) PG_DETOAST_DATUM(value);
	const void *elements = vector + 1;
	Size		size = VARSIZE(vector);

	if (size < sizeof(VectorHeader) || vector->dim < 1 || vector->unused != 0 ||
		size != sizeof(VectorHeader) + vector->dim * element_size)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("vector has an impossible length"),
				 errdetail("A value of %zu bytes is not one of pgvector's.",
						   size)));
	row->dims = vector->dim;
	row->x = palloc(sizeof(float) * (row->dims + 1));
	row->hash = hash_bytes_extended(elements,
									(int) (row->dims * element_size), 0);
	*tofree = (Pointer) vector == DatumGetPointer(value) ? NULL : vector;
	return elements;
}

static void
read_vector(Datum value, DiskannRow *row)
{
	void	   *tofree;
	const void *elements = read_header(value, sizeof(float), row, &tofree);

	memcpy(row->x, elements, sizeof(float) * row->dims);
	if (tofree)
		pfree(tofree);
}

static void
read_halfvec(Datum value, DiskannRow *row)
{
	void	   *tofree;
	const uint16 *elements = read_header(value, sizeof(uint16), row, &tofree);

	for (int i = 0; i < row->dims; i++)
		row->x[i] = diskann_half_to_float(elements[i]);
	if (tofree)
		pfree(tofree);
}

const DiskannType DiskannVectorType = {is_vector, read_vector, DISKANN_FLOAT32};
const DiskannType DiskannHalfvecType = {is_halfvec, read_halfvec, DISKANN_FLOAT16};
