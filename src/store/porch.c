/*-------------------------------------------------------------------------
 *
 * porch.c
 *	  Porches: rows that are in the index but not linked yet.
 *
 * A row that is pending is a live node in its slot, with vector and TID, whose
 * edges are still to be found; its head says so ("closed").  What leads to it
 * is an edge of a *porch*, a slot in a chain that begins at node 0's "owner".
 * A porch lies at the centre like an entry node, and every search scores all
 * edges of all porches.  Linking a row takes it off its porch last, so that at
 * any time either the porch or the graph leads to it.
 *
 * A porch in the chain is never freed.  One that was written but not put there,
 * because of a crash or an error, is freed by the next repair, as entry nodes
 * are (store/roster.c).
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/porch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "store/edges.h"
#include "store/linking.h"
#include "store/pause.h"
#include "store/porch.h"
#include "store/recent.h"

/*
 * Open a porch that the chain leads to.  Nothing is locked on entry; the porch
 * is in this mode on exit.
 */
static const DiskannSlotData *
open_porch(DiskannNodeRef *ref, DiskannNode porch, int mode)
{
	return DiskannNodeOpenOwned(ref, porch, mode, DISKANN_PORCH,
								"a porch is missing");
}

/* The same of node 0, where the chain begins. */
static const DiskannSlotData *
open_first(DiskannNodeRef *ref, int mode)
{
	return DiskannNodeOpenOwned(ref, DISKANN_ENTRY_NODE, mode, DISKANN_ENTRY,
								"the entry node is missing");
}

/* One more porch than there can be means that the chain has no end. */
static void
check_length(const DiskannNodeRef *ref, int n, DiskannNode porch)
{
	if (n == DISKANN_MOST_PORCHES)
		DiskannNodeReport(ref, porch, "there are too many porches");
}

DiskannNode
DiskannFirstPorch(DiskannNodeRef *ref)
{
	DiskannNode first = open_first(ref, BUFFER_LOCK_SHARE)->owner;

	DiskannNodeClose(ref);
	return first;
}

/*
 * The place where the porch used last is remembered, in the relation's cache.
 * It is valid until invalidations are accepted.
 */
static DiskannNode *
last_porch(const DiskannNodeRef *ref)
{
	(void) DiskannCachedRoster(ref->rel, ref->index);
	return &((DiskannRecent *) ref->rel->rd_amcache)->porch;
}

DiskannKnownVector *
DiskannKnownNode(const DiskannNodeRef *ref, uint64 hash)
{
	DiskannRecent *recent;

	(void) DiskannCachedRoster(ref->rel, ref->index);
	recent = (DiskannRecent *) ref->rel->rd_amcache;

	/* All bits of a hash matter in the upper ones of this product. */
	return &recent->known[(hash * UINT64CONST(0x9E3779B97F4A7C15)) >>
						  (64 - DISKANN_KNOWN_BITS)];
}

DiskannNode
DiskannLastPorch(DiskannNodeRef *ref)
{
	DiskannNode last = *last_porch(ref);

	return last != DISKANN_ENTRY_NODE ? last : DiskannFirstPorch(ref);
}

/* ---------- reading ---------- */

void
DiskannPendingInit(DiskannPending *pending, const DiskannIndex *index)
{
	pending->count = 0;
	pending->next = 0;
	pending->alloc = 8 * index->meta.max_degree;
	pending->nodes = palloc(sizeof(DiskannNode) * pending->alloc);
	pending->bounds = palloc(sizeof(float) * pending->alloc);
}

/* Make room for n more. */
static void
reserve_pending(DiskannPending *pending, int n)
{
	if (pending->count + n <= pending->alloc)
		return;
	pending->alloc *= 2;
	pending->nodes = repalloc(pending->nodes,
							  sizeof(DiskannNode) * pending->alloc);
	pending->bounds = repalloc(pending->bounds,
							   sizeof(float) * pending->alloc);
}

/*
 * How far below an estimate from a porch may the squared distance be?  This
 * times the lengths of row and query.  Codes tell so much of what there is to
 * know of directions; the rest is noise (vector/edge_code.h).
 */
#define DEVIATIONS 2.0f

static float
noise(const DiskannIndex *index)
{
	float		dims = index->space.dims;
	float		known = index->shape.code_dims / dims *
		(index->shape.planes == 2 ? 0.882f : 0.637f);

	return DEVIATIONS * 2 * sqrtf((1 - known) / (known * dims));
}

/*
 * Keep those of a porch's n nodes whose signatures are sought, and their
 * bounds; returns how many they are.
 */
