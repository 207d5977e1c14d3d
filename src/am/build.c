/*-------------------------------------------------------------------------
 *
 * build.c
 *	  CREATE INDEX.
 *
 * Rows are read into a graph in memory (graph/build.h), rows of equal vectors
 * into one vertex, until all are there or maintenance_work_mem is used up.  The
 * graph is then linked and its nodes written in breadth-first order, so that
 * neighbours tend to share pages.  Rows beyond the memory are inserted one by
 * one.  Nothing of this is logged: the whole index is, once, at the end.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/build.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "am/am.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "common/hashfn.h"
#include "graph/build.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/node.h"
#include "storage/xlog.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/* The centre is the mean of the first rows: this many, or this many bytes. */
#define SAMPLE_ROWS 1024
#define SAMPLE_BYTES (8 * 1024 * 1024)

/* Inner product: room for rows longer than the sample's longest, squared. */
#define LENGTH_RESERVE 1.2f

#define PHASE_LOAD 2
#define PHASE_LINK 3
#define PHASE_WRITE 4
#define PHASE_INSERT 5

/* What is kept beside each vertex; its own code follows unless it is int8. */
typedef struct Payload
{
	uint64		hash;
	float		length2;
	DiskannVectorFactors factors;
	uint32		ntids;
	ItemPointerData first;
	ItemPointerData *tids;		/* all of them, if more than one */
} Payload;

typedef struct HashEntry
{
	uint64		hash;
	uint32		vertex;
	char		status;
} HashEntry;

#define SH_PREFIX vertices
#define SH_ELEMENT_TYPE HashEntry
#define SH_KEY_TYPE uint64
#define SH_KEY hash
#define SH_HASH_KEY(tb, key) ((uint32) ((key) ^ ((key) >> 32)))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "lib/simplehash.h"
#pragma GCC diagnostic pop

typedef struct BuildState
{
	Relation	heap;
	Relation	index_rel;
	const DiskannSupport *support;
	MemoryContext context;		/* of the whole build */
	MemoryContext row_context;	/* reset after every row */
	double		index_tuples;
	float		max_length2;	/* of the rows in the graph, see space.h */
	Size		memory_limit;

	/* Rows read before the index has a centre. */
	int			dims;			/* 0 before the first row */
	int			sample_rows;
	int			sample_size;
	float	   *sample;
	uint64	   *sample_hashes;
	ItemPointerData *sample_tids;

	DiskannIndex *index;		/* once it has one */
	DiskannBuild *build;
	vertices_hash *vertices;
	MemoryContext tids_context;
	Size		tids_memory;
	float	   *x;
	char	   *code;
	DiskannInserter *inserter;	/* once the memory is used up */
} BuildState;

char *
diskannbuildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case PHASE_LOAD:
			return "loading vectors";
		case PHASE_LINK:
			return "linking graph";
		case PHASE_WRITE:
			return "writing pages";
		case PHASE_INSERT:
			return "inserting rows beyond maintenance_work_mem";
		default:
			return NULL;
	}
}

static void
enter_phase(int64 phase, int64 total)
{
	const int	names[] = {PROGRESS_CREATEIDX_SUBPHASE,
	PROGRESS_CREATEIDX_TUPLES_DONE, PROGRESS_CREATEIDX_TUPLES_TOTAL};
	const int64 values[] = {phase, 0, total};

	pgstat_progress_update_multi_param(3, names, values);
}

static void
report_done(void *arg, uint32 done)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

/* ---------- rows into vertices ---------- */

static bool
own_is_int8(const BuildState *state)
{
	return state->index->kind == DISKANN_INT8;
}

static void *
payload_own(Payload *payload)
{
	return (char *) payload + MAXALIGN(sizeof(Payload));
}

