/*-------------------------------------------------------------------------
 *
 * select.h
 *	  Choose the edges of a node among many candidates.
 *
 * A node is given candidates of two kinds.  Local ones are near it, and robust
 * pruning (prune.h) makes of them the edges that a Vamana graph has.  Remote
 * ones are the nearest within a sample of all vectors, and so about as far
 * away as the sample is sparse.  A graph that is built wholesale needs them,
 * if the data consist of clusters: no node of another cluster is ever among
 * the local candidates, as it would be in a graph built by inserting one
 * vector after another, whose early edges are long because there is nothing
 * nearer yet.  Kleinberg's small worlds (STOC 2000) are the model: links of
 * all lengths.
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

/* How to choose, for any number of nodes. */
typedef struct DiskannEdgeChoice
{
	int			max_degree;
	float		alpha;			/* see prune.h */
	uint32		nnodes;			/* numbered from 1 on */
	DiskannFetch fetch;			/* of nodes */
	void	   *arg;
	DiskannBlock *block;		/* for scratch, see DiskannCreateChoiceBlock */
	int			value_edges;	/* for DiskannChooseValueEdges(): how many */
	const uint8 *values;		/* and what nodes have */
	uint64		distances;		/* computed so far */
} DiskannEdgeChoice;

/* A block as choice->block needs it, in the current memory context. */
extern DiskannBlock *DiskannCreateChoiceBlock(int dims);

/*
 * Choose at most max_degree edges of a node among local and remote candidates;
 * at most half of the edges are remote.  Nodes must be numbered so that near
 * ones mostly have near numbers: some at growing intervals are candidates,
 * too, which keeps data of few dimensions from falling apart into
 * neighbourhoods.
 *
 * The node itself must not be a candidate.  Others may be several times; both
 * arrays are sorted in place.  edges, with room for max_degree, gets the
 * chosen ones without duplicates, remote ones first; returns their number, and
 * in *nremote, which is the number of remote candidates before, how many of
 * the edges are remote.  Scratch memory is palloc'd and freed.
 */
extern int	DiskannChooseEdges(DiskannEdgeChoice *choice, uint32 node,
							   DiskannCandidate *local, int nlocal,
							   DiskannCandidate *remote, int *nremote,
							   DiskannCandidate *edges);

/*
 * See to it that some of a node's edges are value edges (prune.h); the value is
 * what choice->values tells.  kin are the nearest nodes of the node's, and may
 * be edges already, or come several times.  They take the places of some of the
 * n edges, but not of the first nremote ones.  Returns how many edges there are
 * then.
 */
extern int	DiskannChooseValueEdges(DiskannEdgeChoice *choice, uint32 node,
									DiskannCandidate *kin, int nkin,
									int nremote, DiskannCandidate *edges,
									int n);

#endif							/* DISKANN_SELECT_H */
