/*-------------------------------------------------------------------------
 *
 * graph_carve_test.c
 *	  Blocks of vectors and carving, with every table of kernels that runs
 *	  here, against plain distances of all pairs.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/graph_carve_test.c
 *
 *-------------------------------------------------------------------------
 */
#include "graph_harness.h"
#include "graph/carve.h"

/* Ten bits of a distance give way to a number: so far off may an order be. */
#define ORDER_TOLERANCE 0x1p-12

/* Is a certainly nearer than b, as far as orders of carving can tell? */
static bool
surely_nearer(double a, double b, double tolerance)
{
	return a * (1 + ORDER_TOLERANCE) + tolerance < b;
}

/* Numbers first..first + count - 1. */
static uint32 *
numbers(uint32 first, uint32 count)
{
	uint32	   *result = malloc(sizeof(uint32) * (count + 1));

	for (uint32 i = 0; i < count; i++)
		result[i] = first + i;
	return result;
}

/* ---------- blocks ---------- */

#define UNTOUCHED 12345.0f

/* Vectors from..from + n - 1 of rows against those of packed. */
static void
check_rows(const Vectors *v, const DiskannBlock *rows, int from, int n,
		   const DiskannBlock *packed, int first)
{
	int			columns = DiskannBlockColumns(packed);
	float	   *out = palloc(sizeof(float) * n * columns);
	bool		good = true;
	bool		untouched = true;

	for (int i = 0; i < n * columns; i++)
		out[i] = UNTOUCHED;
	DiskannBlockDistances(rows, from, n, packed, first, out);
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < first; j++)
			untouched = untouched && out[i * columns + j] == UNTOUCHED;
		for (int j = first; j < packed->count; j++)
			good = good && out[i * columns + j] >= 0 &&
				fabs(out[i * columns + j] - plain_distance(v, from + i, j)) <=
				distance_tolerance(v, from + i, j);
	}
	check(good, "distances of all pairs");
	check(untouched, "columns before the first");
	pfree(out);
}

/* A pair has one distance, to the bit, whichever is the row. */
static void
check_symmetry(const DiskannBlock *block)
{
	int			columns = DiskannBlockColumns(block);
	float	   *out = palloc(sizeof(float) * block->count * columns);
	bool		good = true;

	DiskannBlockDistances(block, 0, block->count, block, 0, out);
	for (int i = 0; i < block->count; i++)
	{
		for (int j = 0; j < i; j++)
			good = good && out[i * columns + j] == out[j * columns + i];
	}
	check(good, "distances are symmetric");
	pfree(out);
}

static void
check_few(const Vectors *v, const DiskannBlock *block)
{
	int			others[50];
	int			n = random_between(0, 50);
	int			a = random_between(0, block->count - 1);
	float	   *out = palloc(sizeof(float) * n);
	bool		good = true;

	for (int i = 0; i < n; i++)
		others[i] = random_between(0, block->count - 1);
	DiskannBlockFew(block, a, others, n, out);
	for (int i = 0; i < n; i++)
		good = good && out[i] >= 0 &&
			fabs(out[i] - plain_distance(v, a, others[i])) <=
			distance_tolerance(v, a, others[i]);
	check(good, "distances of a few");
	pfree(out);
}

static void
test_block(size_t cases)
{
	for (size_t c = 0; c < cases; c++)
	{
		Size		before = shim_bytes(NULL);
		Vectors    *v;
		DiskannBlock *block;
		uint32	   *all;
		int			from;

		start_case("block", c);
		v = random_vectors(random_between(1, c % 20 == 0 ? 600 : 40),
						   random_between(1, 70), 0, 3, random_between(0, 100));
		all = numbers(0, v->count);
		block = DiskannBlockCreate(v->dims, v->count + random_between(0, 3),
								   true);
		fetch_vectors(v, all, v->count, block);
		DiskannBlockPack(block);
		check(block->count == (int) v->count, "count");
		check(DiskannBlockColumns(block) % DISKANN_PANEL == 0 &&
			  DiskannBlockColumns(block) >= block->count &&
			  DiskannBlockColumns(block) < block->count + DISKANN_PANEL,
			  "columns are whole panels");
		from = random_between(0, v->count - 1);
		check_rows(v, block, from, random_between(1, v->count - from), block,
				   random_between(0, (v->count - 1) / DISKANN_PANEL) *
				   DISKANN_PANEL);
		check_symmetry(block);
		check_few(v, block);
		DiskannBlockFree(block);
		check(shim_bytes(NULL) == before, "memory is freed");
		free(all);
		free_vectors(v);
	}
}

