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

#include <math.h>

#include "graph/prune.h"

typedef struct PruneState
{
	float	   *occlusion;		/* greatest ratio seen so far, squared */
	int		   *checked;		/* chosen ones already compared with */
	bool	   *taken;
} PruneState;

/*
 * Compare candidate i with the chosen ones it has not met yet, stopping as
 * soon as it is occluded beyond limit.
 */
static float
occlusion(const DiskannPrune *prune, PruneState *state, const float *dist,
		  int i, const int *chosen, int nchosen, float limit)
{
	while (state->checked[i] < nchosen && state->occlusion[i] <= limit)
	{
		int			j = chosen[state->checked[i]++];
		float		between = prune->distance(prune->arg, i, j);
		float		ratio = between > 0 ? dist[i] / between : INFINITY;

		state->occlusion[i] = Max(state->occlusion[i], ratio);
	}
	return state->occlusion[i];
}

int
DiskannRobustPrune(const DiskannPrune *prune, const float *dist, int n,
				   int *chosen)
{
	float		limit = prune->alpha;
	int			nchosen = 0;
	PruneState	state;

	if (n == 0)
		return 0;
	state.occlusion = palloc0(sizeof(float) * n);
	state.checked = palloc0(sizeof(int) * n);
	state.taken = palloc0(sizeof(bool) * n);

	for (int round = 0; round < 2; round++)
	{
		float		bound = round == 0 ? 1.0f : limit;

		for (int i = 0; i < n && nchosen < prune->max_degree; i++)
		{
			if (state.taken[i] ||
				occlusion(prune, &state, dist, i, chosen, nchosen,
						  limit) > bound)
				continue;
			state.taken[i] = true;
			chosen[nchosen++] = i;
		}
		if (limit <= 1.0f)
			break;
	}
	for (int i = 0; i < n && nchosen < prune->max_degree; i++)
	{
		if (!state.taken[i])
			chosen[nchosen++] = i;
	}

	pfree(state.occlusion);
	pfree(state.checked);
	pfree(state.taken);
	return nchosen;
}
