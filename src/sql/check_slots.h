/*-------------------------------------------------------------------------
 *
 * check_slots.h
 *	  The pass of diskann_index_check() over all slots.
 *
 * See check_slots.c.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check_slots.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_CHECK_SLOTS_H
#define DISKANN_CHECK_SLOTS_H

#include "sql/check_common.h"

/*
 * Check each slot in itself, and the chains of TIDS slots; note the state of
 * each slot, and collect the TIDs of live nodes in check->rows.  Damage is an
 * error.
 */
extern void DiskannCheckSlots(DiskannCheck *check);

#endif							/* DISKANN_CHECK_SLOTS_H */
