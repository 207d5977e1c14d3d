/*-------------------------------------------------------------------------
 *
 * reach.c
 *	  Make every node of a graph reachable.
 *
 * Edges are followed breadth first from the starts.  A node that was not
 * reached then is attached to one that was: to a neighbour of its own, which
 * is near and most likely reached, else, when all such nodes are done, to the
 * nearest of some reached ones.  As it leads on to others, edges are followed
 * from there at once, so that few nodes of an island have to be attached.
 *
 * An edge has to give way where the node attached to has no slot left.  Moving
 * that edge to the new node keeps what it leads to reachable, by one more
 * step; so nothing that has been reached is ever lost, and one pass is enough.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/reach.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "graph/reach.h"
#include "miscadmin.h"

/*
 * An island is tied to the nearest of this many nodes: comparing with all
 * would take time quadratic in the number of nodes, if there are many islands.
 */
#define SHORES 1024

/* What has been reached so far. */
typedef struct Reached
{
	DiskannGraph *graph;
	bool	   *reached;		/* by node */
	uint32	   *queue;			/* in the order they were reached */
	uint32		count;
	uint32		head;			/* from here on edges are still to follow */
	uint32	   *edges;			/* of one node */
	uint32	   *other;			/* of another */
} Reached;

/* A node is reached, maybe not for the first time. */
static void
mark_reached(Reached *r, uint32 node)
{
	Assert(node >= 1 && node <= r->graph->count);
	if (r->reached[node])
		return;
	r->reached[node] = true;
	r->queue[r->count++] = node;
}

/* Follow the edges of all nodes in the queue, breadth first. */
static void
follow_edges(Reached *r)
{
	while (r->head < r->count)
	{
		int			n = r->graph->get(r->graph->arg, r->queue[r->head++],
									  r->edges);

		Assert(n <= r->graph->max_degree);
		if (r->head % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			mark_reached(r, r->edges[i]);
	}
}

/*
 * Append a node to n edges, unless it is there; without a slot left it takes
 * the place of the last one.  Returns how many edges there are then.
 */
static int
add_or_replace(const Reached *r, uint32 *edges, int n, uint32 node)
{
	for (int i = 0; i < n; i++)
	{
		if (edges[i] == node)
			return n;
	}
	n = Min(n + 1, r->graph->max_degree);
	edges[n - 1] = node;
	return n;
}

/*
 * Let from, which is reached, point to node, which is not, and follow the
 * edges from there.  An edge that this displaces goes to node, so that what
 * has been reached stays so.  There it may displace another; but that one
 * leads to what node has led to, and which nobody has relied on yet.
 */
static void
attach_node(Reached *r, uint32 from, uint32 node)
{
	DiskannGraph *graph = r->graph;
	int			n = graph->get(graph->arg, from, r->edges);

	Assert(r->reached[from] && !r->reached[node]);
	if (n == graph->max_degree)
	{
		int			m = graph->get(graph->arg, node, r->other);

		m = add_or_replace(r, r->other, m, r->edges[n - 1]);
		graph->put(graph->arg, node, r->other, m);
	}
	n = add_or_replace(r, r->edges, n, node);
	graph->put(graph->arg, from, r->edges, n);
	mark_reached(r, node);
	follow_edges(r);
}

/* The first neighbour of a node that is reached; 0 if none is. */
static uint32
reached_neighbour(Reached *r, uint32 node)
{
	int			n = r->graph->get(r->graph->arg, node, r->edges);

	for (int i = 0; i < n; i++)
	{
		if (r->reached[r->edges[i]])
			return r->edges[i];
	}
	return 0;
}

/* The nearest to node of some nodes that are reached, evenly spaced. */
static uint32
nearest_shore(Reached *r, uint32 node)
{
	DiskannGraph *graph = r->graph;
	DiskannBlock *pair = DiskannBlockCreate(graph->dims, 2, false);
	const int	second = 1;
	uint32		step = r->count / SHORES + 1;
	uint32		best = r->queue[0];
	float		best_dist = 0;

	for (uint32 i = 0; i < r->count; i += step)
	{
		float		dist;

		pair->count = 0;
		graph->fetch(graph->arg, &node, 1, pair);
		graph->fetch(graph->arg, &r->queue[i], 1, pair);
		DiskannBlockFew(pair, 0, &second, 1, &dist);
		if (i == 0 || dist < best_dist)
		{
			best = r->queue[i];
			best_dist = dist;
		}
	}
	DiskannBlockFree(pair);
	return best;
}

/*
 * Attach what is not reached to a neighbour that is.  Where there is none, it
 * is left out, or tied to any shore: then all that it leads to is reached,
 * too.
 */
static void
attach_rest(Reached *r, bool islands)
{
	for (uint32 node = 1; node <= r->graph->count; node++)
	{
		uint32		from;

		if (r->reached[node])
			continue;
		CHECK_FOR_INTERRUPTS();
		from = reached_neighbour(r, node);
		if (from == 0 && islands)
			from = nearest_shore(r, node);
		if (from != 0)
			attach_node(r, from, node);
	}
}

uint32
DiskannReachAll(DiskannGraph *graph, const uint32 *starts, int nstarts)
{
	uint32		missing;
	Reached		r;

	memset(&r, 0, sizeof(r));
	r.graph = graph;
	r.reached = palloc_extended(graph->count + 1,
								MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	r.queue = palloc_extended(sizeof(uint32) * (Size) graph->count,
							  MCXT_ALLOC_HUGE);
	r.edges = palloc(sizeof(uint32) * graph->max_degree);
	r.other = palloc(sizeof(uint32) * graph->max_degree);
	Assert(nstarts > 0);
	for (int i = 0; i < nstarts; i++)
		mark_reached(&r, starts[i]);
	follow_edges(&r);
	missing = graph->count - r.count;
	attach_rest(&r, false);
	attach_rest(&r, true);
	Assert(r.count == graph->count);
	pfree(r.reached);
	pfree(r.queue);
	pfree(r.edges);
	pfree(r.other);
	return missing;
}
