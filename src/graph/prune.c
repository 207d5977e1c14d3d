/*-------------------------------------------------------------------------
 *
 * prune.c
 *	  Choose the neighbours of a node.
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

typedef struct Candidate
{
	int			checked;		/* chosen ones already compared with */
	bool		taken;
	uint8		occlusion;
} Candidate;

/* Compare candidate i with the chosen ones it has not met yet. */
static Occlusion
occlusion(const DiskannPrune *prune, Candidate *candidate, float dist, int i,
		  const int *chosen, int nchosen)
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
	int			nchosen = 0;
	Candidate  *candidates;

	if (n == 0)
		return 0;
	candidates = palloc0(sizeof(Candidate) * n);
	for (Occlusion most = OCCLUSION_NONE; most <= OCCLUSION_AT_ONE; most++)
	{
		for (int i = 0; i < n && nchosen < prune->max_degree; i++)
		{
			Candidate  *candidate = &candidates[i];

			if (candidate->taken ||
				occlusion(prune, candidate, dist[i], i, chosen, nchosen) > most)
				continue;
			candidate->taken = true;
			chosen[nchosen++] = i;
		}
	}
	for (int i = 0; i < n && nchosen < prune->max_degree; i++)
	{
		if (!candidates[i].taken)
			chosen[nchosen++] = i;
	}
	pfree(candidates);
	return nchosen;
}
