/*-------------------------------------------------------------------------
 *
 * set.c
 *	  What is kept of the elements of an array, for filters.
 *
 * A pattern has 64 bits.  The first two are left to DiskannSetPattern(); an
 * element sets three of the 30 that follow, and two of the last 32, which that
 * folds into 16.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/set.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "values/set.h"
#include "vector/rotate.h"

/* Elements of a key that is no pattern, of so many bits each. */
#define MOST_ELEMENTS 4
#define ELEMENT_BITS 16

/* A pattern, and the bits that an element sets in each part of it. */
#define FLAG_BITS 2
#define LOW_BITS 30
#define LOW_PICKS 3
#define HIGH_BITS 32
#define HIGH_PICKS 2
#define FOLDED_BITS 16			/* of the high ones */

/* ---------- keys ---------- */

/* Not 0, which stands for no element. */
static uint64
element_of_hash(uint64 hash)
{
	return Max(hash >> (64 - ELEMENT_BITS), 1);
}

static uint64
pattern_of_element(uint64 element)
{
	uint64		random = diskann_random64(&element);
	uint64		pattern = 0;

	for (int i = 0; i < LOW_PICKS; i++, random >>= 8)
		pattern |= UINT64_C(1) << (FLAG_BITS + (random & 255) * LOW_BITS / 256);
	for (int i = 0; i < HIGH_PICKS; i++, random >>= 8)
		pattern |= UINT64_C(1) << (FLAG_BITS + LOW_BITS + random % HIGH_BITS);
	return pattern;
}

static uint64
pattern_of_hash(uint64 hash)
{
	return pattern_of_element(element_of_hash(hash));
}

static uint64
pattern_of_hashes(const uint64 *hashes, int n)
{
	uint64		pattern = 0;

	for (int i = 0; i < n; i++)
		pattern |= pattern_of_hash(hashes[i]);
	return pattern;
}

/*
 * Insert an element into elements in order, unless it is there; returns how
 * many there are, MOST_ELEMENTS + 1 if it has no room.
 */
static int
insert_element(uint64 *elements, int count, uint64 element)
{
	int			at = 0;

	while (at < count && elements[at] < element)
		at++;
	if (at < count && elements[at] == element)
		return count;
	if (count == MOST_ELEMENTS)
		return count + 1;
	memmove(&elements[at + 1], &elements[at], sizeof(uint64) * (count - at));
	elements[at] = element;
	return count + 1;
}

DiskannSet
DiskannMakeSet(const uint64 *hashes, int n)
{
	uint64		elements[MOST_ELEMENTS];
	DiskannSet	set = {0, false};
	int			count = 0;

	for (int i = 0; i < n && count <= MOST_ELEMENTS; i++)
		count = insert_element(elements, count, element_of_hash(hashes[i]));
	if (count > MOST_ELEMENTS)
	{
		set.key = pattern_of_hashes(hashes, n);
		set.many = true;
		return set;
	}
	for (int i = 0; i < count; i++)
		set.key |= elements[i] << (ELEMENT_BITS * i);
	return set;
}

static uint64
element_of_set(DiskannSet set, int i)
{
	return set.key >> (ELEMENT_BITS * i) & ((1 << ELEMENT_BITS) - 1);
}

static bool
set_has(DiskannSet set, uint64 hash)
{
	uint64		pattern = pattern_of_hash(hash);

	if (set.many)
		return (set.key & pattern) == pattern;
	for (int i = 0; i < MOST_ELEMENTS; i++)
	{
		if (element_of_set(set, i) == element_of_hash(hash))
			return true;
	}
	return false;
}

/* May this element, or none if it is 0, be one of those hashed? */
static bool
is_among(uint64 element, const uint64 *hashes, int n)
{
	if (element == 0)
		return true;
	for (int i = 0; i < n; i++)
	{
		if (element_of_hash(hashes[i]) == element)
			return true;
	}
	return false;
}

static bool
set_is_contained(DiskannSet set, const uint64 *hashes, int n)
{
	if (set.many)
		return (set.key & ~pattern_of_hashes(hashes, n)) == 0;
	for (int i = 0; i < MOST_ELEMENTS; i++)
	{
		if (!is_among(element_of_set(set, i), hashes, n))
			return false;
	}
	return true;
}

bool
DiskannSetMay(DiskannSetTest test, DiskannSet set, const uint64 *hashes, int n)
{
	bool		any = test == DISKANN_SET_OVERLAPS;

	if (test == DISKANN_SET_CONTAINED)
		return set_is_contained(set, hashes, n);
	for (int i = 0; i < n; i++)
	{
		if (set_has(set, hashes[i]) == any)
			return any;
	}
	return !any && (test == DISKANN_SET_CONTAINS ||
					set_is_contained(set, hashes, n));
}

/* ---------- patterns ---------- */

static uint64
fold(uint64 pattern)
{
	const int	low = FLAG_BITS + LOW_BITS;
	uint64		high = pattern >> low;

	high = (high | high >> FOLDED_BITS) & ((1 << FOLDED_BITS) - 1);
	return (pattern & ((UINT64_C(1) << low) - 1)) | high << low;
}

uint64
DiskannElementPattern(uint64 hash)
{
	return fold(pattern_of_hash(hash));
}

uint64
DiskannSetPattern(DiskannSet set)
{
	uint64		pattern = set.many ? set.key : 0;

	for (int i = 0; !set.many && i < MOST_ELEMENTS; i++)
	{
		if (element_of_set(set, i) != 0)
			pattern |= pattern_of_element(element_of_set(set, i));
	}
	return fold(pattern) | DISKANN_PATTERN_OF_ANY_SET;
}
