/*-------------------------------------------------------------------------
 *
 * visit.h
 *	  Visiting a node with a query.
 *
 * One visit reads one slot: it yields the distance to the node's own vector and
 * estimates for all its neighbours.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/visit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_VISIT_H
#define DISKANN_VISIT_H

#include "store/filter_map.h"
#include "store/node.h"

/* A vector in index space, prepared for visits. */
typedef struct DiskannQuery
{
	float	   *x;				/* dims floats */
	float		norm2;
	DiskannEdgeQuery edges;
} DiskannQuery;

typedef struct DiskannVisit
{
	DiskannSlotData head;
	DiskannFilterValues filters;
	uint8		own_signatures[DISKANN_MAX_SIGNATURES];
	float		dist2;			/* squared distance to the own vector */
	int			degree;
	DiskannNode *nodes;			/* neighbours */
	float	   *estimates;		/* of their squared distances */
	uint8	   *signatures;		/* of their filter columns, max_degree by
								 * number */
	bool		wants_signatures;	/* are these to be copied? */
} DiskannVisit;

/* Allocate in the current context. */
extern void DiskannQueryInit(DiskannQuery *query, const DiskannIndex *index);
extern void DiskannVisitInit(DiskannVisit *visit, const DiskannIndex *index);

/* Have room for neighbours' signatures; visit->wants_signatures copies them. */
extern void DiskannVisitInitSignatures(DiskannVisit *visit,
									   const DiskannIndex *index);

/*
 * Copy the signatures of the first edges of a slot.  Which of some edges, given
 * the signatures copied, or those in a slot, are sought in each column?
 */
extern void DiskannVisitSignatures(const DiskannIndex *index, const char *slot,
								   int degree, DiskannVisit *visit);
extern void DiskannSeekSignatures(const DiskannIndex *index,
								  const uint8 *signatures,
								  const DiskannSought *sought, int degree,
								  bool *may_match);

/* Prepare for visits, once query->x and norm2 are set. */
extern void DiskannQueryPrepare(DiskannQuery *query,
								const DiskannIndex *index);

/* The same once query->x is set. */
extern void DiskannQueryPrepareVector(DiskannQuery *query,
									  const DiskannIndex *index);

/*
 * Visit a node that an edge led to.  False if there is none any more (its slot
 * was freed): the edge was read before it was repaired.  own, unless NULL, gets
 * a copy of the code of the node's vector.  Nothing is open on entry and exit;
 * share-locks the slot for the time of the call.
 */
extern bool DiskannVisitNode(DiskannNodeRef *ref, const DiskannQuery *query,
							 DiskannNode node, DiskannVisit *visit,
							 void *own);

/*
 * Measure the distance of a live node, for who looks at all slots in order; no
 * neighbours are noted.  False if this slot has no live node.  Nothing is open
 * on entry and exit; share-locks the slot for the time of the call.
 */
extern bool DiskannMeasureNext(DiskannNodeRef *ref, const DiskannQuery *query,
							   DiskannNode node, DiskannVisit *visit);

/*
 * Copy head and code of a live node's vector, for who compares them with many
 * queries and looks at all slots in order.  own has room for meta.own_bytes.
 * False if this slot has no live node.  Nothing is open on entry and exit;
 * share-locks the slot for the time of the call.
 */
extern bool DiskannCopyNext(DiskannNodeRef *ref, DiskannNode node,
							DiskannSlotData *head, void *own);

#endif							/* DISKANN_VISIT_H */
