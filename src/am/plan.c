/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Leaving out distances that nobody asked for.
 *
 * The planner lets a scan compute every ORDER BY expression, wanted in the
 * result or not, for a sort above it may need it.  After
 *
 *		SELECT id FROM t ORDER BY v <-> $1 LIMIT 10
 *
 * nothing does when the rows come from the index in that order: yet for each of
 * them the executor fetches the vector, mostly from the TOAST table, computes
 * the distance, and throws it away.  So such a column becomes a NULL in the
 * finished plan.
 *
 * The hook is there once the library has been loaded, which the first use of an
 * index does while it is being planned: the first plan of a session goes
 * without unless session_preload_libraries names diskann.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/plan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/am.h"
#include "am/plan.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static planner_hook_type previous_planner;

static bool
is_our_index(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	IndexAmRoutine *am;
	bool		ours;

	if (!HeapTupleIsValid(tuple))
		return false;
	am = GetIndexAmRoutineByAmId(((Form_pg_class) GETSTRUCT(tuple))->relam,
								 true);
	ReleaseSysCache(tuple);
	ours = am != NULL && am->amgettuple == diskanngettuple;
	if (am)
		pfree(am);
	return ours;
}

/*
 * Does the node hand on the columns of the one below without looking at those
 * that are junk?  A Limit WITH TIES does look at them.
 */
static bool
hands_on(const Plan *plan)
{
	return IsA(plan, LockRows) ||
		(IsA(plan, Limit) &&
		 ((const Limit *) plan)->limitOption == LIMIT_OPTION_COUNT);
}

/*
 * top is the top of a query, or a Limit, which is that of a query or subquery:
 * nobody above it sees the columns that it marks as junk.
 */
static void
trim_query(Plan *top)
{
	Plan	   *plan = top;
	List	   *orderbys;

	while (plan && hands_on(plan))
		plan = outerPlan(plan);
	if (plan == NULL || !IsA(plan, IndexScan) ||
		list_length(plan->targetlist) != list_length(top->targetlist))
		return;
	orderbys = ((IndexScan *) plan)->indexorderbyorig;
	if (orderbys == NIL || !is_our_index(((IndexScan *) plan)->indexid))
		return;
	for (int i = 0; i < list_length(plan->targetlist); i++)
	{
		TargetEntry *column = list_nth(plan->targetlist, i);
		TargetEntry *seen = list_nth(top->targetlist, i);

		if (seen->resjunk && list_member(orderbys, column->expr))
			column->expr = (Expr *) makeNullConst(exprType((Node *) column->expr),
												  -1, InvalidOid);
	}
}

/* Find the subqueries with a Limit. */
static void
walk_plan(Plan *plan)
{
	ListCell   *lc;

	if (plan == NULL)
		return;
	check_stack_depth();
	if (IsA(plan, Limit))
		trim_query(plan);
	else if (IsA(plan, SubqueryScan))
		walk_plan(((SubqueryScan *) plan)->subplan);
	else if (IsA(plan, Append))
	{
		foreach(lc, ((Append *) plan)->appendplans)
			walk_plan(lfirst(lc));
	}
	walk_plan(outerPlan(plan));
	walk_plan(innerPlan(plan));
}

static PlannedStmt *
plan_query(Query *query, const char *query_string, int options,
		   ParamListInfo params)
{
	PlannedStmt *result = previous_planner ?
	previous_planner(query, query_string, options, params) :
	standard_planner(query, query_string, options, params);
	ListCell   *lc;

	trim_query(result->planTree);
	walk_plan(result->planTree);
	foreach(lc, result->subplans)
		walk_plan(lfirst(lc));
	return result;
}

void
DiskannInitPlan(void)
{
	previous_planner = planner_hook;
	planner_hook = plan_query;
}
