/*-------------------------------------------------------------------------
 *
 * search.c
 *	  Best-first search: the list, what was seen, and the stream beyond.
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
#include "graph/search.h"

/* The key of a node that has been visited: nothing is nearer. */
#define VISITED (-INFINITY)

typedef struct Candidate
{
	float		key;
	uint32		node;
} Candidate;

typedef struct ListEntry
{
	Candidate	candidate;
	bool		visited;
	bool		announced;
} ListEntry;

typedef struct SeenEntry
{
	uint32		node;
	float		key;			/* least estimate seen, or VISITED */
	char		status;
} SeenEntry;

#define SH_PREFIX seen
#define SH_ELEMENT_TYPE SeenEntry
#define SH_KEY_TYPE uint32
#define SH_KEY node
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
/* The header shadows one of its own locals. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "lib/simplehash.h"
#pragma GCC diagnostic pop

/*
 * A reset clears the table, so it is not kept when it has grown beyond this;
 * nor is what a long stream left behind.
 */
#define SEEN_KEEP 16384
#define SEEN_START 2048
#define REST_KEEP 65536
#define REST_START 1024

/* So many neighbours are sorted at a time. */
#define BATCH 32

struct DiskannSearch
{
	MemoryContext context;
	int			list_size;
	bool		keep_rest;

	ListEntry  *list;			/* ascending by key */
	int			list_alloc;
	int			list_count;
	int			cursor;			/* every entry before it has been visited */

	seen_hash  *seen;

	Candidate  *rest;			/* a binary heap once streaming */
	Size		rest_alloc;
	Size		rest_count;
	bool		streaming;

	int64		visits;
};

DiskannSearch *
DiskannSearchCreate(MemoryContext context)
{
	DiskannSearch *search;

	search = MemoryContextAllocZero(context, sizeof(DiskannSearch));
	search->context = context;
	search->seen = seen_create(context, SEEN_START, NULL);
	search->rest_alloc = REST_START;
	search->rest = MemoryContextAlloc(context, REST_START * sizeof(Candidate));
	return search;
}

void
DiskannSearchReset(DiskannSearch *search, int list_size, bool keep_rest)
{
	/* One entry more, so that an insertion may overflow before it is cut. */
	if (search->list_alloc < list_size + 1)
	{
		if (search->list)
			pfree(search->list);
		search->list_alloc = list_size + 1;
		search->list = MemoryContextAlloc(search->context,
										  search->list_alloc * sizeof(ListEntry));
	}
	if (search->seen->size > SEEN_KEEP)
	{
		seen_destroy(search->seen);
		search->seen = seen_create(search->context, SEEN_START, NULL);
	}
	else
		seen_reset(search->seen);
	if (search->rest_alloc > REST_KEEP)
	{
		search->rest_alloc = REST_START;
		search->rest = repalloc(search->rest, REST_START * sizeof(Candidate));
	}
	search->list_size = list_size;
	search->keep_rest = keep_rest;
	search->list_count = 0;
	search->cursor = 0;
	search->rest_count = 0;
	search->streaming = false;
	search->visits = 0;
}

