/*-------------------------------------------------------------------------
 *
 * server_signature_test.c
 *	  Whoever fulfils a condition has a signature, and a hash, that it seeks.
 *
 * Ranges are learned from samples of many distributions, and conditions drawn
 * at random are put to random keys, and to random sets.  Operators, and what
 * catalogs say of them, are made up here; src/values/signature.c is compiled
 * with PostgreSQL's headers, and linked with nothing of it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/server_signature_test.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "postgres.h"

#include "access/hash.h"
#include "access/nbtree.h"
#include "catalog/pg_type_d.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
#include "values/signature.h"

#undef printf					/* PostgreSQL's is not linked */
#include "harness.h"

#define INTEGERS 1				/* btree family, and hash family + 100 */
#define FLOATS 2
#define UNHASHED_TYPE 9001		/* like int8, without hash functions */

/* Functions are numbered: kind * 100 + left type's place * 10 + right's. */
#define COMPARE 1
#define HASH 2
#define OPERATOR 10				/* + strategy */
#define STRANGE 99				/* an operator that is in no family */

static const Oid types[] = {INT8OID, INT4OID, FLOAT8OID, FLOAT4OID,
UNHASHED_TYPE};

static int
place_of(Oid type)
{
	for (int i = 0; i < (int) LENGTHOF(types); i++)
	{
		if (types[i] == type)
			return i;
	}
	abort();
}

static Oid
family_of(Oid type)
{
	return type == FLOAT8OID || type == FLOAT4OID ? FLOATS :
		type == UNHASHED_TYPE ? 3 : INTEGERS;
}

/* ---------- PostgreSQL's functions that are called ---------- */

void *
palloc(Size size)
{
	return malloc(size);
}

void
pfree(void *pointer)
{
	free(pointer);
}

void
qsort_arg(void *base, size_t n, size_t size, qsort_arg_comparator compare,
		  void *arg)
{
	qsort_r(base, n, size, compare, arg);
}

/* No error is expected. */
bool
errstart(int level, const char *domain)
{
	abort();
}

bool
errstart_cold(int level, const char *domain)
{
	abort();
}

int
errmsg_internal(const char *format,...)
{
	abort();
}

void
errfinish(const char *file, int line, const char *function)
{
	abort();
}

TypeCacheEntry *
lookup_type_cache(Oid type, int flags)
{
	static TypeCacheEntry entry;

	memset(&entry, 0, sizeof(entry));
	entry.btree_opf = family_of(type);
	entry.btree_opintype = type;
	entry.cmp_proc = COMPARE * 100 + place_of(type) * 11;
	if (type != UNHASHED_TYPE)
	{
		entry.hash_opf = 100 + family_of(type);
		entry.hash_opintype = type;
		entry.hash_extended_proc = HASH * 100 + place_of(type) * 11;
	}
	return &entry;
}

/* An operator and its function have the same number. */
Oid
get_opfamily_member(Oid family, Oid left, Oid right, int16 strategy)
{
	if (family_of(left) != family % 100 || family_of(right) != family % 100)
		return InvalidOid;
	if (family > 100)			/* equality is strategy 1 of hash classes */
		strategy = BTEqualStrategyNumber;
	return (OPERATOR + strategy) * 100 + place_of(left) * 10 + place_of(right);
}

RegProcedure
get_opcode(Oid operator)
{
	return operator;
}

Oid
get_opfamily_proc(Oid family, Oid left, Oid right, int16 number)
{
	if (family_of(left) != family % 100 || family_of(right) != family % 100)
		return InvalidOid;
	return (family > 100 ? HASH : COMPARE) * 100 + place_of(left) * 10 +
		place_of(right);
}

void
fmgr_info(Oid function, FmgrInfo *info)
{
	memset(info, 0, sizeof(FmgrInfo));
	info->fn_oid = function;
}

/* What a value of one of the types is; NaN is greater than all, as there. */
static double
number_of(Oid type, Datum value)
{
	double		x = type == FLOAT8OID ? DatumGetFloat8(value) :
		type == FLOAT4OID ? DatumGetFloat4(value) :
		type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);

	return x != x ? INFINITY : x == INFINITY ? DBL_MAX : x;
}

static int
compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

