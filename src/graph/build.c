/*-------------------------------------------------------------------------
 *
 * build.c
 *	  A Vamana graph in memory.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/build.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "graph/build.h"
#include "graph/prune.h"
#include "graph/search.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/* Lists may grow to this many times max_degree before they are pruned. */
#define SLACK 1.3

/* Vertices are allocated this many at a time, so that nothing is moved. */
#define CHUNK_BITS 8
#define CHUNK_VERTICES (1 << CHUNK_BITS)

typedef struct Vertex
{
	float		scale;
	float		norm2;
	uint32		degree;
	uint32		stamp;			/* search that last scored this vertex */
	uint32		edges[FLEXIBLE_ARRAY_MEMBER];	/* then payload, then code */
} Vertex;

typedef struct Scored
{
	float		dist;
	uint32		vertex;
} Scored;

struct DiskannBuild
{
	MemoryContext context;
	DiskannBuildOptions options;
	int			slack_degree;
	Size		payload_offset;
	Size		code_offset;
	Size		stride;
	uint32		count;
	char	  **chunks;
	uint32		chunks_alloc;
	DiskannSearch *search;
	uint32		stamp;
	Scored	   *visited;		/* what the current search visited */
	int			nvisited;
	int			visited_alloc;
};

DiskannBuild *
DiskannBuildCreate(MemoryContext parent, const DiskannBuildOptions *options)
{
	MemoryContext context = AllocSetContextCreate(parent, "diskann build graph",
												  ALLOCSET_DEFAULT_SIZES);
	DiskannBuild *build = MemoryContextAllocZero(context, sizeof(DiskannBuild));

	build->context = context;
	build->options = *options;
	build->slack_degree = (int) (options->max_degree * SLACK);
	build->payload_offset = MAXALIGN(offsetof(Vertex, edges) +
									 sizeof(uint32) * build->slack_degree);
	build->code_offset = build->payload_offset + MAXALIGN(options->payload);
	build->stride = build->code_offset + MAXALIGN(options->dims);
	build->search = DiskannSearchCreate(context);
	build->visited_alloc = 2 * options->list_size;
	build->visited = MemoryContextAlloc(context,
										build->visited_alloc * sizeof(Scored));
	return build;
}

void
DiskannBuildFree(DiskannBuild *build)
{
	MemoryContextDelete(build->context);
}

static inline Vertex *
vertex_at(const DiskannBuild *build, uint32 i)
{
	return (Vertex *) (build->chunks[i >> CHUNK_BITS] +
					   (i & (CHUNK_VERTICES - 1)) * build->stride);
}

static inline const int8 *
vertex_code(const DiskannBuild *build, const Vertex *v)
{
	return (const int8 *) v + build->code_offset;
}

uint32
DiskannBuildAdd(DiskannBuild *build, const int8 *code, float scale,
				float norm2)
{
	uint32		chunk = build->count >> CHUNK_BITS;
	Vertex	   *v;

	if ((build->count & (CHUNK_VERTICES - 1)) == 0)
	{
		if (chunk == build->chunks_alloc)
		{
			build->chunks_alloc = Max(64, 2 * build->chunks_alloc);
			build->chunks = build->chunks == NULL ?
				MemoryContextAlloc(build->context,
								   build->chunks_alloc * sizeof(char *)) :
				repalloc_huge(build->chunks,
							  build->chunks_alloc * sizeof(char *));
		}
		build->chunks[chunk] =
			MemoryContextAllocHuge(build->context,
								   CHUNK_VERTICES * build->stride);
	}
	v = vertex_at(build, build->count);
	memset(v, 0, build->code_offset);
	v->scale = scale;
	v->norm2 = norm2;
	memcpy((char *) v + build->code_offset, code, build->options.dims);
	return build->count++;
}

uint32
DiskannBuildCount(const DiskannBuild *build)
{
	return build->count;
}

Size
DiskannBuildMemory(const DiskannBuild *build)
{
	return MemoryContextMemAllocated(build->context, true);
}

void *
DiskannBuildPayload(const DiskannBuild *build, uint32 vertex)
{
	return (char *) vertex_at(build, vertex) + build->payload_offset;
}

const int8 *
DiskannBuildCode(const DiskannBuild *build, uint32 vertex, float *scale,
				 float *norm2)
{
	Vertex	   *v = vertex_at(build, vertex);

	*scale = v->scale;
	*norm2 = v->norm2;
	return vertex_code(build, v);
}