static void
heap_up(Candidate *heap, Size i)
{
	Candidate	c = heap[i];

	while (i > 0 && heap[(i - 1) / 2].key > c.key)
	{
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = c;
}

static void
heap_down(Candidate *heap, Size count, Size i)
{
	Candidate	c = heap[i];

	for (;;)
	{
		Size		child = 2 * i + 1;

		if (child >= count)
			break;
		if (child + 1 < count && heap[child + 1].key < heap[child].key)
			child++;
		if (heap[child].key >= c.key)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = c;
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
								 search->rest_alloc * sizeof(Candidate));
}

/* There must be room. */
static inline void
add_to_rest(DiskannSearch *search, uint32 node, float key)
{
	if (!search->keep_rest)
		return;
	search->rest[search->rest_count].key = key;
	search->rest[search->rest_count].node = node;
	search->rest_count++;
	if (search->streaming)
		heap_up(search->rest, search->rest_count - 1);
}

/*
 * First position in the list whose key is not less than key.  Without a branch
 * that depends on the keys, for it could not be predicted.
 */
static inline int
list_position(const DiskannSearch *search, float key)
{
	const ListEntry *first = search->list;
	int			n = search->list_count;

	while (n > 0)
	{
		int			half = (n + 1) / 2;

		first += first[half - 1].candidate.key < key ? half : 0;
		n -= half;
	}
	return (int) (first - search->list);
}

/* Take an unvisited node, last added with this key, out of the list. */
static void
list_remove(DiskannSearch *search, uint32 node, float key)
{
	for (int i = list_position(search, key);
		 i < search->list_count && search->list[i].candidate.key == key; i++)
	{
		if (search->list[i].candidate.node != node)
			continue;
		memmove(&search->list[i], &search->list[i + 1],
				(search->list_count - i - 1) * sizeof(ListEntry));
		search->list_count--;
		return;
	}
}

static void
list_insert(DiskannSearch *search, uint32 node, float key)
{
	int			i = list_position(search, key);
	ListEntry  *entry = &search->list[i];

	memmove(entry + 1, entry, (search->list_count - i) * sizeof(ListEntry));
	entry->candidate.key = key;
	entry->candidate.node = node;
	entry->visited = false;
	entry->announced = false;
	search->cursor = Min(search->cursor, i);
	if (++search->list_count > search->list_size)
	{
		ListEntry  *last = &search->list[--search->list_count];

		if (!last->visited)
			add_to_rest(search, last->candidate.node, last->candidate.key);
	}
}

/* Does it have no place in the list, so that it need not be looked up? */
static inline bool
beyond_list(const DiskannSearch *search, float key)
{
	return !search->streaming && search->list_count == search->list_size &&
		key >= search->list[search->list_count - 1].candidate.key;
}

/* The rest has room for one. */
static void
add(DiskannSearch *search, uint32 node, float key)
{
	SeenEntry  *seen;
	bool		found;

	/* The rest may hold a node several times. */
	if (beyond_list(search, key))
	{
		add_to_rest(search, node, key);
		return;
	}

	seen = seen_insert(search->seen, node, &found);
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

/*
 * A number, and not infinite: damage or overflow is to be visited last, not to
 * break the order.
 */
static inline float
sane_key(float key)
{
	return key < FLT_MAX ? key : FLT_MAX;
}

void
DiskannSearchAdd(DiskannSearch *search, uint32 node, float key)
{
	reserve_rest(search, 1);
	add(search, node, sane_key(key));
}

/*
 * Most of what a visit brings late in a search is beyond the list.  That is
 * sorted out first, without branches.
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
			add(search, nodes[i], sane_key(keys[i]));
		return;
	}
	limit = search->list[search->list_count - 1].candidate.key;
	for (int first = 0; first < n; first += BATCH)
	{
		int			near[BATCH];
		int			nnear = 0;
		Candidate  *rest = search->rest + search->rest_count;
		Size		nrest = 0;

		for (int i = first; i < Min(n, first + BATCH); i++)
		{
			float		key = sane_key(keys[i]);
			bool		is_near = key < limit;

			near[nnear] = i;
			nnear += is_near ? 1 : 0;
			rest[nrest].key = key;
			rest[nrest].node = nodes[i];
			nrest += is_near ? 0 : 1;
		}
		if (search->keep_rest)
			search->rest_count += nrest;
		for (int i = 0; i < nnear; i++)
			add(search, nodes[near[i]], sane_key(keys[near[i]]));
	}
}

bool
DiskannSearchNext(DiskannSearch *search, uint32 *node)
{
	while (search->cursor < search->list_count &&
		   search->list[search->cursor].visited)
		search->cursor++;
	if (search->cursor == search->list_count)
		return false;

	search->list[search->cursor].visited = true;
	*node = search->list[search->cursor].candidate.node;
	seen_lookup(search->seen, *node)->key = VISITED;
	search->visits++;
	return true;
}

bool
DiskannSearchLookAhead(const DiskannSearch *search, uint32 *node)
{
	for (int i = search->cursor; i < search->list_count; i++)
	{
		if (!search->list[i].visited)
		{
			*node = search->list[i].candidate.node;
			return true;
		}
	}
	return false;
}

int
DiskannSearchAnnounce(DiskannSearch *search, int width, uint32 *nodes)
{
	int			n = 0;

	for (int i = search->cursor; i < search->list_count && width > 0; i++)
	{
		ListEntry  *entry = &search->list[i];

		if (entry->visited)
			continue;
		if (!entry->announced)
			nodes[n++] = entry->candidate.node;
		entry->announced = true;
		width--;
	}
	return n;
}

static void
start_streaming(DiskannSearch *search)
{
	search->streaming = true;
	for (Size i = search->rest_count / 2; i-- > 0;)
		heap_down(search->rest, search->rest_count, i);
}

static void
pop_rest(DiskannSearch *search)
{
	search->rest[0] = search->rest[--search->rest_count];
	if (search->rest_count > 0)
		heap_down(search->rest, search->rest_count, 0);
}

bool
DiskannSearchBound(const DiskannSearch *search, float *key)
{
	if (search->streaming || search->rest_count == 0)
		return false;
	*key = search->list[search->list_count - 1].candidate.key;
	return true;
}

bool
DiskannSearchPeek(DiskannSearch *search, float *key)
{
	if (!search->streaming)
		start_streaming(search);
	while (search->rest_count > 0 &&
		   DiskannSearchVisited(search, search->rest[0].node))
		pop_rest(search);
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
	pop_rest(search);
	seen_insert(search->seen, *node, &found)->key = VISITED;
	search->visits++;
	return true;
}

bool
DiskannSearchVisited(DiskannSearch *search, uint32 node)
{
	SeenEntry  *seen = seen_lookup(search->seen, node);

	return seen != NULL && seen->key == VISITED;
}

Size
DiskannSearchMemory(const DiskannSearch *search)
{
	return search->rest_alloc * sizeof(Candidate) +
		search->seen->size * sizeof(SeenEntry) +
		search->list_alloc * sizeof(ListEntry);
}

int64
DiskannSearchVisits(const DiskannSearch *search)
{
	return search->visits;
}
