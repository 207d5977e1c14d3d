/*-------------------------------------------------------------------------
 *
 * node_set.h
 *	  Sets and lists of nodes, for VACUUM.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/node_set.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_NODE_SET_H
#define DISKANN_NODE_SET_H

#include "store/format.h"

/* A set of the nodes below count; one bit each. */
typedef struct NodeSet
{
	DiskannNode count;
	uint8	   *bits;
} NodeSet;

/* An empty set, palloc'd in the current context. */
extern void DiskannNodeSetInit(NodeSet *set, DiskannNode count);

/* A node from count on, which was added to the index later, is in no set. */
static inline bool
DiskannNodeSetHas(const NodeSet *set, DiskannNode node)
{
	return node < set->count && ((set->bits[node / 8] >> (node % 8)) & 1) != 0;
}

static inline void
DiskannNodeSetAdd(NodeSet *set, DiskannNode node)
{
	Assert(node < set->count);
	set->bits[node / 8] |= 1 << (node % 8);
}

/* A growing list; all zeroes is an empty one. */
typedef struct NodeList
{
	DiskannNode *nodes;
	Size		count;
	Size		alloc;
} NodeList;

/* The list's memory is palloc'd in the context of the first call. */
extern void DiskannNodeListAdd(NodeList *list, DiskannNode node);

#endif							/* DISKANN_NODE_SET_H */
