/*-------------------------------------------------------------------------
 *
 * parallel.h
 *	  CREATE INDEX: workers.
 *
 * See parallel.c.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/parallel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_PARALLEL_H
#define DISKANN_BUILD_PARALLEL_H

#include "access/amapi.h"
#include "build/state.h"
#include "storage/dsm.h"
#include "storage/shm_toc.h"

/* How many workers to ask for. */
extern int	DiskannBuildWorkers(Relation heap, Relation rel);

/* Build with workers; false if none was to be had and nothing has been done. */
extern bool DiskannBuildParallel(BuildState *leader, int nworkers,
								 IndexBuildResult *result);
extern PGDLLEXPORT void DiskannBuildWorkerMain(dsm_segment *seg, shm_toc *toc);

#endif							/* DISKANN_BUILD_PARALLEL_H */
