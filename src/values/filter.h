/*-------------------------------------------------------------------------
 *
 * filter.h
 *	  Values of filter columns, and the keys they are stored as.
 *
 * A column of the index beside the vector is a filter column.  A node has 8
 * bytes of each, the key: the value itself if its type is passed by value, a
 * set of hashes of its elements if it is an array, else a number in the same
 * order, or a hash.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/filter.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_FILTER_H
#define DISKANN_FILTER_H

#include "fmgr.h"
#include "store/meta.h"
#include "values/row.h"
#include "values/set.h"

/*
 * Strategies of operators on arrays, after those of btree, which all others
 * have: &&, @> and <@.
 */
#define DISKANN_STRATEGY_OVERLAPS 6
#define DISKANN_STRATEGY_CONTAINS 7
#define DISKANN_STRATEGY_CONTAINED 8

/* A filter column of an index. */
typedef struct DiskannFilter
{
	DiskannFilterKind kind;
	int			column;			/* of the index, from 0 */
	Oid			type;			/* not a domain */
	int16		typlen;
	Oid			collation;

	/* Of DISKANN_FILTER_HASH, from the type's default class; _SET: elements. */
	Oid			hash_family;
	Oid			hash_type;		/* that the family knows the type by */
	FmgrInfo	hash;
} DiskannFilter;

typedef struct DiskannFilters
{
	int			count;
	DiskannFilter filters[FLEXIBLE_ARRAY_MEMBER];
} DiskannFilters;

/* What a column of a type, which is no domain, is stored as. */
extern DiskannFilterKind DiskannFilterKindOf(Oid type);

/*
 * Describe the filter columns of a new index.  An error for a column that
 * cannot be one.
 */
extern void DiskannDescribeFilters(Relation rel, DiskannSettings *settings);

/*
 * What is to be known of an index' filter columns, as the metapage describes
 * them; palloc'd in the current context.  Looks into catalogs.
 */
extern DiskannFilters *DiskannGetFilters(Relation rel, int count,
										 const DiskannFilterColumn *columns);

/*
 * The key of a value that is not NULL, and no set.  The value is of the
 * column's type or, if the column is hashed, of the type that the hash function
 * is for.
 */
extern uint64 DiskannFilterKey(const DiskannFilter *filter, FmgrInfo *hash,
							   Datum value);

/*
 * The hashes of an array's elements but NULLs, palloc'd; *has_null tells if
 * there were any.
 */
extern uint64 *DiskannFilterElements(const DiskannFilter *filter, Datum array,
									 int *n, bool *has_null);

/* What a node holds of column i, which is a set and not NULL. */
static inline DiskannSet
DiskannFilterSet(const DiskannFilterValues *keys, int i)
{
	DiskannSet	set = {keys->values[i], (keys->nulls & DiskannManyBit(i)) != 0};

	return set;
}

/* The value that a key of DISKANN_FILTER_VALUE stands for. */
extern Datum DiskannFilterDatum(const DiskannFilter *filter,
								const uint64 *key);

/*
 * Read the values of filter columns among those of all columns of the index.
 * Mixes them into the row's hash: rows share a node only if they are equal in
 * all columns.
 */
extern void DiskannReadFilters(DiskannFilters *filters, const Datum *values,
							   const bool *isnull, DiskannRow *row,
							   DiskannFilterValues *keys);

#endif							/* DISKANN_FILTER_H */
