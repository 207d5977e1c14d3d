/*-------------------------------------------------------------------------
 *
 * compare.c
 *	  CREATE INDEX: candidates for the edges of all nodes.
 *
 * Each section is carved into leaves, in which all vectors are compared with
 * all (graph/carve.h).  The lists of candidates that result go to files, in
 * blocks of one group of nodes each (lists.h).
 *
 * Equal vectors become one node, so only one of them is carved.  They are
 * found by sorting a section's members, which has another use: carving takes
 * its leaders from the front, so that the order must be a random one, and the
 * graph should not depend on who read which row.  The hash of the vector, by
 * way of a random priority, gives such an order.
 *
 * Carving a ball also gives its home rows their places: those of a leaf one
 * after another, each followed by the rows of equal vectors.  They are written
 * again in that order, while they are in the cache: what follows works on nodes
 * in the order of their numbers and on those near them, and so on a part of
 * the file at a time.
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
#include "store/layout.h"
#include "utils/memutils.h"

/*
 * How many leaves a member of a section comes to, and how many of the nearest
 * it takes in each.  Samples are few, so more is taken from each.  A small
 * table is one ball, or even one leaf; then there are no other balls that a
 * member joins, too, and more leaves or neighbours make up for them.
 */
#define INNER_FANOUT 5
#define LEAF_NEIGHBOURS 5
#define SAMPLE_NEIGHBOURS 16
#define KIN_FANOUT 2
#define ONLY_BALL_FANOUT 16
#define ONLY_BALL_NEIGHBOURS 8
#define ONLY_LEAF_NEIGHBOURS 64

/* Rows written by place at a time. */
#define PLACES 256

/* One of the different vectors of a section. */
typedef struct Distinct
{
	uint32		member;			/* number of the first member that has it */
	uint32		copies;			/* members that have it, following that one */
} Distinct;

/*
 * A member with what decides its number in the section: the TID decides which
 * of equal vectors stands for all, as the row's number depends on who has read
 * it.
 */
typedef struct SortedMember
{
	uint64		priority;
	uint64		hash;
	uint64		tid;
	BuildMember member;
} SortedMember;

/* A participant's work in this phase. */
typedef struct Comparer
{
	BuildState *state;
	BuildSection *sections;
	ListWriter *writer;
	DiskannCarve carve;

	/* The section at work. */
	BuildRange	range;
	SortedMember *members;
	Distinct   *distinct;
	uint32	   *rows;			/* row of each of those */
	BuildPlace *places;			/* of the home rows, in their order */
	uint32		nplaces;		/* so far */
} Comparer;

/* ---------- what carving asks for ---------- */

/* Carving knows the different vectors of a section by numbers in distinct. */
static void
fetch_members(void *arg, const uint32 *numbers, int n, DiskannBlock *block)
{
	Comparer   *comparer = arg;

	DiskannBuildFetch(comparer->state, numbers, n, comparer->rows, block);
}

/* Write one vector's candidates to the group of its home. */
static void
emit_list(void *arg, uint32 number, DiskannCandidate *candidates, int n)
{
	Comparer   *comparer = arg;
	uint32		first = comparer->distinct[number].member;
	uint16		home = comparer->members[first].member.ball;

	Assert(home < comparer->state->shared->nballs);
	for (int i = 0; i < n; i++)
	{
		Assert(candidates[i].member != number);
		candidates[i].member = comparer->rows[candidates[i].member];
	}
	DiskannWriteList(comparer->writer, comparer->sections[home].group,
					 comparer->rows[number],
					 comparer->range, candidates, n);
}

/* Give all rows of a vector their places. */
static void
place_distinct(void *arg, uint32 number)
{
	Comparer   *comparer = arg;
	const Distinct *distinct = &comparer->distinct[number];

	for (uint32 i = 0; i < distinct->copies; i++)
	{
		BuildPlace *place = &comparer->places[comparer->nplaces++];

		Assert(comparer->members[distinct->member + i].member.is_home);

		place->row = comparer->members[distinct->member + i].member.row;
		place->is_copy = i > 0;
	}
}

/* Write some rows to FILE_PLACED and FILE_VECTORS, from a place on. */
static void
write_rows(BuildState *state, const BuildPlace *places, uint32 n, uint64 place)
{
	Size		code_bytes = state->code_bytes;
	Size		vector_bytes = DiskannBuildVectorBytes(&state->index->meta);
	char	   *codes = palloc(code_bytes * n);
	char	   *vectors = palloc0(vector_bytes * n);

	for (uint32 i = 0; i < n; i++)
	{
		const BuildCode *code = DiskannBuildRow(state, places[i].row);
		BuildVector *vector = (BuildVector *) (vectors + i * vector_bytes);

		memcpy(codes + i * code_bytes, code, code_bytes);
		vector->scale = code->scale;
		vector->norm2 = code->norm2;
		memcpy(vector->code, code->code, state->index->space.dims);
	}
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_PLACED, 0),
					  place * code_bytes, codes, n * code_bytes);
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_VECTORS, 0),
					  place * vector_bytes, vectors, n * vector_bytes);
	pfree(codes);
	pfree(vectors);
}

