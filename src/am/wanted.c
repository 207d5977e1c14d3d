/*-------------------------------------------------------------------------
 *
 * wanted.c
 *	  What the plan wants of a scan.
 *
 * An access method is not told how many rows are going to be asked for.  But
 * the nearest Limit above the scan knows, in its execution state; and that a
 * plan has no Limit is known as well: then all rows are wanted.  A hook keeps
 * the query that is running, and the scan looks for the plan node it belongs to
 * in the tree of execution states.
 *
 * What nodes between the two do to the number decides what is left of it.  A
 * node that drops rows makes it a floor; below one that reads its input to the
 * end, as a sort does, all rows are wanted; and below one that may turn a row
 * into any number of rows it is not known.
 *
 * The same if the query is asked for some rows only: it has been opened as a
 * cursor, and nobody knows how many more will be asked for.  That is not known
 * for a scan outside of any query either.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/wanted.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/parallel.h"
#include "access/relscan.h"
#include "am/bound.h"
#include "am/wanted.h"
#include "compat.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"

/* A query that is running. */
typedef struct Running
{
	QueryDesc  *query;
	uint64		count;			/* of rows it is asked for, 0: all */
	struct Running *outer;		/* that which is waiting for it */
} Running;

/* The walk through the execution states, from the top. */
typedef struct Walk
{
	const IndexScanDescData *scan;
	PlanState  *parent;
	DiskannWanted wanted;		/* of the parent */
	bool		found;
	DiskannWanted result;		/* of the scan, once found */
} Walk;

static const DiskannWanted all_rows = {
	.rows = DISKANN_ROWS_ALL, .bound = INFINITY
};
static const DiskannWanted unknown_rows = {
	.rows = DISKANN_ROWS_UNKNOWN, .bound = INFINITY
};

static Running *running;		/* the innermost one */
static ExecutorRun_hook_type previous_run;
static ExecutorFinish_hook_type previous_finish;

static bool find_scan(PlanState *node, void *context);

/* ---------- from a node to the one below ---------- */

/* A Limit of the number, which is wanted of the node itself, or less. */
static DiskannWanted
below_limit(const LimitState *limit, DiskannWanted wanted)
{
	int64		most = PG_INT64_MAX - limit->offset;
	bool		bounded = wanted.rows > 0;

	/* It computes its numbers before it asks for a row. */
	if (limit->lstate == LIMIT_INITIAL)
		return unknown_rows;
	if (!limit->noCount && (!bounded || limit->count <= wanted.rows))
	{
		wanted.rows = limit->count;
		wanted.filtered = limit->limitOption == LIMIT_OPTION_WITH_TIES;
		bounded = true;
	}
	if (bounded)
		wanted.rows = Max(Min(wanted.rows, most) + limit->offset, 1);
	return wanted;
}

/* An aggregate over all rows of a partition cannot do without any of them. */
static bool
reads_partition(const WindowAggState *window)
{
	const WindowAgg *plan = (const WindowAgg *) window->ss.ps.plan;

	return window->numaggs > 0 && plan->ordNumCols == 0;
}

/* Does it read its input to the end before it returns the first row? */
static bool
reads_all(PlanState *node)
{
	switch (nodeTag(node))
	{
		case T_SortState:
		case T_HashState:
		case T_ModifyTableState:
			return true;
		case T_AggState:
			return ((Agg *) node->plan)->aggstrategy != AGG_SORTED;
		case T_SetOpState:
			return ((SetOp *) node->plan)->strategy == SETOP_HASHED;
		case T_WindowAggState:
			return reads_partition((WindowAggState *) node);
		default:
			return false;
	}
}

/*
 * Does a row of the node take a row of this child, or more: those it drops?
 * *drops tells whether there may be such.  The number of rows wanted of several
 * children together is the greatest that is wanted of any.
 */
static bool
takes_rows(PlanState *node, const PlanState *child, bool *drops)
{
	*drops = node->qual != NULL;
	switch (nodeTag(node))
	{
		case T_ResultState:
		case T_SubqueryScanState:
		case T_CteScanState:
		case T_AppendState:
		case T_MergeAppendState:
		case T_GatherState:
		case T_GatherMergeState:
		case T_MaterialState:
			return true;
		case T_LockRowsState:

			/* It drops rows that are gone, too, but these are few. */
			return true;
		case T_IncrementalSortState:
		case T_AggState:
		case T_GroupState:
		case T_UniqueState:
		case T_WindowAggState:
			*drops = true;
			return true;
		case T_NestLoopState:
		case T_HashJoinState:
			*drops = true;
			return child == outerPlanState(node);
		default:
			return false;
	}
}

/* What is wanted of a child if so much is wanted of the node. */
static DiskannWanted
below_node(PlanState *node, const PlanState *child, DiskannWanted wanted)
{
	bool		drops;

	if (IsA(node, LimitState))
		return below_limit((LimitState *) node, wanted);
	if (wanted.rows == DISKANN_ROWS_ALL || reads_all(node))
		return all_rows;
	if (wanted.rows == DISKANN_ROWS_UNKNOWN || !takes_rows(node, child, &drops))
		return unknown_rows;
	wanted.filtered |= drops;
	return wanted;
}

/* ---------- the walk ---------- */

/* The subplan of the node's expressions that this is; NULL: it is a child. */
static const SubPlanState *
subplan_of(const PlanState *node, const PlanState *child)
{
	ListCell   *lc;

	foreach(lc, node->initPlan)
	{
		if (((SubPlanState *) lfirst(lc))->planstate == child)
			return lfirst(lc);
	}
	foreach(lc, node->subPlan)
	{
		if (((SubPlanState *) lfirst(lc))->planstate == child)
			return lfirst(lc);
	}
	return NULL;
}

