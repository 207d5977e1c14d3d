/*-------------------------------------------------------------------------
 *
 * page.c
 *	  Pages of an index: making, checking and reading them; telling of damage.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/page.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/smgr.h"
#include "store/page.h"

void
DiskannReportCorrupt(Relation rel, BlockNumber block, int slot,
					 const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" is corrupted: %s",
					RelationGetRelationName(rel), what),
			 slot < 0 ? errdetail("Block %u.", block) :
			 errdetail("Block %u, slot %d.", block, slot),
			 errhint("Please REINDEX it.")));
}

void
DiskannInitPage(Page page, DiskannPageKind kind, int part)
{
	DiskannPageOpaque opaque;

	PageInit(page, BLCKSZ, sizeof(DiskannPageOpaqueData));
	opaque = DiskannPageGetOpaque(page);
	opaque->kind = kind;
	opaque->part = part;
	opaque->page_id = DISKANN_PAGE_ID;

	/*
	 * No hole, which WAL would leave out, but that behind the slots in use of
	 * a page of nodes.
	 */
	if (kind != DISKANN_PAGE_NODES)
		((PageHeader) page)->pd_lower = ((PageHeader) page)->pd_upper;
}

void
DiskannUsePage(Page page, Size bytes)
{
	PageHeader	header = (PageHeader) page;
	Size		lower = DiskannPageContents(page) + bytes - (char *) page;

	header->pd_lower = Max(header->pd_lower, lower);
}

/* The special area of a page that is not of zeroes, once it is one of ours. */
static DiskannPageOpaque
verify_opaque(Relation rel, BlockNumber block, Page page)
{
	Assert(!PageIsNew(page));
	if (PageGetSpecialSize(page) != MAXALIGN(sizeof(DiskannPageOpaqueData)))
		DiskannReportCorrupt(rel, block, -1, "unexpected special area");
	return DiskannPageGetOpaque(page);
}

void
DiskannVerifyPage(Relation rel, BlockNumber block, Page page,
				  DiskannPageKind kind, int part)
{
	DiskannPageOpaque opaque;

	if (PageIsNew(page))
		return;
	opaque = verify_opaque(rel, block, page);
	if (opaque->page_id != DISKANN_PAGE_ID || opaque->kind != kind ||
		opaque->part != part)
		DiskannReportCorrupt(rel, block, -1, "not the kind of page expected");
}

DiskannPageKind
DiskannGetPageKind(Relation rel, BlockNumber block, Page page)
{
	DiskannPageOpaque opaque = verify_opaque(rel, block, page);

	if (opaque->page_id != DISKANN_PAGE_ID ||
		opaque->kind < DISKANN_PAGE_META ||
		opaque->kind > DISKANN_LAST_PAGE_KIND)
		DiskannReportCorrupt(rel, block, -1, "not the kind of page expected");
	return opaque->kind;
}

Buffer
DiskannReadOrExtend(Relation rel, BlockNumber block)
{
	Buffer		buffer = InvalidBuffer;

	while (RelationGetNumberOfBlocks(rel) <= block)
	{
		if (BufferIsValid(buffer))
			ReleaseBuffer(buffer);
		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, P_NEW, RBM_NORMAL, NULL);
		if (BufferGetBlockNumber(buffer) == block)
			return buffer;
	}
	if (BufferIsValid(buffer))
		ReleaseBuffer(buffer);
	return ReadBuffer(rel, block);
}

void
DiskannExtendIndex(Relation rel, BlockNumber nblocks)
{
	PGAlignedBlock zero;

	memset(&zero, 0, BLCKSZ);

	/* The last page of each file is enough; what is between reads as zeroes. */
	for (BlockNumber end = RelationGetNumberOfBlocks(rel); end < nblocks;)
	{
		end = Min(nblocks, (end / RELSEG_SIZE + 1) * RELSEG_SIZE);
		smgrextend(RelationGetSmgr(rel), MAIN_FORKNUM, end - 1, zero.data,
				   true);
	}
}
