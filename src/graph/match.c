/*-------------------------------------------------------------------------
 *
 * match.c
 *	  Which way a search takes to the nearest nodes that fulfil conditions.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/match.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "graph/heap.h"
#include "graph/match.h"

/* So many visits take whatever is nearest, to get near the query. */
#define FIRST_VISITS 24

/*
 * Matches are dense if at least this share of the edges of matching nodes lead
 * to such; so many edges have to have been seen to tell.  Value edges, which
 * were chosen for it, lead further than as many that happen to.
 */
#define DENSE_SHARE 0.25
#define DENSE_VALUE_SHARE 0.15
#define EDGES_TO_TELL 64

/*
 * So many visits in turn may find nothing that matches, and more by the share
 * that does.
 */
#define PATIENCE 16
#define PATIENCE_BY_SHARE 0.5

/* So many times that if the list is not full. */
#define PATIENCE_TO_FILL 4

/*
 * Where matches are far the list is so many times as long by the root of their
 * share, but no more than so many times.
 */
#define FAR_BY_SHARE 2
#define MOST_FAR_LISTS 10

/* Memory is not kept when it has grown beyond this. */
#define BRIDGES_KEEP 65536
#define BRIDGES_START 1024

struct DiskannMatch
{
	MemoryContext context;
	DiskannSearch *search;		/* of what may match; the caller's */
	int			list_size;		/* as asked for */
	double		share;			/* of all nodes that match */
	bool		by_value;		/* value edges lead to such */

	DiskannCandidate *bridges;	/* a heap; a node may be there repeatedly */
	Size		bridges_alloc;
	Size		bridges_count;

	bool		far;			/* what does not match is nearer */
	bool		matches;		/* does the node visited last match? */
	int64		visits;
	int64		bridge_visits;
	int64		waited;			/* visits since one found a match */
	int64		edges;			/* of matching nodes visited */
	int64		matching_edges; /* those among them that may match */
};

DiskannMatch *
DiskannMatchCreate(MemoryContext context)
{
	DiskannMatch *match = MemoryContextAllocZero(context,
												 sizeof(DiskannMatch));

	match->context = context;
	match->bridges_alloc = BRIDGES_START;
	match->bridges = MemoryContextAlloc(context, BRIDGES_START *
										sizeof(DiskannCandidate));
	return match;
}

void
DiskannMatchReset(DiskannMatch *match, DiskannSearch *search, int list_size,
				  double share, bool by_value)
{
	Assert(share > 0);

	if (match->bridges_alloc > BRIDGES_KEEP)
	{
		match->bridges_alloc = BRIDGES_START;
		match->bridges = repalloc(match->bridges, BRIDGES_START *
								  sizeof(DiskannCandidate));
	}
	match->search = search;
	match->list_size = list_size;
	match->share = share;
	match->by_value = by_value;
	match->bridges_count = 0;
	match->far = false;
	match->matches = false;
	match->visits = 0;
	match->bridge_visits = 0;
	match->waited = 0;
	match->edges = 0;
	match->matching_edges = 0;
}

/* ---------- bridges ---------- */

static void
add_bridge(DiskannMatch *match, uint32 node, float key)
{
	DiskannCandidate *bridge;

	if (match->bridges_count == match->bridges_alloc)
	{
		match->bridges_alloc *= 2;
		match->bridges = repalloc_huge(match->bridges, match->bridges_alloc *
									   sizeof(DiskannCandidate));
	}
	bridge = &match->bridges[match->bridges_count++];
	bridge->node = node;
	bridge->key = DiskannSaneKey(key);
	DiskannHeapUp(match->bridges, match->bridges_count - 1);
}

/* Is there a bridge that has not been visited, and how near? */
static bool
peek_bridge(DiskannMatch *match, float *key)
{
	while (match->bridges_count > 0 &&
		   DiskannSearchVisited(match->search, match->bridges[0].node))
		match->bridges_count = DiskannHeapPop(match->bridges,
											  match->bridges_count);
	if (match->bridges_count == 0)
		return false;
	*key = match->bridges[0].key;
	return true;
}

