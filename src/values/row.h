/*-------------------------------------------------------------------------
 *
 * row.h
 *	  Values of indexed columns and of queries, read as vectors.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/row.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_ROW_H
#define DISKANN_ROW_H

#include "store/index.h"

/*
 * The only support function of an operator class of vectors; those of filter
 * columns have none.
 */
#define DISKANN_SUPPORT_PROC 1

/* A vector as the index takes it. */
typedef struct DiskannRow
{
	int			dims;
	float	   *x;				/* room for dims + 1 */
	uint64		hash;			/* of the value, bit for bit, and, see
								 * filter.h, of what is beside it */
} DiskannRow;

/*
 * Types of vectors.  accepts says whether a type is one that read can read;
 * it may look into catalogs.  read fills *row, palloc'd in the current context,
 * from a value of such a type; it reports values that are no vector, but leaves
 * finiteness and dimensions to the caller.  widest is the most precise kind of
 * stored vector that is worth its bytes.
 */
typedef struct DiskannType
{
	bool		(*accepts) (Oid type);
	void		(*read) (Datum value, DiskannRow *row);
	DiskannVectorKind widest;
} DiskannType;

extern const DiskannType DiskannArrayType;	/* row.c, of arrays */
extern const DiskannType DiskannVectorType; /* pgvector.c */
extern const DiskannType DiskannHalfvecType;

/* What support function 1 of an opclass returns a pointer to. */
typedef struct DiskannSupport
{
	DiskannMetric metric;
	const DiskannType *type;
} DiskannSupport;

/*
 * Is this operator class, or that of an input type in a family, one of vectors?
 * Others are of filter columns.
 */
extern bool DiskannIsVectorFamily(Oid family, Oid type);
extern bool DiskannIsVectorClass(Oid opclass);

/* Of an operator class; an error if it is none of vectors. */
extern const DiskannSupport *DiskannSupportOfClass(Oid opclass);

/*
 * The column of an index that has the vectors, from 0: that whose operator
 * class has a support function.  An error if there is none, or another one.
 */
extern int	DiskannVectorColumn(Relation rel);

/*
 * Of an index' opclass.  An error if that is for another type of vectors than
 * its support function, which then would read what is none.
 */
extern const DiskannSupport *DiskannGetSupport(Relation rel);

/* Error unless the index can search for values of this type. */
extern void DiskannVerifyQueryType(Relation rel,
								   const DiskannSupport *support, Oid type);

/*
 * Read a value to be indexed or searched for.  dims is what the index has, or
 * 0 for an index without rows.  NaN, infinity, another number of dimensions,
 * too many of them or too great a length are errors.  Returns false for a
 * vector without a direction under cosine: it is not indexed, and nothing is
 * nearer to it than anything else.
 */
extern bool DiskannReadRow(const DiskannSupport *support, Datum value,
						   int dims, DiskannRow *row);

/* Would a value that may be read by the operator be read without an error? */
extern bool DiskannMayReadRow(const DiskannSupport *support, Datum value,
							  int dims);

/*
 * A squared length to which rows of an inner product index are brought, from
 * one wished for: greater than zero, and distances must not overflow.  0 for
 * other metrics.
 */
extern float DiskannLengthLimit(DiskannMetric metric, float norm2);

/*
 * Error unless the row has as many dimensions as the index; hint may be NULL.
 */
extern void DiskannVerifyDims(int dims, const DiskannRow *row,
							  const char *hint);

/*
 * Between these two, errors of this process name the row that is being added to
 * an index, whoever raises them.  *context is the caller's; what it points to
 * must last until DiskannLeaveRow.
 */
typedef struct DiskannRowContext
{
	ErrorContextCallback callback;
	Relation	rel;			/* the index */
	Relation	heap;
	ItemPointer tid;
} DiskannRowContext;

extern void DiskannEnterRow(DiskannRowContext *context, Relation rel,
							Relation heap, ItemPointer tid);
extern void DiskannLeaveRow(DiskannRowContext *context);

#endif							/* DISKANN_ROW_H */
