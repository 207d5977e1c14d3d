/*-------------------------------------------------------------------------
 *
 * run.c
 *	  CREATE INDEX: the phases in their order.
 *
 * Every participant, the leader or a worker, runs this; src/README, section 8,
 * tells what each phase does.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/run.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/phases.h"
#include "build/run.h"
#include "store/xlog.h"

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
