/*-------------------------------------------------------------------------
 *
 * search.c
 *	  Best-first search: the list, what was seen, and the stream beyond.
 *
 * Greedy search of DiskANN (Subramanya et al., NeurIPS 2019, algorithm 1),
 * made resumable, and arranged for what takes its time.  A visit brings some
 * 30 neighbours, most of which are farther than all in a full list.  These are
 * neither looked up nor inserted anywhere, nor even told apart: all that a
 * visit brought is copied to the end of "far", with holes where it was nearer.
 * The others are looked up in "seen", a hash table, and inserted into the list,
 * an array sorted by key; what falls out of that goes to "rest".  Only if the
 * caller wants more than the list, far is moved there, and it becomes a heap.
 *
 * So a node may be in rest several times, and in the list, too; seen says what
 * the least key offered was, and whether the node was visited, which is how
 * the stream passes doubles by.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/search.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"
#include "graph/heap.h"
#include "graph/search.h"

/* The key of a node that has been visited: nothing is nearer. */
#define VISITED (-INFINITY)

/* A node of the list.  Keys are in an array of their own, searched faster. */
typedef struct ListEntry
{
	uint32		node;
	bool		visited;
} ListEntry;

/* What was seen: open addressing with linear probing. */
typedef struct SeenEntry
{
	uint32		node;			/* NOBODY: free */
	float		key;			/* least estimate seen, or VISITED */
} SeenEntry;

#define NOBODY UINT32_MAX

/*
 * A reset clears the table of what was seen, so it is not kept when it has
 * grown beyond this; nor is the memory of the rest after a long stream.
 */
#define SEEN_KEEP 16384
#define SEEN_START 1024
#define REST_KEEP 65536
#define REST_START 1024

/* So many neighbours are compared with the list at a time, in such parts. */
#define BATCH 32
#define PART 8

struct DiskannSearch
{
	MemoryContext context;
	int			list_size;
	bool		keep_rest;

	ListEntry  *list;			/* ascending by key */
	float	   *keys;			/* of the entries */
	int			list_alloc;
	int			list_count;
	int			cursor;			/* every entry before it has been visited */

	SeenEntry  *seen;
	uint32		seen_size;		/* a power of two, at most half of it in use */
	uint32		seen_count;

	DiskannCandidate *rest;		/* a binary heap once streaming */
	Size		rest_alloc;
	Size		rest_count;
	bool		streaming;

	uint32	   *far_nodes;		/* not yet in the rest; NOBODY: a hole */
	float	   *far_keys;		/* as they were offered */
	Size		far_alloc;
	Size		far_count;		/* with holes */
	Size		far_holes;

	int64		visits;
};

/* An empty table; all bits set means NOBODY. */
static void
create_seen(DiskannSearch *search, uint32 size)
{
	search->seen = MemoryContextAllocHuge(search->context,
										  (Size) size * sizeof(SeenEntry));
	memset(search->seen, 0xFF, (Size) size * sizeof(SeenEntry));
	search->seen_size = size;
	search->seen_count = 0;
}

/*
 * The node's entry, or the free one where it belongs.  There always is one, as
 * half of the table is free.
 */
static inline SeenEntry *
find_seen(const DiskannSearch *search, uint32 node)
{
	uint32		mask = search->seen_size - 1;
	uint32		i = murmurhash32(node) & mask;

	Assert(2 * search->seen_count <= search->seen_size);
	while (search->seen[i].node != node && search->seen[i].node != NOBODY)
		i = (i + 1) & mask;
	return &search->seen[i];
}

/* Double the table. */
static void
grow_seen(DiskannSearch *search)
{
	SeenEntry  *old = search->seen;
	uint32		old_size = search->seen_size;

	create_seen(search, 2 * old_size);
	for (uint32 i = 0; i < old_size; i++)
	{
		if (old[i].node == NOBODY)
			continue;
		*find_seen(search, old[i].node) = old[i];
		search->seen_count++;
	}
	pfree(old);
}

/* The node's entry; the key of a new one is for the caller to set. */
static inline SeenEntry *
insert_seen(DiskannSearch *search, uint32 node, bool *found)
{
	SeenEntry  *entry = find_seen(search, node);

	*found = entry->node == node;
	if (*found)
		return entry;
	if (unlikely(2 * search->seen_count >= search->seen_size))
	{
		grow_seen(search);
		entry = find_seen(search, node);
	}
	search->seen_count++;
	entry->node = node;
	return entry;
}

