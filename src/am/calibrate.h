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
 * tells if the index' recall target is beyond reach.  Nothing is locked on
 * entry and exit; one slot at a time in share mode meanwhile, and the metapage.
 */
extern void DiskannCalibrate(Relation rel, DiskannTrial *trial);

/* The same with some of its rows for queries. */
extern void DiskannCalibrateBySample(Relation rel, DiskannIndex *index,
									 int queries);

#endif							/* DISKANN_CALIBRATE_H */
