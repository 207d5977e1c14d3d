/*-------------------------------------------------------------------------
 *
 * insert.c
 *	  Adding one row to a diskann index.
 *
 * A row is written into its slot and made *pending*: a porch leads to it
 * (store/porch.h), and nothing is searched.  Whoever finds all porches full
 * links some of what they lead to (linker.h), unless somebody else is at it;
 * then only his own row.  Where the index is small, or the limit of pending
 * rows is 0, every row is linked at once; then a row whose vector is in the
 * index already joins that node.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/insert.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "am/am.h"
#include "am/linker.h"
#include "am/options.h"
#include "am/usage.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "store/linking.h"
#include "store/pause.h"
#include "store/porch.h"
#include "store/tids.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "values/filter.h"
#include "values/signature.h"

/* At most one row in so many is pending. */
#define NODES_PER_PENDING 16

/*
 * So many are linked at a time by who finds no room.  The more, the longer one
 * insert takes; with fewer none is short.
 */
#define ROWS_PER_MERGE 3

typedef struct Inserter
{
	MemoryContext context;		/* its own */
	MemoryContext row_context;	/* reset after every row */
	const DiskannIndex *index;
	DiskannNodeRef ref;
	DiskannLinker *linker;		/* NULL until it is needed */
	DiskannFilters *filters;
	DiskannSignatures *signatures;
	DiskannMarks marks;			/* of the row */
	float		max_length2;	/* as known, see store/index.h */
	int			limit;			/* of pending rows */
} Inserter;

/* What an executor run keeps between rows. */
typedef struct InsertCache
{
	MemoryContext context;		/* of all of it */
	const DiskannSupport *support;
	int			column;			/* of the vector, from 0 */
	DiskannIndex *index;
	Inserter   *inserter;
	MemoryContext read_context;
} InsertCache;

/* Allocate one in context; index stays the caller's. */
static Inserter *
create_inserter(MemoryContext context, Relation rel,
				const DiskannIndex *index)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Inserter   *inserter = palloc0(sizeof(Inserter));

	inserter->context = context;
	inserter->row_context = AllocSetContextCreate(context,
												  "diskann insert row",
												  ALLOCSET_DEFAULT_SIZES);
	inserter->index = index;
	inserter->max_length2 = index->meta.max_length2;
	inserter->limit = DiskannPendingLimit(rel);
	DiskannNodeInit(&inserter->ref, rel, index, false);
	inserter->filters = DiskannGetFilters(rel, index->meta.nfilters,
										  index->meta.filters);
	inserter->signatures = DiskannSignaturesLoad(index, inserter->filters);
	MemoryContextSwitchTo(old);
	return inserter;
}

static DiskannLinker *
get_linker(Inserter *inserter)
{
	if (inserter->linker == NULL)
		inserter->linker = DiskannLinkerCreate(inserter->context,
											   inserter->ref.rel,
											   inserter->index);
	return inserter->linker;
}

/*
 * How many porches may there be?  None in an index so small that few rows would
 * be linked at a time.
 */
static int
most_porches(const Inserter *inserter)
{
	uint64		rows = Min((uint64) inserter->limit,
						   inserter->ref.count / NODES_PER_PENDING);

	return Min(rows / inserter->index->meta.max_degree, DISKANN_MOST_PORCHES);
}

/*
 * Write a node without edges, at x as its code has it.  Nothing is locked on
 * entry and exit but linking; the slot exclusively meanwhile.
 */
static DiskannNode
write_pending(Inserter *inserter, DiskannNewNode *new, float *x)
{
	DiskannNodeRef *ref = &inserter->ref;
	DiskannNode node;

	new->degree = 0;
	DiskannNodeAllocate(ref);
	node = ref->node;
	(void) DiskannNodeEdit(ref);
	DiskannFillNode(inserter->index, ref->image, new, x);
	((DiskannSlot) ref->image)->closed = 1;
	DiskannNodeWriteAll(ref);
	DiskannNodeClose(ref);
	DiskannPausePoint("pending-written");
	return node;
}