/* Arrays of far nodes with room for so many, without any. */
static void
create_far(DiskannSearch *search, Size alloc)
{
	search->far_alloc = alloc;
	search->far_nodes = MemoryContextAllocHuge(search->context,
											   alloc * sizeof(uint32));
	search->far_keys = MemoryContextAllocHuge(search->context,
											  alloc * sizeof(float));
	search->far_count = 0;
	search->far_holes = 0;
}

DiskannSearch *
DiskannSearchCreate(MemoryContext context)
{
	DiskannSearch *search;

	search = MemoryContextAllocZero(context, sizeof(DiskannSearch));
	search->context = context;
	create_seen(search, SEEN_START);
	search->rest_alloc = REST_START;
	search->rest = MemoryContextAlloc(context, REST_START * sizeof(DiskannCandidate));
	create_far(search, REST_START);
	return search;
}

/*
 * Make room in the list for so many entries, and one more, so that an insertion
 * may overflow before it is cut.
 */
static void
reserve_list(DiskannSearch *search, int list_size)
{
	ListEntry  *list = search->list;
	float	   *keys = search->keys;

	if (search->list_alloc > list_size)
		return;
	search->list_alloc = list_size + 1;
	search->list = MemoryContextAlloc(search->context, search->list_alloc *
									  sizeof(ListEntry));
	search->keys = MemoryContextAlloc(search->context, search->list_alloc *
									  sizeof(float));
	if (list == NULL)
		return;
	memcpy(search->list, list, search->list_count * sizeof(ListEntry));
	memcpy(search->keys, keys, search->list_count * sizeof(float));
	pfree(list);
	pfree(keys);
}

void
DiskannSearchReset(DiskannSearch *search, int list_size, bool keep_rest)
{
	Assert(list_size > 0);

	search->list_count = 0;
	reserve_list(search, list_size);
	if (search->seen_size > SEEN_KEEP)
	{
		pfree(search->seen);
		create_seen(search, SEEN_START);
	}
	else
	{
		memset(search->seen, 0xFF, search->seen_size * sizeof(SeenEntry));
		search->seen_count = 0;
	}
	if (search->rest_alloc > REST_KEEP)
	{
		search->rest_alloc = REST_START;
		search->rest = repalloc(search->rest, REST_START * sizeof(DiskannCandidate));
	}
	if (search->far_alloc > REST_KEEP)
	{
		pfree(search->far_nodes);
		pfree(search->far_keys);
		create_far(search, REST_START);
	}
	search->far_count = 0;
	search->far_holes = 0;
	search->list_size = list_size;
	search->keep_rest = keep_rest;
	search->cursor = 0;
	search->rest_count = 0;
	search->streaming = false;
	search->visits = 0;
}

/* Make room for n more in the rest, and one to scribble in. */
static void
reserve_rest(DiskannSearch *search, int n)
{
	if (search->rest_count + n < search->rest_alloc)
		return;
	while (search->rest_count + n >= search->rest_alloc)
		search->rest_alloc *= 2;
	search->rest = repalloc_huge(search->rest,
								 search->rest_alloc * sizeof(DiskannCandidate));
}

/* Keep what the list does not, if it is wanted.  There must be room. */
static inline void
add_to_rest(DiskannSearch *search, uint32 node, float key)
{
	if (!search->keep_rest)
		return;
	Assert(search->rest_count < search->rest_alloc);
	search->rest[search->rest_count].key = key;
	search->rest[search->rest_count].node = node;
	search->rest_count++;
	if (search->streaming)
		DiskannHeapUp(search->rest, search->rest_count - 1);
}

/* Make room for n more far nodes. */
static void
reserve_far(DiskannSearch *search, int n)
{
	if (search->far_count + n <= search->far_alloc)
		return;
	while (search->far_count + n > search->far_alloc)
		search->far_alloc *= 2;
	search->far_nodes = repalloc_huge(search->far_nodes,
									  search->far_alloc * sizeof(uint32));
	search->far_keys = repalloc_huge(search->far_keys,
									 search->far_alloc * sizeof(float));
}

