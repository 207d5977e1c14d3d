/*-------------------------------------------------------------------------
 *
 * filter_set_test.c
 *	  Keys and signatures of sets of elements, against the sets themselves.
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
static long wrong[LENGTHOF(test_names)][2];
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
	uint8		signature[DISKANN_SET_SIGNATURE_BYTES];
	bool		may = DiskannSetMay(test, set, hashes, n);
	bool		signature_may;

	DiskannSetSignature(set, signature);
	signature_may = DiskannSetSignatureMay(test, signature, hashes, n);
	current_kernel = test_names[test];
	check(may || !truth, "a key denies what is true");
	check(signature_may || !truth, "a signature denies what is true");
	check(signature_may || !may, "a signature denies what the key does not");
	if (!truth)
	{
		asked[test]++;
		wrong[test][0] += may;
		wrong[test][1] += signature_may;
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

/* Wrong answers may be so often, keys' and signatures'. */
static void
check_share(DiskannSetTest test, double of_keys, double of_signatures)
{
	current_kernel = test_names[test];
	current_n = 0;
	check(asked[test] > 10000, "enough was asked");
	check(wrong[test][0] <= of_keys * asked[test],
		  "keys are wrong too often");
	check(wrong[test][1] <= of_signatures * asked[test],
		  "signatures are wrong too often");
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
	uint8		none[DISKANN_SET_SIGNATURE_BYTES];
	uint8		empty[DISKANN_SET_SIGNATURE_BYTES];
	DiskannSet	set = DiskannMakeSet(hashes, 0);

	current_table = "ends";
	check(set.key == 0 && !set.many, "the empty set is 0");
	DiskannSetSignature(set, empty);
	DiskannNoSetSignature(none);
	check(memcmp(none, empty, sizeof(none)) != 0, "NULL is not empty");
	check(!DiskannSetSignatureMay(DISKANN_SET_CONTAINS, none, hashes, 0) &&
		  DiskannSetSignatureMay(DISKANN_SET_CONTAINS, empty, hashes, 0),
		  "NULL contains nothing");
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

int
main(void)
{
	catch_faults();
	test_ends();
	current_table = "few";
	test_pairs(4, 1000);
	check_share(DISKANN_SET_OVERLAPS, 0.0002, 0.02);
	check_share(DISKANN_SET_CONTAINS, 0.0002, 0.006);
	check_share(DISKANN_SET_CONTAINED, 0.0002, 0.003);
	current_table = "some";
	test_pairs(MOST, 1000);
	check_share(DISKANN_SET_OVERLAPS, 0.1, 0.4);
	check_share(DISKANN_SET_CONTAINS, 0.01, 0.1);
	current_table = "likely";
	test_pairs(MOST, 12);
	return report();
}
