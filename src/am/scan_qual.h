/*-------------------------------------------------------------------------
 *
 * scan_qual.h
 *	  Conditions of the scan's plan node that the index can decide.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_qual.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SCAN_QUAL_H
#define DISKANN_SCAN_QUAL_H

#include "am/scan_condition.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

/* What has been taken from the filter of a plan node. */
typedef struct DiskannScanQual
{
	int			ntaken;			/* so many conditions of the filter */
	List	   *conditions;		/* of DiskannCondition, which have to hold */

	/* An expression that has to be true, too; NULL: none. */
	ExprState  *state;
	IndexScanState *node;
	const DiskannFilters *columns;
	List	   *parts;			/* of DiskannCondition, within the expression */
	TupleTableSlot *slot;		/* columns of the index, then parts */
} DiskannScanQual;

/*
 * Take what can be taken from the filter of the scan's plan node; nothing if
 * that is NULL.  Allocates in the current context, for one scan.
 */
extern void DiskannScanQualStart(DiskannScanQual *qual, Relation rel,
								 const DiskannFilters *columns,
								 IndexScanState *node);

/*
 * May rows with these keys pass the expression?  Calls functions: nothing may
 * be locked.
 */
extern bool DiskannScanQualPasses(const DiskannScanQual *qual,
								  const DiskannFilterValues *keys);

#endif							/* DISKANN_SCAN_QUAL_H */
