/*-------------------------------------------------------------------------
 *
 * connect.c
 *	  CREATE INDEX: every node can be reached from the entry node.
 *
 * The leader gives the entry node its edges, to members of samples spread over
 * the data, follows all edges from there, and attaches what was not reached
 * (graph/reach.h).  This takes one process, as it is one walk over the graph,
 * but little time: edges are read and no vector is, but for the few nodes that
 * have to be attached.
 *
 * Why to members of samples: half of their edges are long-range ones, so that
 * one more visit brings a search from there to any part of the data.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/connect.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/phases.h"
#include "graph/reach.h"
#include "graph/select.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "store/link.h"
#include "store/page.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/* The graph as graph/reach.h is to see it. */
typedef struct Connector
{
	BuildState *state;
	uint32	   *node_places;	/* place by node */
} Connector;

static int
get_edges(void *arg, uint32 node, uint32 *edges)
{
	return DiskannBuildReadEdges(((Connector *) arg)->state, node, edges);
}

static void
put_edges(void *arg, uint32 node, const uint32 *edges, int n)
{
	DiskannBuildWriteEdges(((Connector *) arg)->state, node, edges, n);
}

static void
fetch_to_connect(void *arg, const uint32 *nodes, int n, DiskannBlock *block)
{
	Connector  *connector = arg;

	DiskannBuildFetch(connector->state, nodes, n, connector->node_places, block);
}

/* Order nodes by their numbers. */
static int
compare_nodes(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/*
 * The different nodes of the members of a section, in order; returns their
 * count.  nodes has room for as many as the section has members.
 */
static uint32
section_nodes(BuildState *state, const BuildSection *section,
			  const uint32 *map, uint32 *nodes)
{
	BuildMember *members = palloc_extended(sizeof(BuildMember) *
										   Max(section->count, 1),
										   MCXT_ALLOC_HUGE);

	DiskannSpoolRead(DiskannBuildFile(state, FILE_MEMBERS, 0),
					 section->start * sizeof(BuildMember), members,
					 section->count * sizeof(BuildMember));
	for (uint32 i = 0; i < section->count; i++)
		nodes[i] = map[members[i].row];
	pfree(members);
	qsort(nodes, section->count, sizeof(uint32), compare_nodes);
	return qunique(nodes, section->count, sizeof(uint32), compare_nodes);
}

/*
 * The nodes that searches may start from, in order: those of the first sample,
 * which have long-range edges; all, where that has fewer than wanted.  The
 * first is one of the greatest: level 1 of a series.
 */
static uint32 *
find_starts(BuildState *state, uint32 wanted, uint32 *count)
{
	BuildShared *shared = state->shared;
	BuildSection *sections = DiskannBuildReadFile(state, FILE_SECTIONS, 0,
												  NULL);
	const BuildSection *sample = &sections[shared->nballs];
	uint32	   *map = DiskannBuildReadFile(state, FILE_MAP, 0, NULL);
	uint32	   *nodes = palloc_extended(sizeof(uint32) * Max(sample->count, 1),
										MCXT_ALLOC_HUGE);

	*count = section_nodes(state, sample, map, nodes);
	if (*count < wanted)
	{
		nodes = repalloc_huge(nodes, sizeof(uint32) * (Size) shared->nnodes);
		for (*count = 0; *count < shared->nnodes; (*count)++)
			nodes[*count] = *count + 1;
	}
	pfree(sections);
	pfree(map);
	return nodes;
}

/*
 * Where searches start: one node from each of as many ranges, so that none
 * comes twice, spread over the data as nodes of a leaf have numbers close
 * together.  Returns how many.
 */
static int
choose_starts(BuildState *state, uint32 *starts)
{
	int			n = Min(state->shared->nnodes, state->index->meta.max_degree);
	uint32		count;
	uint32	   *nodes = find_starts(state, n, &count);
	uint64		random = state->index->meta.seed;

	for (int i = 0; i < n; i++)
	{
		uint64		low = (uint64) count * i / n;
		uint64		high = (uint64) count * (i + 1) / n;

		Assert(low < high);
		starts[i] = nodes[low + diskann_random64(&random) % (high - low)];
	}
	pfree(nodes);
	return n;
}

/*
 * Let the entry node point to where searches start.  Its slot is locked for
 * each edge in turn; nothing is locked on entry and exit.
 */
static void
link_entry(BuildState *state, const uint32 *node_places, const uint32 *starts,
		   int n)
{
	const DiskannIndex *index = state->index;
	float	   *x = palloc(sizeof(float) * index->space.dims);
	DiskannMarks marks;
	DiskannNodeRef ref;

	DiskannNodeInit(&ref, state->rel, index, true);
	for (int i = 0; i < n; i++)
	{
		const BuildCode *code = DiskannBuildRow(state, node_places[starts[i]]);

		diskann_vector_decode(index->kind, DiskannBuildOwn(state, code),
							  code->own.scale, index->space.dims, x);
		DiskannSign(state->signatures, DiskannBuildFilters(state, code),
					&marks);
		DiskannLinkEntry(&ref, DISKANN_ENTRY_NODE, starts[i], x,
						 marks.signatures, i);
	}
	pfree(x);
}

/* Leader: make all nodes reachable, and room for them in the index. */
void
DiskannBuildConnect(BuildState *state)
{
	BuildShared *shared = state->shared;
	const DiskannIndex *index = state->index;
	Connector	connector = {state, DiskannBuildNodePlaces(state)};
	DiskannGraph graph = {shared->nnodes, index->space.dims,
	index->meta.max_degree, get_edges, put_edges, fetch_to_connect, &connector};
	uint32		starts[DISKANN_MAX_DEGREE];
	int			n = choose_starts(state, starts);
	uint32		attached;
	BlockNumber last;

	Assert(n > 0);
	DiskannBuildEnterPhase(state, PHASE_CONNECT, 0);
	attached = DiskannReachAll(&graph, starts, n);
	elog(DEBUG1, "diskann build: %u nodes by %d processes, %u attached, "
		 "%.1f distances a row",
		 shared->nnodes, shared->participants, attached,
		 (double) pg_atomic_read_u64(&shared->distances) / shared->nrows);
	DiskannBuildUseFile(state, FILE_PLACED);
	link_entry(state, connector.node_places, starts, n);
	pfree(connector.node_places);
	if (index->space.metric == DISKANN_INNER_PRODUCT)
		DiskannRaiseMaxLength2(state->rel, shared->max_length2, true);
	last = DiskannNodeBlock(index, shared->nnodes + shared->nchains);
	DiskannExtendIndex(state->rel, last + index->meta.pages_per_slot);
	DiskannBuildEnterPhase(state, PHASE_WRITE, shared->nnodes);
}
