/*-------------------------------------------------------------------------
 *
 * linking.h
 *	  Who may yet write an edge to a node that it saw alive.
 *
 * An insert is *linking* from before its search until its last edge, and its
 * last entry node, is written.  All that time it holds a lock on a page of the
 * index in share mode: not of the buffer but of the lock manager, so that an
 * error ends it with the transaction or subtransaction.  A repair takes the
 * same lock exclusively.  Once it has had it, for however short a time, every
 * insert that may have known a tombstone alive has ended, and whoever comes
 * later sees the tombstone.
 *
 * Who adds a pending row is linking, too, and who takes porches out of use
 * excludes that for a moment: see store/porch.c.
 *
 * Who holds this lock waits for no other lock of the lock manager but that for
 * extending the relation, and reads no row: an insert is in nobody's way for
 * longer than it takes, and no circle of waiting can come about.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/linking.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_LINKING_H
#define DISKANN_LINKING_H

#include "storage/lmgr.h"
#include "utils/rel.h"

/* The page whose lock it is; what the page holds does not matter. */
#define DISKANN_LINKING_LOCK ((BlockNumber) 0)

static inline void
DiskannBeginLinking(Relation rel)
{
	LockPage(rel, DISKANN_LINKING_LOCK, ShareLock);
}

static inline void
DiskannEndLinking(Relation rel)
{
	UnlockPage(rel, DISKANN_LINKING_LOCK, ShareLock);
}

/* Wait until nobody is linking, and let nobody begin. */
static inline void
DiskannBarLinking(Relation rel)
{
	LockPage(rel, DISKANN_LINKING_LOCK, ExclusiveLock);
}

static inline void
DiskannAllowLinking(Relation rel)
{
	UnlockPage(rel, DISKANN_LINKING_LOCK, ExclusiveLock);
}

/*
 * Who links pending rows.  Nobody waits for this lock but VACUUM and the
 * function that links all of them; they hold no other when they do.
 */
#define DISKANN_MERGING_LOCK ((BlockNumber) 1)

static inline bool
DiskannTryMerging(Relation rel)
{
	return ConditionalLockPage(rel, DISKANN_MERGING_LOCK, ExclusiveLock);
}

static inline void
DiskannBeginMerging(Relation rel)
{
	LockPage(rel, DISKANN_MERGING_LOCK, ExclusiveLock);
}

static inline void
DiskannEndMerging(Relation rel)
{
	UnlockPage(rel, DISKANN_MERGING_LOCK, ExclusiveLock);
}

#endif							/* DISKANN_LINKING_H */
