/*-------------------------------------------------------------------------
 *
 * check.c
 *	  Verify that an index is what it should be.
 *
 * diskann_index_check() looks at all there is in an index, in three passes:
 *
 * - pages: header and special area of every page (here);
 * - slots: state, vector and TIDs of every node; a TIDS slot is in the chain of
 *	 its owner, once; no row is in the index twice (check_slots.c);
 * - edges: each leads to another node, and says of it what that node's own slot
 *	 says (check_edges.c).
 *
 * Each pass relies on those before it: the slots of a page are where its kind
 * says, and an edge can be compared with its target because the target's own
 * vector has been checked.
 *
 * On demand it also compares the rows of the index with those of the table
 * (check_rows.c).  What is wrong is reported as an error.  What is no error,
 * but could be better, is counted and returned: nodes that no path leads to
 * are found only by scans that go on through all pages; a crash, or a failed
 * INSERT, may leave TIDS slots that belong to nobody, until VACUUM frees them.
 *
 * The function takes share locks on table and index, so that readers go on and
 * writers wait.  During recovery that is not possible, and changes may be
 * replayed meanwhile.  A slot is copied under its lock and so is good or bad
 * in itself; what does not fit together is looked at again.
 *
 * Memory for what is known of the slots, a byte each, comes on top of
 * maintenance_work_mem, which bounds the sorts of TIDs.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_am_d.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "sql/check_common.h"
#include "sql/check_edges.h"
#include "sql/check_rows.h"
#include "sql/check_slots.h"
#include "sql/inspect.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define NCOLUMNS (sizeof(DiskannCheckCounts) / sizeof(int64))

/* ---------- pages ---------- */

/*
 * Check the header of a page in use, given a copy of it.  What is between
 * pd_lower and pd_upper is left out by WAL, so it has to be zeroes.
 */
static void
check_page_header(const DiskannCheck *check, BlockNumber block, Page page)
{
	PageHeader	header = (PageHeader) page;
	LocationIndex special = BLCKSZ - MAXALIGN(sizeof(DiskannPageOpaqueData));
	bool		sound = PageGetPageSize(page) == BLCKSZ &&
		PageGetPageLayoutVersion(page) == PG_PAGE_LAYOUT_VERSION &&
		header->pd_special == special && header->pd_upper == special &&
		header->pd_lower >= SizeOfPageHeaderData &&
		header->pd_lower <= special;

	for (int i = header->pd_lower; sound && i < special; i++)
		sound = page[i] == 0;
	if (!sound)
		DiskannCheckReportPage(check, block, -1, PageGetLSN(page),
							   "a page header is not that of a diskann page");
}

/*
 * What a block is for: the kind of its page, and which of its parts if a slot
 * or the centre spans several.  False if it should be all zeroes.
 */
static bool
expected_page(const DiskannCheck *check, BlockNumber block,
			  DiskannPageKind *kind, int *part)
{
	DiskannPlace place = {DISKANN_PAGE_META, 0, 0};

	if (block != DISKANN_METAPAGE_BLKNO)
		place = DiskannPlaceOfBlock(&check->index->meta, block);
	*kind = place.kind;
	*part = place.part;

	/* A crash may have left some of the pages of one slot more. */
	return (*kind != DISKANN_PAGE_NODES && *kind != DISKANN_PAGE_FILTER_MAP) ||
		place.node < check->nslots;
}

/* Check one page, which is share-locked only while it is copied. */
static void
check_page(DiskannCheck *check, BlockNumber block)
{
	PGAlignedBlock copy;
	Page		page = (Page) copy.data;
	Buffer		buffer = ReadBufferExtended(check->rel, MAIN_FORKNUM, block,
											RBM_NORMAL, check->strategy);
	DiskannPageOpaque opaque;
	DiskannPageKind kind;
	int			part;
	bool		in_use;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);

	in_use = expected_page(check, block, &kind, &part);
	if (PageIsNew(page))
	{
		if (kind != DISKANN_PAGE_NODES && kind != DISKANN_PAGE_FILTER_MAP)
			DiskannCheckReportPage(check, block, -1, InvalidXLogRecPtr,
								   "a page is empty");
		return;
	}
	if (!in_use)
		DiskannCheckReportPage(check, block, -1, PageGetLSN(page),
							   "a page after the last slot is in use");
	check_page_header(check, block, page);
	opaque = DiskannPageGetOpaque(page);
	if (opaque->page_id != DISKANN_PAGE_ID)
		DiskannCheckReportPage(check, block, -1, PageGetLSN(page),
							   psprintf("a page has identifier %04X",
										opaque->page_id));
	if (opaque->kind != kind || opaque->part != part)
		DiskannCheckReportPage(check, block, -1, PageGetLSN(page),
							   psprintf("a page is of kind %u, part %u, not of kind %d, part %d",
										opaque->kind, opaque->part, kind, part));
}