Datum
FunctionCall2Coll(FmgrInfo *function, Oid collation, Datum a, Datum b)
{
	Oid			left = types[function->fn_oid / 10 % 10];
	Oid			right = types[function->fn_oid % 10];
	double		x = number_of(left, a);
	uint64		bits;

	if (function->fn_oid / 100 == COMPARE)
		return Int32GetDatum(compare_numbers(x, number_of(right, b)));
	Assert(function->fn_oid / 100 == HASH);
	x += 0.0;
	memcpy(&bits, &x, sizeof(bits));
	return UInt64GetDatum(bits * UINT64CONST(0x9e3779b97f4a7c15));
}

/* As in src/values/filter.c, which needs far more of PostgreSQL. */
Datum
DiskannFilterDatum(const DiskannFilter *filter, const uint64 *key)
{
	return filter->typlen == 4 ? Int32GetDatum((int32) *key) : (Datum) *key;
}

/* ---------- keys ---------- */

/* The key of a number, as a column of this kind and type has it. */
static uint64
key_of(const DiskannFilter *filter, double x)
{
	float		narrow = (float) x;
	uint32		bits;

	if (filter->kind != DISKANN_FILTER_VALUE)
		return (uint64) (int64) x + (UINT64CONST(1) << 63);
	switch (filter->type)
	{
		case FLOAT8OID:
			return (uint64) Float8GetDatum(x);
		case FLOAT4OID:
			memcpy(&bits, &narrow, sizeof(bits));
			return bits;
		case INT4OID:
			return (uint32) (int32) x;
		default:
			return (uint64) (int64) x;
	}
}

static Datum
datum_of(Oid type, double x)
{
	return type == FLOAT8OID ? Float8GetDatum(x) :
		type == FLOAT4OID ? Float4GetDatum((float) x) :
		type == INT4OID ? Int32GetDatum((int32) x) : Int64GetDatum((int64) x);
}

/* Distributions. */
#define FREQUENT 5003
enum
{
	UNIFORM, FEW, SKEWED, ONE, SPECIAL, NDISTRIBUTIONS
};

/* Whole numbers, so that all types have all of them. */
static double
draw(int distribution, bool floats)
{
	switch (distribution)
	{
		case UNIFORM:
			return floor(1e6 * (random_uniform() - 0.5));
		case FEW:
			return floor(40 * random_uniform()) - 20;
		case SKEWED:			/* half are one, others fall off as 1/x */
			return random_bits() % 2 ? FREQUENT :
				floor(exp(13 * random_uniform()));
		case ONE:
			return 42;
		default:
			if (!floats)
				return floor(600 * random_uniform());
			switch (random_bits() % 6)
			{
				case 0:
					return NAN;
				case 1:
					return 0.0;
				case 2:
					return -0.0;
				case 3:
					return INFINITY;
				case 4:
					return -INFINITY;
				default:
					return floor(600 * random_uniform());
			}
	}
}

/* ---------- the test ---------- */

#define SAMPLE 3000
#define TRIALS 4000

/* An index with one filter column. */
typedef struct Fixture
{
	DiskannFilters *filters;
	DiskannIndex *index;
	DiskannRanges ranges;
	DiskannSignatures *signatures;
} Fixture;

static void
make_fixture(Fixture *f, DiskannFilterKind kind, Oid type, int distribution,
			 bool learn)
{
	uint64		keys[SAMPLE];
	bool		floats = family_of(type) == FLOATS;

	memset(f, 0, sizeof(Fixture));
	f->filters = calloc(1, sizeof(DiskannFilters) + sizeof(DiskannFilter));
	f->filters->count = 1;
	f->filters->filters[0].kind = kind;
	f->filters->filters[0].type = type;
	f->filters->filters[0].typlen = type == INT4OID || type == FLOAT4OID ? 4 : 8;
	f->index = calloc(1, sizeof(DiskannIndex));
	f->index->meta.nfilters = 1;
	f->index->meta.filters[0].ranges = learn ? 2 : 0;
	f->index->ranges = &f->ranges;
	for (int i = 0; i < SAMPLE; i++)
		keys[i] = key_of(&f->filters->filters[0], draw(distribution, floats));
	if (learn)
		DiskannLearnRanges(&f->filters->filters[0], keys, SAMPLE, &f->ranges);
	f->signatures = DiskannSignaturesLoad(f->index, f->filters);
}

