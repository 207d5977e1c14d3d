/*-------------------------------------------------------------------------
 *
 * repair.h
 *	  Taking tombstones out of the graph.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/repair.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_REPAIR_H
#define DISKANN_REPAIR_H

#include "access/genam.h"
#include "commands/vacuum.h"
#include "store/index.h"

/*
 * Repair the graph around all tombstones there are, once the inserts have ended
 * that may have known one alive; free their slots, and note in the metapage
 * what is left.  Search for about so many nodes at least, tombstones or none,
 * and attach those that are not found.  Memory comes from the current context.
 * Nothing is locked on entry and exit.
 */
extern void DiskannRepair(IndexVacuumInfo *info, const DiskannIndex *index,
						  uint32 searches);

#endif							/* DISKANN_REPAIR_H */