/* An index without rows may have more pages, left by a crash: ignore them. */
static void
check_pages(DiskannCheck *check)
{
	BlockNumber nblocks = DISKANN_METAPAGE_BLKNO + 1;

	if (check->index)
		nblocks = check->ref.nblocks;
	for (BlockNumber block = 0; block < nblocks; block++)
	{
		CHECK_FOR_INTERRUPTS();
		check_page(check, block);
	}
}

/* ---------- rows ---------- */

/*
 * Read slots from node on into check->node until one has the row; false if
 * there is none.  This reads the whole index, which is why it is done only to
 * tell where an error is, once there is one.
 */
static bool
find_row(DiskannCheck *check, ItemPointer tid, DiskannNode node)
{
	DiskannSlotCopy *copy = &check->node;
	DiskannNode count = check->index ? DiskannNodeCount(&check->ref) : 0;

	for (; node < count; node++)
	{
		ItemPointer tids;

		CHECK_FOR_INTERRUPTS();
		DiskannCheckRead(check, node, copy);
		if (copy->head->state != DISKANN_LIVE &&
			copy->head->state != DISKANN_TIDS)
			continue;
		tids = copy->head->state == DISKANN_LIVE ? copy->head->tids :
			DiskannSlotTids(copy->bytes);
		for (int i = 0; i < copy->head->ntids; i++)
		{
			if (ItemPointerEquals(&tids[i], tid))
				return true;
		}
	}
	return false;
}

/*
 * Report a row that is in the index twice.  The sort of TIDs has found it,
 * which does not know the slots; the slots are searched for both places.
 */
static void
report_twice(DiskannCheck *check, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
	DiskannNode first;

	if (!find_row(check, tid, 0))
		elog(ERROR, "a row vanished from an index that is locked");
	first = check->node.node;
	if (find_row(check, tid, first + 1))
		DiskannCheckReport(check, &check->node,
						   psprintf("it has heap row (%u,%u), which slot %u has, too",
									block, offset, first));
	DiskannCheckRead(check, first, &check->node);
	DiskannCheckReport(check, &check->node,
					   psprintf("it has heap row (%u,%u) more than once",
								block, offset));
}

/* Report the first row that is not in the index exactly once. */
static void
check_rows(DiskannCheck *check)
{
	DiskannRowProblem problem;
	ItemPointerData tid;

	while ((problem = DiskannCheckRowsNext(check->rows,
										   &tid)) != DISKANN_ROWS_GOOD)
	{
		/*
		 * During recovery VACUUM may have removed a TID after it was read
		 * from one slot, and a new row at the same place in the table may
		 * have been read from another slot since.
		 */
		if (problem == DISKANN_ROW_TWICE && !check->in_recovery)
			report_twice(check, &tid);

		/*
		 * During recovery a chain may have changed while it was read, so that
		 * some of its slots were passed by; another look finds the row.
		 */
		if (problem == DISKANN_ROW_MISSING &&
			!(check->in_recovery && find_row(check, &tid, 0)))
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("heap row (%u,%u) of table \"%s\" is missing in index \"%s\"",
							ItemPointerGetBlockNumber(&tid),
							ItemPointerGetOffsetNumber(&tid),
							RelationGetRelationName(check->heap),
							RelationGetRelationName(check->rel)),
					 errhint("Please REINDEX it.")));
	}
}

/* ---------- the function ---------- */

/* In double precision: errors of thousands of floats would add up. */
static double
vector_length(const float *x, int dims)
{
	double		sum = 0;

	for (int i = 0; i < dims; i++)
		sum += (double) x[i] * x[i];
	return sqrt(sum);
}

/*
 * The block that all TIDs must be before; InvalidBlockNumber if that is not
 * known.  Rows are removed from the index before the table is truncated, but a
 * standby may do so after we read them.  What the TIDs of another table access
 * method mean is not known.
 */
