/*-------------------------------------------------------------------------
 *
 * value_cost.c
 *	  What it takes to read values that are not in their rows.
 *
 * PostgreSQL's planner takes a value to be in its row.  A vector of more than
 * some 500 dimensions is in the TOAST table, and to read it takes longer than
 * all else that a sequential scan does with a row.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/value_cost.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "access/heaptoast.h"
#include "access/table.h"
#include "am/value_cost.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The widest value that may stand for another one, by what ANALYZE counts. */
#define POINTER_WIDTH 24

/*
 * Chunks are tuples, mostly of cached pages, found by an index, whose descent
 * costs about as much as one more of them; in pages read in sequence.
 */
#define PAGES_PER_CHUNK 0.5

/* Vectors have 16,000 dimensions at most. */
#define MAX_VALUE_SIZE 64000.0

/* The size of the first constant in the expression that may be a vector. */
static bool
find_constant(Node *node, double *size)
{
	Const	   *constant = (Const *) node;

	if (node == NULL)
		return false;
	if (!IsA(node, Const))
		return expression_tree_walker(node, find_constant, size);
	if (constant->constisnull || constant->constlen != -1)
		return false;
	*size = toast_raw_datum_size(constant->constvalue);
	return true;
}

/* What the TOAST table has for a row of this table, whatever the column. */
static double
toasted_bytes(Oid table, double rows)
{
	Relation	rel = table_open(table, NoLock);
	Oid			toast_table = rel->rd_rel->reltoastrelid;
	double		bytes = 0;

	table_close(rel, NoLock);
	if (OidIsValid(toast_table))
	{
		rel = table_open(toast_table, AccessShareLock);
		bytes = (double) RelationGetNumberOfBlocks(rel) * BLCKSZ;
		table_close(rel, AccessShareLock);
	}
	return Min(bytes / Max(rows, 1), MAX_VALUE_SIZE);
}

/*
 * How much of the column's values is in the TOAST table, for one row.  size is
 * that of a constant like them, or 0.  ANALYZE counts such a value as what
 * stands for it in the row.
 */
static double
bytes_outside(PlannerInfo *root, const Var *column, double size)
{
	RangeTblEntry *rte;
	int32		width;
	double		bytes;

	if (column->varlevelsup > 0 || column->varattno <= 0 ||
		(int) column->varno >= root->simple_rel_array_size ||
		root->simple_rel_array[column->varno] == NULL ||
		get_typlen(column->vartype) != -1)
		return 0;
	rte = planner_rt_fetch(column->varno, root);
	if (rte->rtekind != RTE_RELATION)
		return 0;
	width = get_attavgwidth(rte->relid, column->varattno);
	if (width > POINTER_WIDTH)
		return 0;
	bytes = toasted_bytes(rte->relid,
						  root->simple_rel_array[column->varno]->tuples);
	if (size > 0)
		bytes = Min(bytes, size);
	return bytes;
}

Cost
DiskannValueCost(PlannerInfo *root, Node *expression)
{
	List	   *columns = pull_var_clause(expression,
										  PVC_RECURSE_AGGREGATES |
										  PVC_RECURSE_WINDOWFUNCS |
										  PVC_RECURSE_PLACEHOLDERS);
	double		size = 0;
	double		chunks = 0;
	ListCell   *lc;

	(void) find_constant(expression, &size);
	foreach(lc, columns)
	{
		double		bytes = bytes_outside(root, lfirst_node(Var, lc), size);

		if (bytes > 0)
			chunks += 1 + ceil(bytes / TOAST_MAX_CHUNK_SIZE);
	}
	list_free(columns);
	return chunks * PAGES_PER_CHUNK * seq_page_cost;
}
