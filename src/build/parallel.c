/*-------------------------------------------------------------------------
 *
 * parallel.c
 *	  CREATE INDEX: the same work by several processes.
 *
 * Workers do what the leader does, see build.c.  What they share in memory is
 * small and of a fixed size: a container's few megabytes of shared memory are
 * enough for any table.
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

#define KEY_SHARED UINT64CONST(0xD15CA00000000001)
#define KEY_SCAN UINT64CONST(0xD15CA00000000002)
#define KEY_QUERY UINT64CONST(0xD15CA00000000003)
#define KEY_WAL_USAGE UINT64CONST(0xD15CA00000000004)
#define KEY_BUFFER_USAGE UINT64CONST(0xD15CA00000000005)

/* A participant should have this much of maintenance_work_mem, in kB. */
#define MEMORY_PER_PARTICIPANT (32 * 1024)

/* Tables of fewer blocks, out-of-line values included, are not worth it. */
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
DiskannBuildWorkers(Relation heap, Relation rel)
{
	int			workers = RelationGetParallelWorkers(heap, -1);

	if (max_parallel_maintenance_workers == 0 ||
		heap->rd_rel->relpersistence == RELPERSISTENCE_TEMP ||
		!expressions_are_safe(rel))
		return 0;
	if (workers < 0)
	{
		/* One more for each tripling, as in the planner. */
		BlockNumber blocks = all_blocks(heap);

		for (workers = 0; blocks >= MIN_BLOCKS; blocks /= 3)
			workers++;
		while (workers > 0 &&
			   maintenance_work_mem / (workers + 1) < MEMORY_PER_PARTICIPANT)
			workers--;
	}
	return Min(workers, max_parallel_maintenance_workers);
}

/* ---------- leader ---------- */

typedef struct Launch
{
	ParallelContext *pcxt;
	Snapshot	snapshot;
	BuildShared *shared;
	WalUsage   *wal_usage;
	BufferUsage *buffer_usage;
} Launch;

static void
estimate(Launch *launch, Relation heap)
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
		shm_toc_estimate_chunk(&pcxt->estimator, strlen(debug_query_string) + 1);
		shm_toc_estimate_keys(&pcxt->estimator, 1);
	}
}

static void *
share(ParallelContext *pcxt, uint64 key, Size size)
{
	void	   *chunk = shm_toc_allocate(pcxt->toc, size);

	memset(chunk, 0, size);
	shm_toc_insert(pcxt->toc, key, chunk);
	return chunk;
}

static void
fill(Launch *launch, BuildState *leader, bool concurrent)
{
	ParallelContext *pcxt = launch->pcxt;
	int			n = pcxt->nworkers;
	BuildShared *shared = share(pcxt, KEY_SHARED, sizeof(BuildShared) +
								sizeof(uint32) * (n + 1));

	launch->shared = shared;
	shared->heap = RelationGetRelid(leader->heap);
	shared->index = RelationGetRelid(leader->index_rel);
	shared->concurrent = concurrent;
	ConditionVariableInit(&shared->started);
	SharedFileSetInit(&shared->files, pcxt->seg);
	DiskannBuildInitShared(shared);
	table_parallelscan_initialize(leader->heap,
								  share(pcxt, KEY_SCAN,
										table_parallelscan_estimate(leader->heap,
																	launch->snapshot)),
								  launch->snapshot);
	launch->wal_usage = share(pcxt, KEY_WAL_USAGE, sizeof(WalUsage) * n);
	launch->buffer_usage = share(pcxt, KEY_BUFFER_USAGE,
								 sizeof(BufferUsage) * n);
	if (debug_query_string)
		strcpy(share(pcxt, KEY_QUERY, strlen(debug_query_string) + 1),
			   debug_query_string);
}

/* Let those who have come begin. */
static void
start(Launch *launch)
{
	BuildShared *shared = launch->shared;
	int			participants = launch->pcxt->nworkers_launched + 1;

	WaitForParallelWorkersToAttach(launch->pcxt);
	BarrierInit(&shared->barrier, participants);
	shared->memory = Max((Size) maintenance_work_mem * 1024 / participants,
						 DISKANN_BUILD_MIN_MEMORY);
	SpinLockAcquire(&shared->mutex);
	shared->participants = participants;
	SpinLockRelease(&shared->mutex);
	ConditionVariableBroadcast(&shared->started);
}

/* As a leader: wait for the workers, take over what they report. */
static void
finish(Launch *launch, BuildState *leader)
{
	WaitForParallelWorkersToFinish(launch->pcxt);
	for (int i = 0; i < launch->pcxt->nworkers_launched; i++)
		InstrAccumParallelQuery(&launch->buffer_usage[i],
								&launch->wal_usage[i]);
	DiskannBuildCloseFiles(leader);
}

static void
end(Launch *launch)
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
	Launch		launch = {NULL};

	EnterParallelMode();
	launch.pcxt = CreateParallelContext("$libdir/diskann",
										"DiskannBuildWorkerMain",
										nworkers);
	launch.snapshot = concurrent ?
		RegisterSnapshot(GetTransactionSnapshot()) : SnapshotAny;
	estimate(&launch, leader->heap);
	InitializeParallelDSM(launch.pcxt);
	if (launch.pcxt->seg != NULL)
	{
		fill(&launch, leader, concurrent);
		LaunchParallelWorkers(launch.pcxt);
	}
	if (launch.pcxt->nworkers_launched > 0)
	{
		start(&launch);
		leader->shared = launch.shared;
		leader->parallel = true;
		leader->scan = table_beginscan_parallel(leader->heap,
												shm_toc_lookup(launch.pcxt->toc,
															   KEY_SCAN, false));
		DiskannBuildRun(leader);
		finish(&launch, leader);
		DiskannBuildReport(leader, result);
		built = true;
	}
	end(&launch);
	return built;
}

/* ---------- worker ---------- */

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
	heap = table_open(shared->heap, shared->concurrent ?
					  ShareUpdateExclusiveLock : ShareLock);
	rel = index_open(shared->index, shared->concurrent ?
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
	InstrStartParallelQuery();
	state.scan = table_beginscan_parallel(heap, shm_toc_lookup(toc, KEY_SCAN, false));
	DiskannBuildRun(&state);
	DiskannBuildCloseFiles(&state);
	InstrEndParallelQuery(&buffer_usage[ParallelWorkerNumber],
						  &wal_usage[ParallelWorkerNumber]);
	index_close(rel, NoLock);
	table_close(heap, NoLock);
}
