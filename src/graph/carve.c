/*-------------------------------------------------------------------------
 *
 * carve.c
 *	  Find candidates for the neighbours of many vectors at once.
 *
 * carve_members() is the algorithm of carve.h: members that fit a leaf become
 * one, others are divided into balls, which are carved in turn.  Members are
 * in random order, and keep it in balls, so that those at the front serve as
 * leaders everywhere.
 *
 * Time goes into two things.  One is distances, see block.c.  The other is to
 * select the nearest few of many, done by a kernel without branches
 * (keep_least): for 16 columns at a time it keeps the least keys so far, a key
 * being a distance whose last bits say whose it is.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/carve.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "graph/carve.h"
#include "kernels/kernels.h"
#include "miscadmin.h"

/* Rows of a leaf's distances that are computed together. */
#define LEAF_ROWS 32

/* Carving aims at leaves of this size; greater ones are carved again. */
#define TARGET_LEAF (DISKANN_LEAF_SIZE / 2)

/* Balls, the members of one after those of another. */
typedef struct Balls
{
	int			nballs;
	uint32	   *start;			/* nballs + 1 positions in member */
	uint32	   *member;
	bool	   *home;			/* of each of those: is it at home there? */
} Balls;

/* Room for the k least keys of some columns, none of which is known yet. */
static float *
create_least(int columns, int k)
{
	float	   *least = palloc(sizeof(float) * columns * k);

	for (int i = 0; i < columns * k; i++)
		least[i] = FLT_MAX;
	return least;
}

/* Whose key is in place i among the least ones of a column? */
static uint32
least_tag(const float *least, int k, int column, int i)
{
	uint32		bits;

	Assert(i >= 0 && i < k);
	StaticAssertStmt(DISKANN_LEAF_SIZE <= DISKANN_TAG_MASK + 1 &&
					 DISKANN_MAX_LEADERS <= DISKANN_TAG_MASK + 1,
					 "tags tell members and leaders apart");
	memcpy(&bits,
		   &least[((Size) (column / DISKANN_PANEL) * k + i) * DISKANN_PANEL +
				  column % DISKANN_PANEL], sizeof(bits));
	return bits & DISKANN_TAG_MASK;
}

void
DiskannAssign(DiskannBlock *vectors, const DiskannBlock *leaders, int fanout,
			  uint16 *nearest)
{
	int			columns = DiskannBlockColumns(vectors);
	float	   *dist = palloc(sizeof(float) * columns * leaders->count);
	float	   *least = create_least(columns, fanout);

	Assert(fanout > 0 && fanout <= leaders->count);
	Assert(vectors->count <= DISKANN_ASSIGN_BLOCK);
	DiskannBlockPack(vectors);
	DiskannBlockDistances(leaders, 0, leaders->count, vectors, 0, dist);
	for (int r = 0; r < leaders->count; r++)
		diskann_kernels->keep_least(least, fanout, dist + (Size) r * columns, r,
									columns / DISKANN_PANEL);
	for (int i = 0; i < vectors->count; i++)
	{
		for (int f = 0; f < fanout; f++)
		{
			nearest[i * fanout + f] = least_tag(least, fanout, i, f);
			Assert(nearest[i * fanout + f] < leaders->count);
		}
	}
	pfree(dist);
	pfree(least);
}

/* ---------- leaves ---------- */

/* The nearest of each of a leaf's members. */
typedef struct LeafLists
{
	int			count;			/* members */
	int			k;				/* nearest ones each */
	DiskannCandidate *nearest;	/* of member 0, of member 1, ...; members are
								 * numbers in the leaf */
} LeafLists;

/*
 * Whose keys are the least of a column; their distances are read again, as the
 * keys have lost their last bits.
 */
static void
read_keys(const float *least, int k, int column, const float *matrix,
		  int columns, DiskannCandidate *nearest)
{
	for (int i = 0; i < k; i++)
	{
		nearest[i].member = least_tag(least, k, column, i);
		nearest[i].dist = matrix[(Size) nearest[i].member * columns + column];
	}
}

/*
 * All distances within a leaf.  They are computed once for each pair, rows of
 * a few members with those from there on, and mirrored.
 */
static void
fill_matrix(const DiskannBlock *leaf, float *matrix)
{
	int			columns = DiskannBlockColumns(leaf);

	for (int from = 0; from < leaf->count; from += LEAF_ROWS)
	{
		int			to = Min(from + LEAF_ROWS, leaf->count);

		DiskannBlockDistances(leaf, from, to - from, leaf, from,
							  matrix + (Size) from * columns);
		for (int i = to; i < leaf->count; i++)
		{
			for (int j = from; j < to; j++)
				matrix[(Size) i * columns + j] = matrix[(Size) j * columns + i];
		}
	}
}

