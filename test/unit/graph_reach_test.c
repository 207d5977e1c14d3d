/*-------------------------------------------------------------------------
 *
 * graph_reach_test.c
 *	  Making graphs reachable, of random ones and of such as are hard.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/graph_reach_test.c
 *
 *-------------------------------------------------------------------------
 */
#include "graph_harness.h"
#include "graph/reach.h"

#define MAX_NODES 10000
#define MAX_DEGREE 16

typedef struct Graph
{
	Vectors    *vectors;
	int			max_degree;
	int			degree[MAX_NODES + 1];
	uint32		edges[MAX_NODES + 1][MAX_DEGREE];
} Graph;

static Graph graph;
static Graph before;

static int
get_edges(void *arg, uint32 node, uint32 *edges)
{
	Assert(arg == &graph);
	Assert(node >= 1 && node <= graph.vectors->count);
	memcpy(edges, graph.edges[node], sizeof(uint32) * graph.degree[node]);
	return graph.degree[node];
}

static void
put_edges(void *arg, uint32 node, const uint32 *edges, int n)
{
	Assert(arg == &graph);
	Assert(node >= 1 && node <= graph.vectors->count);
	Assert(n >= 0 && n <= graph.max_degree);
	memcpy(graph.edges[node], edges, sizeof(uint32) * n);
	graph.degree[node] = n;
}

static void
fetch_nodes(void *arg, const uint32 *nodes, int n, DiskannBlock *block)
{
	Assert(arg == &graph);
	fetch_vectors(graph.vectors, nodes, n, block);
}

static bool
has_edge(const Graph *g, uint32 from, uint32 to)
{
	for (int e = 0; e < g->degree[from]; e++)
	{
		if (g->edges[from][e] == to)
			return true;
	}
	return false;
}

/* Mark what can be reached; returns how many nodes. */
static uint32
mark_reachable(const Graph *g, const uint32 *starts, int nstarts, bool *reached)
{
	static uint32 queue[MAX_NODES];
	uint32		n = 0;

	memset(reached, 0, g->vectors->count + 1);
	for (int i = 0; i < nstarts; i++)
	{
		if (!reached[starts[i]])
			queue[n++] = starts[i];
		reached[starts[i]] = true;
	}
	for (uint32 head = 0; head < n; head++)
	{
		for (int e = 0; e < g->degree[queue[head]]; e++)
		{
			uint32		to = g->edges[queue[head]][e];

			if (!reached[to])
				queue[n++] = to;
			reached[to] = true;
		}
	}
	return n;
}

/* ---------- graphs ---------- */

/* Edges to random nodes of the same one of some parts. */
static void
make_graph(uint32 nnodes, int max_degree, int least, int most, uint32 nparts)
{
	graph.vectors = random_vectors(random_between(1, 8), nnodes, 1, 5, 50);
	graph.max_degree = max_degree;
	for (uint32 node = 1; node <= nnodes; node++)
	{
		int			wanted = random_between(least, most);

		graph.degree[node] = 0;
		for (int try = 0; try < wanted; try++)
		{
			uint32		to = random_between(1, nnodes);

			if (to != node && to % nparts == node % nparts &&
				!has_edge(&graph, node, to))
				graph.edges[node][graph.degree[node]++] = to;
		}
	}
}

static uint32
reach_all(const uint32 *starts, int nstarts)
{
	DiskannGraph g = {graph.vectors->count, graph.vectors->dims,
	graph.max_degree, get_edges, put_edges, fetch_nodes, &graph};
	Size		bytes = shim_bytes(NULL);
	uint32		attached;

	before = graph;
	attached = DiskannReachAll(&g, starts, nstarts);
	check(shim_bytes(NULL) == bytes, "memory is freed");
	return attached;
}

/* ---------- what has to hold ---------- */

/* Edges that cannot have come from a broken replacement. */
static void
check_edges(void)
{
	bool		good = true;

	for (uint32 node = 1; node <= graph.vectors->count; node++)
	{
		for (int e = 0; e < graph.degree[node]; e++)
		{
			uint32		to = graph.edges[node][e];

			good = good && to >= 1 && to <= graph.vectors->count && to != node;
			for (int k = 0; k < e; k++)
				good = good && to != graph.edges[node][k];
		}
	}
	check(good, "edges lead to other nodes, once each");
}

/*
 * No node has fewer edges than before, and its first ones, the most important,
 * are the same: attaching a node takes the last one's place.  A node to which
 * nothing had to be attached may still have got an edge displaced elsewhere.
 */
static void
check_kept(void)
{
	bool		good = true;

	for (uint32 node = 1; node <= graph.vectors->count; node++)
	{
		int			kept = Min(before.degree[node], graph.max_degree - 1);

		good = good && graph.degree[node] >= before.degree[node] &&
			memcmp(graph.edges[node], before.edges[node],
				   sizeof(uint32) * kept) == 0;
	}
	check(good, "all edges but last ones are kept");
}

