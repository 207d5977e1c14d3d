/*-------------------------------------------------------------------------
 *
 * scan_pages.c
 *	  The nodes of all pages, sorted by the least rank they may have.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_pages.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/scan_pages.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* A found node as the datum that a sort carries. */
typedef union FoundDatum
{
	struct varlena header;
	char		bytes[VARHDRSZ + sizeof(DiskannFound)];
} FoundDatum;

void
DiskannSortedBegin(DiskannSortedNodes *nodes)
{
	TupleDesc	desc = CreateTemplateTupleDesc(2);
	AttrNumber	column = 1;
	Oid			less = Float8LessOperator;
	Oid			collation = InvalidOid;
	bool		nulls_first = false;

	Assert(nodes->sort == NULL && nodes->slot == NULL);

	TupleDescInitEntry(desc, 1, "rank", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, 2, "found", BYTEAOID, -1, 0);
	nodes->sort = tuplesort_begin_heap(desc, 1, &column, &less, &collation,
									   &nulls_first, work_mem, NULL,
									   TUPLESORT_NONE);
	nodes->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	nodes->pending = false;
}

void
DiskannSortedPut(DiskannSortedNodes *nodes, const DiskannFound *found)
{
	TupleTableSlot *slot = nodes->slot;
	FoundDatum	datum;

	/* Most nodes have one row, and places for more. */
	memcpy(VARDATA(&datum), found, sizeof(DiskannFound));
	SET_VARSIZE(&datum, VARHDRSZ + offsetof(DiskannFound, tids) +
				found->ntids * sizeof(ItemPointerData));
	ExecClearTuple(slot);
	slot->tts_values[0] = Float8GetDatum(found->interval.low);
	slot->tts_values[1] = PointerGetDatum(&datum);
	slot->tts_isnull[0] = slot->tts_isnull[1] = false;
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(nodes->sort, slot);
}

void
DiskannSortedPerform(DiskannSortedNodes *nodes)
{
	tuplesort_performsort(nodes->sort);
}

bool
DiskannSortedPeek(DiskannSortedNodes *nodes, double *rank)
{
	if (!nodes->pending)
	{
		nodes->pending = tuplesort_gettupleslot(nodes->sort, true, false,
												nodes->slot, NULL);
		if (!nodes->pending)
			return false;
		slot_getallattrs(nodes->slot);
	}
	*rank = DatumGetFloat8(nodes->slot->tts_values[0]);
	return true;
}

void
DiskannSortedTake(DiskannSortedNodes *nodes, DiskannFound *found)
{
	struct varlena *datum = (struct varlena *)
		DatumGetPointer(nodes->slot->tts_values[1]);

	Assert(nodes->pending);

	/* A tuple keeps short values with a shorter header. */
	memcpy(found, VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum));
	nodes->pending = false;
}

void
DiskannSortedEnd(DiskannSortedNodes *nodes)
{
	if (nodes->sort != NULL)
		tuplesort_end(nodes->sort);
	nodes->sort = NULL;
	if (nodes->slot != NULL)
		ExecDropSingleTupleTableSlot(nodes->slot);
	nodes->slot = NULL;
}