/*
 * Find the nearest of each member.  That keys have lost the last bits of
 * distances does no harm: which of two members is a candidate does not matter
 * if their distances differ in the fourth digit only.
 */
static void
find_nearest(DiskannCarve *carve, const DiskannBlock *leaf, LeafLists *lists)
{
	int			columns = DiskannBlockColumns(leaf);
	int			k = lists->k;
	float	   *matrix = palloc(sizeof(float) * columns * leaf->count);
	float	   *least = create_least(columns, k);

	fill_matrix(leaf, matrix);
	for (int r = 0; r < leaf->count; r++)
	{
		float	   *dist = matrix + (Size) r * columns;

		/* A vector is no neighbour of itself. */
		dist[r] = FLT_MAX;
		diskann_kernels->keep_least(least, k, dist, r, columns / DISKANN_PANEL);
	}
	for (int j = 0; j < leaf->count; j++)
		read_keys(least, k, j, matrix, columns, lists->nearest + j * k);
	carve->distances += (uint64) leaf->count * leaf->count / 2;
	pfree(matrix);
	pfree(least);
}

/* Is a member among the nearest of another? */
static bool
is_nearest(const LeafLists *lists, int of, uint32 what)
{
	for (int i = 0; i < lists->k; i++)
	{
		if (lists->nearest[of * lists->k + i].member == what)
			return true;
	}
	return false;
}

/* Append to the list that ends there. */
static void
append_candidate(DiskannCandidate *all, int *end, uint32 member, float dist)
{
	all[*end].member = member;
	all[(*end)++].dist = dist;
}

/*
 * Give every member its nearest, and those among whose nearest it is: a node
 * that is nobody's nearest gets edges to it this way, and one in a dense place
 * edges out of it.  Entry e of lists->nearest is of member e / k; entries that
 * would say the same twice are mutual, and taken once.
 */
static void
emit_lists(DiskannCarve *carve, const LeafLists *lists, const uint32 *members)
{
	int			nentries = lists->count * lists->k;
	int			total = 0;
	bool	   *mutual = palloc(sizeof(bool) * nentries);
	int		   *end = palloc0(sizeof(int) * lists->count);
	DiskannCandidate *all = palloc(sizeof(DiskannCandidate) * 2 * nentries);

	/* Lengths first, which tell where each one's list begins. */
	for (int e = 0; e < nentries; e++)
	{
		int			j = lists->nearest[e].member;

		Assert(j < lists->count && j != e / lists->k);
		mutual[e] = is_nearest(lists, j, e / lists->k);
		end[e / lists->k]++;
		end[j] += !mutual[e];
	}
	for (int i = 0; i < lists->count; i++)
	{
		total += end[i];
		end[i] = total - end[i];
	}
	Assert(total <= 2 * nentries);
	for (int e = 0; e < nentries; e++)
	{
		int			i = e / lists->k;
		int			j = lists->nearest[e].member;
		float		dist = lists->nearest[e].dist;

		append_candidate(all, &end[i], members[j], dist);
		if (!mutual[e])
			append_candidate(all, &end[j], members[i], dist);
	}
	for (int i = 0; i < lists->count; i++)
	{
		int			start = i > 0 ? end[i - 1] : 0;

		carve->emit(carve->arg, members[i], all + start, end[i] - start);
	}
	pfree(mutual);
	pfree(end);
	pfree(all);
}

/* Place the home members of a leaf, and find the candidates of all. */
static void
make_leaf(DiskannCarve *carve, const uint32 *members, const bool *home,
		  uint32 count)
{
	DiskannBlock *leaf;
	LeafLists	lists;

	CHECK_FOR_INTERRUPTS();
	Assert(count <= DISKANN_LEAF_SIZE);
	for (uint32 i = 0; home && i < count; i++)
	{
		if (home[i])
			carve->place(carve->arg, members[i]);
	}
	if (count < 2)
		return;
	leaf = DiskannBlockCreate(carve->dims, count, true);
	carve->fetch(carve->arg, members, count, leaf);
	Assert(leaf->count == (int) count);
	DiskannBlockPack(leaf);
	lists.count = count;
	lists.k = Min(carve->neighbours, (int) count - 1);
	lists.nearest = palloc(sizeof(DiskannCandidate) * lists.k * count);
	find_nearest(carve, leaf, &lists);
	emit_lists(carve, &lists, members);
	pfree(lists.nearest);
	DiskannBlockFree(leaf);
}

/* ---------- balls ---------- */

