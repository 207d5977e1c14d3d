/*-------------------------------------------------------------------------
 *
 * link.c
 *	  diskann_link_pending(): link all rows that wait for it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/link.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "am/linker.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "sql/inspect.h"

PG_FUNCTION_INFO_V1(diskann_link_pending);
Datum
diskann_link_pending(PG_FUNCTION_ARGS)
{
	Relation	rel;
	DiskannIndex *index;
	int64		linked = 0;

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot link rows during recovery")));
	PreventCommandIfReadOnly("diskann_link_pending()");
	rel = DiskannOpenForInspection(PG_GETARG_OID(0), RowExclusiveLock);
	index = DiskannLoadForInspection(rel);
	if (index)
		linked = DiskannLinkAllPending(rel, index);
	relation_close(rel, RowExclusiveLock);
	PG_RETURN_INT64(linked);
}
