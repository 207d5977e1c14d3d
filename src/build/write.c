/*-------------------------------------------------------------------------
 *
 * write.c
 *	  CREATE INDEX: from the graph to pages.
 *
 * Participants fill runs of pages that nobody else touches, and log each run
 * when it is complete: a page is logged once, as a whole, and while it is
 * still in memory.  Nobody reads the index before the build has ended, so that
 * pages may be filled in any order.
 *
 * TIDS slots come after the last node, but belong to nodes of any run, so the
 * pages that have some are filled by whoever has such a node, and the leader
 * logs them at the end.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/write.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/phases.h"
#include "miscadmin.h"
#include "store/link.h"
#include "store/node.h"
#include "store/visit.h"
#include "store/xlog.h"
#include "utils/memutils.h"

/* Pages filled at a time. */
#define RUN_PAGES 128

/* A participant's work in this phase. */
typedef struct Writer
{
	BuildState *state;
	DiskannNodeRef ref;
	uint32	   *node_places;	/* place by node */
	uint8	   *signatures;		/* by place, of all columns; 0: not known yet */
} Writer;

/*
 * Write the rows that have no room in the node's own slot: a chain of TIDS
 * slots with falling sequence numbers.  Each slot is locked while it is
 * written; nothing is locked on entry and exit.
 */
static void
write_chain(Writer *writer, DiskannNode node, const BuildNode *info,
			const ItemPointerData *tids)
{
	const DiskannIndex *index = writer->state->index;
	DiskannNodeRef *ref = &writer->ref;
	uint32		done = DISKANN_INLINE_TIDS;
	uint32		nslots = DiskannBuildChainSlots(index, info->nrows);

	for (uint32 i = 0; i < nslots; i++)
	{
		DiskannNode slot = writer->state->shared->nnodes + 1 + info->chain + i;
		DiskannSlot head;
		int			n = Min(info->nrows - done, (uint32) index->meta.max_tids);

		Assert(n > 0);
		CHECK_FOR_INTERRUPTS();
		DiskannNodeCreate(ref, slot, false);
		head = DiskannNodeEdit(ref);
		memset(head, 0, index->meta.slot_size);
		head->state = DISKANN_TIDS;
		head->version = 1;
		head->owner = node;
		head->sequence = nslots - i;
		head->ntids = n;
		memcpy(DiskannSlotTids(ref->image), tids + done,
			   sizeof(ItemPointerData) * n);
		done += n;
		head->next = i + 1 < nslots ? slot + 1 : DISKANN_INVALID_NODE;
		DiskannNodeWriteAll(ref);
		DiskannNodeClose(ref);
	}
	Assert(nslots == 0 || done == info->nrows);
}

/* The TIDs of a node's rows, palloc'd; they have consecutive places. */
static ItemPointerData *
read_tids(BuildState *state, const BuildNode *info)
{
	ItemPointerData *tids = palloc_extended(sizeof(ItemPointerData) *
											(Size) info->nrows,
											MCXT_ALLOC_HUGE);

	Assert(info->nrows > 0);
	for (uint32 i = 0; i < info->nrows; i++)
		tids[i] = DiskannBuildRow(state, info->place + i)->tid;
	return tids;
}

/*
 * The signatures of the row at a place, which stay where they are.  Every row
 * is the neighbour of many.
 */
static const uint8 *
row_signatures(Writer *writer, uint32 place, const BuildCode *code)
{
	BuildState *state = writer->state;
	int			n = DiskannSignatureCount(&state->index->meta);
	uint8	   *signatures = writer->signatures + (Size) place * n;
	DiskannMarks marks;

	if (n > 0 && signatures[0] == 0)
	{
		DiskannSign(state->signatures, DiskannBuildFilters(state, code),
					&marks);
		memcpy(signatures, marks.signatures, n);
	}
	return signatures;
}

/*
 * Decode the stored vectors of a node's neighbours, from which its edges are
 * coded, and find their signatures; palloc'd.
 */
static void
read_neighbours(Writer *writer, const uint32 *edges, DiskannNewNode *new)
{
	BuildState *state = writer->state;
	const DiskannIndex *index = state->index;
	int			n = new->degree;
	const float **vectors = palloc(sizeof(float *) * (n + 1));
	const uint8 **signatures = palloc(sizeof(uint8 *) * (n + 1));

	for (int i = 0; i < n; i++)
	{
		uint32		next = edges[Min(i + 1, n - 1)];
		const BuildCode *code = DiskannBuildRow(state,
												writer->node_places[edges[i]]);
		float	   *x = palloc(sizeof(float) * index->space.dims);

		DiskannBuildPrefetchOwn(state, writer->node_places[next]);
		diskann_vector_decode(index->kind, DiskannBuildOwn(state, code),
							  code->own.scale, index->space.dims, x);
		vectors[i] = x;
		signatures[i] = row_signatures(writer, writer->node_places[edges[i]],
									   code);
	}
	new->nodes = edges;
	new->vectors = vectors;
	new->signatures = signatures;
}

/*
 * Is nothing written on the page of a node yet, when nodes come one after
 * another?  TIDS slots may be there already on the last page.
 */
static bool
is_first_of_page(const Writer *writer, DiskannNode node)
{
	uint32		slots = writer->state->index->meta.slots_per_page;

	return node % slots == 0 &&
		node + slots - 1 <= writer->state->shared->nnodes;
}

/*
 * Write a node's slot, and those of its chain.  Scratch memory is palloc'd in
 * the current context and left there.  Slots are locked while they are
 * written, one at a time; nothing is locked on entry and exit.
 */
