/*-------------------------------------------------------------------------
 *
 * graph_prune_test.c
 *	  RobustPrune against the paper's loop, and the choice of edges against
 *	  the same with plain sorting.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/graph_prune_test.c
 *
 *-------------------------------------------------------------------------
 */
#include "graph_harness.h"
#include "graph/prune.h"
#include "graph/select.h"

#define MAX_POINTS 200

/* Distances between candidates, which need not be those of any space. */
static float between[MAX_POINTS][MAX_POINTS];
static int	compared[MAX_POINTS][MAX_POINTS];
static int	most_at_a_time;

/* ---------- the paper's loop ---------- */

/* Is candidate p2, at distance dist, occluded by p1? */
static bool
occluded(int p1, int p2, float dist, float alpha)
{
	return dist > alpha * between[p1][p2] || between[p1][p2] <= 0;
}

/*
 * RobustPrune as it is written (algorithm 2) for one alpha: take the nearest of
 * those alive, and kill what it occludes, until there are max_degree.
 */
static int
prune_round(const float *dist, int n, float alpha, int max_degree, bool *alive,
			int *chosen, int nchosen)
{
	for (int nearest = 0; nearest < n && nchosen < max_degree; nearest++)
	{
		if (!alive[nearest])
			continue;
		chosen[nchosen++] = nearest;
		for (int i = 0; i < n; i++)
			alive[i] = alive[i] && i != nearest &&
				!occluded(nearest, i, dist[i], alpha);
	}
	return nchosen;
}

static bool
is_chosen(int candidate, const int *chosen, int nchosen)
{
	for (int i = 0; i < nchosen; i++)
	{
		if (chosen[i] == candidate)
			return true;
	}
	return false;
}

/* Who is neither chosen nor occluded by those who are? */
static void
find_alive(const float *dist, int n, float alpha, const int *chosen,
		   int nchosen, bool *alive)
{
	for (int i = 0; i < n; i++)
	{
		alive[i] = !is_chosen(i, chosen, nchosen);
		for (int k = 0; k < nchosen; k++)
			alive[i] = alive[i] && !occluded(chosen[k], i, dist[i], alpha);
	}
}

/*
 * The first ones are given; then a round at alpha = 1, one at alpha, and the
 * nearest of what is left.
 */
static int
plain_prune(const float *dist, int n, float alpha, int max_degree, int given,
			int *chosen)
{
	bool		alive[MAX_POINTS];
	int			nchosen;

	for (int i = 0; i < given; i++)
		chosen[i] = i;
	find_alive(dist, n, 1, chosen, given, alive);
	nchosen = prune_round(dist, n, 1, max_degree, alive, chosen, given);
	find_alive(dist, n, alpha, chosen, nchosen, alive);
	nchosen = prune_round(dist, n, alpha, max_degree, alive, chosen, nchosen);
	for (int i = 0; i < n && nchosen < max_degree; i++)
	{
		if (!is_chosen(i, chosen, nchosen))
			chosen[nchosen++] = i;
	}
	return nchosen;
}

/* ---------- RobustPrune ---------- */

/* A DiskannPairDistances that counts. */
static void
count_distances(void *arg, int a, const int *others, int n, float *out)
{
	check(arg == between, "argument is handed on");
	check(n >= 1 && n <= most_at_a_time, "as many at a time as asked for");
	for (int i = 0; i < n; i++)
	{
		compared[a][others[i]]++;
		out[i] = between[a][others[i]];
	}
}

static int
compare_floats(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return (x > y) - (x < y);
}

/*
 * Points in a space of few dimensions, or, in odd cases, distances from a few
 * numbers only, so that they are often equal, and zero.
 */
static void
random_candidates(size_t c, int n, float *dist)
{
	float		x[MAX_POINTS][3];

	for (int i = 0; i < n; i++)
	{
		for (int d = 0; d < 3; d++)
			x[i][d] = (float) random_normal();
		dist[i] = c % 2 ? (float) random_between(0, 8) :
			x[i][0] * x[i][0] + x[i][1] * x[i][1] + x[i][2] * x[i][2];
	}
	if (c % 2)
		qsort(dist, n, sizeof(float), compare_floats);
	for (int i = 1; c % 2 == 0 && i < n; i++)
	{
		for (int j = i; j > 0 && dist[j - 1] > dist[j]; j--)
		{
			float		swap = dist[j];

			dist[j] = dist[j - 1];
			dist[j - 1] = swap;
			for (int d = 0; d < 3; d++)
			{
				swap = x[j][d];
				x[j][d] = x[j - 1][d];
				x[j - 1][d] = swap;
			}
		}
	}
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			float		sum = 0;

			for (int d = 0; d < 3; d++)
				sum += (x[i][d] - x[j][d]) * (x[i][d] - x[j][d]);
			between[i][j] = between[j][i] = c % 2 ?
				(float) random_between(0, 8) : sum;
		}
	}
}

