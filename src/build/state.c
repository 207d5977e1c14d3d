/*-------------------------------------------------------------------------
 *
 * state.c
 *	  CREATE INDEX: what all phases use.
 *
 * Temporary files and who opens them, the barrier between phases, pieces of
 * work, progress, and each participant's cache of rows.
 *
 * The cache is a table of as many rows as there is memory for, indexed by the
 * row's number modulo its size.  Rows are read from the temporary file as they
 * are asked for, and replaced by the next one with the same index.  Nothing
 * better is needed: where not all rows fit, the members of the section at
 * work, which are asked for again and again, are still a small part of all.
 * Once rows are numbered by places, near ones are neighbours in the file, and
 * whoever asks for one will ask for the others: some are read at a time.  And
 * to choose edges takes nothing of a row but its int8 code, so that the cache
 * has room for more of them.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/state.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/state.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "store/node.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "vector/rotate.h"

/*
 * Rows are read at a time as many as have so many bytes, or one, once they are
 * in the order of their places.
 */
#define LINE_BYTES 1024

/* Rows whose vectors the processor is asked for before they are needed. */
#define ROWS_AHEAD 6

static const char *const file_names[NFILES] = {
	"sample", "codes", "leaders", "keys", "candidates", "directory", "assign",
	"signatures", "sections", "members", "order", "placed",
	"vectors", "nodes", "map", "edges"
};

void
DiskannBuildInitShared(BuildShared *shared)
{
	shared->phase = PHASE_START;
	pg_atomic_init_u64(&shared->next, 0);
	pg_atomic_init_u64(&shared->done, 0);
	pg_atomic_init_u64(&shared->distances, 0);
	pg_atomic_init_u64(&shared->reads, 0);
	SpinLockInit(&shared->mutex);
}

void
DiskannBuildInitState(BuildState *state, Relation heap, Relation rel,
					  IndexInfo *info)
{
	memset(state, 0, sizeof(BuildState));
	state->heap = heap;
	state->rel = rel;
	state->info = info;
	state->support = DiskannGetSupport(rel);
	state->column = DiskannVectorColumn(rel);
	state->context = AllocSetContextCreate(CurrentMemoryContext,
										   "diskann build",
										   ALLOCSET_DEFAULT_SIZES);
	state->scratch = AllocSetContextCreate(state->context,
										   "diskann build scratch",
										   ALLOCSET_DEFAULT_SIZES);
}

const char *
DiskannBuildPhaseName(int64 phase)
{
	switch (phase)
	{
		case PHASE_START:
			return "initializing";
		case PHASE_LOAD:
			return "loading vectors";
		case PHASE_PARTITION:
			return "partitioning vectors";
		case PHASE_COMPARE:
			return "comparing vectors";
		case PHASE_CHOOSE:
			return "choosing edges";
		case PHASE_CONNECT:
			return "connecting graph";
		case PHASE_WRITE:
			return "writing pages";
		default:
			return NULL;
	}
}

void
DiskannBuildEnterPhase(BuildState *state, BuildPhase phase, uint64 total)
{
	const int	names[] = {PROGRESS_CREATEIDX_SUBPHASE,
	PROGRESS_CREATEIDX_TUPLES_DONE, PROGRESS_CREATEIDX_TUPLES_TOTAL};
	const int64 values[] = {phase, 0, total};

	StaticAssertStmt(PHASE_START == PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE,
					 "phases are numbered as PostgreSQL numbers them");
	Assert(DISKANN_LEADS(state));
	Assert(phase == state->shared->phase + 1);
	elog(DEBUG1, "diskann build: %s, " UINT64_FORMAT " reads of rows so far",
		 DiskannBuildPhaseName(phase),
		 pg_atomic_read_u64(&state->shared->reads));
	state->shared->phase = phase;
	pg_atomic_write_u64(&state->shared->done, 0);
	pgstat_progress_update_multi_param(3, names, values);
}

void
DiskannBuildDone(BuildState *state, uint64 n)
{
	uint64		done = pg_atomic_add_fetch_u64(&state->shared->done, n);

	/* The leader reports what all have done, when it has done something. */
	if (DISKANN_LEADS(state))
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

/* Where an open file is kept. */
static DiskannSpool **
find_spool(BuildState *state, BuildFile file, int participant)
{
	Assert(file < NFILES);
	Assert(participant >= 0 && participant < state->shared->participants);
	return &state->spools[file >= FIRST_COMMON_FILE ? file :
						  participant * NFILES + file];
}

/* The name by which participants find each other's files. */
static void
file_name(char *name, BuildFile file, int participant)
{
	if (file >= FIRST_COMMON_FILE)
		strlcpy(name, file_names[file], MAXPGPATH);
	else
		snprintf(name, MAXPGPATH, "%s.%d", file_names[file], participant);
}

DiskannSpool *
DiskannBuildCreateFile(BuildState *state, BuildFile file)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	DiskannSpool **spool = find_spool(state, file, state->participant);
	char		name[MAXPGPATH];

	Assert(*spool == NULL);
	Assert(file < FIRST_COMMON_FILE || DISKANN_LEADS(state));
	file_name(name, file, state->participant);
	*spool = DiskannSpoolCreate(state->parallel ? &state->shared->files : NULL,
								name);
	MemoryContextSwitchTo(old);
	return *spool;
}

