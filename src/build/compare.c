/*-------------------------------------------------------------------------
 *
 * compare.c
 *	  CREATE INDEX: candidates for the edges of all nodes.
 *
 * Each section is carved into leaves (graph/carve.h).  The lists of candidates
 * that result go to files, in blocks of one group of nodes each.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/compare.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/phases.h"
#include "build/lists.h"
#include "graph/carve.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * Balls that a member of a section joins, and nearest ones taken in each leaf.
 * A small table may be one ball, or even one leaf.
 */
#define INNER_FANOUT 5
#define LEAF_NEIGHBOURS 5
#define SAMPLE_NEIGHBOURS 16
#define ONLY_BALL_FANOUT 16
#define ONLY_BALL_NEIGHBOURS 8
#define ONLY_LEAF_NEIGHBOURS 64

/* A different vector of a section, and where it comes first among members. */
typedef struct Distinct
{
	uint32		member;
	uint32		copies;			/* itself included */
} Distinct;

/* What decides a member's place in the section. */
typedef struct SortedMember
{
	uint64		priority;
	uint64		hash;
	uint64		tid;
	BuildMember member;
} SortedMember;

typedef struct Comparer
{
	BuildState *state;
	BuildSection *sections;
	ListWriter *writer;
	DiskannCarve carve;

	/* The section at work. */
	bool		is_sample;
	SortedMember *members;
	Distinct   *distinct;
	uint32	   *rows;			/* of the distinct ones */
	BuildPlace *places;
	uint32		nplaces;
} Comparer;

/* ---------- what carving asks for ---------- */

static void
fetch_members(void *arg, const uint32 *numbers, int n, DiskannBlock *block)
{
	Comparer   *comparer = arg;

	DiskannBuildFetch(comparer->state, numbers, n, comparer->rows, block);
}

static void
emit_list(void *arg, uint32 number, DiskannCandidate *candidates, int n)
{
	Comparer   *comparer = arg;
	uint16		home = comparer->members[comparer->distinct[number].member].member.ball;

	for (int i = 0; i < n; i++)
		candidates[i].member = comparer->rows[candidates[i].member];
	DiskannWriteList(comparer->writer, comparer->sections[home].group,
					 comparer->rows[number], comparer->is_sample, candidates,
					 n);
}

static void
place_distinct(void *arg, uint32 number)
{
	Comparer   *comparer = arg;
	const Distinct *distinct = &comparer->distinct[number];

	for (uint32 i = 0; i < distinct->copies; i++)
	{
		BuildPlace *place = &comparer->places[comparer->nplaces++];

		place->row = comparer->members[distinct->member + i].member.row;
		place->is_copy = i > 0;
	}
}

/* ---------- sections ---------- */

