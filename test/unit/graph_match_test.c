/*-------------------------------------------------------------------------
 *
 * graph_match_test.c
 *	  Searches among nodes that fulfil conditions, on graphs of points.
 *
 * Nodes are points, distances are exact, and a point has edges to its nearest
 * and to some others.  What matches is chosen at random, or is on one side.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/graph_match_test.c
 *
 *-------------------------------------------------------------------------
 */
#include "graph_harness.h"
#include "graph/match.h"

#define NODES 3000
#define DIMS 6
#define NEAREST 12
#define DEGREE 16
#define WANTED 10
#define MEMBERS 40
#define VALUE_EDGES 4

typedef struct Point
{
	float		x[DIMS];
	bool		matches;
	bool		may_match;
	int			visits;
} Point;

static Point points[NODES];
static uint32 edges[NODES][DEGREE];
static MemoryContext context;
static DiskannSearch *search;
static DiskannMatch *match;

/* A point by chance, whose first coordinate is at least this. */
static void
set_point(Point *p, int left)
{
	p->x[0] = random_between(left, 1000);
	for (int d = 1; d < DIMS; d++)
		p->x[d] = random_between(0, 1000);
}

static float
distance(const Point *a, const Point *b)
{
	float		sum = 0;

	for (int d = 0; d < DIMS; d++)
		sum += (a->x[d] - b->x[d]) * (a->x[d] - b->x[d]);
	return sum;
}

/* The nearest n points of those that match, or of all but the point itself. */
static int
find_nearest(const Point *from, bool matching, uint32 *nearest, int n)
{
	int			found = 0;

	for (uint32 i = 0; i < NODES; i++)
	{
		int			place;

		if (matching ? !points[i].matches : &points[i] == from)
			continue;
		if (found == n && distance(from, &points[i]) >=
			distance(from, &points[nearest[n - 1]]))
			continue;
		place = found < n ? found++ : n - 1;
		for (; place > 0 && distance(from, &points[nearest[place - 1]]) >
			 distance(from, &points[i]); place--)
			nearest[place] = nearest[place - 1];
		nearest[place] = i;
	}
	return found;
}

static void
make_graph(void)
{
	for (uint32 i = 0; i < NODES; i++)
		set_point(&points[i], 0);
	for (uint32 i = 0; i < NODES; i++)
	{
		find_nearest(&points[i], false, edges[i], NEAREST);
		for (int e = NEAREST; e < DEGREE; e++)
			edges[i][e] = random_between(0, NODES - 1);
	}
}

/*
 * Let one point in so many match; at random, or those on the left.  One in so
 * many of the others is taken for one, 0: none.
 */
static void
choose_matches(int one_in, bool left, int mistaken)
{
	for (uint32 i = 0; i < NODES; i++)
	{
		Point	   *p = &points[i];

		p->matches = left ? p->x[0] * one_in < 1000 :
			random_between(1, one_in) == 1;
		p->may_match = p->matches ||
			(mistaken > 0 && random_between(1, mistaken) == 1);
		p->visits = 0;
	}
}

/* Visit until the list is used up; returns how many matches were found. */
static int
walk(const Point *query)
{
	uint32		node;
	int			found = 0;

	while (DiskannMatchNext(match, &node) ||
		   (DiskannMatchLengthen(match) && DiskannMatchNext(match, &node)))
	{
		float		keys[DEGREE];
		bool		may_match[DEGREE];

		points[node].visits++;
		found += points[node].matches ? 1 : 0;
		for (int e = 0; e < DEGREE; e++)
		{
			keys[e] = distance(query, &points[edges[node][e]]);
			may_match[e] = points[edges[node][e]].may_match;
		}
		DiskannMatchVisited(match, node, points[node].matches);
		DiskannMatchAddAll(match, edges[node], keys, may_match, DEGREE);
	}
	return found;
}

/* Start from every so many-th point: those that do not match, in order. */
static void
start(const Point *query, int list_size, double share, bool by_value)
{
	uint32		bridges[MEMBERS];
	float		keys[MEMBERS];
	int			n = 0;

	DiskannSearchReset(search, list_size, true);
	DiskannMatchReset(match, search, list_size, share * NODES, share, by_value);
	for (uint32 i = 0; i < NODES; i += NODES / MEMBERS)
	{
		float		key = distance(query, &points[i]);
		int			place = n;

		if (points[i].may_match)
		{
			DiskannMatchAddAll(match, &i, &key, &points[i].may_match, 1);
			continue;
		}
		for (; place > 0 && keys[place - 1] > key; place--)
		{
			keys[place] = keys[place - 1];
			bridges[place] = bridges[place - 1];
		}
		keys[place] = key;
		bridges[place] = i;
		n++;
	}
	DiskannMatchStart(match, bridges, keys, n, MEMBERS);
}

static int
count_visits(void)
{
	int			visits = 0;

	for (uint32 i = 0; i < NODES; i++)
	{
		check(points[i].visits <= 1, "no node is visited twice");
		visits += points[i].visits;
	}
	return visits;
}

