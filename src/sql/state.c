/*-------------------------------------------------------------------------
 *
 * state.c
 *	  diskann_index_state(): what a few pages tell of an index.
 *
 * The view diskann_indexes asks for the state of all indexes of a database, so
 * this neither waits nor fails.  An index that somebody has locked is left
 * alone.  An error is caught, by a subtransaction, and told as advice; what was
 * read before it is returned.  It reads the metapage, what a backend caches of
 * an index, node 0 and the porches in use, some hundred pages at most.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/state.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "am/options.h"
#include "am/usage.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "sql/inspect.h"
#include "storage/lmgr.h"
#include "store/layout.h"
#include "store/porch.h"
#include "utils/builtins.h"
#include "utils/resowner.h"

/* Fewer nodes are looked at one and all sooner than anybody minds. */
#define NODES_WORTH_RANGES 2000

/* So much larger an index should be calibrated anew. */
#define MOST_GROWTH 2.0

/* The columns of the result but the last one, in this order. */
enum
{
	BYTES,
	SLOTS,
	NODES,
	DEAD,
	PENDING,
	SELF_RECALL,
	LAST_REPAIR,
	CALIBRATED,
	CALIBRATION_QUERIES,
	CALIBRATION_NODES,
	GROWTH,
	SCANS,
	VISITS_A_SCAN,
	COMPARED_A_SCAN,
	INSERTS,
	LINKED,
	COUNTED_SINCE,
	COUNTED_IN,
	ADVICE
};

typedef struct State
{
	Datum		values[ADVICE + 1];
	bool		nulls[ADVICE + 1];
	StringInfoData advice;		/* empty: there is none */
} State;

/* ---------- noting ---------- */

static void
put(State *state, int column, Datum value)
{
	state->values[column] = value;
	state->nulls[column] = false;
}

/* Add to the advice, behind what there is. */
static void
advise(State *state, const char *what)
{
	if (state->advice.len > 0)
		appendStringInfoString(&state->advice, "; ");
	appendStringInfoString(&state->advice, what);
}

/* What the last VACUUM that looked for dead rows has counted. */
static void
put_counts(State *state, const DiskannCounts *counts)
{
	uint64		all = counts->live_nodes + counts->tombstones;

	if (all == 0)
		return;
	put(state, NODES, Int64GetDatum(counts->live_nodes));
	put(state, DEAD, Int64GetDatum(counts->tombstones));

	/* VACUUM removes so many itself, unless it is stopped before. */
	if (DiskannRepairIsDue(counts))
		advise(state, psprintf("VACUUM: %.0f %% of nodes are dead",
							   100.0 * counts->tombstones / all));
}

static void
put_repair(State *state, const DiskannMetaPageData *meta,
		   const DiskannCounts *counts)
{
	DiskannSelfRecall recall = {meta->self_searched, meta->self_missed};
	double		missed;

	if (meta->repaired != 0)
		put(state, LAST_REPAIR, TimestampTzGetDatum(meta->repaired));
	if (recall.searched == 0)
		return;
	missed = (double) recall.missed / recall.searched;
	put(state, SELF_RECALL, Float8GetDatum(1 - missed));
	if (DiskannIsSick(&recall))
		advise(state,
			   psprintf("%s: %.0f %% of nodes were not found by their own vectors",
						DiskannSearchesToHeal(counts, &recall) > 0 ?
						"VACUUM" : "REINDEX", 100 * missed));
}

static void
put_calibration(State *state, Relation rel, const DiskannMetaPageData *meta)
{
	const DiskannCalibration *calibration = &meta->calibration;
	double		growth;

	if (calibration->queries == 0)
	{
		if (DiskannIndexRecallTarget(rel) > 0)
			advise(state,
				   "diskann_calibrate: without it recall_target has no effect");
		return;
	}
	growth = (double) RelationGetNumberOfBlocks(rel) / calibration->blocks;
	put(state, CALIBRATED, TimestampTzGetDatum(calibration->time));
	put(state, CALIBRATION_QUERIES, Int64GetDatum(calibration->queries));
	put(state, CALIBRATION_NODES, Int64GetDatum(calibration->nodes));
	put(state, GROWTH, Float8GetDatum(growth));
	if (growth >= MOST_GROWTH)
		advise(state,
			   psprintf("diskann_calibrate: the index is %.1f times as large as then",
						growth));
}

