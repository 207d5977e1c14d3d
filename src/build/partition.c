/*-------------------------------------------------------------------------
 *
 * partition.c
 *	  CREATE INDEX: which rows are compared with which.
 *
 * To compare all rows with all would take time quadratic in their number.  As
 * in PiPNN (2026, arXiv 2602.21247), some rows are leaders of balls, every row
 * joins the balls of the few leaders nearest to it, and only members of a ball
 * are compared with each other.  The nearest leader's ball is the row's home,
 * where it gets its place; that it joins others, too, is what ties balls
 * together.
 *
 * What is found in balls is near, and where the data fall into clusters
 * nothing of it leads from one cluster to another.  Therefore samples of the
 * rows, one in 64, one in 4096 and so on, in several series, are sections of
 * their own.  Neighbours within a sample are as far apart as the sample is
 * sparse; edges to them are the long-range edges which a search takes first.
 * This part is ours.
 *
 * A search with a condition on a filter column gets to few of a node's
 * neighbours, unless some of these are chosen among those that are likely to
 * meet it as the node does.  So the rows of a signature of the first such
 * column, its kin, are a section, too.
 *
 * All are written as sections to one file, so that compare.c treats them alike.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/partition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/lists.h"
#include "build/phases.h"
#include "graph/carve.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/* Rows assigned to balls, or read again, at a time. */
#define CHUNK 1024

/*
 * The smallest sample a row belongs to: LEVELS * s + l for level l > 0 of
 * series s, or 0 if it belongs to none.  Equal vectors belong to the same
 * ones.
 */
static int
smallest_sample(const BuildState *state, uint64 hash)
{
	uint64		x = hash ^ state->index->meta.seed;
	uint64		random;
	uint64		series;
	int			level = 0;

	(void) diskann_random64(&x);
	random = diskann_random64(&x);
	series = random % (1 << DISKANN_LEVEL_BITS);
	if (series >= DISKANN_BUILD_SERIES)
		return 0;
	do
	{
		random >>= DISKANN_LEVEL_BITS;
		level++;
	} while (level < DISKANN_BUILD_LEVELS &&
			 random % (1 << DISKANN_LEVEL_BITS) == 0);
	Assert(level >= 1 && level <= DISKANN_BUILD_LEVELS);
	return series * DISKANN_BUILD_LEVELS + level;
}

/*
 * A signature of more than one row in so many has no section: enough of a
 * node's neighbours have it, whatever they are chosen by.
 */
#define KIN_SHARE 4

/* ---------- leaders ---------- */

/*
 * By priority; equal vectors in the order of rows, so that the first counts.
 */
static int
compare_leaders(const void *a, const void *b)
{
	const BuildLeader *x = a;
	const BuildLeader *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* Leaders of the balls: different vectors, of the least priorities of all. */
static DiskannBlock *
load_leaders(BuildState *state)
{
	BuildShared *shared = state->shared;
	int			nballs = shared->nballs;
	DiskannBlock *block = DiskannBlockCreate(state->index->space.dims, nballs,
											 false);
	BuildLeader *all = palloc(sizeof(BuildLeader) * DISKANN_MAX_LEADERS *
							  shared->participants);
	int			n = 0;

	for (int p = 0; p < shared->participants; p++)
	{
		Size		size;
		BuildLeader *some = DiskannBuildReadFile(state, FILE_LEADERS, p, &size);

		for (Size i = 0; i < size / sizeof(BuildLeader); i++)
		{
			all[n] = some[i];
			all[n++].row += state->first_row[p];
		}
	}
	Assert(n <= DISKANN_MAX_LEADERS * shared->participants);
	qsort(all, n, sizeof(BuildLeader), compare_leaders);
	for (int i = 0; i < n && block->count < nballs; i++)
	{
		if (i == 0 || all[i].hash != all[i - 1].hash)
			DiskannBuildFetch(state, &all[i].row, 1, NULL, block);
	}
	return block;
}

/* Leader: how many rows there are, and how many balls. */
static void
plan_balls(BuildState *state)
{
	BuildShared *shared = state->shared;

	for (int p = 0; p < shared->participants; p++)
	{
		if (shared->rows[p] > PG_UINT32_MAX - 1 - shared->nrows)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many rows for a diskann index")));
		shared->nrows += shared->rows[p];
	}
	shared->nballs = DiskannBuildBalls(shared->nrows);
	shared->fanout = DiskannBuildFanout(shared->nballs);
	Assert(shared->nballs >= shared->fanout);
	DiskannBuildCreateFile(state, FILE_ASSIGN);
	DiskannBuildCreateFile(state, FILE_SIGNATURES);
	DiskannBuildEnterPhase(state, PHASE_PARTITION, shared->nrows);
}

/* ---------- rows to balls ---------- */

/* Find the first filter column's signatures of rows from..to - 1. */
static void
sign_chunk(BuildState *state, uint32 from, uint32 to)
{
	uint8	   *signatures = palloc(to - from);

	for (uint32 row = from; row < to; row++)
	{
		const BuildCode *code = DiskannBuildRow(state, row);
		DiskannMarks marks;

		DiskannSign(state->signatures, DiskannBuildFilters(state, code),
					&marks);
		signatures[row - from] = marks.signatures[0];
	}
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_SIGNATURES, 0), from,
					  signatures, to - from);
}

