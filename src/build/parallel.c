/*-------------------------------------------------------------------------
 *
 * parallel.c
 *	  CREATE INDEX: the same work by several processes.
 *
 * Workers do what the leader does, see run.c; the leader is participant 0 and
 * works like any other.  What they share in memory is small and of a fixed
 * size, BuildShared and the little that PostgreSQL's own parallel CREATE INDEX
 * shares, too (compare _bt_begin_parallel()): a container's few megabytes of
 * shared memory are enough for any table.  All else is in temporary files.
 *
 * Workers may start late or not at all.  Who takes part must be known before
 * the first phase, because each participant has files of its own and all wait
 * for each other at a barrier; so those that have come wait until the leader
 * has counted them (BuildShared.participants), and begin together.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/parallel.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/xact.h"
#include "build/parallel.h"
#include "build/run.h"
#include "catalog/index.h"
#include "catalog/pg_proc.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "storage/spin.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * What is where in the shared memory segment.  Small numbers are PostgreSQL's.
 */
#define KEY_SHARED UINT64CONST(0xD15CA00000000001)
#define KEY_SCAN UINT64CONST(0xD15CA00000000002)
#define KEY_QUERY UINT64CONST(0xD15CA00000000003)
#define KEY_WAL_USAGE UINT64CONST(0xD15CA00000000004)
#define KEY_BUFFER_USAGE UINT64CONST(0xD15CA00000000005)

/* A participant should have this much of maintenance_work_mem, in kB. */
#define MEMORY_PER_PARTICIPANT (32 * 1024)

/*
 * A table of fewer blocks, out-of-line values included, is not worth starting
 * a worker for.
 */
#define MIN_BLOCKS 1024

/* ---------- how many workers ---------- */

/* May the index expressions and predicate be evaluated in a worker? */
static bool
expressions_are_safe(Relation rel)
{
	PlannerInfo root;
	PlannerGlobal glob;

	memset(&root, 0, sizeof(root));
	memset(&glob, 0, sizeof(glob));
	glob.maxParallelHazard = PROPARALLEL_UNSAFE;
	root.type = T_PlannerInfo;
	root.glob = &glob;
	return is_parallel_safe(&root, (Node *) RelationGetIndexExpressions(rel)) &&
		is_parallel_safe(&root, (Node *) RelationGetIndexPredicate(rel));
}

/* Vectors are mostly out of line, so that the table itself tells little. */
static BlockNumber
all_blocks(Relation heap)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(heap);

	if (OidIsValid(heap->rd_rel->reltoastrelid))
	{
		Relation	toast = table_open(heap->rd_rel->reltoastrelid,
									   AccessShareLock);

		blocks += RelationGetNumberOfBlocks(toast);
		table_close(toast, AccessShareLock);
	}
	return blocks;
}

int
DiskannWorkersForBlocks(BlockNumber blocks)
{
	int			workers;

	/* One more for each tripling, as in the planner. */
	for (workers = 0; blocks >= MIN_BLOCKS; blocks /= 3)
		workers++;
	while (workers > 0 &&
		   maintenance_work_mem / (workers + 1) < MEMORY_PER_PARTICIPANT)
		workers--;
	return Min(workers, max_parallel_maintenance_workers);
}

int
DiskannBuildWorkers(Relation heap, Relation rel)
{
	int			workers = RelationGetParallelWorkers(heap, -1);

	if (max_parallel_maintenance_workers == 0 ||
		heap->rd_rel->relpersistence == RELPERSISTENCE_TEMP ||
		!expressions_are_safe(rel))
		return 0;
	if (workers < 0)
		return DiskannWorkersForBlocks(all_blocks(heap));
	return Min(workers, max_parallel_maintenance_workers);
}

/* Take part in the scan of the table that all do together. */
static TableScanDesc
begin_scan(Relation heap, shm_toc *toc)
{
	return table_beginscan_parallel(heap, shm_toc_lookup(toc, KEY_SCAN, false));
}

/* ---------- leader ---------- */

