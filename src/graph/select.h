/*-------------------------------------------------------------------------
 *
 * select.h
 *	  Choose the edges of a node among many candidates.
 *
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/select.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SELECT_H
#define DISKANN_SELECT_H

#include "graph/carve.h"

typedef struct DiskannEdgeChoice
{
	int			max_degree;
	float		alpha;			/* see prune.h */
	uint32		nnodes;
	DiskannFetch fetch;
	void	   *arg;
	DiskannBlock *block;		/* for scratch, see DiskannCreateChoiceBlock */
	uint64		distances;		/* computed so far */
} DiskannEdgeChoice;

/*
 * Choose at most max_degree edges of a node among near candidates and far ones
 * (of a sample, see am/build_partition.c), which have half of the edges to
 * themselves.  Nodes must be numbered so that near ones mostly have near numbers,
 * 1..nnodes: some at growing intervals are candidates, too, which keeps data of
 * few dimensions from falling apart into neighbourhoods.  Candidates may come
 * several times; both arrays are sorted in place.  edges gets the chosen ones without duplicates, far ones first; returns
 * their number, and in *nfar how many of them are far.
 */
extern DiskannBlock *DiskannCreateChoiceBlock(int dims);
extern int	DiskannChooseEdges(DiskannEdgeChoice *choice, uint32 node,
							   DiskannCandidate *near, int nnear,
							   DiskannCandidate *far, int *nfar,
							   DiskannCandidate *edges);

#endif							/* DISKANN_SELECT_H */
