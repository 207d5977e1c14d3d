/*-------------------------------------------------------------------------
 *
 * filter_map.h
 *	  The filter map: what filter columns hold, node by node.
 *
 * A node has a *signature* of each filter column, a byte that tells in which
 * range its key lies, and 16 bits of hash.  Of a set it has four, which are 32
 * bits of a *pattern* of 48, the hash being the others.  They are in its own
 * slot, and again in the map, of which one page describes thousands of nodes;
 * signatures alone are beside every edge that leads to the node.
 *
 * All live nodes that may fulfil some conditions are found in the map, without
 * a look at any other; it may name others, too.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/filter_map.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_FILTER_MAP_H
#define DISKANN_FILTER_MAP_H

#include "store/node.h"

/* More values than this are sought by their signatures alone. */
#define DISKANN_MOST_HASHES 16

/* Patterns that have all bits of one and none but those of another. */
typedef struct DiskannPatterns
{
	uint64		must;
	uint64		may;
} DiskannPatterns;

#define DISKANN_MOST_PATTERNS 16

/* What nodes may have of one filter column to be wanted. */
typedef struct DiskannSought
{
	/* Of a column of single values. */
	uint64		signatures[4];	/* bit i: signature i */
	int			nhashes;		/* 0: any hash */
	uint16		hashes[DISKANN_MOST_HASHES];

	/* Of one of sets: what belongs to any of these. */
	int			npatterns;
	DiskannPatterns patterns[DISKANN_MOST_PATTERNS];
} DiskannSought;

static inline bool
DiskannIsSought(const DiskannSought *sought, uint8 signature)
{
	return sought->signatures[signature >> 6] >> (signature & 63) & 1;
}

/* The bits of a pattern that signatures have; stride bytes lie between two. */
#define DISKANN_PATTERN_OF_SIGNATURES UINT64CONST(0xFFFFFFFF)

static inline uint64
DiskannPattern(const uint8 *signatures, Size stride)
{
	return signatures[0] | signatures[stride] << 8 |
		signatures[2 * stride] << 16 | (uint64) signatures[3 * stride] << 24;
}

/* Is a pattern sought, of which only known bits are known? */
static inline bool
DiskannIsPatternSought(const DiskannSought *sought, uint64 pattern,
					   uint64 known)
{
	for (int i = 0; i < sought->npatterns; i++)
	{
		if ((sought->patterns[i].must & known & ~pattern) == 0 &&
			(pattern & ~sought->patterns[i].may) == 0)
			return true;
	}
	return false;
}

/* A pass over the map. */
typedef struct DiskannMapScan
{
	DiskannNodeRef *ref;
	const DiskannSought *sought;	/* of each filter column */
	uint32		next;			/* page of the map, from 0 */
	uint32		npages;
} DiskannMapScan;

/*
 * Start a pass; sought has an entry for each filter column, and must last.
 * Nothing is locked.
 */
extern void DiskannMapBegin(DiskannMapScan *scan, DiskannNodeRef *ref,
							const DiskannSought *sought);

/* Most nodes that one page of the map describes. */
static inline int
DiskannMapPageNodes(const DiskannIndex *index)
{
	return index->meta.region_nodes;
}

/*
 * The nodes of the next page of the map that may be wanted, in order.  nodes
 * has room for DiskannMapPageNodes().  False after the last page; a page may
 * yield none.  Nothing is locked on entry and exit; the page in share mode
 * meanwhile.
 */
extern bool DiskannMapNext(DiskannMapScan *scan, DiskannNode *nodes, int *n);

/*
 * What the map has of a node.  Nothing is locked on entry and exit; the page of
 * the map in share mode meanwhile.
 */
extern void DiskannMapRead(DiskannNodeRef *ref, DiskannNode node,
						   DiskannMarks *marks);

/* How many nodes are wanted, as some pages of the map tell. */
typedef struct DiskannMapEstimate
{
	double		wanted;			/* nodes that match, in the whole index */
	double		first;			/* whose signature of the first column does */
	double		live;			/* all live nodes */
	int			nfound;			/* of the nodes that match, some by chance */
	DiskannNode *found;			/* palloc'd */
} DiskannMapEstimate;

/*
 * Look at up to 8 pages of the map, which the seed chooses, and return at most
 * so many of the nodes found there, spread over all of these.  Nothing is
 * locked on entry and exit; one page at a time in share mode meanwhile.
 */
extern void DiskannMapSample(DiskannNodeRef *ref, const DiskannSought *sought,
							 uint64 seed, int most,
							 DiskannMapEstimate *estimate);

#endif							/* DISKANN_FILTER_MAP_H */
