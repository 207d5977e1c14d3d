/*-------------------------------------------------------------------------
 *
 * filter_map.c
 *	  The filter map: what filter columns hold, node by node.
 *
 * Entries are written by node.c, together with the slots that they describe.
 * A page of zeroes describes no live node.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/filter_map.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "store/filter_map.h"
#include "store/page.h"
#include "store/recent.h"
#include "vector/rotate.h"

/* Pages looked at to estimate how many nodes are wanted. */
#define SAMPLE_PAGES 8

void
DiskannMapBegin(DiskannMapScan *scan, DiskannNodeRef *ref,
				const DiskannSought *sought)
{
	(void) DiskannNodeCount(ref);
	scan->ref = ref;
	scan->sought = sought;
	scan->next = 0;
	scan->npages = DiskannMapPagesOfBlocks(&ref->index->meta, ref->nblocks);
}

/*
 * Pin, lock in share mode and check a page of the map.  Returns its contents,
 * NULL if it is one of zeroes.
 */
static const char *
open_page(DiskannNodeRef *ref, uint32 region, Buffer *buffer)
{
	BlockNumber block = DiskannBlockOfMap(&ref->index->meta, region);
	bool		recent;
	Page		page;

	*buffer = DiskannReadBuffer(ref->rel, block, &recent);
	page = BufferGetPage(*buffer);
	LockBuffer(*buffer, BUFFER_LOCK_SHARE);
	if (ref->snapshot)
		DiskannTestForOldSnapshot(ref->snapshot, ref->rel, page);
	if (PageIsNew(page))
		return NULL;
	DiskannVerifyPage(ref->rel, block, page, DISKANN_PAGE_FILTER_MAP, 0);
	return DiskannPageContents(page);
}

void
DiskannMapRead(DiskannNodeRef *ref, DiskannNode node, DiskannMarks *marks)
{
	const DiskannMetaPageData *meta = &ref->index->meta;
	uint32		number = node % meta->region_nodes;
	Buffer		buffer;
	const char *contents = open_page(ref, node / meta->region_nodes, &buffer);

	memset(marks, 0, sizeof(DiskannMarks));
	for (int i = 0; contents && i < meta->nfilters; i++)
		marks->hashes[i] = DiskannMapHashes(meta, contents, i)[number];
	for (int i = 0; contents && i < DiskannSignatureCount(meta); i++)
		marks->signatures[i] = DiskannMapSignatures(meta, contents, i)[number];
	UnlockReleaseBuffer(buffer);
}

static bool
has_hash(const DiskannSought *sought, uint16 hash)
{
	if (sought->nhashes == 0)
		return true;
	for (int i = 0; i < sought->nhashes; i++)
	{
		if (sought->hashes[i] == hash)
			return true;
	}
	return false;
}

/*
 * Numbers, in their region, of live nodes whose first signature may be wanted.
 * That of a set alone tells nothing else.
 */
static int
match_first(const DiskannMetaPageData *meta, const char *contents,
			const DiskannSought *sought, DiskannNode *numbers)
{
	const uint8 *signatures = DiskannMapSignatures(meta, contents, 0);
	bool		is_set = meta->filters[0].kind == DISKANN_FILTER_SET;
	int			n = 0;

	for (uint32 i = 0; i < meta->region_nodes; i++)
	{
		numbers[n] = i;
		n += (is_set ? signatures[i] != 0 :
			  DiskannIsSought(sought, signatures[i])) ? 1 : 0;
	}
	return n;
}

/* Of some numbers, keep those of which a column may be wanted. */
static int
match_column(const DiskannMetaPageData *meta, const char *contents, int column,
			 const DiskannSought *sought, DiskannNode *numbers, int n)
{
	const uint8 *signatures =
	DiskannMapSignatures(meta, contents,
						 DiskannSignaturesBefore(meta, column));
	const uint16 *hashes = DiskannMapHashes(meta, contents, column);
	bool		is_set = meta->filters[column].kind == DISKANN_FILTER_SET;
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		const uint8 *signature = &signatures[numbers[i]];
		uint16		hash = hashes[numbers[i]];

		if (is_set ?
			DiskannIsPatternSought(sought,
								   DiskannPattern(signature,
												  meta->region_nodes) |
								   (uint64) hash << 32,
								   PG_UINT64_MAX) :
			DiskannIsSought(sought, *signature) && has_hash(sought, hash))
			numbers[kept++] = numbers[i];
	}
	return kept;
}

