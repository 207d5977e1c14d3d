/*-------------------------------------------------------------------------
 *
 * parallel.h
 *	  CREATE INDEX: workers.
 *
 * See parallel.c.  These are the only functions of the build that know of more
 * than one process; the phases know a number of participants.
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

/*
 * How many workers to ask for: 0 where the table is small or temporary, where
 * expressions of the index must not run in a worker, or where there is not
 * enough maintenance_work_mem for more than one participant.
 */
extern int	DiskannBuildWorkers(Relation heap, Relation rel);

/* For a table of so many blocks whose parallel_workers is not set. */
extern int	DiskannWorkersForBlocks(BlockNumber blocks);

/*
 * Build with workers, and fill in *result; false if none was to be had and
 * nothing has been done.  leader is the state of this process, initialized.
 */
extern bool DiskannBuildParallel(BuildState *leader, int nworkers,
								 IndexBuildResult *result);

/* Where a worker starts; PostgreSQL calls it by its name. */
extern PGDLLEXPORT void DiskannBuildWorkerMain(dsm_segment *seg, shm_toc *toc);

#endif							/* DISKANN_BUILD_PARALLEL_H */