static int
keep_sought(const DiskannIndex *index, const char *slot, int n,
			const DiskannSought *sought, DiskannNode *nodes, float *bounds)
{
	bool		may_match[DISKANN_MAX_DEGREE];
	int			kept = 0;

	DiskannSeekSignatures(index, DiskannSlotSignatures(&index->meta, slot, 0),
						  sought, n, may_match);
	for (int i = 0; i < n; i++)
	{
		nodes[kept] = nodes[i];
		bounds[kept] = bounds[i];
		kept += may_match[i] ? 1 : 0;
	}
	return kept;
}

/*
 * Add what a porch leads to, and return the next one.  While its page is read
 * that of the next one is on its way into the processor's cache.  Nothing is
 * locked on entry and exit; the porch in share mode meanwhile.
 */
static DiskannNode
score_porch(DiskannNodeRef *ref, const DiskannQuery *query, DiskannNode porch,
			const DiskannSought *sought, DiskannPending *pending)
{
	const DiskannIndex *index = ref->index;
	const DiskannSlotData *head;
	float		lengths[DISKANN_MAX_DEGREE];
	float		slack = noise(index) * sqrtf(query->norm2);
	float	   *bounds;
	DiskannNode next;

	reserve_pending(pending, index->meta.max_degree);
	bounds = pending->bounds + pending->count;
	head = open_porch(ref, porch, BUFFER_LOCK_SHARE);
	next = head->next;
	if (next < ref->count)
		DiskannNodePrefetch(ref, next);
	memcpy(pending->nodes + pending->count, DiskannSlotNodes(index, ref->slot),
		   sizeof(DiskannNode) * head->degree);
	diskann_edge_estimate(&index->shape, &query->edges,
						  DiskannSlotCodes(index, ref->slot),
						  DiskannSlotAdd(index, ref->slot),
						  DiskannSlotRescale(index, ref->slot), query->norm2,
						  head->edge_scale, head->degree,
						  bounds);
	DiskannEdgeLengths(index, ref->slot, lengths);
	for (int i = 0; i < head->degree; i++)
		bounds[i] -= slack * sqrtf(lengths[i]);
	pending->count += sought == NULL ? head->degree :
		keep_sought(index, ref->slot, head->degree, sought,
					pending->nodes + pending->count, bounds);
	DiskannNodeClose(ref);
	return next;
}

void
DiskannReadPending(DiskannNodeRef *ref, const DiskannQuery *query,
				   DiskannNode first, const DiskannSought *sought,
				   DiskannPending *pending)
{
	DiskannNode porch = first;

	pending->count = 0;
	pending->next = 0;
	for (int n = 0; porch != DISKANN_INVALID_NODE; n++)
	{
		check_length(ref, n, porch);
		porch = score_porch(ref, query, porch, sought, pending);
	}
}

bool
DiskannNextPending(DiskannPending *pending, DiskannSearch *search,
				   float limit, DiskannNode *node)
{
	while (pending->next < pending->count)
	{
		int			i = pending->next++;

		if (pending->bounds[i] < limit &&
			DiskannSearchTake(search, pending->nodes[i]))
		{
			*node = pending->nodes[i];
			return true;
		}
	}
	DiskannSearchAddAll(search, pending->nodes, pending->bounds,
						pending->count);
	return false;
}

int
DiskannReadPorches(DiskannNodeRef *ref, DiskannNode *porches)
{
	DiskannNode porch = DiskannFirstPorch(ref);
	int			n = 0;

	while (porch != DISKANN_INVALID_NODE)
	{
		check_length(ref, n, porch);
		porches[n++] = porch;
		porch = open_porch(ref, porch, BUFFER_LOCK_SHARE)->next;
		DiskannNodeClose(ref);
	}
	return n;
}

int
DiskannReadPorch(DiskannNodeRef *ref, DiskannNode porch, DiskannNode *nodes,
				 DiskannNode *next)
{
	const DiskannSlotData *head = open_porch(ref, porch, BUFFER_LOCK_SHARE);
	int			n = head->degree;

	*next = head->next;
	memcpy(nodes, DiskannSlotNodes(ref->index, ref->slot),
		   sizeof(DiskannNode) * n);
	DiskannNodeClose(ref);
	return n;
}

/* ---------- adding and taking off ---------- */

/*
 * Add an edge to a porch that has room; *next is the one behind it.  Nothing is
 * locked on entry and exit; the porch exclusively meanwhile.
 */
static bool
add_to_porch(DiskannNodeRef *ref, DiskannNode porch, DiskannNode node,
			 const DiskannEdgeCode *edge, const uint8 *signatures,
			 DiskannNode *next)
{
	const DiskannIndex *index = ref->index;
	const DiskannSlotData *head = open_porch(ref, porch, BUFFER_LOCK_EXCLUSIVE);
	bool		added = head->degree < index->meta.max_degree;

	*next = head->next;
	if (added)
	{
		DiskannSlot edit = DiskannNodeEdit(ref);

		DiskannEdgePut(index, ref->image, edit->degree, node, edge,
					   signatures);
		DiskannNodeWriteEdges(ref);
	}
	DiskannNodeClose(ref);
	if (added)
		*last_porch(ref) = porch;
	return added;
}

