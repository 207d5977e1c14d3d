/*-------------------------------------------------------------------------
 *
 * select.c
 *	  Choose the edges of a node among many candidates.
 *
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/select.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "graph/select.h"
#include "graph/prune.h"

/* So many of the nearest candidates are enough to choose from. */
#define MAX_CANDIDATES 96

/* Nodes at intervals of 1, 2, 4 and so on, in both directions. */
#define MAX_SPREAD 64

/* One edge in so many of a sample's may lead to a far candidate. */
#define FAR_SHARE 2

/* Candidates, nearest first, and which row of the block has each's vector. */
typedef struct Ranking
{
	DiskannEdgeChoice *choice;
	int			n;
	DiskannCandidate candidates[MAX_CANDIDATES + MAX_SPREAD];
	int			row[MAX_CANDIDATES + MAX_SPREAD];
} Ranking;

static void
pair_distances(void *arg, int a, const int *others, int n, float *out)
{
	Ranking    *ranking = arg;
	int			rows[DISKANN_PRUNE_BATCH];

	for (int k = 0; k < n; k++)
		rows[k] = ranking->row[others[k]];
	ranking->choice->distances += n;
	DiskannBlockFew(ranking->choice->block, ranking->row[a], rows, n, out);
}

/* Sorts nearest first, and then by number; distances are not negative. */
static inline uint64
sort_key(const DiskannCandidate *candidate)
{
	uint32		bits;

	memcpy(&bits, &candidate->dist, sizeof(bits));
	return (uint64) bits << 32 | candidate->member;
}

static inline int
compare_candidates(const DiskannCandidate *a, const DiskannCandidate *b)
{
	uint64		x = sort_key(a);
	uint64		y = sort_key(b);

	return (x > y) - (x < y);
}

#define ST_SORT sort_candidates_slowly
#define ST_ELEMENT_TYPE DiskannCandidate
#define ST_COMPARE(a, b) compare_candidates(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Buckets of a sort, and how many of them a factor of two of distance takes. */
#define BUCKETS 256
#define BUCKET_BITS 6

/* Numbers for which buckets pay. */
#define FEW_TO_SORT 32
#define MANY_TO_SORT 512

/*
 * Sort by distance.  Candidates go to buckets by the first bits of distances
 * as numbers, from the greatest downwards; what is left out of order is near
 * its place.  Takes a fifth of the time of sorting by comparing.
 */
static void
sort_by_distance(DiskannCandidate *candidates, int n)
{
	DiskannCandidate sorted[MANY_TO_SORT];
	uint8		bucket[MANY_TO_SORT];
	int			start[BUCKETS] = {0};
	uint32		greatest = 0;
	int			total = 0;

	if (n < FEW_TO_SORT || n > MANY_TO_SORT)
	{
		sort_candidates_slowly(candidates, n);
		return;
	}
	for (int i = 0; i < n; i++)
		greatest = Max(greatest, sort_key(&candidates[i]) >> 32);
	for (int i = 0; i < n; i++)
	{
		uint32		below = (greatest - (uint32) (sort_key(&candidates[i]) >> 32)) >>
		(FLT_MANT_DIG - 1 - BUCKET_BITS);

		bucket[i] = BUCKETS - 1 - Min(below, BUCKETS - 1);
		start[bucket[i]]++;
	}
	for (int b = 0; b < BUCKETS; b++)
	{
		total += start[b];
		start[b] = total - start[b];
	}
	for (int i = 0; i < n; i++)
		sorted[start[bucket[i]]++] = candidates[i];
	for (int i = 0; i < n; i++)
	{
		int			at = i;

		for (; at > 0 && compare_candidates(&sorted[i], &candidates[at - 1]) < 0; at--)
			candidates[at] = candidates[at - 1];
		candidates[at] = sorted[i];
	}
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

	sort_by_distance(candidates, n);
	for (int i = 0; i < n && kept < MAX_CANDIDATES; i++)
	{
		if ((kept == 0 || candidates[i].member != candidates[kept - 1].member)
			&& !contains(edges, nedges, candidates[i].member))
			candidates[kept++] = candidates[i];
	}
	return kept;
}

/* Rank candidates whose vectors are in rows 0, 1, ... of the block. */
static void
rank_candidates(Ranking *ranking, const DiskannCandidate *candidates, int n)
{
	ranking->n = n;
	memcpy(ranking->candidates, candidates, sizeof(DiskannCandidate) * n);
	for (int i = 0; i < n; i++)
		ranking->row[i] = i;
}

