/*-------------------------------------------------------------------------
 *
 * am.h
 *	  The callbacks of the access method, but those of CREATE INDEX.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/am.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_AM_H
#define DISKANN_AM_H

#include "access/amapi.h"
#include "access/genam.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"

/* The only operator strategy of an operator class. */
#define DISKANN_STRATEGY_ORDER 1

/* ---------- options.c ---------- */
extern bytea *diskannoptions(Datum reloptions, bool validate);

/* ---------- insert.c ---------- */
extern bool diskanninsert(Relation rel, Datum *values, bool *isnull,
						  ItemPointer heap_tid, Relation heap,
						  IndexUniqueCheck checkUnique, bool indexUnchanged,
						  IndexInfo *indexInfo);
extern void diskanninsertcleanup(Relation rel, IndexInfo *indexInfo);

/* ---------- scan.c ---------- */
extern IndexScanDesc diskannbeginscan(Relation rel, int nkeys,
									  int norderbys);
extern void diskannrescan(IndexScanDesc scan, ScanKey keys, int nkeys,
						  ScanKey orderbys, int norderbys);
extern bool diskanngettuple(IndexScanDesc scan, ScanDirection dir);
extern void diskannendscan(IndexScanDesc scan);

/* ---------- vacuum.c ---------- */
extern IndexBulkDeleteResult *diskannbulkdelete(IndexVacuumInfo *info,
												IndexBulkDeleteResult *stats,
												IndexBulkDeleteCallback callback,
												void *callback_state);
extern IndexBulkDeleteResult *diskannvacuumcleanup(IndexVacuumInfo *info,
												   IndexBulkDeleteResult *stats);

/* ---------- cost.c, validate.c ---------- */
extern void diskanncostestimate(PlannerInfo *root, IndexPath *path,
								double loop_count, Cost *startup_cost,
								Cost *total_cost, Selectivity *selectivity,
								double *correlation, double *pages);
extern bool diskannvalidate(Oid opclass);

#endif							/* DISKANN_AM_H */
