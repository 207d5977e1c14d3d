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
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

/*
 * The share of rows that a function keeps of which nothing is known.  The
 * planner takes a third, with which a scan that goes on until it has found ten
 * rows seems cheap; but it costs the more the fewer are kept, while its
 * alternatives cost the same.
 */
#define UNKNOWN_SHARE 0.05

/* The share that is within a bound of the distance: what is near is rare. */
#define BOUND_SHARE 0.01

/* Nothing is that rare. */
#define LEAST_SHARE 1e-10

/* The conditions, of RestrictInfo, by what is made of them. */
typedef struct Conditions
{
	List	   *sought;
	List	   *decided;
	List	   *left;
	int			unknown;		/* functions among what is left */
	bool		bound;
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

/* Is it a function that does not tell how many rows it keeps? */
static bool
is_unknown(const Node *clause)
{
	return IsA(clause, FuncExpr) &&
		!OidIsValid(get_func_support(((const FuncExpr *) clause)->funcid));
}

static bool
is_bound(PlannerInfo *root, const IndexPath *path, Expr *clause)
{
	double		bound = INFINITY;

	return path->indexorderbys != NIL &&
		DiskannLowerBound(clause, linitial(path->indexorderbys),
						  compute_number, root, &bound);
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
	else if (is_bound(root, path, condition->clause))
		conditions->bound = true;
	else if (is_unknown((Node *) condition->clause))
		conditions->unknown++;
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

void
DiskannEstimateShares(PlannerInfo *root, const IndexPath *path, Relation rel,
					  DiskannShares *shares)
{
	Conditions	conditions = {0};
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
	shares->left = share_of(root, path, conditions.left) *
		pow(UNKNOWN_SHARE, conditions.unknown);
	shares->bound = conditions.bound ? BOUND_SHARE : 1;
}