static BlockNumber
end_of_heap(const DiskannCheck *check)
{
	if (check->in_recovery ||
		check->heap->rd_rel->relam != HEAP_TABLE_AM_OID)
		return InvalidBlockNumber;
	return RelationGetNumberOfBlocks(check->heap);
}

/* What signatures of filter columns are to be. */
static void
begin_filters(DiskannCheck *check)
{
	const DiskannMetaPageData *meta = &check->index->meta;
	int			column;

	check->signatures =
		DiskannSignaturesLoad(check->index,
							  DiskannGetFilters(check->rel, meta->nfilters,
												meta->filters));
	column = DiskannDisorderedRanges(check->signatures);
	if (column >= 0)
		DiskannCheckReportPage(check, meta->filters[column].ranges, -1,
							   InvalidXLogRecPtr,
							   "the ranges of a filter column are not in order");
}

/* Read the metapage, the centre and the ranges, which checks them. */
static void
begin_check(DiskannCheck *check, bool compare_rows)
{
	const DiskannIndex *index;

	check->in_recovery = RecoveryInProgress();
	check->index = index = DiskannLoadForInspection(check->rel);
	check->strategy = GetAccessStrategy(BAS_BULKREAD);
	check->heap_blocks = end_of_heap(check);
	check->rows = DiskannCheckRowsBegin(check->rel, check->heap, compare_rows,
										index);
	if (index == NULL)
		return;
	DiskannNodeInit(&check->ref, check->rel, index, false);
	check->nslots = DiskannNodeCount(&check->ref);
	if (check->nslots == 0)
		DiskannCheckReportPage(check,
							   DiskannNodeBlock(index, DISKANN_ENTRY_NODE), -1,
							   InvalidXLogRecPtr, "the entry node is missing");
	DiskannCheckInitSlots(check);
	begin_filters(check);
	check->centre_length = vector_length(index->space.centre,
										 index->space.dims);
}

/* All passes; the relations are locked, and nothing else. */
static void
do_check(DiskannCheck *check, bool compare_rows)
{
	begin_check(check, compare_rows);
	check_pages(check);
	if (check->index)
	{
		DiskannCheckSlots(check);
		DiskannCheckEdges(check);
	}
	check_rows(check);
	DiskannCheckRowsEnd(check->rows);
	FreeAccessStrategy(check->strategy);
}

static void
open_relations(DiskannCheck *check, Oid index_oid, LOCKMODE lockmode)
{
	check->rel = DiskannOpenWithTable(index_oid, lockmode, lockmode,
									  &check->heap);
	if (!check->rel->rd_index->indisvalid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot check index \"%s\"",
						RelationGetRelationName(check->rel)),
				 errdetail("The index is not valid.")));
}

/* The counts as a row, in the order in which the struct has them. */
static Datum
result_row(FunctionCallInfo fcinfo, const DiskannCheckCounts *counts)
{
	const int64 values[] = {counts->nodes, counts->tids, counts->tombstones,
		counts->free_slots, counts->tids_slots, counts->edges,
	counts->unreachable, counts->empty, counts->orphans};
	Datum		datums[NCOLUMNS];
	bool		isnull[NCOLUMNS] = {false};
	TupleDesc	desc;

	StaticAssertStmt(lengthof(values) == NCOLUMNS, "a count is missing");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (int i = 0; i < (int) NCOLUMNS; i++)
		datums[i] = Int64GetDatum(values[i]);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), datums,
											 isnull));
}

PG_FUNCTION_INFO_V1(diskann_index_check);
Datum
diskann_index_check(PG_FUNCTION_ARGS)
{
	LOCKMODE	lockmode = RecoveryInProgress() ? AccessShareLock : ShareLock;
	DiskannCheck *check = palloc0(sizeof(DiskannCheck));
	int			guc_level;
	int			sec_context;
	Oid			user;

	open_relations(check, PG_GETARG_OID(0), lockmode);

	/* Expressions and predicates of the index are run as the table's owner. */
	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(check->heap->rd_rel->relowner,
						   sec_context | SECURITY_RESTRICTED_OPERATION);
	guc_level = NewGUCNestLevel();
	DiskannRestrictSearchPath();

	do_check(check, PG_GETARG_BOOL(1));

	AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, sec_context);
	relation_close(check->rel, lockmode);
	table_close(check->heap, lockmode);
	return result_row(fcinfo, &check->counts);
}
