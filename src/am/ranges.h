/*-------------------------------------------------------------------------
 *
 * ranges.h
 *	  New ranges for filter columns whose values grow.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/ranges.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_RANGES_H
#define DISKANN_RANGES_H

#include "access/genam.h"

/*
 * Divide the last range of each filter column that has come to hold many of all
 * nodes from what comes after it.  Nothing is locked on entry and exit; pages
 * of the map and nodes are locked in share mode, one at a time, and if a range
 * is divided the linking lock is taken exclusively.
 */
extern void DiskannOpenRanges(IndexVacuumInfo *info);

#endif							/* DISKANN_RANGES_H */