/* How many of a page's nodes are live; have the signature sought first. */
typedef struct PageCounts
{
	int			live;
	int			first;
} PageCounts;

/*
 * The nodes of a page of the map that may be wanted, and unless counts is NULL
 * what else it describes.  Nothing is locked on entry and exit; the page in
 * share mode meanwhile.
 */
static int
read_page(DiskannNodeRef *ref, const DiskannSought *sought, uint32 region,
		  DiskannNode *nodes, PageCounts *counts)
{
	const DiskannMetaPageData *meta = &ref->index->meta;
	Buffer		buffer;
	const char *contents = open_page(ref, region, &buffer);
	int			n = 0;

	if (counts)
		memset(counts, 0, sizeof(PageCounts));
	if (contents)
	{
		n = match_first(meta, contents, &sought[0], nodes);
		if (counts)
			counts->first = n;
		for (int i = 0; i < meta->nfilters; i++)
			n = match_column(meta, contents, i, &sought[i], nodes, n);
		for (uint32 i = 0; counts && i < meta->region_nodes; i++)
			counts->live += DiskannMapSignatures(meta, contents, 0)[i] != 0;
	}
	UnlockReleaseBuffer(buffer);
	for (int i = 0; i < n; i++)
		nodes[i] += region * meta->region_nodes;
	return n;
}

bool
DiskannMapNext(DiskannMapScan *scan, DiskannNode *nodes, int *n)
{
	CHECK_FOR_INTERRUPTS();
	if (scan->next >= scan->npages)
		return false;
	*n = read_page(scan->ref, scan->sought, scan->next++, nodes, NULL);
	return true;
}

/*
 * Keep at most so many of the n nodes found on a page, spread evenly from one
 * that is drawn on, and begin again behind the last.
 */
static void
keep_some(DiskannMapEstimate *estimate, int most, const DiskannNode *nodes,
		  int n, uint64 draw)
{
	int			kept = Min(most, n);

	for (int i = 0; i < kept; i++)
		estimate->found[estimate->nfound++] =
			nodes[(draw % n + (uint64) i * n / kept) % n];
}

void
DiskannMapSample(DiskannNodeRef *ref, const DiskannSought *sought, uint64 seed,
				 int most, DiskannMapEstimate *estimate)
{
	DiskannNode *nodes = palloc(sizeof(DiskannNode) *
								DiskannMapPageNodes(ref->index));
	DiskannMapScan scan;
	uint64		wanted = 0;
	uint64		first = 0;
	uint64		live = 0;
	uint32		samples;
	double		scale;

	DiskannMapBegin(&scan, ref, sought);
	samples = Min(scan.npages, SAMPLE_PAGES);
	memset(estimate, 0, sizeof(DiskannMapEstimate));
	estimate->found = palloc(sizeof(DiskannNode) * Max(most, 1));

	/* One page of each of as many runs; near nodes have near numbers. */
	for (uint32 i = 0; i < samples; i++)
	{
		uint32		from = (uint64) scan.npages * i / samples;
		uint32		to = (uint64) scan.npages * (i + 1) / samples;
		PageCounts	here;
		int			n = read_page(ref, sought,
								  from + diskann_random64(&seed) % (to - from),
								  nodes, &here);

		CHECK_FOR_INTERRUPTS();
		keep_some(estimate, most / samples, nodes, n, diskann_random64(&seed));
		wanted += n;
		first += here.first;
		live += here.live;
	}
	scale = samples > 0 ? (double) scan.npages / samples : 0;
	estimate->wanted = wanted * scale;
	estimate->first = first * scale;
	estimate->live = live * scale;
	pfree(nodes);
}
