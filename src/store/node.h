/*-------------------------------------------------------------------------
 *
 * node.h
 *	  Slots: reading, writing, allocating.
 *
 * A slot is a node's place.  It lies within one page, or starts a page and
 * spans pages_per_slot of them; then the first page's lock stands for the whole
 * slot, and the other pages are locked only by who holds it.  A backend holds
 * one slot at a time and so at most one lock of this order.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/node.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_NODE_H
#define DISKANN_NODE_H

#include "storage/bufmgr.h"
#include "store/index.h"
#include "utils/snapshot.h"

/* Have the processor fetch some bytes, by lines of its cache. */
static inline void
DiskannPrefetch(const void *from, Size size)
{
	for (Size i = 0; i < size; i += 64)
		__builtin_prefetch((const char *) from + i);
}

/* Access to the slots of one index, one at a time. */
typedef struct DiskannNodeRef
{
	Relation	rel;
	const DiskannIndex *index;
	BlockNumber nblocks;		/* when last looked */
	BufferAccessStrategy strategy;	/* NULL: default */
	Snapshot	snapshot;		/* of a scan: fail if it is too old */
	bool		building;		/* do not log */

	/* The open slot. */
	DiskannNode node;
	Buffer		buffer;			/* its first page, pinned and locked */
	bool		recent;			/* the page last read was read before */
	const char *slot;			/* its bytes */

	char	   *assembled;		/* of a slot that spans pages */
	char	   *image;			/* being edited */
} DiskannNodeRef;

/* Buffers are palloc'd in the current context; index must outlive ref. */
extern void DiskannNodeInit(DiskannNodeRef *ref, Relation rel,
							const DiskannIndex *index, bool building);

/*
 * Pin and lock (BUFFER_LOCK_SHARE or _EXCLUSIVE) a node's slot and check its
 * head.  False, holding nothing, if its page is still all zeroes.  A node
 * number beyond the relation, or a damaged page, is an error.
 */
extern bool DiskannNodeOpen(DiskannNodeRef *ref, DiskannNode node, int mode);

/* Tell the processor that the node is likely to be opened soon. */
extern void DiskannNodePrefetch(const DiskannNodeRef *ref, DiskannNode node);

/* Have the operating system read a node's pages that are not in memory. */
extern void DiskannNodeReadAhead(const DiskannNodeRef *ref, DiskannNode node);

/* Unlock and unpin. */
extern void DiskannNodeClose(DiskannNodeRef *ref);

/*
 * Copy the open slot to ref->image for changes, and write bytes from..to of
 * the image back in one atomic logged change (several, the head last, if they
 * lie on more pages than one change can have: only for a slot not yet in use).
 * The slot must be open exclusively and stays so; its bytes show the change.
 */
extern DiskannSlot DiskannNodeEdit(DiskannNodeRef *ref);
extern void DiskannNodeWrite(DiskannNodeRef *ref, Size from, Size to);

/*
 * Open exclusively a free slot, extending the index
 * if there is none.  ref->slot's version tells the last use.
 */
extern void DiskannNodeAllocate(DiskannNodeRef *ref);

/*
 * Open exclusively a given slot of a page that DiskannExtendIndex has made; for
 * builds.  fresh: nothing has been written there, so that it need not be read.
 */
extern void DiskannNodeCreate(DiskannNodeRef *ref, DiskannNode node,
							  bool fresh);

/* Let DiskannNodeAllocate() find the page that holds this free slot. */
extern void DiskannNodeRecordFree(DiskannNodeRef *ref, DiskannNode node);

/*
 * The last transaction id given out, for a node that becomes a tombstone: who
 * has known it alive and may yet link to it is inserting a row, and so has an
 * id up to this one.
 */
extern uint64 DiskannLastXid(void);

/* Has every transaction with an id up to this one ended? */
extern bool DiskannXidIsPast(uint64 xid);

/* Number of node slots in the index, free ones included. */
extern DiskannNode DiskannNodeCount(DiskannNodeRef *ref);

extern BlockNumber DiskannNodeBlock(const DiskannIndex *index,
									DiskannNode node);

/* The slot of the entry node of a new index. */
extern void DiskannFillEntry(char *image, const DiskannIndex *index);

/*
 * Make an index that is being built nblocks long at once, so that several
 * processes may fill its pages in any order.
 */
extern void DiskannExtendIndex(Relation rel, BlockNumber nblocks);

/* Read a block, extending the relation up to it; no lock. */
extern Buffer DiskannReadOrExtend(Relation rel, BlockNumber block);

/* Parts of a slot. */
static inline float *
DiskannSlotAdd(const DiskannIndex *index, const char *slot)
{
	return (float *) (slot + DISKANN_ADD_OFFSET);
}

static inline uint16 *
DiskannSlotRescale(const DiskannIndex *index, const char *slot)
{
	return (uint16 *) (slot + index->rescale_offset);
}

static inline DiskannNode *
DiskannSlotNodes(const DiskannIndex *index, const char *slot)
{
	return (DiskannNode *) (slot + index->nodes_offset);
}

static inline uint8 *
DiskannSlotCodes(const DiskannIndex *index, const char *slot)
{
	return (uint8 *) (slot + index->codes_offset);
}

static inline void *
DiskannSlotOwn(const DiskannIndex *index, const char *slot)
{
	return (void *) (slot + index->own_offset);
}

/* TIDs of a TIDS slot. */
static inline ItemPointer
DiskannSlotTids(const char *slot)
{
	return (ItemPointer) (slot + DISKANN_SLOT_HEADER);
}

#endif							/* DISKANN_NODE_H */
