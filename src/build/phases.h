/*-------------------------------------------------------------------------
 *
 * phases.h
 *	  CREATE INDEX: the phases, each in a file of its own.
 *
 * All participants call these, but DiskannBuildNumber() and
 * DiskannBuildConnect(), which the leader alone calls while the others wait.
 * What one phase leaves to the next is in the files of state.h, and a few
 * numbers in BuildShared.
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

/* load.c: the table's rows to FILE_CODES; gives the index its centre. */
extern void DiskannBuildReadRows(BuildState *state);

/* partition.c: which rows are compared with which, to FILE_MEMBERS. */
extern void DiskannBuildPartition(BuildState *state);

/*
 * compare.c: lists of candidates to FILE_CANDIDATES; the places of rows,
 * FILE_ORDER and FILE_PLACED.
 */
extern void DiskannBuildCompare(BuildState *state);

/* number.c: the nodes, FILE_NODES, and the node of each row, FILE_MAP. */
extern void DiskannBuildNumber(BuildState *state);

/* choose.c: the edges of each node, chosen among candidates, to FILE_EDGES. */
extern void DiskannBuildChoose(BuildState *state);

/* connect.c: the entry node's edges, and those missing in FILE_EDGES. */
extern void DiskannBuildConnect(BuildState *state);

/* write.c: the pages of the index. */
extern void DiskannBuildWrite(BuildState *state);

/* How many TIDS slots a node with nrows rows needs beside its own slot. */
extern uint32 DiskannBuildChainSlots(const DiskannIndex *index, uint32 nrows);

/*
 * The place of the row that stands for each node, by the node's number,
 * palloc'd; node 0, the entry node, has none.
 */
extern uint32 *DiskannBuildNodePlaces(BuildState *state);

#endif							/* DISKANN_BUILD_PHASES_H */