/*
 * All porches are full: link some of what they lead to, unless somebody is at
 * it; then have this node linked at least, which none leads to.  Nothing is
 * locked on entry and exit.
 */
static void
make_room(Inserter *inserter, DiskannNode node, const float *x,
		  const uint8 *signatures, int most)
{
	Relation	rel = inserter->ref.rel;
	DiskannLinker *linker = get_linker(inserter);
	bool		room = DiskannTryMerging(rel);

	if (room)
	{
		(void) DiskannLinkerMerge(linker, ROWS_PER_MERGE);
		DiskannEndMerging(rel);
	}
	DiskannBeginLinking(rel);
	if (!room ||
		!DiskannAddPending(&inserter->ref, node, x, signatures, most))
		(void) DiskannLinkerLink(linker, node);
	DiskannEndLinking(rel);
}

/*
 * Does the node hold the vector and the values of a new one?  Nothing is locked
 * on entry and exit; the slot in share mode meanwhile.
 */
static bool
is_same(DiskannNodeRef *ref, DiskannNode node, const DiskannNewNode *new)
{
	const DiskannMetaPageData *meta = &ref->index->meta;
	const DiskannSlotData *head;
	DiskannFilterValues filters;
	bool		same;

	DiskannNodeOpen(ref, node, BUFFER_LOCK_SHARE);
	head = DiskannNodeHead(ref);
	same = head->state == DISKANN_LIVE && head->hash == new->hash &&
		memcmp(DiskannSlotOwn(ref->index, ref->slot), new->own,
			   meta->own_bytes) == 0 &&
		(DiskannSlotFilters(ref->index, ref->slot, &filters),
		 memcmp(&filters, new->filters, DiskannFilterBytes(meta)) == 0);
	DiskannNodeClose(ref);
	return same;
}

/*
 * Add the row to a node of the same vector that this backend happens to know.
 * Should the node be another's by the time, its hash tells.  Nothing is locked
 * on entry and exit.
 */
static bool
join_known(DiskannNodeRef *ref, const DiskannNewNode *new)
{
	DiskannKnownVector known = *DiskannKnownNode(ref, new->hash);
	ItemPointerData tid = new->tids[0];

	return known.node != DISKANN_ENTRY_NODE && known.hash == new->hash &&
		is_same(ref, known.node, new) &&
		DiskannAddTid(ref, known.node, new->hash, &tid);
}

/*
 * Sign a new node, as the ranges are now: they stay as they are while linking,
 * and until the node has been written we must be (am/ranges.c).  Nothing else
 * is locked on entry and exit; pages of ranges in share mode meanwhile.
 */
static void
sign_node(Inserter *inserter, DiskannNewNode *new)
{
	DiskannRefreshRanges(inserter->ref.rel, inserter->index);
	DiskannSign(inserter->signatures, new->filters, &inserter->marks);
	new->marks = &inserter->marks;
}

/* Add a node and link it.  Nothing is locked on entry and exit. */
static DiskannNode
insert_linked(Inserter *inserter, DiskannNewNode *new)
{
	DiskannLinker *linker = get_linker(inserter);
	DiskannNode node;

	DiskannBeginLinking(inserter->ref.rel);
	sign_node(inserter, new);
	node = DiskannLinkerInsert(linker, new);
	DiskannEndLinking(inserter->ref.rel);
	return node;
}

/*
 * Add a node that is linked later.  A search finds it from now on.  Nothing is
 * locked on entry and exit.
 */
static DiskannNode
insert_pending(Inserter *inserter, DiskannNewNode *new, int most)
{
	float	   *x = palloc(sizeof(float) * inserter->index->space.dims);
	const uint8 *signatures = inserter->marks.signatures;
	DiskannNode node;
	bool		added;

	DiskannBeginLinking(inserter->ref.rel);
	sign_node(inserter, new);
	DiskannPausePoint("pending-signed");
	node = write_pending(inserter, new, x);
	added = DiskannAddPending(&inserter->ref, node, x, signatures, most);
	DiskannEndLinking(inserter->ref.rel);
	if (!added)
		make_room(inserter, node, x, signatures, most);
	return node;
}

