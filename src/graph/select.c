/*-------------------------------------------------------------------------
 *
 * select.c
 *	  Choose the edges of a node among many candidates.
 *
 * The nearest candidates are ranked, their vectors fetched into one block, and
 * pruned (RobustPrune of DiskANN, see prune.h), which compares candidates with
 * each other.  Remote candidates come first and get their share; then local
 * ones fill what is left.
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

/*
 * So many of the nearest candidates are enough to choose from; those beyond
 * are mostly occluded by them.
 */
#define MAX_CANDIDATES 96

/* Nodes at intervals of 1, 2, 4 .. 2^31, in both directions. */
#define MAX_SPREAD 64

#define MAX_RANKED (MAX_CANDIDATES + MAX_SPREAD)

/* One edge in so many may lead to a remote candidate. */
#define REMOTE_SHARE 2

/* Candidates, nearest first, and which row of the block has each's vector. */
typedef struct Ranking
{
	DiskannEdgeChoice *choice;
	int			n;
	DiskannCandidate candidates[MAX_RANKED];
	int			row[MAX_RANKED];
} Ranking;

/* Distances between candidates, numbered by their ranks, for pruning. */
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

/*
 * What candidates are sorted by: nearest first, and then by number.  The bits
 * of floats that are not negative are in the order of the floats.
 */
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

/*
 * Buckets of a sort, and how many of them a factor of two of distance takes.
 */
#define BUCKETS 256
#define BUCKET_BITS 6

/* Between these numbers of candidates buckets are faster than comparing. */
#define FEW_TO_SORT 32
#define MANY_TO_SORT 512

/*
 * Sort by distance.  The first bits of a float's exponent and mantissa say
 * which bucket a candidate goes to, counted from that of the greatest
 * downwards; all that is too much less shares the first bucket.  Insertion
 * sort does the rest: what is left out of order is near its place.  Takes a
 * fifth of the time of sorting by comparing, which is what a build spent most
 * of its time of choosing edges on.
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
		uint32		bits = sort_key(&candidates[i]) >> 32;
		uint32		below = (greatest - bits) >>
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

		while (at > 0 &&
			   compare_candidates(&sorted[i], &candidates[at - 1]) < 0)
		{
			candidates[at] = candidates[at - 1];
			at--;
		}
		candidates[at] = sorted[i];
	}
}

/* Is a member among some candidates? */
static bool
contains_member(const DiskannCandidate *edges, int n, uint32 member)
{
	for (int i = 0; i < n; i++)
	{
		if (edges[i].member == member)
			return true;
	}
	return false;
}

/*
 * Sort, and drop duplicates and what is among the nedges edges; returns how
 * many are left at the front, MAX_CANDIDATES at most.  A duplicate has the
 * same distance, whichever leaf it comes from, so that it follows its double.
 */
