/*-------------------------------------------------------------------------
 *
 * page.h
 *	  Pages of an index: making, checking and reading them; telling of damage.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/page.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_PAGE_H
#define DISKANN_PAGE_H

#include "compat.h"
#include "storage/bufmgr.h"
#include "store/format.h"
#include "utils/rel.h"

/* Report a damaged page, or a slot of it unless slot is negative. */
pg_noreturn extern void DiskannReportCorrupt(Relation rel, BlockNumber block,
											 int slot, const char *what);

/* Fill in the header and special area of an empty page of this kind. */
extern void DiskannInitPage(Page page, DiskannPageKind kind, int part);

/*
 * The first bytes of a page of nodes are in use now.  What is behind them is
 * zeroes, and not part of the page's image in WAL.
 */
extern void DiskannUsePage(Page page, Size bytes);

/*
 * Error unless the page's special area is that of a diskann page of this kind
 * and part.  A page of zeroes passes.  The caller holds the buffer locked.
 */
extern void DiskannVerifyPage(Relation rel, BlockNumber block, Page page,
							  DiskannPageKind kind, int part);

/*
 * The kind of a page that is not of zeroes; damage is an error.  The caller
 * holds the buffer locked.
 */
extern DiskannPageKind DiskannGetPageKind(Relation rel, BlockNumber block,
										  Page page);

/*
 * Read a block, extending the relation up to it; returns it pinned and not
 * locked.  The caller keeps others from extending the relation meanwhile.
 */
extern Buffer DiskannReadOrExtend(Relation rel, BlockNumber block);

/*
 * Make an index that is being built nblocks long at once, so that several
 * processes may fill its pages in any order.
 */
extern void DiskannExtendIndex(Relation rel, BlockNumber nblocks);

#endif							/* DISKANN_PAGE_H */