static void
add_tid(BuildState *state, Payload *payload, ItemPointer tid)
{
	uint32		n = payload->ntids++;

	/* The list doubles whenever its length is a power of two. */
	if (n == 0)
		payload->first = *tid;
	else if (n == 1)
	{
		payload->tids = MemoryContextAlloc(state->tids_context,
										   2 * sizeof(ItemPointerData));
		payload->tids[0] = payload->first;
	}
	else if ((n & (n - 1)) == 0)
		payload->tids = repalloc_huge(payload->tids,
									  2 * (Size) n * sizeof(ItemPointerData));
	if (n > 0)
		payload->tids[n] = *tid;
}

/* A vertex with the same vector, if there is one. */
static Payload *
find_duplicate(BuildState *state, uint64 hash)
{
	HashEntry  *entry = vertices_lookup(state->vertices, hash);
	float		scale;
	float		norm2;

	if (entry == NULL ||
		memcmp(DiskannBuildCode(state->build, entry->vertex, &scale, &norm2),
			   state->code, state->index->space.dims) != 0)
		return NULL;
	return DiskannBuildPayload(state->build, entry->vertex);
}

/* Add a row, given in the user's space, to the graph. */
static void
add_vertex(BuildState *state, const float *row, uint64 hash, ItemPointer tid)
{
	const DiskannIndex *index = state->index;
	DiskannVectorFactors int8_factors;
	Payload    *payload;
	uint32		vertex;
	float		length2;
	bool		found;

	memcpy(state->x, row, sizeof(float) * state->dims);
	length2 = diskann_space_row(&index->space, state->x);
	state->max_length2 = Max(state->max_length2, length2);
	diskann_vector_encode(DISKANN_INT8, state->x, index->space.dims,
						  state->code, &int8_factors);
	payload = find_duplicate(state, hash);
	if (payload == NULL)
	{
		vertex = DiskannBuildAdd(state->build, (int8 *) state->code,
								 int8_factors.scale, int8_factors.norm2);
		payload = DiskannBuildPayload(state->build, vertex);
		payload->hash = hash;
		payload->length2 = length2;
		payload->factors = int8_factors;
		if (!own_is_int8(state))
			diskann_vector_encode(index->kind, state->x, index->space.dims,
								  payload_own(payload), &payload->factors);
		vertices_insert(state->vertices, hash, &found)->vertex = vertex;
	}
	add_tid(state, payload, tid);
}

/* The sample is complete: fix the centre and start the graph with its rows. */
static void
start_graph(BuildState *state)
{
	DiskannBuildOptions options;
	float		max_norm2 = 0;

	for (int i = 0; i < state->sample_rows; i++)
	{
		const float *row = state->sample + (Size) i * state->dims;

		max_norm2 = Max(max_norm2, diskann_kernels->dot_f32(row, row,
															state->dims));
	}
	max_norm2 = DiskannLengthLimit(state->support->metric,
								   max_norm2 * LENGTH_RESERVE);
	DiskannMakeReady(state->index_rel, state->dims, state->sample,
					 state->sample_rows, max_norm2, true);
	state->index = DiskannLoadIndex(state->index_rel, state->context,
									state->support->metric);

	options.dims = state->index->space.dims;
	options.max_degree = state->index->meta.max_degree;
	options.list_size = state->index->meta.build_list_size;
	options.alpha = state->index->meta.alpha;
	options.seed = state->index->meta.seed;
	options.payload = MAXALIGN(sizeof(Payload)) +
		(own_is_int8(state) ? 0 : state->index->own_bytes);
	state->build = DiskannBuildCreate(state->context, &options);
	state->vertices = vertices_create(state->context, 1024, NULL);
	state->tids_context = AllocSetContextCreate(state->context,
												"diskann build tids",
												ALLOCSET_DEFAULT_SIZES);
	state->x = palloc(sizeof(float) * state->index->space.dims);
	state->code = palloc(state->index->space.dims);
	for (int i = 0; i < state->sample_rows; i++)
		add_vertex(state, state->sample + (Size) i * state->dims,
				   state->sample_hashes[i], &state->sample_tids[i]);
	pfree(state->sample);
	pfree(state->sample_hashes);
	pfree(state->sample_tids);
}