/* Remember where a vector is, for more rows of it. */
static void
note_known(const DiskannNodeRef *ref, uint64 hash, DiskannNode node)
{
	DiskannKnownVector *known = DiskannKnownNode(ref, hash);

	known->hash = hash;
	known->node = node;
}

/* The row may be longer than all before. */
static void
note_length(Inserter *inserter, float length2)
{
	if (inserter->index->space.metric != DISKANN_INNER_PRODUCT ||
		length2 <= inserter->max_length2)
		return;
	DiskannRaiseMaxLength2(inserter->ref.rel, length2, false);
	inserter->max_length2 = length2;
}

/*
 * Insert a row already read.  A row that takes the place of one with the same
 * vector is to share its node, which only a search finds.
 */
static void
insert_row(Inserter *inserter, DiskannRow *row,
		   const DiskannFilterValues *filters, ItemPointer tid, bool unchanged)
{
	const DiskannIndex *index = inserter->index;
	DiskannNodeRef *ref = &inserter->ref;
	MemoryContext old = MemoryContextSwitchTo(inserter->row_context);
	float	   *x = palloc(sizeof(float) * index->space.dims);
	char	   *own = palloc(index->meta.own_bytes);
	int			most = most_porches(inserter);
	DiskannNewNode new = {0};
	DiskannUsage usage = {.inserts = 1};

	memcpy(x, row->x, sizeof(float) * row->dims);
	new.length2 = diskann_space_row(&index->space, x);
	diskann_vector_encode(index->kind, x, index->space.dims, own,
						  &new.factors);
	new.own = own;
	new.hash = row->hash;
	new.filters = filters;
	new.ntids = 1;
	new.tids = tid;
	new.next = DISKANN_INVALID_NODE;
	note_length(inserter, new.length2);
	if (!join_known(ref, &new))
		note_known(ref, row->hash, most == 0 || unchanged ?
				   insert_linked(inserter, &new) :
				   insert_pending(inserter, &new, most));
	DiskannAddUsage(ref->rel, &usage);
	MemoryContextSwitchTo(old);
	MemoryContextReset(inserter->row_context);
}

/*
 * Make an index ready with this row as its first, unless it has become so.
 * Nothing is locked on entry and exit; the metapage exclusively meanwhile.
 */
static DiskannIndex *
make_ready(Relation rel, const DiskannSupport *support, MemoryContext context,
		   const DiskannRow *row)
{
	DiskannIndex *index;
	float		norm2 = diskann_kernels->dot_f32(row->x, row->x, row->dims);

	/*
	 * One row tells little of the lengths to come: leave room for rows four
	 * times as long.
	 */
	DiskannMakeReady(rel, row->dims, row->x, 1,
					 DiskannLengthLimit(support->metric, 16 * norm2), false,
					 false);
	index = DiskannLoadIndex(rel, context, support->metric);
	DiskannVerifyDims(index->meta.dims, row, NULL);
	return index;
}

/*
 * Does the index have a row that is not dead to everybody?  Nothing is locked
 * on entry and exit; each slot in share mode meanwhile, and pages of the table.
 */
static bool
has_rows(Relation rel, Relation heap, const DiskannIndex *index)
{
	ItemPointerData *tids = palloc(sizeof(ItemPointerData) *
								   Max(index->meta.max_tids,
									   DISKANN_INLINE_TIDS));
	SnapshotData snapshot;
	DiskannNodeRef ref;
	DiskannNode count;

	InitDirtySnapshot(snapshot);
	DiskannNodeInit(&ref, rel, index, false);
	count = DiskannNodeCount(&ref);
	for (DiskannNode node = 0; node < count; node++)
	{
		int			ntids;

		CHECK_FOR_INTERRUPTS();
		if (!DiskannNodeOpenNext(&ref, node, BUFFER_LOCK_SHARE, NULL))
			continue;
		ntids = DiskannNodeHead(&ref)->ntids;
		memcpy(tids, DiskannSlotTidList(ref.slot),
			   sizeof(ItemPointerData) * ntids);
		DiskannNodeClose(&ref);
		for (int i = 0; i < ntids; i++)
		{
			bool		all_dead = false;

			if (table_index_fetch_tuple_check(heap, &tids[i], &snapshot,
											  &all_dead) || !all_dead)
				return true;
		}
	}
	return false;
}

