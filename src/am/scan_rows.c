/*-------------------------------------------------------------------------
 *
 * scan_rows.c
 *	  The rows of a scan's nodes: their TIDs, and their distances as the
 *	  operator has them.
 *
 * Where the order of two nodes cannot be told from their stored vectors, a row
 * of each is fetched and the operator called.  The table's pages are those that
 * are going to be needed by the executor anyway if the row is returned.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_rows.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "am/scan_rows.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "values/row.h"

/*
 * How many rows are read ahead: as many as a LIMIT often asks for, with some
 * more that are looked at and not returned.  It doubles each time, since a scan
 * that goes on may go on for long; a read that turns out to be needless costs
 * the disk as much as any other.
 */
#define FIRST_ROWS_AHEAD 12
#define MOST_ROWS_AHEAD 48

/* ---------- the TIDs of a node ---------- */

void
DiskannNodeRowsInit(DiskannNodeRows *rows, DiskannNodeRef *ref)
{
	Size		max_tids = Max(ref->index->meta.max_tids, DISKANN_INLINE_TIDS);

	rows->ref = ref;
	rows->tids = palloc(sizeof(ItemPointerData) * max_tids);
	DiskannNodeRowsClear(rows);
}

void
DiskannNodeRowsClear(DiskannNodeRows *rows)
{
	rows->ntids = 0;
	rows->next = 0;
	rows->chain.next = DISKANN_INVALID_NODE;
}

void
DiskannNodeRowsStart(DiskannNodeRows *rows, const DiskannFound *found)
{
	Assert(found->ntids >= 0 && found->ntids <= DISKANN_INLINE_TIDS);

	memcpy(rows->tids, found->tids, sizeof(found->tids));
	rows->ntids = found->ntids;
	rows->next = 0;
	DiskannStartChain(&rows->chain, found->node, found->next);
}

bool
DiskannNodeRowsRead(DiskannNodeRows *rows, DiskannNode node,
					DiskannFilterValues *filters)
{
	DiskannNode next;

	DiskannNodeRowsClear(rows);
	if (!DiskannReadNodeTids(rows->ref, node, rows->tids, &rows->ntids, &next,
							 filters))
	{
		rows->ntids = 0;
		return false;
	}
	DiskannStartChain(&rows->chain, node, next);
	return true;
}

bool
DiskannNodeRowsNext(DiskannNodeRows *rows, ItemPointer tid)
{
	while (rows->next >= rows->ntids)
	{
		rows->next = 0;
		rows->ntids = 0;

		/* Most nodes have no TIDS slots, which needs no call to tell. */
		if (rows->chain.next == DISKANN_INVALID_NODE ||
			!DiskannReadChain(rows->ref, &rows->chain, rows->tids,
							  &rows->ntids))
			return false;
	}
	*tid = rows->tids[rows->next++];
	return true;
}

/* ---------- the distance of a row ---------- */

void
DiskannRowReaderInit(DiskannRowReader *reader, IndexScanDesc desc,
					 DiskannNodeRef *ref, MemoryContext context,
					 MemoryContext scratch)
{
	MemoryContext old = MemoryContextSwitchTo(context);

	memset(reader, 0, sizeof(DiskannRowReader));
	reader->desc = desc;
	reader->column = DiskannVectorColumn(desc->indexRelation);
	reader->context = context;
	reader->scratch = scratch;
	DiskannNodeRowsInit(&reader->rows, ref);
	DiskannRowReaderStart(reader, NULL, false);
	MemoryContextSwitchTo(old);
}

/*
 * May the node's filter be applied before the node does?  A volatile function
 * may give another value then.  What is in a subplan is not known here.
 */
static bool
may_filter(const IndexScanState *node)
{
	Node	   *qual;

	if (node == NULL)
		return false;
	qual = (Node *) node->ss.ps.plan->qual;
	return !contain_volatile_functions(qual) && !contain_subplans(qual);
}

void
DiskannRowReaderStart(DiskannRowReader *reader, IndexScanState *node,
					  bool recheck)
{
	reader->rows_ahead = FIRST_ROWS_AHEAD;
	reader->filter = may_filter(node) ? node : NULL;
	reader->recheck = recheck;
}

/* Make what is needed to fetch rows, unless that has been done before. */
static void
prepare_fetch(DiskannRowReader *reader)
{
	Relation	heap = reader->desc->heapRelation;
	MemoryContext old;

	if (reader->fetch != NULL)
		return;
	old = MemoryContextSwitchTo(reader->context);
	reader->fetch = table_index_fetch_begin(heap);
	reader->slot = table_slot_create(heap, NULL);
	MemoryContextSwitchTo(old);
}

