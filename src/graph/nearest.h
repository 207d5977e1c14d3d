/*-------------------------------------------------------------------------
 *
 * nearest.h
 *	  The k least distances there were.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/nearest.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_NEAREST_H
#define DISKANN_NEAREST_H

/* A binary heap, the greatest on top; of size 0 it takes nothing. */
typedef struct DiskannNearest
{
	int			size;			/* k */
	int			count;
	float	   *distances;		/* size of them, the caller's */
} DiskannNearest;

/* Have one more. */
extern void DiskannNearestAdd(DiskannNearest *nearest, float distance);

/* The k-th least; false if there are fewer. */
static inline bool
DiskannNearestLast(const DiskannNearest *nearest, float *distance)
{
	if (nearest->count == 0 || nearest->count < nearest->size)
		return false;
	*distance = nearest->distances[0];
	return true;
}

#endif							/* DISKANN_NEAREST_H */