/* How it was used, as far as is known here. */
static void
put_usage(State *state, Relation rel)
{
	DiskannUsage usage = {0};
	TimestampTz since;

	if (DiskannGetUsage(rel, &usage, &since))
		put(state, COUNTED_SINCE, TimestampTzGetDatum(since));
	put(state, SCANS, Int64GetDatum(usage.scans));
	if (usage.scans > 0)
	{
		put(state, VISITS_A_SCAN,
			Float8GetDatum((double) usage.visits / usage.scans));
		put(state, COMPARED_A_SCAN,
			Float8GetDatum((double) usage.compared / usage.scans));
	}
	put(state, INSERTS, Int64GetDatum(usage.inserts));
	put(state, LINKED, Int64GetDatum(usage.linked));
	put(state, COUNTED_IN,
		CStringGetTextDatum(DiskannUsageIsShared() ?
							"all sessions" : "this session"));
}

/* Filter columns could have ranges, had the index been built on its rows. */
static void
advise_ranges(State *state, const DiskannMetaPageData *meta,
			  DiskannNode slots)
{
	bool		could = false;

	for (int i = 0; i < meta->nfilters; i++)
	{
		if (meta->filters[i].ranges != 0)
			return;
		could |= DiskannHasOrder(&meta->filters[i]);
	}
	if (could && slots >= NODES_WORTH_RANGES)
		advise(state, "REINDEX: filter ranges were never learned");
}

/* ---------- reading ---------- */

/*
 * Rows that wait to be linked.  Nothing is locked on entry and exit; node 0 and
 * the porches in use in share mode meanwhile, one at a time.
 */
static int64
count_pending(DiskannNodeRef *ref)
{
	DiskannNode porches[DISKANN_MOST_PORCHES];
	DiskannNode nodes[DISKANN_MAX_DEGREE];
	int			nporches = DiskannReadPorches(ref, porches, false);
	int64		pending = 0;

	for (int i = 0; i < nporches; i++)
		pending += DiskannReadPorch(ref, porches[i], nodes);
	return pending;
}

/* The relation is locked; no buffer is, on entry and exit. */
static void
read_pages(State *state, Relation rel)
{
	DiskannIndex *index = DiskannLoadForInspection(rel);
	DiskannCounts counts;
	DiskannNodeRef ref;
	DiskannNode slots;

	if (index == NULL)
		return;
	counts.live_nodes = index->meta.live_nodes;
	counts.tombstones = index->meta.tombstones;
	put_counts(state, &counts);
	put_repair(state, &index->meta, &counts);
	put_calibration(state, rel, &index->meta);
	DiskannNodeInit(&ref, rel, index, false);
	slots = DiskannNodeCount(&ref);
	put(state, SLOTS, Int64GetDatum(slots));
	put(state, PENDING, Int64GetDatum(count_pending(&ref)));
	advise_ranges(state, &index->meta, slots);
}

/* What cannot be read is an error.  No relation is locked on entry and exit. */
static void
read_state(State *state, Oid relid)
{
	Relation	rel;

	if (!ConditionalLockRelationOid(relid, AccessShareLock))
	{
		advise(state, "ask again later: another session has locked it");
		return;
	}
	rel = DiskannOpenForInspection(relid, NoLock);
	put(state, BYTES,
		Int64GetDatum((int64) RelationGetNumberOfBlocks(rel) * BLCKSZ));
	put_usage(state, rel);
	if (rel->rd_index->indisvalid)
		read_pages(state, rel);
	else
		advise(state, "REINDEX, unless it is being built: it is invalid");
	relation_close(rel, AccessShareLock);
}

/*
 * The same, but an error becomes advice, unless somebody wants the statement to
 * end.
 */
static void
try_to_read_state(State *state, Oid relid)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		read_state(state, relid);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		advise(state, psprintf("%s: %s",
							   error->sqlerrcode == ERRCODE_INDEX_CORRUPTED ?
							   "REINDEX" : "it cannot be read",
							   error->message));
		FreeErrorData(error);
	}
	PG_END_TRY();
}

PG_FUNCTION_INFO_V1(diskann_index_state);
Datum
diskann_index_state(PG_FUNCTION_ARGS)
{
	State	   *state = palloc(sizeof(State));
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	memset(state->nulls, true, sizeof(state->nulls));
	initStringInfo(&state->advice);
	try_to_read_state(state, PG_GETARG_OID(0));
	if (state->advice.len > 0)
		put(state, ADVICE, CStringGetTextDatum(state->advice.data));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  state->values,
													  state->nulls)));
}