static void
add_to_sample(BuildState *state, const DiskannRow *row, ItemPointer tid)
{
	int			n = state->sample_rows;

	if (n == 0)
	{
		state->dims = row->dims;
		state->sample_size = Max(1, Min(SAMPLE_ROWS, SAMPLE_BYTES /
										((int) sizeof(float) * row->dims)));
		state->sample = palloc(sizeof(float) * (Size) state->dims *
							   state->sample_size);
		state->sample_hashes = palloc(sizeof(uint64) * state->sample_size);
		state->sample_tids = palloc(sizeof(ItemPointerData) *
									state->sample_size);
	}
	memcpy(state->sample + (Size) n * state->dims, row->x,
		   sizeof(float) * state->dims);
	state->sample_hashes[n] = row->hash;
	state->sample_tids[n] = *tid;
	state->sample_rows++;
	if (state->sample_rows == state->sample_size)
		start_graph(state);
}

/* ---------- vertices into nodes ---------- */

/* Node numbers of vertices and of their TIDS slots. */
typedef struct Numbering
{
	uint32		start;			/* vertex in the middle of the graph */
	uint32	   *order;			/* vertices by node number, from node 1 */
	DiskannNode *node;			/* node numbers by vertex */
	DiskannNode next;			/* number for the next TIDS slot */
} Numbering;

static Size
vertex_own(BuildState *state, uint32 vertex, const void **own, float *scale)
{
	Payload    *payload = DiskannBuildPayload(state->build, vertex);
	float		norm2;

	*own = own_is_int8(state) ?
		(const void *) DiskannBuildCode(state->build, vertex, scale, &norm2) :
		payload_own(payload);
	*scale = payload->factors.scale;
	return state->index->own_bytes;
}

static void
decode_vertex(BuildState *state, uint32 vertex, float *x)
{
	const void *own;
	float		scale;

	vertex_own(state, vertex, &own, &scale);
	diskann_vector_decode(state->index->kind, own, scale,
						  state->index->space.dims, x);
}

/* TIDS slots for the rows that have no room in the vertex' own slot. */
static uint32
chain_slots(const BuildState *state, const Payload *payload)
{
	return (payload->ntids - DISKANN_INLINE_TIDS +
			state->index->max_tids - 1) / state->index->max_tids;
}

/* Write the rows that have no room in the vertex' own slot. */
static void
write_chain(BuildState *state, DiskannNodeRef *ref, const Payload *payload,
			DiskannNode node, DiskannNode first)
{
	uint32		done = DISKANN_INLINE_TIDS;
	uint32		nslots = chain_slots(state, payload);

	for (DiskannNode slot = first; done < payload->ntids; slot++)
	{
		DiskannSlot head;
		int			n = Min(payload->ntids - done,
							(uint32) state->index->max_tids);

		CHECK_FOR_INTERRUPTS();
		DiskannNodeCreate(ref, slot);
		head = DiskannNodeEdit(ref);
		memset(head, 0, state->index->meta.slot_size);
		head->state = DISKANN_TIDS;
		head->version = 1;
		head->owner = node;
		head->sequence = nslots - (slot - first);
		head->ntids = n;
		memcpy(DiskannSlotTids(ref->image), payload->tids + done,
			   sizeof(ItemPointerData) * n);
		done += n;
		head->next = done < payload->ntids ? slot + 1 : DISKANN_INVALID_NODE;
		DiskannNodeWrite(ref, 0, state->index->meta.slot_size);
		DiskannNodeClose(ref);
	}
}

