/*-------------------------------------------------------------------------
 *
 * options.h
 *	  Storage parameters and settings.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/options.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_OPTIONS_H
#define DISKANN_OPTIONS_H

#include "store/index.h"

typedef enum DiskannIterativeSearch
{
	DISKANN_ITERATE_OFF,
	DISKANN_ITERATE_RELAXED,
	DISKANN_ITERATE_STRICT
} DiskannIterativeSearch;

/* The largest search list that can be set. */
#define DISKANN_MOST_LIST_SIZE 10000

extern int	diskann_query_search_list_size;
extern int	diskann_query_rescore;
extern int	diskann_iterative_search;
extern int	diskann_max_scan_tuples;
extern int	diskann_pending_limit;

extern void DiskannInitOptions(void);

/* Settings for a new index; what is not taken as given is told at elevel. */
extern void DiskannDecideSettings(Relation rel, DiskannMetric metric,
								  int elevel, DiskannSettings *settings);

/* Those of them that storage parameters, parsed, decide. */
extern void DiskannDecideParameters(const bytea *reloptions, int elevel,
									DiskannSettings *settings);

/* How many rows of this index may be pending now. */
extern int	DiskannPendingLimit(Relation rel);

/*
 * The list size that is set for searches in this index now, by the session or
 * else by the index; 0 if it is not.  Then *target is the recall that is asked
 * for instead, or 0.
 */
extern int	DiskannListSizeSet(Relation rel, double *target);

/* The recall that the index itself asks for, or 0. */
extern double DiskannIndexRecallTarget(Relation rel);

#endif							/* DISKANN_OPTIONS_H */