/* ---------- leaders ---------- */

/* The leaders given for vector i, of vectors behind the leaders in v. */
static void
check_nearest(const Vectors *v, int nleaders, int i, const uint16 *nearest,
			  int fanout)
{
	double		tolerance = 0;
	double		farthest;

	for (int l = 0; l < nleaders; l++)
		tolerance = fmax(tolerance, 2 * distance_tolerance(v, l, i));
	for (int f = 0; f < fanout; f++)
	{
		if (!check(nearest[f] < nleaders, "number of a leader"))
			return;
		for (int g = 0; g < f; g++)
			check(nearest[f] != nearest[g], "different leaders");
		check(f == 0 || !surely_nearer(plain_distance(v, i, nearest[f]),
									   plain_distance(v, i, nearest[f - 1]),
									   tolerance), "nearest leader first");
	}
	farthest = plain_distance(v, i, nearest[fanout - 1]);
	for (int l = 0; l < nleaders; l++)
	{
		bool		given = false;

		for (int f = 0; f < fanout; f++)
			given = given || nearest[f] == l;
		check(given || !surely_nearer(plain_distance(v, i, l), farthest,
									  tolerance), "no leader is nearer");
	}
}

static void
test_assign(size_t cases)
{
	for (size_t c = 0; c < cases; c++)
	{
		Size		before = shim_bytes(NULL);
		Vectors    *v;
		DiskannBlock *leaders;
		DiskannBlock *block;
		uint32	   *all;
		uint16	   *nearest;
		int			nleaders;
		int			n;
		int			fanout;

		start_case("assign", c);
		nleaders = random_between(1, c % 20 == 0 ? DISKANN_MAX_LEADERS : 40);
		n = random_between(1, DISKANN_ASSIGN_BLOCK);
		fanout = random_between(1, Min(nleaders, 8));
		v = random_vectors(random_between(1, 40), nleaders + n, 0, 10,
						   random_between(0, 100));
		all = numbers(0, v->count);
		leaders = DiskannBlockCreate(v->dims, nleaders, false);
		block = DiskannBlockCreate(v->dims, DISKANN_ASSIGN_BLOCK, true);
		fetch_vectors(v, all, nleaders, leaders);
		fetch_vectors(v, all + nleaders, n, block);
		nearest = palloc(sizeof(uint16) * n * fanout);
		DiskannAssign(block, leaders, fanout, nearest);
		for (int i = 0; i < n; i++)
			check_nearest(v, nleaders, nleaders + i, nearest + i * fanout,
						  fanout);
		pfree(nearest);
		DiskannBlockFree(leaders);
		DiskannBlockFree(block);
		check(shim_bytes(NULL) == before, "memory is freed");
		free(all);
		free_vectors(v);
	}
}

/* ---------- carving ---------- */

/* One carving as its caller sees it. */
typedef struct Carving
{
	Vectors    *vectors;
	int			neighbours;
	int		   *leaves;			/* by member: how many it is in */
	int		   *placed;			/* by member: how often */
	uint32	   *since;			/* members placed since the last leaf */
	int			nsince;
	int			alone;			/* members placed that no leaf followed */

	/* The leaf being emitted, from what was fetched last. */
	uint32	   *fetched;
	int			nfetched;
	int			nemitted;
	DiskannCandidate **lists;	/* of those emitted */
	int		   *lengths;
} Carving;

static int
position(const uint32 *members, int n, uint32 member)
{
	for (int i = 0; i < n; i++)
	{
		if (members[i] == member)
			return i;
	}
	return -1;
}