static void
write_vertex(BuildState *state, DiskannNodeRef *ref, Numbering *numbering,
			 uint32 vertex)
{
	const DiskannIndex *index = state->index;
	Payload    *payload = DiskannBuildPayload(state->build, vertex);
	const uint32 *neighbours;
	DiskannNode nodes[DISKANN_MAX_DEGREE];
	const float *vectors[DISKANN_MAX_DEGREE];
	float	   *decoded = palloc(sizeof(float) * index->space.dims);
	DiskannNewNode new;
	float		scale;

	new.degree = DiskannBuildNeighbours(state->build, vertex, &neighbours);
	for (int i = 0; i < new.degree; i++)
	{
		float	   *x = palloc(sizeof(float) * index->space.dims);

		decode_vertex(state, neighbours[i], x);
		vectors[i] = x;
		nodes[i] = numbering->node[neighbours[i]];
	}
	new.nodes = nodes;
	new.vectors = vectors;
	new.factors = payload->factors;
	new.length2 = payload->length2;
	new.hash = payload->hash;
	new.ntids = Min(payload->ntids, DISKANN_INLINE_TIDS);
	new.tids = payload->ntids == 1 ? &payload->first : payload->tids;
	new.next = DISKANN_INVALID_NODE;
	new.sequence = 0;
	if (payload->ntids > DISKANN_INLINE_TIDS)
	{
		write_chain(state, ref, payload, numbering->node[vertex],
					numbering->next);
		new.next = numbering->next;
		new.sequence = chain_slots(state, payload);
		numbering->next += chain_slots(state, payload);
	}
	vertex_own(state, vertex, &new.own, &scale);

	DiskannNodeCreate(ref, numbering->node[vertex]);
	DiskannNodeEdit(ref);
	DiskannFillNode(index, ref->image, &new, decoded);
	DiskannNodeWrite(ref, 0, index->meta.slot_size);
	DiskannNodeClose(ref);
}

/* Let the entry node point to the middle and to a sample of all vertices. */
static void
write_hub_edges(BuildState *state, DiskannNodeRef *ref,
				const Numbering *numbering)
{
	const DiskannIndex *index = state->index;
	uint32		count = DiskannBuildCount(state->build);
	uint32		nedges = Min(count, index->meta.max_degree);
	uint64		random = index->meta.seed;
	float	   *x = palloc(sizeof(float) * index->space.dims);

	decode_vertex(state, numbering->start, x);
	DiskannLinkHub(ref, numbering->node[numbering->start], x, -1);
	for (uint32 i = 1; i < nedges; i++)
	{
		/* One from each of as many ranges, so that none comes twice. */
		uint64		low = (uint64) count * i / nedges;
		uint64		high = (uint64) count * (i + 1) / nedges;
		uint32		vertex = numbering->order[low + diskann_random64(&random) %
											  (high - low)];

		decode_vertex(state, vertex, x);
		DiskannLinkHub(ref, numbering->node[vertex], x, -1);
	}
	pfree(x);
}