static void
free_fixture(Fixture *f)
{
	free(f->signatures);
	free(f->index);
	free(f->filters);
}

static DiskannMarks
sign(Fixture *f, double x)
{
	DiskannFilterValues keys = {0};
	DiskannMarks marks;

	keys.values[0] = key_of(&f->filters->filters[0], x);
	DiskannSign(f->signatures, &keys, &marks);
	return marks;
}

static bool
fulfils(StrategyNumber strategy, int order)
{
	switch (strategy)
	{
		case BTLessStrategyNumber:
			return order < 0;
		case BTLessEqualStrategyNumber:
			return order <= 0;
		case BTEqualStrategyNumber:
			return order == 0;
		case BTGreaterEqualStrategyNumber:
			return order >= 0;
		default:
			return order > 0;
	}
}

static bool
is_sought(const DiskannSought *sought, const DiskannMarks *marks)
{
	bool		has = sought->nhashes == 0;

	for (int i = 0; i < sought->nhashes; i++)
		has |= sought->hashes[i] == marks->hashes[0];
	return has && DiskannIsSought(sought, marks->signatures[0]);
}

/* Seek what compares so with some numbers, of another type perhaps. */
static void
seek(Fixture *f, StrategyNumber strategy, Oid subtype, Oid function,
	 const double *numbers, int n, DiskannSought *sought)
{
	const DiskannFilter *filter = &f->filters->filters[0];
	DiskannComparison comparison = {strategy, function, subtype, n, NULL, NULL};
	Datum		values[32];
	uint64		keys[32];

	for (int i = 0; i < n; i++)
	{
		values[i] = datum_of(subtype, numbers[i]);
		keys[i] = key_of(filter, numbers[i]);
	}
	comparison.values = values;
	if (filter->kind != DISKANN_FILTER_VALUE)
		comparison.keys = keys;
	DiskannSeekAll(sought);
	DiskannSeekCompared(f->signatures, 0, &comparison, sought);
}

static Oid
operator_of(Oid left, Oid right, StrategyNumber strategy)
{
	return (OPERATOR + strategy) * 100 + place_of(left) * 10 + place_of(right);
}

/*
 * No false negatives, whatever is asked by who knows as much of an index, or
 * fewer of its ranges.
 */
static void
test_conditions(Fixture *f, Fixture *known, Oid subtype, int distribution)
{
	const DiskannFilter *filter = &f->filters->filters[0];
	bool		floats = family_of(filter->type) == FLOATS;
	long		fulfilled = 0;

	for (int trial = 0; trial < TRIALS; trial++)
	{
		StrategyNumber strategy = 1 + random_bits() % 5;
		int			n = 1 + random_bits() % (trial % 4 == 0 ? 24 : 2);
		double		x = draw(distribution, floats);
		double		numbers[32];
		bool		expected = false;
		DiskannMarks marks;
		DiskannSought sought;

		for (int i = 0; i < n; i++)
		{
			numbers[i] = random_bits() % 3 ? draw(distribution, floats) : x;
			expected |= fulfils(strategy,
								compare_numbers(number_of(FLOAT8OID,
														  Float8GetDatum(x)),
												number_of(FLOAT8OID,
														  Float8GetDatum(numbers[i]))));
		}
		seek(known, strategy, subtype,
			 operator_of(filter->type, subtype, strategy), numbers, n, &sought);
		marks = sign(f, x);
		fulfilled += expected;
		check(!expected || is_sought(&sought, &marks), "what fulfils is sought");
		check(marks.signatures[0] >= DISKANN_FIRST_SIGNATURE,
			  "a key is not NULL");
		check(!DiskannIsSought(&sought, DISKANN_NULL_SIGNATURE),
			  "NULL does not compare");
		check(!DiskannIsSought(&sought, 0), "what is no node is not sought");
		check(DiskannIsSought(&sought, DISKANN_ANY_SIGNATURE),
			  "what may be anything is sought");
	}
	check(fulfilled > TRIALS / 10 && fulfilled <= TRIALS, "some fulfilled");
}

