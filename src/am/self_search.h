/*-------------------------------------------------------------------------
 *
 * self_search.h
 *	  Searching for a node by its own vector.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/self_search.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SELF_SEARCH_H
#define DISKANN_SELF_SEARCH_H

#include "graph/search.h"
#include "store/visit.h"

/* The list of such a search, where it is to tell how the graph is. */
#define DISKANN_SELF_LIST_SIZE 20

/* What it needs; memory is the caller's. */
typedef struct DiskannSelfSearch
{
	DiskannNodeRef *ref;
	DiskannQuery *query;
	DiskannVisit *visit;
	DiskannSearch *search;
	uint8	   *signatures;		/* room for one of each filter column */
} DiskannSelfSearch;

/*
 * Make the vector of a live node the query, and copy its signatures; false if
 * the slot has no such node, or one that is pending: scans find that without
 * edges.  Nothing is locked on entry and exit; the slot in share mode
 * meanwhile.
 */
extern bool DiskannSelfSearchRead(const DiskannSelfSearch *self,
								  DiskannNode node);

/*
 * Search for the node at the query.  Unless that finds it, let the nearest live
 * node that it does find point to it, or an entry node if there is no other:
 * then the next search will find it.  Returns whether it was found.  Nothing is
 * locked on entry and exit; nodes visited in share mode, and the one that is to
 * point exclusively, meanwhile.
 */
extern bool DiskannFindOrAttach(const DiskannSelfSearch *self,
								DiskannNode node, int list_size);

#endif							/* DISKANN_SELF_SEARCH_H */
