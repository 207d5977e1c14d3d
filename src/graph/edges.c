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
#define MAX_CANDIDATES 96

/* Nodes at intervals of 1, 2, 4 and so on, in both directions. */
#define MAX_SPREAD 64

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

/* Nearest first, and then by number. */
static inline int
compare_candidates(const DiskannCandidate *a, const DiskannCandidate *b)
{
	if (a->dist != b->dist)
		return a->dist < b->dist ? -1 : 1;
	return a->member < b->member ? -1 : a->member > b->member;
}

#define ST_SORT sort_by_distance
#define ST_ELEMENT_TYPE DiskannCandidate
#define ST_COMPARE(a, b) compare_candidates(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

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

	sort_by_distance(candidates, n);
	for (int i = 0; i < n && kept < MAX_CANDIDATES; i++)
	{
		if ((kept == 0 || candidates[i].member != candidates[kept - 1].member)
			&& !contains(edges, nedges, candidates[i].member))
			candidates[kept++] = candidates[i];
	}
	return kept;
}

/*
 * Append at most limit - nedges of n candidates, sorted by distance, whose
 * vectors are in block.
 */
static int
prune(DiskannEdgeChoice *choice, const DiskannBlock *block,
	  const DiskannCandidate *candidates, int n, int limit,
	  DiskannCandidate *edges, int nedges)
{
	float		dist[MAX_CANDIDATES + MAX_SPREAD];
	int			chosen[MAX_CANDIDATES + MAX_SPREAD];
	int			nchosen;
	Pairs		pairs = {choice, block};
	DiskannPrune robust = {limit - nedges, choice->alpha, pair_distance, &pairs};

	for (int i = 0; i < n; i++)
		dist[i] = candidates[i].dist;
	nchosen = DiskannRobustPrune(&robust, dist, n, chosen);
	for (int i = 0; i < nchosen; i++)
		edges[nedges++] = candidates[chosen[i]];
	return nedges;
}

static DiskannBlock *
fetch_candidates(DiskannEdgeChoice *choice,
				 const DiskannCandidate *candidates, int n)
{
	DiskannBlock *block = DiskannBlockCreate(choice->dims, n, false);

	for (int i = 0; i < n; i++)
		choice->fetch(choice->arg, candidates[i].member, block);
	return block;
}

/* Nodes at growing intervals that are no candidates yet; returns how many. */
static int
spread_out(DiskannEdgeChoice *choice, uint32 node,
		   const DiskannCandidate *near, int nnear,
		   const DiskannCandidate *edges, int nedges,
		   DiskannCandidate *spread)
{
	DiskannBlock *pair = DiskannBlockCreate(choice->dims, 2, false);
	int			n = 0;

	for (uint64 step = 1; step < choice->nnodes; step *= 2)
	{
		for (int sign = -1; sign <= 1; sign += 2)
		{
			int64		other = (int64) node + sign * (int64) step;

			if (other < 1 || other > choice->nnodes ||
				contains(near, nnear, other) || contains(edges, nedges, other))
				continue;
			pair->count = 0;
			choice->fetch(choice->arg, node, pair);
			choice->fetch(choice->arg, other, pair);
			spread[n].member = other;
			spread[n++].dist = DiskannBlockDistance(pair, 0, 1);
			choice->distances++;
		}
	}
	DiskannBlockFree(pair);
	return n;
}

int
DiskannChooseEdges(DiskannEdgeChoice *choice, uint32 node,
				   DiskannCandidate *near, int nnear,
				   DiskannCandidate *far, int *nfar, DiskannCandidate *edges)
{
	DiskannCandidate all[MAX_CANDIDATES + MAX_SPREAD];
	DiskannBlock *block;
	int			n;

	n = sort_candidates(far, *nfar, edges, 0);
	block = fetch_candidates(choice, far, n);
	*nfar = prune(choice, block, far, n, choice->max_degree / FAR_SHARE,
				  edges, 0);
	DiskannBlockFree(block);

	n = sort_candidates(near, nnear, edges, *nfar);
	memcpy(all, near, sizeof(DiskannCandidate) * n);
	n += spread_out(choice, node, near, n, edges, *nfar, all + n);
	sort_by_distance(all, n);
	block = fetch_candidates(choice, all, n);
	n = prune(choice, block, all, n, choice->max_degree, edges, *nfar);
	DiskannBlockFree(block);
	return n;
}
