/*-------------------------------------------------------------------------
 *
 * signature.c
 *	  Signatures of filter columns: a byte that stands for a range of keys, or
 *	  four that are the pattern of a set.
 *
 * Ranges are in the order of the type's default btree class, for keys that are
 * values, or else of the keys as numbers.  What a comparison seeks is found
 * with the function of the class that compares the column's type with the
 * value's, if the operator is one of that class; otherwise everything may
 * fulfil it.
 *
 * Where no ranges have been learned signatures are hashes, and so are, in any
 * case, the 16 bits beside signatures in the map.  Equal values have to have
 * equal hashes, whatever bits they have, as 0 and -0: so values are hashed by
 * the type's own hash function, if it has one.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/signature.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/hash.h"
#include "access/nbtree.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
#include "vector/rotate.h"
#include "values/signature.h"

/* All signatures of a live node; and those of keys that are not NULL. */
#define LIVE(word) ((word) == 0 ? ~UINT64CONST(1) : ~UINT64CONST(0))
#define NULL_BIT (UINT64CONST(1) << DISKANN_NULL_SIGNATURE)

typedef struct Column
{
	const DiskannFilter *filter;
	const DiskannRanges *ranges;	/* NULL: signatures are hashes */

	/* Of DISKANN_FILTER_VALUE. */
	Oid			btree_family;
	Oid			btree_type;		/* that the family knows the type by */
	FmgrInfo	compare;
	bool		has_hash;
	Oid			hash_family;
	Oid			hash_type;
	FmgrInfo	hash;
} Column;

struct DiskannSignatures
{
	int			count;
	Column		columns[FLEXIBLE_ARRAY_MEMBER];
};

static void
init_column(Column *column, const DiskannFilter *filter)
{
	TypeCacheEntry *entry;

	memset(column, 0, sizeof(Column));
	column->filter = filter;
	if (filter->kind != DISKANN_FILTER_VALUE)
		return;
	entry = lookup_type_cache(filter->type, TYPECACHE_BTREE_OPFAMILY |
							  TYPECACHE_CMP_PROC | TYPECACHE_HASH_OPFAMILY |
							  TYPECACHE_HASH_EXTENDED_PROC);
	if (!OidIsValid(entry->cmp_proc))
		elog(ERROR, "type %u has no comparison function", filter->type);
	column->btree_family = entry->btree_opf;
	column->btree_type = entry->btree_opintype;
	fmgr_info(entry->cmp_proc, &column->compare);
	column->has_hash = OidIsValid(entry->hash_extended_proc);
	if (!column->has_hash)
		return;
	column->hash_family = entry->hash_opf;
	column->hash_type = entry->hash_opintype;
	fmgr_info(entry->hash_extended_proc, &column->hash);
}

DiskannSignatures *
DiskannSignaturesLoad(const DiskannIndex *index, const DiskannFilters *filters)
{
	DiskannSignatures *signatures = palloc(offsetof(DiskannSignatures, columns) +
										   sizeof(Column) * filters->count);

	Assert(filters->count == index->meta.nfilters);
	signatures->count = filters->count;
	for (int i = 0; i < filters->count; i++)
	{
		init_column(&signatures->columns[i], &filters->filters[i]);
		if (index->meta.filters[i].ranges != 0)
			signatures->columns[i].ranges = &index->ranges[i];
	}
	return signatures;
}

/* ---------- order ---------- */

/* Compare a key with a value, by a function of the type's btree family. */
static int
compare_value(const Column *column, FmgrInfo *compare, uint64 key, Datum value)
{
	return DatumGetInt32(FunctionCall2Coll(compare, column->filter->collation,
										   DiskannFilterDatum(column->filter, &key),
										   value));
}

static int
compare_keys(Column *column, uint64 a, uint64 b)
{
	if (column->filter->kind == DISKANN_FILTER_VALUE)
		return compare_value(column, &column->compare, a,
							 DiskannFilterDatum(column->filter, &b));
	return a < b ? -1 : a > b;
}

int
DiskannCompareKeys(DiskannSignatures *signatures, int column, uint64 a,
				   uint64 b)
{
	return compare_keys(&signatures->columns[column], a, b);
}