/* Visit the bridge that peek_bridge() has told of. */
static void
take_bridge(DiskannMatch *match, uint32 *node)
{
	*node = match->bridges[0].node;
	match->bridges_count = DiskannHeapPop(match->bridges,
										  match->bridges_count);
	DiskannSearchVisit(match->search, *node);
	match->bridge_visits++;
}

/* Is a bridge at this distance to be visited before the list's next node? */
static bool
is_first(const DiskannMatch *match, float key)
{
	float		next;

	return match->visits < FIRST_VISITS &&
		(!DiskannSearchPeekList(match->search, &next) || key < next);
}

static bool
is_dense(const DiskannMatch *match)
{
	double		least = match->by_value ? DENSE_VALUE_SHARE : DENSE_SHARE;

	return match->edges >= EDGES_TO_TELL &&
		match->matching_edges >= least * match->edges;
}

/* Is it to be visited when all of the list has been? */
static bool
is_useful(const DiskannMatch *match, float key)
{
	float		limit;
	double		patience = PATIENCE + PATIENCE_BY_SHARE / match->share;

	if (!DiskannSearchLimit(match->search, &limit))
		return match->waited < PATIENCE_TO_FILL * patience;
	return match->waited < patience && key < limit && !is_dense(match);
}

/* ---------- the search ---------- */

void
DiskannMatchAddAll(DiskannMatch *match, const uint32 *nodes,
				   const float *keys, const bool *may_match, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (may_match[i])
			DiskannSearchAdd(match->search, nodes[i], keys[i]);
		else
			add_bridge(match, nodes[i], keys[i]);
		if (match->matches)
		{
			match->edges++;
			match->matching_edges += may_match[i] ? 1 : 0;
		}
	}
}

/*
 * The list that finds as much as one of the size asked for does where the query
 * is among the nodes that match.
 */
static int
size_of_list(const DiskannMatch *match)
{
	double		times = match->far ? FAR_BY_SHARE / sqrt(match->share) : 1;

	return (int) (match->list_size * Min(times, MOST_FAR_LISTS));
}

/*
 * If nodes that do not match, this one the nearest of those not visited, are
 * nearer than all that do, the query lies outside of these, and what is nearest
 * to it is spread over all of their surface.
 */
static bool
has_become_far(DiskannMatch *match, float bridge)
{
	float		nearest;

	if (match->far || !DiskannSearchNearest(match->search, &nearest) ||
		nearest <= bridge)
		return false;
	match->far = true;
	DiskannSearchGrow(match->search, size_of_list(match));
	return true;
}

bool
DiskannMatchNext(DiskannMatch *match, uint32 *node)
{
	float		key;
	bool		bridge = peek_bridge(match, &key);

	if (bridge && is_first(match, key))
		take_bridge(match, node);
	else if (!DiskannSearchNext(match->search, node))
	{
		if (!bridge)
			return false;
		if (is_useful(match, key))
			take_bridge(match, node);
		else if (!has_become_far(match, key) ||
				 !DiskannSearchNext(match->search, node))
			return false;
	}
	match->visits++;
	return true;
}

bool
DiskannMatchLookAhead(const DiskannMatch *match, uint32 *node)
{
	if (DiskannSearchLookAhead(match->search, node))
		return true;
	if (match->bridges_count == 0)
		return false;
	*node = match->bridges[0].node;
	return true;
}

void
DiskannMatchVisited(DiskannMatch *match, uint32 node, bool matches)
{
	match->matches = matches;
	match->waited = matches ? 0 : match->waited + 1;
	if (!matches)
		DiskannSearchReject(match->search, node);
}

void
DiskannMatchGrow(DiskannMatch *match, int list_size)
{
	match->list_size = list_size;
	match->waited = 0;
	DiskannSearchGrow(match->search, size_of_list(match));
}

Size
DiskannMatchMemory(const DiskannMatch *match)
{
	return match->bridges_alloc * sizeof(DiskannCandidate);
}

int64
DiskannMatchBridges(const DiskannMatch *match)
{
	return match->bridge_visits;
}
