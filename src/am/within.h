/*-------------------------------------------------------------------------
 *
 * within.h
 *	  How many of the rows are within a distance.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/within.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_WITHIN_H
#define DISKANN_WITHIN_H

#include "utils/rel.h"

/*
 * The share of the index's rows that are no farther from the query than the
 * bound, a distance of the operator, by a few nodes of all parts of the index;
 * unknown is what it is taken for where none tells, and weighs as much as one
 * node.  Share-locks nodes' slots, one at a time.
 */
extern double DiskannShareWithin(Relation rel, Datum query, double bound,
								 double unknown);

#endif							/* DISKANN_WITHIN_H */