/* What the leader has of a parallel build. */
typedef struct Launch
{
	ParallelContext *pcxt;
	Snapshot	snapshot;		/* with which all scan the table */
	BuildShared *shared;
	WalUsage   *wal_usage;		/* of each worker, as it ends */
	BufferUsage *buffer_usage;
} Launch;

/* Reserve room for all that fill_shared_memory() will allocate. */
static void
estimate_shared_memory(Launch *launch, Relation heap)
{
	ParallelContext *pcxt = launch->pcxt;
	int			n = pcxt->nworkers;

	shm_toc_estimate_chunk(&pcxt->estimator, sizeof(BuildShared) +
						   sizeof(uint32) * (n + 1));
	shm_toc_estimate_chunk(&pcxt->estimator,
						   table_parallelscan_estimate(heap, launch->snapshot));
	shm_toc_estimate_chunk(&pcxt->estimator, mul_size(sizeof(WalUsage), n));
	shm_toc_estimate_chunk(&pcxt->estimator, mul_size(sizeof(BufferUsage), n));
	shm_toc_estimate_keys(&pcxt->estimator, 4);
	if (debug_query_string)
	{
		shm_toc_estimate_chunk(&pcxt->estimator,
							   strlen(debug_query_string) + 1);
		shm_toc_estimate_keys(&pcxt->estimator, 1);
	}
}

/* Allocate zeroed shared memory that workers find by its key. */
static void *
allocate_shared(ParallelContext *pcxt, uint64 key, Size size)
{
	void	   *chunk = shm_toc_allocate(pcxt->toc, size);

	memset(chunk, 0, size);
	shm_toc_insert(pcxt->toc, key, chunk);
	return chunk;
}

/* Put into shared memory what workers need before they can start. */
static void
fill_shared_memory(Launch *launch, BuildState *leader, bool concurrent)
{
	ParallelContext *pcxt = launch->pcxt;
	int			n = pcxt->nworkers;
	BuildShared *shared = allocate_shared(pcxt, KEY_SHARED,
										  sizeof(BuildShared) +
										  sizeof(uint32) * (n + 1));
	Size		scan_size = table_parallelscan_estimate(leader->heap,
														launch->snapshot);

	Assert(shared->participants == 0);
	launch->shared = shared;
	shared->heap_oid = RelationGetRelid(leader->heap);
	shared->index_oid = RelationGetRelid(leader->rel);
	shared->concurrent = concurrent;
	ConditionVariableInit(&shared->started);
	SharedFileSetInit(&shared->files, pcxt->seg);
	DiskannBuildInitShared(shared);
	table_parallelscan_initialize(leader->heap,
								  allocate_shared(pcxt, KEY_SCAN, scan_size),
								  launch->snapshot);
	launch->wal_usage = allocate_shared(pcxt, KEY_WAL_USAGE,
										sizeof(WalUsage) * n);
	launch->buffer_usage = allocate_shared(pcxt, KEY_BUFFER_USAGE,
										   sizeof(BufferUsage) * n);
	if (debug_query_string)
		strcpy(allocate_shared(pcxt, KEY_QUERY, strlen(debug_query_string) + 1),
			   debug_query_string);
}

/* Let those who have come begin. */
static void
start_participants(Launch *launch)
{
	BuildShared *shared = launch->shared;
	int			participants = launch->pcxt->nworkers_launched + 1;

	/*
	 * A worker that could not start is an error here; otherwise it would be
	 * waited for at the barrier for ever.
	 */
	WaitForParallelWorkersToAttach(launch->pcxt);
	Assert(participants >= 2);
	BarrierInit(&shared->barrier, participants);
	shared->memory = DiskannBuildMemory(participants);
	SpinLockAcquire(&shared->mutex);
	shared->participants = participants;
	SpinLockRelease(&shared->mutex);
	ConditionVariableBroadcast(&shared->started);
}

