/*-------------------------------------------------------------------------
 *
 * build.c
 *	  CREATE INDEX: the callbacks of the access method.
 *
 * Decide how many processes take part, and let them run the phases (run.c):
 * this one alone, or with workers (parallel.c).  Both ways give the same kind
 * of graph by the same code; what is shared is then in plain memory, and
 * temporary files are private.
 *
 * The index is built from scratch: its file is empty, and new to everybody
 * else, so that pages are written without regard to concurrent readers, and
 * logged as a whole at the end (write.c).
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/build.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/calibrate.h"
#include "am/options.h"
#include "build/build.h"
#include "build/parallel.h"
#include "build/run.h"
#include "store/roster.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* pg_stat_progress_create_index shows it. */
char *
diskannbuildphasename(int64 phase)
{
	return unconstify(char *, DiskannBuildPhaseName(phase));
}

/* Everything by this process alone. */
static void
build_serially(BuildState *state, IndexBuildResult *result)
{
	/* With the number of rows of one participant. */
	BuildShared *shared = palloc0(sizeof(BuildShared) + sizeof(uint32));

	DiskannBuildInitShared(shared);
	shared->participants = 1;
	shared->memory = DiskannBuildMemory(1);
	state->shared = shared;
	DiskannBuildRun(state);
	DiskannBuildCloseFiles(state);
	DiskannBuildReport(state, result);
}

/*
 * The metapage is written first, in any case: a table without rows gets
 * nothing else, and everybody who takes part reads the settings from it.
 */
IndexBuildResult *
diskannbuild(Relation heap, Relation rel, IndexInfo *indexInfo)
{
	IndexBuildResult *result = palloc(sizeof(IndexBuildResult));
	DiskannSettings settings;
	BuildState	state;
	MemoryContext old;
	int			nworkers;

	if (RelationGetNumberOfBlocks(rel) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(rel));
	DiskannBuildInitState(&state, heap, rel, indexInfo);
	old = MemoryContextSwitchTo(state.context);
	DiskannDecideSettings(rel, state.support->metric, NOTICE, &settings);
	DiskannCreateMetapage(rel, MAIN_FORKNUM, &settings);
	nworkers = DiskannBuildWorkers(heap, rel);
	if (nworkers == 0 || !DiskannBuildParallel(&state, nworkers, result))
		build_serially(&state, result);
	if (state.index)
		DiskannBuildRoster(rel, state.index);
	if (state.index && DiskannIndexRecallTarget(rel) > 0)
		DiskannCalibrateBySample(rel, state.index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(state.context);
	return result;
}

/* The init fork of an unlogged index: an index without rows. */
void
diskannbuildempty(Relation rel)
{
	DiskannSettings settings;

	/* The build of the main fork has said what there is to say. */
	DiskannDecideSettings(rel, DiskannGetSupport(rel)->metric, DEBUG1,
						  &settings);
	DiskannCreateMetapage(rel, INIT_FORKNUM, &settings);
}
