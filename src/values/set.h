/*-------------------------------------------------------------------------
 *
 * set.h
 *	  What is kept of the elements of an array, for filters.
 *
 * Elements are known by their hashes, of 64 bits.  Up to four are kept as 16
 * bits each; of more, each sets some bits of a pattern (Bloom, 1970).  So an
 * element that is there is always found; one that is not may seem to be.  A
 * shorter pattern is made of either.  Plain C.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/values/set.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SET_H
#define DISKANN_SET_H

/* The elements of an array. */
typedef struct DiskannSet
{
	uint64		key;			/* 0 is the empty set */
	bool		many;			/* key is a pattern */
} DiskannSet;

/* What may be asked of a set and some elements. */
typedef enum DiskannSetTest
{
	DISKANN_SET_OVERLAPS,		/* has it one of them? */
	DISKANN_SET_CONTAINS,		/* has it all of them? */
	DISKANN_SET_CONTAINED,		/* has it none but them? */
	DISKANN_SET_EQUALS
} DiskannSetTest;

/* Equal sets are equal bit by bit, whatever the order of the hashes. */
extern DiskannSet DiskannMakeSet(const uint64 *hashes, int n);

/* False if the answer is no for certain. */
extern bool DiskannSetMay(DiskannSetTest test, DiskannSet set,
						  const uint64 *hashes, int n);

/*
 * The pattern of a set, of which bits 0 to 31 are its signatures and bits 32 to
 * 47 its hash; that of no set, that is a NULL, has one bit that no other has,
 * and each other one that it has not.  A set has all bits of its elements.
 */
#define DISKANN_PATTERN_OF_ANY_SET UINT64_C(1)
#define DISKANN_PATTERN_OF_NULL UINT64_C(2)

extern uint64 DiskannSetPattern(DiskannSet set);
extern uint64 DiskannElementPattern(uint64 hash);

#endif							/* DISKANN_SET_H */
