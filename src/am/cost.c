/*-------------------------------------------------------------------------
 *
 * cost.c
 *	  What a scan is expected to cost.
 *
 * A scan visits as many nodes as its list holds before it returns the first
 * row, and then more for each further row, one after the other; or, if all rows
 * are wanted, it reads all pages and sorts them.  How many rows it has to come
 * up with depends on the LIMIT and on the conditions that they have to meet.
 *
 * The planner takes a startup and a total cost and supposes that the cost of
 * some of the rows is on the line between them.  That is not so here: nodes
 * visited for the first rows serve a hundred.  So where the planner tells how
 * many rows are wanted, the total is chosen so that the line meets the cost of
 * these.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/cost.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "am/am.h"
#include "am/options.h"
#include "am/value_cost.h"
#include "compat.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"
#include "values/row.h"

/*
 * A visit is one page, scattered, but over a small and therefore mostly cached
 * part of the index: it is charged like a page read in sequence.  It scores all
 * of a node's edges and finds them a place, which takes half as long again.
 */
#define OPERATORS_PER_VISIT 200

/* Beyond its list a scan visits so many nodes to be sure of the next row. */
#define VISITS_PER_ROW 2

/* To measure a node where pages are read in sequence, and to sort it. */
#define OPERATORS_PER_NODE 50

/*
 * The share of rows that a function keeps of which nothing is known, or a bound
 * of the distance.  The planner takes a third, with which a scan that goes on
 * until it has found ten rows seems cheap; but it costs the more the fewer are
 * kept, while its alternatives cost the same.
 */
#define UNKNOWN_SHARE 0.05

/*
 * Of a path that would give wrong results: more than that of any path that is
 * merely disabled, but finite, for a sort above it would make it a NaN, which
 * compares as equal to everything.
 */
#define FORBIDDEN_COST 1e20

/* What is known of a scan, and what its parts cost. */
typedef struct ScanModel
{
	double		nodes;			/* of the index */
	double		list;			/* nodes visited before the first row */
	double		most_visits;
	double		selectivity;	/* of conditions but the next one */
	double		bound;			/* that of a bound of the distance, or 1 */
	Cost		visit;			/* of a node */
	Cost		compare;		/* a node's row with others */
	Cost		sort_pages;		/* to sort the nodes of all pages */
} ScanModel;

/* The index' column of vectors, from 0. */
static int
vector_column(const IndexOptInfo *info)
{
	int			column = 0;

	while (column < info->nkeycolumns - 1 &&
		   !DiskannIsVectorFamily(info->opfamily[column],
								  info->opcintype[column]))
		column++;
	return column;
}

/* Does the query want rows with a NULL vector, which are not in the index? */
static bool
wants_nulls(IndexOptInfo *info)
{
	int			column = vector_column(info);
	ListCell   *lc;

	foreach(lc, info->indrestrictinfo)
	{
		NullTest   *test = (NullTest *) lfirst_node(RestrictInfo, lc)->clause;

		if (IsA(test, NullTest) && test->nulltesttype == IS_NULL &&
			match_index_to_operand((Node *) test->arg, column, info))
			return true;
	}
	return false;
}

/* ---------- conditions ---------- */

/* Is it the distance that the scan is ordered by, with an upper bound? */
static bool
is_bound(const Node *clause, const Node *distance)
{
	const OpExpr *op = (const OpExpr *) clause;
	RegProcedure estimator;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2)
		return false;
	estimator = get_oprrest(op->opno);
	if (estimator == F_SCALARLTSEL || estimator == F_SCALARLESEL)
		return equal(linitial(op->args), distance);
	if (estimator == F_SCALARGTSEL || estimator == F_SCALARGESEL)
		return equal(lsecond(op->args), distance);
	return false;
}

/* Is it a function that does not tell how many rows it keeps? */
static bool
is_unknown(const Node *clause)
{
	return IsA(clause, FuncExpr) &&
		!OidIsValid(get_func_support(((const FuncExpr *) clause)->funcid));
}

/* The share of the index's rows that are to be returned. */
static void
estimate_conditions(PlannerInfo *root, const IndexPath *path, ScanModel *model)
{
	IndexOptInfo *info = path->indexinfo;
	List	   *others = NIL;
	ListCell   *lc;

	model->selectivity = 1;
	model->bound = 1;
	foreach(lc, info->indrestrictinfo)
	{
		RestrictInfo *condition = lfirst_node(RestrictInfo, lc);
		Node	   *clause = (Node *) condition->clause;

		if (is_bound(clause, linitial(path->indexorderbys)))
			model->bound = UNKNOWN_SHARE;
		else if (is_unknown(clause))
			model->selectivity *= UNKNOWN_SHARE;
		else
			others = lappend(others, condition);
	}
	model->selectivity *= clauselist_selectivity(root, others,
												 info->rel->relid, JOIN_INNER,
												 NULL);
	list_free(others);
}

