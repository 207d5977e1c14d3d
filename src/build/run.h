/*-------------------------------------------------------------------------
 *
 * run.h
 *	  CREATE INDEX: the phases in their order.
 *
 * See run.c.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/run.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_RUN_H
#define DISKANN_BUILD_RUN_H

#include "access/amapi.h"
#include "build/state.h"

/*
 * Go through all phases, once it is known who takes part: state->shared is set
 * up, and everybody calls this.  Errors end the build of all.
 */
extern void DiskannBuildRun(BuildState *state);

/* The leader tells what the build has found, once all are done. */
extern void DiskannBuildReport(BuildState *leader, IndexBuildResult *result);

#endif							/* DISKANN_BUILD_RUN_H */
