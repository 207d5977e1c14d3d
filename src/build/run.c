/*-------------------------------------------------------------------------
 *
 * run.c
 *	  CREATE INDEX: the phases in their order.
 *
 * Every participant, the leader or a worker, runs this.  All work on the same
 * phase at any time: DiskannBuildStep() has them wait for each other, and lets
 * the leader alone do what cannot be divided.  Within a phase they take pieces
 * of the work from a counter (DiskannBuildTake), so that nobody waits for one
 * who is slower.
 *
 * This is PiPNN (2026, arXiv 2602.21247) taken to the disk: rather than insert
 * vector after vector by a search of the graph so far, find candidates for the
 * edges of all nodes by comparing neighbourhoods wholesale (partition,
 * compare), then choose among them as Vamana does (choose), and mend what is
 * not connected (connect).  src/README, section 8, tells what each phase does.
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
	Assert(state->shared->participants > 0);
	state->spools = palloc0(sizeof(DiskannSpool *) * NFILES *
							state->shared->participants);
	DiskannBuildReadRows(state);
	if (state->shared->dims == 0)
		return;					/* there are no rows */
	DiskannBuildPartition(state);
	DiskannBuildCompare(state);
	DiskannBuildStep(state, DiskannBuildNumber);
	DiskannBuildChoose(state);
	DiskannBuildStep(state, DiskannBuildConnect);
	DiskannBuildWrite(state);

	/* The leader goes on to end the build: everybody must be done. */
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
		DiskannLogPages(leader->rel, 0,
						RelationGetNumberOfBlocks(leader->rel));
}