/* Link what is in memory, write it, and free it. */
static void
flush_graph(BuildState *state)
{
	uint32		count = DiskannBuildCount(state->build);
	MemoryContext old = MemoryContextSwitchTo(state->context);
	MemoryContext vertex_context;
	Numbering	numbering;
	DiskannNodeRef ref;

	enter_phase(PHASE_LINK, count);
	DiskannBuildLink(state->build, &numbering.start, report_done, NULL);
	enter_phase(PHASE_WRITE, count);
	numbering.order = palloc_extended(sizeof(uint32) * (Size) count,
									  MCXT_ALLOC_HUGE);
	numbering.node = palloc_extended(sizeof(DiskannNode) * (Size) count,
									 MCXT_ALLOC_HUGE);
	DiskannBuildOrder(state->build, numbering.start, numbering.order);
	for (uint32 i = 0; i < count; i++)
		numbering.node[numbering.order[i]] = i + 1;
	numbering.next = count + 1;

	DiskannNodeInit(&ref, state->index_rel, state->index, true);
	vertex_context = AllocSetContextCreate(state->context,
										   "diskann build vertex",
										   ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(vertex_context);
	for (uint32 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		write_vertex(state, &ref, &numbering, numbering.order[i]);
		MemoryContextReset(vertex_context);
		if (i % 1024 == 0)
			report_done(NULL, i);
	}
	write_hub_edges(state, &ref, &numbering);
	if (state->support->metric == DISKANN_INNER_PRODUCT)
		DiskannRaiseMaxLength2(state->index_rel, state->max_length2, true);
	report_done(NULL, count);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(vertex_context);
	MemoryContextDelete(state->tids_context);
	pfree(numbering.order);
	pfree(numbering.node);
	DiskannBuildFree(state->build);
	state->build = NULL;
	vertices_destroy(state->vertices);
}

/* ---------- the heap scan ---------- */

static Size
memory_used(const BuildState *state)
{
	return DiskannBuildMemory(state->build) +
		MemoryContextMemAllocated(state->tids_context, false) +
		state->vertices->size * sizeof(HashEntry) +
		DiskannBuildCount(state->build) * (sizeof(uint32) * 3);
}

/* Is it time to write the graph and go on row by row? */
static void
check_memory(BuildState *state)
{
	if ((int64) state->index_tuples % 256 != 0 ||
		memory_used(state) < state->memory_limit)
		return;
	ereport(NOTICE,
			(errmsg("diskann graph no longer fits into maintenance_work_mem after %.0f rows",
					state->index_tuples),
			 errdetail("Further rows take longer to add."),
			 errhint("Increase maintenance_work_mem to speed up builds.")));
	flush_graph(state);
	enter_phase(PHASE_INSERT, 0);
	state->inserter = DiskannInserterCreate(state->context, state->index_rel,
											state->index, true);
}

static void
build_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull,
			   bool tupleIsAlive, void *arg)
{
	BuildState *state = arg;
	MemoryContext old;
	DiskannRow	row;

	if (isnull[0])
		return;
	old = MemoryContextSwitchTo(state->row_context);
	if (DiskannReadRow(state->support, values[0], state->dims, &row))
	{
		state->index_tuples++;
		MemoryContextSwitchTo(state->context);
		if (state->inserter)
			DiskannInsertRow(state->inserter, &row, tid);
		else if (state->build)
		{
			add_vertex(state, row.x, row.hash, tid);
			check_memory(state);
		}
		else
			add_to_sample(state, &row, tid);
	}
	else if (state->dims == 0)
		state->dims = row.dims;
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row_context);
}

IndexBuildResult *
diskannbuild(Relation heap, Relation index, IndexInfo *indexInfo)
{
	IndexBuildResult *result = palloc(sizeof(IndexBuildResult));
	DiskannSettings settings;
	BuildState	state;
	MemoryContext old;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(index));

	memset(&state, 0, sizeof(state));
	state.heap = heap;
	state.index_rel = index;
	state.support = DiskannGetSupport(index);
	state.memory_limit = (Size) maintenance_work_mem * 1024;
	state.context = AllocSetContextCreate(CurrentMemoryContext,
										  "diskann build",
										  ALLOCSET_DEFAULT_SIZES);
	state.row_context = AllocSetContextCreate(state.context,
											  "diskann build row",
											  ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(state.context);

	DiskannDecideSettings(index, state.support->metric, NOTICE, &settings);
	DiskannCreateMetapage(index, MAIN_FORKNUM, &settings);
	enter_phase(PHASE_LOAD, 0);
	result->heap_tuples = table_index_build_scan(heap, index, indexInfo, true,
												 true, build_callback, &state,
												 NULL);
	if (state.index == NULL && state.sample_rows > 0)
		start_graph(&state);
	if (state.build)
		flush_graph(&state);
	DiskannLogWholeIndex(index);
	result->index_tuples = state.index_tuples;

	MemoryContextSwitchTo(old);
	MemoryContextDelete(state.context);
	return result;
}

void
diskannbuildempty(Relation index)
{
	DiskannSettings settings;

	/* The build of the main fork has said what there is to say. */
	DiskannDecideSettings(index, DiskannGetSupport(index)->metric, DEBUG1,
						  &settings);
	DiskannCreateMetapage(index, INIT_FORKNUM, &settings);
}