/*
 * The share of the rows that this scan returns which the query will take; 0 if
 * nothing is known but that it will hardly take all.
 */
static double
share_wanted(PlannerInfo *root, const IndexPath *path)
{
	RelOptInfo *rel = path->indexinfo->rel;
	double		rows = path->path.rows;

	if (root->limit_tuples <= 0 ||
		bms_membership(root->all_baserels) != BMS_SINGLETON)
		return 0;

	/* Each partition gives its share. */
	if (IS_OTHER_REL(rel))
		rows = find_base_rel(root,
							 bms_singleton_member(rel->top_parent_relids))->rows;
	return Min(1, root->limit_tuples / Max(rows, 1));
}

/* ---------- the scan ---------- */

static void
price_parts(PlannerInfo *root, const IndexPath *path, ScanModel *model)
{
	IndexOptInfo *info = path->indexinfo;
	Relation	rel = index_open(info->indexoid, NoLock);
	bool		strict = diskann_iterative_search != DISKANN_ITERATE_RELAXED &&
		diskann_query_rescore != 0;
	double		page;

	get_tablespace_page_costs(info->reltablespace, NULL, &page);
	model->nodes = Max(info->tuples, 1);
	model->list = Min(DiskannSearchListSize(rel), model->nodes);
	index_close(rel, NoLock);
	model->most_visits = model->nodes;
	if (diskann_iterative_search == DISKANN_ITERATE_OFF)
		model->most_visits = model->list;
	else if (diskann_max_scan_tuples > 0)
		model->most_visits = Min(diskann_max_scan_tuples, model->nodes);
	model->visit = page + OPERATORS_PER_VISIT * cpu_operator_cost;
	model->compare = 0;
	if (strict)
		model->compare = cpu_tuple_cost + cpu_operator_cost +
			DiskannValueCost(root, linitial(path->indexorderbys));
	model->sort_pages = info->pages * page + model->nodes * cpu_operator_cost *
		(OPERATORS_PER_NODE + 2 * log2(Max(model->nodes, 2)));
}

/*
 * The cost of the first so many rows, of which only those that meet the
 * conditions are compared with others.
 */
static Cost
cost_of_rows(const ScanModel *model, double rows)
{
	double		visits = model->list +
		VISITS_PER_ROW * Max(0, rows - model->list);

	return Min(visits, model->most_visits) * model->visit +
		rows * (model->selectivity * model->compare + cpu_index_tuple_cost);
}

/* All rows are wanted: those within the bound, or all pages sorted. */
static Cost
cost_of_all(const ScanModel *model)
{
	if (model->bound < 1)
		return cost_of_rows(model, model->nodes * model->bound);
	return model->sort_pages + model->nodes *
		(model->selectivity * model->compare + cpu_index_tuple_cost);
}

/*
 * Startup and total cost, and the share of the index's rows that the executor
 * fetches for the total.
 */
static void
price_scan(PlannerInfo *root, const IndexPath *path, const ScanModel *model,
		   Cost *startup, Cost *total, double *fetched)
{
	double		share = share_wanted(root, path);
	double		looked_at;

	*startup = model->list * model->visit;
	*fetched = model->bound;
	if (root->tuple_fraction == 0)
		*startup = *total = cost_of_all(model);
	else if (share > 0)
	{
		looked_at = Min(share * path->path.rows / model->selectivity,
						model->nodes * model->bound);
		*total = *startup +
			Max(0, cost_of_rows(model, looked_at) - *startup) / share;
		*fetched = Min(1, looked_at / (share * model->nodes));
	}
	else
		*total = *startup + model->nodes * model->bound *
			(VISITS_PER_ROW * model->visit + model->compare);
}

void
diskanncostestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					Cost *startup_cost, Cost *total_cost,
					Selectivity *selectivity, double *correlation,
					double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	GenericCosts costs;
	ScanModel	model;
	double		fetched;

	*correlation = 0;
	*selectivity = 1.0;
	*pages = info->pages;

	/* Without an order there is nothing this index could do. */
	if (path->indexorderbys == NIL || wants_nulls(info))
	{
		DiskannDisablePath(path);
		*startup_cost = FORBIDDEN_COST;
		*total_cost = FORBIDDEN_COST;
		return;
	}

	MemSet(&costs, 0, sizeof(costs));
	genericcostestimate(root, path, loop_count, &costs);
	estimate_conditions(root, path, &model);
	price_parts(root, path, &model);
	price_scan(root, path, &model, startup_cost, total_cost, &fetched);
	*selectivity = costs.indexSelectivity * fetched;
}
