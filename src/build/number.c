/*-------------------------------------------------------------------------
 *
 * number.c
 *	  CREATE INDEX: the numbers of nodes.
 *
 * The comparison of vectors leaves the rows of a ball in an order in which
 * near ones follow each other.  The leader numbers the nodes in that order, so
 * that near nodes share pages, and finds out how many slots rows of equal
 * vectors need beside their node's own.  Those slots are numbered after the
 * last node, so that nodes stay together.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/number.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/phases.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Places, or nodes, read at a time. */
#define PLACES 4096

/* The leader's work in this step. */
typedef struct Numbering
{
	BuildState *state;
	DiskannSpool *nodes;
	uint32	   *map;			/* node of each row */
	BuildNode	node;			/* being put together */
	uint32		nnodes;			/* so far, with that one */
	DiskannNode nchains;		/* TIDS slots so far */
} Numbering;

/* TIDS slots for the rows that have no room in the node's own slot. */
uint32
DiskannBuildChainSlots(const DiskannIndex *index, uint32 nrows)
{
	if (nrows <= DISKANN_INLINE_TIDS)
		return 0;
	return (nrows - DISKANN_INLINE_TIDS + index->meta.max_tids - 1) /
		index->meta.max_tids;
}

/* Write the node being put together, if there is one. */
static void
finish_node(Numbering *numbering)
{
	BuildNode  *node = &numbering->node;
	uint32		nslots;

	if (node->nrows == 0)
		return;
	nslots = DiskannBuildChainSlots(numbering->state->index, node->nrows);

	/* Counted from 0 here; they come after the last node. */
	node->chain = nslots > 0 ? numbering->nchains : DISKANN_INVALID_NODE;
	numbering->nchains += nslots;
	DiskannSpoolAppend(numbering->nodes, node, sizeof(BuildNode));
	node->nrows = 0;
}

/* Number the nodes of a ball's home rows. */
static void
number_section(Numbering *numbering, BuildSection *section)
{
	DiskannSpool *order = DiskannBuildFile(numbering->state, FILE_ORDER, 0);
	BuildPlace *places = palloc(sizeof(BuildPlace) * PLACES);

	section->first_node = numbering->nnodes + 1;
	for (uint32 from = 0; from < section->homes; from += PLACES)
	{
		uint32		n = Min(PLACES, section->homes - from);

		CHECK_FOR_INTERRUPTS();
		DiskannSpoolRead(order,
						 (section->place + (uint64) from) * sizeof(BuildPlace),
						 places, n * sizeof(BuildPlace));
		for (uint32 i = 0; i < n; i++)
		{
			if (!places[i].is_copy)
			{
				finish_node(numbering);
				numbering->node.place = section->place + from + i;
				numbering->nnodes++;
			}
			/* A copy follows what it is a copy of. */
			Assert(numbering->node.nrows > 0 || !places[i].is_copy);
			Assert(places[i].row < numbering->state->shared->nrows);
			numbering->node.nrows++;
			numbering->map[places[i].row] = numbering->nnodes;
		}
	}
	pfree(places);
}

/* Leader: number the nodes, those of a leaf one after another. */
void
DiskannBuildNumber(BuildState *state)
{
	BuildShared *shared = state->shared;
	DiskannSpool *file = DiskannBuildFile(state, FILE_SECTIONS, 0);
	DiskannSpool *map = DiskannBuildCreateFile(state, FILE_MAP);
	BuildSection *sections;
	Numbering	numbering;
	Size		size;

	Assert(DISKANN_LEADS(state) && shared->phase == PHASE_COMPARE);
	memset(&numbering, 0, sizeof(numbering));
	numbering.state = state;
	numbering.nodes = DiskannBuildCreateFile(state, FILE_NODES);
	numbering.map = palloc_extended(sizeof(uint32) * (Size) shared->nrows,
									MCXT_ALLOC_HUGE);
	sections = DiskannSpoolReadAll(file, &size);
	for (int s = 0; s < shared->nballs; s++)
		number_section(&numbering, &sections[s]);
	finish_node(&numbering);
	DiskannSpoolFlush(numbering.nodes);
	DiskannSpoolWrite(file, 0, sections, size);
	DiskannSpoolAppend(map, numbering.map,
					   sizeof(uint32) * (Size) shared->nrows);
	DiskannSpoolFlush(map);
	pfree(numbering.map);
	if ((uint64) numbering.nnodes + numbering.nchains >=
		DISKANN_INVALID_NODE - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for a diskann index")));
	Assert(numbering.nnodes >= 1 && numbering.nnodes <= shared->nrows);
	shared->nnodes = numbering.nnodes;
	shared->nchains = numbering.nchains;
	DiskannBuildCreateFile(state, FILE_EDGES);
	DiskannBuildEnterPhase(state, PHASE_CHOOSE, shared->nnodes);
}

uint32 *
DiskannBuildNodePlaces(BuildState *state)
{
	uint32		nnodes = state->shared->nnodes;
	uint32	   *result = palloc_extended(sizeof(uint32) * (nnodes + (Size) 1),
										 MCXT_ALLOC_HUGE);
	BuildNode  *nodes = palloc(sizeof(BuildNode) * PLACES);

	result[0] = 0;
	for (uint32 from = 0; from < nnodes; from += PLACES)
	{
		uint32		n = Min(PLACES, nnodes - from);

		DiskannSpoolRead(DiskannBuildFile(state, FILE_NODES, 0),
						 from * sizeof(BuildNode), nodes,
						 n * sizeof(BuildNode));
		for (uint32 i = 0; i < n; i++)
			result[from + 1 + i] = nodes[i].place;
	}
	pfree(nodes);
	return result;
}