/* An operator that the type's families do not have tells nothing. */
static void
test_strange_operator(Fixture *f)
{
	const DiskannFilter *filter = &f->filters->filters[0];
	double		number = 3;
	DiskannSought sought;

	if (filter->kind != DISKANN_FILTER_VALUE)
		return;
	for (StrategyNumber strategy = 1; strategy <= 5; strategy++)
	{
		seek(f, strategy, filter->type, STRANGE, &number, 1, &sought);
		for (int signature = DISKANN_FIRST_SIGNATURE; signature < 256; signature++)
			check(DiskannIsSought(&sought, signature), "all may fulfil it");
		check(sought.nhashes == 0, "hashes tell nothing");
	}
}

static void
test_nulls(Fixture *f)
{
	DiskannFilterValues keys = {0};
	DiskannSought sought;
	DiskannMarks marks;

	keys.nulls = 1;
	DiskannSign(f->signatures, &keys, &marks);
	check(marks.signatures[0] == DISKANN_NULL_SIGNATURE, "NULL has its own");
	for (int isnull = 0; isnull < 2; isnull++)
	{
		DiskannSeekAll(&sought);
		DiskannSeekNull(&sought, isnull != 0);
		check(is_sought(&sought, &marks) == (isnull != 0), "NULL is sought");
		marks = sign(f, 7);
		check(is_sought(&sought, &marks) == (isnull == 0), "and what is not");
		DiskannSign(f->signatures, &keys, &marks);
	}
}

static void
test_all(void)
{
	static const struct
	{
		DiskannFilterKind kind;
		Oid			type;
		Oid			subtype;
	}			cases[] = {
		{DISKANN_FILTER_VALUE, INT8OID, INT8OID},
		{DISKANN_FILTER_VALUE, INT8OID, INT4OID},
		{DISKANN_FILTER_VALUE, INT4OID, INT8OID},
		{DISKANN_FILTER_VALUE, FLOAT8OID, FLOAT8OID},
		{DISKANN_FILTER_VALUE, FLOAT4OID, FLOAT8OID},
		{DISKANN_FILTER_VALUE, UNHASHED_TYPE, UNHASHED_TYPE},
		{DISKANN_FILTER_NUMERIC, INT8OID, INT8OID},
		{DISKANN_FILTER_UUID, INT8OID, INT8OID},
	};

	for (size_t i = 0; i < LENGTHOF(cases); i++)
	{
		for (int distribution = 0; distribution < NDISTRIBUTIONS; distribution++)
		{
			for (int learn = 0; learn < 2; learn++)
			{
				Fixture		f;
				Fixture		known;

				/* Numbers of such keys are whole. */
				make_fixture(&f, cases[i].kind, cases[i].type, distribution,
							 learn != 0);
				current_n = i * 100 + distribution * 10 + learn;
				test_conditions(&f, &f, cases[i].subtype, distribution);
				make_fixture(&known, cases[i].kind, cases[i].type, distribution,
							 false);
				known.ranges = f.ranges;
				known.ranges.count /= 2;
				known.index->meta.filters[0].ranges = learn ? 2 : 0;
				free(known.signatures);
				known.signatures = DiskannSignaturesLoad(known.index,
														 known.filters);
				test_conditions(&f, &known, cases[i].subtype, distribution);
				free_fixture(&known);
				test_strange_operator(&f);
				test_nulls(&f);
				check(DiskannDisorderedRanges(f.signatures) == -1,
					  "ranges are in order");
				free_fixture(&f);
			}
		}
	}
}

/* The share of some draws whose signature is that of x, but that are not x. */
static double
share_of_others(Fixture *f, int distribution, double x)
{
	uint8		wanted = sign(f, x).signatures[0];
	int			others = 0;

	for (int i = 0; i < 20000; i++)
	{
		double		y = draw(distribution, false);

		if (y != x && sign(f, y).signatures[0] == wanted)
			others++;
	}
	return others / 20000.0;
}

