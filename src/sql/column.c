/*-------------------------------------------------------------------------
 *
 * column.c
 *	  Planner support for distances between values of two types.
 *
 * A distance between, say, a real[] and a vector is a function in SQL that
 * converts its right argument to the type of its left one and is inlined by
 * the planner.  An index can serve what comes out if the column is the
 * argument that was not converted.  So a column belongs on the left, and where
 * it is written on the right the two are exchanged: a distance is the same
 * both ways.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/column.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/*
 * The function of the same name and schema with its two argument types
 * exchanged, or InvalidOid.
 */
static Oid
find_commuted(Oid function)
{
	char	   *name = get_func_name(function);
	Oid		   *types;
	int			ntypes;
	Oid			commuted[2];

	if (name == NULL)
		return InvalidOid;
	get_func_signature(function, &types, &ntypes);
	if (ntypes != 2)
		return InvalidOid;
	commuted[0] = types[1];
	commuted[1] = types[0];
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(commuted, 2)),
						   ObjectIdGetDatum(get_func_namespace(function)));
}

/*
 * A call that has its column on the right, as one that has it on the left and
 * is inlined; NULL for all others, which the planner then inlines as they are.
 *
 * A parameter and a column of an outer query are known when an index scan
 * starts, and are no columns here.
 */
static Node *
put_column_left(PlannerInfo *root, const FuncExpr *call)
{
	Node	   *left;
	Node	   *right;
	Oid			commuted;

	if (list_length(call->args) != 2)
		return NULL;
	left = linitial(call->args);
	right = lsecond(call->args);
	if (contain_var_clause(left) || !contain_var_clause(right))
		return NULL;
	commuted = find_commuted(call->funcid);
	if (!OidIsValid(commuted))
		return NULL;
	return eval_const_expressions(root,
								  (Node *) makeFuncExpr(commuted, FLOAT8OID,
														list_make2(right, left),
														InvalidOid,
														call->inputcollid,
														COERCE_EXPLICIT_CALL));
}

PGDLLEXPORT PG_FUNCTION_INFO_V1(diskann_column_support);
Datum
diskann_column_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestSimplify *simplify = (SupportRequestSimplify *) request;

	if (!IsA(request, SupportRequestSimplify) ||
		simplify->fcall->funcresulttype != FLOAT8OID)
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(put_column_left(simplify->root, simplify->fcall));
}
