/*-------------------------------------------------------------------------
 *
 * phases.h
 *	  CREATE INDEX: the phases, each in a file of its own.
 *
 * All participants call those without a mark; the leader alone calls
 * DiskannBuildNumber() and DiskannBuildConnect(), while the others wait.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/phases.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_PHASES_H
#define DISKANN_BUILD_PHASES_H

#include "build/state.h"

extern void DiskannBuildReadRows(BuildState *state);
extern void DiskannBuildPartition(BuildState *state);
extern void DiskannBuildCompare(BuildState *state);
extern void DiskannBuildNumber(BuildState *state);
extern void DiskannBuildChoose(BuildState *state);
extern void DiskannBuildConnect(BuildState *state);
extern void DiskannBuildWrite(BuildState *state);

/* TIDS slots of a node with so many rows. */
extern uint32 DiskannBuildChainSlots(const DiskannIndex *index, uint32 nrows);

/* The row that stands for each node, palloc'd; node 0 has none. */
extern uint32 *DiskannBuildNodeRows(BuildState *state);

#endif							/* DISKANN_BUILD_PHASES_H */
