/*-------------------------------------------------------------------------
 *
 * porch.c
 *	  Porches: rows that are in the index but not linked yet.
 *
 * A row that is pending is a live node in its slot, with vector and TID, whose
 * edges are still to be found; its head says so ("closed").  What leads to it
 * is an edge of a *porch*, a slot in a chain that begins at node 0's "owner".
 * A porch lies at the centre like an entry node.  Linking a row takes it off
 * its porch last, so that at any time either the porch or the graph leads to
 * it.
 *
 * Porches are never taken out of the chain, but only the first ones are *in
 * use*, as many as node 0 says in "closed"; the others lead to nothing, and no
 * search reads them.  More come into use before a row is put there, less only
 * while nobody is linking (store/linking.h), which who adds a row is.  So the
 * place of a porch, once it is in use, stays so until the row is there.
 *
 * A porch that was written but not put into the chain, because of a crash or an
 * error, is freed by the next repair, as entry nodes are (store/roster.c).
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

/* What node 0 says of porches. */
typedef struct Chain
{
	DiskannNode first;
	int			used;
} Chain;

static Chain
read_chain(const DiskannNodeRef *ref, const DiskannSlotData *first)
{
	Chain		chain = {first->owner, first->closed};

	if (chain.used > DISKANN_MOST_PORCHES)
		DiskannNodeReport(ref, DISKANN_ENTRY_NODE,
						  "there are too many porches");
	return chain;
}

/* The same of node 0 as it is now, which is locked in share mode meanwhile. */
static Chain
get_chain(DiskannNodeRef *ref)
{
	DiskannSlotData head = *open_first(ref, BUFFER_LOCK_SHARE);

	DiskannNodeClose(ref);
	return read_chain(ref, &head);
}

/*
 * The place where the porch used last is remembered, in the relation's cache.
 * It is valid until invalidations are accepted.
 */
static DiskannPorchPlace *
last_porch(const DiskannNodeRef *ref)
{
	(void) DiskannCachedRoster(ref->rel, ref->index);
	return &((DiskannRecent *) ref->rel->rd_amcache)->last;
}

