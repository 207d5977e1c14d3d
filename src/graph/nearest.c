/*-------------------------------------------------------------------------
 *
 * nearest.c
 *	  The k least distances there were.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/nearest.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "graph/nearest.h"

/* Put a distance above the place i, as far up as it is greater. */
static void
rise(float *heap, int i, float distance)
{
	for (; i > 0 && heap[(i - 1) / 2] < distance; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = distance;
}

/* Put a distance in place of the greatest, as far down as it is less. */
static void
sink(float *heap, int count, float distance)
{
	int			i = 0;

	for (int child = 1; child < count; child = 2 * i + 1)
	{
		if (child + 1 < count && heap[child + 1] > heap[child])
			child++;
		if (heap[child] <= distance)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = distance;
}

void
DiskannNearestAdd(DiskannNearest *nearest, float distance)
{
	if (nearest->count < nearest->size)
		rise(nearest->distances, nearest->count++, distance);
	else if (nearest->size > 0 && distance < nearest->distances[0])
		sink(nearest->distances, nearest->count, distance);
}
