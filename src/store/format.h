/*-------------------------------------------------------------------------
 *
 * format.h
 *	  On-disk format of a diskann index.
 *
 * This file and src/README are the whole of the format.  Everything read from
 * disk is range-checked before it is used, see store/layout.c, index.c and node.c.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/format.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_FORMAT_H
#define DISKANN_FORMAT_H

#include "storage/bufpage.h"
#include "storage/itemptr.h"

#define DISKANN_MAGIC 0x4E4E4144	/* "DANN", little-endian */
#define DISKANN_FORMAT_VERSION 2

#define DISKANN_METAPAGE_BLKNO 0

/* Limits of what an index can hold. */
#define DISKANN_MAX_DIMS 16000
#define DISKANN_MIN_DEGREE 32
#define DISKANN_MAX_DEGREE 128
#define DISKANN_MAX_EDGE_BITS 1024

typedef uint32 DiskannNode;

#define DISKANN_INVALID_NODE ((DiskannNode) 0xFFFFFFFF)

/* The index-owned node every search starts from. */
#define DISKANN_ENTRY_NODE ((DiskannNode) 0)

/*
 * Special area of every page.  page_id is the last halfword of the page, for
 * tools that look there to tell page types apart.
 */
typedef enum DiskannPageKind
{
	DISKANN_PAGE_META = 1,
	DISKANN_PAGE_CENTRE = 2,
	DISKANN_PAGE_NODES = 3
} DiskannPageKind;

typedef struct DiskannPageOpaqueData
{
	uint16		kind;			/* DiskannPageKind */
	uint16		part;			/* of a node that spans pages, from 0 */
	uint16		unused;
	uint16		page_id;
} DiskannPageOpaqueData;

typedef DiskannPageOpaqueData *DiskannPageOpaque;

#define DISKANN_PAGE_ID 0xFF94

#define DiskannPageGetOpaque(page) \
	((DiskannPageOpaque) PageGetSpecialPointer(page))

/* Bytes of a page between header and special area, all of them used. */
#define DISKANN_PAGE_BYTES \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - \
	 MAXALIGN(sizeof(DiskannPageOpaqueData)))

#define DiskannPageContents(page) \
	((char *) (page) + MAXALIGN(SizeOfPageHeaderData))

/*
 * The metapage.  The first part is written by CREATE INDEX and never changes;
 * the second when the index gets its first row (ready becomes 1 last) and
 * never again; the third by VACUUM.
 */
typedef struct DiskannMetaPageData
{
	uint32		magic;
	uint32		version;
	uint16		metric;			/* DiskannMetric */
	uint16		max_degree;		/* R, a multiple of 32 */
	uint16		build_list_size;	/* L of build and insert */
	uint16		vector_storage; /* DiskannVectorKind asked for, or 0 */
	uint16		bits_per_dimension; /* asked for: 1, 2, or 0 */
	uint16		edge_bits;		/* asked for, or 0 */
	uint32		prefix_dims;	/* asked for, or 0 */
	float		alpha;
	uint16		vector_limit;	/* the most precise to be chosen, or 0 */
	uint16		unused;
	uint64		seed;			/* of the rotation and the build */

	uint32		ready;			/* 1 once the rest is valid */
	uint32		dims;			/* of the user's vectors */
	uint32		space_dims;		/* of index space */
	uint16		vector_kind;	/* DiskannVectorKind */
	uint16		planes;			/* bits a coded coordinate */
	uint32		code_dims;		/* coordinates in an edge code */
	uint32		slot_size;		/* bytes */
	uint16		slots_per_page; /* 1 when a slot spans pages */
	uint16		pages_per_slot; /* 1 when a page holds several slots */
	uint32		first_block;	/* of node 0 */
	float		max_norm2;		/* inner product: see vector/space.h */

	/* As of the last VACUUM, to tell when a repair is due. */
	uint32		tombstones;
	uint64		live_nodes;

	/* No row is longer, squared; raised by inserts, inner product only. */
	float		max_length2;
	uint32		unused2;
} DiskannMetaPageData;

typedef DiskannMetaPageData *DiskannMetaPage;

#define DiskannPageGetMeta(page) ((DiskannMetaPage) DiskannPageContents(page))

/* Numbers are on disk; a page of zeroes is a page of free slots. */
typedef enum DiskannSlotState
{
	DISKANN_FREE = 0,			/* nothing points to it */
	DISKANN_LIVE = 1,			/* a vector with at least one row */
	DISKANN_DEAD = 2,			/* tombstone: no row left, still routes */
	DISKANN_ENTRY = 3,			/* owned by the index: node 0 */
	DISKANN_TIDS = 4			/* more TIDs of a live node */
} DiskannSlotState;

#define DISKANN_INLINE_TIDS 4

/*
 * Head of a slot.  A node's arrays follow, each for max_degree edges: f_add
 * (float), f_rescale (half float, in units of edge_scale), node numbers
 * (uint32), FastScan codes; then the code of its own vector.  A TIDS slot has
 * TIDs from offset DISKANN_SLOT_HEADER on instead, within its first page.
 */
typedef struct DiskannSlotData
{
	uint8		state;			/* DiskannSlotState */
	uint8		version;		/* counts reuses of the slot */
	uint16		degree;
	uint16		ntids;
	uint16		closed;			/* TIDS: empty and being unlinked */
	DiskannNode next;			/* first TIDS slot of a node, next of a TIDS */
	DiskannNode owner;			/* TIDS: the node */
	float		scale;			/* own vector, see vector/code.h */
	float		norm2;
	float		residual;
	float		length2;		/* see vector/space.h */
	float		edge_scale;
	uint32		sequence;		/* TIDS: falls along a chain; LIVE: of the last
								 * slot put before its chain */
	union
	{
		uint64		hash;		/* LIVE: of the user's vector */
		uint64		xid;		/* DEAD: last transaction that may have known
								 * it alive */
	}			u;
	ItemPointerData tids[DISKANN_INLINE_TIDS];
} DiskannSlotData;

typedef DiskannSlotData *DiskannSlot;

#define DISKANN_SLOT_HEADER 72

StaticAssertDecl(sizeof(DiskannSlotData) == DISKANN_SLOT_HEADER,
				 "slot header has an unexpected size");
StaticAssertDecl(sizeof(DiskannPageOpaqueData) == 8,
				 "special area has an unexpected size");
StaticAssertDecl(sizeof(DiskannMetaPageData) == 96,
				 "metapage has an unexpected size");

#endif							/* DISKANN_FORMAT_H */