/* The nearest of what matches are found, in few visits. */
static void
test_recall(int one_in, bool left, int mistaken, int most_visits)
{
	int			hits = 0;
	int			wanted = 0;
	int			visits = 0;

	for (int n = 0; n < 60; n++)
	{
		Point		query;
		uint32		nearest[WANTED];
		int			count;

		start_case("recall", n);
		choose_matches(one_in, left, mistaken);
		set_point(&query, left ? 500 : 0);
		start(&query, 30, 1.0 / one_in, false);
		walk(&query);
		visits += count_visits();
		count = find_nearest(&query, true, nearest, WANTED);
		for (int i = 0; i < count; i++)
			hits += points[nearest[i]].visits;
		wanted += count;
	}
	check(hits >= 0.95 * wanted, "the nearest of what matches are found");
	check(visits <= 60 * most_visits, "there are few visits");
}

/* Let some edges of what matches lead to the nearest that do, too. */
static void
add_value_edges(void)
{
	for (uint32 i = 0; i < NODES; i++)
	{
		uint32		nearest[VALUE_EDGES + 1];
		int			n;
		int			e = DEGREE - VALUE_EDGES;

		if (!points[i].matches)
			continue;
		n = find_nearest(&points[i], true, nearest, VALUE_EDGES + 1);
		for (int k = 0; k < n && e < DEGREE; k++)
		{
			if (nearest[k] != i)
				edges[i][e++] = nearest[k];
		}
	}
}

/* Along value edges a walk takes hardly longer than one among all. */
static void
test_value_edges(int one_in, int most_visits)
{
	int			hits = 0;
	int			visits = 0;

	start_case("value edges", one_in);
	choose_matches(one_in, false, 0);
	add_value_edges();
	for (int n = 0; n < 60; n++)
	{
		Point		query;
		uint32		nearest[WANTED];

		for (uint32 i = 0; i < NODES; i++)
			points[i].visits = 0;
		set_point(&query, 0);
		start(&query, 30, 1.0 / one_in, true);
		walk(&query);
		visits += count_visits();
		(void) find_nearest(&query, true, nearest, WANTED);
		for (int i = 0; i < WANTED; i++)
			hits += points[nearest[i]].visits;
	}
	check(hits >= 0.95 * 60 * WANTED, "value edges lead to what matches");
	check(visits <= 60 * most_visits, "value edges make a walk short");
	make_graph();
}

/*
 * Where the nodes around the query do not match, though few of all, the list is
 * longer; how often, of 60 times?
 */
static int
count_far(int hole)
{
	static uint32 nearest[NODES];
	int			far = 0;

	for (int n = 0; n < 60; n++)
	{
		Point		query;

		start_case("hole", n);
		set_point(&query, 0);
		choose_matches(1, false, 0);
		(void) find_nearest(&query, true, nearest, hole);
		choose_matches(5, false, 0);
		for (int i = 0; i < hole; i++)
			points[nearest[i]].matches = points[nearest[i]].may_match = false;
		start(&query, 30, 0.2, false);
		(void) walk(&query);
		far += DiskannMatchIsFar(match) ? 1 : 0;
	}
	return far;
}

/* A list that grows finds more, and in the end all that matches. */
static void
test_grow(void)
{
	Point		query;
	int			size = 10;
	int			matching = 0;
	int			found;

	start_case("grow", 0);
	set_point(&query, 0);
	choose_matches(5, false, 50);
	for (uint32 i = 0; i < NODES; i++)
		matching += points[i].matches ? 1 : 0;
	start(&query, size, 0.2, false);
	found = walk(&query);
	while (size < 2 * NODES)
	{
		int			more;

		size *= 2;
		DiskannMatchGrow(match, size);
		more = walk(&query);
		check(more > 0 || found >= 0.98 * matching, "a longer list finds more");
		found += more;
	}
	check(found >= 0.98 * matching, "nearly all that matches");
	check(DiskannMatchBridges(match) <= count_visits(), "bridges are visits");
}

/* Where nothing matches, the walk ends soon. */
static void
test_nothing(void)
{
	Point		query;

	start_case("nothing", 0);
	set_point(&query, 0);
	choose_matches(NODES * 1000, true, 20);
	for (uint32 i = 0; i < NODES; i++)
		points[i].matches = false;
	start(&query, 30, 0.01, false);
	check(walk(&query) == 0, "nothing is found");
	check(count_visits() < 24 + 4 * (16 + 50) + 30,
		  "nor sought for long");
}

int
main(void)
{
	catch_faults();
	context = shim_create_context();
	search = DiskannSearchCreate(context);
	match = DiskannMatchCreate(context);
	start_case("graph", 0);
	make_graph();
	test_recall(1, false, 0, 60);
	test_recall(2, false, 0, 80);
	test_recall(10, false, 0, 200);
	test_recall(10, false, 100, 220);
	test_recall(30, false, 200, 450);
	test_recall(4, true, 0, 150);
	test_recall(20, true, 0, 400);
	test_value_edges(10, 75);
	test_value_edges(20, 75);
	check(count_far(0) <= 6, "what chance has is not far");
	check(count_far(250) >= 45, "what is behind others is far");
	test_grow();
	test_nothing();
	shim_delete_context(context);
	return report();
}