static void
write_node(Writer *writer, DiskannNode node, const BuildNode *info)
{
	BuildState *state = writer->state;
	const DiskannIndex *index = state->index;
	const BuildCode *code;
	uint32		edges[DISKANN_MAX_DEGREE];
	DiskannMarks marks;
	DiskannNewNode new;

	new.degree = DiskannBuildReadEdges(state, node, edges);
	read_neighbours(writer, edges, &new);
	new.tids = read_tids(state, info);
	new.ntids = Min(info->nrows, DISKANN_INLINE_TIDS);
	code = DiskannBuildRow(state, info->place);
	new.own = DiskannBuildOwn(state, code);
	new.factors = code->own;
	new.length2 = code->length2;
	new.hash = code->hash;
	new.filters = DiskannBuildFilters(state, code);
	DiskannSign(state->signatures, new.filters, &marks);
	new.marks = &marks;
	new.next = DISKANN_INVALID_NODE;
	new.sequence = DiskannBuildChainSlots(index, info->nrows);
	if (new.sequence > 0)
	{
		new.next = state->shared->nnodes + 1 + info->chain;
		write_chain(writer, node, info, new.tids);
	}
	DiskannNodeCreate(&writer->ref, node, is_first_of_page(writer, node));
	DiskannNodeEdit(&writer->ref);
	DiskannFillNode(index, writer->ref.image, &new,
					palloc(sizeof(float) * index->space.dims));
	DiskannNodeWriteAll(&writer->ref);
	DiskannNodeClose(&writer->ref);
}

/* Nodes that lie on a run of pages. */
static uint32
nodes_per_run(const DiskannIndex *index)
{
	return index->meta.pages_per_slot > 1 ?
		Max(RUN_PAGES / index->meta.pages_per_slot, 1) :
		RUN_PAGES * index->meta.slots_per_page;
}

/* Write nodes first..end - 1, as far as there are any, and log their pages. */
static void
write_run(Writer *writer, DiskannNode first, DiskannNode end,
		  MemoryContext node_context)
{
	BuildState *state = writer->state;
	uint32		nnodes = state->shared->nnodes;
	BuildNode  *infos;
	DiskannNode from = Max(first, 1);	/* the entry node is there */
	DiskannNode to = Min(end, nnodes + 1);
	MemoryContext old;

	Assert(from < to);
	infos = palloc(sizeof(BuildNode) * (to - from));
	DiskannSpoolRead(DiskannBuildFile(state, FILE_NODES, 0),
					 (from - 1) * sizeof(BuildNode), infos,
					 (to - from) * sizeof(BuildNode));
	old = MemoryContextSwitchTo(node_context);
	for (DiskannNode node = from; node < to; node++)
	{
		CHECK_FOR_INTERRUPTS();
		write_node(writer, node, &infos[node - from]);
		MemoryContextReset(node_context);
	}
	MemoryContextSwitchTo(old);

	/* Pages shared with TIDS slots are not complete yet. */
	if (to == end)
		DiskannLogPages(state->rel, DiskannNodeBlock(state->index, first),
						DiskannNodeBlock(state->index, end));
	DiskannBuildDone(state, to - from);
}

/*
 * Leader: log what no run has logged.  That is what comes before the nodes, the
 * pages from the last incomplete run on, and those of the filter map, which
 * runs share.
 */
static void
log_rest(BuildState *state)
{
	const DiskannMetaPageData *meta = &state->index->meta;
	BlockNumber nblocks = RelationGetNumberOfBlocks(state->rel);
	uint32		per_run = nodes_per_run(state->index);
	DiskannNode rest = (state->shared->nnodes + 1) / per_run * per_run;

	DiskannLogPages(state->rel, 0,
					DiskannNodeBlock(state->index, DISKANN_ENTRY_NODE));
	DiskannLogPages(state->rel, DiskannNodeBlock(state->index, rest), nblocks);
	for (uint32 i = 0; i < DiskannMapPagesOfBlocks(meta, nblocks); i++)
		DiskannLogPages(state->rel, DiskannBlockOfMap(meta, i),
						DiskannBlockOfMap(meta, i) + 1);
}

void
DiskannBuildWrite(BuildState *state)
{
	MemoryContext context = AllocSetContextCreate(state->context,
												  "diskann build pages",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext node_context = AllocSetContextCreate(context,
													   "diskann build node",
													   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	uint32		per_run = nodes_per_run(state->index);
	uint64		nruns = state->shared->nnodes / per_run + 1;
	Writer		writer;
	uint64		run;

	Assert(state->shared->phase == PHASE_WRITE);
	DiskannBuildUseFile(state, FILE_PLACED);
	memset(&writer, 0, sizeof(writer));
	writer.state = state;
	DiskannNodeInit(&writer.ref, state->rel, state->index, true);
	writer.node_places = DiskannBuildNodePlaces(state);
	writer.signatures = palloc_extended((Size) state->shared->nrows *
										DiskannSignatureCount(&state->index->meta) + 1,
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	MemoryContextSwitchTo(state->scratch);
	while (DiskannBuildTake(state, nruns, &run))
		write_run(&writer, run * per_run, (run + 1) * per_run, node_context);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	DiskannBuildStep(state, log_rest);
	if (DISKANN_LEADS(state))
		elog(DEBUG1, "diskann build: " UINT64_FORMAT " reads of rows",
			 pg_atomic_read_u64(&state->shared->reads));
}