DiskannSpool *
DiskannBuildFile(BuildState *state, BuildFile file, int participant)
{
	DiskannSpool **spool = find_spool(state, file, participant);

	if (*spool == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);
		char		name[MAXPGPATH];

		/* A process alone has created, and so opened, all there are. */
		Assert(state->parallel);
		file_name(name, file, participant);
		*spool = DiskannSpoolOpen(&state->shared->files, name);
		MemoryContextSwitchTo(old);
	}
	return *spool;
}

void *
DiskannBuildReadFile(BuildState *state, BuildFile file, int participant,
					 Size *size)
{
	Size		bytes;
	void	   *data = DiskannSpoolReadAll(DiskannBuildFile(state, file,
															participant),
										   &bytes);

	if (size)
		*size = bytes;
	return data;
}

/* Wait until all participants have come here. */
static void
wait_for_all(BuildState *state)
{
	if (state->shared->participants > 1)
		BarrierArriveAndWait(&state->shared->barrier, PG_WAIT_EXTENSION);
}

void
DiskannBuildStep(BuildState *state, void (*work) (BuildState *state))
{
	pg_atomic_fetch_add_u64(&state->shared->reads, state->reads);
	state->reads = 0;
	wait_for_all(state);
	if (DISKANN_LEADS(state))
	{
		if (work)
			work(state);
		pg_atomic_write_u64(&state->shared->next, 0);
	}
	wait_for_all(state);
	MemoryContextReset(state->scratch);
}

bool
DiskannBuildTake(BuildState *state, uint64 npieces, uint64 *piece)
{
	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(state->scratch);
	*piece = pg_atomic_fetch_add_u64(&state->shared->next, 1);
	return *piece < npieces;
}

/* Bytes of a row in a file that is cached. */
static Size
record_bytes(const BuildState *state, BuildFile file)
{
	return file == FILE_VECTORS ?
		DiskannBuildVectorBytes(&state->index->meta) : state->code_bytes;
}

/* Make a cache of a file, of nothing yet. */
static void
make_cache(BuildState *state, BuildFile file)
{
	const BuildShared *shared = state->shared;
	Size		room = DiskannBuildCacheBytes(file, shared->memory);
	Size		line_bytes;

	state->cached_file = file;
	state->record_bytes = record_bytes(state, file);
	state->line_bits = 0;
	while (file != FILE_CODES &&
		   state->record_bytes << (state->line_bits + 1) <= LINE_BYTES)
		state->line_bits++;
	line_bytes = state->record_bytes << state->line_bits;
	state->cache_lines = Min(((shared->nrows - 1) >> state->line_bits) + 1,
							 room / line_bytes);
	Assert(state->cache_lines > 0);
	state->cached = MemoryContextAllocZero(state->context,
										   sizeof(uint32) * state->cache_lines);
	state->cache = MemoryContextAllocHuge(state->context,
										  line_bytes * state->cache_lines);
}

void
DiskannBuildStartCache(BuildState *state)
{
	BuildShared *shared = state->shared;
	MemoryContext old = MemoryContextSwitchTo(state->context);

	Assert(state->first_row == NULL && shared->nrows > 0);
	state->first_row = palloc0(sizeof(uint32) * (shared->participants + 1));
	for (int p = 0; p < shared->participants; p++)
		state->first_row[p + 1] = state->first_row[p] + shared->rows[p];
	Assert(state->first_row[shared->participants] == shared->nrows);
	MemoryContextSwitchTo(old);
	make_cache(state, FILE_CODES);
}

void
DiskannBuildUseFile(BuildState *state, BuildFile file)
{
	if (state->cached_file == file)
		return;
	if (state->cached_file == FILE_CODES)
		DiskannSpoolTruncate(DiskannBuildFile(state, FILE_CODES,
											  state->participant));
	pfree(state->cache);
	pfree(state->cached);
	make_cache(state, file);
}

/* Where in the cache a row is, if it is there, counted in rows. */
static inline uint32
cache_index(const BuildState *state, uint32 row)
{
	uint32		line = row >> state->line_bits;

	Assert(row < state->shared->nrows);

	/* Mostly all fit: no division. */
	if (line < state->cache_lines)
		return row;
	return (line % state->cache_lines << state->line_bits) +
		(row - (line << state->line_bits));
}

/* The memory where a row is, or another one. */
static inline const void *
cached_row(const BuildState *state, uint32 row)
{
	return state->cache + cache_index(state, row) * state->record_bytes;
}

