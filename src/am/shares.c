/*-------------------------------------------------------------------------
 *
 * shares.c
 *	  How many rows a query's conditions are expected to leave, and to whom.
 *
 * What a scan has to do for a row depends on who drops the others: it seeks
 * rows by conditions on filter columns, rejects nodes that it has visited,
 * fetches rows to look at them, or ends at a bound.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/shares.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/sysattr.h"
#include "am/bound.h"
#include "am/scan_qual.h"
#include "am/shares.h"
#include "am/within.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

/*
 * The share that is within a bound of the distance, if nothing else tells: what
 * is near is rare.
 */
#define BOUND_SHARE 0.01

/* Nothing is that rare. */
#define LEAST_SHARE 1e-10

/* The conditions, of RestrictInfo, by what is made of them. */
typedef struct Conditions
{
	List	   *sought;
	List	   *decided;
	List	   *left;
	bool		bounded;		/* is the distance bounded, ... */
	double		bound;			/* ... by as much as is known, or infinity */
} Conditions;

/*
 * The value of an expression, as far as the planner knows: a DiskannCompute
 * with the planner for a context.
 */
static bool
compute_value(Expr *expr, void *root, Datum *value, bool *isnull)
{
	Const	   *constant = (Const *) estimate_expression_value(root,
															   (Node *) expr);

	if (!IsA(constant, Const))
		return false;
	*value = constant->constvalue;
	*isnull = constant->constisnull;
	return true;
}

/* The same, but what is not known is taken to be 0. */
static bool
compute_number(Expr *expr, void *root, Datum *value, bool *isnull)
{
	if (compute_value(expr, root, value, isnull))
		return true;
	*value = exprType((Node *) expr) == FLOAT8OID ? Float8GetDatum(0) :
		Float4GetDatum(0);
	*isnull = false;
	return true;
}

/* Does the condition bound the distance?  Lowers *bound as far as is known. */
static bool
is_bound(PlannerInfo *root, const IndexPath *path, Expr *clause, double *bound)
{
	const Expr *distance;
	double		unknown = INFINITY;

	if (path->indexorderbys == NIL)
		return false;
	distance = linitial(path->indexorderbys);
	return DiskannLowerBound(clause, distance, compute_value, root, bound) ||
		DiskannLowerBound(clause, distance, compute_number, root, &unknown);
}

static void
sort_condition(PlannerInfo *root, const IndexPath *path, Relation rel,
			   const DiskannFilters *columns, RestrictInfo *condition,
			   Conditions *conditions)
{
	DiskannUse	use = columns->count == 0 ? DISKANN_USE_NONE :
		DiskannScanQualUse(rel, columns, path->indexinfo->rel->relid,
						   (Node *) condition->clause, compute_value, root);

	if (use == DISKANN_USE_SEEK)
		conditions->sought = lappend(conditions->sought, condition);
	else if (use == DISKANN_USE_REJECT)
		conditions->decided = lappend(conditions->decided, condition);
	else if (is_bound(root, path, condition->clause, &conditions->bound))
		conditions->bounded = true;
	else
		conditions->left = lappend(conditions->left, condition);
}

/* Those of the table, and those of joins that the index has a key of. */
static List *
all_conditions(const IndexPath *path)
{
	List	   *result = list_copy(path->indexinfo->indrestrictinfo);
	ListCell   *lc;

	foreach(lc, path->indexclauses)
		result = list_append_unique_ptr(result,
										lfirst_node(IndexClause, lc)->rinfo);
	return result;
}

/* Of these conditions, those on a column of the index, from 1, alone. */
static List *
conditions_on(const IndexPath *path, int column, List *conditions)
{
	const IndexOptInfo *info = path->indexinfo;
	int			attno = info->indexkeys[column - 1];
	Bitmapset  *only = bms_make_singleton(attno -
										  FirstLowInvalidHeapAttributeNumber);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, conditions)
	{
		RestrictInfo *condition = lfirst_node(RestrictInfo, lc);
		Bitmapset  *read = NULL;

		pull_varattnos((Node *) condition->clause, info->rel->relid, &read);
		if (attno != 0 && bms_equal(read, only))
			result = lappend(result, condition);
	}
	return result;
}

static Selectivity
share_of(PlannerInfo *root, const IndexPath *path, List *conditions)
{
	return Max(LEAST_SHARE,
			   clauselist_selectivity(root, conditions,
									  path->indexinfo->rel->relid, JOIN_INNER,
									  NULL));
}

/* What rows are ordered by the distance to, if that is known now. */
static bool
find_query(PlannerInfo *root, const IndexPath *path, Relation rel,
		   Datum *query)
{
	const OpExpr *distance = linitial_node(OpExpr, path->indexorderbys);
	Expr	   *argument = lsecond(distance->args);
	bool		isnull;

	return exprType((Node *) argument) ==
		rel->rd_opcintype[DiskannVectorColumn(rel)] &&
		compute_value(argument, root, query, &isnull) && !isnull;
}

/*
 * The share within the bound.  To ask the index for it takes as long as a
 * search, and is worth it only where a LIMIT does not end the scan before.
 */
static Selectivity
share_within(PlannerInfo *root, const IndexPath *path, Relation rel,
			 const Conditions *conditions)
{
	Datum		query;

	if (!conditions->bounded)
		return 1;
	if (root->tuple_fraction > 0 || isinf(conditions->bound) ||
		!find_query(root, path, rel, &query))
		return BOUND_SHARE;
	return DiskannShareWithin(rel, query, conditions->bound, BOUND_SHARE);
}

void
DiskannEstimateShares(PlannerInfo *root, const IndexPath *path, Relation rel,
					  DiskannShares *shares)
{
	Conditions	conditions = {.bound = INFINITY};
	DiskannSettings settings = {0};
	DiskannFilters *columns;
	ListCell   *lc;

	DiskannDescribeFilters(rel, &settings);
	columns = DiskannGetFilters(rel, settings.nfilters, settings.filters);
	foreach(lc, all_conditions(path))
		sort_condition(root, path, rel, columns, lfirst(lc), &conditions);
	shares->sought = share_of(root, path, conditions.sought);
	shares->first = 1;
	if (settings.nfilters > 0 &&
		settings.filters[0].kind != DISKANN_FILTER_SET)
		shares->first = share_of(root, path,
								 conditions_on(path, settings.filters[0].attno,
											   conditions.sought));
	shares->decided = share_of(root, path, conditions.decided);
	shares->left = share_of(root, path, conditions.left);
	shares->bound = share_within(root, path, rel, &conditions);
}
