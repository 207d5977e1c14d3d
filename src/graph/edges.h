/*-------------------------------------------------------------------------
 *
 * edges.h
 *	  Choose the edges of a node among many candidates.
 *
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/edges.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_EDGES_H
#define DISKANN_EDGES_H

#include "graph/carve.h"

typedef struct DiskannEdgeChoice
{
	int			dims;
	int			max_degree;
	float		alpha;			/* see prune.h */
	void		(*fetch) (void *arg, uint32 member, DiskannBlock *block);
	void	   *arg;
	uint64		distances;		/* computed so far */
} DiskannEdgeChoice;

/*
 * Choose at most max_degree edges among near candidates and far ones (of a
 * sample, see am/build_graph.c), which have a quarter of the edges to
 * themselves.  Candidates may come several times; both arrays are sorted in
 * place.  edges gets the chosen ones without duplicates, far ones first; returns
 * their number, and in *nfar how many of them are far.
 */
extern int	DiskannChooseEdges(DiskannEdgeChoice *choice,
							   DiskannCandidate *near, int nnear,
							   DiskannCandidate *far, int *nfar,
							   DiskannCandidate *edges);

#endif							/* DISKANN_EDGES_H */
