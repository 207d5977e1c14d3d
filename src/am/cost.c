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
#include "am/calibrate.h"
#include "am/effort.h"
#include "am/options.h"
#include "am/shares.h"
#include "am/value_cost.h"
#include "compat.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/rel.h"
#include "utils/spccache.h"
#include "values/row.h"

/*
 * A visit is one page, scattered, but over a small and therefore mostly cached
 * part of the index: it is charged like half a page read in sequence.  It
 * scores all of a node's edges and finds them a place, which takes half as long
 * again; and each filter column makes nodes larger.
 */
#define PAGES_PER_VISIT 0.5
#define OPERATORS_PER_VISIT 100
#define OPERATORS_PER_COLUMN 5

/*
 * A visit beyond the list, or among nodes that match, takes so many times that:
 * there is a heap to keep, or conditions.
 */
#define FURTHER_VISIT 2

/* Where it is not known how many are wanted, a row takes so many visits. */
#define VISITS_PER_ROW 2

/* A row looked at is a page of the table, as a rule cached. */
#define PAGES_PER_ROW 0.5

/* To measure a node where pages are read in sequence, and to sort it. */
#define OPERATORS_PER_NODE 50

/*
 * What the map tells of a node, and what it takes to start with it, in pages:
 * to find out what is sought, and to read those that tell how much there is.
 */
#define OPERATORS_PER_MARK 2
#define MAP_BYTES_PER_COLUMN 3
#define PAGES_TO_SEEK 64

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
	double		list_size;		/* as set */
	double		list;			/* nodes visited before the first row */
	double		most_visits;
	DiskannShares shares;
	double		returned;		/* of rows, those that the index returns */
	Cost		visit;			/* of a node of the list */
	Cost		further;		/* of any other node */
	Cost		fetch;			/* of a row, to look at it */
	Cost		compare;		/* a node's row with others */
	Cost		seek;			/* before the first visit */
	Cost		measure_all;	/* to measure and sort all that may match */
	Cost		read_table;		/* instead of a long walk; infinity: it cannot
								 * be read */
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

/* How many nodes a scan may consider before it returns no more. */
static double
most_visits(double list, double nodes)
{
	if (diskann_iterative_search == DISKANN_ITERATE_OFF)
		return list;
	if (diskann_max_scan_tuples > 0)
		return Min(diskann_max_scan_tuples, nodes);
	return nodes;
}

/*
 * To measure all nodes that match, and to sort them: the map leads to them, or
 * all pages are read.
 */
static Cost
price_measuring(const IndexOptInfo *info, const ScanModel *model, Cost page)
{
	double		nodes = model->nodes * model->shares.sought;
	double		map = model->nodes * (info->nkeycolumns - 1) *
		MAP_BYTES_PER_COLUMN / BLCKSZ;
	Cost		sort = nodes * 2 * log2(Max(nodes, 2)) * cpu_operator_cost;

	if (model->shares.sought < 1)
		return sort + map * page +
			model->nodes * OPERATORS_PER_MARK * cpu_operator_cost +
			nodes * model->further / DISKANN_MEASURES_PER_VISIT;
	return sort + info->pages * page +
		nodes * OPERATORS_PER_NODE * cpu_operator_cost;
}

/*
 * To read the table and apply the filter, as scan_walk.c does where few rows
 * pass.  Infinity where it does not, see DiskannRowReaderMayReadTable().
 */
static Cost
price_reading(PlannerInfo *root, const IndexPath *path, const ScanModel *model)
{
	IndexOptInfo *info = path->indexinfo;
	RelOptInfo *rel = info->rel;
	List	   *filter = extract_actual_clauses(info->indrestrictinfo, false);
	double		page;

	if (diskann_iterative_search != DISKANN_ITERATE_STRICT ||
		diskann_query_rescore == 0 || model->most_visits < model->nodes ||
		model->shares.sought < 1 || model->shares.left == 1 ||
		info->indpred != NIL || rel->pages > model->nodes ||
		contain_volatile_functions((Node *) filter) ||
		contain_subplans((Node *) filter))
		return INFINITY;
	get_tablespace_page_costs(rel->reltablespace, NULL, &page);
	return rel->pages * page + rel->baserestrictcost.startup +
		rel->tuples * (cpu_tuple_cost + rel->baserestrictcost.per_tuple);
}

static void
price_parts(PlannerInfo *root, const IndexPath *path, ScanModel *model)
{
	IndexOptInfo *info = path->indexinfo;
	Relation	rel = index_open(info->indexoid, NoLock);
	bool		strict = diskann_iterative_search != DISKANN_ITERATE_RELAXED &&
		diskann_query_rescore != 0;
	double		page;

	get_tablespace_page_costs(info->reltablespace, NULL, &page);
	DiskannEstimateShares(root, path, rel, &model->shares);
	model->returned = model->shares.sought * model->shares.decided;
	model->nodes = Max(info->tuples, 1);
	model->list_size = DiskannSearchListSize(rel, root->limit_tuples);
	index_close(rel, NoLock);
	model->list = Min(DiskannVisitsFor(model->list_size, root->limit_tuples), model->nodes);
	model->most_visits = most_visits(model->list, model->nodes);
	model->visit = PAGES_PER_VISIT * page + cpu_operator_cost *
		(OPERATORS_PER_VISIT + OPERATORS_PER_COLUMN * (info->nkeycolumns - 1));
	model->further = FURTHER_VISIT * model->visit;
	model->fetch = PAGES_PER_ROW * page;
	model->compare = 0;
	if (strict)
		model->compare = cpu_tuple_cost + cpu_operator_cost +
			DiskannValueCost(root, linitial(path->indexorderbys));
	model->seek = model->shares.sought < 1 ? PAGES_TO_SEEK * page : 0;
	model->measure_all = price_measuring(info, model, page);
	model->read_table = price_reading(root, path, model);
}

