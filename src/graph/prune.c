/*-------------------------------------------------------------------------
 *
 * prune.c
 *	  Choose the neighbours of a node.
 *
 * The paper's loop takes the nearest candidate left and then strikes out all
 * that it occludes.  This one asks of each candidate in turn whether any
 * chosen one occludes it, which is the same, and lets the asking stop early.
 * What a round has found of a candidate holds for the next one, which is why
 * it is kept.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/prune.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "graph/prune.h"

/* How a candidate is occluded by those it has been compared with. */
typedef enum Occlusion
{
	OCCLUSION_NONE,
	OCCLUSION_AT_ONE,			/* at alpha = 1 only */
	OCCLUSION_AT_ALPHA
} Occlusion;

/* What is known of a candidate. */
typedef struct Candidate
{
	int			checked;		/* so many of the chosen it was compared with */
	bool		taken;			/* it is one of the chosen */
	uint8		occlusion;		/* by those it was compared with */
} Candidate;

/*
 * Compare candidate i with the chosen ones that it has not been compared with
 * yet, until it is certain that it will not be chosen in either round.
 */
static Occlusion
find_occlusion(const DiskannPrune *prune, Candidate *candidate, float dist,
			   int i, const int *chosen, int nchosen)
{
	while (candidate->checked < nchosen &&
		   candidate->occlusion < OCCLUSION_AT_ALPHA)
	{
		float		between[DISKANN_PRUNE_BATCH];
		int			from = candidate->checked;
		int			n = Min(prune->batch, nchosen - from);

		prune->distances(prune->arg, i, chosen + from, n, between);
		for (int k = 0; k < n; k++)
		{
			if (dist > prune->alpha * between[k] || between[k] <= 0)
				candidate->occlusion = OCCLUSION_AT_ALPHA;
			else if (dist > between[k])
				candidate->occlusion = Max(candidate->occlusion,
										   OCCLUSION_AT_ONE);
		}
		candidate->checked += n;
	}
	return candidate->occlusion;
}

int
DiskannRobustPrune(const DiskannPrune *prune, const float *dist, int n,
				   int *chosen)
{
	int			nchosen = prune->given;
	Candidate  *candidates;

	Assert(prune->batch >= 1 && prune->batch <= DISKANN_PRUNE_BATCH);
	Assert(prune->max_degree >= 0 && prune->alpha >= 1);
	Assert(prune->given <= Min(n, prune->max_degree));

	if (n == 0)
		return 0;
	candidates = palloc0(sizeof(Candidate) * n);
	for (int i = 0; i < prune->given; i++)
	{
		candidates[i].taken = true;
		chosen[i] = i;
	}
	for (Occlusion most = OCCLUSION_NONE; most <= OCCLUSION_AT_ONE; most++)
	{
		for (int i = 0; i < n && nchosen < prune->max_degree; i++)
		{
			Candidate  *candidate = &candidates[i];

			if (candidate->taken ||
				find_occlusion(prune, candidate, dist[i], i, chosen,
							   nchosen) > most)
				continue;
			candidate->taken = true;
			chosen[nchosen++] = i;
		}
	}

	/* Slots left are filled up: an edge more does no harm. */
	for (int i = 0; i < n && nchosen < prune->max_degree; i++)
	{
		if (!candidates[i].taken)
			chosen[nchosen++] = i;
	}
	Assert(nchosen == Min(n, prune->max_degree));
	pfree(candidates);
	return nchosen;
}

/* Kin, those that are edges first, by their numbers in a choice. */
typedef struct Kin
{
	const DiskannKinChoice *choice;
	const int  *numbers;
} Kin;

static void
kin_distances(void *arg, int a, const int *others, int n, float *out)
{
	const Kin  *kin = arg;
	int			numbers[DISKANN_PRUNE_BATCH];

	for (int k = 0; k < n; k++)
		numbers[k] = kin->numbers[others[k]];
	kin->choice->distances(kin->choice->arg, kin->numbers[a], numbers, n, out);
}

/*
 * Choose among the kin, of which the first `given` are edges, up to `limit` in
 * all.  chosen gets the numbers of the new ones; returns how many.
 */
static int
prune_kin(const DiskannKinChoice *choice, const int *numbers, int n, int given,
		  int limit, int *chosen)
{
	Kin			kin = {choice, numbers};
	DiskannPrune prune = {limit, choice->alpha, DISKANN_PRUNE_BATCH,
	kin_distances, &kin, given};
	float	   *dist = palloc(sizeof(float) * n);
	int		   *admitted = palloc(sizeof(int) * n);
	int			count;

	for (int i = 0; i < n; i++)
		dist[i] = choice->dist[numbers[i]];
	count = DiskannRobustPrune(&prune, dist, n, admitted) - given;
	for (int i = 0; i < count; i++)
		chosen[i] = numbers[admitted[given + i]];
	pfree(dist);
	pfree(admitted);
	return count;
}

/*
 * Drop the longest of n edges, but none to kin and none of the first that are
 * to stay; returns how many there are then.
 */
static int
drop_longest(const DiskannKinChoice *choice, int *edges, int n)
{
	int			longest = -1;

	for (int i = choice->fixed; i < n; i++)
	{
		if (!choice->is_kin[edges[i]] &&
			(longest < 0 ||
			 choice->dist[edges[i]] > choice->dist[edges[longest]]))
			longest = i;
	}
	if (longest < 0)
		return n;
	memmove(edges + longest, edges + longest + 1,
			sizeof(int) * (n - 1 - longest));
	return n - 1;
}

int
DiskannChooseKin(const DiskannKinChoice *choice, int nedges, int nkin,
				 int *chosen, int *nchosen)
{
	int		   *numbers = palloc(sizeof(int) * (nedges + nkin + 1));
	int			given = 0;
	int			n = nedges;

	for (int i = 0; i < nedges; i++)
	{
		chosen[i] = i;
		if (choice->is_kin[i] && given < choice->wanted)
			numbers[given++] = i;
	}
	for (int i = 0; i < nkin; i++)
		numbers[given + i] = nedges + i;
	*nchosen = 0;
	if (given < choice->wanted && nkin > 0)
	{
		int			limit = Min(choice->wanted, given + nkin);
		int		   *kin = palloc(sizeof(int) * limit);
		int			found = prune_kin(choice, numbers, given + nkin, given,
									  limit, kin);

		for (int over = n + found - choice->max_degree; over > 0; over--)
			n = drop_longest(choice, chosen, n);
		*nchosen = Min(found, choice->max_degree - n);
		memcpy(chosen + n, kin, sizeof(int) * *nchosen);
		pfree(kin);
	}
	pfree(numbers);
	return n + *nchosen;
}
