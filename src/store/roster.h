/*-------------------------------------------------------------------------
 *
 * roster.h
 *	  Where searches start: a uniform sample of all nodes.
 *
 * None of these has anything locked on entry or exit.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/roster.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_ROSTER_H
#define DISKANN_ROSTER_H

#include "graph/match.h"
#include "graph/search.h"
#include "store/visit.h"

/* Members that the roster of an index of so many nodes should have. */
extern int	DiskannRosterSize(const DiskannIndex *index, uint64 nodes);

/*
 * Give a search, reset, the nearest members of the roster to start from.
 * Returns how many were scored.  Locks in share mode node 0, and the other
 * entry nodes in turn if the backend's copy of these is not up to date.  That
 * node 0, or one that the chain leads to, is no entry node is an error.
 */
extern int	DiskannStartSearch(DiskannNodeRef *ref, const DiskannQuery *query,
							   DiskannVisit *visit, DiskannSearch *search);

/*
 * Give a search among nodes that match, reset, the members of the roster that
 * are sought, and the nearest of the others for bridges; sought has an entry
 * for each filter column, and the visit wants signatures.  Returns how many of
 * the former there are; *scored gets how many members were scored.  Locks, and
 * errors, as above.
 */
extern int	DiskannStartMatch(DiskannNodeRef *ref, const DiskannQuery *query,
							  DiskannVisit *visit, const DiskannSought *sought,
							  DiskannMatch *match, int *scored);

/*
 * The entry nodes, from node 0 along the chain; returns how many there are.
 * entries has room for DISKANN_MOST_ENTRIES + 1.  Locks each in share mode.
 */
extern int	DiskannReadEntries(DiskannNodeRef *ref, DiskannNode *entries);

/*
 * Replace the whole roster by n nodes, of which those not live are left out;
 * no two may be the same.  Locks members in share mode and entry nodes
 * exclusively, one at a time, and may add entry nodes.
 */
extern void DiskannDrawRoster(DiskannNodeRef *ref, const DiskannNode *members,
							  int n);

/*
 * The roster of an index just built: node 0's edges, and nodes by chance.
 * Locks as DiskannDrawRoster().
 */
extern void DiskannBuildRoster(Relation rel, const DiskannIndex *index);

/*
 * Let a new node at x, with these signatures, become a member with the
 * probability that keeps the roster a uniform sample (reservoir sampling),
 * after DiskannStartSearch() for it.  Returns the member whose place it took,
 * or DISKANN_INVALID_NODE.  Locks one entry node, and then node 0, exclusively.
 */
extern DiskannNode DiskannOfferToRoster(DiskannNodeRef *ref, DiskannNode node,
										const float *x,
										const uint8 *signatures);

#endif							/* DISKANN_ROSTER_H */
