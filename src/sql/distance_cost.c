/*-------------------------------------------------------------------------
 *
 * distance_cost.c
 *	  What a distance costs, for the planner.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/distance_cost.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/value_cost.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/syscache.h"

/* The cost that was declared for a function. */
static Cost
declared_cost(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Cost		cost;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	cost = ((Form_pg_proc) GETSTRUCT(tuple))->procost * cpu_operator_cost;
	ReleaseSysCache(tuple);
	return cost;
}

/*
 * The planner's support function of all distances.  Without a query to plan
 * nothing is known of the values, and the declared cost has to do.
 */
PG_FUNCTION_INFO_V1(diskann_distance_cost);
Datum
diskann_distance_cost(PG_FUNCTION_ARGS)
{
	SupportRequestCost *request = (SupportRequestCost *) PG_GETARG_POINTER(0);

	if (!IsA(request, SupportRequestCost) || request->root == NULL ||
		request->node == NULL)
		PG_RETURN_POINTER(NULL);
	request->startup = 0;
	request->per_tuple = declared_cost(request->funcid) +
		DiskannValueCost(request->root, request->node);
	PG_RETURN_POINTER(request);
}