static void
test_prune(size_t cases)
{
	static const float alphas[] = {1, 1.2f, 1.44f, 2, 100};

	for (size_t c = 0; c < cases; c++)
	{
		DiskannPrune prune = {0, 0, 0, count_distances, between, 0};
		Size		before = shim_bytes(NULL);
		float		dist[MAX_POINTS];
		int			expected[MAX_POINTS];
		int			chosen[MAX_POINTS];
		int			n;
		int			nexpected;

		start_case("RobustPrune", c);
		n = c < 10 ? (int) c / 2 :
			random_between(1, c % 20 == 0 ? MAX_POINTS : 50);
		prune.max_degree = random_between(c % 50 == 0 ? 0 : 1, n + 3);
		prune.alpha = alphas[random_between(0, LENGTHOF(alphas) - 1)];
		prune.batch = most_at_a_time = random_between(1, DISKANN_PRUNE_BATCH);
		random_candidates(c, n, dist);
		memset(compared, 0, sizeof(compared));
		if (c % 3 == 0)
			prune.given = random_between(0, Min(n, prune.max_degree));
		nexpected = plain_prune(dist, n, prune.alpha, prune.max_degree,
								prune.given, expected);
		check(DiskannRobustPrune(&prune, dist, n, chosen) == nexpected &&
			  memcmp(chosen, expected, sizeof(int) * nexpected) == 0,
			  "same as the paper's loop");
		check(nexpected == Min(n, prune.max_degree), "no slot is wasted");
		check(shim_bytes(NULL) == before, "memory is freed");
		for (int i = 0; i < n; i++)
		{
			for (int j = 0; j < n; j++)
				check(compared[i][j] + (i == j) <= 1,
					  "nothing is compared twice, or with itself");
		}
	}
}

/* Most candidates of a great set are given up after a few comparisons. */
static void
test_prune_cost(void)
{
	DiskannPrune prune = {32, 1.2f, 1, count_distances, between, 0};
	float		dist[MAX_POINTS];
	int			chosen[MAX_POINTS];
	int			total = 0;

	start_case("cost of RobustPrune", 0);
	most_at_a_time = 1;
	random_candidates(0, MAX_POINTS, dist);
	memset(compared, 0, sizeof(compared));
	DiskannRobustPrune(&prune, dist, MAX_POINTS, chosen);
	for (int i = 0; i < MAX_POINTS * MAX_POINTS; i++)
		total += compared[i / MAX_POINTS][i % MAX_POINTS];
	check(total < MAX_POINTS * 32 / 2, "few comparisons");
}

/* ---------- the choice of edges ---------- */

/* So many of the nearest candidates are looked at, see select.c. */
#define ENOUGH 96

static int
compare_candidates(const void *a, const void *b)
{
	const DiskannCandidate *x = a;
	const DiskannCandidate *y = b;

	if (x->dist != y->dist)
		return x->dist < y->dist ? -1 : 1;
	return (x->member > y->member) - (x->member < y->member);
}

static bool
has(const DiskannCandidate *candidates, int n, uint32 member)
{
	for (int i = 0; i < n; i++)
	{
		if (candidates[i].member == member)
			return true;
	}
	return false;
}

/* A distance as it is computed where candidates come from. */
static float
exact_distance(const Vectors *v, uint32 a, uint32 b)
{
	DiskannBlock *pair = DiskannBlockCreate(v->dims, 2, false);
	const int	second = 1;
	float		dist;

	fetch_vectors((void *) v, &a, 1, pair);
	fetch_vectors((void *) v, &b, 1, pair);
	DiskannBlockFew(pair, 0, &second, 1, &dist);
	DiskannBlockFree(pair);
	return dist;
}

/* Candidates sorted, each once, without the edges there are; at most ENOUGH. */
static int
plain_sort(DiskannCandidate *candidates, int n, const DiskannCandidate *edges,
		   int nedges, DiskannCandidate *sorted)
{
	int			kept = 0;

	qsort(candidates, n, sizeof(DiskannCandidate), compare_candidates);
	for (int i = 0; i < n && kept < ENOUGH; i++)
	{
		if (!has(sorted, kept, candidates[i].member) &&
			!has(edges, nedges, candidates[i].member))
			sorted[kept++] = candidates[i];
	}
	return kept;
}

