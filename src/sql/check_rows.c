/*-------------------------------------------------------------------------
 *
 * check_rows.c
 *	  Are an index' rows those of its table?
 *
 * The TIDs of the index are sorted, which brings those that occur twice side
 * by side.  To compare with the table its visible rows are sorted, too, and
 * both merged: a row the index should have must be among them.  The other
 * direction is checked as the TIDs are added: a visible row must hold the
 * vector that its node stands for.  Rows that are not visible may or may not
 * be in the index.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check_rows.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "compat.h"
#include "executor/executor.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "sql/check_common.h"
#include "sql/check_rows.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"
#include "values/filter.h"

/* TIDs in order, one at a time. */
typedef struct SortedTids
{
	Tuplesortstate *sort;
	int64		tid;			/* the current one, see itemptr_encode() */
	bool		valid;			/* is there one? */
} SortedTids;

struct DiskannCheckRows
{
	Relation	rel;
	Relation	heap;
	const DiskannIndex *index;
	const DiskannSupport *support;
	int			column;			/* of the vector, from 0 */
	DiskannFilters *filters;	/* NULL without an index */
	SortedTids	indexed;
	bool		started;		/* to return problems */
	int64		previous;		/* of indexed; -1: none */

	/* When rows are compared. */
	bool		compare;
	SortedTids	visible;
	Snapshot	snapshot;
	IndexInfo  *info;
	EState	   *estate;
	IndexFetchTableData *fetch;
	TupleTableSlot *slot;
	MemoryContext row_context;	/* reset after every row */
};

/*
 * A CREATE INDEX may have left out versions of rows that only older snapshots
 * see, see src/backend/access/heap/README.HOT.
 */
static void
check_snapshot(const DiskannCheckRows *rows)
{
	Relation	rel = rows->rel;

	if (IsolationUsesXactSnapshot() && rel->rd_index->indcheckxmin &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(rel->rd_indextuple->t_data),
							   rows->snapshot->xmin))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("index \"%s\" cannot be compared with its table in this transaction",
						RelationGetRelationName(rel)),
				 errdetail("The transaction's snapshot is older than the index.")));
}

/* memory is in kB, as for all sorts. */
static void
begin_sort(SortedTids *tids, int memory)
{
	tids->sort = tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid,
									   false, memory, NULL, false);
}

DiskannCheckRows *
DiskannCheckRowsBegin(Relation rel, Relation heap, bool compare,
					  const DiskannIndex *index)
{
	DiskannCheckRows *rows = palloc0(sizeof(DiskannCheckRows));
	int			memory = maintenance_work_mem;

	rows->rel = rel;
	rows->heap = heap;
	rows->index = index;
	rows->support = DiskannGetSupport(rel);
	rows->column = DiskannVectorColumn(rel);
	if (index)
		rows->filters = DiskannGetFilters(rel, index->meta.nfilters,
										  index->meta.filters);
	rows->previous = -1;
	rows->compare = compare;
	if (compare)
	{
		rows->snapshot = RegisterSnapshot(GetTransactionSnapshot());
		check_snapshot(rows);

		rows->info = BuildIndexInfo(rel);
		rows->estate = CreateExecutorState();
		rows->fetch = table_index_fetch_begin(heap);
		rows->slot = table_slot_create(heap, NULL);
		rows->row_context = AllocSetContextCreate(CurrentMemoryContext,
												  "diskann check row",
												  ALLOCSET_DEFAULT_SIZES);
		memory = Max(memory / 2, 64);
		begin_sort(&rows->visible, memory);
	}
	begin_sort(&rows->indexed, memory);
	return rows;
}

/* ---------- from the index to the table ---------- */

/* In double precision: errors of thousands of floats would add up. */
static double
vector_distance(const float *a, const float *b, int dims)
{
	double		sum = 0;

	for (int i = 0; i < dims; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sqrt(sum);
}

/*
 * Compare a row's vector, still the user's, with that of its node.  The hash
 * would do if it could not be damaged itself; so the vector is taken to index
 * space, too, where it must be as near to the node's stored vector as the node
 * says.
 */
static const char *
compare_vector(DiskannCheckRows *rows, DiskannRow *row,
			   const DiskannCheckNode *node)
{
	const DiskannSpace *space = &rows->index->space;
	double		centre_length;
	double		slack;
	float		length2;
	float	   *x;

	if (row->hash != node->hash)
		return "a row has another vector than its node";
	x = palloc(sizeof(float) * space->dims);
	memcpy(x, row->x, sizeof(float) * row->dims);
	length2 = diskann_space_row(space, x);

	/* The greatest length on the way to index space sets the rounding. */
	centre_length = sqrt(diskann_kernels->dot_f32(space->centre, space->centre,
												  space->dims));
	slack = DISKANN_CHECK_ROUNDING * (sqrt(length2) + centre_length +
									  sqrt(FLT_MIN));
	if (!(fabs(sqrt(length2) - sqrt(node->length2)) <= slack))
		return "a row's vector has another length than its node says";
	if (!(vector_distance(x, node->x, space->dims) <=
		  node->residual * (1 + DISKANN_CHECK_ROUNDING) + slack))
		return "a row's vector is farther from its node's than the node says";
	return NULL;
}

/* The value the index should have of the row in rows->slot. */
static const char *
compare_row(DiskannCheckRows *rows, const DiskannCheckNode *node)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];
	DiskannFilterValues filters;
	DiskannRow	row;

	ResetPerTupleExprContext(rows->estate);
	GetPerTupleExprContext(rows->estate)->ecxt_scantuple = rows->slot;
	FormIndexDatum(rows->info, rows->slot, rows->estate, values, isnull);
	if (isnull[rows->column])
		return "a row whose vector is NULL is in it";
	if (!DiskannReadRow(rows->support, values[rows->column],
						rows->index->meta.dims, &row))
		return "a row whose vector has no direction is in it";
	DiskannReadFilters(rows->filters, values, isnull, &row, &filters);
	if (memcmp(&filters, &node->filters,
			   DiskannFilterBytes(&rows->index->meta)) != 0)
		return "a row has other values of filter columns than its node";
	return compare_vector(rows, &row, node);
}