/*
 * Keep nodes as far ones, if they are wanted, but for those that are nearer.
 * There must be room.
 */
static inline void
add_to_far(DiskannSearch *search, const uint32 *nodes, const float *keys,
		   uint32 n, const int *nearer, uint32 nnearer)
{
	uint32	   *kept = search->far_nodes + search->far_count;

	if (!search->keep_rest || nnearer == n)
		return;
	Assert(search->far_count + n <= search->far_alloc);
	memcpy(kept, nodes, n * sizeof(uint32));
	memcpy(search->far_keys + search->far_count, keys, n * sizeof(float));
	for (uint32 i = 0; i < nnearer; i++)
		kept[nearer[i]] = NOBODY;
	search->far_count += n;
	search->far_holes += nnearer;
}

/* Move what is far to the rest. */
static void
gather_far(DiskannSearch *search)
{
	reserve_rest(search, search->far_count);
	for (Size i = 0; i < search->far_count; i++)
	{
		if (search->far_nodes[i] != NOBODY)
			add_to_rest(search, search->far_nodes[i],
						DiskannSaneKey(search->far_keys[i]));
	}
	search->far_count = 0;
	search->far_holes = 0;
}

/*
 * First position in the list whose key is not less than key.  Halving branches
 * on keys that cannot be predicted; the last so many are counted instead,
 * which compilers vectorize.
 */
#define COUNTED 64

static inline int
list_position(const DiskannSearch *search, float key)
{
	const float *keys = search->keys;
	int			n = search->list_count;
	int			less = 0;

	while (n > COUNTED)
	{
		int			half = n / 2;

		if (keys[half - 1] < key)
			keys += half;
		n -= half;
	}
	for (int i = 0; i < n; i++)
		less += keys[i] < key ? 1 : 0;
	return (int) (keys - search->keys) + less;
}

/* Take entry i out of the list. */
static void
list_delete(DiskannSearch *search, int i)
{
	int			after = search->list_count - i - 1;

	memmove(&search->list[i], &search->list[i + 1], after * sizeof(ListEntry));
	memmove(&search->keys[i], &search->keys[i + 1], after * sizeof(float));
	search->list_count--;
	if (search->cursor > i)
		search->cursor--;
}

/* Take an unvisited node, last added with this key, out of the list. */
static void
list_remove(DiskannSearch *search, uint32 node, float key)
{
	for (int i = list_position(search, key);
		 i < search->list_count && search->keys[i] == key; i++)
	{
		if (search->list[i].node == node)
		{
			list_delete(search, i);
			return;
		}
	}
}

/* Insert a node into the list; what falls out unvisited goes to the rest. */
static void
list_insert(DiskannSearch *search, uint32 node, float key)
{
	int			i = list_position(search, key);
	int			after = search->list_count - i;
	ListEntry  *entry = &search->list[i];

	Assert(search->list_count < search->list_alloc);
	memmove(entry + 1, entry, after * sizeof(ListEntry));
	memmove(&search->keys[i + 1], &search->keys[i], after * sizeof(float));
	search->keys[i] = key;
	entry->node = node;
	entry->visited = false;
	search->cursor = Min(search->cursor, i);
	if (++search->list_count > search->list_size)
	{
		ListEntry  *last = &search->list[--search->list_count];

		if (!last->visited)
			add_to_rest(search, last->node, search->keys[search->list_count]);
	}
}

/* Does it have no place in the list, so that it need not be looked up? */
static inline bool
beyond_list(const DiskannSearch *search, float key)
{
	return !search->streaming && search->list_count == search->list_size &&
		key >= search->keys[search->list_count - 1];
}

/* Offer a node, with room in the rest for one. */
static void
offer_node(DiskannSearch *search, uint32 node, float key)
{
	SeenEntry  *seen;
	bool		found;

	/* Not looked up: it does no harm if the rest has a node several times. */
	if (beyond_list(search, key))
	{
		add_to_rest(search, node, key);
		return;
	}

	seen = insert_seen(search, node, &found);
	if (found)
	{
		if (seen->key <= key)
			return;
		if (!search->streaming)
			list_remove(search, node, seen->key);
	}
	seen->key = key;
	if (search->streaming)
		add_to_rest(search, node, key);
	else
		list_insert(search, node, key);
}

