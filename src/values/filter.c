/*-------------------------------------------------------------------------
 *
 * filter.c
 *	  Values of filter columns, and the keys they are stored as.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/filter.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "port/pg_bswap.h"
#include "store/page.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
#include "values/filter.h"

/* ---------- columns ---------- */

/* The type of a column of the index, which may be of a domain over it. */
static Oid
column_type(Relation rel, int column)
{
	return getBaseType(TupleDescAttr(RelationGetDescr(rel), column)->atttypid);
}

/* Say that a column can be no filter column, and what can be done. */
pg_noreturn static void
refuse_column(Relation rel, int column, const char *what, const char *hint)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), column);

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("column \"%s\" cannot be a filter column of a diskann index",
					NameStr(att->attname)),
			 errdetail("%s", what),
			 errhint("%s", hint)));
}

/* The type that is hashed for a column: that of the elements of an array. */
static Oid
hashed_type(Oid type)
{
	Oid			element = get_element_type(type);

	return OidIsValid(element) ? element : type;
}

DiskannFilterKind
DiskannFilterKindOf(Oid type)
{
	if (OidIsValid(get_element_type(type)))
		return DISKANN_FILTER_SET;
	if (get_typbyval(type))
		return DISKANN_FILTER_VALUE;
	if (type == NUMERICOID)
		return DISKANN_FILTER_NUMERIC;
	if (type == UUIDOID)
		return DISKANN_FILTER_UUID;
	return DISKANN_FILTER_HASH;
}

/*
 * A filter column has a btree class, whose operators are those of ours, as far
 * as these are known here.
 */
static void
verify_column(Relation rel, int column, Oid type, DiskannFilterKind kind)
{
	static const char *const leave = "Leave it out of the index: conditions on it work all the same, on rows that the index has found.";
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR |
											  TYPECACHE_BTREE_OPFAMILY);
	TypeCacheEntry *hashed = lookup_type_cache(hashed_type(type),
											   TYPECACHE_HASH_EXTENDED_PROC);

	if (!OidIsValid(entry->btree_opf) || !OidIsValid(entry->eq_opr))
		refuse_column(rel, column, "Its type has no default btree operator class.",
					  leave);
	if ((kind == DISKANN_FILTER_HASH || kind == DISKANN_FILTER_SET) &&
		!OidIsValid(hashed->hash_extended_proc))
		refuse_column(rel, column, "Its type has no default hash operator class with a 64-bit hash function.",
					  leave);
	if (!op_in_opfamily(entry->eq_opr, rel->rd_opfamily[column]))
		refuse_column(rel, column, "Operators of its type are not in operator family \"scalar_ops\".",
					  "Add those of its btree operator class by ALTER OPERATOR FAMILY scalar_ops USING diskann ADD OPERATOR.");
}

void
DiskannDescribeFilters(Relation rel, DiskannSettings *settings)
{
	int			vector = DiskannVectorColumn(rel);
	int			natts = IndexRelationGetNumberOfAttributes(rel);

	Assert(settings->nfilters == 0);
	for (int column = 0; column < natts; column++)
	{
		DiskannFilterColumn *filter = &settings->filters[settings->nfilters];
		Oid			type = column_type(rel, column);

		if (column == vector)
			continue;
		filter->attno = column + 1;
		filter->kind = DiskannFilterKindOf(type);
		verify_column(rel, column, type, filter->kind);
		settings->nfilters++;
	}
}

/* Find the hash function of a column, or of its elements. */
static void
find_hash(DiskannFilter *filter)
{
	Oid			type = filter->kind == DISKANN_FILTER_SET ?
		hashed_type(filter->type) : filter->type;
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_HASH_OPFAMILY |
											  TYPECACHE_HASH_EXTENDED_PROC);

	if (!OidIsValid(entry->hash_extended_proc))
		elog(ERROR, "type %u has no extended hash function", type);
	filter->hash_family = entry->hash_opf;
	filter->hash_type = entry->hash_opintype;
	fmgr_info(entry->hash_extended_proc, &filter->hash);
}

DiskannFilters *
DiskannGetFilters(Relation rel, int count, const DiskannFilterColumn *columns)
{
	DiskannFilters *filters = palloc0(offsetof(DiskannFilters, filters) +
									  sizeof(DiskannFilter) * count);

	filters->count = count;
	for (int i = 0; i < count; i++)
	{
		DiskannFilter *filter = &filters->filters[i];

		filter->kind = columns[i].kind;
		filter->column = columns[i].attno - 1;
		filter->type = column_type(rel, filter->column);
		filter->typlen = get_typlen(filter->type);
		filter->collation = rel->rd_indcollation[filter->column];
		if (filter->kind != DISKANN_FILTER_HASH &&
			filter->kind != DiskannFilterKindOf(filter->type))
			DiskannReportCorrupt(rel, DISKANN_METAPAGE_BLKNO, -1,
								 "a filter column is of another type");
		if (filter->kind == DISKANN_FILTER_HASH ||
			filter->kind == DISKANN_FILTER_SET)
			find_hash(filter);
	}
	return filters;
}