static int
compare_members(const void *a, const void *b)
{
	const SortedMember *x = a;
	const SortedMember *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* Read a section's members into a random order, equal vectors together. */
static void
load_members(Comparer *comparer, const BuildSection *section)
{
	BuildState *state = comparer->state;
	BuildMember *members = palloc_extended(sizeof(BuildMember) * section->count,
										   MCXT_ALLOC_HUGE);

	DiskannSpoolRead(DiskannBuildFile(state, FILE_MEMBERS, 0),
					 section->start * sizeof(BuildMember), members,
					 section->count * sizeof(BuildMember));
	comparer->members = palloc_extended(sizeof(SortedMember) * section->count,
										MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < section->count; i++)
	{
		SortedMember *m = &comparer->members[i];
		const BuildCode *code = DiskannBuildRow(state, members[i].row);

		m->priority = DiskannBuildPriority(state, code->hash);
		m->hash = code->hash;
		m->tid = (uint64) ItemPointerGetBlockNumberNoCheck(&code->tid) << 16 |
			ItemPointerGetOffsetNumberNoCheck(&code->tid);
		m->member = members[i];
	}
	qsort(comparer->members, section->count, sizeof(SortedMember),
		  compare_members);
	pfree(members);
}

/* Have two rows the same vector, as far as codes tell? */
static bool
same_vector(Comparer *comparer, const SortedMember *a, const SortedMember *b)
{
	BuildState *state = comparer->state;
	int			dims = state->index->space.dims;
	int8	   *copy;
	bool		same;

	if (a->hash != b->hash)
		return false;
	copy = palloc(dims);
	memcpy(copy, DiskannBuildRow(state, a->member.row)->code, dims);
	same = memcmp(copy, DiskannBuildRow(state, b->member.row)->code, dims) == 0;
	pfree(copy);
	return same;
}

/* Returns how many there are; home tells which of them are at home here. */
static uint32
find_distinct(Comparer *comparer, uint32 count, bool *home)
{
	uint32		n = 0;

	comparer->distinct = palloc_extended(sizeof(Distinct) * count,
										 MCXT_ALLOC_HUGE);
	comparer->rows = palloc_extended(sizeof(uint32) * count, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < count; i++)
	{
		const SortedMember *member = &comparer->members[i];

		if (i > 0 && same_vector(comparer, member, member - 1))
		{
			comparer->distinct[n - 1].copies++;
			continue;
		}
		home[n] = member->member.is_home;
		comparer->rows[n] = member->member.row;
		comparer->distinct[n].member = i;
		comparer->distinct[n++].copies = 1;
	}
	return n;
}

/* How many leaves a member comes to, and how many candidates each gives. */
static void
choose_effort(DiskannCarve *carve, bool is_sample, bool only_ball, uint32 n)
{
	carve->fanout = INNER_FANOUT;
	carve->neighbours = LEAF_NEIGHBOURS;
	if (is_sample)
		carve->neighbours = SAMPLE_NEIGHBOURS;
	else if (only_ball)
	{
		carve->fanout = ONLY_BALL_FANOUT;
		carve->neighbours = n <= DISKANN_LEAF_SIZE ? ONLY_LEAF_NEIGHBOURS :
			ONLY_BALL_NEIGHBOURS;
	}
}

static void
compare_section(Comparer *comparer, int number)
{
	BuildState *state = comparer->state;
	const BuildSection *section = &comparer->sections[number];
	bool	   *home = palloc_extended(section->count, MCXT_ALLOC_HUGE);
	DiskannCarve *carve = &comparer->carve;
	uint32		n;

	comparer->is_sample = number >= state->shared->nballs;
	comparer->places = palloc_extended(sizeof(BuildPlace) *
									   Max(section->homes, 1),
									   MCXT_ALLOC_HUGE);
	comparer->nplaces = 0;
	load_members(comparer, section);
	n = find_distinct(comparer, section->count, home);
	choose_effort(carve, comparer->is_sample, state->shared->nballs == 1, n);
	DiskannCarveMembers(carve, n, comparer->is_sample ? NULL : home);
	Assert(comparer->nplaces == section->homes);
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_ORDER, 0),
					  section->place * sizeof(BuildPlace), comparer->places,
					  comparer->nplaces * sizeof(BuildPlace));
	DiskannBuildDone(state, section->count);
}

static const BuildSection *sections_to_sort;

static int
compare_sections(const void *a, const void *b)
{
	const BuildSection *x = &sections_to_sort[*(const int *) a];
	const BuildSection *y = &sections_to_sort[*(const int *) b];

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return *(const int *) a - *(const int *) b;
}

/* Numbers of the sections, the greatest first, so that none comes late. */
static int *
order_sections(const BuildSection *sections, int n)
{
	int		   *order = palloc(sizeof(int) * n);

	for (int i = 0; i < n; i++)
		order[i] = i;
	sections_to_sort = sections;
	qsort(order, n, sizeof(int), compare_sections);
	return order;
}

void
DiskannBuildCompare(BuildState *state)
{
	BuildShared *shared = state->shared;
	Comparer	comparer;
	MemoryContext old;
	int		   *order;
	uint64		piece;
	Size		size;

	memset(&comparer, 0, sizeof(comparer));
	comparer.state = state;
	comparer.sections = DiskannSpoolReadAll(DiskannBuildFile(state, FILE_SECTIONS, 0),
											&size);
	order = order_sections(comparer.sections, shared->nsections);
	comparer.writer = DiskannStartLists(state);
	comparer.carve.dims = state->index->space.dims;
	comparer.carve.fetch = fetch_members;
	comparer.carve.emit = emit_list;
	comparer.carve.place = place_distinct;
	comparer.carve.arg = &comparer;

	old = MemoryContextSwitchTo(state->scratch);
	while (DiskannBuildTake(state, shared->nsections, &piece))
	{
		if (comparer.sections[order[piece]].count > 0)
			compare_section(&comparer, order[piece]);
	}
	MemoryContextSwitchTo(old);
	DiskannFinishLists(comparer.writer);
	pg_atomic_fetch_add_u64(&shared->distances, comparer.carve.distances);
	pfree(comparer.sections);
	pfree(order);
}