/* Signatures tell much: a range has few of the keys, and frequent ones none. */
static void
test_precision(void)
{
	double		new_key = 1e7;
	double		beside = 0;
	Fixture		f;

	make_fixture(&f, DISKANN_FILTER_VALUE, INT8OID, UNIFORM, true);
	for (int i = 0; i < 5; i++)
		check(share_of_others(&f, UNIFORM, draw(UNIFORM, false)) < 4.0 / 252,
			  "a range has few keys");
	free_fixture(&f);

	for (int i = 0; i < 20; i++)
	{
		make_fixture(&f, DISKANN_FILTER_VALUE, INT8OID, SKEWED, true);
		beside += share_of_others(&f, SKEWED, FREQUENT) / 20;
		check(share_of_others(&f, SKEWED, 1000) < 4.0 / 252,
			  "ranges of others have few keys");
		free_fixture(&f);
	}
	check(beside < 0.12 / 252, "a frequent key is nearly alone");

	make_fixture(&f, DISKANN_FILTER_VALUE, INT8OID, FEW, true);
	for (int x = -20; x < 20; x++)
	{
		check(share_of_others(&f, FEW, x) == 0, "of few keys each is alone");
		check(sign(&f, x).signatures[0] != sign(&f, new_key).signatures[0],
			  "keys greater than all have a range of their own");
	}
	free_fixture(&f);

	make_fixture(&f, DISKANN_FILTER_VALUE, INT8OID, UNIFORM, false);
	check(share_of_others(&f, UNIFORM, 1234) < 3.0 / 252, "so do hashes");
	free_fixture(&f);
}

/* Numbers that are equal, whatever their bits are. */
static void
test_equal(void)
{
	for (int learn = 0; learn < 2; learn++)
	{
		Fixture		f;
		DiskannMarks a;
		DiskannMarks b;

		make_fixture(&f, DISKANN_FILTER_VALUE, FLOAT8OID, SPECIAL, learn != 0);
		a = sign(&f, 0.0);
		b = sign(&f, -0.0);
		check(memcmp(&a, &b, sizeof(a)) == 0, "0 and -0 are alike");
		a = sign(&f, NAN);
		b = sign(&f, -NAN);
		check(memcmp(&a, &b, sizeof(a)) == 0, "NaNs are alike");
		free_fixture(&f);
	}
}

/* ---------- sets ---------- */

#define MOST_ELEMENTS 12

/* Some elements of so many there may be, known by their hashes. */
typedef struct Elements
{
	int			n;
	uint64		hashes[MOST_ELEMENTS];
} Elements;

static Elements
draw_elements(int most, int kinds)
{
	Elements	elements;

	elements.n = random_bits() % (most + 1);
	for (int i = 0; i < elements.n; i++)
		elements.hashes[i] = (random_bits() % kinds + 1) *
			UINT64CONST(0x9e3779b97f4a7c15);
	return elements;
}

/* How many of a are in b? */
static int
count_in(const Elements *a, const Elements *b)
{
	int			n = 0;

	for (int i = 0; i < a->n; i++)
	{
		int			j = 0;

		while (j < b->n && b->hashes[j] != a->hashes[i])
			j++;
		n += j < b->n;
	}
	return n;
}

static bool
set_fulfils(DiskannSetTest test, const Elements *set, const Elements *other)
{
	bool		contains = count_in(other, set) == other->n;
	bool		contained = count_in(set, other) == set->n;

	return test == DISKANN_SET_OVERLAPS ? count_in(set, other) > 0 :
		test == DISKANN_SET_CONTAINS ? contains :
		test == DISKANN_SET_CONTAINED ? contained : contains && contained;
}

static DiskannMarks
sign_elements(Fixture *f, const Elements *elements)
{
	DiskannSet	set = DiskannMakeSet(elements->hashes, elements->n);
	DiskannFilterValues keys = {0};
	DiskannMarks marks;

	keys.values[0] = set.key;
	keys.nulls = set.many ? DiskannManyBit(0) : 0;
	DiskannSign(f->signatures, &keys, &marks);
	return marks;
}

/* Beside an edge, and in the map. */
static bool
may_be_beside(const DiskannSought *sought, const DiskannMarks *marks)
{
	return DiskannIsPatternSought(sought, DiskannPattern(marks->signatures, 1),
								  DISKANN_PATTERN_OF_SIGNATURES);
}

static bool
may_be_mapped(const DiskannSought *sought, const DiskannMarks *marks)
{
	return DiskannIsPatternSought(sought, DiskannPattern(marks->signatures, 1) |
								  (uint64) marks->hashes[0] << 32,
								  PG_UINT64_MAX);
}

/*
 * Seek what fulfils a condition or several, joined in turn by AND or OR; does a
 * set fulfil them?
 */
