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

#include <float.h>
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
 * So many times as long is the list of a walk along value edges, where others
 * lead to few nodes that match; and if it takes bridges, too.
 */
#define VALUE_LISTS 2
#define BRIDGED_LISTS 1.5

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

/*
 * They are far if more members of the roster are nearer than the nearest few of
 * them: than so many, and so many times as many as chance would have.  So few
 * are the nearest, and less if chance would have more members nearer than this.
 */
#define FAR_NEAREST 10
#define FAR_MOST_MEMBERS 10
#define FAR_MEMBERS 3
#define FAR_BY_CHANCE 2

/*
 * Or if more nodes that do not match are, of those that the first visits meet,
 * which are so many nearest ones at least.  The root of how many are nearer
 * than match number j, in units of what chance has before the first, is that
 * of j, more or less a half: so much more is no chance.
 */
#define FAR_MOST_MET 160
#define FAR_ROOT 1.15

/* Bridges looked at for it; a node may be there repeatedly. */
#define FAR_BRIDGES 1024

/* Memory is not kept when it has grown beyond this. */
#define BRIDGES_KEEP 65536
#define BRIDGES_START 1024

struct DiskannMatch
{
	MemoryContext context;
	DiskannSearch *search;		/* of what may match; the caller's */
	int			list_size;		/* as asked for */
	double		share;			/* of all nodes that match */
	double		matching;		/* how many do */
	bool		by_value;		/* value edges lead to such */
	int			far_nearest;	/* if this one of the list */
	float		far_key;		/* is beyond this, matches are far */
	double		lists;			/* the list is so many times as long */

	DiskannCandidate *bridges;	/* a heap; a node may be there repeatedly */
	Size		bridges_alloc;
	Size		bridges_count;

