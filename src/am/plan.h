/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  The part the access method takes in planning.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/plan.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_PLAN_H
#define DISKANN_PLAN_H


/* Take part in planning, to leave out distances nobody asked for. */
extern void DiskannInitPlan(void);

#endif							/* DISKANN_PLAN_H */