static void
check_all_reached(const uint32 *starts, int nstarts)
{
	static bool reached[MAX_NODES + 1];
	uint32		n = mark_reachable(&before, starts, nstarts, reached);
	bool		same = n == graph.vectors->count &&
		memcmp(before.degree, graph.degree,
			   sizeof(int) * (graph.vectors->count + 1)) == 0;

	check(n < graph.vectors->count || same, "what is reachable stays as it is");
	n = mark_reachable(&graph, starts, nstarts, reached);
	check(n == graph.vectors->count, "all nodes can be reached");
}

static void
test_random(size_t cases)
{
	for (size_t c = 0; c < cases; c++)
	{
		static bool reached[MAX_NODES + 1];
		uint32		starts[5];
		uint32		nnodes;
		uint32		expected;
		int			max_degree;
		int			least;
		int			nstarts;

		start_case("random graphs", c);
		nstarts = random_between(1, 5);
		nnodes = random_between(1, c % 100 == 0 ? 3000 : 100);
		max_degree = random_between(1, MAX_DEGREE);
		least = random_between(0, max_degree);
		make_graph(nnodes, max_degree, least,
				   random_between(least, max_degree),
				   c % 3 == 0 ? random_between(1, 10) : 1);
		for (int i = 0; i < nstarts; i++)
			starts[i] = random_between(1, nnodes);
		expected = nnodes - mark_reachable(&graph, starts, nstarts, reached);
		check(reach_all(starts, nstarts) == expected, "nodes attached");
		check_edges();
		check_kept();
		check_all_reached(starts, nstarts);
		free_vectors(graph.vectors);
	}
}

/*
 * No edges at all: each node in turn is tied to the nearest of those before
 * (and of the starts), as all of them are looked at.
 */
static void
test_islands(size_t cases)
{
	for (size_t c = 0; c < cases; c++)
	{
		const uint32 start = 1;
		uint32		nnodes;

		start_case("islands", c);
		nnodes = random_between(2, MAX_DEGREE);
		make_graph(nnodes, MAX_DEGREE, 0, 0, 1);
		check(reach_all(&start, 1) == nnodes - 1, "islands");
		for (uint32 node = 2; node <= nnodes; node++)
		{
			uint32		from = 0;
			double		nearest = INFINITY;

			for (uint32 other = 1; other < node; other++)
			{
				if (has_edge(&graph, other, node))
					from = other;
				nearest = fmin(nearest,
							   plain_distance(graph.vectors, node, other));
			}
			check(from != 0 && plain_distance(graph.vectors, node, from) <=
				  nearest + 2 * distance_tolerance(graph.vectors, node, from),
				  "island is tied to the nearest");
		}
		free_vectors(graph.vectors);
	}
}

/*
 * A node that nothing leads to is attached to the first neighbour that is
 * reached: here those from 2 on are such nodes, and 1 is the start.
 */
static void
test_neighbours(void)
{
	const uint32 start = 1;

	start_case("neighbours", 0);
	make_graph(10, MAX_DEGREE, 0, 0, 1);
	graph.edges[1][graph.degree[1]++] = 2;
	graph.edges[1][graph.degree[1]++] = 3;
	for (uint32 node = 4; node <= 10; node++)
	{
		graph.edges[node][0] = node % 9 + 2;	/* maybe not yet reached */
		graph.edges[node][1] = 2 + node % 2;
		graph.degree[node] = 2;
	}
	reach_all(&start, 1);
	check_edges();
	check_all_reached(&start, 1);
	check(has_edge(&graph, 2, 4) && has_edge(&graph, 3, 5),
		  "attached to a neighbour");
	free_vectors(graph.vectors);
}

/* Full lists everywhere: one path, and a ring apart from it. */
static void
test_full(void)
{
	const uint32 start = 1;
	const uint32 n = MAX_NODES;

	start_case("full lists", 0);
	make_graph(n, 1, 0, 0, 1);
	for (uint32 node = 1; node <= n; node++)
	{
		graph.degree[node] = 1;
		graph.edges[node][0] = node == n / 2 ? 1 :
			node == n ? n / 2 + 1 : node + 1;
	}
	shim_interrupt_checks = 0;
	check(reach_all(&start, 1) == n / 2, "the ring is attached");
	check(shim_interrupt_checks > 0, "interrupts are looked for");
	check_edges();
	check_all_reached(&start, 1);
	free_vectors(graph.vectors);
}

int
main(void)
{
	catch_faults();
	test_random(3000);
	test_islands(500);
	test_neighbours();
	test_full();
	return report();
}
