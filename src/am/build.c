/*-------------------------------------------------------------------------
 *
 * build.c
 *	  CREATE INDEX.
 *
 * Phases and what they have in common; see src/README, section 8.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/build.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/build.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/node.h"
#include "storage/xlog.h"
#include "utils/backend_progress.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "vector/rotate.h"

/* The part of it that keeps rows fetched lately. */
#define CACHE_SHARE 2

static const char *const file_names[NFILES] = {
	"sample", "codes", "leaders", "candidates", "directory", "assign",
	"sections", "members", "order", "nodes", "map", "edges"
};

char *
diskannbuildphasename(int64 phase)
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

/* ---------- what all phases use ---------- */

void
DiskannBuildEnterPhase(BuildState *state, BuildPhase phase, uint64 total)
{
	const int	names[] = {PROGRESS_CREATEIDX_SUBPHASE,
	PROGRESS_CREATEIDX_TUPLES_DONE, PROGRESS_CREATEIDX_TUPLES_TOTAL};
	const int64 values[] = {phase, 0, total};

	elog(DEBUG1, "diskann build: %s", diskannbuildphasename(phase));
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
	DiskannPrefetch(DiskannBuildOwn(state, code), state->index->own_bytes);
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

/* ---------- the whole ---------- */

void
DiskannBuildInitShared(BuildShared *shared)
{
	pg_atomic_init_u64(&shared->next, 0);
	pg_atomic_init_u64(&shared->done, 0);
	pg_atomic_init_u64(&shared->distances, 0);
	SpinLockInit(&shared->mutex);
}

void
DiskannBuildInitState(BuildState *state, Relation heap, Relation index,
					  IndexInfo *info)
{
	memset(state, 0, sizeof(BuildState));
	state->heap = heap;
	state->index_rel = index;
	state->info = info;
	state->support = DiskannGetSupport(index);
	state->context = AllocSetContextCreate(CurrentMemoryContext,
										   "diskann build",
										   ALLOCSET_DEFAULT_SIZES);
	state->scratch = AllocSetContextCreate(state->context,
										   "diskann build scratch",
										   ALLOCSET_DEFAULT_SIZES);
}

void
DiskannBuildRun(BuildState *state)
{
	state->spools = palloc0(sizeof(DiskannSpool *) * NFILES *
							state->shared->participants);
	DiskannBuildReadRows(state);
	if (state->shared->dims == 0)
		return;
	DiskannBuildPartition(state);
	DiskannBuildCompare(state);
	DiskannBuildStep(state, DiskannBuildNumber);
	DiskannBuildChoose(state);
	DiskannBuildStep(state, DiskannBuildConnect);
	DiskannBuildWrite(state);
	DiskannBuildStep(state, NULL);
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

void
DiskannBuildReport(BuildState *leader, IndexBuildResult *result)
{
	result->heap_tuples = leader->shared->heap_tuples;
	result->index_tuples = leader->shared->index_tuples;
	if (leader->shared->broken_hot_chain)
		leader->info->ii_BrokenHotChain = true;

	/* Nothing has been written, then, but what an empty index has. */
	if (leader->shared->dims == 0)
		DiskannLogPages(leader->index_rel, 0,
						RelationGetNumberOfBlocks(leader->index_rel));
}

/* Everything by this process alone. */
static void
build_serially(BuildState *state, IndexBuildResult *result)
{
	BuildShared *shared = palloc0(sizeof(BuildShared) + sizeof(uint32));

	DiskannBuildInitShared(shared);
	shared->participants = 1;
	shared->memory = Max((Size) maintenance_work_mem * 1024,
						 DISKANN_BUILD_MIN_MEMORY);
	state->shared = shared;
	DiskannBuildRun(state);
	DiskannBuildCloseFiles(state);
	DiskannBuildReport(state, result);
}

IndexBuildResult *
diskannbuild(Relation heap, Relation index, IndexInfo *indexInfo)
{
	IndexBuildResult *result = palloc(sizeof(IndexBuildResult));
	DiskannSettings settings;
	BuildState	state;
	MemoryContext old;
	int			nworkers;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(index));
	DiskannBuildInitState(&state, heap, index, indexInfo);
	old = MemoryContextSwitchTo(state.context);
	DiskannDecideSettings(index, state.support->metric, NOTICE, &settings);
	DiskannCreateMetapage(index, MAIN_FORKNUM, &settings);
	nworkers = DiskannBuildWorkers(heap, index);
	if (nworkers == 0 || !DiskannBuildParallel(&state, nworkers, result))
		build_serially(&state, result);
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
