/*-------------------------------------------------------------------------
 *
 * build_graph.c
 *	  CREATE INDEX: from lists of candidates to a graph.
 *
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/build_graph.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/build.h"
#include "am/build_lists.h"
#include "graph/edges.h"
#include "graph/reach.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "storage/node.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/* Places read at a time. */
#define PLACES 4096

/* Part of a participant's memory for lists being merged. */
#define LISTS_SHARE 4

/* Bytes of a node in FILE_EDGES. */
static Size
edges_bytes(const BuildState *state)
{
	return sizeof(uint32) * (1 + state->index->meta.max_degree);
}

/* ---------- numbers ---------- */

typedef struct Numbering
{
	BuildState *state;
	DiskannSpool *nodes;
	uint32	   *map;			/* node of each row */
	BuildNode	node;			/* being put together */
	uint32		nnodes;
	DiskannNode nchains;		/* TIDS slots so far */
} Numbering;

/* TIDS slots for the rows that have no room in the node's own slot. */
uint32
DiskannBuildChainSlots(const DiskannIndex *index, uint32 nrows)
{
	if (nrows <= DISKANN_INLINE_TIDS)
		return 0;
	return (nrows - DISKANN_INLINE_TIDS + index->max_tids - 1) /
		index->max_tids;
}

static void
finish_node(Numbering *numbering)
{
	BuildNode  *node = &numbering->node;
	uint32		nslots;

	if (node->nrows == 0)
		return;
	nslots = DiskannBuildChainSlots(numbering->state->index, node->nrows);

	/* Counted from 0 here; they come after the last node. */
	node->chain = nslots > 0 ? numbering->nchains : DISKANN_INVALID_NODE;
	numbering->nchains += nslots;
	DiskannSpoolAppend(numbering->nodes, node, sizeof(BuildNode));
	node->nrows = 0;
}

static void
number_section(Numbering *numbering, BuildSection *section)
{
	DiskannSpool *order = DiskannBuildFile(numbering->state, FILE_ORDER, 0);
	BuildPlace *places = palloc(sizeof(BuildPlace) * PLACES);

	section->first_node = numbering->nnodes + 1;
	for (uint32 from = 0; from < section->homes; from += PLACES)
	{
		uint32		n = Min(PLACES, section->homes - from);

		CHECK_FOR_INTERRUPTS();
		DiskannSpoolRead(order, (section->place + (uint64) from) * sizeof(BuildPlace),
						 places, n * sizeof(BuildPlace));
		for (uint32 i = 0; i < n; i++)
		{
			if (!places[i].is_copy)
			{
				finish_node(numbering);
				numbering->node.row = places[i].row;
				numbering->node.place = section->place + from + i;
				numbering->nnodes++;
			}
			numbering->node.nrows++;
			numbering->map[places[i].row] = numbering->nnodes;
		}
	}
	pfree(places);
}

/* Leader: number the nodes, those of a leaf one after another. */
void
DiskannBuildNumber(BuildState *state)
{
	BuildShared *shared = state->shared;
	DiskannSpool *file = DiskannBuildFile(state, FILE_SECTIONS, 0);
	DiskannSpool *map = DiskannBuildCreateFile(state, FILE_MAP);
	BuildSection *sections;
	Numbering	numbering;
	Size		size;

	memset(&numbering, 0, sizeof(numbering));
	numbering.state = state;
	numbering.nodes = DiskannBuildCreateFile(state, FILE_NODES);
	numbering.map = palloc_extended(sizeof(uint32) * (Size) shared->nrows,
									MCXT_ALLOC_HUGE);
	sections = DiskannSpoolReadAll(file, &size);
	for (int s = 0; s < shared->nballs; s++)
		number_section(&numbering, &sections[s]);
	finish_node(&numbering);
	DiskannSpoolFlush(numbering.nodes);
	DiskannSpoolWrite(file, 0, sections, size);
	DiskannSpoolAppend(map, numbering.map,
					   sizeof(uint32) * (Size) shared->nrows);
	DiskannSpoolFlush(map);
	pfree(numbering.map);
	if ((uint64) numbering.nnodes + numbering.nchains >= DISKANN_INVALID_NODE - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for a diskann index")));
	shared->nnodes = numbering.nnodes;
	shared->nchains = numbering.nchains;
	DiskannBuildCreateFile(state, FILE_EDGES);
	DiskannBuildEnterPhase(state, PHASE_CHOOSE, shared->nnodes);
}

uint32 *
DiskannBuildNodeRows(BuildState *state)
{
	uint32		nnodes = state->shared->nnodes;
	uint32	   *rows = palloc_extended(sizeof(uint32) * (nnodes + (Size) 1),
									   MCXT_ALLOC_HUGE);
	BuildNode  *nodes = palloc(sizeof(BuildNode) * PLACES);

	rows[0] = 0;
	for (uint32 from = 0; from < nnodes; from += PLACES)
	{
		uint32		n = Min(PLACES, nnodes - from);

		DiskannSpoolRead(DiskannBuildFile(state, FILE_NODES, 0),
						 from * sizeof(BuildNode), nodes,
						 n * sizeof(BuildNode));
		for (uint32 i = 0; i < n; i++)
			rows[from + 1 + i] = nodes[i].row;
	}
	pfree(nodes);
	return rows;
}

/* ---------- edges ---------- */

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
	Size		size = edges_bytes(state);
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

/* ---------- connecting ---------- */

typedef struct Connector
{
	BuildState *state;
	uint32	   *node_rows;
} Connector;

int
DiskannBuildEdges(BuildState *state, uint32 node, uint32 *edges)
{
	DiskannSpool *file = DiskannBuildFile(state, FILE_EDGES, 0);
	uint32		buffer[1 + DISKANN_MAX_DEGREE];

	DiskannSpoolRead(file, (node - 1) * edges_bytes(state), buffer,
					 edges_bytes(state));
	memcpy(edges, buffer + 1, sizeof(uint32) * buffer[0]);
	return buffer[0];
}

static int
get_edges(void *arg, uint32 node, uint32 *edges)
{
	return DiskannBuildEdges(((Connector *) arg)->state, node, edges);
}

static void
put_edges(void *arg, uint32 node, const uint32 *edges, int n)
{
	BuildState *state = ((Connector *) arg)->state;
	uint32		buffer[1 + DISKANN_MAX_DEGREE] = {n};

	memcpy(buffer + 1, edges, sizeof(uint32) * n);
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_EDGES, 0),
					  (node - 1) * edges_bytes(state), buffer,
					  edges_bytes(state));
}