/* ---------- keys ---------- */

/* A double as a number in the order of float8's operators, NaN greatest. */
static uint64
ordered_double(double x)
{
	const uint64 sign = UINT64CONST(1) << 63;
	uint64		bits;

	if (x != x)
		return PG_UINT64_MAX;
	x += 0.0;					/* there is one zero */
	memcpy(&bits, &x, sizeof(bits));
	return bits & sign ? ~bits : bits | sign;
}

/* The first bytes of a uuid as a number in the order of uuids. */
static uint64
ordered_uuid(Datum value)
{
	uint64		bytes;

	memcpy(&bytes, DatumGetUUIDP(value)->data, sizeof(bytes));
	return pg_ntoh64(bytes);
}

static uint64
key_of_value(const DiskannFilter *filter, Datum value)
{
	uint64		key = 0;

	store_att_byval(&key, value, filter->typlen);
	return key;
}

Datum
DiskannFilterDatum(const DiskannFilter *filter, const uint64 *key)
{
	Assert(filter->kind == DISKANN_FILTER_VALUE);
	return fetch_att(key, true, filter->typlen);
}

static uint64
hash_of_value(const DiskannFilter *filter, FmgrInfo *hash, Datum value)
{
	return DatumGetUInt64(FunctionCall2Coll(hash, filter->collation, value,
											Int64GetDatum(0)));
}

uint64
DiskannFilterKey(const DiskannFilter *filter, FmgrInfo *hash, Datum value)
{
	switch (filter->kind)
	{
		case DISKANN_FILTER_VALUE:
			return key_of_value(filter, value);
		case DISKANN_FILTER_NUMERIC:
			return ordered_double(DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
																	 value)));
		case DISKANN_FILTER_UUID:
			return ordered_uuid(value);
		case DISKANN_FILTER_HASH:
		case DISKANN_FILTER_SET:
			break;
	}
	Assert(filter->kind == DISKANN_FILTER_HASH);
	return hash_of_value(filter, hash, value);
}

uint64 *
DiskannFilterElements(const DiskannFilter *filter, Datum array, int *n,
					  bool *has_null)
{
	ArrayType  *elements = DatumGetArrayTypeP(array);
	Oid			type = ARR_ELEMTYPE(elements);
	FmgrInfo   *hash = unconstify(FmgrInfo *, &filter->hash);
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *values;
	bool	   *nulls;
	uint64	   *hashes;
	int			count;

	Assert(filter->kind == DISKANN_FILTER_SET);
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(elements, type, typlen, typbyval, typalign, &values,
					  &nulls, &count);
	hashes = palloc(sizeof(uint64) * (count + 1));
	*n = 0;
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			hashes[(*n)++] = hash_of_value(filter, hash, values[i]);
	}
	*has_null = *n < count;
	return hashes;
}

/* Keep what is to be known of an array in column i. */
static void
read_set(const DiskannFilter *filter, int i, Datum value,
		 DiskannFilterValues *keys)
{
	int			n;
	bool		has_null;
	uint64	   *hashes = DiskannFilterElements(filter, value, &n, &has_null);
	DiskannSet	set = DiskannMakeSet(hashes, n);

	keys->values[i] = set.key;
	if (set.many)
		keys->nulls |= DiskannManyBit(i);
}

void
DiskannReadFilters(DiskannFilters *filters, const Datum *values,
				   const bool *isnull, DiskannRow *row,
				   DiskannFilterValues *keys)
{
	memset(keys, 0, sizeof(DiskannFilterValues));
	for (int i = 0; i < filters->count; i++)
	{
		DiskannFilter *filter = &filters->filters[i];

		if (isnull[filter->column])
			keys->nulls |= DiskannNullBit(i);
		else if (filter->kind == DISKANN_FILTER_SET)
			read_set(filter, i, values[filter->column], keys);
		else
			keys->values[i] = DiskannFilterKey(filter, &filter->hash,
											   values[filter->column]);
	}
	if (filters->count > 0)
		row->hash = hash_bytes_extended((const unsigned char *) keys,
										sizeof(uint64) * (1 + filters->count),
										row->hash);
}
