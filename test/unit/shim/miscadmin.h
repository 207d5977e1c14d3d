/*-------------------------------------------------------------------------
 *
 * miscadmin.h
 *	  What src/graph uses of PostgreSQL's miscadmin.h.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/shim/miscadmin.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SHIM_MISCADMIN_H
#define DISKANN_SHIM_MISCADMIN_H

#define CHECK_FOR_INTERRUPTS() ((void) shim_interrupt_checks++)
#define check_stack_depth() ((void) 0)

#endif							/* DISKANN_SHIM_MISCADMIN_H */
