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

#include "am/bound.h"
#include "am/scan_condition.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

/* What has been taken from the filter of a plan node. */
typedef struct DiskannScanQual
{
	int			ntaken;			/* so many conditions of the filter */
	List	   *conditions;		/* of DiskannCondition, which have to hold */

	/* Expressions that have to be true, too. */
	List	   *expressions;
	ExprState  *state;			/* of all of them; NULL: there is none */
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
 * May rows with these keys pass the expressions?  Calls functions: nothing may
 * be locked.
 */
extern bool DiskannScanQualPasses(const DiskannScanQual *qual,
								  const DiskannFilterValues *keys);

/*
 * Narrow what is sought among signatures, by column, to what may pass the
 * expressions.  Calls functions of types: nothing may be locked.
 */
extern void DiskannScanQualSeek(const DiskannScanQual *qual,
								DiskannSignatures *signatures,
								DiskannSought *sought);

/* What a scan makes of a condition of its query. */
typedef enum DiskannUse
{
	DISKANN_USE_NONE,			/* nothing: rows are fetched and looked at */
	DISKANN_USE_REJECT,			/* nodes visited are rejected */
	DISKANN_USE_SEEK			/* it seeks nodes that may fulfil it */
} DiskannUse;

/*
 * Which will a scan, of the table that the query being planned knows by relid?
 * compute() knows values, as far as they are known.
 */
extern DiskannUse DiskannScanQualUse(Relation rel,
									 const DiskannFilters *columns,
									 Index relid, Node *clause,
									 DiskannCompute compute, void *context);

#endif							/* DISKANN_SCAN_QUAL_H */
