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
 * DiskannLoadIndex() from the pages, not from what the backend remembers;
 * NULL if the index never had a row.
 */
extern DiskannIndex *DiskannLoadForInspection(Relation rel);

#endif							/* DISKANN_INSPECT_H */
