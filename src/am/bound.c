/*-------------------------------------------------------------------------
 *
 * bound.c
 *	  A distance beyond which a query's conditions drop every row.
 *
 * A query may ask for rows within some distance,
 *
 *		SELECT id FROM t WHERE v <-> $1 < 0.5 ORDER BY v <-> $1
 *
 * or of some likeness, as in 1 - (v <=> $1) > 0.8.  As rows come in the order
 * of just this distance, none is wanted after the first that is beyond.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/bound.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/stratnum.h"
#include "am/bound.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* How numbers are computed. */
typedef struct Computer
{
	const Expr *distance;
	DiskannCompute compute;
	void	   *context;
} Computer;

static bool
is_operator(const Expr *expr, int nargs)
{
	return IsA(expr, OpExpr) && list_length(((OpExpr *) expr)->args) == nargs;
}

static Expr *
argument(const Expr *expr, int n)
{
	return list_nth(((const OpExpr *) expr)->args, n);
}

/* Is the expression the distance that rows are ordered by? */
static bool
is_distance(const Expr *expr, const Expr *distance)
{
	if (equal(expr, distance))
		return true;
	return is_operator(expr, 2) && is_operator(distance, 2) &&
		get_commutator(((const OpExpr *) expr)->opno) ==
		((const OpExpr *) distance)->opno &&
		equal(argument(expr, 0), argument(distance, 1)) &&
		equal(argument(expr, 1), argument(distance, 0));
}

/* The number that an expression yields whatever the row is, if it is one. */
static bool
compute_number(const Computer *computer, Expr *expr, double *number)
{
	Oid			type = exprType((Node *) expr);
	Datum		value;
	bool		isnull;

	if ((type != FLOAT8OID && type != FLOAT4OID) ||
		contain_var_clause((Node *) expr) ||
		contain_subplans((Node *) expr) ||
		contain_volatile_functions((Node *) expr) ||
		!computer->compute(expr, computer->context, &value, &isnull) ||
		isnull)
		return false;
	*number = type == FLOAT8OID ? DatumGetFloat8(value) :
		DatumGetFloat4(value);
	return !isnan(*number);
}

/*
 * Is the expression a likeness, which is *offset minus the distance?  Negative
 * inner products may be turned by a factor of -1, too.
 */
static bool
is_likeness(const Computer *computer, const Expr *expr, double *offset)
{
	Oid			function;
	double		factor;

	if (!IsA(expr, OpExpr))
		return false;
	function = get_opcode(((const OpExpr *) expr)->opno);
	*offset = 0;
	if (function == F_FLOAT8UM)
		return is_distance(argument(expr, 0), computer->distance);
	if (function == F_FLOAT8MI)
		return is_distance(argument(expr, 1), computer->distance) &&
			compute_number(computer, argument(expr, 0), offset);
	if (function != F_FLOAT8MUL)
		return false;
	for (int i = 0; i < 2; i++)
	{
		if (is_distance(argument(expr, i), computer->distance) &&
			compute_number(computer, argument(expr, 1 - i), &factor))
			return factor == -1;
	}
	return false;
}

/*
 * Turn a comparison of two numbers into less <= greater, or less < greater;
 * false if the condition is none.
 */
static bool
is_comparison(const Expr *condition, Expr **less, Expr **greater)
{
	Oid			family;
	int			strategy;

	if (!is_operator(condition, 2))
		return false;
	family = lookup_type_cache(FLOAT8OID, TYPECACHE_BTREE_OPFAMILY)->btree_opf;
	strategy = get_op_opfamily_strategy(((const OpExpr *) condition)->opno,
										family);
	*less = argument(condition, 0);
	*greater = argument(condition, 1);
	if (strategy == BTGreaterStrategyNumber ||
		strategy == BTGreaterEqualStrategyNumber)
	{
		*less = argument(condition, 1);
		*greater = argument(condition, 0);
	}
	return strategy != InvalidStrategy && strategy != BTEqualStrategyNumber;
}

bool
DiskannLowerBound(Expr *condition, const Expr *distance,
				  DiskannCompute compute, void *context, double *bound)
{
	Computer	computer = {distance, compute, context};
	Expr	   *less;
	Expr	   *greater;
	double		number;
	double		offset;

	if (!is_comparison(condition, &less, &greater))
		return false;
	if (is_distance(less, distance))
	{
		if (!compute_number(&computer, greater, &number))
			return false;
	}
	else if (is_likeness(&computer, greater, &offset) &&
			 compute_number(&computer, less, &number))
	{
		/* The likeness of a row is rounded, and so is this difference. */
		number = offset - number +
			4 * DBL_EPSILON * (fabs(offset) + fabs(number));
	}
	else
		return false;
	*bound = fmin(*bound, number);
	return true;
}
