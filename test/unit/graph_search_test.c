/*-------------------------------------------------------------------------
 *
 * graph_search_test.c
 *	  Best-first search against a model of it that only counts, and on
 *	  graphs against the paper's loop.
 *
 * The model keeps the least estimate each node has been offered with, and what
 * has been visited.  The list then is the list_size nearest of all of these;
 * which of several equally far ones are in it is not specified, and left open.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/graph_search_test.c
 *
 *-------------------------------------------------------------------------
 */
#include "graph_harness.h"
#include "graph/search.h"

#define MAX_NODES 40000

typedef struct Model
{
	uint32		nnodes;			/* nodes are 0..nnodes - 1 */
	int			list_size;
	bool		keep_rest;
	bool		streaming;
	bool		offered[MAX_NODES];
	bool		visited[MAX_NODES];
	float		least[MAX_NODES];
	int64		visits;
} Model;

static Model model;
static DiskannSearch *search;
static MemoryContext context;

static void
start_search(uint32 nnodes, int list_size, bool keep_rest)
{
	DiskannSearchReset(search, list_size, keep_rest);
	model.nnodes = nnodes;
	model.list_size = list_size;
	model.keep_rest = keep_rest;
	model.streaming = false;
	model.visits = 0;
	memset(model.offered, 0, nnodes);
	memset(model.visited, 0, nnodes);
}

/* ---------- the model ---------- */

/* What is no number, or not finite, is to be as far as can be. */
static float
model_key(float key)
{
	return isfinite(key) ? key : FLT_MAX;
}

static void
model_add(uint32 node, float key)
{
	key = model_key(key);
	if (model.visited[node] ||
		(model.offered[node] && model.least[node] <= key))
		return;
	model.offered[node] = true;
	model.least[node] = key;
}

/* The nearest estimate of what is not visited yet. */
static bool
model_least(float *key)
{
	bool		found = false;

	for (uint32 i = 0; i < model.nnodes; i++)
	{
		if (!model.offered[i] || model.visited[i] ||
			(found && model.least[i] >= *key))
			continue;
		found = true;
		*key = model.least[i];
	}
	return found;
}

/* So many visited nodes are nearer than key, or as near as it. */
static int
model_visited_before(float key, bool or_equal)
{
	int			n = 0;

	for (uint32 i = 0; i < model.nnodes; i++)
		n += model.visited[i] && (model.least[i] < key ||
								  (or_equal && model.least[i] == key));
	return n;
}

static int
compare_floats(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return (x > y) - (x < y);
}

/*
 * The estimate of the last place of the list; false if the list is not full.
 * Also whether something not visited is certainly beyond the list.
 */
static bool
model_last(float *last, bool *beyond)
{
	static float keys[MAX_NODES];
	int			n = 0;

	for (uint32 i = 0; i < model.nnodes; i++)
	{
		if (model.offered[i])
			keys[n++] = model.least[i];
	}
	*beyond = false;
	if (n < model.list_size)
		return false;
	qsort(keys, n, sizeof(float), compare_floats);
	*last = keys[model.list_size - 1];
	for (uint32 i = 0; i < model.nnodes; i++)
		*beyond = *beyond || (model.offered[i] && !model.visited[i] &&
							  model.least[i] > *last);
	return true;
}

static void
model_visit(uint32 node, float key)
{
	check(node < model.nnodes && model.offered[node], "node was offered");
	if (node >= model.nnodes)
		return;
	check(!model.visited[node], "node is returned once");
	check(model.least[node] == key, "nearest node is returned");
	model.visited[node] = true;
	model.visits++;
	check(DiskannSearchVisited(search, node), "visited node is known");
}

/* ---------- one step of the search and of the model ---------- */

static void
add_one(uint32 node, float key)
{
	DiskannSearchAdd(search, node, key);
	model_add(node, key);
}

static void
add_all(const uint32 *nodes, const float *keys, int n)
{
	DiskannSearchAddAll(search, nodes, keys, n);
	for (int i = 0; i < n; i++)
		model_add(nodes[i], keys[i]);
}

/*
 * With least being the nearest estimate not visited: all that is nearer has
 * been visited, so the list has none left if that is list_size nodes; and it
 * has one if even those as near do not fill it.
 */