/*
 * The value of an index on an expression for the row in reader->slot, in the
 * current context or one that is reset by the next call.
 */
static Datum
expression_value(DiskannRowReader *reader, bool *isnull)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		isnulls[INDEX_MAX_KEYS];

	if (reader->estate == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(reader->context);

		reader->index_info = BuildIndexInfo(reader->desc->indexRelation);
		reader->estate = CreateExecutorState();
		MemoryContextSwitchTo(old);
	}
	ResetPerTupleExprContext(reader->estate);
	GetPerTupleExprContext(reader->estate)->ecxt_scantuple = reader->slot;
	FormIndexDatum(reader->index_info, reader->slot, reader->estate, values,
				   isnulls);
	*isnull = isnulls[reader->column];
	return values[reader->column];
}

/* The indexed value of the row in reader->slot, good as long as the row is. */
static Datum
indexed_value(DiskannRowReader *reader, bool *isnull)
{
	Form_pg_index form = reader->desc->indexRelation->rd_index;
	AttrNumber	attno = form->indkey.values[reader->column];

	Assert(!TTS_EMPTY(reader->slot));

	if (attno != 0)
		return slot_getattr(reader->slot, attno, isnull);
	return expression_value(reader, isnull);
}

/*
 * The operator's distance of the row in reader->slot, which is emptied.  False
 * if its vector is NULL.
 */
static bool
row_distance(DiskannRowReader *reader, double *distance)
{
	ScanKey		order_by = &reader->desc->orderByData[0];
	MemoryContext old = MemoryContextSwitchTo(reader->scratch);
	bool		isnull;
	Datum		value = indexed_value(reader, &isnull);

	Assert(!(order_by->sk_flags & SK_ISNULL));

	if (!isnull)
		*distance = DatumGetFloat8(FunctionCall2Coll(&order_by->sk_func,
													 order_by->sk_collation,
													 value,
													 order_by->sk_argument));
	MemoryContextSwitchTo(old);
	MemoryContextReset(reader->scratch);
	ExecClearTuple(reader->slot);
	return !isnull;
}

/*
 * Have the next of the rows that reader->rows has turned to in reader->slot, if
 * the snapshot sees it.  False at the end.
 */
static bool
fetch_row(DiskannRowReader *reader)
{
	Snapshot	snapshot = reader->desc->xs_snapshot;
	ItemPointerData tid;		/* becomes that of the visible version */

	while (DiskannNodeRowsNext(&reader->rows, &tid))
	{
		bool		call_again = false;
		bool		all_dead = false;

		if (table_index_fetch_tuple(reader->fetch, &tid, snapshot,
									reader->slot, &call_again, &all_dead))
			return true;
	}
	return false;
}

bool
DiskannRowReaderDistance(DiskannRowReader *reader,
						 const DiskannResult *result, double *distance)
{
	prepare_fetch(reader);
	DiskannNodeRowsStart(&reader->rows, &result->found);
	while (fetch_row(reader))
	{
		if (row_distance(reader, distance))
			return true;
	}
	return false;
}

/*
 * Does the row in reader->slot pass the filter, and before that the index
 * conditions, if they are to be checked?  They may be those of row level
 * security: what they hide must not be shown to functions of the filter.  The
 * node is waiting for a row, and has nothing in its context of expressions.
 */
static bool
row_passes(DiskannRowReader *reader, bool recheck)
{
	PlanState  *plan = &reader->filter->ss.ps;
	ExprContext *context = plan->ps_ExprContext;
	TupleTableSlot *old = context->ecxt_scantuple;
	bool		passes;

	context->ecxt_scantuple = reader->slot;
	passes = (!recheck || ExecQual(reader->filter->indexqualorig, context)) &&
		ExecQual(plan->qual, context);
	context->ecxt_scantuple = old;
	ResetExprContext(context);
	return passes;
}

bool
DiskannRowReaderPasses(DiskannRowReader *reader, const DiskannResult *result)
{
	int64		rejected = 0;
	bool		passes = false;

	Assert(reader->filter != NULL);

	prepare_fetch(reader);
	DiskannNodeRowsStart(&reader->rows, &result->found);
	while (!passes && fetch_row(reader))
	{
		passes = row_passes(reader, reader->recheck);
		rejected++;
		ExecClearTuple(reader->slot);
	}

	/* The node never sees them, and EXPLAIN is to show them all the same. */
	if (!passes)
		InstrCountFiltered1(reader->filter, rejected);
	return passes;
}