	bool		matches;		/* does the node visited last match? */
	int64		visits;
	int64		bridge_visits;
	int			first_bridges;	/* of the first visits */
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
				  double matching, double share, bool by_value)
{
	Assert(matching > 0 && share > 0);

	if (match->bridges_alloc > BRIDGES_KEEP)
	{
		match->bridges_alloc = BRIDGES_START;
		match->bridges = repalloc(match->bridges, BRIDGES_START *
								  sizeof(DiskannCandidate));
	}
	match->search = search;
	match->list_size = list_size;
	match->matching = matching;
	match->share = share;
	match->far_nearest = 0;
	match->far_key = FLT_MAX;
	match->lists = 1;
	match->by_value = by_value;
	match->bridges_count = 0;
	match->matches = false;
	match->visits = 0;
	match->bridge_visits = 0;
	match->first_bridges = 0;
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

/* Do so many of the edges of matching nodes lead to such? */
static bool
is_dense(const DiskannMatch *match, double least)
{
	return match->edges >= EDGES_TO_TELL &&
		match->matching_edges >= least * match->edges;
}

/* Do they without bridges? */
static bool
needs_no_bridges(const DiskannMatch *match)
{
	return is_dense(match, match->by_value ? DENSE_VALUE_SHARE : DENSE_SHARE);
}

/* Is it to be visited when all of the list has been? */
static bool
is_useful(const DiskannMatch *match, float key)
{
	float		limit;
	double		patience = PATIENCE + PATIENCE_BY_SHARE / match->share;

	if (!DiskannSearchLimit(match->search, &limit))
		return match->waited < PATIENCE_TO_FILL * patience;
	return match->waited < patience && key < limit &&
		!needs_no_bridges(match);
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

void
DiskannMatchStart(DiskannMatch *match, const uint32 *nodes, const float *keys,
				  int n, int members)
{
	double		by_chance = members / match->matching;
	double		nearest = Min(FAR_NEAREST, FAR_MOST_MEMBERS / by_chance);
	double		farther = FAR_MEMBERS + FAR_BY_CHANCE * nearest * by_chance;

	for (int i = 0; i < n; i++)
		add_bridge(match, nodes[i], keys[i]);
	match->far_nearest = (int) nearest;
	if (n > 0)
		match->far_key = keys[(int) Min(farther, n - 1)];
}

/* Are many members of the roster nearer than the nearest matches? */
static bool
members_are_nearer(const DiskannMatch *match)
{
	float		key;

	return DiskannSearchKey(match->search, match->far_nearest, &key) &&
		key > match->far_key;
}

static int
compare_nodes(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/*
 * Append the bridges nearer than key, of those from place i of the heap
 * downwards, to the n there are, if there is room; returns their number.
 */
static int
note_nearer(const DiskannMatch *match, Size i, float key, uint32 *nodes, int n)
{
	if (i >= match->bridges_count || match->bridges[i].key >= key ||
		n == FAR_BRIDGES)
		return n;
	nodes[n++] = match->bridges[i].node;
	n = note_nearer(match, 2 * i + 1, key, nodes, n);
	return note_nearer(match, 2 * i + 2, key, nodes, n);
}

/* How many nodes that do not match have been met that are nearer than key? */
static int
count_nearer(const DiskannMatch *match, float key)
{
	uint32		nodes[FAR_BRIDGES];
	int			n = note_nearer(match, 0, key, nodes, 0);
	int			count = match->first_bridges;

	qsort(nodes, n, sizeof(uint32), compare_nodes);
	for (int i = 0; i < n; i++)
	{
		if ((i == 0 || nodes[i] != nodes[i - 1]) &&
			!DiskannSearchVisited(match->search, nodes[i]))
			count++;
	}
	return count;
}

/* Are more of them nearer than the nearest matches than is chance? */
static bool
others_are_nearer(const DiskannMatch *match)
{
	double		by_chance = (1 - match->share) / match->share;
	double		root = sqrt(FAR_MOST_MET / Max(by_chance, 1)) - FAR_ROOT;
	int			nearest = Min((int) (root * root), FAR_NEAREST);
	float		key;

	if (root < 1 || !DiskannSearchKey(match->search, nearest - 1, &key))
		return false;
	root = sqrt(nearest) + FAR_ROOT;
	return count_nearer(match, key) > root * root * by_chance;
}

bool
DiskannMatchIsFar(const DiskannMatch *match)
{
	return members_are_nearer(match) || others_are_nearer(match);
}

static double
far_lists(const DiskannMatch *match)
{
	return Min(FAR_BY_SHARE / sqrt(match->share), MOST_FAR_LISTS);
}

/*
 * How long a list finds as much as one of the size asked for does where the
 * query is among nodes that match, and these are neighbours of each other.
 */
static double
lists_needed(const DiskannMatch *match)
{
	if (DiskannMatchIsFar(match))
		return far_lists(match);
	if (match->by_value && !is_dense(match, DENSE_SHARE))
		return needs_no_bridges(match) ? VALUE_LISTS : BRIDGED_LISTS;
	return 1;
}

double
DiskannMatchFarSize(const DiskannMatch *match)
{
	return DiskannMatchIsFar(match) ? far_lists(match) * match->list_size : 0;
}

bool
DiskannMatchLengthen(DiskannMatch *match)
{
	double		needed = lists_needed(match);

	if (needed <= match->lists)
		return false;
	match->lists = needed;
	DiskannSearchGrow(match->search, (int) (match->list_size * needed));
	return true;
}

bool
DiskannMatchNext(DiskannMatch *match, uint32 *node)
{
	float		key;
	bool		bridge = peek_bridge(match, &key);

	if (bridge && is_first(match, key))
	{
		take_bridge(match, node);
		match->first_bridges++;
	}
	else if (!DiskannSearchNext(match->search, node))
	{
		if (!bridge)
			return false;
		if (!is_useful(match, key))
			return false;
		take_bridge(match, node);
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
	DiskannSearchGrow(match->search, (int) (list_size * match->lists));
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
