/*-------------------------------------------------------------------------
 *
 * foreign_cost.c
 *	  What distances cost whose functions are another extension's.
 *
 * Ours have a support function that tells the planner what it takes to read a
 * vector from the TOAST table.  pgvector's have none.  So where one of our
 * indexes is ordered by such a distance, this adds it to the other paths of the
 * table: the distances of their rows will all be computed, to sort them.  Not
 * in joins, where it is not known of how many rows that is.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/foreign_cost.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/am.h"
#include "am/foreign_cost.h"
#include "am/value_cost.h"
#include "optimizer/paths.h"
#include "utils/lsyscache.h"

static set_rel_pathlist_hook_type previous_hook;

static bool
is_ours(const Path *path)
{
	const IndexPath *scan = (const IndexPath *) path;

	return IsA(path, IndexPath) && scan->indexorderbys != NIL &&
		scan->indexinfo->amcostestimate == diskanncostestimate;
}

/* A distance that an index of ours is ordered by, whose cost nobody tells. */
static Node *
find_distance(const RelOptInfo *rel)
{
	ListCell   *lc;

	foreach(lc, rel->pathlist)
	{
		const IndexPath *path = lfirst(lc);
		const OpExpr *distance;

		if (!is_ours(&path->path))
			continue;
		distance = linitial_node(OpExpr, path->indexorderbys);
		if (!OidIsValid(get_func_support(get_opcode(distance->opno))))
			return (Node *) distance;
	}
	return NULL;
}

static void
add_to_paths(List *paths, Cost per_row)
{
	ListCell   *lc;

	foreach(lc, paths)
	{
		Path	   *path = lfirst(lc);

		if (!is_ours(path))
			path->total_cost += path->rows * per_row;
	}
}

static void
add_distances(PlannerInfo *root, RelOptInfo *rel, Index rti,
			  RangeTblEntry *rte)
{
	Node	   *distance;
	Cost		per_row;

	if (previous_hook)
		previous_hook(root, rel, rti, rte);
	if (bms_membership(root->all_baserels) != BMS_SINGLETON)
		return;
	distance = find_distance(rel);
	if (distance == NULL)
		return;
	per_row = DiskannValueCost(root, distance);
	add_to_paths(rel->pathlist, per_row);
	add_to_paths(rel->partial_pathlist, per_row);
}

void
DiskannInitForeignCost(void)
{
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = add_distances;
}