/* Find the balls and the sample of rows from..to - 1. */
static void
assign_chunk(BuildState *state, const DiskannBlock *leaders,
			 DiskannBlock *block, uint32 from, uint32 to)
{
	int			fanout = state->shared->fanout;
	uint16	   *result = palloc(DiskannBuildAssignBytes(fanout) * (to - from));
	uint16	   *nearest = palloc0(sizeof(uint16) * fanout *
								  DISKANN_ASSIGN_BLOCK);

	Assert(from < to && to <= state->shared->nrows);
	for (uint32 at = from; at < to; at += block->count)
	{
		uint32		rows[DISKANN_ASSIGN_BLOCK];
		int			samples[DISKANN_ASSIGN_BLOCK];
		int			n = Min(DISKANN_ASSIGN_BLOCK, to - at);

		for (int i = 0; i < n; i++)
		{
			rows[i] = at + i;
			samples[i] = smallest_sample(state,
										 DiskannBuildRow(state, at + i)->hash);
		}
		block->count = 0;
		DiskannBuildFetch(state, rows, n, NULL, block);
		Assert(block->count == n);

		/*
		 * With fewer different vectors than balls to join there is nothing to
		 * choose; then all rows are in ball 0, which nearest has been set to.
		 */
		if (leaders->count >= Max(fanout, 2))
			DiskannAssign(block, leaders, fanout, nearest);
		for (int i = 0; i < block->count; i++)
		{
			uint16	   *entry = result + (at - from + i) * (fanout + 1);

			memcpy(entry, nearest + i * fanout, sizeof(uint16) * fanout);
			entry[fanout] = samples[i];
		}
	}
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_ASSIGN, 0),
					  from * DiskannBuildAssignBytes(fanout), result,
					  DiskannBuildAssignBytes(fanout) * (to - from));
	pg_atomic_fetch_add_u64(&state->shared->distances,
							(uint64) (to - from) * leaders->count);
	DiskannBuildDone(state, to - from);
}

/* All participants: find the balls and the sample of every row. */
static void
assign_rows(BuildState *state)
{
	uint32		nrows = state->shared->nrows;
	DiskannBlock *leaders = load_leaders(state);
	DiskannBlock *block = DiskannBlockCreate(state->index->space.dims,
											 DISKANN_ASSIGN_BLOCK, true);
	MemoryContext old = MemoryContextSwitchTo(state->scratch);
	uint64		piece;

	while (DiskannBuildTake(state, (nrows + CHUNK - 1) / CHUNK, &piece))
	{
		uint32		from = piece * CHUNK;
		uint32		to = Min(nrows, (piece + 1) * CHUNK);

		assign_chunk(state, leaders, block, from, to);
		if (DiskannHasKin(&state->index->meta))
			sign_chunk(state, from, to);
	}
	MemoryContextSwitchTo(old);
	DiskannBlockFree(leaders);
	DiskannBlockFree(block);
}