/* The leaders nearest to each member, fanout each; the first members lead. */
static uint16 *
assign_members(DiskannCarve *carve, const uint32 *members, uint32 count,
			   int nleaders, int fanout)
{
	DiskannBlock *leaders = DiskannBlockCreate(carve->dims, nleaders, false);
	DiskannBlock *block = DiskannBlockCreate(carve->dims,
											 DISKANN_ASSIGN_BLOCK, true);
	uint16	   *nearest = palloc_extended(sizeof(uint16) * count * fanout,
										  MCXT_ALLOC_HUGE);

	Assert((uint32) nleaders <= count);
	carve->fetch(carve->arg, members, nleaders, leaders);
	for (uint32 from = 0; from < count; from += block->count)
	{
		CHECK_FOR_INTERRUPTS();
		block->count = 0;
		carve->fetch(carve->arg, members + from,
					 Min(DISKANN_ASSIGN_BLOCK, count - from), block);
		DiskannAssign(block, leaders, fanout, nearest + (Size) from * fanout);
	}
	carve->distances += (uint64) count * nleaders;
	DiskannBlockFree(leaders);
	DiskannBlockFree(block);
	return nearest;
}

/*
 * Gather each ball's members, in the order they have.  A member that is at
 * home among these is at home in its nearest ball, and nowhere else.
 */
static void
fill_balls(Balls *balls, const uint32 *members, const bool *home,
		   uint32 count, const uint16 *nearest, int fanout)
{
	uint32	   *next;

	balls->start = palloc0(sizeof(uint32) * (balls->nballs + 1));
	balls->member = palloc_extended(sizeof(uint32) * count * fanout,
									MCXT_ALLOC_HUGE);
	balls->home = palloc_extended(sizeof(bool) * count * fanout,
								  MCXT_ALLOC_HUGE);
	for (Size i = 0; i < (Size) count * fanout; i++)
		balls->start[nearest[i] + 1]++;
	for (int b = 0; b < balls->nballs; b++)
		balls->start[b + 1] += balls->start[b];
	Assert(balls->start[balls->nballs] == count * fanout);
	next = palloc(sizeof(uint32) * balls->nballs);
	memcpy(next, balls->start, sizeof(uint32) * balls->nballs);
	for (uint32 i = 0; i < count; i++)
	{
		for (int f = 0; f < fanout; f++)
		{
			uint32		at = next[nearest[(Size) i * fanout + f]]++;

			balls->member[at] = members[i];
			balls->home[at] = home && home[i] && f == 0;
		}
	}
	pfree(next);
}

/* Make leaves of members as they come: of those that no leader tells apart. */
static void
split_blindly(DiskannCarve *carve, const uint32 *members, const bool *home,
			  uint32 count)
{
	for (uint32 from = 0; from < count; from += DISKANN_LEAF_SIZE)
		make_leaf(carve, members + from, home ? home + from : NULL,
				  Min(DISKANN_LEAF_SIZE, count - from));
}

/* Carve members; each joins fanout balls if they are too many for a leaf. */
static void
carve_members(DiskannCarve *carve, const uint32 *members, const bool *home,
			  uint32 count, int fanout)
{
	uint16	   *nearest;
	Balls		balls;

	check_stack_depth();
	if (count <= DISKANN_LEAF_SIZE)
	{
		make_leaf(carve, members, home, count);
		return;
	}
	balls.nballs = Min(DISKANN_MAX_LEADERS,
					   Max((uint64) count * fanout / TARGET_LEAF, 2));
	nearest = assign_members(carve, members, count, balls.nballs, fanout);
	fill_balls(&balls, members, home, count, nearest, fanout);
	pfree(nearest);
	for (int b = 0; b < balls.nballs; b++)
	{
		uint32		start = balls.start[b];
		uint32		n = balls.start[b + 1] - start;

		/*
		 * Vectors nearly equal all go to one ball, and would do so again:
		 * give up rather than recur too deeply.
		 */
		if (n > count / 10 * 9)
			split_blindly(carve, balls.member + start, balls.home + start, n);
		else
			carve_members(carve, balls.member + start, balls.home + start, n,
						  1);
	}
	pfree(balls.start);
	pfree(balls.member);
	pfree(balls.home);
}

void
DiskannCarveMembers(DiskannCarve *carve, uint32 count, const bool *home)
{
	uint32	   *members = palloc_extended(sizeof(uint32) * count,
										  MCXT_ALLOC_HUGE);

	Assert(carve->fanout > 0 && carve->neighbours > 0);
	for (uint32 i = 0; i < count; i++)
		members[i] = i;
	carve_members(carve, members, home, count, carve->fanout);
	pfree(members);
}
