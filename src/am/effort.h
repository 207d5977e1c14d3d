/*-------------------------------------------------------------------------
 *
 * effort.h
 *	  How much a scan does for the rows that are wanted.
 *
 * The scan goes by this, and so does what the planner is told of its cost.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/effort.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_EFFORT_H
#define DISKANN_EFFORT_H

#include <math.h>

/*
 * To return k rows a scan visits k nodes, and so many lists by the root of k.
 * A list shorter than what ten rows need to be good is meant to be so.
 */
#define DISKANN_LIST_PER_ROOT 0.28
#define DISKANN_LIST_FOR_TEN 100.0

/* So many nodes are sorted in the time in which one is walked to. */
#define DISKANN_WALK_PER_SORT 6

/*
 * So many rows of the table are read in its own order, and the filter applied,
 * in the time in which one is walked to and fetched.
 */
#define DISKANN_WALK_PER_READ 24

/*
 * Is it less to read the table than to walk to so many rows, if this share of
 * them passes the filter?  All that pass are compared then, which takes as long
 * as a step of a walk if vectors are in the TOAST table.
 */
static inline bool
DiskannReadsTable(double rows, double share, double nodes)
{
	return rows / share >= nodes / DISKANN_WALK_PER_READ + nodes * share;
}

/* So many matching nodes are measured in the time in which one is visited. */
#define DISKANN_MEASURES_PER_VISIT 2

/*
 * How many nodes are to be visited before this many rows may be returned: fewer
 * and too many rows would be found too late for their place.  0 or less: before
 * the first of them.
 */
static inline double
DiskannVisitsFor(double list_size, double rows)
{
	double		needed = rows * Min(1.0, list_size / DISKANN_LIST_FOR_TEN) +
		DISKANN_LIST_PER_ROOT * list_size * (sqrt(Max(rows, 1)) - 1);

	return Max(Max(list_size, rows), needed);
}

/*
 * A walk takes so many visits to get where it goes to, and so many along value
 * edges for each node of the list, for that is longer then, and bridges are
 * visited, too.
 */
#define DISKANN_VISITS_TO_START 50
#define DISKANN_VISITS_BY_VALUE 4

/*
 * How many visits a walk takes to as many nodes that match as a list of this
 * size has: that many by the root of their share, or if value edges lead to
 * them, not many more than have the signature sought.  detour is how many nodes
 * have that for each one that matches; 0: no value edges.
 */
static inline double
DiskannVisitsToMatch(double list_size, double share, double detour)
{
	double		visits = list_size / sqrt(share);

	if (detour > 0)
		visits = Min(visits, DISKANN_VISITS_BY_VALUE * list_size * detour);
	return DISKANN_VISITS_TO_START + visits;
}

#endif							/* DISKANN_EFFORT_H */
