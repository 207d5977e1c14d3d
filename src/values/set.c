/*-------------------------------------------------------------------------
 *
 * set.c
 *	  What is kept of the elements of an array, for filters.
 *
 * The signature of up to four elements has a byte for each, of those that a
 * byte of a column of single values may be too.  Of more elements it is a byte
 * that says so, and the pattern folded to the other three.
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

/* Elements of a key that is no pattern, of so many bits each. */
#define MOST_ELEMENTS 4
#define ELEMENT_BITS 16

/* Bits that an element sets in a pattern, each told by six bits of the hash. */
#define PATTERN_BITS 3

/* Bytes of a signature. */
#define CODE_NONE 0				/* no further element */
#define CODE_NULL 1				/* the first one: no set */
#define FIRST_CODE 2
#define LAST_CODE 253
#define CODE_MANY 255			/* the first one: a pattern follows */
#define FOLDED_BITS 24

/* ---------- keys ---------- */

/* Not 0, which stands for no element. */
static uint64
element_of_hash(uint64 hash)
{
	return Max(hash >> (64 - ELEMENT_BITS), 1);
}

static uint64
pattern_of_hash(uint64 hash)
{
	uint64		pattern = 0;

	for (int i = 0; i < PATTERN_BITS; i++)
		pattern |= UINT64CONST(1) << (hash >> (6 * i) & 63);
	return pattern;
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

/* ---------- signatures ---------- */

static uint8
code_of_element(uint64 element)
{
	return FIRST_CODE + element % (LAST_CODE - FIRST_CODE + 1);
}

static uint32
fold_pattern(uint64 pattern)
{
	uint32		folded = 0;

	for (; pattern != 0; pattern >>= FOLDED_BITS)
		folded |= pattern & ((1 << FOLDED_BITS) - 1);
	return folded;
}

void
DiskannSetSignature(DiskannSet set, uint8 *signature)
{
	uint32		folded = fold_pattern(set.key);

	for (int i = 0; i < MOST_ELEMENTS; i++)
		signature[i] = element_of_set(set, i) == 0 ? CODE_NONE :
			code_of_element(element_of_set(set, i));
	if (!set.many)
		return;
	signature[0] = CODE_MANY;
	for (int i = 1; i < DISKANN_SET_SIGNATURE_BYTES; i++)
		signature[i] = folded >> (8 * (i - 1)) & 0xFF;
}

void
DiskannNoSetSignature(uint8 *signature)
{
	memset(signature, CODE_NONE, DISKANN_SET_SIGNATURE_BYTES);
	signature[0] = CODE_NULL;
}

static uint32
folded_of_signature(const uint8 *signature)
{
	return signature[1] | signature[2] << 8 | (uint32) signature[3] << 16;
}

static bool
signature_has(const uint8 *signature, uint64 hash)
{
	uint32		folded = fold_pattern(pattern_of_hash(hash));

	if (signature[0] == CODE_MANY)
		return (folded_of_signature(signature) & folded) == folded;
	return memchr(signature, code_of_element(element_of_hash(hash)),
				  DISKANN_SET_SIGNATURE_BYTES) != NULL;
}

static bool
code_is_among(uint8 code, const uint64 *hashes, int n)
{
	if (code == CODE_NONE)
		return true;
	for (int i = 0; i < n; i++)
	{
		if (code_of_element(element_of_hash(hashes[i])) == code)
			return true;
	}
	return false;
}

static bool
signature_is_contained(const uint8 *signature, const uint64 *hashes, int n)
{
	if (signature[0] == CODE_MANY)
		return (folded_of_signature(signature) &
				~fold_pattern(pattern_of_hashes(hashes, n))) == 0;
	for (int i = 0; i < DISKANN_SET_SIGNATURE_BYTES; i++)
	{
		if (!code_is_among(signature[i], hashes, n))
			return false;
	}
	return true;
}

bool
DiskannSetSignatureMay(DiskannSetTest test, const uint8 *signature,
					   const uint64 *hashes, int n)
{
	bool		any = test == DISKANN_SET_OVERLAPS;

	if (signature[0] == CODE_NULL)
		return false;
	if (test == DISKANN_SET_CONTAINED)
		return signature_is_contained(signature, hashes, n);
	for (int i = 0; i < n; i++)
	{
		if (signature_has(signature, hashes[i]) == any)
			return any;
	}
	return !any && (test == DISKANN_SET_CONTAINS ||
					signature_is_contained(signature, hashes, n));
}
