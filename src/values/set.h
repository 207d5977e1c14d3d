/*-------------------------------------------------------------------------
 *
 * set.h
 *	  What is kept of the elements of an array, for filters.
 *
 * Elements are known by their hashes, of 64 bits.  Up to four are kept as 16
 * bits each; of more, each sets some bits of a pattern (Bloom, 1970).  So an
 * element that is there is always found; one that is not may seem to be.
 * Plain C.
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

/* Bytes of a signature, which tells less of a set, beside an edge to it. */
#define DISKANN_SET_SIGNATURE_BYTES 4

/* Equal sets are equal bit by bit, whatever the order of the hashes. */
extern DiskannSet DiskannMakeSet(const uint64 *hashes, int n);

/* False if the answer is no for certain. */
extern bool DiskannSetMay(DiskannSetTest test, DiskannSet set,
						  const uint64 *hashes, int n);

/*
 * The signature of a set, and the same question about it.  The signature of no
 * set, that is a NULL, is never that of a set; the answer about it is no.
 */
extern void DiskannSetSignature(DiskannSet set, uint8 *signature);
extern void DiskannNoSetSignature(uint8 *signature);
extern bool DiskannSetSignatureMay(DiskannSetTest test,
								   const uint8 *signature,
								   const uint64 *hashes, int n);

#endif							/* DISKANN_SET_H */