static bool
seek_sets(const Elements *set, int nconditions, int most, int kinds,
		  DiskannSought *sought)
{
	bool		fulfilled = true;

	DiskannSeekAll(sought);
	for (int i = 0; i < nconditions; i++)
	{
		DiskannSetTest test = random_bits() % 4;
		Elements	other = random_bits() % 3 ? draw_elements(most, kinds) : *set;
		bool		holds = set_fulfils(test, set, &other);
		bool		both = i == 0 || random_bits() % 2;
		DiskannSought one;

		DiskannSeekAll(&one);
		DiskannSeekSet(test, other.hashes, other.n, &one);
		fulfilled = both ? fulfilled && holds : fulfilled || holds;
		if (both)
			DiskannSeekBoth(sought, &one);
		else
			DiskannSeekEither(sought, &one);
	}
	return fulfilled;
}

/* No false negatives, whatever is asked of however many elements. */
static void
test_set_conditions(Fixture *f, int most, int kinds)
{
	DiskannFilterValues null = {.nulls = DiskannNullBit(0)};
	DiskannMarks null_marks;
	long		fulfilled = 0;

	DiskannSign(f->signatures, &null, &null_marks);
	for (int trial = 0; trial < 10 * TRIALS; trial++)
	{
		Elements	set = draw_elements(most, kinds);
		DiskannMarks marks = sign_elements(f, &set);
		DiskannSought sought;
		bool		expected = seek_sets(&set, 1 + trial % 5, most, kinds,
										 &sought);

		fulfilled += expected;
		check(!expected || may_be_mapped(&sought, &marks),
			  "what fulfils is sought in the map");
		check(may_be_beside(&sought, &marks) || !may_be_mapped(&sought, &marks),
			  "and beside edges");
		check(marks.signatures[0] != 0, "a set is not nothing");
		check(!may_be_beside(&sought, &null_marks), "NULL does not compare");
	}
	check(fulfilled > TRIALS, "some fulfilled");
}

/* Most sets that do not have an element look so. */
static void
test_set_precision(Fixture *f, int most, double beside, double mapped)
{
	double		wrong[2] = {0, 0};
	int			asked = 0;

	for (int trial = 0; trial < 10 * TRIALS; trial++)
	{
		Elements	set = draw_elements(most, 1000);
		Elements	other = draw_elements(1, 1000);
		DiskannMarks marks = sign_elements(f, &set);
		DiskannSought sought;

		if (other.n == 0 || count_in(&other, &set) > 0)
			continue;
		DiskannSeekAll(&sought);
		check(!DiskannIsNarrow(&sought), "all is not narrow");
		DiskannSeekSet(DISKANN_SET_OVERLAPS, other.hashes, 1, &sought);
		check(DiskannIsNarrow(&sought), "an element is");
		asked++;
		wrong[0] += may_be_beside(&sought, &marks);
		wrong[1] += may_be_mapped(&sought, &marks);
	}
	check(wrong[0] < beside * asked, "signatures of sets tell much");
	check(wrong[1] < mapped * asked, "the map tells more");
}

static void
test_sets(void)
{
	DiskannSought sought;
	DiskannMarks marks;
	Elements	empty = {0};
	Fixture		f;

	make_fixture(&f, DISKANN_FILTER_SET, INT8OID, ONE, false);
	marks = sign_elements(&f, &empty);
	for (int isnull = 0; isnull < 2; isnull++)
	{
		DiskannSeekAll(&sought);
		DiskannSeekNull(&sought, isnull != 0);
		check(may_be_mapped(&sought, &marks) == (isnull == 0),
			  "the empty set is not NULL");
	}
	test_set_conditions(&f, 4, 5);
	test_set_conditions(&f, 4, 1000);
	test_set_conditions(&f, MOST_ELEMENTS, 14);
	test_set_conditions(&f, MOST_ELEMENTS, 1000);
	test_set_precision(&f, 4, 0.02, 0.003);
	test_set_precision(&f, MOST_ELEMENTS, 0.2, 0.08);
	free_fixture(&f);
}

int
main(void)
{
	catch_faults();
	current_table = "signatures";
	test_all();
	test_precision();
	test_equal();
	test_sets();
	return report();
}
