/*-------------------------------------------------------------------------
 *
 * xlog.c
 *	  Logged changes of index pages.
 *
 * The records are those of generic WAL, made here and not by generic_xlog.c:
 * that compares whole pages byte by byte, which took a fifth of the time of
 * linking a row, and copies them as a whole.  Here a change says which bytes it
 * may be of.  The data of a page is fragments: offset and length, two bytes
 * each, and then as many bytes; or it is an image of the page.  What lies
 * between pd_lower and pd_upper is zeroes, before and after; redo sees to that.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/xlog.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/rmgr.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "store/page.h"
#include "store/pause.h"
#include "store/xlog.h"
#include "utils/rel.h"

/* What precedes the bytes of a fragment. */
typedef struct FragmentHead
{
	OffsetNumber offset;
	OffsetNumber length;
} FragmentHead;

/*
 * A page of the change that this backend is making.  Fragments are farther from
 * each other than a head is long; so they are no longer than the page, but for
 * a head where the two parts of it that are compared begin.
 */
typedef struct LoggedPage
{
	Buffer		buffer;
	bool		fresh;			/* the image replaces the page */
	Size		from;			/* what of the image is valid, the header too */
	Size		to;
	Size		delta_bytes;
	PGAlignedBlock image;
	char		delta[BLCKSZ + 2 * sizeof(FragmentHead)];
} LoggedPage;

static LoggedPage pages[MAX_GENERIC_XLOG_PAGES];

void
DiskannLogBegin(DiskannLog *log, Relation rel, bool building)
{
	log->building = building;
	log->logged = RelationNeedsWAL(rel);
	log->npages = 0;
}

/* The next page of the change, which is locked exclusively. */
static LoggedPage *
add_page(DiskannLog *log, Buffer buffer)
{
	LoggedPage *page = &pages[log->npages++];

	Assert(log->npages <= MAX_GENERIC_XLOG_PAGES);
	page->buffer = buffer;
	page->fresh = false;
	page->delta_bytes = 0;
	return page;
}

Page
DiskannLogFreshPage(DiskannLog *log, Buffer buffer, DiskannPageKind kind,
					int part)
{
	LoggedPage *page = add_page(log, buffer);
	Page		image = log->building ? BufferGetPage(buffer) :
		(Page) page->image.data;

	page->fresh = true;
	DiskannInitPage(image, kind, part);
	return image;
}

/*
 * Make a page that is new an empty one, which is a change of its own: of what
 * it gets in this one there is more to leave out than what lies behind it.
 */
static void
begin_page(const DiskannLog *log, Buffer buffer, DiskannPageKind kind,
		   int part)
{
	START_CRIT_SECTION();
	DiskannInitPage(BufferGetPage(buffer), kind, part);
	MarkBufferDirty(buffer);
	if (log->logged && !log->building)
		log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
	DiskannPausePoint("page-begun");
}

Page
DiskannLogPart(DiskannLog *log, Buffer buffer, DiskannPageKind kind, int part,
			   Size offset, Size bytes)
{
	LoggedPage *page = add_page(log, buffer);
	Page		current = BufferGetPage(buffer);

	page->from = DiskannPageContents(current) + offset - (char *) current;
	page->to = page->from + bytes;
	Assert(page->to <= BLCKSZ);
	if (PageIsNew(current))
		begin_page(log, buffer, kind, part);
	if (log->building)
		return current;
	memcpy(page->image.data, current, SizeOfPageHeaderData);
	memcpy(page->image.data + page->from, current + page->from, bytes);
	return (Page) page->image.data;
}

Page
DiskannLogPage(DiskannLog *log, Buffer buffer, DiskannPageKind kind, int part)
{
	if (PageIsNew(BufferGetPage(buffer)))
		return DiskannLogFreshPage(log, buffer, kind, part);
	return DiskannLogPart(log, buffer, kind, part, 0, DISKANN_PAGE_BYTES);
}

/* Where from `from` on do two pages differ?  `to` if nowhere before that. */
static Size
next_difference(const char *a, const char *b, Size from, Size to)
{
	while (from + sizeof(uint64) <= to)
	{
		uint64		x;
		uint64		y;

		memcpy(&x, a + from, sizeof(x));
		memcpy(&y, b + from, sizeof(y));
		if (x != y)
			break;
		from += sizeof(uint64);
	}
	while (from < to && a[from] == b[from])
		from++;
	return from;
}

/*
 * Where does a fragment end that begins at from?  Equal bytes are part of it,
 * if they are no more than the head of another fragment.
 */
static Size
end_of_fragment(const char *a, const char *b, Size from, Size to)
{
	Size		end = from + 1;

	for (Size i = end; i < to && i - end <= sizeof(FragmentHead); i++)
	{
		if (a[i] != b[i])
			end = i + 1;
	}
	return end;
}

/* Note how the image differs from the page, in from..to. */
static void
add_fragments(LoggedPage *page, Size from, Size to)
{
	const char *current = BufferGetPage(page->buffer);
	const char *image = page->image.data;

	while ((from = next_difference(current, image, from, to)) < to)
	{
		Size		end = end_of_fragment(current, image, from, to);
		FragmentHead head = {from, end - from};
		char	   *delta = page->delta + page->delta_bytes;

		memcpy(delta, &head, sizeof(head));
		memcpy(delta + sizeof(head), image + from, head.length);
		page->delta_bytes += sizeof(head) + head.length;
		from = end;
	}
	Assert(page->delta_bytes <= sizeof(page->delta));
}

/* Change the page as redo will. */
static void
apply_change(const LoggedPage *page)
{
	char	   *current = BufferGetPage(page->buffer);
	Size		at = 0;

	if (page->fresh)
		memcpy(current, page->image.data, BLCKSZ);
	while (at < page->delta_bytes)
	{
		FragmentHead head;

		memcpy(&head, page->delta + at, sizeof(head));
		at += sizeof(head);
		memcpy(current + head.offset, page->delta + at, head.length);
		at += head.length;
	}
}

/* Write the record, of pages that are changed and dirty. */
static void
insert_record(DiskannLog *log)
{
	XLogRecPtr	end;

	XLogBeginInsert();
	for (int i = 0; i < log->npages; i++)
	{
		LoggedPage *page = &pages[i];

		XLogRegisterBuffer(i, page->buffer, REGBUF_STANDARD |
						   (page->fresh ? REGBUF_FORCE_IMAGE : 0));
		if (!page->fresh)
			XLogRegisterBufData(i, page->delta, page->delta_bytes);
	}
	end = XLogInsert(RM_GENERIC_ID, 0);
	for (int i = 0; i < log->npages; i++)
		PageSetLSN(BufferGetPage(pages[i].buffer), end);
}

void
DiskannLogFinish(DiskannLog *log)
{
	for (int i = 0; i < log->npages && !log->building; i++)
	{
		if (pages[i].fresh)
			continue;
		add_fragments(&pages[i], 0, SizeOfPageHeaderData);
		add_fragments(&pages[i], pages[i].from, pages[i].to);
	}
	START_CRIT_SECTION();
	for (int i = 0; i < log->npages; i++)
	{
		if (!log->building)
			apply_change(&pages[i]);
		MarkBufferDirty(pages[i].buffer);
	}
	if (log->logged && !log->building)
		insert_record(log);
	END_CRIT_SECTION();
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