/* Prune sorted candidates to fill edges up to limit. */
static int
prune_sorted(const Vectors *v, float alpha, const DiskannCandidate *sorted,
			 int n, int limit, DiskannCandidate *edges, int nedges)
{
	float		dist[MAX_POINTS];
	int			chosen[MAX_POINTS];
	int			nchosen;

	for (int i = 0; i < n; i++)
	{
		dist[i] = sorted[i].dist;
		for (int j = 0; j < i; j++)
			between[i][j] = between[j][i] =
				exact_distance(v, sorted[i].member, sorted[j].member);
	}
	nchosen = plain_prune(dist, n, alpha, limit - nedges, 0, chosen);
	for (int i = 0; i < nchosen; i++)
		edges[nedges++] = sorted[chosen[i]];
	return nedges;
}

/* What DiskannChooseEdges() says it does. */
static int
plain_choice(const Vectors *v, const DiskannEdgeChoice *choice, uint32 node,
			 DiskannCandidate *near, int nnear, DiskannCandidate *far,
			 int *nfar, DiskannCandidate *edges)
{
	DiskannCandidate sorted[MAX_POINTS];
	int			n = plain_sort(far, *nfar, NULL, 0, sorted);
	int			nnearest;

	*nfar = prune_sorted(v, choice->alpha, sorted, n, choice->max_degree / 2,
						 edges, 0);
	n = nnearest = plain_sort(near, nnear, edges, *nfar, sorted);
	for (int64 step = 1; step < choice->nnodes; step *= 2)
	{
		for (int sign = -1; sign <= 1; sign += 2)
		{
			int64		other = node + sign * step;

			if (other < 1 || other > choice->nnodes ||
				has(sorted, nnearest, other) || has(edges, *nfar, other))
				continue;
			sorted[n].member = other;
			sorted[n++].dist = exact_distance(v, node, other);
		}
	}
	qsort(sorted, n, sizeof(DiskannCandidate), compare_candidates);
	return prune_sorted(v, choice->alpha, sorted, n, choice->max_degree, edges,
						*nfar);
}

/* n candidates for a node, all different from it, some of them twice. */
static void
choose_candidates(const Vectors *v, uint32 node, DiskannCandidate *candidates,
				  int n)
{
	for (int i = 0; i < n; i++)
	{
		uint32		member = random_between(1, v->count - 1);

		candidates[i].member = member + (member >= node);
		candidates[i].dist = exact_distance(v, node, candidates[i].member);
	}
}

static void
check_edges(uint32 node, uint32 nnodes, const DiskannCandidate *edges, int n)
{
	for (int i = 0; i < n; i++)
	{
		check(edges[i].member >= 1 && edges[i].member <= nnodes &&
			  edges[i].member != node, "edge leads to another node");
		check(!has(edges, i, edges[i].member), "no edge twice");
	}
}

/* Numbers of candidates around those at which the sort changes its way. */
static int
random_count(void)
{
	switch (random_between(0, 5))
	{
		case 0:
			return random_between(0, 3);
		case 1:
			return random_between(30, 34);
		case 2:
			return random_between(0, 5) > 0 ? 100 : random_between(510, 700);
		default:
			return random_between(0, 200);
	}
}

static void
test_choice(size_t cases)
{
	static DiskannCandidate near[2][700];
	static DiskannCandidate far[2][700];

	for (size_t c = 0; c < cases; c++)
	{
		DiskannCandidate edges[2][130];
		DiskannEdgeChoice choice = {0};
		Vectors    *v;
		Size		before = shim_bytes(NULL);
		int			nnear;
		int			nfar[2];
		int			n;
		uint32		node;

		start_case("choice of edges", c);
		v = random_vectors(random_between(1, 20),
						   random_between(2, c % 10 == 0 ? 5 : 1000), 1,
						   random_between(1, 20), random_between(0, 60));
		node = random_between(1, v->count);
		nnear = random_count();
		nfar[0] = nfar[1] = c % 2 ? random_count() : 0;
		choose_candidates(v, node, near[0], nnear);
		choose_candidates(v, node, far[0], nfar[0]);
		memcpy(near[1], near[0], sizeof(near[0]));
		memcpy(far[1], far[0], sizeof(far[0]));
		choice.max_degree = c % 3 ? random_between(1, 128) : 32;
		choice.alpha = random_between(0, 1) ? 1.2f : 1;
		choice.nnodes = v->count;
		choice.fetch = fetch_vectors;
		choice.arg = v;
		choice.block = DiskannCreateChoiceBlock(v->dims);
		v->fetches = 0;
		n = DiskannChooseEdges(&choice, node, near[0], nnear, far[0], &nfar[0],
							   edges[0]);
		check(v->fetches <= 4, "vectors are fetched at once");
		check(n <= choice.max_degree && nfar[0] <= choice.max_degree / 2,
			  "no more edges than allowed");
		check_edges(node, v->count, edges[0], n);
		check(plain_choice(v, &choice, node, near[1], nnear, far[1], &nfar[1],
						   edges[1]) == n && nfar[0] == nfar[1] &&
			  memcmp(edges[0], edges[1], sizeof(DiskannCandidate) * n) == 0,
			  "same as by plain sorting and pruning");
		DiskannBlockFree(choice.block);
		free_vectors(v);
		check(shim_bytes(NULL) == before, "memory is freed");
	}
}