int
DiskannBuildNeighbours(const DiskannBuild *build, uint32 vertex,
					   const uint32 **neighbours)
{
	Vertex	   *v = vertex_at(build, vertex);

	*neighbours = v->edges;
	return v->degree;
}

static float
vertex_distance(const DiskannBuild *build, const Vertex *a, const Vertex *b)
{
	float		dot = diskann_kernels->dot_i8(vertex_code(build, a),
											  vertex_code(build, b),
											  build->options.dims);
	float		dist = a->norm2 + b->norm2 - 2 * a->scale * b->scale * dot;

	return Max(dist, 0);
}

/* Greedy search for v from start, leaving what it visits in visited[]. */
static void
search_vertex(DiskannBuild *build, uint32 start, const Vertex *v)
{
	uint32		node;

	build->stamp++;
	build->nvisited = 0;
	DiskannSearchReset(build->search, build->options.list_size, false);
	vertex_at(build, start)->stamp = build->stamp;
	DiskannSearchAdd(build->search, start,
					 vertex_distance(build, v, vertex_at(build, start)));
	while (DiskannSearchNext(build->search, &node))
	{
		Vertex	   *u = vertex_at(build, node);

		if (build->nvisited == build->visited_alloc)
		{
			build->visited_alloc *= 2;
			build->visited = repalloc(build->visited,
									  build->visited_alloc * sizeof(Scored));
		}
		build->visited[build->nvisited].vertex = node;
		build->visited[build->nvisited++].dist = vertex_distance(build, v, u);
		for (uint32 i = 0; i < u->degree; i++)
		{
			if (i + 1 < u->degree)
				__builtin_prefetch(vertex_at(build, u->edges[i + 1]));
			if (vertex_at(build, u->edges[i])->stamp == build->stamp)
				continue;
			vertex_at(build, u->edges[i])->stamp = build->stamp;
			DiskannSearchAdd(build->search, u->edges[i],
							 vertex_distance(build, v,
											 vertex_at(build, u->edges[i])));
		}
	}
}

static int
compare_scored(const void *a, const void *b)
{
	const Scored *x = a;
	const Scored *y = b;

	if (x->dist != y->dist)
		return x->dist < y->dist ? -1 : 1;
	return x->vertex < y->vertex ? -1 : x->vertex > y->vertex;
}

typedef struct PairContext
{
	const DiskannBuild *build;
	const Scored *candidates;
} PairContext;

static float
pair_distance(void *arg, int a, int b)
{
	PairContext *pair = arg;

	return vertex_distance(pair->build,
						   vertex_at(pair->build, pair->candidates[a].vertex),
						   vertex_at(pair->build, pair->candidates[b].vertex));
}

/* Sort the candidates, prune them, and make the rest v's neighbours. */
static void
prune_vertex(DiskannBuild *build, Vertex *v, Scored *candidates, int n)
{
	PairContext pair = {build, candidates};
	DiskannPrune prune = {build->options.max_degree, build->options.alpha,
	pair_distance, &pair};
	float	   *dist = palloc(sizeof(float) * n);
	int		   *chosen = palloc(sizeof(int) * build->options.max_degree);

	qsort(candidates, n, sizeof(Scored), compare_scored);
	for (int i = 0; i < n; i++)
		dist[i] = candidates[i].dist;
	v->degree = DiskannRobustPrune(&prune, dist, n, chosen);
	for (uint32 i = 0; i < v->degree; i++)
		v->edges[i] = candidates[chosen[i]].vertex;
	pfree(dist);
	pfree(chosen);
}

/* Prune v's own list back to max_degree. */
static void
prune_list(DiskannBuild *build, Vertex *v)
{
	int			n = v->degree;
	Scored	   *candidates = palloc(sizeof(Scored) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		candidates[i].vertex = v->edges[i];
		candidates[i].dist = vertex_distance(build, v,
											 vertex_at(build, v->edges[i]));
	}
	prune_vertex(build, v, candidates, n);
	pfree(candidates);
}

static void
link_vertex(DiskannBuild *build, uint32 start, uint32 number)
{
	Vertex	   *v = vertex_at(build, number);

	search_vertex(build, start, v);
	prune_vertex(build, v, build->visited, build->nvisited);
	for (uint32 i = 0; i < v->degree; i++)
	{
		Vertex	   *u = vertex_at(build, v->edges[i]);

		/* One beyond the slack would not fit; prune to make room first. */
		if (u->degree == (uint32) build->slack_degree)
			prune_list(build, u);
		u->edges[u->degree++] = number;
	}
}

