/*-------------------------------------------------------------------------
 *
 * self_search.c
 *	  Searching for a node by its own vector.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/self_search.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/self_search.h"
#include "compat.h"
#include "store/edges.h"
#include "store/link.h"
#include "store/roster.h"

bool
DiskannSelfSearchRead(const DiskannSelfSearch *self, DiskannNode node)
{
	DiskannNodeRef *ref = self->ref;
	const DiskannSlotData *head;
	bool		linked;

	if (!DiskannNodeOpenNext(ref, node, BUFFER_LOCK_SHARE, NULL))
		return false;
	head = DiskannNodeHead(ref);
	linked = head->state == DISKANN_LIVE && head->closed == 0;
	if (linked)
		DiskannReadOpen(ref, self->query->x, self->signatures);
	DiskannNodeClose(ref);
	if (linked)
		DiskannQueryPrepareVector(self->query, ref->index);
	return linked;
}

/*
 * Search for a node at the query; true if that finds it.  Else *nearest is the
 * live node nearest to the query that it found, or DISKANN_INVALID_NODE; one
 * that is pending does not count, as nothing may lead to that.  Nothing is
 * locked on entry and exit; each node visited in share mode meanwhile.
 */
static bool
search_for(const DiskannSelfSearch *self, DiskannNode node, int list_size,
		   DiskannNode *nearest)
{
	DiskannVisit *visit = self->visit;
	float		least = 0;
	DiskannNode next;

	*nearest = DISKANN_INVALID_NODE;
	DiskannSearchReset(self->search, list_size, false);
	(void) DiskannStartSearch(self->ref, self->query, visit, self->search);
	while (DiskannSearchNext(self->search, &next))
	{
		DiskannVacuumDelayPoint();
		if (next == node)
			return true;
		if (!DiskannVisitNode(self->ref, self->query, next, visit, NULL))
			continue;
		DiskannSearchAddAll(self->search, visit->nodes, visit->estimates,
							visit->degree);
		if (visit->head.state != DISKANN_LIVE || visit->head.closed != 0 ||
			(*nearest != DISKANN_INVALID_NODE && visit->dist2 >= least))
			continue;
		*nearest = next;
		least = visit->dist2;
	}
	return false;
}

bool
DiskannFindOrAttach(const DiskannSelfSearch *self, DiskannNode node,
					int list_size)
{
	DiskannNode nearest;

	if (search_for(self, node, list_size, &nearest))
		return true;
	if (nearest != DISKANN_INVALID_NODE)
		DiskannAddBacklink(self->ref, nearest, node, self->query,
						   self->signatures, true);
	else
		(void) DiskannLinkEntry(self->ref, DISKANN_ENTRY_NODE, node,
								self->query->x, self->signatures, 0);
	return false;
}