static void
add_to_ranking(Ranking *ranking, uint32 member, float dist, int row)
{
	DiskannCandidate candidate = {member, dist};
	int			i = ranking->n++;

	for (; i > 0 && compare_candidates(&candidate,
									   &ranking->candidates[i - 1]) < 0; i--)
	{
		ranking->candidates[i] = ranking->candidates[i - 1];
		ranking->row[i] = ranking->row[i - 1];
	}
	ranking->candidates[i] = candidate;
	ranking->row[i] = row;
}

/* Append at most limit - nedges edges to the nedges there are. */
static int
prune(Ranking *ranking, int limit, DiskannCandidate *edges, int nedges)
{
	float		dist[MAX_CANDIDATES + MAX_SPREAD];
	int			chosen[MAX_CANDIDATES + MAX_SPREAD];
	int			nchosen;
	DiskannPrune robust = {limit - nedges, ranking->choice->alpha,
	DISKANN_PRUNE_BATCH, pair_distances, ranking};

	for (int i = 0; i < ranking->n; i++)
		dist[i] = ranking->candidates[i].dist;
	nchosen = DiskannRobustPrune(&robust, dist, ranking->n, chosen);
	for (int i = 0; i < nchosen; i++)
		edges[nedges++] = ranking->candidates[chosen[i]];
	return nedges;
}

/* Have the vectors of n candidates in rows 0, 1, ... of the block. */
static void
fetch_candidates(DiskannEdgeChoice *choice,
				 const DiskannCandidate *candidates, int n)
{
	uint32		members[MAX_CANDIDATES];

	for (int i = 0; i < n; i++)
		members[i] = candidates[i].member;
	choice->block->count = 0;
	choice->fetch(choice->arg, members, n, choice->block);
}

/* Nodes at growing intervals that are no candidates yet; returns how many. */
static int
find_spread(const DiskannEdgeChoice *choice, uint32 node,
			const DiskannCandidate *near, int nnear,
			const DiskannCandidate *edges, int nedges, uint32 *spread)
{
	int			n = 0;

	for (uint64 step = 1; step < choice->nnodes; step *= 2)
	{
		for (int sign = -1; sign <= 1; sign += 2)
		{
			int64		other = (int64) node + sign * (int64) step;

			if (other < 1 || other > choice->nnodes ||
				contains(near, nnear, other) || contains(edges, nedges, other))
				continue;
			spread[n++] = other;
		}
	}
	return n;
}

/* Rank such nodes, too, appending their vectors, and the node's, to the block. */
static void
rank_spread(Ranking *ranking, uint32 node, const uint32 *spread, int n)
{
	DiskannEdgeChoice *choice = ranking->choice;
	int			own = choice->block->count;
	int			rows[MAX_SPREAD];
	float		dist[MAX_SPREAD];

	choice->fetch(choice->arg, &node, 1, choice->block);
	choice->fetch(choice->arg, spread, n, choice->block);
	for (int i = 0; i < n; i++)
		rows[i] = own + 1 + i;
	DiskannBlockFew(choice->block, own, rows, n, dist);
	choice->distances += n;
	for (int i = 0; i < n; i++)
		add_to_ranking(ranking, spread[i], dist[i], rows[i]);
}

DiskannBlock *
DiskannCreateChoiceBlock(int dims)
{
	return DiskannBlockCreate(dims, MAX_CANDIDATES + MAX_SPREAD + 1, false);
}

int
DiskannChooseEdges(DiskannEdgeChoice *choice, uint32 node,
				   DiskannCandidate *near, int nnear,
				   DiskannCandidate *far, int *nfar, DiskannCandidate *edges)
{
	uint32		spread[MAX_SPREAD];
	Ranking		ranking;
	int			n;

	ranking.choice = choice;
	n = sort_candidates(far, *nfar, edges, 0);
	fetch_candidates(choice, far, n);
	rank_candidates(&ranking, far, n);
	*nfar = prune(&ranking, choice->max_degree / FAR_SHARE, edges, 0);

	n = sort_candidates(near, nnear, edges, *nfar);
	fetch_candidates(choice, near, n);
	rank_candidates(&ranking, near, n);
	rank_spread(&ranking, node, spread,
				find_spread(choice, node, near, n, edges, *nfar, spread));
	return prune(&ranking, choice->max_degree, edges, *nfar);
}
