/*-------------------------------------------------------------------------
 *
 * trial.h
 *	  How much of what is nearest searches find.
 *
 * A trial has queries and learns, in one pass over the pages, how near what is
 * nearest to each of them is; then it searches for them as scans do, as often
 * as its caller likes, and tells how much of that is found.  Distances are
 * those of the vectors as the index has them, for the exact answers and for the
 * searches alike; no row of the table is read.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/trial.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_TRIAL_H
#define DISKANN_TRIAL_H

#include "store/index.h"

/* Limits of what a trial may be asked for. */
#define DISKANN_TRIAL_MOST_QUERIES 10000
#define DISKANN_TRIAL_MOST_ROWS 1000

typedef struct DiskannTrial DiskannTrial;

/* What searches have found, on average over the queries. */
typedef struct DiskannTrialResult
{
	int			queries;		/* with something to be found */
	double		recall;			/* share of the nearest that was found */
	double		variance;		/* of that share among queries */
	double		visits;			/* nodes visited */
} DiskannTrialResult;

/*
 * Begin a trial of an index, with searches for at most so many rows.  It lives
 * in the current context, and both arguments must outlive it.
 */
extern DiskannTrial *DiskannTrialCreate(Relation rel, DiskannIndex *index,
										int most_rows);

/*
 * Take about so many live nodes, by chance and spread evenly over the pages,
 * for queries; fewer if there are fewer, or no room.  Each is left out of the
 * answers to itself, and is no result of searches for it; every third search
 * follows its edges, and of those for one row every second.  So all together
 * are like queries that come from where the rows come from.  Nothing is locked
 * on entry and exit; one slot at a time in share mode meanwhile.
 */
extern void DiskannTrialAddSample(DiskannTrial *trial, int queries,
								  uint64 seed);

/*
 * Add a query, which is copied, of a type that DiskannVerifyQueryType() has
 * seen.  What has no place in the index is left out.
 */
extern void DiskannTrialAddQuery(DiskannTrial *trial, Datum value);

/*
 * Is there room for a query more?  There are at most
 * DISKANN_TRIAL_MOST_QUERIES, and but for the first no more than fit into
 * maintenance_work_mem.
 */
extern bool DiskannTrialHasRoom(const DiskannTrial *trial);

/* How many there are. */
extern int	DiskannTrialQueries(const DiskannTrial *trial);

/*
 * Compare all queries with all live nodes; returns how many these are.  To be
 * called once, after the last query was added.  Locks as above.
 */
extern int64 DiskannTrialCompare(DiskannTrial *trial);

/*
 * Search for this many rows with a list of this size, as a scan with the
 * session's settings does for a LIMIT.  Locks as above.
 */
extern void DiskannTrialSearch(DiskannTrial *trial, int rows, int list_size,
							   DiskannTrialResult *result);

#endif							/* DISKANN_TRIAL_H */
