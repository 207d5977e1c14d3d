/*-------------------------------------------------------------------------
 *
 * reach.h
 *	  Make every node of a graph reachable.
 *
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/reach.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_REACH_H
#define DISKANN_REACH_H

#include "graph/block.h"

/* A graph with nodes 1..count, kept somewhere. */
typedef struct DiskannGraph
{
	uint32		count;
	int			dims;
	int			max_degree;

	/* Read or replace the edges of a node, the most important first. */
	int			(*get) (void *arg, uint32 node, uint32 *edges);
	void		(*put) (void *arg, uint32 node, const uint32 *edges, int n);

	DiskannFetch fetch;
	void	   *arg;
} DiskannGraph;

/*
 * Make all nodes reachable from the nstarts given, by edges from near ones
 * that are.  Returns how many nodes had to be attached.  Takes 5 bytes a node.
 */
extern uint32 DiskannReachAll(DiskannGraph *graph, const uint32 *starts,
							  int nstarts);

#endif							/* DISKANN_REACH_H */