void
DiskannSearchAdd(DiskannSearch *search, uint32 node, float key)
{
	reserve_rest(search, 1);
	offer_node(search, node, DiskannSaneKey(key));
}

/* Which of up to BATCH keys are less than the limit?  Returns how many. */
static inline int
find_nearer(const float *keys, int n, float limit, int *nearer)
{
	bool		is_nearer[BATCH] = {false};
	int			nnearer = 0;

	Assert(n <= BATCH);

	/* Compilers vectorize this. */
	for (int i = 0; i < n; i++)
		is_nearer[i] = keys[i] < limit;

	/* Late in a search most parts have none. */
	for (int first = 0; first < n; first += PART)
	{
		uint64		any;

		memcpy(&any, &is_nearer[first], sizeof(any));
		if (any == 0)
			continue;
		for (int i = first; i < first + PART; i++)
		{
			nearer[nnearer] = i;
			nnearer += is_nearer[i] ? 1 : 0;
		}
	}
	return nnearer;
}

/*
 * Most of what a visit brings late in a search is beyond the list.  That is
 * sorted out first.
 */
void
DiskannSearchAddAll(DiskannSearch *search, const uint32 *nodes,
					const float *keys, int n)
{
	float		limit;

	reserve_rest(search, n);
	if (search->streaming || search->list_count < search->list_size)
	{
		for (int i = 0; i < n; i++)
			offer_node(search, nodes[i], DiskannSaneKey(keys[i]));
		return;
	}
	reserve_far(search, n);
	limit = search->keys[search->list_count - 1];
	for (int first = 0; first < n; first += BATCH)
	{
		int			nearer[BATCH + 1];
		int			count = Min(n - first, BATCH);
		int			nnearer = find_nearer(keys + first, count, limit, nearer);

		add_to_far(search, nodes + first, keys + first, count, nearer, nnearer);
		for (int i = 0; i < nnearer; i++)
			offer_node(search, nodes[first + nearer[i]],
					   DiskannSaneKey(keys[first + nearer[i]]));
	}
}

/* The first place of the list that has not been visited, or its end. */
static inline int
first_unvisited(const DiskannSearch *search)
{
	int			i = search->cursor;

	while (i < search->list_count && search->list[i].visited)
		i++;
	return i;
}

bool
DiskannSearchNext(DiskannSearch *search, uint32 *node)
{
	search->cursor = first_unvisited(search);
	if (search->cursor == search->list_count)
		return false;

	search->list[search->cursor].visited = true;
	*node = search->list[search->cursor].node;
	find_seen(search, *node)->key = VISITED;
	search->visits++;
	return true;
}

bool
DiskannSearchLookAhead(const DiskannSearch *search, uint32 *node)
{
	int			i = first_unvisited(search);

	if (i == search->list_count)
		return false;
	*node = search->list[i].node;
	return true;
}

bool
DiskannSearchPeekList(const DiskannSearch *search, float *key)
{
	int			i = first_unvisited(search);

	if (i == search->list_count)
		return false;
	*key = search->keys[i];
	return true;
}

/*
 * The list ends with the first node not visited, which stands for the bound of
 * what is beyond; it and those after it go to the rest.  Nothing farther comes
 * into the list any more.
 */
void
DiskannSearchLeaveList(DiskannSearch *search)
{
	int			first = first_unvisited(search);

	reserve_rest(search, search->list_count - first);
	for (int i = first; i < search->list_count; i++)
	{
		if (!search->list[i].visited)
			add_to_rest(search, search->list[i].node, search->keys[i]);
	}
	if (first < search->list_count)
	{
		search->list[first].visited = true;
		search->list_count = first + 1;
	}
	search->list_size = search->list_count;
}

/* Is the node in the list, last added with this key? */
static bool
in_list(const DiskannSearch *search, uint32 node, float key)
{
	for (int i = list_position(search, key);
		 i < search->list_count && search->keys[i] == key; i++)
	{
		if (search->list[i].node == node)
			return true;
	}
	return false;
}

/*
 * Fill up the list, which has come to have room, from the rest.  What the rest
 * has of a node that was offered nearer is passed by: that was in the list, or
 * has been taken from here before.
 */