/* To find the nearest so many nodes where nothing is sought. */
static Cost
cost_of_walk(const ScanModel *model, double nodes)
{
	double		visits = Min(DiskannVisitsFor(model->list_size, nodes), model->most_visits);
	double		list = Min(model->list, visits);

	return list * model->visit + (visits - list) * model->further;
}

/*
 * The same among nodes that match.  Value edges lead to all nodes of a
 * signature, which has some share even if few of them have the value.
 */
static Cost
cost_of_matching(const ScanModel *model, double nodes)
{
	const DiskannShares *shares = &model->shares;
	double		list = Max(DiskannVisitsFor(model->list_size, nodes), model->list);
	double		detour = shares->first < 1 ?
		Max(shares->first, 1.0 / DISKANN_MOST_LEARNED) / shares->sought : 0;
	double		visits = DiskannVisitsToMatch(Min(list, model->most_visits),
											  shares->sought, detour);

	if (model->most_visits == model->nodes &&
		model->nodes * model->shares.sought <= DISKANN_MEASURES_PER_VISIT * visits)
		return model->seek + model->measure_all;
	return model->seek + Min(visits, model->nodes) * model->further;
}

/* To find the nearest so many nodes of those that are sought. */
static Cost
cost_of_nodes(const ScanModel *model, double nodes)
{
	if (model->most_visits == model->nodes &&
		nodes * DISKANN_WALK_PER_SORT >= model->nodes * model->shares.sought)
		return model->seek + model->measure_all;
	return model->shares.sought < 1 ? cost_of_matching(model, nodes) :
		cost_of_walk(model, nodes);
}

/*
 * The cost of the first so many rows that the index returns, of which only
 * those that meet the other conditions are compared with others.
 */
static Cost
cost_of_rows(const ScanModel *model, double rows)
{
	return cost_of_nodes(model, rows / model->shares.decided) +
		rows * (model->fetch + model->shares.left * model->compare +
				cpu_index_tuple_cost);
}

/* Does the scan, for so many rows, read the table rather than walk? */
static bool
reads_table(const ScanModel *model, double wanted)
{
	return !isinf(model->read_table) &&
		DiskannReadsTable(wanted, model->shares.decided * model->shares.left,
						  model->nodes);
}

/* It looks at the rows of the list, and then compares all that pass. */
static Cost
cost_of_table(const ScanModel *model)
{
	double		passing = model->nodes * model->returned * model->shares.left *
		model->shares.bound;

	return cost_of_walk(model, 0) + model->list_size * model->fetch +
		model->read_table + passing * (model->compare + cpu_operator_cost *
									   2 * log2(Max(passing, 2)));
}

/* All rows are wanted: those within the bound, or all nodes sorted. */
static Cost
cost_of_all(const ScanModel *model)
{
	double		rows = model->nodes * model->returned * model->shares.bound;

	if (model->shares.bound < 1)
		return cost_of_rows(model, rows);
	return model->seek + model->measure_all +
		rows * (model->fetch + model->shares.left * model->compare +
				cpu_index_tuple_cost);
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
	double		most = model->nodes * model->returned * model->shares.bound;
	double		looked_at;

	*startup = cost_of_nodes(model, 0);
	*fetched = model->returned * model->shares.bound;
	if (root->tuple_fraction == 0)
		*startup = *total = cost_of_all(model);
	else if (share > 0)
	{
		double		wanted = share * path->path.rows;
		Cost		cost;

		looked_at = Min(wanted / model->shares.left, most);
		cost = cost_of_rows(model, looked_at);
		if (reads_table(model, wanted))
		{
			cost = cost_of_table(model);
			looked_at = Min(wanted, most);
		}
		*total = *startup + Max(0, cost - *startup) / share;
		*fetched = Min(1, looked_at / (share * model->nodes));
	}
	else
		*total = *startup + most * (VISITS_PER_ROW * model->further +
									model->fetch + model->compare);
}

void
diskanncostestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					Cost *startup_cost, Cost *total_cost,
					Selectivity *selectivity, double *correlation,
					double *pages)
{
	IndexOptInfo *info = path->indexinfo;
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

	price_parts(root, path, &model);
	price_scan(root, path, &model, startup_cost, total_cost, &fetched);
	*selectivity = Min(1, fetched * model.nodes / Max(info->rel->tuples, 1));
}
