/*-------------------------------------------------------------------------
 *
 * match.h
 *	  Which way a search takes to the nearest nodes that fulfil conditions.
 *
 * Nodes that match fill the list of a search; those that do not are bridges,
 * and wait in a queue of their own.  The caller tells of each neighbour whether
 * it may match, and of each node visited whether it does:
 *
 *		do
 *			while (DiskannMatchNext(match, &node))
 *			{
 *				visit node
 *				DiskannMatchVisited(match, node, does it match?);
 *				DiskannMatchAddAll(match, its neighbours, ...);
 *			}
 *		while (DiskannMatchLengthen(match));
 *
 * Where nodes that match have neighbours that match, only these are visited.
 * Where they are sparse, or have not been found yet, bridges are visited, too,
 * as long as they are nearer than the last of the list, and lead to something.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/match.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_MATCH_H
#define DISKANN_MATCH_H

#include "graph/search.h"

typedef struct DiskannMatch DiskannMatch;

/* Allocate in a memory context, which frees it. */
extern DiskannMatch *DiskannMatchCreate(MemoryContext context);

/*
 * Begin anew with a search that has been reset to a list of this size, reusing
 * memory.  So many nodes are supposed to match, a share of all.  by_value: some
 * of a node's edges were chosen for leading to nodes that match if it does
 * (value edges, see select.h).
 */
extern void DiskannMatchReset(DiskannMatch *match, DiskannSearch *search,
							  int list_size, double matching, double share,
							  bool by_value);

/*
 * Offer for bridges the nearest, in order, of so many members of the roster,
 * which are spread evenly.
 */
extern void DiskannMatchStart(DiskannMatch *match, const uint32 *nodes,
							  const float *keys, int n, int members);

/* Offer nodes at estimated distances; may each of them match? */
extern void DiskannMatchAddAll(DiskannMatch *match, const uint32 *nodes,
							   const float *keys, const bool *may_match, int n);

/* The next node to visit; false if the list is used up. */
extern bool DiskannMatchNext(DiskannMatch *match, uint32 *node);

/* The node that Next is likely to return then, which is not visited by this. */
extern bool DiskannMatchLookAhead(const DiskannMatch *match, uint32 *node);

/* Tell of the node just visited, before its neighbours are offered. */
extern void DiskannMatchVisited(DiskannMatch *match, uint32 node,
								bool matches);

/*
 * The list is used up: let it be as long as it should be where matches lie as
 * they do.  False if it is; then all has been visited.
 */
extern bool DiskannMatchLengthen(DiskannMatch *match);

/*
 * Go on with a longer list.  Next may find nothing more to visit: then what
 * matches has not been found, or all of it has been visited.
 */
extern void DiskannMatchGrow(DiskannMatch *match, int list_size);

/*
 * Are many nodes nearer than all that match, as far as these are known?  Then
 * the query lies outside of them, and what is nearest to it is spread over all
 * of their surface.  FarSize is how long a list this takes; 0 if they are not.
 */
extern bool DiskannMatchIsFar(const DiskannMatch *match);
extern double DiskannMatchFarSize(const DiskannMatch *match);

/* Bytes of memory in use besides the search's, and bridges visited. */
extern Size DiskannMatchMemory(const DiskannMatch *match);
extern int64 DiskannMatchBridges(const DiskannMatch *match);

#endif							/* DISKANN_MATCH_H */