/* The vertex nearest to the origin, which is the centre of the data. */
static uint32
central_vertex(const DiskannBuild *build)
{
	uint32		best = 0;

	for (uint32 i = 1; i < build->count; i++)
	{
		if (vertex_at(build, i)->norm2 < vertex_at(build, best)->norm2)
			best = i;
	}
	return best;
}

/* A permutation of all vertices with first in front (Fisher-Yates). */
static uint32 *
random_order(const DiskannBuild *build, uint32 first)
{
	uint64		state = build->options.seed;
	uint32	   *order = MemoryContextAllocHuge(build->context,
											   sizeof(uint32) * (Size) build->count);

	for (uint32 i = 0; i < build->count; i++)
		order[i] = i;
	order[0] = first;
	order[first] = 0;
	for (uint32 i = build->count - 1; i > 1; i--)
	{
		uint32		j = 1 + diskann_random64(&state) % i;
		uint32		swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
	return order;
}

/* Which vertices have been reached, in the order they were. */
typedef struct Reached
{
	bool	   *reached;		/* by vertex */
	uint32	   *order;
	uint32		count;
} Reached;

static void
reach(Reached *r, uint32 vertex)
{
	if (r->reached[vertex])
		return;
	r->reached[vertex] = true;
	r->order[r->count++] = vertex;
}

/* Breadth first, from the vertices reached at position head on. */
static void
spread(const DiskannBuild *build, Reached *r, uint32 head)
{
	for (; head < r->count; head++)
	{
		Vertex	   *v = vertex_at(build, r->order[head]);

		for (uint32 i = 0; i < v->degree; i++)
			reach(r, v->edges[i]);
	}
}

static void
start_reaching(const DiskannBuild *build, Reached *r, uint32 *order,
			   uint32 start)
{
	r->reached = MemoryContextAllocExtended(build->context, build->count,
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	r->order = order;
	r->count = 0;
	reach(r, start);
	spread(build, r, 0);
}

void
DiskannBuildOrder(const DiskannBuild *build, uint32 start, uint32 *order)
{
	Reached		r;

	start_reaching(build, &r, order, start);
	for (uint32 i = 0; i < build->count; i++)
		reach(&r, i);
	pfree(r.reached);
}

static void
add_or_replace_edge(const DiskannBuild *build, Vertex *v, uint32 to)
{
	for (uint32 i = 0; i < v->degree; i++)
	{
		if (v->edges[i] == to)
			return;
	}
	if (v->degree < (uint32) build->options.max_degree)
		v->degree++;
	v->edges[v->degree - 1] = to;
}

/*
 * Let the nearest vertex a search finds point to number, which nothing
 * reachable points to.  An edge that this displaces goes to number, so that
 * what has been reached stays so.
 */
static void
attach_vertex(DiskannBuild *build, uint32 start, uint32 number)
{
	Vertex	   *v = vertex_at(build, number);
	Vertex	   *u;
	int			best = 0;

	search_vertex(build, start, v);
	for (int i = 1; i < build->nvisited; i++)
	{
		if (build->visited[i].dist < build->visited[best].dist)
			best = i;
	}
	u = vertex_at(build, build->visited[best].vertex);
	if (u->degree == (uint32) build->options.max_degree)
		add_or_replace_edge(build, v, u->edges[u->degree - 1]);
	add_or_replace_edge(build, u, number);
}

/* Make all vertices reachable from start. */
static void
repair_reachability(DiskannBuild *build, uint32 start, uint32 *order)
{
	Reached		r;

	start_reaching(build, &r, order, start);
	if (r.count < build->count)
		elog(DEBUG1, "diskann: %u of %u vertices to be attached",
			 build->count - r.count, build->count);
	for (uint32 i = 0; i < build->count; i++)
	{
		uint32		head = r.count;

		if (r.reached[i])
			continue;
		CHECK_FOR_INTERRUPTS();
		attach_vertex(build, start, i);
		reach(&r, i);
		spread(build, &r, head);
	}
	pfree(r.reached);
}

void
DiskannBuildLink(DiskannBuild *build, uint32 *start,
				 DiskannBuildProgress progress, void *arg)
{
	uint32	   *order;

	Assert(build->count > 0);
	*start = central_vertex(build);
	order = random_order(build, *start);
	for (uint32 i = 1; i < build->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		link_vertex(build, *start, order[i]);
		if (i % 1024 == 0)
			progress(arg, i);
	}
	for (uint32 i = 0; i < build->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (vertex_at(build, i)->degree > (uint32) build->options.max_degree)
			prune_list(build, vertex_at(build, i));
	}
	repair_reachability(build, *start, order);
	progress(arg, build->count);
	pfree(order);
}
