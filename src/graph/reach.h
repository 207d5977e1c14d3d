/*-------------------------------------------------------------------------
 *
 * reach.h
 *	  Make every node of a graph reachable.
 *
 * Nodes choose their edges, nobody chooses to be led to: a graph may have
 * nodes, and whole islands of them, that no path from the start leads to, and
 * that no search finds therefore.  In a graph of inserted vectors the inserted
 * one sees to it that it gets an edge; a graph that is built wholesale is
 * mended afterwards.
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

	/*
	 * Read or replace the edges of a node, max_degree at most and the most
	 * important first.  Reading returns how many there are.
	 */
	int			(*get) (void *arg, uint32 node, uint32 *edges);
	void		(*put) (void *arg, uint32 node, const uint32 *edges, int n);

	DiskannFetch fetch;			/* of nodes */
	void	   *arg;
} DiskannGraph;

/*
 * Make all nodes reachable from the nstarts given, one at least, by edges from
 * near ones that are.  Returns how many nodes were not reachable before.
 * Scratch memory is palloc'd and freed, 5 bytes a node.
 */
extern uint32 DiskannReachAll(DiskannGraph *graph, const uint32 *starts,
							  int nstarts);

#endif							/* DISKANN_REACH_H */