int
DiskannLastPorch(const DiskannNodeRef *ref)
{
	return last_porch(ref)->place;
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
				   const DiskannSlotData *first, const DiskannSought *sought,
				   DiskannPending *pending)
{
	Chain		chain = read_chain(ref, first);
	DiskannNode porch = chain.first;

	pending->count = 0;
	pending->next = 0;
	for (int i = 0; i < chain.used; i++)
		porch = score_porch(ref, query, porch, sought, pending);
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
DiskannReadPorches(DiskannNodeRef *ref, DiskannNode *porches, bool all)
{
	Chain		chain = get_chain(ref);
	DiskannNode porch = chain.first;
	int			n = 0;

	while (all ? porch != DISKANN_INVALID_NODE : n < chain.used)
	{
		if (n == DISKANN_MOST_PORCHES)
			DiskannNodeReport(ref, porch, "there are too many porches");
		porches[n++] = porch;
		porch = open_porch(ref, porch, BUFFER_LOCK_SHARE)->next;
		DiskannNodeClose(ref);
	}
	return n;
}

int
DiskannReadPorch(DiskannNodeRef *ref, DiskannNode porch, DiskannNode *nodes)
{
	int			n = open_porch(ref, porch, BUFFER_LOCK_SHARE)->degree;

	memcpy(nodes, DiskannSlotNodes(ref->index, ref->slot),
		   sizeof(DiskannNode) * n);
	DiskannNodeClose(ref);
	return n;
}

/* ---------- adding and taking off ---------- */

/*
 * Add an edge to a porch that has room; *next is the one behind it.  Nothing is
 * locked on entry and exit but linking; the porch exclusively meanwhile.
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
	return added;
}

/*
 * Add an edge to whichever of the first n porches has room, first to that used
 * last and then to those behind it.  If none has, *last is the last of them, or
 * node 0 if n is 0.  Nothing is locked on entry and exit but linking; porches
 * exclusively meanwhile, one at a time.
 */
static bool
add_to_porches(DiskannNodeRef *ref, Chain chain, int n, DiskannNode node,
			   const DiskannEdgeCode *edge, const uint8 *signatures,
			   DiskannNode *last)
{
	const DiskannPorchPlace first = {chain.first, 0};
	DiskannPorchPlace at = *last_porch(ref);

	*last = DISKANN_ENTRY_NODE;
	if (at.porch == DISKANN_ENTRY_NODE || at.place >= n)
		at = first;
	for (int i = 0; i < n; i++)
	{
		DiskannNode next;

		CHECK_FOR_INTERRUPTS();
		if (add_to_porch(ref, at.porch, node, edge, signatures, &next))
		{
			*last_porch(ref) = at;
			return true;
		}
		if (at.place == n - 1)
		{
			*last = at.porch;
			at = first;
		}
		else
		{
			at.porch = next;
			at.place++;
		}
	}
	return false;
}

/*
 * Write a porch that leads to nothing and is in no chain yet.  Nothing is
 * locked on entry and exit but linking; the slot exclusively meanwhile.
 */
static DiskannNode
create_porch(DiskannNodeRef *ref)
{
	DiskannNode porch;

	DiskannNodeAllocate(ref);
	porch = ref->node;
	(void) DiskannNodeEdit(ref);
	DiskannFillEntry(ref->index, ref->image);
	((DiskannSlot) ref->image)->state = DISKANN_PORCH;
	DiskannNodeWriteAll(ref);
	DiskannNodeClose(ref);
	DiskannPausePoint("porch-written");
	return porch;
}

/*
 * The place in the head of a porch, or of node 0, that has what comes behind
 * it in the chain.
 */
static DiskannNode *
next_porch(DiskannSlot head)
{
	return head->state == DISKANN_PORCH ? &head->next : &head->owner;
}

/*
 * Have a porch behind the last one in use, unless there is any; last may be
 * node 0.  Nothing is locked on entry and exit but linking; last and a new
 * porch exclusively meanwhile, one at a time.
 */
static void
provide_porch(DiskannNodeRef *ref, DiskannNode last)
{
	DiskannNode porch;
	DiskannSlot head;
	bool		missing;

	DiskannNodeOpen(ref, last, BUFFER_LOCK_SHARE);
	head = (DiskannSlot) ref->slot;
	missing = *next_porch(head) == DISKANN_INVALID_NODE;
	DiskannNodeClose(ref);
	if (!missing)
		return;
	DiskannNoteFeature(ref->rel, DISKANN_FEATURE_PORCHES);
	porch = create_porch(ref);
	DiskannNodeOpen(ref, last, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);

	/* Somebody else may have put one there meanwhile. */
	missing = *next_porch(head) == DISKANN_INVALID_NODE;
	if (missing)
	{
		*next_porch(head) = porch;
		DiskannNodeWriteHead(ref);
	}
	DiskannNodeClose(ref);
	if (!missing)
		DiskannNodeFree(ref, porch);
}

/*
 * Have this many porches in use instead of "used", unless their number is
 * another by now.  Nothing is locked on entry and exit but linking; node 0
 * exclusively meanwhile.
 */
static void
set_used(DiskannNodeRef *ref, int used, int wanted)
{
	if (open_first(ref, BUFFER_LOCK_EXCLUSIVE)->closed == used)
	{
		DiskannNodeEdit(ref)->closed = wanted;
		DiskannNodeWriteHead(ref);
	}
	DiskannNodeClose(ref);
}

bool
DiskannAddPending(DiskannNodeRef *ref, DiskannNode node, const float *x,
				  const uint8 *signatures, int most)
{
	const DiskannIndex *index = ref->index;
	float	   *origin = palloc0(sizeof(float) * index->space.dims);
	DiskannEdgeCode edge;

	/* Porches lie at the origin. */
	diskann_edge_encode(&index->shape, origin, x, &edge);
	pfree(origin);
	for (;;)
	{
		Chain		chain = get_chain(ref);
		DiskannNode last;

		DiskannPausePoint("porches-counted");
		if (add_to_porches(ref, chain, Min(chain.used, most), node, &edge,
						   signatures, &last))
			return true;
		if (chain.used >= most)
			return false;
		provide_porch(ref, last);
		DiskannPausePoint("porch-provided");
		set_used(ref, chain.used, chain.used + 1);
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

/* How many porches are there up to the last of these that leads anywhere? */
static int
count_needed(DiskannNodeRef *ref, const DiskannNode *porches, int used)
{
	DiskannNode nodes[DISKANN_MAX_DEGREE];

	while (used > 0 && DiskannReadPorch(ref, porches[used - 1], nodes) == 0)
		used--;
	return used;
}

void
DiskannLeavePorches(DiskannNodeRef *ref)
{
	DiskannNode porches[DISKANN_MOST_PORCHES];
	int			used;
	int			needed;

	if (get_chain(ref).used == 0)
		return;
	DiskannBarLinking(ref->rel);
	used = DiskannReadPorches(ref, porches, false);
	needed = count_needed(ref, porches, used);
	if (needed < used)
		set_used(ref, used, needed);
	DiskannAllowLinking(ref->rel);
}