/* Candidates of the node's value, some of them twice; returns how many. */
static int
choose_kin(const Vectors *v, const uint8 *values, uint32 node,
		   DiskannCandidate *kin, int n)
{
	int			nkin = 0;

	choose_candidates(v, node, kin, n);
	for (int i = 0; i < n; i++)
	{
		if (values[kin[i].member] == values[node])
			kin[nkin++] = kin[i];
	}
	return nkin;
}

/* How many of the edges lead to nodes of this value? */
static int
count_value(const uint8 *values, uint8 value, const DiskannCandidate *edges,
			int n)
{
	int			count = 0;

	for (int i = 0; i < n; i++)
		count += values[edges[i].member] == value;
	return count;
}

/* Of the edges there were, only long ones of other values are given up. */
static void
check_given_up(const uint8 *values, uint8 value, int nremote,
			   const DiskannCandidate *before, int nbefore,
			   const DiskannCandidate *after, int nafter)
{
	float		shortest = FLT_MAX;

	check(memcmp(before, after, sizeof(DiskannCandidate) * nremote) == 0,
		  "remote edges stay");
	for (int i = nremote; i < nbefore; i++)
	{
		if (has(after, nafter, before[i].member))
			continue;
		check(values[before[i].member] != value, "value edges stay");
		shortest = before[i].dist < shortest ? before[i].dist : shortest;
	}
	for (int i = nremote; i < nbefore; i++)
		check(values[before[i].member] == value || before[i].dist <= shortest ||
			  !has(after, nafter, before[i].member), "longest are given up");
}

static void
test_value_edges(size_t cases)
{
	static DiskannCandidate near[700];
	static DiskannCandidate far[700];
	static DiskannCandidate kin[700];
	static DiskannCandidate sorted[700];

	for (size_t c = 0; c < cases; c++)
	{
		DiskannCandidate edges[2][130];
		DiskannEdgeChoice choice = {0};
		uint8		values[501];
		Size		before = shim_bytes(NULL);
		Vectors    *v;
		uint32		node;
		int			most = random_between(1, 20);
		int			nfar;
		int			nkin;
		int			different;
		int			given;
		int			n;
		int			nafter;

		start_case("value edges", c);
		v = random_vectors(random_between(1, 20), random_between(2, 500), 1,
						   random_between(1, 20), random_between(0, 60));
		node = random_between(1, v->count);
		for (uint32 i = 0; i <= v->count; i++)
			values[i] = random_between(1, most);
		n = random_count();
		nfar = c % 2 ? random_count() : 0;
		choose_candidates(v, node, near, n);
		choose_candidates(v, node, far, nfar);
		nkin = choose_kin(v, values, node, kin, random_between(0, 700));
		choice.max_degree = c % 3 ? random_between(1, 128) : 32;
		choice.alpha = 1.2f;
		choice.nnodes = v->count;
		choice.fetch = fetch_vectors;
		choice.arg = v;
		choice.block = DiskannCreateChoiceBlock(v->dims);
		choice.value_edges = choice.max_degree / 5;
		choice.values = values;
		n = DiskannChooseEdges(&choice, node, near, n, far, &nfar, edges[0]);
		memcpy(edges[1], edges[0], sizeof(edges[0]));
		given = count_value(values, values[node], edges[0], n);
		different = plain_sort(kin, nkin, edges[0], n, sorted);
		nafter = DiskannChooseValueEdges(&choice, node, kin, nkin, nfar,
										 edges[1], n);
		check(nafter >= n && nafter <= choice.max_degree,
			  "no fewer edges, nor more than allowed");
		check_edges(node, v->count, edges[1], nafter);
		check(count_value(values, values[node], edges[1], nafter) ==
			  Max(given, Min(choice.max_degree / 5, given + different)),
			  "as many value edges as wanted, if there are");
		check_given_up(values, values[node], nfar, edges[0], n, edges[1],
					   nafter);
		DiskannBlockFree(choice.block);
		free_vectors(v);
		check(shim_bytes(NULL) == before, "memory is freed");
	}
}

int
main(void)
{
	catch_faults();
	test_prune(5000);
	test_prune_cost();
	test_choice(1000);
	test_value_edges(1000);
	return report();
}
