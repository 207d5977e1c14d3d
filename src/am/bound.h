/*-------------------------------------------------------------------------
 *
 * bound.h
 *	  A distance beyond which a query's conditions drop every row.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/bound.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BOUND_H
#define DISKANN_BOUND_H

#include "nodes/primnodes.h"

/*
 * Compute an expression of type double precision or real, which needs no row.
 * False if it cannot be computed.
 */
typedef bool (*DiskannCompute) (Expr *expr, void *context, Datum *value,
								bool *isnull);

/*
 * If the condition is false or null for all rows that are farther than some
 * distance, lower *bound to that, unless it is lower; else return false.
 * distance is what rows are ordered by.
 */
extern bool DiskannLowerBound(Expr *condition, const Expr *distance,
							  DiskannCompute compute, void *context,
							  double *bound);

#endif							/* DISKANN_BOUND_H */
