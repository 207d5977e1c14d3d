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
