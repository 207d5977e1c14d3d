/*-------------------------------------------------------------------------
 *
 * calibrate.h
 *	  The list that a search needs, by the recall that is asked for.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/calibrate.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_CALIBRATE_H
#define DISKANN_CALIBRATE_H

#include "am/trial.h"

/* Queries of a calibration unless somebody says how many. */
#define DISKANN_CALIBRATION_QUERIES 500

/* Rows that a calibration's searches are for, at most. */
#define DISKANN_CALIBRATION_MOST_ROWS 100

/* If neither a size nor a recall is set, or there is no calibration. */
#define DISKANN_DEFAULT_LIST_SIZE 100

/* Where it is not known how many rows are wanted, it is taken to be these. */
#define DISKANN_ROWS_IF_UNKNOWN 10

/*
 * The list size of a search in this index for so many rows, which may be
 * DISKANN_ROWS_UNKNOWN or _ALL.  May read the metapage: nothing may be locked.
 */
extern int	DiskannSearchListSize(Relation rel, double rows);

/*
 * The list size that a calibration, made, tells for so many rows; *reached
 * tells whether this recall has been reached with any.
 */
extern double DiskannCalibratedSize(const DiskannCalibration *calibration,
									double rows, double target,
									bool *reached);

/*
 * Calibrate an index with the queries of a trial, for 100 rows at most: search
 * for them with lists of all sizes, as far as they do better, and note what was
 * found in the metapage, but nothing without queries or of one node.  A notice
 * tells if the index' recall target is beyond reach.  Returns how many nodes
 * there are.  Nothing is locked on entry and exit; one slot at a time in share
 * mode meanwhile, and the metapage.
 */
extern int64 DiskannCalibrate(Relation rel, DiskannTrial *trial);

/* The same with some of its rows for queries, as CREATE INDEX does. */
extern void DiskannCalibrateBySample(Relation rel, DiskannIndex *index);

#endif							/* DISKANN_CALIBRATE_H */