/* Of two readers of a common table expression: what serves both. */
static DiskannWanted
wanted_by_both(DiskannWanted a, DiskannWanted b)
{
	if (a.rows == DISKANN_ROWS_ALL || b.rows == DISKANN_ROWS_ALL)
		a.rows = DISKANN_ROWS_ALL;
	else if (a.rows == DISKANN_ROWS_UNKNOWN || b.rows == DISKANN_ROWS_UNKNOWN)
		a.rows = DISKANN_ROWS_UNKNOWN;
	else
		a.rows = Max(a.rows, b.rows);
	a.filtered |= b.filtered;
	a.filtered_above |= b.filtered_above;
	return a;
}

/* DiskannCompute, of the plan node that is being executed. */
static bool
compute_now(Expr *expr, void *context, Datum *value, bool *isnull)
{
	ExprContext *econtext = ((IndexScanState *) context)->ss.ps.ps_ExprContext;
	ExprState  *state = ExecInitExprWithParams(expr,
											   econtext->ecxt_param_list_info);

	*value = ExecEvalExprSwitchContext(state, econtext, isnull);
	return true;
}

/*
 * So much is wanted of the plan node that the scan belongs to.  It drops rows
 * by conditions; but those that bound the distance drop the last rows only.
 */
static void
take_result(Walk *walk, IndexScanState *node, DiskannWanted wanted)
{
	IndexScan  *plan = (IndexScan *) node->ss.ps.plan;
	ListCell   *lc;

	wanted.filtered_above = wanted.filtered;
	if (walk->found)
		wanted = wanted_by_both(walk->result, wanted);
	wanted.node = node;
	foreach(lc, plan->scan.plan.qual)
	{
		if (!DiskannLowerBound(lfirst(lc), linitial(plan->indexorderbyorig),
							   compute_now, node, &wanted.bound))
			wanted.filtered = true;
	}
	walk->result = wanted;
	walk->found = true;
}

/* Look for the scan in what is below the node, of which so much is wanted. */
static void
find_below(PlanState *node, DiskannWanted wanted, Walk *walk)
{
	PlanState  *parent = walk->parent;
	DiskannWanted of_parent = walk->wanted;

	check_stack_depth();
	walk->parent = node;
	walk->wanted = wanted;
	if (IsA(node, IndexScanState) &&
		((IndexScanState *) node)->iss_ScanDesc == walk->scan)
		take_result(walk, (IndexScanState *) node, wanted);
	if (IsA(node, CteScanState))
		find_below(((CteScanState *) node)->cteplanstate,
				   below_node(node, NULL, wanted), walk);
	planstate_tree_walker(node, find_scan, walk);
	walk->parent = parent;
	walk->wanted = of_parent;
}

/*
 * For planstate_tree_walker(), about a child of walk->parent or a subplan of
 * its expressions.  Never true: a common table expression may be come by again.
 */
static bool
find_scan(PlanState *node, void *context)
{
	Walk	   *walk = context;
	const SubPlanState *subplan = subplan_of(walk->parent, node);

	/*
	 * What changes tables is run to the end, whether its rows are read or
	 * not.
	 */
	if (subplan == NULL)
		find_below(node, below_node(walk->parent, node, walk->wanted), walk);
	else if (subplan->subplan->subLinkType != CTE_SUBLINK ||
			 IsA(node, ModifyTableState))
		find_below(node, all_rows, walk);
	return false;
}

/*
 * What is wanted of the query as such.  A parallel worker is asked for what the
 * Limit above the workers takes, the others for what a cursor fetches.
 */
static DiskannWanted
wanted_of_query(const Running *query)
{
	DiskannWanted wanted = unknown_rows;

	if (query->count == 0)
		return all_rows;
	if (IsParallelWorker() && query->outer == NULL)
		wanted.rows = Min(query->count, PG_INT64_MAX);
	return wanted;
}

void
DiskannFindWanted(IndexScanDesc scan, DiskannWanted *wanted)
{
	Walk		walk = {.scan = scan, .result = unknown_rows};

	if (running != NULL)
		find_below(running->query->planstate, wanted_of_query(running), &walk);
	*wanted = walk.result;
}

/* ---------- hooks ---------- */

static void
run_query(QueryDesc *query, ScanDirection direction,
		  DISKANN_RUN_ARGUMENTS(count, once))
{
	Running		this_one = {query, count, running};

	PG_TRY();
	{
		running = &this_one;
		if (previous_run)
			previous_run(query, direction, DISKANN_RUN_VALUES(count, once));
		else
			standard_ExecutorRun(query, direction,
								 DISKANN_RUN_VALUES(count, once));
	}
	PG_FINALLY();
	{
		running = this_one.outer;
	}
	PG_END_TRY();
}

/* Common table expressions that change tables are run to their end here. */
static void
finish_query(QueryDesc *query)
{
	Running		this_one = {query, 0, running};

	PG_TRY();
	{
		running = &this_one;
		if (previous_finish)
			previous_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		running = this_one.outer;
	}
	PG_END_TRY();
}

void
DiskannInitWanted(void)
{
	previous_run = ExecutorRun_hook;
	ExecutorRun_hook = run_query;
	previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish_query;
}

const char *
DiskannWantedText(const DiskannWanted *wanted)
{
	if (wanted->rows == DISKANN_ROWS_ALL)
		return "all";
	if (wanted->rows == DISKANN_ROWS_UNKNOWN)
		return "unknown";
	return psprintf(INT64_FORMAT "%s", wanted->rows,
					wanted->filtered ? " or more" : "");
}