static int
sort_candidates(DiskannCandidate *candidates, int n,
				const DiskannCandidate *edges, int nedges)
{
	int			kept = 0;

	sort_by_distance(candidates, n);
	for (int i = 0; i < n && kept < MAX_CANDIDATES; i++)
	{
		if ((kept == 0 || candidates[i].member != candidates[kept - 1].member)
			&& !contains_member(edges, nedges, candidates[i].member))
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

/*
 * Insert one candidate where it belongs; its vector is in a row of the block.
 */
static void
add_to_ranking(Ranking *ranking, uint32 member, float dist, int row)
{
	DiskannCandidate candidate = {member, dist};
	int			i = ranking->n++;

	Assert(i < MAX_RANKED);
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
prune_ranking(Ranking *ranking, int limit, DiskannCandidate *edges, int nedges)
{
	float		dist[MAX_RANKED];
	int			chosen[MAX_RANKED];
	int			nchosen;
	DiskannPrune robust = {limit - nedges, ranking->choice->alpha,
	DISKANN_PRUNE_BATCH, pair_distances, ranking, 0};

	Assert(nedges <= limit);
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
	uint32		members[MAX_RANKED];

	Assert(n <= MAX_RANKED);
	for (int i = 0; i < n; i++)
		members[i] = candidates[i].member;
	choice->block->count = 0;
	choice->fetch(choice->arg, members, n, choice->block);
	Assert(choice->block->count == n);
}

/*
 * Nodes at growing intervals that are neither candidates nor edges yet;
 * returns how many.
 */
static int
find_spread(const DiskannEdgeChoice *choice, uint32 node,
			const DiskannCandidate *local, int nlocal,
			const DiskannCandidate *edges, int nedges, uint32 *spread)
{
	int			n = 0;

	for (uint64 step = 1; step < choice->nnodes; step *= 2)
	{
		for (int sign = -1; sign <= 1; sign += 2)
		{
			int64		other = (int64) node + sign * (int64) step;

			if (other < 1 || other > choice->nnodes ||
				contains_member(local, nlocal, other) ||
				contains_member(edges, nedges, other))
				continue;
			Assert(n < MAX_SPREAD);
			spread[n++] = other;
		}
	}
	return n;
}

/*
 * Rank such nodes, too, appending their vectors, and the node's, to the block.
 * The node's is needed because nobody has computed these distances yet.
 */
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
	return DiskannBlockCreate(dims, MAX_RANKED + 1, false);
}

int
DiskannChooseEdges(DiskannEdgeChoice *choice, uint32 node,
				   DiskannCandidate *local, int nlocal,
				   DiskannCandidate *remote, int *nremote,
				   DiskannCandidate *edges)
{
	uint32		spread[MAX_SPREAD];
	Ranking		ranking;
	int			n;

	ranking.choice = choice;
	n = sort_candidates(remote, *nremote, edges, 0);
	fetch_candidates(choice, remote, n);
	rank_candidates(&ranking, remote, n);
	*nremote = prune_ranking(&ranking, choice->max_degree / REMOTE_SHARE,
							 edges, 0);

	n = sort_candidates(local, nlocal, edges, *nremote);
	fetch_candidates(choice, local, n);
	rank_candidates(&ranking, local, n);
	rank_spread(&ranking, node, spread,
				find_spread(choice, node, local, n, edges, *nremote, spread));
	return prune_ranking(&ranking, choice->max_degree, edges, *nremote);
}

/* Of some candidates, has each the same value as the node? */
static int
note_kin(const DiskannEdgeChoice *choice, uint32 node,
		 const DiskannCandidate *candidates, int n, bool *is_kin)
{
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		is_kin[i] = choice->values[candidates[i].member] ==
			choice->values[node];
		count += is_kin[i] ? 1 : 0;
	}
	return count;
}

int
DiskannChooseValueEdges(DiskannEdgeChoice *choice, uint32 node,
						DiskannCandidate *kin, int nkin, int nremote,
						DiskannCandidate *edges, int n)
{
	Ranking		ranking;
	float		dist[MAX_RANKED];
	bool		is_kin[MAX_RANKED];
	int			chosen[MAX_RANKED];
	DiskannKinChoice among = {choice->max_degree, choice->value_edges, nremote,
	choice->alpha, dist, is_kin, pair_distances, &ranking};
	DiskannCandidate *all = ranking.candidates;

	if (note_kin(choice, node, edges, n, is_kin) >= choice->value_edges)
		return n;
	nkin = Min(sort_candidates(kin, nkin, edges, n), MAX_RANKED - n);
	ranking.choice = choice;
	ranking.n = n + nkin;
	memcpy(all, edges, sizeof(DiskannCandidate) * n);
	memcpy(all + n, kin, sizeof(DiskannCandidate) * nkin);
	fetch_candidates(choice, all, ranking.n);
	for (int i = 0; i < ranking.n; i++)
	{
		ranking.row[i] = i;
		dist[i] = all[i].dist;
	}
	n = DiskannChooseKin(&among, n, nkin, chosen, &nkin);
	for (int i = 0; i < n; i++)
		edges[i] = all[chosen[i]];
	return n;
}
