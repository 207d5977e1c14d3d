/*-------------------------------------------------------------------------
 *
 * scan_filter.c
 *	  The conditions of a scan on filter columns.
 *
 * What a node's keys cannot decide, the executor decides from the row.  A value
 * stored as it is goes to the condition's own operator, whatever the types it
 * takes.  Numbers in a value's order are compared with such a number.  Two
 * values are different if their hashes are, and otherwise most likely equal;
 * of their order a hash tells nothing.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_filter.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/hash.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "am/scan_filter.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

/* ---------- starting ---------- */

/* The values that a key compares its column with, but NULLs; palloc'd. */
static Datum *
values_of_key(const ScanKeyData *key, int *nvalues)
{
	ArrayType  *array;
	Datum	   *values;
	bool	   *nulls;
	int			n = 0;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	*nvalues = 0;
	if (!(key->sk_flags & SK_SEARCHARRAY))
	{
		values = palloc(sizeof(Datum));
		values[(*nvalues)++] = key->sk_argument;
		return values;
	}
	array = DatumGetArrayTypeP(key->sk_argument);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			values[(*nvalues)++] = values[i];
	}
	return values;
}

/*
 * The hash function for what a key compares a hashed column with, if its hashes
 * are equal to the column's where the key's operator says that values are.
 */
static Oid
hash_function(const DiskannFilter *filter, const ScanKeyData *key)
{
	Oid			type = OidIsValid(key->sk_subtype) ? key->sk_subtype :
		filter->hash_type;
	Oid			equal = get_opfamily_member(filter->hash_family,
											filter->hash_type, type,
											HTEqualStrategyNumber);

	if (!OidIsValid(equal) || get_opcode(equal) != key->sk_func.fn_oid)
		return InvalidOid;
	return get_opfamily_proc(filter->hash_family, type, type,
							 HASHEXTENDED_PROC);
}

/* Make keys of a condition's values, if stored keys compare with them. */
static void
make_keys(DiskannCondition *condition, const ScanKeyData *key)
{
	const DiskannFilter *filter = condition->filter;
	FmgrInfo	hash;

	memset(&hash, 0, sizeof(hash));
	if (filter->kind == DISKANN_FILTER_HASH)
	{
		Oid			function = hash_function(filter, key);

		if (!OidIsValid(function))
			return;
		fmgr_info(function, &hash);
	}
	else if (OidIsValid(key->sk_subtype) && key->sk_subtype != filter->type)
		return;
	condition->keys = palloc(sizeof(uint64) * (condition->nvalues + 1));
	for (int i = 0; i < condition->nvalues; i++)
		condition->keys[i] = DiskannFilterKey(filter, &hash,
											  condition->values[i]);
	condition->decidable = true;
}

/* A comparison. */
static void
start_comparison(DiskannScanFilter *filter, DiskannCondition *condition,
				 ScanKey key)
{
	condition->strategy = key->sk_strategy;
	condition->function = &key->sk_func;
	condition->collation = key->sk_collation;
	condition->values = values_of_key(key, &condition->nvalues);
	if (condition->filter->kind == DISKANN_FILTER_VALUE)
	{
		condition->decidable = true;
		return;
	}
	filter->lossy = true;
	make_keys(condition, key);
	if (!condition->decidable)
		filter->undecided = true;
}

/* The filter column that a key is of, NULL if that is the one of vectors. */
static const DiskannFilter *
column_of_key(const ScanKeyData *key, const DiskannFilters *columns,
			  int *number)
{
	for (int i = 0; i < columns->count; i++)
	{
		*number = i;
		if (columns->filters[i].column == key->sk_attno - 1)
			return &columns->filters[i];
	}
	return NULL;
}

void
DiskannScanFilterInit(DiskannScanFilter *filter, Relation rel,
					  const DiskannIndex *index)
{
	filter->columns = DiskannGetFilters(rel, index->meta.nfilters,
										index->meta.filters);
}

void
DiskannScanFilterStart(DiskannScanFilter *filter, IndexScanDesc desc)
{
	const int	null_test = SK_SEARCHNULL | SK_SEARCHNOTNULL;
	const DiskannFilters *columns = filter->columns;

	memset(filter, 0, sizeof(DiskannScanFilter));
	filter->columns = columns;
	filter->conditions = palloc0(sizeof(DiskannCondition) *
								 (desc->numberOfKeys + 1));
	for (int i = 0; i < desc->numberOfKeys; i++)
	{
		ScanKey		key = &desc->keyData[i];
		DiskannCondition *condition = &filter->conditions[filter->count];

		/* Operators of the family are strict. */
		condition->flags = key->sk_flags & null_test;
		if (condition->flags == 0 && (key->sk_flags & SK_ISNULL))
			filter->never = true;
		condition->filter = column_of_key(key, columns, &condition->number);

		/* No NULL vector is in the index. */
		if (condition->filter == NULL)
		{
			filter->never |= condition->flags == SK_SEARCHNULL;
			continue;
		}
		if (condition->flags == 0 && !filter->never)
			start_comparison(filter, condition, key);
		filter->count++;
	}
}

/* ---------- deciding ---------- */

/*
 * May a key stand for a value that compares so with one that the other stands
 * for?  Values of one key may differ, in either way.
 */
static bool
keys_compare(StrategyNumber strategy, uint64 key, uint64 other)
{
	switch (strategy)
	{
		case BTLessStrategyNumber:
		case BTLessEqualStrategyNumber:
			return key <= other;
		case BTEqualStrategyNumber:
			return key == other;
		default:
			return key >= other;
	}
}

/* Does a column that is not NULL compare with one of the values? */
static bool
compares(const DiskannCondition *condition, uint64 key)
{
	bool		by_value = condition->filter->kind == DISKANN_FILTER_VALUE;
	Datum		datum = by_value ? DiskannFilterDatum(condition->filter, &key) : 0;

	if (!condition->decidable)
		return true;
	for (int i = 0; i < condition->nvalues; i++)
	{
		if (by_value ?
			DatumGetBool(FunctionCall2Coll(condition->function,
										   condition->collation, datum,
										   condition->values[i])) :
			keys_compare(condition->strategy, key, condition->keys[i]))
			return true;
	}
	return false;
}

bool
DiskannScanFilterPasses(const DiskannScanFilter *filter,
						const DiskannFilterValues *keys)
{
	for (int i = 0; i < filter->count; i++)
	{
		const DiskannCondition *condition = &filter->conditions[i];
		bool		isnull = keys->nulls >> condition->number & 1;

		if (condition->flags & SK_SEARCHNULL)
		{
			if (!isnull)
				return false;
		}
		else if (isnull ||
				 (condition->flags == 0 &&
				  !compares(condition, keys->values[condition->number])))
			return false;
	}
	return true;
}
