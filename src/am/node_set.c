/*-------------------------------------------------------------------------
 *
 * node_set.c
 *	  Sets and lists of nodes, for VACUUM.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/node_set.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "am/node_set.h"

void
DiskannNodeSetInit(NodeSet *set, DiskannNode count)
{
	set->count = count;
	set->bits = palloc_extended(count / 8 + 1,
								MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

void
DiskannNodeListAdd(NodeList *list, DiskannNode node)
{
	if (list->count == list->alloc)
	{
		list->alloc = Max(64, 2 * list->alloc);
		list->nodes = list->nodes == NULL ?
			palloc(sizeof(DiskannNode) * list->alloc) :
			repalloc_huge(list->nodes, sizeof(DiskannNode) * list->alloc);
	}
	list->nodes[list->count++] = node;
}
