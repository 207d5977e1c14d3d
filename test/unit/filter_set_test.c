/*-------------------------------------------------------------------------
 *
 * filter_set_test.c
 *	  Keys and patterns of sets of elements, against the sets themselves.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/filter_set_test.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "harness.h"
#include "values/set.h"

#define MOST 12

static const char *const test_names[] = {
	"overlaps", "contains", "contained", "equals"
};

/* How often a question whose answer is no was answered by yes. */
static long wrong[LENGTHOF(test_names)];
static long asked[LENGTHOF(test_names)];

/* As good as PostgreSQL's hash of a number (the finalizer of splitmix64). */
static uint64
hash_of(uint64 x)
{
	x = (x + 1) * UINT64_C(0x9E3779B97F4A7C15);
	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

/* Some elements of this many there may be, with repetitions. */
static int
random_elements(uint64 *hashes, int most, int kinds)
{
	int			n = random_bits() % (most + 1);

	for (int i = 0; i < n; i++)
		hashes[i] = hash_of(random_bits() % kinds);
	return n;
}

static bool
all_in(const uint64 *a, int na, const uint64 *b, int nb)
{
	for (int i = 0; i < na; i++)
	{
		int			j = 0;

		while (j < nb && b[j] != a[i])
			j++;
		if (j == nb)
			return false;
	}
	return true;
}

static bool
some_in(const uint64 *a, int na, const uint64 *b, int nb)
{
	for (int i = 0; i < na; i++)
	{
		if (all_in(&a[i], 1, b, nb))
			return true;
	}
	return false;
}

static void
check_test(DiskannSetTest test, bool truth, DiskannSet set,
		   const uint64 *hashes, int n)
{
	bool		may = DiskannSetMay(test, set, hashes, n);

	current_kernel = test_names[test];
	check(may || !truth, "a key denies what is true");
	if (!truth)
	{
		asked[test]++;
		wrong[test] += may;
	}
}

static void
check_pair(const uint64 *a, int na, const uint64 *b, int nb)
{
	DiskannSet	set = DiskannMakeSet(a, na);
	DiskannSet	other = DiskannMakeSet(b, nb);
	bool		contains = all_in(b, nb, a, na);
	bool		contained = all_in(a, na, b, nb);

	current_n = na;
	check_test(DISKANN_SET_OVERLAPS, some_in(a, na, b, nb), set, b, nb);
	check_test(DISKANN_SET_CONTAINS, contains, set, b, nb);
	check_test(DISKANN_SET_CONTAINED, contained, set, b, nb);
	check_test(DISKANN_SET_EQUALS, contains && contained, set, b, nb);
	check(!(contains && contained) ||
		  (set.key == other.key && set.many == other.many),
		  "equal sets have different keys");
}

/* Wrong answers may be so often. */
static void
check_share(DiskannSetTest test, double share)
{
	current_kernel = test_names[test];
	current_n = 0;
	check(asked[test] > 10000, "enough was asked");
	check(wrong[test] <= share * asked[test], "keys are wrong too often");
}

static void
test_pairs(int most, int kinds)
{
	uint64		a[MOST];
	uint64		b[MOST];

	memset(wrong, 0, sizeof(wrong));
	memset(asked, 0, sizeof(asked));
	for (int i = 0; i < 50000; i++)
		check_pair(a, random_elements(a, most, kinds), b,
				   random_elements(b, i % 2 ? 2 : most, kinds));
}

static void
test_ends(void)
{
	uint64		hashes[MOST];
	DiskannSet	set = DiskannMakeSet(hashes, 0);

	current_table = "ends";
	check(set.key == 0 && !set.many, "the empty set is 0");
	check(DiskannSetPattern(set) == DISKANN_PATTERN_OF_ANY_SET,
		  "the empty set has no other bit");
	for (int i = 0; i < MOST; i++)
		hashes[i] = i;
	check(DiskannSetMay(DISKANN_SET_OVERLAPS, DiskannMakeSet(hashes, 1), hashes, 1),
		  "a hash of 0 is an element");
	check(!DiskannMakeSet(hashes, 12).many, "what looks equal is one element");
	for (int i = 0; i < MOST; i++)
		hashes[i] = hash_of(i);
	check(!DiskannMakeSet(hashes, 4).many && DiskannMakeSet(hashes, 5).many,
		  "four are kept apart");
}

/* A pattern has what those of all elements have, and no more. */
static void
test_patterns(void)
{
	uint64		hashes[MOST];

	current_table = "patterns";
	for (int i = 0; i < 10000; i++)
	{
		int			n = random_elements(hashes, MOST, 1000);
		uint64		pattern = DISKANN_PATTERN_OF_ANY_SET;

		for (int j = 0; j < n; j++)
		{
			uint64		element = DiskannElementPattern(hashes[j]);

			check(element != 0 && (element & 3) == 0 && element >> 48 == 0,
				  "an element has bits of its own");
			pattern |= element;
		}
		check(DiskannSetPattern(DiskannMakeSet(hashes, n)) == pattern,
			  "it has those of its elements");
	}
}

int
main(void)
{
	catch_faults();
	test_ends();
	test_patterns();
	current_table = "few";
	test_pairs(4, 1000);
	check_share(DISKANN_SET_OVERLAPS, 0.0002);
	check_share(DISKANN_SET_CONTAINS, 0.0002);
	check_share(DISKANN_SET_CONTAINED, 0.0002);
	current_table = "some";
	test_pairs(MOST, 1000);
	check_share(DISKANN_SET_OVERLAPS, 0.1);
	check_share(DISKANN_SET_CONTAINS, 0.01);
	current_table = "likely";
	test_pairs(MOST, 12);
	return report();
}