/* ---------- sections ---------- */

/* Called for each section a row is a member of. */
typedef void (*MemberCallback) (void *arg, int section,
								const BuildMember *member);

/*
 * Read who belongs where, row by row, and call back for each section: the home
 * first, then the other balls, the samples, and the kin.
 */
static void
for_each_member(BuildState *state, MemberCallback callback, void *arg)
{
	const BuildShared *shared = state->shared;
	int			fanout = shared->fanout;
	bool		has_kin = DiskannHasKin(&state->index->meta);
	DiskannSpool *file = DiskannBuildFile(state, FILE_ASSIGN, 0);
	uint16	   *entries = palloc(DiskannBuildAssignBytes(fanout) * CHUNK);
	uint8	   *signatures = palloc(CHUNK);

	for (uint32 from = 0; from < shared->nrows; from += CHUNK)
	{
		uint32		n = Min(CHUNK, shared->nrows - from);

		CHECK_FOR_INTERRUPTS();
		DiskannSpoolRead(file, from * DiskannBuildAssignBytes(fanout), entries,
						 n * DiskannBuildAssignBytes(fanout));
		if (has_kin)
			DiskannSpoolRead(DiskannBuildFile(state, FILE_SIGNATURES, 0), from,
							 signatures, n);
		for (uint32 i = 0; i < n; i++)
		{
			const uint16 *entry = entries + i * (fanout + 1);
			BuildMember member = {from + i, entry[0], true};

			Assert(entry[fanout] <= DISKANN_BUILD_SAMPLES);
			for (int f = 0; f < fanout; f++)
			{
				/*
				 * Without enough leaders ball 0 is there several times, see
				 * assign_chunk(); a row joins it once.
				 */
				if (f > 0 && entry[f] == entry[0])
					break;
				Assert(entry[f] < shared->nballs);
				callback(arg, entry[f], &member);
				member.is_home = false;
			}
			/* Down to level 1 of its series. */
			for (int s = entry[fanout] - 1; s >= 0; s--)
			{
				callback(arg, shared->nballs + s, &member);
				if (s % DISKANN_BUILD_LEVELS == 0)
					break;
			}
			if (has_kin)
				callback(arg, shared->nballs + DISKANN_BUILD_SAMPLES +
						 signatures[i], &member);
		}
	}
	pfree(entries);
	pfree(signatures);
}

/* A MemberCallback: how many members each section has. */
static void
count_member(void *arg, int section, const BuildMember *member)
{
	BuildSection *sections = arg;

	sections[section].count++;
	sections[section].homes += member->is_home;
}

/* Members of some sections being put together. */
typedef struct Sorter
{
	const BuildSection *sections;
	int			first;
	int			last;			/* past the last one */
	uint32	   *homes;			/* so far, by section */
	uint32	   *others;
	BuildMember *members;		/* from that of the first section on */
} Sorter;

/* A MemberCallback: put a member where it belongs, if it is its turn. */
static void
place_member(void *arg, int section, const BuildMember *member)
{
	Sorter	   *sorter = arg;
	const BuildSection *s = &sorter->sections[section];
	uint32		at;

	if (section < sorter->first || section >= sorter->last || s->count == 0)
		return;
	at = member->is_home ? sorter->homes[section]++ :
		s->homes + sorter->others[section]++;
	Assert(member->is_home ? at < s->homes : at >= s->homes && at < s->count);
	sorter->members[s->start - sorter->sections[sorter->first].start + at] =
		*member;
}

/*
 * Write the members section by section.  FILE_ASSIGN, which has them row by
 * row, is read as often as it takes: for as many sections at a time as there
 * is memory for, and at least one.
 */
