/*-------------------------------------------------------------------------
 *
 * check_edges.h
 *	  The pass of diskann_index_check() over all edges.
 *
 * See check_edges.c.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check_edges.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_CHECK_EDGES_H
#define DISKANN_CHECK_EDGES_H

#include "sql/check_common.h"

/*
 * Check the edges of all nodes, and count the live nodes that no path from the
 * entry node leads to.  The states of the slots must be known from
 * DiskannCheckSlots().  Damage is an error.
 */
extern void DiskannCheckEdges(DiskannCheck *check);

#endif							/* DISKANN_CHECK_EDGES_H */
