/*-------------------------------------------------------------------------
 *
 * format.h
 *	  On-disk format of a diskann index.
 *
 * This file, layout.c, the codes of vector/ and src/README, section 5, are the
 * whole of the format.  Everything read from disk is range-checked before it is
 * used: the metapage in meta.c and layout.c, a slot in node.c.
 *
 * Where the arrays of a slot lie is written into the metapage when the index
 * gets its first row, and never worked out again: another version of this
 * library may choose otherwise for its own indexes, and still reads this one.
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

/* The version written, and the oldest one that can be read. */
#define DISKANN_FORMAT_VERSION 3
#define DISKANN_MIN_VERSION 3

#define DISKANN_METAPAGE_BLKNO 0

/* Limits of what an index can hold. */
#define DISKANN_MAX_DIMS 16000
#define DISKANN_MIN_DEGREE 32
#define DISKANN_MAX_DEGREE 128
#define DISKANN_MAX_EDGE_BITS 1024

typedef uint32 DiskannNode;

#define DISKANN_INVALID_NODE ((DiskannNode) 0xFFFFFFFF)

/* The first entry node, where every search starts; the index owns it. */
#define DISKANN_ENTRY_NODE ((DiskannNode) 0)

/* Most entry nodes in the chain that begins at that one, beside it. */
#define DISKANN_MOST_ENTRIES 32

/* Most porches, whose edges lead to rows that are not linked yet. */
#define DISKANN_MOST_PORCHES 128

/*
 * Special area of every page.  page_id is the last halfword of the page, for
 * tools that look there to tell page types apart.
 *
 * Pages of the kinds from DISKANN_PAGE_ROSTER to DISKANN_PAGE_CALIBRATION are
 * not written yet.  They may stand anywhere among the pages of nodes, a whole
 * group of pages_per_slot each; the node numbers that would be theirs are then
 * never given out, and who reads all slots in order passes over them.
 */
typedef enum DiskannPageKind
{
	DISKANN_PAGE_META = 1,
	DISKANN_PAGE_CENTRE = 2,
	DISKANN_PAGE_NODES = 3,
	DISKANN_PAGE_ROSTER = 4,	/* a roster beyond that of entry nodes */
	DISKANN_PAGE_PENDING = 5,	/* rows not linked yet */
	DISKANN_PAGE_CALIBRATION = 6,	/* calibrations beyond the metapage's */
	DISKANN_PAGE_FILTER_MAP = 7,	/* what filter columns hold, node by node */
	DISKANN_PAGE_RANGES = 8		/* what signatures of a filter column mean */
} DiskannPageKind;

#define DISKANN_LAST_PAGE_KIND DISKANN_PAGE_RANGES

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
 * The rotation of vector/rotate.c and the codes of vector/: vectors stored
 * under one number cannot be read under another.
 */
#define DISKANN_CODE_SCHEME 2

/*
 * A list of pages beside those of nodes, by kind of page.  All zero while there
 * is none.  The pages of a list are chained, or found from one page of block
 * numbers; which of it depends on the kind.
 */
typedef struct DiskannPageList
{
	BlockNumber first;			/* 0: none */
	BlockNumber last;
	uint32		npages;
	uint32		nentries;
} DiskannPageList;

#define DISKANN_PAGE_LISTS 8	/* DISKANN_PAGE_ROSTER is the first */

/* What the value of a filter column has become, in 8 bytes. */
typedef enum DiskannFilterKind
{
	DISKANN_FILTER_VALUE = 1,	/* itself: a type that is passed by value */
	DISKANN_FILTER_NUMERIC,		/* a numeric as a double, in order as uint64 */
	DISKANN_FILTER_UUID,		/* a uuid's first 8 bytes, in order as uint64 */
	DISKANN_FILTER_HASH,		/* its extended hash, with seed 0 */
	DISKANN_FILTER_SET			/* of an array's elements, see values/set.h */
} DiskannFilterKind;

#define DISKANN_LAST_FILTER_KIND DISKANN_FILTER_SET

/*
 * A column of the index beside the vector, for filters: where its value lies in
 * a slot, and the signatures of what edges lead to, for each edge.  Rows of
 * a node have equal values.  The values of all columns lie one after another;
 * behind them are the bits of nulls, see below, as many bytes of its lower half
 * as there are columns by eight, and then of its upper one; and the node's
 * marks: a hash of 16 bits of each column, and then the signatures of each.  A
 * column has one signature, a set has four.
 */
typedef struct DiskannFilterColumn
{
	uint16		attno;			/* of the index, from 1 */
	uint16		kind;			/* DiskannFilterKind */
	uint16		value_bytes;	/* 8 */
	uint16		signature_bytes;	/* of all edges: max_degree for each
									 * signature */
	uint32		value_offset;
	uint32		signature_offset;
	BlockNumber ranges;			/* of DiskannRanges; 0: they are hashes */
	uint32		unused;
} DiskannFilterColumn;

#define DISKANN_MAX_FILTER_COLUMNS 31

#define DiskannNullBit(column) (UINT64CONST(1) << (column))
#define DiskannManyBit(column) (UINT64CONST(1) << (32 + (column)))

