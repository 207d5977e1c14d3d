/*-------------------------------------------------------------------------
 *
 * xlog.c
 *	  Logged changes of index pages.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/xlog.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "store/page.h"
#include "store/xlog.h"

void
DiskannLogBegin(DiskannLog *log, Relation rel, bool building)
{
	log->state = building ? NULL : GenericXLogStart(rel);
	log->fresh = false;
	log->nbuffers = 0;
}

static Page
register_page(DiskannLog *log, Buffer buffer, int flags)
{
	if (log->state)
		return GenericXLogRegisterBuffer(log->state, buffer, flags);
	Assert(log->nbuffers < MAX_GENERIC_XLOG_PAGES);
	log->buffers[log->nbuffers++] = buffer;
	return BufferGetPage(buffer);
}

Page
DiskannLogFreshPage(DiskannLog *log, Buffer buffer, DiskannPageKind kind,
					int part)
{
	Page		page = register_page(log, buffer, GENERIC_XLOG_FULL_IMAGE);

	log->fresh = true;
	DiskannInitPage(page, kind, part);
	return page;
}

Page
DiskannLogPage(DiskannLog *log, Buffer buffer, DiskannPageKind kind, int part)
{
	if (PageIsNew(BufferGetPage(buffer)))
		return DiskannLogFreshPage(log, buffer, kind, part);
	return register_page(log, buffer, 0);
}

/*
 * A fresh page is mostly zeroes, which are worth compressing whatever the
 * server's setting says.  Pages of full images alone are compressed, and every
 * server reads these.
 */
static void
finish_logged(DiskannLog *log)
{
	int			setting = wal_compression;

	if (log->fresh && !setting)
		wal_compression = true;
	GenericXLogFinish(log->state);
	wal_compression = setting;
}

void
DiskannLogFinish(DiskannLog *log)
{
	if (log->state)
		finish_logged(log);
	for (int i = 0; i < log->nbuffers; i++)
		MarkBufferDirty(log->buffers[i]);
}

void
DiskannLogNewPage(Buffer buffer, ForkNumber fork)
{
	START_CRIT_SECTION();
	MarkBufferDirty(buffer);

	/* Logged always: it is what an unlogged index is reset from. */
	if (fork == INIT_FORKNUM)
		log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
}

void
DiskannLogPages(Relation rel, BlockNumber from, BlockNumber to)
{
	if (RelationNeedsWAL(rel) && from < to)
		log_newpage_range(rel, MAIN_FORKNUM, from, to, true);
}
