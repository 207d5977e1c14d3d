/*-------------------------------------------------------------------------
 *
 * search.h
 *	  Best-first search: the list, what was seen, and the stream beyond.
 *
 * A search holds no graph.  Its caller asks for the next node to visit, reads
 * it, and adds the node's neighbours with their (estimated) distances:
 *
 *		DiskannSearchAdd(search, entry, 0);
 *		while (DiskannSearchNext(search, &node))
 *			for each neighbour of node: DiskannSearchAdd(...)
 *
 * Next() returns false when the list_size nearest nodes seen have all been
 * visited (greedy search of DiskANN).  What did not fit the list is kept, and
 * DiskannSearchStream() goes on with it, nearest estimate first, until the
 * graph is exhausted.  A node is returned at most once.  A visited node keeps
 * its estimate as its place in the list: replacing it by its exact distance
 * makes a walk over noisy estimates much longer.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/search.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SEARCH_H
#define DISKANN_SEARCH_H

typedef struct DiskannSearch DiskannSearch;

/* Allocate a search in a memory context, which frees it. */
extern DiskannSearch *DiskannSearchCreate(MemoryContext context);

/*
 * Forget everything and start anew, reusing memory.  With keep_rest false,
 * what falls out of the list is dropped and there is no stream.
 */
extern void DiskannSearchReset(DiskannSearch *search, int list_size,
							   bool keep_rest);

/* Offer a node at an estimated distance; cheap if seen nearer or visited. */
extern void DiskannSearchAdd(DiskannSearch *search, uint32 node, float key);

/* The same for all neighbours of a node. */
extern void DiskannSearchAddAll(DiskannSearch *search, const uint32 *nodes,
								const float *keys, int n);

/* The nearest unvisited node of the list, now counted as visited. */
extern bool DiskannSearchNext(DiskannSearch *search, uint32 *node);

/* The node that Next would return now, which is not yet visited by this. */
extern bool DiskannSearchLookAhead(const DiskannSearch *search, uint32 *node);

/* The estimate of the node that Next would return; false if there is none. */
extern bool DiskannSearchPeekList(const DiskannSearch *search, float *key);

/* Leave what of the list has not been visited to Stream. */
extern void DiskannSearchLeaveList(DiskannSearch *search);

/*
 * A lower bound of the estimates beyond the list, at no cost.  False if there
 * is nothing, or Stream has been used: then Peek is as cheap.
 */
extern bool DiskannSearchBound(const DiskannSearch *search, float *key);

/*
 * The same beyond the list.  Peek tells the estimate of what Stream would
 * return; both are false when everything seen has been visited.
 */
extern bool DiskannSearchPeek(DiskannSearch *search, float *key);
extern bool DiskannSearchStream(DiskannSearch *search, uint32 *node);

/* Has this node been returned by Next or Stream? */
extern bool DiskannSearchVisited(DiskannSearch *search, uint32 node);

/*
 * What a search among nodes that fulfil conditions needs besides, before it
 * streams.  Grow makes the list longer and fills it from what did not fit.
 * Visit counts a node as visited; the list does not have it any more.  Reject
 * takes one that Next returned out of the list, and fills its place.
 */
extern void DiskannSearchGrow(DiskannSearch *search, int list_size);
extern void DiskannSearchVisit(DiskannSearch *search, uint32 node);
extern void DiskannSearchReject(DiskannSearch *search, uint32 node);

/*
 * The estimate of number i of the list, from 0 on, visited or not; false if it
 * has less.  What has to be nearer than Limit to come into the list; false if
 * there is room.
 */
extern bool DiskannSearchKey(const DiskannSearch *search, int i, float *key);
extern bool DiskannSearchLimit(const DiskannSearch *search, float *key);

/* Bytes of memory in use, and nodes visited since the reset. */
extern Size DiskannSearchMemory(const DiskannSearch *search);
extern int64 DiskannSearchVisits(const DiskannSearch *search);

/*
 * The key beyond which a node has no place in the list; FLT_MAX while the list
 * is not full.
 */
extern float DiskannSearchReach(const DiskannSearch *search);

/*
 * Note that the caller visits a node that may never have been added, and take
 * it out of the list; false if it has been visited.
 */
extern bool DiskannSearchTake(DiskannSearch *search, uint32 node);

#endif							/* DISKANN_SEARCH_H */
