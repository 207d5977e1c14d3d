/*-------------------------------------------------------------------------
 *
 * value_cost.h
 *	  What it takes to read values that are not in their rows.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/value_cost.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_VALUE_COST_H
#define DISKANN_VALUE_COST_H

#include "nodes/pathnodes.h"

/*
 * The cost of reading, for one row, what the expression needs from the TOAST
 * table.  Constants in it, such as the vector of a query, tell how large the
 * values are.
 */
extern Cost DiskannValueCost(PlannerInfo *root, Node *expression);

#endif							/* DISKANN_VALUE_COST_H */