static bool
next(uint32 *node)
{
	float		least = 0;
	uint32		ahead;
	bool		any = model_least(&least);
	bool		looked = DiskannSearchLookAhead(search, &ahead);
	bool		returned = DiskannSearchNext(search, node);

	check(looked == returned && (!looked || ahead == *node),
		  "LookAhead tells what Next returns");
	if (!returned)
	{
		check(!any || model_visited_before(least, true) >= model.list_size,
			  "list has been visited");
		return false;
	}
	check(any && model_visited_before(least, false) < model.list_size,
		  "node is of the list");
	model_visit(*node, least);
	return true;
}

/* The list has no more then, and the stream has what the list had. */
static void
leave_list(void)
{
	float		least = 0;
	float		key = 0;
	float		bound;
	uint32		node;
	bool		any = DiskannSearchPeekList(search, &key);

	check(!any || (model_least(&least) && least == key),
		  "PeekList tells the estimate of what is next");
	DiskannSearchLeaveList(search);
	check(!any || !model.keep_rest ||
		  (DiskannSearchBound(search, &bound) && bound == key),
		  "what was left bounds the rest");
	check(!DiskannSearchNext(search, &node) &&
		  !DiskannSearchPeekList(search, &key), "nothing is left in the list");
}

static bool
stream(uint32 *node)
{
	float		least = 0;
	float		key = 0;
	bool		any = model_least(&least) && model.keep_rest;

	model.streaming = true;
	check(DiskannSearchPeek(search, &key) == any, "Peek tells what is left");
	check(!any || key == least, "Peek tells the nearest estimate");
	if (!DiskannSearchStream(search, node))
		return check(!any, "Stream returns all") && false;
	model_visit(*node, least);
	return true;
}

static void
check_bound(void)
{
	float		bound;
	float		last = 0;
	bool		beyond;
	bool		full = model_last(&last, &beyond);

	if (DiskannSearchBound(search, &bound))
		check(model.keep_rest && !model.streaming && full && bound == last,
			  "bound is the end of the list");
	else
		check(model.streaming || !model.keep_rest || !beyond,
			  "bound is told if there is a rest");
}

static void
check_counts(Size fixed)
{
	check(DiskannSearchVisits(search) == model.visits, "visits");
	check(DiskannSearchMemory(search) + fixed == shim_bytes(context),
		  "memory is what is allocated");
	for (uint32 i = 0; i < model.nnodes; i++)
		check(DiskannSearchVisited(search, i) == model.visited[i],
			  "only visited nodes are");
}

/* ---------- random steps ---------- */

typedef enum KeyStyle
{
	KEYS_DIFFERENT,
	KEYS_FEW,					/* many ties, some below zero */
	KEYS_STRANGE,				/* not numbers, not finite */
	KEY_STYLES
} KeyStyle;

static float
random_key(KeyStyle style)
{
	static const float strange[] = {NAN, -NAN, INFINITY, -INFINITY, FLT_MAX,
	-FLT_MAX, 0, -0.0f, FLT_MIN, 1e30f};

	if (style == KEYS_FEW)
		return (float) random_between(-2, 9);
	if (style == KEYS_STRANGE && random_between(0, 1))
		return strange[random_between(0, LENGTHOF(strange) - 1)];
	return (float) random_uniform();
}

static void
add_randomly(KeyStyle style, int most)
{
	static uint32 nodes[200];
	static float keys[200];
	int			n = random_between(0, most);

	for (int i = 0; i < n; i++)
	{
		nodes[i] = random_between(0, model.nnodes - 1);
		keys[i] = random_key(style);
	}
	if (random_between(0, 1))
		add_all(nodes, keys, n);
	else
	{
		for (int i = 0; i < n; i++)
			add_one(nodes[i], keys[i]);
	}
}

/* Additions and visits in any order, then all of the list, then the stream. */
static void
test_steps(size_t cases, Size fixed)
{
	for (size_t c = 0; c < cases; c++)
	{
		KeyStyle	style = c % KEY_STYLES;
		uint32		node;
		int			most;

		start_case("random steps", c);
		start_search(random_between(1, c % 20 == 0 ? 600 : 60),
					 c % 4 == 0 ? 1 : random_between(1, c % 20 == 0 ? 200 : 30),
					 random_between(0, 3) > 0);
		most = random_between(1, c % 10 == 0 ? 200 : 12);
		for (int step = random_between(1, 30); step > 0; step--)
		{
			add_randomly(style, most);
			check_bound();
			if (random_between(0, 1))
				next(&node);
		}
		while (next(&node))
		{
			if (random_between(0, 3) == 0)
				add_randomly(style, 5);
			check_bound();
			if (random_between(0, 29) == 0)
			{
				leave_list();
				break;
			}
		}
		while (stream(&node))
		{
			if (random_between(0, 3) == 0)
				add_randomly(style, most);
			check_bound();
		}
		check_counts(fixed);
	}
}

