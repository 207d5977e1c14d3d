/*-------------------------------------------------------------------------
 *
 * choose.c
 *	  CREATE INDEX: from lists of candidates to edges.
 *
 * Each piece of work is a group of consecutive nodes whose candidates fit a
 * participant's memory.  The lists of all participants are merged by node, and
 * graph/select.c chooses among them.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/choose.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/lists.h"
#include "build/phases.h"
#include "graph/select.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Part of a participant's memory for lists being merged. */
#define LISTS_SHARE 4

typedef struct Chooser
{
	BuildState *state;
	ListReader *reader;
	uint32	   *map;			/* node by row */
	uint32	   *node_rows;		/* row by node */
	uint32	   *first_node;		/* of each group, and the end */
	DiskannEdgeChoice choice;
} Chooser;

/* Candidates of consecutive nodes. */
typedef struct Candidates
{
	const Chooser *chooser;
	bool		fill;			/* else count */
	uint32		first;			/* node */
	uint32		count;			/* nodes */
	uint32	   *start[2];		/* by node: near, far; and the end */
	DiskannCandidate *list[2];	/* members are nodes */
} Candidates;

static void
fetch_for_choice(void *arg, const uint32 *nodes, int n, DiskannBlock *block)
{
	Chooser    *chooser = arg;

	DiskannBuildFetch(chooser->state, nodes, n, chooser->node_rows, block);
}

/* Count or fill in a list if it belongs to the nodes wanted. */
static void
take_list(void *arg, const BuildList *list)
{
	Candidates *c = arg;
	uint32		i = c->chooser->map[list->owner] - c->first;

	if (i >= c->count)
		return;
	for (int k = 0; c->fill && k < list->count; k++)
	{
		DiskannCandidate *to = &c->list[list->far][c->start[list->far][i] + k];

		to->member = c->chooser->map[list->candidates[k].member];
		to->dist = list->candidates[k].dist;
	}
	c->start[list->far][i] += list->count;
}

/* Turn counts into starting places; returns their sum. */
static uint32
counts_to_starts(uint32 *start, uint32 count)
{
	uint32		total = 0;

	for (uint32 i = 0; i <= count; i++)
	{
		uint32		n = start[i];

		start[i] = total;
		total += n;
	}
	return total;
}

static void
load_candidates(Chooser *chooser, uint32 group, Candidates *c)
{
	for (int far = 0; far < 2; far++)
		c->start[far] = palloc_extended(sizeof(uint32) * (c->count + (Size) 1),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	c->fill = false;
	DiskannReadLists(chooser->reader, group, take_list, c);
	for (int far = 0; far < 2; far++)
	{
		uint32		total = counts_to_starts(c->start[far], c->count);

		c->list[far] = palloc_extended(sizeof(DiskannCandidate) *
									   (Size) Max(total, 1), MCXT_ALLOC_HUGE);
	}
	c->fill = true;
	DiskannReadLists(chooser->reader, group, take_list, c);

	/* Filling has moved each start to the next one's. */
	for (int far = 0; far < 2; far++)
	{
		memmove(c->start[far] + 1, c->start[far],
				sizeof(uint32) * c->count);
		c->start[far][0] = 0;
	}
}

/* Choose the edges of one of the nodes. */
static void
choose_for_node(Chooser *chooser, Candidates *c, uint32 i, uint32 *result)
{
	DiskannCandidate edges[DISKANN_MAX_DEGREE];
	int			nfar = c->start[1][i + 1] - c->start[1][i];
	int			n = DiskannChooseEdges(&chooser->choice, c->first + i,
									   c->list[0] + c->start[0][i],
									   c->start[0][i + 1] - c->start[0][i],
									   c->list[1] + c->start[1][i], &nfar,
									   edges);

	/* Near ones come first: the last may be displaced to attach a node. */
	result[0] = n;
	for (int e = 0; e < n; e++)
		result[1 + (e + n - nfar) % n] = edges[e].member;
}

static void
choose_for_nodes(Chooser *chooser, Candidates *c)
{
	BuildState *state = chooser->state;
	Size		size = DiskannBuildEdgesBytes(state);
	char	   *result = palloc_extended(size * c->count, MCXT_ALLOC_HUGE |
										 MCXT_ALLOC_ZERO);

	for (uint32 i = 0; i < c->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		choose_for_node(chooser, c, i, (uint32 *) (result + size * i));
		if (i % 1024 == 1023)
			DiskannBuildDone(state, 1024);
	}
	DiskannBuildDone(state, c->count % 1024);
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_EDGES, 0),
					  (c->first - 1) * size, result, size * c->count);
	pfree(result);
}

/* A group, in as many passes over its blocks as its candidates need memory. */
static void
choose_for_group(Chooser *chooser, uint32 group)
{
	uint32		first = chooser->first_node[group];
	uint32		end = chooser->first_node[group + 1];
	Size		room = chooser->state->shared->memory / LISTS_SHARE;
	uint32		step;
	Candidates	c;

	if (first == end)
		return;
	c.chooser = chooser;
	step = (end - first) / (DiskannListBytes(chooser->reader, group) / room + 1) + 1;
	for (c.first = first; c.first < end; c.first += c.count)
	{
		c.count = Min(step, end - c.first);
		load_candidates(chooser, group, &c);
		choose_for_nodes(chooser, &c);
		for (int far = 0; far < 2; far++)
		{
			pfree(c.start[far]);
			pfree(c.list[far]);
		}
	}
}

static void
start_choosing(Chooser *chooser, BuildState *state)
{
	BuildShared *shared = state->shared;
	const BuildSection *sections;
	Size		size;

	memset(chooser, 0, sizeof(Chooser));
	chooser->state = state;
	chooser->reader = DiskannOpenLists(state);
	chooser->map = DiskannSpoolReadAll(DiskannBuildFile(state, FILE_MAP, 0),
									   &size);
	chooser->node_rows = DiskannBuildNodeRows(state);
	sections = DiskannSpoolReadAll(DiskannBuildFile(state, FILE_SECTIONS, 0), &size);
	chooser->first_node = palloc(sizeof(uint32) * (shared->ngroups + 1));
	for (int s = shared->nballs - 1; s >= 0; s--)
		chooser->first_node[sections[s].group] = sections[s].first_node;
	chooser->first_node[shared->ngroups] = shared->nnodes + 1;
	chooser->choice.block = DiskannCreateChoiceBlock(state->index->space.dims);
	chooser->choice.max_degree = state->index->meta.max_degree;
	chooser->choice.nnodes = shared->nnodes;
	chooser->choice.alpha = state->index->meta.alpha;
	chooser->choice.fetch = fetch_for_choice;
	chooser->choice.arg = chooser;
}

void
DiskannBuildChoose(BuildState *state)
{
	MemoryContext context = AllocSetContextCreate(state->context,
												  "diskann build edges",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Chooser		chooser;
	uint64		piece;

	start_choosing(&chooser, state);
	MemoryContextSwitchTo(state->scratch);
	while (DiskannBuildTake(state, state->shared->ngroups, &piece))
		choose_for_group(&chooser, piece);
	pg_atomic_fetch_add_u64(&state->shared->distances,
							chooser.choice.distances);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