/*
 * The plan leaves out of the filter what a partial index' predicate implies, so
 * that other rows of the table must not be shown to it.  And where rows are so
 * far apart that the table has more pages than the index has nodes, to fetch
 * all of them reads no more.  Where another access method has a row the index
 * is not told, see indexed_tid().
 */
bool
DiskannRowReaderMayReadTable(const DiskannRowReader *reader)
{
	IndexScanDesc desc = reader->desc;

	return reader->filter != NULL &&
		RelationGetIndexPredicate(desc->indexRelation) == NIL &&
		table_slot_callbacks(desc->heapRelation) == &TTSOpsBufferHeapTuple &&
		RelationGetNumberOfBlocks(desc->heapRelation) <=
		reader->rows.ref->count;
}

/*
 * The TID that the index has of a row in a slot, which is that of the first
 * version on the page that had the same indexed values.  Share-locks the page,
 * which the slot has pinned, for the time of the call.
 */
static void
indexed_tid(TupleTableSlot *slot, ItemPointer tid)
{
	const BufferHeapTupleTableSlot *tuple = (BufferHeapTupleTableSlot *) slot;
	OffsetNumber first[MaxHeapTuplesPerPage];

	*tid = slot->tts_tid;
	if (!HeapTupleHeaderIsHeapOnly(tuple->base.tuple->t_data))
		return;
	LockBuffer(tuple->buffer, BUFFER_LOCK_SHARE);
	heap_get_root_tuples(BufferGetPage(tuple->buffer), first);
	LockBuffer(tuple->buffer, BUFFER_LOCK_UNLOCK);
	ItemPointerSetOffsetNumber(tid, first[ItemPointerGetOffsetNumber(tid) - 1]);
}

void
DiskannRowReaderReadTable(DiskannRowReader *reader, DiskannTakeRow take,
						  void *context)
{
	Relation	heap = reader->desc->heapRelation;
	int64		rejected = 0;
	TableScanDesc scan;

	Assert(DiskannRowReaderMayReadTable(reader));

	prepare_fetch(reader);
	scan = table_beginscan(heap, reader->desc->xs_snapshot, 0, NULL);
	while (table_scan_getnextslot(scan, ForwardScanDirection, reader->slot))
	{
		ItemPointerData tid;
		double		distance;

		CHECK_FOR_INTERRUPTS();
		if (!row_passes(reader, true))
		{
			rejected++;
			continue;
		}
		indexed_tid(reader->slot, &tid);
		if (row_distance(reader, &distance))
			take(context, &tid, distance);
	}
	table_endscan(scan);
	ExecClearTuple(reader->slot);
	InstrCountFiltered1(reader->filter, rejected);
}

/* ---------- between rows ---------- */

void
DiskannRowReaderAhead(DiskannRowReader *reader, DiskannOrder *order,
					  DiskannResult *first)
{
	Relation	heap = reader->desc->heapRelation;
	DiskannResult *results[MOST_ROWS_AHEAD];
	int			n;

	Assert(reader->rows_ahead >= 1 && reader->rows_ahead <= MOST_ROWS_AHEAD);
	if (first->announced)
		return;
	results[0] = first;
	for (n = 1; n < reader->rows_ahead; n++)
	{
		results[n] = DiskannOrderTake(order);
		if (results[n] == NULL)
			break;
	}
	for (int i = 0; i < n; i++)
	{
		DiskannResult *result = results[i];

		/* All of a node's rows may be in its TIDS slots. */
		if (!result->announced && result->found.ntids > 0)
			(void) PrefetchBuffer(heap, MAIN_FORKNUM,
								  ItemPointerGetBlockNumber(&result->found.tids[0]));
		result->announced = true;
		if (result != first)
			DiskannOrderPutBack(order, result);
	}
	reader->rows_ahead = Min(2 * reader->rows_ahead, MOST_ROWS_AHEAD);
}

void
DiskannRowReaderPause(DiskannRowReader *reader)
{
	if (reader->fetch != NULL)
		table_index_fetch_reset(reader->fetch);
}

void
DiskannRowReaderEnd(DiskannRowReader *reader)
{
	if (reader->slot != NULL)
		ExecDropSingleTupleTableSlot(reader->slot);
	if (reader->fetch != NULL)
		table_index_fetch_end(reader->fetch);
	if (reader->estate != NULL)
		FreeExecutorState(reader->estate);
}