/* What is added at once comes as sorting says, list first, then stream. */
static void
test_sorting(size_t cases)
{
	static uint32 nodes[5000];
	static float keys[5000];
	static float sorted[5000];

	for (size_t c = 0; c < cases; c++)
	{
		int			n;
		int			list_size;
		uint32		node;
		float		key;

		start_case("sorting", c);
		n = random_between(1, c % 50 == 0 ? 5000 : 300);
		list_size = random_between(1, n + 5);
		random_order(nodes, n, 0);
		for (int i = 0; i < n; i++)
			sorted[i] = keys[i] = random_key(KEYS_DIFFERENT);
		DiskannSearchReset(search, list_size, true);
		for (int i = 0; i < n; i++)
			DiskannSearchAdd(search, nodes[i], keys[nodes[i]]);
		qsort(sorted, n, sizeof(float), compare_floats);
		for (int i = 0; i < Min(n, list_size); i++)
			check(DiskannSearchNext(search, &node) && keys[node] == sorted[i],
				  "list is sorted");
		check(!DiskannSearchNext(search, &node), "list has an end");
		for (int i = list_size; i < n; i++)
		{
			check(DiskannSearchPeek(search, &key) && key == sorted[i],
				  "Peek tells what is next");
			check(DiskannSearchStream(search, &node) && keys[node] == sorted[i],
				  "stream is sorted");
		}
		check(!DiskannSearchStream(search, &node), "stream has an end");
	}
}

/* ---------- AddAll ---------- */

/* Two searches, one given neighbours one by one, visit the same. */
static void
test_add_all(size_t cases)
{
	DiskannSearch *other = DiskannSearchCreate(context);

	for (size_t c = 0; c < cases; c++)
	{
		int			list_size;
		bool		keep_rest;
		KeyStyle	style = c % KEY_STYLES;
		uint32		a = 0;
		uint32		b = 0;

		start_case("AddAll as Add", c);
		list_size = random_between(1, 40);
		keep_rest = random_between(0, 1);
		DiskannSearchReset(search, list_size, keep_rest);
		DiskannSearchReset(other, list_size, keep_rest);
		for (int round = 0; round < 20; round++)
		{
			static uint32 nodes[100];
			static float keys[100];
			int			n = random_between(0, 100);

			for (int i = 0; i < n; i++)
			{
				nodes[i] = random_between(0, 400);
				keys[i] = random_key(style);
				DiskannSearchAdd(other, nodes[i], keys[i]);
			}
			DiskannSearchAddAll(search, nodes, keys, n);
			check(DiskannSearchNext(search, &a) == DiskannSearchNext(other, &b)
				  && a == b, "same next node");
		}
		for (bool more = true; more;)
		{
			more = DiskannSearchNext(search, &a);
			check(DiskannSearchNext(other, &b) == more && a == b,
				  "same node of the list");
		}
		for (bool more = true; more;)
		{
			float		x = 0;
			float		y = 0;

			more = DiskannSearchPeek(search, &x);
			check(DiskannSearchPeek(other, &y) == more && x == y,
				  "same estimate of the stream");
			more = DiskannSearchStream(search, &a);
			check(DiskannSearchStream(other, &b) == more &&
				  (style != KEYS_DIFFERENT || a == b),
				  "same node of the stream");
		}
	}
}

/* ---------- graphs ---------- */

#define MAX_DEGREE 12
#define MAX_GRAPH 2000

static uint32 graph[MAX_GRAPH][MAX_DEGREE];
static float distances[MAX_GRAPH];

static void
random_graph(uint32 nnodes, int degree)
{
	for (uint32 i = 0; i < nnodes; i++)
	{
		distances[i] = (float) random_uniform();
		for (int e = 0; e < degree; e++)
			graph[i][e] = random_between(0, nnodes - 1);
	}
}

/*
 * GreedySearch of DiskANN (Subramanya et al., NeurIPS 2019, algorithm 1),
 * as it is written: returns how many nodes it visits, in order.
 */