static void
fetch_to_connect(void *arg, const uint32 *nodes, int n, DiskannBlock *block)
{
	Connector  *connector = arg;

	DiskannBuildFetch(connector->state, nodes, n, connector->node_rows, block);
}

static int
compare_nodes(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/* The different nodes of the members of a section, in order; their count. */
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
 * The nodes that searches may start from, in order: those of a greatest sample,
 * which have edges that lead far; all, where that has fewer than wanted.
 */
static uint32 *
find_starts(BuildState *state, uint32 wanted, uint32 *count)
{
	BuildShared *shared = state->shared;
	Size		size;
	BuildSection *sections = DiskannSpoolReadAll(DiskannBuildFile(state, FILE_SECTIONS, 0),
												 &size);
	const BuildSection *sample = &sections[shared->nballs];
	uint32	   *map = DiskannSpoolReadAll(DiskannBuildFile(state, FILE_MAP, 0),
										  &size);
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

		starts[i] = nodes[low + diskann_random64(&random) % (high - low)];
	}
	pfree(nodes);
	return n;
}

/* Let the entry node point to where searches start. */
static void
link_hub(BuildState *state, const uint32 *node_rows, const uint32 *starts,
		 int n)
{
	const DiskannIndex *index = state->index;
	float	   *x = palloc(sizeof(float) * index->space.dims);
	DiskannNodeRef ref;

	DiskannNodeInit(&ref, state->index_rel, index, true);
	for (int i = 0; i < n; i++)
	{
		const BuildCode *code = DiskannBuildRow(state, node_rows[starts[i]]);

		diskann_vector_decode(index->kind, DiskannBuildOwn(state, code),
							  code->own.scale, index->space.dims, x);
		DiskannLinkHub(&ref, starts[i], x, -1);
	}
	pfree(x);
}

/* Leader: make all nodes reachable, and room for them in the index. */
void
DiskannBuildConnect(BuildState *state)
{
	BuildShared *shared = state->shared;
	const DiskannIndex *index = state->index;
	Connector	connector = {state, DiskannBuildNodeRows(state)};
	DiskannGraph graph = {shared->nnodes, index->space.dims,
	index->meta.max_degree, get_edges, put_edges, fetch_to_connect, &connector};
	uint32		starts[DISKANN_MAX_DEGREE];
	int			n = choose_starts(state, starts);
	uint32		attached;

	DiskannBuildEnterPhase(state, PHASE_CONNECT, 0);
	attached = DiskannReachAll(&graph, starts, n);
	elog(DEBUG1, "diskann build: %u nodes by %d processes, %u attached, %.1f distances a row",
		 shared->nnodes, shared->participants, attached,
		 (double) pg_atomic_read_u64(&shared->distances) / shared->nrows);
	link_hub(state, connector.node_rows, starts, n);
	pfree(connector.node_rows);
	if (index->space.metric == DISKANN_INNER_PRODUCT)
		DiskannRaiseMaxLength2(state->index_rel, shared->max_length2, true);
	DiskannExtendIndex(state->index_rel,
					   DiskannNodeBlock(index, shared->nnodes + shared->nchains) +
					   index->meta.pages_per_slot);
	DiskannBuildEnterPhase(state, PHASE_WRITE, shared->nnodes);
}
