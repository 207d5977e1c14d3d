/*-------------------------------------------------------------------------
 *
 * carve.h
 *	  Find candidates for the neighbours of many vectors at once.
 *
 * Random ball carving as in PiPNN (2026, arXiv 2602.21247): some vectors are
 * leaders, every vector joins the balls of the few leaders nearest to it, and
 * balls are carved again until they are small.  In each of these overlapping
 * leaves all vectors are compared with all, and each one's nearest, and those
 * to whom it is among the nearest, become candidates.
 *
 * A vector that is near another shares a leaf with it with a good chance, and
 * the overlap gives it several; so candidates are found by time in proportion
 * to the number of vectors, and as matrix products, which is the fastest a
 * processor can do.  What a leaf misses a search through the finished graph
 * finds by way of other nodes.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/carve.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_CARVE_H
#define DISKANN_CARVE_H

#include "graph/block.h"
#include "kernels/kernels.h"

/* A candidate for an edge of some other member. */
typedef struct DiskannCandidate
{
	uint32		member;
	float		dist;			/* squared distance to that one */
} DiskannCandidate;

/*
 * Most members of a leaf; most leaders of one carving.  While the nearest are
 * selected, the number of a member in its leaf, or of a leader, takes the
 * place of the last DISKANN_TAG_BITS bits of its distance, so neither may
 * exceed 1024.
 */
#define DISKANN_LEAF_SIZE 512
#define DISKANN_MAX_LEADERS 1000

/* How to carve, and whom to tell. */
typedef struct DiskannCarve
{
	int			dims;
	int			fanout;			/* balls a member joins in the first carving;
								 * one in those that follow */
	int			neighbours;		/* nearest ones taken in a leaf */

	DiskannFetch fetch;

	/*
	 * Candidates of a member, which may get several lists, with the same ones
	 * in them.  The callback may change the array.
	 */
	void		(*emit) (void *arg, uint32 member,
						 DiskannCandidate *candidates, int n);

	/*
	 * Called once for each home member, in the leaf that it came to by the
	 * nearest leaders: those of a leaf one after another.
	 */
	void		(*place) (void *arg, uint32 member);
	void	   *arg;

	uint64		distances;		/* computed so far */
} DiskannCarve;

/*
 * Carve members 0..count - 1, which must be distinct vectors in random order:
 * the first ones become leaders.  home tells which are to be placed; NULL for
 * none.  Scratch memory is palloc'd and freed, about 5 * fanout bytes a member
 * and a few blocks of DISKANN_LEAF_SIZE.
 */
extern void DiskannCarveMembers(DiskannCarve *carve, uint32 count,
								const bool *home);

/*
 * The nearest of the leaders to each vector of a block of at most
 * DISKANN_ASSIGN_BLOCK, which is packed here: row-major, fanout each, nearest
 * first as far as three digits of distances tell.  fanout is at most the
 * number of leaders.
 */
#define DISKANN_ASSIGN_BLOCK 64

extern void DiskannAssign(DiskannBlock *vectors,
						  const DiskannBlock *leaders, int fanout,
						  uint16 *nearest);

#endif							/* DISKANN_CARVE_H */