/* Write all rows that were given places, and which those are. */
static void
write_places(Comparer *comparer, const BuildSection *section)
{
	BuildState *state = comparer->state;

	Assert(comparer->nplaces == section->homes);
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_ORDER, 0),
					  section->place * sizeof(BuildPlace), comparer->places,
					  comparer->nplaces * sizeof(BuildPlace));
	for (uint32 from = 0; from < comparer->nplaces; from += PLACES)
		write_rows(state, comparer->places + from,
				   Min(PLACES, comparer->nplaces - from),
				   section->place + (uint64) from);
}

/* ---------- sections ---------- */

/* Order members as load_members() wants them. */
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

/*
 * Have two rows the same vector, as far as codes tell, and the same values of
 * filter columns?
 */
static bool
same_vector(Comparer *comparer, const SortedMember *a, const SortedMember *b)
{
	BuildState *state = comparer->state;
	BuildCode  *copy;
	const BuildCode *other;
	bool		same;

	if (a->hash != b->hash)
		return false;
	copy = palloc(state->code_bytes);
	memcpy(copy, DiskannBuildRow(state, a->member.row), state->code_bytes);
	other = DiskannBuildRow(state, b->member.row);
	same = memcmp(copy->code, other->code, state->index->space.dims) == 0 &&
		memcmp(DiskannBuildFilters(state, copy),
			   DiskannBuildFilters(state, other),
			   DiskannFilterBytes(&state->index->meta)) == 0;
	pfree(copy);
	return same;
}

/*
 * Find the different vectors among the section's members, which are sorted.
 * Returns how many there are; home tells which of them are at home here.
 */
static uint32
find_distinct(Comparer *comparer, uint32 count, bool *home)
{
	uint32		n = 0;

	Assert(count > 0);
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
choose_effort(DiskannCarve *carve, BuildRange range, bool only_ball, uint32 n)
{
	carve->fanout = INNER_FANOUT;
	carve->neighbours = LEAF_NEIGHBOURS;
	if (range == RANGE_KIN)
		carve->fanout = KIN_FANOUT;
	else if (range == RANGE_REMOTE)
		carve->neighbours = SAMPLE_NEIGHBOURS;
	else if (only_ball)
	{
		carve->fanout = ONLY_BALL_FANOUT;
		carve->neighbours = n <= DISKANN_LEAF_SIZE ? ONLY_LEAF_NEIGHBOURS :
			ONLY_BALL_NEIGHBOURS;
	}
}

/* What a section is. */
static BuildRange
section_range(const BuildShared *shared, int number)
{
	if (number < shared->nballs)
		return RANGE_LOCAL;
	return number < shared->nballs + DISKANN_BUILD_SAMPLES ? RANGE_REMOTE :
		RANGE_KIN;
}

/* Compare the members of a section. */
static void
compare_section(Comparer *comparer, int number)
{
	BuildState *state = comparer->state;
	const BuildSection *section = &comparer->sections[number];
	bool	   *home = palloc_extended(section->count, MCXT_ALLOC_HUGE);
	DiskannCarve *carve = &comparer->carve;
	uint32		n;

	comparer->range = section_range(state->shared, number);
	comparer->places = palloc_extended(sizeof(BuildPlace) *
									   Max(section->homes, 1),
									   MCXT_ALLOC_HUGE);
	comparer->nplaces = 0;
	load_members(comparer, section);
	n = find_distinct(comparer, section->count, home);
	choose_effort(carve, comparer->range, state->shared->nballs == 1, n);
	DiskannCarveMembers(carve, n, comparer->range == RANGE_LOCAL ? home : NULL);
	write_places(comparer, section);
	DiskannBuildDone(state, section->count);
}

/* Order numbers of sections by size, the greatest first; arg: the sections. */
static int
compare_sections(const void *a, const void *b, void *arg)
{
	const BuildSection *sections = arg;
	const BuildSection *x = &sections[*(const int *) a];
	const BuildSection *y = &sections[*(const int *) b];

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return *(const int *) a - *(const int *) b;
}

/*
 * Numbers of the sections, the greatest first: if a great one came last, all
 * but one participant would wait for it.
 */
static int *
order_sections(BuildSection *sections, int n)
{
	int		   *order = palloc(sizeof(int) * n);

	for (int i = 0; i < n; i++)
		order[i] = i;
	qsort_arg(order, n, sizeof(int), compare_sections, sections);
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

	Assert(shared->phase == PHASE_COMPARE);
	memset(&comparer, 0, sizeof(comparer));
	comparer.state = state;
	comparer.sections = DiskannBuildReadFile(state, FILE_SECTIONS, 0, NULL);
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