const char *
DiskannCheckRowsAdd(DiskannCheckRows *rows, ItemPointer tid,
					const DiskannCheckNode *node)
{
	ItemPointerData version = *tid;
	const char *problem = NULL;
	bool		call_again = false;
	MemoryContext old;

	Assert(!rows->started && rows->index != NULL);
	tuplesort_putdatum(rows->indexed.sort, Int64GetDatum(itemptr_encode(tid)),
					   false);

	/* As an index scan: from the root of a HOT chain to what is visible. */
	if (!rows->compare ||
		!table_index_fetch_tuple(rows->fetch, &version, rows->snapshot,
								 rows->slot, &call_again, NULL))
		return NULL;
	old = MemoryContextSwitchTo(rows->row_context);
	problem = compare_row(rows, node);
	MemoryContextSwitchTo(old);
	MemoryContextReset(rows->row_context);
	ExecClearTuple(rows->slot);
	return problem;
}

/* ---------- from the table to the index ---------- */

/* A row the table has: does it belong into the index? */
static void
visible_row(Relation rel, ItemPointer tid, Datum *values, bool *isnull,
			bool alive, void *arg)
{
	DiskannCheckRows *rows = arg;
	MemoryContext old;
	DiskannRow	row;

	CHECK_FOR_INTERRUPTS();
	if (isnull[rows->column])
		return;
	old = MemoryContextSwitchTo(rows->row_context);
	if (DiskannReadRow(rows->support, values[rows->column], 0, &row))
		tuplesort_putdatum(rows->visible.sort,
						   Int64GetDatum(itemptr_encode(tid)), false);
	MemoryContextSwitchTo(old);
	MemoryContextReset(rows->row_context);
}

/* Collect the rows of the table that the index should have. */
static void
scan_table(DiskannCheckRows *rows)
{
	IndexInfo  *info = BuildIndexInfo(rows->rel);
	TableScanDesc scan;

	/* As CREATE INDEX CONCURRENTLY scans: what a snapshot sees. */
	info->ii_Concurrent = true;

	/* table_index_build_scan() ends the scan. */
	scan = table_beginscan_strat(rows->heap, rows->snapshot, 0, NULL, true,
								 true);
	(void) table_index_build_scan(rows->heap, rows->rel, info, true,
								  false, visible_row, rows, scan);
}

/* ---------- both sorted ---------- */

/* Go to the next TID, or the first. */
static void
advance_tids(SortedTids *tids)
{
	int64		previous PG_USED_FOR_ASSERTS_ONLY = tids->tid;
	bool		first PG_USED_FOR_ASSERTS_ONLY = !tids->valid;
	Datum		value;
	bool		isnull;

	tids->valid = DiskannSortGetDatum(tids->sort, &value, &isnull);
	if (tids->valid)
		tids->tid = DatumGetInt64(value);
	Assert(!tids->valid || first || tids->tid >= previous);
}

/* All rows of the index have been added: sort, and begin to merge. */
static void
end_adding(DiskannCheckRows *rows)
{
	Assert(!rows->started);
	rows->started = true;
	tuplesort_performsort(rows->indexed.sort);
	advance_tids(&rows->indexed);
	if (rows->compare)
	{
		scan_table(rows);
		tuplesort_performsort(rows->visible.sort);
		advance_tids(&rows->visible);
	}
}

/*
 * Both sorts are merged: the lesser of the two current TIDs goes on.  A
 * visible row comes after its equals of the index, so that it has been met if
 * it is the same as the previous TID of the index.
 */
DiskannRowProblem
DiskannCheckRowsNext(DiskannCheckRows *rows, ItemPointer tid)
{
	SortedTids *indexed = &rows->indexed;
	SortedTids *visible = &rows->visible;

	if (!rows->started)
		end_adding(rows);
	while (indexed->valid || visible->valid)
	{
		CHECK_FOR_INTERRUPTS();
		if (visible->valid && (!indexed->valid || visible->tid < indexed->tid))
		{
			bool		found = visible->tid == rows->previous;

			itemptr_decode(tid, visible->tid);
			advance_tids(visible);
			if (!found)
				return DISKANN_ROW_MISSING;
		}
		else
		{
			bool		twice = indexed->tid == rows->previous;

			rows->previous = indexed->tid;
			itemptr_decode(tid, indexed->tid);
			advance_tids(indexed);
			if (twice)
				return DISKANN_ROW_TWICE;
		}
	}
	return DISKANN_ROWS_GOOD;
}

void
DiskannCheckRowsEnd(DiskannCheckRows *rows)
{
	tuplesort_end(rows->indexed.sort);
	if (rows->compare)
	{
		tuplesort_end(rows->visible.sort);
		table_index_fetch_end(rows->fetch);
		ExecDropSingleTupleTableSlot(rows->slot);
		FreeExecutorState(rows->estate);
		UnregisterSnapshot(rows->snapshot);
		MemoryContextDelete(rows->row_context);
	}
	pfree(rows);
}
