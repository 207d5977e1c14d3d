/*-------------------------------------------------------------------------
 *
 * choose.c
 *	  CREATE INDEX: from lists of candidates to edges.
 *
 * Each piece of work is a group of consecutive nodes whose candidates fit a
 * participant's memory.  The lists of all participants are merged by node, and
 * graph/select.c chooses among them.
 *
 * Merging looks at a group's lists twice: the first time counts the candidates
 * of each node, so that the second can put them where they belong, node after
 * node in one array.  Local and long-range candidates have an array
 * each, as the choice treats them differently.
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

/* A participant's work in this phase. */
typedef struct Chooser
{
	BuildState *state;
	ListReader *reader;
	uint32	   *map;			/* node by row */
	uint32	   *node_places;	/* place by node */
	uint32	   *first_node;		/* by group; one more, after the last node */
	DiskannEdgeChoice choice;
} Chooser;

/*
 * Candidates of consecutive nodes.  Those of node first + i of some range are
 * list[range][start[range][i]], up to but not including start[range][i + 1].
 */
typedef struct Candidates
{
	const Chooser *chooser;
	bool		fill;			/* is it the second reading? */
	uint32		first;			/* node */
	uint32		count;			/* nodes */
	uint32	   *start[NRANGES]; /* count + 1 each; counts at first */
	DiskannCandidate *list[NRANGES];	/* members are nodes */
} Candidates;

/* For graph/select.c a member is a node. */
static void
fetch_for_choice(void *arg, const uint32 *nodes, int n, DiskannBlock *block)
{
	Chooser    *chooser = arg;

	DiskannBuildFetch(chooser->state, nodes, n, chooser->node_places, block);
}

/*
 * Count or fill in a list if it belongs to the nodes wanted.  Filling moves
 * each start on to the next one's.
 */