static void
fill_list(DiskannSearch *search)
{
	Assert(!search->streaming);

	if (search->list_count == search->list_size)
		return;
	gather_far(search);
	if (search->rest_count == 0)
		return;
	DiskannHeapMake(search->rest, search->rest_count);
	while (search->list_count < search->list_size && search->rest_count > 0)
	{
		DiskannCandidate nearest = search->rest[0];
		SeenEntry  *seen;
		bool		found;

		search->rest_count = DiskannHeapPop(search->rest, search->rest_count);
		seen = insert_seen(search, nearest.node, &found);
		if (found && (seen->key < nearest.key ||
					  in_list(search, nearest.node, nearest.key)))
			continue;
		seen->key = nearest.key;
		list_insert(search, nearest.node, nearest.key);
	}
}

void
DiskannSearchGrow(DiskannSearch *search, int list_size)
{
	Assert(list_size >= search->list_size);

	reserve_list(search, list_size);
	search->list_size = list_size;
	fill_list(search);
}

void
DiskannSearchVisit(DiskannSearch *search, uint32 node)
{
	bool		found;
	SeenEntry  *seen = insert_seen(search, node, &found);

	Assert(!found || seen->key != VISITED);
	if (found)
		list_remove(search, node, seen->key);
	seen->key = VISITED;
	search->visits++;
}

void
DiskannSearchReject(DiskannSearch *search, uint32 node)
{
	for (int i = 0; i < search->list_count; i++)
	{
		if (search->list[i].node != node)
			continue;
		list_delete(search, i);
		fill_list(search);
		return;
	}
}

bool
DiskannSearchKey(const DiskannSearch *search, int i, float *key)
{
	if (i >= search->list_count)
		return false;
	*key = search->keys[i];
	return true;
}

bool
DiskannSearchLimit(const DiskannSearch *search, float *key)
{
	if (search->list_count < search->list_size)
		return false;
	*key = search->keys[search->list_count - 1];
	return true;
}

/* From now on the rest is a heap, and the list is not used any more. */
static void
start_streaming(DiskannSearch *search)
{
	gather_far(search);
	search->streaming = true;
	DiskannHeapMake(search->rest, search->rest_count);
}

bool
DiskannSearchBound(const DiskannSearch *search, float *key)
{
	if (search->streaming ||
		search->rest_count + search->far_count == search->far_holes)
		return false;
	*key = search->keys[search->list_count - 1];
	return true;
}

bool
DiskannSearchPeek(DiskannSearch *search, float *key)
{
	if (!search->streaming)
		start_streaming(search);
	while (search->rest_count > 0 &&
		   DiskannSearchVisited(search, search->rest[0].node))
		search->rest_count = DiskannHeapPop(search->rest, search->rest_count);
	if (search->rest_count == 0)
		return false;
	*key = search->rest[0].key;
	return true;
}

bool
DiskannSearchStream(DiskannSearch *search, uint32 *node)
{
	float		key;
	bool		found;

	if (!DiskannSearchPeek(search, &key))
		return false;
	*node = search->rest[0].node;
	search->rest_count = DiskannHeapPop(search->rest, search->rest_count);
	insert_seen(search, *node, &found)->key = VISITED;
	search->visits++;
	return true;
}

bool
DiskannSearchVisited(DiskannSearch *search, uint32 node)
{
	const SeenEntry *seen = find_seen(search, node);

	return seen->node == node && seen->key == VISITED;
}

float
DiskannSearchReach(const DiskannSearch *search)
{
	return search->list_count == search->list_size ?
		search->keys[search->list_count - 1] : FLT_MAX;
}

bool
DiskannSearchTake(DiskannSearch *search, uint32 node)
{
	SeenEntry  *seen;
	bool		found;

	seen = insert_seen(search, node, &found);
	if (found && seen->key == VISITED)
		return false;
	if (found && !search->streaming)
		list_remove(search, node, seen->key);
	seen->key = VISITED;
	search->visits++;
	return true;
}

Size
DiskannSearchMemory(const DiskannSearch *search)
{
	return search->rest_alloc * sizeof(DiskannCandidate) +
		search->far_alloc * (sizeof(uint32) + sizeof(float)) +
		search->seen_size * sizeof(SeenEntry) +
		search->list_alloc * (sizeof(ListEntry) + sizeof(float));
}

int64
DiskannSearchVisits(const DiskannSearch *search)
{
	return search->visits;
}