static void
sort_members(BuildState *state, const BuildSection *sections)
{
	int			nsections = state->shared->nsections;
	Size		room = state->shared->memory / DISKANN_SORT_SHARE / sizeof(BuildMember);
	DiskannSpool *file = DiskannBuildCreateFile(state, FILE_MEMBERS);
	Sorter		sorter;

	sorter.sections = sections;
	sorter.homes = palloc0(sizeof(uint32) * nsections);
	sorter.others = palloc0(sizeof(uint32) * nsections);
	for (sorter.first = 0; sorter.first < nsections; sorter.first = sorter.last)
	{
		Size		n = 0;

		sorter.last = sorter.first;
		do
		{
			n += sections[sorter.last++].count;
		} while (sorter.last < nsections &&
				 n + sections[sorter.last].count <= room);
		sorter.members = palloc_extended(sizeof(BuildMember) * Max(n, 1),
										 MCXT_ALLOC_HUGE);
		for_each_member(state, place_member, &sorter);
		DiskannSpoolAppend(file, sorter.members, sizeof(BuildMember) * n);
		pfree(sorter.members);
	}
	DiskannSpoolFlush(file);
}

/*
 * Empty the sections of kin that are too many, and of those of which only
 * their values tell whether they have the same.
 */
static void
leave_out_kin(const BuildShared *shared, BuildSection *sections)
{
	int			first = shared->nballs + DISKANN_BUILD_SAMPLES;

	for (int s = first; s < shared->nsections; s++)
	{
		if (sections[s].count > shared->nrows / KIN_SHARE ||
			s - first == DISKANN_ANY_SIGNATURE)
			sections[s].count = 0;
	}
}

/* As large as there is memory for one of each group. */
static void
choose_list_block(BuildShared *shared)
{
	shared->list_block = DISKANN_LEAST_LIST_BLOCK;
	while (shared->list_block < DISKANN_MOST_LIST_BLOCK &&
		   2 * shared->list_block * shared->ngroups <=
		   shared->memory / DISKANN_WRITER_SHARE)
		shared->list_block *= 2;
}

/*
 * Leader: list the members of each section, and put neighbouring balls into
 * groups whose candidates will fit into memory.
 */
static void
make_sections(BuildState *state)
{
	BuildShared *shared = state->shared;
	int			nballs = shared->nballs;
	BuildSection *sections;
	DiskannSpool *file;
	uint64		start = 0;
	uint32		place = 0;
	uint64		group_rows = DiskannBuildGroupRows(shared->nrows,
												   shared->participants,
												   shared->memory);
	uint32		in_group = 0;

	shared->nsections = nballs + DISKANN_BUILD_SAMPLES +
		(DiskannHasKin(&state->index->meta) ? DISKANN_BUILD_KINS : 0);
	sections = palloc0(sizeof(BuildSection) * shared->nsections);
	for_each_member(state, count_member, sections);
	leave_out_kin(shared, sections);

	for (int s = 0; s < shared->nsections; s++)
	{
		sections[s].start = start;
		sections[s].place = place;
		start += sections[s].count;
		place += sections[s].homes;
		if (s < nballs && in_group > 0 &&
			in_group + sections[s].homes > group_rows)
		{
			shared->ngroups++;
			in_group = 0;
		}
		in_group += sections[s].homes;
		sections[s].group = shared->ngroups;
	}
	shared->ngroups++;

	choose_list_block(shared);

	/* Every row has one home, and so one place. */
	Assert(place == shared->nrows);
	Assert(shared->ngroups <= (uint32) nballs);
	sort_members(state, sections);
	file = DiskannBuildCreateFile(state, FILE_SECTIONS);
	DiskannSpoolAppend(file, sections,
					   sizeof(BuildSection) * shared->nsections);
	DiskannSpoolFlush(file);
	DiskannBuildCreateFile(state, FILE_ORDER);
	DiskannBuildCreateFile(state, FILE_PLACED);
	DiskannBuildCreateFile(state, FILE_VECTORS);
	DiskannBuildEnterPhase(state, PHASE_COMPARE, start);
}

void
DiskannBuildPartition(BuildState *state)
{
	DiskannBuildStep(state, plan_balls);
	DiskannBuildStartCache(state);
	assign_rows(state);
	DiskannBuildStep(state, make_sections);
}
