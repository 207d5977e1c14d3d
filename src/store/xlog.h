/*-------------------------------------------------------------------------
 *
 * xlog.h
 *	  Logged changes of index pages.
 *
 * The only callers of generic WAL and of log_newpage are in xlog.c.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/xlog.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_XLOG_H
#define DISKANN_XLOG_H

#include "access/generic_xlog.h"
#include "storage/bufmgr.h"
#include "store/format.h"
#include "utils/rel.h"

/*
 * A change of up to MAX_GENERIC_XLOG_PAGES pages, atomic and logged unless the
 * index is being built (then the whole index is logged at the end).  A backend
 * makes one at a time.
 */
typedef struct DiskannLog
{
	bool		building;
	bool		logged;
	int			npages;
} DiskannLog;

extern void DiskannLogBegin(DiskannLog *log, Relation rel, bool building);

/*
 * The image of an exclusively locked buffer to be changed.  A page that is new
 * is initialized as kind and part first.  Valid until the change is finished
 * or given up.
 */
extern Page DiskannLogPage(DiskannLog *log, Buffer buffer,
						   DiskannPageKind kind, int part);

/*
 * The same, where no more is to be changed than the page's header and this part
 * of its contents: only that of the image is valid.  A page that is new is
 * logged as an empty one first, in a change of its own.
 */
extern Page DiskannLogPart(DiskannLog *log, Buffer buffer,
						   DiskannPageKind kind, int part, Size offset,
						   Size bytes);

/* The same, initializing the page whatever it holds. */
extern Page DiskannLogFreshPage(DiskannLog *log, Buffer buffer,
								DiskannPageKind kind, int part);

/* Apply and log. The buffers stay locked. */
extern void DiskannLogFinish(DiskannLog *log);

/*
 * Mark a page dirty that was initialized in a locked buffer outside of a
 * logged change: the init fork is logged at once, the main fork when the build
 * is done.
 */
extern void DiskannLogNewPage(Buffer buffer, ForkNumber fork);

/* Log pages from..to - 1 of the main fork as they are; for builds. */
extern void DiskannLogPages(Relation rel, BlockNumber from, BlockNumber to);

#endif							/* DISKANN_XLOG_H */