/*
 * The number of bounds before a value or, if compare is NULL, a key; this is
 * the number of its range.
 */
static int
range_of(Column *column, FmgrInfo *compare, Datum value, uint64 key)
{
	const DiskannRanges *ranges = column->ranges;
	int			low = 0;
	int			high = ranges->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;
		int			order = compare ?
			compare_value(column, compare, ranges->bounds[middle], value) :
			compare_keys(column, ranges->bounds[middle], key);

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
DiskannDisorderedRanges(DiskannSignatures *signatures)
{
	for (int i = 0; i < signatures->count; i++)
	{
		Column	   *column = &signatures->columns[i];

		for (uint32 k = 1; column->ranges && k < column->ranges->count; k++)
		{
			if (compare_keys(column, column->ranges->bounds[k - 1],
							 column->ranges->bounds[k]) >= 0)
				return i;
		}
	}
	return -1;
}

/* ---------- hashes ---------- */

/* Have all bits of a hash tell of all of it. */
static uint64
mix(uint64 hash)
{
	return diskann_random64(&hash);
}

static uint64
hash_value(const Column *column, FmgrInfo *hash, Datum value)
{
	return DatumGetUInt64(FunctionCall2Coll(hash, column->filter->collation,
											value, Int64GetDatum(0)));
}

static uint8
signature_of_hash(uint64 mixed)
{
	return DISKANN_FIRST_SIGNATURE + (uint32) mixed % DISKANN_SIGNATURES;
}

static uint16
short_hash(uint64 mixed)
{
	return mixed >> 48;
}

/* ---------- signing ---------- */

static void
sign_column(Column *column, uint64 key, uint8 *signature, uint16 *hash)
{
	bool		by_value = column->filter->kind == DISKANN_FILTER_VALUE;
	bool		hashed = !by_value || column->has_hash;
	uint64		mixed = 0;

	if (hashed)
		mixed = mix(by_value ?
					hash_value(column, &column->hash,
							   DiskannFilterDatum(column->filter, &key)) : key);
	*hash = short_hash(mixed);
	if (column->ranges)
		*signature = DISKANN_FIRST_SIGNATURE + range_of(column, NULL, 0, key);
	else
		*signature = hashed ? signature_of_hash(mixed) : DISKANN_ANY_SIGNATURE;
}

static void
sign_set(uint64 pattern, uint8 *signature, uint16 *hash)
{
	for (int i = 0; i < DISKANN_SET_SIGNATURES; i++)
		signature[i] = pattern >> (8 * i);
	*hash = pattern >> 32;
}

void
DiskannSign(DiskannSignatures *signatures, const DiskannFilterValues *keys,
			DiskannMarks *marks)
{
	uint8	   *signature = marks->signatures;

	memset(marks, 0, sizeof(DiskannMarks));
	for (int i = 0; i < signatures->count; i++)
	{
		Column	   *column = &signatures->columns[i];
		bool		isnull = (keys->nulls & DiskannNullBit(i)) != 0;

		if (column->filter->kind == DISKANN_FILTER_SET)
		{
			sign_set(isnull ? DISKANN_PATTERN_OF_NULL :
					 DiskannSetPattern(DiskannFilterSet(keys, i)), signature,
					 &marks->hashes[i]);
			signature += DISKANN_SET_SIGNATURES;
			continue;
		}
		if (isnull)
			*signature = DISKANN_NULL_SIGNATURE;
		else
			sign_column(column, keys->values[i], signature, &marks->hashes[i]);
		signature++;
	}
}

/* ---------- sought patterns ---------- */

static bool
is_within(const DiskannPatterns *a, const DiskannPatterns *b)
{
	return (b->must & ~a->must) == 0 && (a->may & ~b->may) == 0;
}

/* Seek other patterns, too; or some more than these, if there are too many. */
static void
add_patterns(DiskannSought *sought, DiskannPatterns added)
{
	int			kept = 0;

	if ((added.must & ~added.may) != 0)
		return;					/* there are none */
	for (int i = 0; i < sought->npatterns; i++)
	{
		if (is_within(&added, &sought->patterns[i]))
			return;
	}
	for (int i = 0; i < sought->npatterns; i++)
	{
		if (!is_within(&sought->patterns[i], &added))
			sought->patterns[kept++] = sought->patterns[i];
	}
	if (kept == DISKANN_MOST_PATTERNS)
	{
		added.must &= sought->patterns[--kept].must;
		added.may |= sought->patterns[kept].may;
	}
	sought->patterns[kept++] = added;
	sought->npatterns = kept;
}

/* Narrow what is sought to what belongs to one of so many, too. */
static void
narrow_patterns(DiskannSought *sought, const DiskannPatterns *others, int n)
{
	DiskannSought narrowed;

	narrowed.npatterns = 0;
	for (int i = 0; i < sought->npatterns; i++)
	{
		for (int j = 0; j < n; j++)
		{
			DiskannPatterns both = sought->patterns[i];

			both.must |= others[j].must;
			both.may &= others[j].may;
			add_patterns(&narrowed, both);
		}
	}
	sought->npatterns = narrowed.npatterns;
	memcpy(sought->patterns, narrowed.patterns, sizeof(sought->patterns));
}

void
DiskannSeekSet(DiskannSetTest test, const uint64 *hashes, int n,
			   DiskannSought *sought)
{
	DiskannPatterns all = {DISKANN_PATTERN_OF_ANY_SET, ~DISKANN_PATTERN_OF_NULL};
	DiskannPatterns elements = {DISKANN_PATTERN_OF_ANY_SET, 0};
	DiskannSought any;

	any.npatterns = 0;
	for (int i = 0; i < n; i++)
	{
		DiskannPatterns one = all;

		one.must |= DiskannElementPattern(hashes[i]);
		elements.must |= one.must;
		add_patterns(&any, one);
	}
	elements.may = test == DISKANN_SET_CONTAINS ? all.may : elements.must;
	if (test == DISKANN_SET_CONTAINED)
		elements.must = all.must;
	if (test == DISKANN_SET_OVERLAPS)
		narrow_patterns(sought, any.patterns, any.npatterns);
	else
		narrow_patterns(sought, &elements, 1);
}

/* ---------- seeking ---------- */

void
DiskannSeekAll(DiskannSought *sought)
{
	DiskannPatterns all = {0, PG_UINT64_MAX};

	sought->nhashes = 0;
	for (int word = 0; word < 4; word++)
		sought->signatures[word] = LIVE(word);
	sought->npatterns = 0;
	add_patterns(sought, all);
}

bool
DiskannIsNarrow(const DiskannSought *sought)
{
	for (int word = 0; word < 4; word++)
	{
		if (sought->signatures[word] != LIVE(word))
			return true;
	}
	return sought->npatterns != 1 || sought->patterns[0].must != 0 ||
		sought->patterns[0].may != PG_UINT64_MAX;
}

/* Of one kind of column the other kind's part is not looked at. */
void
DiskannSeekNull(DiskannSought *sought, bool isnull)
{
	DiskannPatterns null = {DISKANN_PATTERN_OF_NULL, DISKANN_PATTERN_OF_NULL};
	DiskannPatterns set = {DISKANN_PATTERN_OF_ANY_SET, ~DISKANN_PATTERN_OF_NULL};

	narrow_patterns(sought, isnull ? &null : &set, 1);
	if (!isnull)
	{
		sought->signatures[0] &= ~NULL_BIT;
		return;
	}
	sought->signatures[0] &= NULL_BIT;
	for (int word = 1; word < 4; word++)
		sought->signatures[word] = 0;
}

static void
add_signatures(uint64 *set, int first, int last)
{
	for (int signature = first; signature <= last; signature++)
		set[signature >> 6] |= UINT64CONST(1) << (signature & 63);
}

void
DiskannSeekRange(int range, DiskannSought *sought)
{
	uint64		set[4] = {0};

	add_signatures(set, DISKANN_FIRST_SIGNATURE + range,
				   DISKANN_FIRST_SIGNATURE + range);
	for (int word = 0; word < 4; word++)
		sought->signatures[word] &= set[word];
}

/* Narrow what is sought to a set, and what may be anything. */
static void
narrow(DiskannSought *sought, uint64 *set)
{
	add_signatures(set, DISKANN_ANY_SIGNATURE, DISKANN_ANY_SIGNATURE);
	for (int word = 0; word < 4; word++)
		sought->signatures[word] &= set[word];
}

/* Is it the operator that the family has for these types and strategy? */
static bool
is_member(Oid family, Oid left, Oid right, StrategyNumber strategy,
		  Oid function)
{
	Oid			member = get_opfamily_member(family, left, right, strategy);

	return OidIsValid(member) && get_opcode(member) == function;
}

/*
 * The function that compares the column with values of a comparison; false if
 * nothing is known of the operator, or, for keys that are numbers, *compare
 * stays without one.
 */
static bool
find_compare(const Column *column, const DiskannComparison *comparison,
			 FmgrInfo *compare)
{
	Oid			type = OidIsValid(comparison->subtype) ? comparison->subtype :
		column->btree_type;
	Oid			function;

	if (column->filter->kind != DISKANN_FILTER_VALUE)
		return comparison->keys != NULL;
	function = get_opfamily_proc(column->btree_family, column->btree_type, type,
								 BTORDER_PROC);
	if (!OidIsValid(function) ||
		!is_member(column->btree_family, column->btree_type, type,
				   comparison->strategy, comparison->function))
		return false;
	fmgr_info(function, compare);
	return true;
}

/*
 * Add the signatures of what compares so with what lies in a range.  Others may
 * know of ranges that the last one has been divided into.
 */
static void
add_ranges(uint64 *set, const DiskannRanges *ranges, StrategyNumber strategy,
		   int range)
{
	bool		before = strategy == BTLessStrategyNumber ||
		strategy == BTLessEqualStrategyNumber;
	bool		after = strategy == BTGreaterStrategyNumber ||
		strategy == BTGreaterEqualStrategyNumber;

	add_signatures(set, DISKANN_FIRST_SIGNATURE + (before ? 0 : range),
				   DISKANN_FIRST_SIGNATURE +
				   (after || range == (int) ranges->count ?
					DISKANN_MOST_BOUNDS : range));
}

/* Narrow by the ranges that may have something that compares so. */
static void
seek_ranges(Column *column, const DiskannComparison *comparison,
			DiskannSought *sought)
{
	bool		by_value = column->filter->kind == DISKANN_FILTER_VALUE;
	uint64		set[4] = {0};
	FmgrInfo	compare;

	if (!find_compare(column, comparison, &compare))
		return;
	for (int i = 0; i < comparison->nvalues; i++)
		add_ranges(set, column->ranges, comparison->strategy,
				   by_value ?
				   range_of(column, &compare, comparison->values[i], 0) :
				   range_of(column, NULL, 0, comparison->keys[i]));
	narrow(sought, set);
}

/* The function that hashes values as the column's; false if there is none. */
static bool
find_hash(const Column *column, const DiskannComparison *comparison,
		  FmgrInfo *hash)
{
	Oid			type = OidIsValid(comparison->subtype) ? comparison->subtype :
		column->hash_type;
	Oid			function;

	if (column->filter->kind != DISKANN_FILTER_VALUE)
		return comparison->keys != NULL;
	if (!column->has_hash ||
		!is_member(column->hash_family, column->hash_type, type,
				   HTEqualStrategyNumber, comparison->function))
		return false;
	function = get_opfamily_proc(column->hash_family, type, type,
								 HASHEXTENDED_PROC);
	if (!OidIsValid(function))
		return false;
	fmgr_info(function, hash);
	return true;
}

/* Narrow by the hashes of values that the column has to be equal to. */
static void
seek_hashes(Column *column, const DiskannComparison *comparison,
			DiskannSought *sought)
{
	bool		by_value = column->filter->kind == DISKANN_FILTER_VALUE;
	bool		few = sought->nhashes == 0 &&
		comparison->nvalues <= DISKANN_MOST_HASHES;
	uint64		set[4] = {0};
	FmgrInfo	hash;

	if (!find_hash(column, comparison, &hash))
		return;
	for (int i = 0; i < comparison->nvalues; i++)
	{
		uint64		mixed = mix(by_value ?
								hash_value(column, &hash, comparison->values[i]) :
								comparison->keys[i]);
		uint8		signature = signature_of_hash(mixed);

		add_signatures(set, signature, signature);
		if (few)
			sought->hashes[sought->nhashes++] = short_hash(mixed);
	}
	if (column->ranges == NULL)
		narrow(sought, set);
}

void
DiskannSeekCompared(DiskannSignatures *signatures, int column,
					const DiskannComparison *comparison, DiskannSought *sought)
{
	Column	   *c = &signatures->columns[column];

	/* Operators of the family are strict. */
	DiskannSeekNull(sought, false);
	if (c->ranges)
		seek_ranges(c, comparison, sought);
	if (comparison->strategy == BTEqualStrategyNumber)
		seek_hashes(c, comparison, sought);
}

void
DiskannSeekBoth(DiskannSought *sought, const DiskannSought *other)
{
	narrow_patterns(sought, other->patterns, other->npatterns);
	for (int word = 0; word < 4; word++)
		sought->signatures[word] &= other->signatures[word];
	if (sought->nhashes > 0)
		return;
	sought->nhashes = other->nhashes;
	memcpy(sought->hashes, other->hashes, sizeof(uint16) * other->nhashes);
}

void
DiskannSeekEither(DiskannSought *sought, const DiskannSought *other)
{
	int			n = sought->nhashes;

	for (int i = 0; i < other->npatterns; i++)
		add_patterns(sought, other->patterns[i]);
	for (int word = 0; word < 4; word++)
		sought->signatures[word] |= other->signatures[word];
	if (n == 0 || other->nhashes == 0 ||
		n + other->nhashes > DISKANN_MOST_HASHES)
	{
		sought->nhashes = 0;
		return;
	}
	memcpy(&sought->hashes[n], other->hashes,
		   sizeof(uint16) * other->nhashes);
	sought->nhashes += other->nhashes;
}

/* ---------- learning ---------- */

static int
compare_sampled(const void *a, const void *b, void *arg)
{
	return compare_keys(arg, *(const uint64 *) a, *(const uint64 *) b);
}

/*
 * Keys as many as this one of a sample are frequent: at most half as many as
 * there can be bounds are.
 */
static bool
is_frequent(int count, int n)
{
	return (int64) count * (DISKANN_MOST_LEARNED / 2) >= n;
}

/*
 * Make the different keys of a sorted sample come first, with how often each
 * comes; returns how many there are.
 */
static int
count_keys(Column *column, uint64 *keys, int *counts, int n)
{
	int			different = 0;

	for (int i = 0; i < n; i++)
	{
		if (different > 0 &&
			compare_keys(column, keys[different - 1], keys[i]) == 0)
		{
			counts[different - 1]++;
			continue;
		}
		counts[different] = 1;
		keys[different++] = keys[i];
	}
	return different;
}

/* Equally many of the keys that are not frequent to a range. */
static int
rows_per_range(const int *counts, int different, int n)
{
	int			bounds = DISKANN_MOST_LEARNED;
	int			rest = n;

	if (different <= DISKANN_MOST_LEARNED)
		return 1;
	for (int i = 0; i < different; i++)
	{
		if (!is_frequent(counts[i], n))
			continue;
		bounds -= 2;
		rest -= counts[i];
	}
	return rest / Max(bounds, 1) + 1;
}

void
DiskannLearnRanges(const DiskannFilter *filter, uint64 *keys, int n,
				   DiskannRanges *ranges)
{
	int		   *counts = palloc(sizeof(int) * Max(n, 1));
	int			rows = 0;		/* in the range being filled */
	Column		column;
	int			different;
	int			step;

	init_column(&column, filter);
	qsort_arg(keys, n, sizeof(uint64), compare_sampled, &column);
	different = count_keys(&column, keys, counts, n);
	step = rows_per_range(counts, different, n);
	memset(ranges, 0, sizeof(DiskannRanges));
	for (int i = 0; i < different &&
		 ranges->count < DISKANN_MOST_LEARNED; i++)
	{
		bool		next_frequent = i + 1 < different &&
			is_frequent(counts[i + 1], n);

		rows += counts[i];
		if (rows < step && !is_frequent(counts[i], n) && !next_frequent)
			continue;
		ranges->bounds[ranges->count++] = keys[i];
		rows = 0;
	}
	pfree(counts);
}
