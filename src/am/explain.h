/*-------------------------------------------------------------------------
 *
 * explain.h
 *	  What EXPLAIN tells of a scan.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/explain.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_EXPLAIN_H
#define DISKANN_EXPLAIN_H


/* Take part in EXPLAIN, where PostgreSQL lets an extension do so. */
extern void DiskannInitExplain(void);

#endif							/* DISKANN_EXPLAIN_H */
