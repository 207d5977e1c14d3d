/*-------------------------------------------------------------------------
 *
 * heap.h
 *	  A binary heap of candidates, the nearest on top.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/heap.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_HEAP_H
#define DISKANN_HEAP_H

#include <float.h>
#include <math.h>

/* A node offered to a search, and its estimated distance. */
typedef struct DiskannCandidate
{
	float		key;
	uint32		node;
} DiskannCandidate;

/*
 * A number, and not infinite: damage or overflow is to be visited last, not to
 * break the order.  An estimate below all numbers would also be taken for that
 * of a node already visited.
 */
static inline float
DiskannSaneKey(float key)
{
	return key > -INFINITY && key < FLT_MAX ? key : FLT_MAX;
}

/* Restore the order of a heap whose entry i may be less than its parent. */
static inline void
DiskannHeapUp(DiskannCandidate *heap, Size i)
{
	DiskannCandidate c = heap[i];

	while (i > 0 && heap[(i - 1) / 2].key > c.key)
	{
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = c;
}

/* The same where it may be greater than its children. */
static inline void
DiskannHeapDown(DiskannCandidate *heap, Size count, Size i)
{
	DiskannCandidate c = heap[i];

	for (;;)
	{
		Size		child = 2 * i + 1;

		if (child >= count)
			break;
		if (child + 1 < count && heap[child + 1].key < heap[child].key)
			child++;
		if (heap[child].key >= c.key)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = c;
}

/* Make a heap of candidates in any order. */
static inline void
DiskannHeapMake(DiskannCandidate *heap, Size count)
{
	for (Size i = count / 2; i-- > 0;)
		DiskannHeapDown(heap, count, i);
}

/* Take the nearest one away; returns how many are left. */
static inline Size
DiskannHeapPop(DiskannCandidate *heap, Size count)
{
	Assert(count > 0);
	heap[0] = heap[--count];
	if (count > 0)
		DiskannHeapDown(heap, count, 0);
	return count;
}

#endif							/* DISKANN_HEAP_H */
