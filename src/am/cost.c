/*-------------------------------------------------------------------------
 *
 * cost.c
 *	  What a scan is expected to cost.
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
#include "compat.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"
#include "values/row.h"

/*
 * A search visits about as many nodes as its list holds, whatever the size of
 * the table, before it returns the first row; each further row costs about one
 * more.  A visit is one page, scattered, but over a small and therefore mostly
 * cached part of the index: it is charged like a page read in sequence.  It
 * scores all of a node's edges, which costs about as much as a few operators.
 */
#define OPERATORS_PER_VISIT 10

/*
 * Of a path that would give wrong results: more than that of any path that is
 * merely disabled, but finite, for a sort above it would make it a NaN, which
 * compares as equal to everything.
 */
#define FORBIDDEN_COST 1e20

/* The index' column of vectors, from 0. */
static int
vector_column(const IndexOptInfo *info)
{
	int			column = 0;

	while (column < info->nkeycolumns - 1 &&
		   !OidIsValid(get_opfamily_proc(info->opfamily[column],
										 info->opcintype[column],
										 info->opcintype[column],
										 DISKANN_SUPPORT_PROC)))
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

void
diskanncostestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					Cost *startup_cost, Cost *total_cost,
					Selectivity *selectivity, double *correlation,
					double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	GenericCosts costs;
	Relation	rel;
	double		seq_page_cost_here;
	double		visit_cost;
	double		visits;

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
	get_tablespace_page_costs(info->reltablespace, NULL, &seq_page_cost_here);

	rel = index_open(info->indexoid, NoLock);
	visits = DiskannSearchListSize(rel);
	index_close(rel, NoLock);

	visits = Min(visits, Max(info->tuples, 1));
	visit_cost = seq_page_cost_here + OPERATORS_PER_VISIT * cpu_operator_cost;
	*startup_cost = visits * visit_cost;
	*total_cost = *startup_cost +
		Max(0, info->tuples - visits) * visit_cost +
		info->tuples * (cpu_index_tuple_cost + cpu_operator_cost);
	*selectivity = costs.indexSelectivity;
}