static const DiskannCandidate *
find_candidate(const Carving *carving, int i, uint32 member)
{
	for (int k = 0; k < carving->lengths[i]; k++)
	{
		if (carving->lists[i][k].member == member)
			return &carving->lists[i][k];
	}
	return NULL;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* How far the last is of those nearest to member i that are its own choice. */
static double
reach_of(const Carving *carving, int i, double *tolerance)
{
	static double dist[DISKANN_LEAF_SIZE];
	int			n = 0;

	*tolerance = 0;
	for (int j = 0; j < carving->nfetched; j++)
	{
		if (j != i)
			dist[n++] = plain_distance(carving->vectors, carving->fetched[i],
									   carving->fetched[j]);
		*tolerance = fmax(*tolerance,
						  2 * distance_tolerance(carving->vectors,
												 carving->fetched[i],
												 carving->fetched[j]));
	}
	qsort(dist, n, sizeof(double), compare_doubles);
	return dist[Min(carving->neighbours, n) - 1];
}

/* The list of member i: members of the leaf, once each, with true distances. */
static void
check_list(const Carving *carving, int i)
{
	const uint32 *members = carving->fetched;

	check(carving->lengths[i] >= Min(carving->neighbours,
									 carving->nfetched - 1),
		  "all nearest ones are candidates");
	for (int k = 0; k < carving->lengths[i]; k++)
	{
		const DiskannCandidate *candidate = &carving->lists[i][k];
		const DiskannCandidate *back;
		int			j = position(members, carving->nfetched, candidate->member);

		check(find_candidate(carving, i, candidate->member) == candidate,
			  "no candidate twice");
		if (!check(j >= 0 && j != i, "candidate is another of the leaf"))
			continue;
		check_close(candidate->dist,
					plain_distance(carving->vectors, members[i], members[j]),
					distance_tolerance(carving->vectors, members[i],
									   members[j]), "distance of a candidate");
		back = find_candidate(carving, j, members[i]);
		check(back != NULL && back->dist == candidate->dist,
			  "candidates are mutual");
	}
}

/*
 * A pair is in each other's lists if one is among the nearest of the other:
 * certainly then, and certainly not if both are too far.
 */
static void
check_leaf(Carving *carving)
{
	static double reach[DISKANN_LEAF_SIZE];
	static double tolerance[DISKANN_LEAF_SIZE];

	for (int i = 0; i < carving->nfetched; i++)
	{
		check_list(carving, i);
		reach[i] = reach_of(carving, i, &tolerance[i]);
	}
	for (int i = 0; i < carving->nfetched; i++)
	{
		for (int j = 0; j < i; j++)
		{
			double		dist = plain_distance(carving->vectors,
											  carving->fetched[i],
											  carving->fetched[j]);
			bool		listed = find_candidate(carving, i,
												carving->fetched[j]) != NULL;

			if (surely_nearer(dist, reach[i], tolerance[i]) ||
				surely_nearer(dist, reach[j], tolerance[j]))
				check(listed, "near ones are candidates");
			if (surely_nearer(reach[i], dist, tolerance[i]) &&
				surely_nearer(reach[j], dist, tolerance[j]))
				check(!listed, "far ones are no candidates");
		}
	}
	for (int i = 0; i < carving->nfetched; i++)
		free(carving->lists[i]);
}

/*
 * The members placed since the last leaf: those of this one last.  Before them
 * come only leaves of one member, which have nothing to emit.
 */
static void
check_places(Carving *carving)
{
	int			n = 0;

	for (int i = 0; i < carving->nsince; i++)
	{
		bool		of_leaf = position(carving->fetched, carving->nfetched,
									   carving->since[i]) >= 0;

		check(of_leaf || n == 0, "members of a leaf are placed together");
		n += of_leaf;
	}
	carving->alone += carving->nsince - n;
	carving->nsince = 0;
}

static void
fetch_to_carve(void *arg, const uint32 *members, int n, DiskannBlock *block)
{
	Carving    *carving = arg;

	check(carving->nemitted == 0, "a leaf is emitted completely");
	carving->fetched = realloc(carving->fetched, sizeof(uint32) * n);
	memcpy(carving->fetched, members, sizeof(uint32) * n);
	carving->nfetched = n;
	fetch_vectors(carving->vectors, members, n, block);
}

static void
take_candidates(void *arg, uint32 member, DiskannCandidate *candidates, int n)
{
	Carving    *carving = arg;
	int			i = carving->nemitted++;

	if (!check(carving->nfetched <= DISKANN_LEAF_SIZE, "size of a leaf") ||
		!check(i < carving->nfetched && carving->fetched[i] == member,
			   "candidates are of a member of the leaf"))
		exit(report());
	carving->leaves[member]++;
	carving->lists[i] = malloc(sizeof(DiskannCandidate) * (n + 1));
	memcpy(carving->lists[i], candidates, sizeof(DiskannCandidate) * n);
	carving->lengths[i] = n;
	/* They are the receiver's to change. */
	memset(candidates, 0xFF, sizeof(DiskannCandidate) * n);
	if (carving->nemitted < carving->nfetched)
		return;
	check_leaf(carving);
	check_places(carving);
	carving->nemitted = 0;
}

static void
place_member(void *arg, uint32 member)
{
	Carving    *carving = arg;

	check(carving->nemitted == 0, "members are placed before their leaf");
	carving->placed[member]++;
	carving->since[carving->nsince++] = member;
}

static bool *
random_home(uint32 count, int share)
{
	bool	   *home = malloc(count + 1);

	for (uint32 i = 0; i < count; i++)
		home[i] = random_between(1, 100) <= share;
	return home;
}

/* Each member is in as many leaves as it joins balls, unless alone in one. */
static void
check_cover(const Carving *carving, int fanout, const bool *home)
{
	uint32		count = carving->vectors->count;
	uint64		total = 0;
	uint32		missed = 0;
	bool		good = true;

	if (count <= DISKANN_LEAF_SIZE)
		fanout = count > 1;
	for (uint32 i = 0; i < count; i++)
	{
		good = good && carving->placed[i] == (home && home[i]);
		check(carving->leaves[i] <= fanout, "leaves of a member");
		total += carving->leaves[i];
		missed += carving->leaves[i] < fanout;
	}
	check(good, "home members are placed once, others not");
	check(missed <= count / 20, "nearly all members are in all their leaves");
	check(total >= (uint64) count * fanout / 20 * 19, "leaves cover all");
	check(carving->alone + carving->nsince <=
		  (int) (count == 1 ? 1 : count / 20),
		  "members are placed with their leaf");
}

static void
carve_once(Vectors *v, int fanout, int neighbours, const bool *home)
{
	DiskannCarve carve = {v->dims, fanout, neighbours, fetch_to_carve,
	take_candidates, place_member, NULL, 0};
	Carving		carving = {.vectors = v, .neighbours = neighbours};
	Size		before = shim_bytes(NULL);
	long		checks = shim_interrupt_checks;

	carving.leaves = calloc(v->count, sizeof(int));
	carving.placed = calloc(v->count, sizeof(int));
	carving.since = calloc((size_t) v->count * fanout, sizeof(uint32));
	carving.lists = calloc(DISKANN_LEAF_SIZE, sizeof(DiskannCandidate *));
	carving.lengths = calloc(DISKANN_LEAF_SIZE, sizeof(int));
	carve.arg = &carving;
	DiskannCarveMembers(&carve, v->count, home);
	check(carving.nemitted == 0, "a leaf is emitted completely");
	check_cover(&carving, fanout, home);
	check(carve.distances > 0 || v->count < 2, "distances are counted");
	check(shim_bytes(NULL) == before, "memory is freed");
	check(shim_interrupt_checks - checks >= v->count / DISKANN_LEAF_SIZE,
		  "interrupts are looked for in every leaf");
	free(carving.leaves);
	free(carving.placed);
	free(carving.since);
	free(carving.fetched);
	free(carving.lists);
	free(carving.lengths);
}

/* Single leaves of all sizes, some of equal vectors. */
static void
test_leaf(size_t cases)
{
	for (size_t c = 0; c < cases; c++)
	{
		Vectors    *v;
		bool	   *home;
		int			count;

		start_case("leaf", c);
		count = c < 20 ? (int) c + 1 :
			c == 20 ? DISKANN_LEAF_SIZE : random_between(1, 100);
		v = random_vectors(random_between(1, 20), count, 0,
						   random_between(1, 5),
						   c % 5 == 0 ? 0 : random_between(1, 100));
		home = random_home(v->count, 50);
		carve_once(v, random_between(1, 5), random_between(1, 16),
				   c % 3 ? home : NULL);
		free(home);
		free_vectors(v);
	}
}

/* Carving that has to go on, and that which leads nowhere. */
static void
test_carve(size_t cases)
{
	for (size_t c = 0; c < cases; c++)
	{
		Vectors    *v;
		bool	   *home;

		start_case("carve", c);
		v = random_vectors(random_between(2, 16),
						   c == 0 ? DISKANN_LEAF_SIZE + 1 :
						   random_between(DISKANN_LEAF_SIZE + 1, 4000), 0,
						   c % 4 == 1 ? 1 : random_between(2, 100),
						   c % 4 == 1 ? 0 : random_between(10, 100));
		home = random_home(v->count, c % 2 ? 100 : 50);
		carve_once(v, random_between(1, 3), random_between(1, 6),
				   c % 3 < 2 ? home : NULL);
		free(home);
		free_vectors(v);
	}
}

int
main(void)
{
	catch_faults();
	for (int i = 0; diskann_kernels_available(i) != NULL; i++)
	{
		diskann_kernels_force(diskann_kernels_available(i)->name);
		test_block(500);
		test_assign(200);
		test_leaf(200);
		test_carve(8);
	}
	return report();
}
