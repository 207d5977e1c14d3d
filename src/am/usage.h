/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  How often indexes are used, and what that takes.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/usage.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_USAGE_H
#define DISKANN_USAGE_H

#include "utils/rel.h"
#include "utils/timestamp.h"

typedef struct DiskannUsage
{
	int64		scans;			/* starts of those that have ended */
	int64		visits;			/* nodes that these visited */
	int64		compared;		/* rows that they looked at to compare them */
	int64		inserts;		/* rows added, but by a build */
	int64		linked;			/* nodes that got their edges, likewise */
} DiskannUsage;

/* Add to what is counted of an index.  Nothing may be locked. */
extern void DiskannAddUsage(Relation rel, const DiskannUsage *usage);

/*
 * What is counted of an index, and since when; false if it was not used, or
 * long ago.
 */
extern bool DiskannGetUsage(Relation rel, DiskannUsage *usage,
							TimestampTz *since);

/* Is that of all sessions?  Else of this one. */
extern bool DiskannUsageIsShared(void);

#endif							/* DISKANN_USAGE_H */