/*
 * Add an edge to whichever porch has room, first to that used last and then to
 * those behind it.  *chained tells how many porches there are if none has.
 * Nothing is locked on entry and exit; porches exclusively meanwhile, one at a
 * time.
 */
static bool
add_to_chain(DiskannNodeRef *ref, DiskannNode node,
			 const DiskannEdgeCode *edge, const uint8 *signatures,
			 int *chained)
{
	DiskannNode start = DiskannLastPorch(ref);
	DiskannNode porch = start;
	DiskannNode next;
	int			n = 0;

	*chained = 0;
	if (start == DISKANN_INVALID_NODE)
		return false;
	do
	{
		CHECK_FOR_INTERRUPTS();
		check_length(ref, n++, porch);
		if (add_to_porch(ref, porch, node, edge, signatures, &next))
			return true;
		porch = next != DISKANN_INVALID_NODE ? next : DiskannFirstPorch(ref);
	} while (porch != start);
	*chained = n;
	return false;
}

/*
 * Write a porch, in no chain yet, that leads to the node and goes on with next.
 * Nothing is locked on entry and exit but linking; the slot exclusively
 * meanwhile.
 */
static DiskannNode
create_porch(DiskannNodeRef *ref, DiskannNode next, DiskannNode node,
			 const DiskannEdgeCode *edge, const uint8 *signatures)
{
	DiskannNode porch;
	DiskannSlot head;

	DiskannNodeAllocate(ref);
	porch = ref->node;
	head = DiskannNodeEdit(ref);
	DiskannFillEntry(ref->index, ref->image);
	head->state = DISKANN_PORCH;
	head->next = next;
	DiskannEdgePut(ref->index, ref->image, 0, node, edge, signatures);
	DiskannNodeWriteAll(ref);
	DiskannNodeClose(ref);
	DiskannPausePoint("porch-written");
	return porch;
}

/*
 * Put a porch with the node behind node 0; false if somebody else puts one
 * there meanwhile.  Nothing is locked on entry and exit but linking; node 0 and
 * the new porch exclusively meanwhile, one at a time.
 */
static bool
add_porch(DiskannNodeRef *ref, DiskannNode node, const DiskannEdgeCode *edge,
		  const uint8 *signatures)
{
	DiskannNode next = DiskannFirstPorch(ref);
	DiskannNode porch = create_porch(ref, next, node, edge, signatures);
	bool		unchanged;

	unchanged = open_first(ref, BUFFER_LOCK_EXCLUSIVE)->owner == next;
	if (unchanged)
	{
		DiskannNodeEdit(ref)->owner = porch;
		DiskannNodeWriteHead(ref);
	}
	DiskannNodeClose(ref);
	if (!unchanged)
		DiskannNodeFree(ref, porch);
	return unchanged;
}

bool
DiskannAddPending(DiskannNodeRef *ref, DiskannNode node, const float *x,
				  const uint8 *signatures, int most)
{
	const DiskannIndex *index = ref->index;
	float	   *origin = palloc0(sizeof(float) * index->space.dims);
	DiskannEdgeCode edge;
	bool		added;
	int			chained;

	/* Porches lie at the origin. */
	diskann_edge_encode(&index->shape, origin, x, &edge);
	pfree(origin);
	for (;;)
	{
		if (add_to_chain(ref, node, &edge, signatures, &chained))
			return true;
		if (chained >= most)
			return false;
		DiskannNoteFeature(ref->rel, DISKANN_FEATURE_PORCHES);
		DiskannBeginLinking(ref->rel);
		added = add_porch(ref, node, &edge, signatures);
		DiskannEndLinking(ref->rel);
		if (added)
			return true;
	}
}

void
DiskannClearPorch(DiskannNodeRef *ref, DiskannNode porch,
				  const DiskannNode *nodes, int n)
{
	DiskannSlot head;

	(void) open_porch(ref, porch, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	for (int i = n - 1; i >= 0; i--)
	{
		int			edge = DiskannEdgeFind(ref->index, ref->image, nodes[i]);

		if (edge >= 0)
			DiskannEdgeDrop(ref->index, ref->image, edge);
	}

	/* The unit of its factors is that of the next rows. */
	if (head->degree == 0)
		head->edge_scale = 0;
	DiskannNodeWriteEdges(ref);
	DiskannNodeClose(ref);
}