/*
 * What a node holds, for as many columns as there are.  Of nulls, bit i tells
 * that column i is NULL, its value being zero; bit 32 + i that column i, which
 * is a set, has many elements.
 */
typedef struct DiskannFilterValues
{
	uint64		nulls;
	uint64		values[DISKANN_MAX_FILTER_COLUMNS];
} DiskannFilterValues;

/* Signatures of a column of sets, and those of all columns at most. */
#define DISKANN_SET_SIGNATURES 4
#define DISKANN_MAX_SIGNATURES \
	(DISKANN_SET_SIGNATURES * DISKANN_MAX_FILTER_COLUMNS)

/*
 * The signature of a key is DISKANN_FIRST_SIGNATURE, and one more for each of
 * the bounds that the key is greater than; if no ranges have been learned, it
 * is DISKANN_FIRST_SIGNATURE and a hash modulo DISKANN_SIGNATURES.  0 is for
 * what is no live node, as the first of those of a set, too, which together are
 * a pattern (see values/set.h).
 */
#define DISKANN_NULL_SIGNATURE 1
#define DISKANN_FIRST_SIGNATURE 2
#define DISKANN_SIGNATURES 252
#define DISKANN_ANY_SIGNATURE 255	/* may be anything */

#define DISKANN_MOST_BOUNDS (DISKANN_SIGNATURES - 1)

/* A build learns at most so many, and leaves others to VACUUM. */
#define DISKANN_MOST_LEARNED 190

/*
 * The last keys of all ranges but the last one, in order.  Bounds are appended,
 * and never change: who knows some of them only takes all ranges behind these
 * for one.
 */
typedef struct DiskannRanges
{
	uint32		count;
	uint32		unused;
	uint64		bounds[DISKANN_MOST_BOUNDS];
} DiskannRanges;

/* What the map has of a node, for as many columns as there are. */
typedef struct DiskannMarks
{
	uint16		hashes[DISKANN_MAX_FILTER_COLUMNS];
	uint8		signatures[DISKANN_MAX_SIGNATURES]; /* column by column */
} DiskannMarks;

/*
 * Bits of what a reader has to know beside the version.  An index has filter
 * columns; it has porches, and so rows that edges of nodes do not lead to.
 */
#define DISKANN_FEATURE_FILTERS 1
#define DISKANN_FEATURE_PORCHES 16
#define DISKANN_KNOWN_FEATURES \
	(DISKANN_FEATURE_FILTERS | DISKANN_FEATURE_PORCHES)

/*
 * What part of the nearest rows searches miss, by how many are sought and by
 * the size of the list, as a calibration has found; each with the standard
 * error of its measure added.  All zero in an index that was never calibrated.
 */
#define DISKANN_CALIBRATED_SIZES 24
#define DISKANN_CALIBRATED_ROWS 3	/* 1, 10, 100 */

typedef struct DiskannCalibration
{
	int64		time;			/* a TimestampTz */
	uint32		queries;		/* 0: there is none */
	uint32		blocks;			/* of the index then */
	uint64		nodes;			/* live ones then */
	uint16		sizes[DISKANN_CALIBRATED_SIZES];	/* of the list, ascending */
	float		missed[DISKANN_CALIBRATED_ROWS][DISKANN_CALIBRATED_SIZES];
} DiskannCalibration;

/*
 * The metapage.  Settings are written by CREATE INDEX and never change; the
 * layout is written when the index gets its first row (ready becomes 1 last).
 * It is written anew only if the index turns out to have no row any more (see
 * DiskannForgetRows).  The state changes as the index lives.
 *
 * features tells what else a reader has to know; one that finds a bit it does
 * not know refuses the index.  This version knows filter columns and pending
 * rows; the lists of pages, and filter columns beyond nfilters, are all zero.
 */