void
DiskannBuildPrefetchOwn(const BuildState *state, uint32 row)
{
	const BuildCode *code = cached_row(state, row);

	DiskannPrefetch(code, offsetof(BuildCode, code));
	DiskannPrefetch(DiskannBuildOwn(state, code), state->index->meta.own_bytes);
}

/* Read the line of a row into its place in the cache. */
static void
read_line(BuildState *state, uint32 row)
{
	uint32		line = row >> state->line_bits;
	uint32		first = line << state->line_bits;
	uint32		at = cache_index(state, first);
	uint32		n = Min((uint32) 1 << state->line_bits,
						state->shared->nrows - first);
	uint32	   *cached = &state->cached[at >> state->line_bits];
	DiskannSpool *file;
	int			p = 0;

	if (state->cached_file == FILE_CODES)
	{
		while (row >= state->first_row[p + 1])
			p++;
		first -= state->first_row[p];
	}
	file = DiskannBuildFile(state, state->cached_file, p);

	/* Nothing is there if the read fails. */
	*cached = 0;
	DiskannSpoolRead(file, first * state->record_bytes,
					 state->cache + at * state->record_bytes,
					 n * state->record_bytes);
	*cached = line + 1;
	state->reads++;
}

/* A row in the file that is cached. */
static inline const void *
read_row(BuildState *state, uint32 row)
{
	uint32		at = cache_index(state, row);

	if (state->cached[at >> state->line_bits] != (row >> state->line_bits) + 1)
		read_line(state, row);
	return state->cache + at * state->record_bytes;
}

const BuildCode *
DiskannBuildRow(BuildState *state, uint32 row)
{
	Assert(state->cached_file != FILE_VECTORS);
	return read_row(state, row);
}

/* The code of a row in the file that is cached, appended to a block. */
static inline void
add_row(BuildState *state, uint32 row, DiskannBlock *block)
{
	const void *record = read_row(state, row);

	if (state->cached_file == FILE_VECTORS)
	{
		const BuildVector *vector = record;

		DiskannBlockAdd(block, vector->code, vector->scale, vector->norm2);
	}
	else
	{
		const BuildCode *code = record;

		DiskannBlockAdd(block, code->code, code->scale, code->norm2);
	}
}

void
DiskannBuildFetch(BuildState *state, const uint32 *numbers, int n,
				  const uint32 *row_of, DiskannBlock *block)
{
	Size		bytes = state->index->space.dims +
		(state->cached_file == FILE_VECTORS ? offsetof(BuildVector, code) :
		 offsetof(BuildCode, code));

	for (int i = -ROWS_AHEAD; i < n; i++)
	{
		if (i + ROWS_AHEAD < n)
		{
			uint32		ahead = numbers[i + ROWS_AHEAD];

			DiskannPrefetch(cached_row(state, row_of ? row_of[ahead] : ahead),
							bytes);
		}
		if (i >= 0)
			add_row(state, row_of ? row_of[numbers[i]] : numbers[i], block);
	}
}

uint64
DiskannBuildPriority(const BuildState *state, uint64 hash)
{
	uint64		x = hash ^ state->index->meta.seed;

	return diskann_random64(&x);
}

const void *
DiskannBuildOwn(const BuildState *state, const BuildCode *code)
{
	const DiskannIndex *index = state->index;

	return code->code + (diskann_vector_has_int8(index->kind) ? 0 :
						 MAXALIGN(index->space.dims));
}

/*
 * Where the edges of a node are in FILE_EDGES; the entry node has none there.
 */
static uint64
edges_offset(const BuildState *state, uint32 node)
{
	Assert(node >= 1 && node <= state->shared->nnodes);
	return (node - 1) * DiskannBuildEdgesBytes(&state->index->meta);
}

int
DiskannBuildReadEdges(BuildState *state, uint32 node, uint32 *edges)
{
	uint32		buffer[1 + DISKANN_MAX_DEGREE];

	DiskannSpoolRead(DiskannBuildFile(state, FILE_EDGES, 0),
					 edges_offset(state, node), buffer,
					 DiskannBuildEdgesBytes(&state->index->meta));
	Assert(buffer[0] <= state->index->meta.max_degree);
	memcpy(edges, buffer + 1, sizeof(uint32) * buffer[0]);
	return buffer[0];
}

void
DiskannBuildWriteEdges(BuildState *state, uint32 node, const uint32 *edges,
					   int n)
{
	uint32		buffer[1 + DISKANN_MAX_DEGREE] = {n};

	Assert(n >= 0 && n <= state->index->meta.max_degree);
	memcpy(buffer + 1, edges, sizeof(uint32) * n);
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_EDGES, 0),
					  edges_offset(state, node), buffer,
					  DiskannBuildEdgesBytes(&state->index->meta));
}

void
DiskannBuildCloseFiles(BuildState *state)
{
	for (int i = 0; i < NFILES * state->shared->participants; i++)
	{
		if (state->spools[i])
			DiskannSpoolClose(state->spools[i]);
	}
}
