/*-------------------------------------------------------------------------
 *
 * scan_condition.c
 *	  One condition on a filter column.
 *
 * What a node's keys cannot decide, the executor decides from the row.  A value
 * stored as it is goes to the condition's own operator, whatever the types it
 * takes.  Numbers in a value's order are compared with such a number.  Two
 * values are different if their hashes are, and otherwise most likely equal;
 * of their order a hash tells nothing.  Of arrays the hashes of their elements
 * are compared.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_condition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/hash.h"
#include "am/scan_condition.h"
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
 * Prepare the hash function for what a key compares with hashed values.  False
 * unless its hashes are equal to the column's where the key's operator says
 * that values are.
 */
static bool
prepare_hash(const DiskannFilter *filter, const ScanKeyData *key,
			 FmgrInfo *hash)
{
	bool		has = key->sk_strategy == DISKANN_STRATEGY_HAS;
	Oid			type = OidIsValid(key->sk_subtype) ? key->sk_subtype :
		filter->hash_type;
	Oid			equal = get_opfamily_member(filter->hash_family,
											has ? type : filter->hash_type,
											has ? filter->hash_type : type,
											HTEqualStrategyNumber);
	Oid			function = get_opfamily_proc(filter->hash_family, type, type,
											 HASHEXTENDED_PROC);

	if (!OidIsValid(equal) || get_opcode(equal) != key->sk_func.fn_oid ||
		!OidIsValid(function))
		return false;
	fmgr_info(function, hash);
	return true;
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
		if (!prepare_hash(filter, key, &hash))
			return;
	}
	else if (OidIsValid(key->sk_subtype) && key->sk_subtype != filter->type)
		return;
	condition->keys = palloc(sizeof(uint64) * (condition->nvalues + 1));
	for (int i = 0; i < condition->nvalues; i++)
		condition->keys[i] = DiskannFilterKey(filter, &hash,
											  condition->values[i]);
	condition->decidable = true;
}

static DiskannSetTest
test_of_strategy(StrategyNumber strategy)
{
	switch (strategy)
	{
		case DISKANN_STRATEGY_OVERLAPS:
			return DISKANN_SET_OVERLAPS;
		case DISKANN_STRATEGY_CONTAINED:
			return DISKANN_SET_CONTAINED;
		case BTEqualStrategyNumber:
			return DISKANN_SET_EQUALS;
		case DISKANN_STRATEGY_CONTAINS:
		default:
			return DISKANN_SET_CONTAINS;
	}
}

/* An element of an array is equal to the key's argument. */
static void
start_element(DiskannCondition *condition, const ScanKeyData *key)
{
	FmgrInfo	hash;

	if (!prepare_hash(condition->filter, key, &hash))
		return;
	condition->keys = palloc(sizeof(uint64));
	condition->keys[0] =
		DatumGetUInt64(FunctionCall2Coll(&hash, condition->filter->collation,
										 key->sk_argument, Int64GetDatum(0)));
	condition->nvalues = 1;
	condition->decidable = true;
}

/*
 * The elements of an array together.  NULLs are equal to nothing, but = ignores
 * that.
 */
static void
start_elements(DiskannCondition *condition, const ScanKeyData *key)
{
	const DiskannFilter *filter = condition->filter;
	ArrayType  *array;
	bool		has_null;

	if ((key->sk_strategy <= BTMaxStrategyNumber &&
		 key->sk_strategy != BTEqualStrategyNumber) ||
		(key->sk_flags & SK_SEARCHARRAY))
		return;
	array = DatumGetArrayTypeP(key->sk_argument);
	if (ARR_ELEMTYPE(array) != get_element_type(filter->type))
		return;					/* the operator will complain */
	condition->keys = DiskannFilterElements(filter, PointerGetDatum(array),
											&condition->nvalues, &has_null);
	condition->decidable = true;
	condition->never =
		(condition->test == DISKANN_SET_CONTAINS && has_null) ||
		(condition->test == DISKANN_SET_OVERLAPS && condition->nvalues == 0);
}