/* As a leader: wait for the workers, take over what they report. */
static void
finish_workers(Launch *launch, BuildState *leader)
{
	WaitForParallelWorkersToFinish(launch->pcxt);
	for (int i = 0; i < launch->pcxt->nworkers_launched; i++)
		InstrAccumParallelQuery(&launch->buffer_usage[i],
								&launch->wal_usage[i]);
	DiskannBuildCloseFiles(leader);
}

static void
end_parallel_build(Launch *launch)
{
	if (IsMVCCSnapshot(launch->snapshot))
		UnregisterSnapshot(launch->snapshot);
	DestroyParallelContext(launch->pcxt);
	ExitParallelMode();
}

bool
DiskannBuildParallel(BuildState *leader, int nworkers,
					 IndexBuildResult *result)
{
	bool		concurrent = leader->info->ii_Concurrent;
	bool		built = false;
	Launch		launch;

	memset(&launch, 0, sizeof(launch));
	EnterParallelMode();
	launch.pcxt = CreateParallelContext("$libdir/diskann",
										"DiskannBuildWorkerMain",
										nworkers);
	launch.snapshot = concurrent ?
		RegisterSnapshot(GetTransactionSnapshot()) : SnapshotAny;
	estimate_shared_memory(&launch, leader->heap);
	InitializeParallelDSM(launch.pcxt);
	if (launch.pcxt->seg != NULL)
	{
		fill_shared_memory(&launch, leader, concurrent);
		LaunchParallelWorkers(launch.pcxt);
	}
	if (launch.pcxt->nworkers_launched > 0)
	{
		start_participants(&launch);
		Assert(leader->participant == 0);
		leader->shared = launch.shared;
		leader->parallel = true;
		leader->scan = begin_scan(leader->heap, launch.pcxt->toc);
		DiskannBuildRun(leader);
		finish_workers(&launch, leader);
		DiskannBuildReport(leader, result);
		built = true;
	}
	end_parallel_build(&launch);
	return built;
}

/* ---------- worker ---------- */

/* Wait until the leader knows who takes part. */
static void
wait_for_start(BuildShared *shared)
{
	bool		started = false;

	ConditionVariablePrepareToSleep(&shared->started);
	for (;;)
	{
		SpinLockAcquire(&shared->mutex);
		started = shared->participants > 0;
		SpinLockRelease(&shared->mutex);
		if (started)
			break;
		ConditionVariableSleep(&shared->started, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
}

/*
 * The leader keeps its locks until all have ended, and the lock manager lets
 * members of its group have the same ones.
 */
void
DiskannBuildWorkerMain(dsm_segment *seg, shm_toc *toc)
{
	BuildShared *shared = shm_toc_lookup(toc, KEY_SHARED, false);
	WalUsage   *wal_usage = shm_toc_lookup(toc, KEY_WAL_USAGE, false);
	BufferUsage *buffer_usage = shm_toc_lookup(toc, KEY_BUFFER_USAGE, false);
	Relation	heap;
	Relation	rel;
	IndexInfo  *info;
	BuildState	state;

	debug_query_string = shm_toc_lookup(toc, KEY_QUERY, true);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	heap = table_open(shared->heap_oid, shared->concurrent ?
					  ShareUpdateExclusiveLock : ShareLock);
	rel = index_open(shared->index_oid, shared->concurrent ?
					 RowExclusiveLock : AccessExclusiveLock);
	info = BuildIndexInfo(rel);
	info->ii_Concurrent = shared->concurrent;
	SharedFileSetAttach(&shared->files, seg);
	wait_for_start(shared);

	DiskannBuildInitState(&state, heap, rel, info);
	MemoryContextSwitchTo(state.context);
	state.shared = shared;
	state.parallel = true;
	state.participant = ParallelWorkerNumber + 1;
	Assert(state.participant < shared->participants);
	InstrStartParallelQuery();
	state.scan = begin_scan(heap, toc);
	DiskannBuildRun(&state);
	DiskannBuildCloseFiles(&state);
	InstrEndParallelQuery(&buffer_usage[ParallelWorkerNumber],
						  &wal_usage[ParallelWorkerNumber]);
	index_close(rel, NoLock);
	table_close(heap, NoLock);
}
