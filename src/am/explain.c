/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  What EXPLAIN tells of a scan.
 *
 * EXPLAIN ANALYZE shows below an index scan what diskann_last_scan() has of the
 * last scan of a session.  The scan is still open when EXPLAIN comes to it, so
 * that its state has the counts.  Those of a parallel worker are lost with it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/explain.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "am/am.h"
#include "am/explain.h"
#include "am/scan.h"
#include "compat.h"
#include "utils/rel.h"

#if DISKANN_EXPLAINS_NODES

static explain_per_node_hook_type previous_hook = NULL;

/* A node's scan; NULL if it is none of ours, or did not run. */
static IndexScanDesc
scan_of_node(const PlanState *node)
{
	const IndexScanState *scan = (const IndexScanState *) node;

	if (!IsA(node, IndexScanState) || scan->iss_ScanDesc == NULL)
		return NULL;
	if (scan->iss_RelationDesc->rd_indam->ambeginscan != diskannbeginscan)
		return NULL;
	return scan->iss_ScanDesc;
}

/* Counts are those of all loops; the rest is what the last one was like. */
static void
explain_scan(IndexScanDesc scan, ExplainState *es)
{
	DiskannWanted wanted;
	DiskannScanCounts counts = DiskannScanTotal(scan, &wanted);

	if (counts.way == NULL)
		return;
	ExplainPropertyInteger("Nodes Visited", NULL, counts.visits, es);
	ExplainPropertyInteger("Distances Estimated", NULL, counts.estimates, es);
	ExplainPropertyInteger("Rows Compared", NULL, counts.rescored, es);
	if (counts.late > 0 || es->format != EXPLAIN_FORMAT_TEXT)
		ExplainPropertyInteger("Late Nodes", NULL, counts.late, es);
	ExplainPropertyText("Rows Wanted", DiskannWantedText(&wanted), es);
	if (!isinf(wanted.bound))
		ExplainPropertyFloat("Distance Bound", NULL, wanted.bound, 6, es);
	if (counts.list_size > 0)
		ExplainPropertyInteger("Search List", NULL, counts.list_size, es);
	ExplainPropertyText("Ended With", counts.way, es);
}

static void
explain_node(PlanState *node, List *ancestors, const char *relationship,
			 const char *plan_name, ExplainState *es)
{
	IndexScanDesc scan = es->analyze ? scan_of_node(node) : NULL;

	if (previous_hook)
		previous_hook(node, ancestors, relationship, plan_name, es);
	if (scan)
		explain_scan(scan, es);
}

void
DiskannInitExplain(void)
{
	previous_hook = explain_per_node_hook;
	explain_per_node_hook = explain_node;
}

#else

void
DiskannInitExplain(void)
{
}

#endif