static void
start_set(DiskannCondition *condition, const ScanKeyData *key)
{
	condition->test = test_of_strategy(key->sk_strategy);
	if (key->sk_strategy == DISKANN_STRATEGY_HAS)
		start_element(condition, key);
	else
		start_elements(condition, key);
}

/* A comparison, with what is not NULL. */
static void
start_comparison(DiskannCondition *condition, ScanKey key)
{
	condition->strategy = key->sk_strategy;
	condition->subtype = key->sk_subtype;
	condition->function = &key->sk_func;
	condition->collation = key->sk_collation;
	if (condition->filter->kind == DISKANN_FILTER_SET)
	{
		start_set(condition, key);
		return;
	}
	condition->values = values_of_key(key, &condition->nvalues);
	if (condition->filter->kind == DISKANN_FILTER_VALUE)
		condition->decidable = true;
	else
		make_keys(condition, key);
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
DiskannConditionStart(DiskannCondition *condition,
					  const DiskannFilters *columns, ScanKey key)
{
	memset(condition, 0, sizeof(DiskannCondition));
	condition->flags = key->sk_flags & (SK_SEARCHNULL | SK_SEARCHNOTNULL);
	condition->filter = column_of_key(key, columns, &condition->number);

	/* No NULL vector is in the index, and operators are strict. */
	if (condition->filter == NULL)
		condition->never = condition->flags == SK_SEARCHNULL;
	else if (condition->flags != 0)
		condition->decidable = true;
	else if (key->sk_flags & SK_ISNULL)
		condition->never = true;
	else
		start_comparison(condition, key);
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

/* Does the value that the key is compare with one of the values? */
static bool
value_compares(const DiskannCondition *condition, uint64 key)
{
	Datum		datum = DiskannFilterDatum(condition->filter, &key);

	for (int i = 0; i < condition->nvalues; i++)
	{
		if (DatumGetBool(FunctionCall2Coll(condition->function,
										   condition->collation, datum,
										   condition->values[i])))
			return true;
	}
	return false;
}

/* Does the key compare with one of the keys? */
static bool
key_compares(const DiskannCondition *condition, uint64 key)
{
	for (int i = 0; i < condition->nvalues; i++)
	{
		if (keys_compare(condition->strategy, key, condition->keys[i]))
			return true;
	}
	return false;
}

/* A comparison with a column that is not NULL. */
static bool
compares(const DiskannCondition *condition, const DiskannFilterValues *keys)
{
	uint64		key = keys->values[condition->number];

	switch (condition->filter->kind)
	{
		case DISKANN_FILTER_VALUE:
			return value_compares(condition, key);
		case DISKANN_FILTER_SET:
			return DiskannSetMay(condition->test,
								 DiskannFilterSet(keys, condition->number),
								 condition->keys, condition->nvalues);
		default:
			return key_compares(condition, key);
	}
}

bool
DiskannConditionPasses(const DiskannCondition *condition,
					   const DiskannFilterValues *keys)
{
	bool		isnull = (keys->nulls & DiskannNullBit(condition->number)) != 0;

	if (condition->never)
		return false;
	if (condition->flags & SK_SEARCHNULL)
		return isnull;
	return !isnull && (condition->flags != 0 || !condition->decidable ||
					   compares(condition, keys));
}

/* ---------- signatures ---------- */

void
DiskannConditionSeek(const DiskannCondition *condition,
					 DiskannSignatures *signatures, DiskannSought *sought)
{
	DiskannComparison comparison;

	if (condition->flags != 0 || condition->never || !condition->decidable)
	{
		DiskannSeekNull(sought, (condition->flags & SK_SEARCHNULL) != 0);
		return;
	}
	if (condition->filter->kind == DISKANN_FILTER_SET)
	{
		DiskannSeekSet(condition->test, condition->keys, condition->nvalues,
					   sought);
		return;
	}
	comparison.strategy = condition->strategy;
	comparison.function = condition->function->fn_oid;
	comparison.subtype = condition->subtype;
	comparison.nvalues = condition->nvalues;
	comparison.values = condition->values;
	comparison.keys = condition->keys;
	DiskannSeekCompared(signatures, condition->number, &comparison, sought);
}
