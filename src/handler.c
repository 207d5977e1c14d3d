/*-------------------------------------------------------------------------
 *
 * handler.c
 *	  Module start, and the access method handler.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/handler.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/am.h"
#include "am/explain.h"
#include "am/foreign_cost.h"
#include "am/options.h"
#include "am/plan.h"
#include "am/wanted.h"
#include "build/build.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "fmgr.h"
#include "utils/lsyscache.h"
#include "values/row.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	DiskannInitOptions();
	DiskannInitPlan();
	DiskannInitForeignCost();
	DiskannInitWanted();
	DiskannInitExplain();
}

/* Ordering by distance is what the index can do; say so to those who ask. */
static bool
diskannproperty(Oid index_oid, int attno, IndexAMProperty prop,
				const char *propname, bool *res, bool *isnull)
{
	Oid			opclass;

	if (prop != AMPROP_DISTANCE_ORDERABLE || attno == 0)
		return false;
	opclass = get_index_column_opclass(index_oid, attno);
	*res = OidIsValid(opclass) && DiskannIsVectorClass(opclass);
	*isnull = false;
	return true;
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(diskann_handler);
Datum
diskann_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *am = makeNode(IndexAmRoutine);

	am->amstrategies = 0;
	am->amsupport = DISKANN_SUPPORT_PROC;
	am->amcanorderbyop = true;
	am->amcanmulticol = true;
	am->amsearcharray = true;
	am->amsearchnulls = true;

	/*
	 * NULL vectors are not in the index, although the planner is told that
	 * the first column may go without a condition: the cost function rules
	 * out every scan that is not ordered by distance, for which alone the
	 * missing rows would matter.
	 */
	am->amoptionalkey = true;
	am->amkeytype = InvalidOid;
	am->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL |
		VACUUM_OPTION_PARALLEL_COND_CLEANUP;
	am->ambuild = diskannbuild;
	am->ambuildempty = diskannbuildempty;
	am->aminsert = diskanninsert;
	DiskannSetInsertCleanup(am, diskanninsertcleanup);
	DiskannSetBuildParallel(am);
	am->ambulkdelete = diskannbulkdelete;
	am->amvacuumcleanup = diskannvacuumcleanup;
	am->amcostestimate = diskanncostestimate;
	am->amoptions = diskannoptions;
	am->amproperty = diskannproperty;
	am->ambuildphasename = diskannbuildphasename;
	am->amvalidate = diskannvalidate;
	am->ambeginscan = diskannbeginscan;
	am->amrescan = diskannrescan;
	am->amgettuple = diskanngettuple;
	am->amendscan = diskannendscan;
	PG_RETURN_POINTER(am);
}