typedef struct DiskannMetaPageData
{
	uint32		magic;
	uint32		version;
	uint32		features;
	uint32		ready;			/* 1 once the layout is valid */

	/* Settings. */
	uint16		metric;			/* DiskannMetric */
	uint16		max_degree;		/* R, a multiple of 32 */
	uint16		build_list_size;	/* L of build and insert */
	uint16		vector_storage; /* DiskannVectorKind asked for, or 0 */
	uint16		bits_per_dimension; /* asked for: 1, 2, or 0 */
	uint16		edge_bits;		/* asked for, or 0 */
	uint16		vector_limit;	/* the most precise to be chosen, or 0 */
	uint16		nfilters;		/* filter columns */
	uint32		prefix_dims;	/* asked for, or 0 */
	float		alpha;
	uint64		seed;			/* of the rotation and the build */

	/* Layout. */
	uint32		dims;			/* of the user's vectors */
	uint32		space_dims;		/* of index space */
	uint32		code_dims;		/* coordinates in an edge code */
	uint16		planes;			/* bits a coded coordinate */
	uint16		vector_kind;	/* DiskannVectorKind */
	uint16		code_scheme;	/* DISKANN_CODE_SCHEME */
	uint16		slots_per_page; /* 1 when a slot spans pages */
	uint16		pages_per_slot; /* 1 when a page holds several slots */
	uint16		max_tids;		/* of a TIDS slot */
	uint32		first_block;	/* of node 0 */
	uint32		slot_size;		/* bytes */
	uint32		add_offset;		/* within a slot: of f_add */
	uint32		rescale_offset; /* f_rescale */
	uint32		nodes_offset;	/* node numbers */
	uint32		codes_offset;	/* edge codes */
	uint32		own_offset;		/* the node's own vector */
	uint32		own_bytes;
	float		max_norm2;		/* inner product: see vector/space.h */

	/* State. */
	float		max_length2;	/* inner product: no row is longer, squared */
	uint32		tombstones;		/* as of the last VACUUM */
	uint32		self_searched;	/* nodes the last repair searched for by their
								 * own vectors */
	uint64		live_nodes;		/* as of the last VACUUM */
	uint64		reserved;		/* 0 in new indexes; no value matters */
	uint32		self_missed;	/* of self_searched, not found */
	uint32		region_nodes;	/* layout: nodes that a page of the filter map
								 * describes; 0: there is no map */

	DiskannPageList lists[DISKANN_PAGE_LISTS];
	DiskannFilterColumn filters[DISKANN_MAX_FILTER_COLUMNS];

	/* Earlier libraries leave these alone; in their indexes they are zero. */
	DiskannCalibration calibration;
	int64		repaired;		/* when the last repair ended, a TimestampTz;
								 * 0: unknown */
} DiskannMetaPageData;

typedef DiskannMetaPageData *DiskannMetaPage;

#define DiskannPageGetMeta(page) ((DiskannMetaPage) DiskannPageContents(page))

/* Numbers are on disk; a page of zeroes is a page of free slots. */
typedef enum DiskannSlotState
{
	DISKANN_FREE = 0,			/* nothing points to it */
	DISKANN_LIVE = 1,			/* a vector with at least one row */
	DISKANN_DEAD = 2,			/* tombstone: no row left, still routes */
	DISKANN_ENTRY = 3,			/* owned by the index: node 0 and its chain */
	DISKANN_TIDS = 4,			/* more TIDs of a live node */
	DISKANN_PORCH = 5			/* owned by the index: leads to rows that are
								 * not linked yet */
} DiskannSlotState;

#define DISKANN_LAST_STATE DISKANN_PORCH

#define DISKANN_INLINE_TIDS 4

/*
 * Head of a slot.  A node's arrays follow at the offsets of the metapage, each
 * for max_degree edges: f_add (float), f_rescale (half float, in units of
 * edge_scale), node numbers (uint32), FastScan codes; then the code of its own
 * vector.  The values of filter columns, if there are any, come first.  A TIDS
 * slot has TIDs from offset DISKANN_SLOT_HEADER on instead, within its first
 * page.
 */
typedef struct DiskannSlotData
{
	uint8		state;			/* DiskannSlotState */
	uint8		version;		/* counts reuses of the slot */
	uint16		degree;
	uint16		ntids;
	uint16		closed;			/* TIDS: not linked yet, or being unlinked;
								 * LIVE: not linked yet; node 0: porches in
								 * use */
	DiskannNode next;			/* first TIDS slot of a node, next of a TIDS;
								 * ENTRY: next entry node; PORCH: next porch */
	DiskannNode owner;			/* TIDS: the node; node 0: first porch */
	float		scale;			/* own vector, see vector/own_code.h */
	float		norm2;
	float		residual;
	float		length2;		/* see vector/space.h */
	float		edge_scale;
	uint32		sequence;		/* TIDS: falls along a chain; LIVE: of the
								 * last slot put before its chain; node 0:
								 * changes of the chain of entry nodes */
	uint64		hash;			/* LIVE: of the user's vector, and of the
								 * values of filter columns */
	ItemPointerData tids[DISKANN_INLINE_TIDS];
} DiskannSlotData;

typedef DiskannSlotData *DiskannSlot;

#define DISKANN_SLOT_HEADER 72

StaticAssertDecl(sizeof(DiskannSlotData) == DISKANN_SLOT_HEADER,
				 "slot header has an unexpected size");
StaticAssertDecl(sizeof(DiskannPageOpaqueData) == 8,
				 "special area has an unexpected size");
StaticAssertDecl(offsetof(DiskannMetaPageData, dims) == 48 &&
				 offsetof(DiskannMetaPageData, max_length2) == 108 &&
				 offsetof(DiskannMetaPageData, lists) == 144 &&
				 offsetof(DiskannMetaPageData, calibration) ==
				 144 + 8 * 16 + 31 * 24 &&
				 sizeof(DiskannCalibration) == 24 + 24 * 2 + 3 * 24 * 4 &&
				 offsetof(DiskannMetaPageData, repaired) ==
				 144 + 8 * 16 + 31 * 24 + 24 + 24 * 2 + 3 * 24 * 4,
				 "metapage has an unexpected layout");
StaticAssertDecl(sizeof(DiskannMetaPageData) <= DISKANN_PAGE_BYTES,
				 "metapage does not fit a page");

#endif							/* DISKANN_FORMAT_H */
