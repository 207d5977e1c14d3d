/*-------------------------------------------------------------------------
 *
 * node.h
 *	  Slots: reading, writing, allocating, freeing.
 *
 * A slot is a node's place.  It lies within one page, or starts a page and
 * spans pages_per_slot of them; then the first page's lock stands for the whole
 * slot, and the other pages are locked only by who holds it.  A backend has one
 * slot open at a time, in the DiskannNodeRef it works with, and so holds at
 * most one lock of this order.
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

#include "compat.h"
#include "storage/bufmgr.h"
#include "store/index.h"
#include "store/layout.h"
#include "store/marks.h"
#include "store/place.h"
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
	DiskannNode count;			/* slots there were when last looked */
	BlockNumber nblocks;		/* the same in blocks */
	BufferAccessStrategy strategy;	/* NULL: default */
	Snapshot	snapshot;		/* of a scan: fail if it is too old */
	bool		building;		/* do not log */

	/* The open slot. */
	int			mode;			/* how it is locked, BUFFER_LOCK_UNLOCK: none */
	DiskannNode node;
	Buffer		buffer;			/* its first page, pinned and locked */
	bool		recent;			/* this backend has verified this buffer's
								 * page before */
	const char *slot;			/* its bytes; NULL on a page of zeroes */

	BlockNumber has_free;		/* to be told to the free space map once the
								 * slot is closed, or InvalidBlockNumber */
	char	   *assembled;		/* of a slot that spans pages */
	char	   *image;			/* being edited */
} DiskannNodeRef;

/* Buffers are palloc'd in the current context; index must outlive ref. */
extern void DiskannNodeInit(DiskannNodeRef *ref, Relation rel,
							const DiskannIndex *index, bool building);

/*
 * Pin and lock (BUFFER_LOCK_SHARE or _EXCLUSIVE) the slot of a node that an
 * edge or a list of rows leads to, and check its head.  Nothing may be open.
 * A number beyond the relation, a page of zeroes (nothing ever leads to a slot
 * that was not written), a page that is none of nodes, and a damaged head are
 * errors.
 */
extern void DiskannNodeOpen(DiskannNodeRef *ref, DiskannNode node, int mode);

/*
 * The same of a slot that belongs to the index: another state than this one is
 * damage, of which "missing" tells.  Returns its head.
 */
extern const DiskannSlotData *DiskannNodeOpenOwned(DiskannNodeRef *ref,
												   DiskannNode node, int mode,
												   DiskannSlotState state,
												   const char *missing);

/*
 * The same for who looks at all slots in order.  False, holding nothing, if the
 * page of this slot is all zeroes or holds no nodes; *unused, unless NULL,
 * tells that it is the former, so that the slot may be allocated.
 */
extern bool DiskannNodeOpenNext(DiskannNodeRef *ref, DiskannNode node,
								int mode, bool *unused);

/* Tell the processor that the node is likely to be opened soon. */
extern void DiskannNodePrefetch(const DiskannNodeRef *ref, DiskannNode node);

/* Have the operating system read a node's pages that are not in memory. */
extern void DiskannNodeReadAhead(const DiskannNodeRef *ref, DiskannNode node);

/* Unlock and unpin. */
extern void DiskannNodeClose(DiskannNodeRef *ref);

/* The head of the open slot. */
static inline const DiskannSlotData *
DiskannNodeHead(const DiskannNodeRef *ref)
{
	Assert(ref->mode != BUFFER_LOCK_UNLOCK && ref->slot != NULL);
	return (const DiskannSlotData *) ref->slot;
}

/*
 * Copy the open slot, locked exclusively, to ref->image for changes.  A slot of
 * a page of zeroes is copied as zeroes.
 */
extern DiskannSlot DiskannNodeEdit(DiskannNodeRef *ref);

/*
 * Write parts of the image back, in one atomic logged change: the head alone,
 * head and the first ntids TIDs of a TIDS slot, head and edge arrays, or all of
 * it.  All of a slot that lies on more pages than one change can have is
 * written in several changes, the head last: only for a slot not yet in use.
 * With the head of a node that becomes live, or ceases to be, changes its entry
 * in the filter map.  The slot stays open, and its bytes show the change.
 */
extern void DiskannNodeWriteHead(DiskannNodeRef *ref);
extern void DiskannNodeWriteTids(DiskannNodeRef *ref, int ntids);
extern void DiskannNodeWriteEdges(DiskannNodeRef *ref);
extern void DiskannNodeWriteAll(DiskannNodeRef *ref);

/*
 * Open exclusively a free slot, extending the index if there is none.  Nothing
 * may be open.  The slot's version, if it has been used, tells the last use.
 */
extern void DiskannNodeAllocate(DiskannNodeRef *ref);

/*
 * Free a slot that nothing points to any more.  Nothing may be open; locks the
 * slot exclusively for the time of the call.
 */
extern void DiskannNodeFree(DiskannNodeRef *ref, DiskannNode node);

/*
 * Open exclusively a given slot of a page that DiskannExtendIndex has made; for
 * builds.  fresh: nothing has been written there, so that it need not be read.
 */
extern void DiskannNodeCreate(DiskannNodeRef *ref, DiskannNode node,
							  bool fresh);

/*
 * Let DiskannNodeAllocate() find the page that holds this free slot.  Nothing
 * may be open: the free space map has locks of its own.
 */
extern void DiskannNodeRecordFree(DiskannNodeRef *ref, DiskannNode node);

/* Number of node slots in the index, free ones included; looks anew. */
extern DiskannNode DiskannNodeCount(DiskannNodeRef *ref);

/* The block, the first one, of a node that the index has. */
static inline BlockNumber
DiskannNodeBlock(const DiskannIndex *index, DiskannNode node)
{
	return DiskannBlockOfNode(&index->meta, node);
}

/* Report what is wrong with a slot. */
pg_noreturn extern void DiskannNodeReport(const DiskannNodeRef *ref,
										  DiskannNode node, const char *what);

/* The code of a node's own vector. */
static inline void *
DiskannSlotOwn(const DiskannIndex *index, const char *slot)
{
	return (void *) (slot + index->meta.own_offset);
}

/* Copy the values of filter columns of a node's slot. */
static inline void
DiskannSlotFilters(const DiskannIndex *index, const char *slot,
				   DiskannFilterValues *values)
{
	if (index->meta.nfilters > 0)
		DiskannReadKeys(&index->meta, slot, values);
}

/* Copy a node's signatures. */
static inline void
DiskannCopySignatures(const DiskannIndex *index, const char *slot,
					  uint8 *signatures)
{
	if (index->meta.nfilters > 0)
		memcpy(signatures, DiskannSlotOwnSignatures(&index->meta, slot),
			   DiskannSignatureCount(&index->meta));
}

/* TIDs of a TIDS slot. */
static inline ItemPointer
DiskannSlotTids(const char *slot)
{
	return (ItemPointer) (slot + DISKANN_SLOT_HEADER);
}

/* TIDs of any slot, wherever its state keeps them. */
static inline ItemPointer
DiskannSlotTidList(const char *slot)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;

	return head->state == DISKANN_TIDS ? DiskannSlotTids(slot) :
		(ItemPointer) head->tids;
}

#endif							/* DISKANN_NODE_H */