static void
take_list(void *arg, const BuildList *list)
{
	Candidates *c = arg;
	uint32		i = c->chooser->map[list->owner] - c->first;
	int			range = list->range;

	Assert(range < NRANGES);
	if (i >= c->count)
		return;					/* nodes before the first wrap around */
	for (int k = 0; c->fill && k < list->count; k++)
	{
		DiskannCandidate *to = &c->list[range][c->start[range][i] + k];

		to->member = c->chooser->map[list->candidates[k].member];
		to->dist = list->candidates[k].dist;
	}
	c->start[range][i] += list->count;
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

/* Read the candidates of nodes c->first on, c->count of them, into memory. */
static void
load_candidates(Chooser *chooser, Candidates *c)
{
	Assert(c->count > 0);
	for (int range = 0; range < NRANGES; range++)
		c->start[range] = palloc_extended(sizeof(uint32) *
										  (c->count + (Size) 1),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	c->fill = false;
	DiskannReadLists(chooser->reader, take_list, c);
	for (int range = 0; range < NRANGES; range++)
	{
		uint32		total = counts_to_starts(c->start[range], c->count);

		c->list[range] = palloc_extended(sizeof(DiskannCandidate) *
										 (Size) Max(total, 1),
										 MCXT_ALLOC_HUGE);
	}
	c->fill = true;
	DiskannReadLists(chooser->reader, take_list, c);

	/* Filling has moved each start to the next one's: move them back. */
	for (int range = 0; range < NRANGES; range++)
	{
		Assert(c->start[range][c->count - 1] == c->start[range][c->count]);
		memmove(c->start[range] + 1, c->start[range],
				sizeof(uint32) * c->count);
		c->start[range][0] = 0;
	}
}

/* The candidates of node c->first + i of some range; returns how many. */
static int
candidates_of(const Candidates *c, int range, uint32 i,
			  DiskannCandidate **candidates)
{
	*candidates = c->list[range] + c->start[range][i];
	return c->start[range][i + 1] - c->start[range][i];
}

/* Choose the edges of one of the nodes; result is as FILE_EDGES has it. */
static void
choose_for_node(Chooser *chooser, Candidates *c, uint32 i, uint32 *result)
{
	DiskannCandidate edges[DISKANN_MAX_DEGREE];
	DiskannCandidate *local;
	DiskannCandidate *remote;
	DiskannCandidate *kin;
	int			nlocal = candidates_of(c, RANGE_LOCAL, i, &local);
	int			nremote = candidates_of(c, RANGE_REMOTE, i, &remote);
	int			nkin = candidates_of(c, RANGE_KIN, i, &kin);
	int			n = DiskannChooseEdges(&chooser->choice, c->first + i,
									   local, nlocal, remote, &nremote, edges);

	if (nkin > 0)
		n = DiskannChooseValueEdges(&chooser->choice, c->first + i, kin, nkin,
									nremote, edges, n);

	Assert(n <= chooser->choice.max_degree && nremote <= n);
	result[0] = n;

	/*
	 * Local ones first here: to attach a node that nothing leads to,
	 * connect.c displaces the last edge, and one long-range edge can best be
	 * spared.
	 */
	for (int e = 0; e < n; e++)
	{
		Assert(edges[e].member != c->first + i);
		Assert(edges[e].member >= 1 &&
			   edges[e].member <= chooser->choice.nnodes);
		result[1 + (e + n - nremote) % n] = edges[e].member;
	}
}

/* Choose the edges of all those nodes and write them. */
static void
choose_for_nodes(Chooser *chooser, Candidates *c)
{
	BuildState *state = chooser->state;
	Size		size = DiskannBuildEdgesBytes(&state->index->meta);
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

/*
 * Choose the edges of a group's nodes, of as many at a time as the group's
 * lists are expected to fit into memory for.  That takes as many passes over
 * its blocks, which is one unless there are more candidates than partition.c
 * thought.
 */
static void
choose_for_group(Chooser *chooser, uint32 group)
{
	uint32		first = chooser->first_node[group];
	uint32		end = chooser->first_node[group + 1];
	Size		room = chooser->state->shared->memory / DISKANN_LISTS_SHARE;
	Size		passes;
	uint32		step;
	Candidates	c;

	Assert(first <= end);
	if (first == end)
		return;
	c.chooser = chooser;
	passes = DiskannBeginLists(chooser->reader, group, room) / room + 1;
	step = (end - first) / passes + 1;
	for (c.first = first; c.first < end; c.first += c.count)
	{
		c.count = Min(step, end - c.first);
		load_candidates(chooser, &c);
		choose_for_nodes(chooser, &c);
		for (int range = 0; range < NRANGES; range++)
		{
			pfree(c.start[range]);
			pfree(c.list[range]);
		}
	}
	DiskannEndLists(chooser->reader);
}

/* The signatures of nodes, palloc'd; NULL if there are no kin. */
static uint8 *
read_values(Chooser *chooser)
{
	BuildState *state = chooser->state;
	uint32		nnodes = state->shared->nnodes;
	uint8	   *by_row;
	uint8	   *values;

	if (!DiskannHasKin(&state->index->meta))
		return NULL;
	by_row = DiskannBuildReadFile(state, FILE_SIGNATURES, 0, NULL);
	values = palloc_extended(nnodes + (Size) 1, MCXT_ALLOC_HUGE);
	values[0] = 0;
	for (uint32 row = 0; row < state->shared->nrows; row++)
		values[chooser->map[row]] = by_row[row];
	pfree(by_row);
	return values;
}

/* Read into memory what is needed for every group. */
static void
start_choosing(Chooser *chooser, BuildState *state)
{
	BuildShared *shared = state->shared;
	const BuildSection *sections;

	memset(chooser, 0, sizeof(Chooser));
	chooser->state = state;
	chooser->reader = DiskannOpenLists(state);
	chooser->map = DiskannBuildReadFile(state, FILE_MAP, 0, NULL);
	chooser->node_places = DiskannBuildNodePlaces(state);
	sections = DiskannBuildReadFile(state, FILE_SECTIONS, 0, NULL);
	chooser->first_node = palloc(sizeof(uint32) * (shared->ngroups + 1));

	/* Backwards, so that the first ball of each group has the last word. */
	for (int s = shared->nballs - 1; s >= 0; s--)
		chooser->first_node[sections[s].group] = sections[s].first_node;
	chooser->first_node[shared->ngroups] = shared->nnodes + 1;
	chooser->choice.block = DiskannCreateChoiceBlock(state->index->space.dims);
	chooser->choice.max_degree = state->index->meta.max_degree;
	chooser->choice.nnodes = shared->nnodes;
	chooser->choice.alpha = state->index->meta.alpha;
	chooser->choice.fetch = fetch_for_choice;
	chooser->choice.arg = chooser;
	chooser->choice.value_edges = DiskannValueEdges(&state->index->meta);
	chooser->choice.values = read_values(chooser);
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

	Assert(state->shared->phase == PHASE_CHOOSE);
	DiskannBuildUseFile(state, FILE_VECTORS);
	start_choosing(&chooser, state);
	MemoryContextSwitchTo(state->scratch);
	while (DiskannBuildTake(state, state->shared->ngroups, &piece))
		choose_for_group(&chooser, piece);
	pg_atomic_fetch_add_u64(&state->shared->distances,
							chooser.choice.distances);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
