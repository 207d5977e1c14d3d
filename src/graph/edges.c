/*-------------------------------------------------------------------------
 *
 * edges.c
 *	  Choose the edges of a node among many candidates.
 *
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/edges.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "graph/edges.h"
#include "graph/prune.h"

/* So many of the nearest candidates are enough to choose from. */
#define MAX_CANDIDATES 128

/* One edge in so many may lead to a far candidate. */
#define FAR_SHARE 8

typedef struct Pairs
{
	DiskannEdgeChoice *choice;
	const DiskannBlock *block;
} Pairs;

static float
pair_distance(void *arg, int a, int b)
{
	Pairs	   *pairs = arg;

	pairs->choice->distances++;
	return DiskannBlockDistance(pairs->block, a, b);
}

static int
compare_candidates(const void *a, const void *b)
{
	const DiskannCandidate *x = a;
	const DiskannCandidate *y = b;

	if (x->dist != y->dist)
		return x->dist < y->dist ? -1 : 1;
	return x->member < y->member ? -1 : x->member > y->member;
}

static bool
contains(const DiskannCandidate *edges, int n, uint32 member)
{
	for (int i = 0; i < n; i++)
	{
		if (edges[i].member == member)
			return true;
	}
	return false;
}

/* Sort, and drop duplicates and the first nedges edges. */
static int
sort_candidates(DiskannCandidate *candidates, int n,
				const DiskannCandidate *edges, int nedges)
{
	int			kept = 0;

	qsort(candidates, n, sizeof(DiskannCandidate), compare_candidates);
	for (int i = 0; i < n && kept < MAX_CANDIDATES; i++)
	{
		if ((kept == 0 || candidates[i].member != candidates[kept - 1].member)
			&& !contains(edges, nedges, candidates[i].member))
			candidates[kept++] = candidates[i];
	}
	return kept;
}

/* Append at most limit - nedges of the candidates to the edges. */
static int
choose(DiskannEdgeChoice *choice, DiskannCandidate *candidates, int n,
	   int limit, DiskannCandidate *edges, int nedges)
{
	float		dist[MAX_CANDIDATES];
	int			chosen[MAX_CANDIDATES];
	int			nchosen;
	Pairs		pairs = {choice, NULL};
	DiskannPrune prune = {limit - nedges, choice->alpha, pair_distance, &pairs};
	DiskannBlock *block;

	n = sort_candidates(candidates, n, edges, nedges);
	if (n == 0)
		return nedges;
	block = DiskannBlockCreate(choice->dims, n, false);
	for (int i = 0; i < n; i++)
	{
		choice->fetch(choice->arg, candidates[i].member, block);
		dist[i] = candidates[i].dist;
	}
	pairs.block = block;
	nchosen = DiskannRobustPrune(&prune, dist, n, chosen);
	for (int i = 0; i < nchosen; i++)
		edges[nedges++] = candidates[chosen[i]];
	DiskannBlockFree(block);
	return nedges;
}

int
DiskannChooseEdges(DiskannEdgeChoice *choice, DiskannCandidate *near,
				   int nnear, DiskannCandidate *far, int *nfar,
				   DiskannCandidate *edges)
{
	*nfar = choose(choice, far, *nfar, choice->max_degree / FAR_SHARE, edges,
				   0);
	return choose(choice, near, nnear, choice->max_degree, edges, *nfar);
}