static int
greedy_search(uint32 entry, int degree, int list_size, uint32 *visited)
{
	static uint32 list[MAX_GRAPH];
	static bool done[MAX_GRAPH];
	static bool seen[MAX_GRAPH];
	int			n = 0;
	int			nvisited = 0;
	int			i;

	memset(done, 0, sizeof(done));
	memset(seen, 0, sizeof(seen));
	list[n++] = entry;
	seen[entry] = true;
	for (;;)
	{
		for (i = 0; i < n && done[list[i]]; i++)
			;
		if (i == n)
			return nvisited;
		visited[nvisited++] = list[i];
		done[list[i]] = true;
		for (int e = 0; e < degree; e++)
		{
			uint32		node = graph[visited[nvisited - 1]][e];
			int			at = n;

			if (seen[node])
				continue;
			seen[node] = true;
			for (n++; at > 0 && distances[list[at - 1]] > distances[node]; at--)
				list[at] = list[at - 1];
			list[at] = node;
		}
		n = Min(n, list_size);
	}
}

static void
expand(uint32 node, int degree, bool at_once)
{
	float		keys[MAX_DEGREE];

	for (int e = 0; e < degree; e++)
		keys[e] = distances[graph[node][e]];
	if (at_once)
		DiskannSearchAddAll(search, graph[node], keys, degree);
	else
	{
		for (int e = 0; e < degree; e++)
			DiskannSearchAdd(search, graph[node][e], keys[e]);
	}
}

/* How many nodes can be reached. */
static uint32
count_reachable(uint32 entry, int degree, uint32 *queue)
{
	static bool reached[MAX_GRAPH];
	uint32		n = 0;

	memset(reached, 0, sizeof(reached));
	reached[entry] = true;
	queue[n++] = entry;
	for (uint32 head = 0; head < n; head++)
	{
		for (int e = 0; e < degree; e++)
		{
			uint32		node = graph[queue[head]][e];

			if (!reached[node])
				queue[n++] = node;
			reached[node] = true;
		}
	}
	return n;
}

static void
test_graphs(size_t cases)
{
	static uint32 expected[MAX_GRAPH];

	for (size_t c = 0; c < cases; c++)
	{
		uint32		nnodes;
		uint32		node;
		uint32		entry;
		int			degree;
		int			list_size;
		int			n;
		int			visits = 0;

		start_case("graphs", c);
		nnodes = random_between(1, c % 50 == 0 ? MAX_GRAPH : 200);
		degree = random_between(1, MAX_DEGREE);
		list_size = random_between(1, c % 50 == 0 ? 150 : 50);
		entry = random_between(0, nnodes - 1);
		random_graph(nnodes, degree);
		n = greedy_search(entry, degree, list_size, expected);
		DiskannSearchReset(search, list_size, c % 2 == 0);
		DiskannSearchAdd(search, entry, distances[entry]);
		for (; DiskannSearchNext(search, &node); visits++)
		{
			check(visits < n && node == expected[visits], "same visits");
			expand(node, degree, c % 3 > 0);
		}
		check(visits == n, "same end");
		for (; DiskannSearchStream(search, &node); visits++)
			expand(node, degree, c % 3 > 0);
		if (c % 2 == 0)
			check(visits == (int) count_reachable(entry, degree, expected),
				  "stream exhausts the graph");
		else
			check(visits == n, "no stream without a rest");
	}
}

/* ---------- memory ---------- */

/* What a great search has grown is given back by the next reset. */
static void
test_reset(Size fixed)
{
	Size		usual;
	uint32		node;

	start_case("reset", 0);
	start_search(1, 100, true);
	usual = DiskannSearchMemory(search);
	start_search(MAX_NODES, 100, true);
	for (int add = 0; add < 4; add++)
	{
		for (uint32 i = 0; i < MAX_NODES; i++)
			add_one((i * 7919u) % MAX_NODES, (float) (4 * i + 4 - add));
	}
	for (int i = 0; i < 100; i++)
		check(next(&node), "list is full");
	for (int i = 0; i < 300; i++)
		check(stream(&node), "stream goes on");
	while (DiskannSearchStream(search, &node))
		model.visited[node] = true, model.visits++;
	check(model.visits == MAX_NODES, "all are streamed once");
	check_counts(fixed);
	check(DiskannSearchMemory(search) > 1000000, "memory has grown");
	start_search(MAX_NODES, 50, true);
	check(DiskannSearchMemory(search) <= usual, "memory is given back");
	check(!next(&node), "nothing is left in the list");
	check(!stream(&node), "nothing is left beyond the list");
	check_counts(fixed);
}

int
main(void)
{
	Size		fixed;

	catch_faults();
	context = shim_create_context();
	search = DiskannSearchCreate(context);
	fixed = shim_bytes(context) - DiskannSearchMemory(search);
	test_steps(6000, fixed);
	test_sorting(1000);
	test_reset(fixed);
	test_add_all(2000);
	test_graphs(3000);
	shim_delete_context(context);
	return report();
}
