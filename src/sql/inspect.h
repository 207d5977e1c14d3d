/*-------------------------------------------------------------------------
 *
 * inspect.h
 *	  What the functions that look into an index share.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/inspect.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_INSPECT_H
#define DISKANN_INSPECT_H

#include "store/index.h"
#include "storage/lockdefs.h"

/*
 * Open and lock an index by its oid.  What is no diskann index, or has no
 * pages this session could read, is an error.
 */
extern Relation DiskannOpenForInspection(Oid relid, LOCKMODE lockmode);

/*
 * The same, but lock its table first, as all do who lock both: what a user has
 * us run may need the table, too.  *table is to be closed by the caller.
 */
extern Relation DiskannOpenWithTable(Oid relid, LOCKMODE table_lock,
									 LOCKMODE lockmode, Relation *table);

/*
 * DiskannLoadIndex() from the pages, not from what the backend remembers;
 * NULL if the index never had a row.
 */
extern DiskannIndex *DiskannLoadForInspection(Relation rel);

#endif							/* DISKANN_INSPECT_H */