/*
 * The first row decides how many dimensions an index has, even if its
 * transaction is rolled back.  So when a row of other dimensions comes, and no
 * row is left but dead ones, the index starts anew.  That takes a lock that
 * nobody shares, kept to the end of the transaction; if it cannot be had at
 * once, or this backend uses the index elsewhere, things stay as they are.
 * Returns whether the index has forgotten its rows.
 */
static bool
forget_dead_rows(Relation rel, Relation heap, const DiskannIndex *index)
{
	if (rel->rd_refcnt > 1 ||
		!TransactionIdIsValid(GetTopTransactionIdIfAny()) ||
		!ConditionalLockRelation(rel, AccessExclusiveLock))
		return false;
	if (has_rows(rel, heap, index))
	{
		UnlockRelation(rel, AccessExclusiveLock);
		return false;
	}
	DiskannForgetRows(rel);
	DiskannPausePoint("rows-forgotten");
	return true;
}

static InsertCache *
create_cache(Relation rel, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "diskann insert",
												  ALLOCSET_DEFAULT_SIZES);
	InsertCache *cache = MemoryContextAllocZero(context, sizeof(InsertCache));

	cache->context = context;
	cache->support = DiskannGetSupport(rel);
	cache->column = DiskannVectorColumn(rel);
	cache->index = DiskannLoadIndex(rel, context, cache->support->metric);
	cache->read_context = AllocSetContextCreate(context,
												"diskann insert value",
												ALLOCSET_DEFAULT_SIZES);
	return cache;
}

bool
diskanninsert(Relation rel, Datum *values, bool *isnull, ItemPointer heap_tid,
			  Relation heap, IndexUniqueCheck checkUnique, bool indexUnchanged,
			  IndexInfo *indexInfo)
{
	InsertCache *cache = (InsertCache *) indexInfo->ii_AmCache;
	DiskannRowContext adding;
	MemoryContext old;
	DiskannFilterValues filters;
	DiskannRow	row;
	bool		indexed;

	if (cache == NULL)
	{
		cache = create_cache(rel, indexInfo->ii_Context);
		indexInfo->ii_AmCache = cache;
	}
	if (isnull[cache->column])
		return false;
	DiskannEnterRow(&adding, rel, heap, heap_tid);
	old = MemoryContextSwitchTo(cache->read_context);
	indexed = DiskannReadRow(cache->support, values[cache->column], 0, &row);
	if (cache->index && row.dims != (int) cache->index->meta.dims)
	{
		if (!forget_dead_rows(rel, heap, cache->index))
			DiskannVerifyDims(cache->index->meta.dims, &row,
							  "If there is no such row any more, REINDEX the index.");
		cache->index = NULL;
		cache->inserter = NULL;
	}
	if (indexed)
	{
		if (cache->index == NULL)
			cache->index = make_ready(rel, cache->support, cache->context,
									  &row);
		if (cache->inserter == NULL)
			cache->inserter = create_inserter(cache->context, rel,
											  cache->index);
		DiskannReadFilters(cache->inserter->filters, values, isnull, &row,
						   &filters);
		insert_row(cache->inserter, &row, &filters, heap_tid, indexUnchanged);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(cache->read_context);
	DiskannLeaveRow(&adding);
	return false;
}

/*
 * The executor is done with the index.  Before PostgreSQL 17 nobody says so;
 * then all goes with ii_Context.
 */
void
diskanninsertcleanup(Relation rel, IndexInfo *indexInfo)
{
	InsertCache *cache = (InsertCache *) indexInfo->ii_AmCache;

	if (cache == NULL)
		return;
	indexInfo->ii_AmCache = NULL;
	MemoryContextDelete(cache->context);
}
