/*-------------------------------------------------------------------------
 *
 * foreign_cost.h
 *	  What distances cost whose functions are another extension's.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/foreign_cost.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_FOREIGN_COST_H
#define DISKANN_FOREIGN_COST_H


/* Take part in planning, to price distances of other extensions. */
extern void DiskannInitForeignCost(void);

#endif							/* DISKANN_FOREIGN_COST_H */
