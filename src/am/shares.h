/*-------------------------------------------------------------------------
 *
 * shares.h
 *	  How many rows a query's conditions are expected to leave, and to whom.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/shares.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SHARES_H
#define DISKANN_SHARES_H

#include "nodes/pathnodes.h"
#include "utils/rel.h"

/*
 * Shares of the index's rows, more than 0 and at most 1: those that meet the
 * conditions of each kind.
 */
typedef struct DiskannShares
{
	Selectivity sought;			/* on columns, which signatures tell of */
	Selectivity first;			/* of these on the first filter column, if
								 * value edges lead along it; else 1 */
	Selectivity decided;		/* which a node visited tells of */
	Selectivity left;			/* of which rows have to be looked at */
	Selectivity bound;			/* upper bounds of the distance */
} DiskannShares;

extern void DiskannEstimateShares(PlannerInfo *root, const IndexPath *path,
								  Relation rel, DiskannShares *shares);

#endif							/* DISKANN_SHARES_H */
