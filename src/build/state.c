/*-------------------------------------------------------------------------
 *
 * state.c
 *	  CREATE INDEX: what all phases use.
 *
 * Temporary files and who opens them, the barrier between phases, pieces of
 * work, progress, and each participant's cache of rows.
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

/* One part in so many of a participant's memory caches rows. */
#define CACHE_SHARE 2

static const char *const file_names[NFILES] = {
	"sample", "codes", "leaders", "candidates", "directory", "assign",
	"sections", "members", "order", "nodes", "map", "edges"
};

void
DiskannBuildInitShared(BuildShared *shared)
{
	pg_atomic_init_u64(&shared->next, 0);
	pg_atomic_init_u64(&shared->done, 0);
	pg_atomic_init_u64(&shared->distances, 0);
	SpinLockInit(&shared->mutex);
}

void
DiskannBuildInitState(BuildState *state, Relation heap, Relation rel,
					  IndexInfo *info)
{
	memset(state, 0, sizeof(BuildState));
	state->heap = heap;
	state->index_rel = rel;
	state->info = info;
	state->support = DiskannGetSupport(rel);
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
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
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

	elog(DEBUG1, "diskann build: %s", DiskannBuildPhaseName(phase));
	pg_atomic_write_u64(&state->shared->done, 0);
	pgstat_progress_update_multi_param(3, names, values);
}

void
DiskannBuildDone(BuildState *state, uint64 n)
{
	uint64		done = pg_atomic_add_fetch_u64(&state->shared->done, n);

	if (DISKANN_LEADS(state))
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

static DiskannSpool **
file_place(BuildState *state, BuildFile file, int participant)
{
	return &state->spools[file >= FIRST_COMMON_FILE ? file :
						  participant * NFILES + file];
}

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
	DiskannSpool **place = file_place(state, file, state->participant);
	char		name[MAXPGPATH];

	file_name(name, file, state->participant);
	*place = DiskannSpoolCreate(state->parallel ? &state->shared->files : NULL,
								name);
	MemoryContextSwitchTo(old);
	return *place;
}

DiskannSpool *
DiskannBuildFile(BuildState *state, BuildFile file, int participant)
{
	DiskannSpool **place = file_place(state, file, participant);

	if (*place == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);
		char		name[MAXPGPATH];

		file_name(name, file, participant);
		*place = DiskannSpoolOpen(&state->shared->files, name);
		MemoryContextSwitchTo(old);
	}
	return *place;
}

static void
wait_for_all(BuildState *state)
{
	if (state->shared->participants > 1)
		BarrierArriveAndWait(&state->shared->barrier, PG_WAIT_EXTENSION);
}

void
DiskannBuildStep(BuildState *state, void (*work) (BuildState *state))
{
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

void
DiskannBuildStartCache(BuildState *state)
{
	BuildShared *shared = state->shared;
	MemoryContext old = MemoryContextSwitchTo(state->context);

	state->first_row = palloc0(sizeof(uint32) * (shared->participants + 1));
	for (int p = 0; p < shared->participants; p++)
		state->first_row[p + 1] = state->first_row[p] + shared->rows[p];
	state->ncached = Min(shared->nrows,
						 shared->memory / CACHE_SHARE / state->code_bytes);
	state->cached = palloc0(sizeof(uint32) * state->ncached);
	state->cache = palloc_extended(state->code_bytes * state->ncached,
								   MCXT_ALLOC_HUGE);
	MemoryContextSwitchTo(old);
}

/* Where in the cache a row is, if it is there. */
static inline uint32
place_in_cache(const BuildState *state, uint32 row)
{
	return row < state->ncached ? row : row % state->ncached;
}

static inline const BuildCode *
cached_row(const BuildState *state, uint32 row)
{
	return (const BuildCode *) (state->cache +
								place_in_cache(state, row) * state->code_bytes);
}

void
DiskannBuildPrefetchOwn(const BuildState *state, uint32 row)
{
	const BuildCode *code = cached_row(state, row);

	DiskannPrefetch(code, offsetof(BuildCode, code));
	DiskannPrefetch(DiskannBuildOwn(state, code), state->index->meta.own_bytes);
}

const BuildCode *
DiskannBuildRow(BuildState *state, uint32 row)
{
	uint32		at = place_in_cache(state, row);
	char	   *cached = state->cache + at * state->code_bytes;

	if (state->cached[at] != row + 1)
	{
		int			p = 0;

		while (row >= state->first_row[p + 1])
			p++;
		state->cached[at] = 0;
		DiskannSpoolRead(DiskannBuildFile(state, FILE_CODES, p),
						 (row - state->first_row[p]) * state->code_bytes,
						 cached, state->code_bytes);
		state->cached[at] = row + 1;
	}
	return (const BuildCode *) cached;
}

void
DiskannBuildFetch(BuildState *state, const uint32 *numbers, int n,
				  const uint32 *row_of, DiskannBlock *block)
{
	for (int i = 0; i < n; i++)
	{
		uint32		next = numbers[Min(i + 1, n - 1)];
		uint32		row = row_of ? row_of[numbers[i]] : numbers[i];
		const BuildCode *code = DiskannBuildRow(state, row);

		DiskannPrefetch(cached_row(state, row_of ? row_of[next] : next),
						offsetof(BuildCode, code) + state->index->space.dims);
		DiskannBlockAdd(block, code->code, code->scale, code->norm2);
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

int
DiskannBuildReadEdges(BuildState *state, uint32 node, uint32 *edges)
{
	uint32		buffer[1 + DISKANN_MAX_DEGREE];

	DiskannSpoolRead(DiskannBuildFile(state, FILE_EDGES, 0),
					 (node - 1) * DiskannBuildEdgesBytes(state), buffer,
					 DiskannBuildEdgesBytes(state));
	memcpy(edges, buffer + 1, sizeof(uint32) * buffer[0]);
	return buffer[0];
}

void
DiskannBuildWriteEdges(BuildState *state, uint32 node, const uint32 *edges,
					   int n)
{
	uint32		buffer[1 + DISKANN_MAX_DEGREE] = {n};

	memcpy(buffer + 1, edges, sizeof(uint32) * n);
	DiskannSpoolWrite(DiskannBuildFile(state, FILE_EDGES, 0),
					  (node - 1) * DiskannBuildEdgesBytes(state), buffer,
					  DiskannBuildEdgesBytes(state));
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
