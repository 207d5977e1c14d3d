/*-------------------------------------------------------------------------
 *
 * roster.c
 *	  Where searches start: a uniform sample of all nodes.
 *
 * The roster is the edges of all entry nodes: node 0 and, in an index of some
 * size, a chain of more slots in state ENTRY that begins at its "next".  Each
 * lies at the centre, so that its edges are codes relative to that.  Every
 * search scores the whole roster and starts from the nearest of its members.
 * That gives each cluster of more than a few thousandths of all nodes a door of
 * its own, whatever has become of edges between clusters.
 *
 * A backend keeps a copy of the chain beside its copy of the metapage.  A
 * search visits node 0 anyhow; the "sequence" found there counts changes of the
 * chain and of the edges along it, and tells whether the copy is still good.  A
 * stale member does no harm: it is a place to start that is gone, or not where
 * its code says.
 *
 * An entry node in the chain is never freed.  One that was written but not put
 * into the chain, because of a crash or an error, is freed by the next repair,
 * at a moment when no insert is linking (store/linking.h): whoever wrote it
 * will then not put it there any more.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/roster.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "graph/heap.h"
#include "miscadmin.h"
#include "store/edges.h"
#include "store/link.h"
#include "store/pause.h"
#include "store/roster.h"
#include "vector/rotate.h"

/*
 * One member for so many nodes, up to so many members: what fills the entry
 * nodes there may be at the least degree.
 */
#define NODES_PER_MEMBER 16
#define MOST_MEMBERS (DISKANN_MOST_ENTRIES * DISKANN_MIN_DEGREE)

/* A search starts from so many, the nearest. */
#define STARTS 32

int
DiskannRosterSize(const DiskannIndex *index, uint64 nodes)
{
	uint64		wanted = Min(nodes / NODES_PER_MEMBER, MOST_MEMBERS);

	return Max((int) wanted, index->meta.max_degree);
}

/* ---------- the chain ---------- */

/*
 * Open an entry node that node 0 or the chain leads to.  Nothing is locked on
 * entry; the node is in this mode on exit.
 */
static const DiskannSlotData *
open_entry(DiskannNodeRef *ref, DiskannNode entry, int mode)
{
	return DiskannNodeOpenOwned(ref, entry, mode, DISKANN_ENTRY,
								"an entry node is missing");
}

/* One more entry node than there can be means that the chain has no end. */
static void
check_length(const DiskannNodeRef *ref, int nchained, DiskannNode next)
{
	if (nchained == DISKANN_MOST_ENTRIES && next != DISKANN_INVALID_NODE)
		DiskannNodeReport(ref, next, "there are too many entry nodes");
}

int
DiskannReadEntries(DiskannNodeRef *ref, DiskannNode *entries)
{
	DiskannNode next = DISKANN_ENTRY_NODE;
	int			n = 0;

	while (next != DISKANN_INVALID_NODE)
	{
		entries[n] = next;
		next = open_entry(ref, next, BUFFER_LOCK_SHARE)->next;
		DiskannNodeClose(ref);
		check_length(ref, n, next);
		n++;
	}
	return n;
}

/*
 * Copy the chain that starts at next into the relation's cache.  Nothing is
 * locked on entry and exit; each of its slots in share mode meanwhile.
 */
static const DiskannRoster *
load_roster(DiskannNodeRef *ref, uint32 version, DiskannNode next)
{
	const DiskannIndex *index = ref->index;
	Size		bytes = DiskannEntryBytes(&index->meta);
	DiskannRoster *roster = palloc(DiskannRosterBytes(&index->meta,
													  DISKANN_MOST_ENTRIES));
	const DiskannRoster *cached;

	roster->version = version;
	roster->count = 0;
	while (next != DISKANN_INVALID_NODE)
	{
		const DiskannSlotData *head;

		check_length(ref, roster->count, next);
		head = open_entry(ref, next, BUFFER_LOCK_SHARE);
		roster->nodes[roster->count] = next;
		memcpy(roster->slots + roster->count * bytes, ref->slot,
			   index->meta.own_offset);
		roster->count++;
		next = head->next;
		DiskannNodeClose(ref);
	}
	cached = DiskannCacheRoster(ref->rel, index, roster);
	pfree(roster);
	return cached;
}

/* ---------- scoring ---------- */

/* The nearest so far, nearest first, and infinity where there is none. */
typedef struct Starts
{
	int			count;
	DiskannNode nodes[STARTS];
	float		keys[STARTS];
} Starts;

static void
clear_starts(Starts *starts)
{
	starts->count = 0;
	for (int i = 0; i < STARTS; i++)
		starts->keys[i] = INFINITY;
}

/* Have one that may be among the nearest; the farthest of them makes room. */
static void
add_start(Starts *starts, DiskannNode node, float key)
{
	int			at = 0;
	int			after;

	/* Compilers vectorize this. */
	for (int i = 0; i < STARTS; i++)
		at += starts->keys[i] <= key ? 1 : 0;
	if (at == STARTS)
		return;
	after = STARTS - 1 - at;
	memmove(&starts->keys[at + 1], &starts->keys[at], after * sizeof(float));
	memmove(&starts->nodes[at + 1], &starts->nodes[at],
			after * sizeof(DiskannNode));
	starts->keys[at] = key;
	starts->nodes[at] = node;
	starts->count = Min(starts->count + 1, STARTS);
}

/* Most are too far.  What is no number is not. */
static void
add_starts(Starts *starts, const DiskannNode *nodes, const float *keys, int n)
{
	float		limit = starts->keys[STARTS - 1];

	for (int i = 0; i < n; i++)
	{
		if (keys[i] >= limit)
			continue;
		add_start(starts, nodes[i], DiskannSaneKey(keys[i]));
		limit = starts->keys[STARTS - 1];
	}
}

/* Score one of the copies of entry nodes into the visit's estimates. */
static int
score_entry(const DiskannIndex *index, const DiskannQuery *query,
			const char *slot, DiskannVisit *visit)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;

	diskann_edge_estimate(&index->shape, &query->edges,
						  DiskannSlotCodes(index, slot),
						  DiskannSlotAdd(index, slot),
						  DiskannSlotRescale(index, slot), query->norm2,
						  head->edge_scale, head->degree, visit->estimates);
	return head->degree;
}

static const char *
entry_copy(const DiskannIndex *index, const DiskannRoster *roster, int i)
{
	return roster->slots + i * DiskannEntryBytes(&index->meta);
}

/*
 * Visit node 0, and return a copy of the rest of the chain that is up to date.
 * Locks as load_roster(), and node 0 in share mode.
 */
static const DiskannRoster *
visit_entry(DiskannNodeRef *ref, const DiskannQuery *query, DiskannVisit *visit)
{
	const DiskannRoster *roster;

	if (!DiskannVisitNode(ref, query, DISKANN_ENTRY_NODE, visit, NULL) ||
		visit->head.state != DISKANN_ENTRY)
		DiskannNodeReport(ref, DISKANN_ENTRY_NODE, "the entry node is missing");
	roster = DiskannCachedRoster(ref->rel, ref->index);
	if (roster->version != visit->head.sequence)
		roster = load_roster(ref, visit->head.sequence, visit->head.next);
	return roster;
}

int
DiskannStartSearch(DiskannNodeRef *ref, const DiskannQuery *query,
				   DiskannVisit *visit, DiskannSearch *search)
{
	const DiskannIndex *index = ref->index;
	const DiskannRoster *roster = visit_entry(ref, query, visit);
	int			scored = visit->degree;
	Starts		starts;

	clear_starts(&starts);
	add_starts(&starts, visit->nodes, visit->estimates, visit->degree);
	for (int i = 0; i < roster->count; i++)
	{
		const char *slot = entry_copy(index, roster, i);
		int			n = score_entry(index, query, slot, visit);

		add_starts(&starts, DiskannSlotNodes(index, slot), visit->estimates, n);
		scored += n;
	}
	DiskannSearchAddAll(search, starts.nodes, starts.keys, starts.count);
	return scored;
}

/* Offer members that may be sought; keep the nearest others for bridges. */
static int
offer_members(const DiskannIndex *index, const DiskannVisit *visit,
			  const DiskannNode *nodes, int n, const DiskannSought *sought,
			  DiskannMatch *match, Starts *starts)
{
	bool		may_match[DISKANN_MAX_DEGREE];
	int			offered = 0;

	DiskannSeekSignatures(index, visit->signatures, sought, n, may_match);
	for (int i = 0; i < n; i++)
	{
		if (may_match[i])
		{
			DiskannMatchAddAll(match, &nodes[i], &visit->estimates[i],
							   &may_match[i], 1);
			offered++;
		}
		else
			add_starts(starts, &nodes[i], &visit->estimates[i], 1);
	}
	return offered;
}

int
DiskannStartMatch(DiskannNodeRef *ref, const DiskannQuery *query,
				  DiskannVisit *visit, const DiskannSought *sought,
				  DiskannMatch *match, int *scored)
{
	const DiskannIndex *index = ref->index;
	const DiskannRoster *roster = visit_entry(ref, query, visit);
	Starts		starts;
	int			offered;

	clear_starts(&starts);
	*scored = visit->degree;
	offered = offer_members(index, visit, visit->nodes, visit->degree, sought,
							match, &starts);
	for (int i = 0; i < roster->count; i++)
	{
		const char *slot = entry_copy(index, roster, i);
		int			n = score_entry(index, query, slot, visit);

		DiskannVisitSignatures(index, slot, n, visit);
		offered += offer_members(index, visit, DiskannSlotNodes(index, slot),
								 n, sought, match, &starts);
		*scored += n;
	}
	DiskannMatchStart(match, starts.nodes, starts.keys, starts.count, *scored);
	return offered;
}

/* ---------- changing it ---------- */

/*
 * Tell all backends that the roster has changed.  Nothing is locked on entry
 * and exit; node 0 exclusively meanwhile.
 */
static void
count_change(DiskannNodeRef *ref)
{
	(void) open_entry(ref, DISKANN_ENTRY_NODE, BUFFER_LOCK_EXCLUSIVE);
	DiskannNodeEdit(ref)->sequence++;
	DiskannNodeWriteHead(ref);
	DiskannNodeClose(ref);
}

/*
 * Make a slot an entry node without edges, whose chain goes on with next, and
 * which nothing leads to yet.  Nothing is locked on entry and exit; the slot
 * exclusively meanwhile.
 */
static DiskannNode
create_entry(DiskannNodeRef *ref, DiskannNode next)
{
	DiskannNode entry;
	DiskannSlot head;

	DiskannNodeAllocate(ref);
	entry = ref->node;
	head = DiskannNodeEdit(ref);
	DiskannFillEntry(ref->index, ref->image);
	head->next = next;
	DiskannNodeWriteAll(ref);
	DiskannNodeClose(ref);
	DiskannPausePoint("entry-written");
	return entry;
}

/*
 * Put a new entry node behind node 0, unless the roster has changed since its
 * sequence was this, or somebody else puts one there meanwhile.  Nothing is
 * locked on entry and exit; node 0 and the new one exclusively meanwhile, one
 * at a time.
 */
static void
add_entry(DiskannNodeRef *ref, uint32 sequence)
{
	const DiskannSlotData *first;
	DiskannNode next;
	DiskannNode entry;
	bool		changed;

	first = open_entry(ref, DISKANN_ENTRY_NODE, BUFFER_LOCK_SHARE);
	next = first->next;
	changed = first->sequence != sequence;
	DiskannNodeClose(ref);
	if (changed)
		return;
	entry = create_entry(ref, next);

	first = open_entry(ref, DISKANN_ENTRY_NODE, BUFFER_LOCK_EXCLUSIVE);
	changed = first->next != next;
	if (!changed)
	{
		DiskannSlot head = DiskannNodeEdit(ref);

		head->next = entry;
		head->sequence++;
		DiskannNodeWriteHead(ref);
	}
	DiskannNodeClose(ref);
	if (changed)
		DiskannNodeFree(ref, entry);
}

/*
 * Let the edges of an entry node lead to those of the n nodes that are live,
 * and to no other.  Nothing is locked on entry and exit; the nodes in share
 * mode, and then the entry node exclusively, meanwhile.
 */
static void
fill_entry(DiskannNodeRef *ref, DiskannNode entry, const DiskannNode *nodes,
		   int n)
{
	const DiskannIndex *index = ref->index;
	float	   *origin = palloc0(sizeof(float) * index->space.dims);
	float	   *x = palloc(sizeof(float) * index->space.dims);
	DiskannEdgeCode *edges = palloc(sizeof(DiskannEdgeCode) * Max(n, 1));
	DiskannNode live[DISKANN_MAX_DEGREE];
	uint8		copies[DISKANN_MAX_DEGREE][DISKANN_MAX_SIGNATURES];
	const uint8 *signatures[DISKANN_MAX_DEGREE];
	DiskannSlot head;
	int			nlive = 0;

	Assert(n <= index->meta.max_degree);
	for (int i = 0; i < n; i++)
	{
		if (!DiskannReadLive(ref, nodes[i], x, copies[nlive]))
			continue;
		signatures[nlive] = copies[nlive];
		diskann_edge_encode(&index->shape, origin, x, &edges[nlive]);
		live[nlive++] = nodes[i];
	}
	(void) open_entry(ref, entry, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeEdit(ref);
	head->degree = 0;
	head->edge_scale = 0;
	memset(ref->image + index->meta.add_offset, 0,
		   index->meta.own_offset - index->meta.add_offset);
	DiskannEdgePutAll(index, ref->image, live, edges, signatures, nlive);
	DiskannNodeWriteEdges(ref);
	DiskannNodeClose(ref);
	pfree(origin);
	pfree(x);
	pfree(edges);
}

/*
 * Read the entry nodes, adding some until they have room for n members.
 * Nothing is locked on entry and exit; entry nodes exclusively meanwhile, one
 * at a time.
 */
static int
provide_entries(DiskannNodeRef *ref, int n, DiskannNode *entries)
{
	for (;;)
	{
		uint32		sequence;
		int			nentries;

		CHECK_FOR_INTERRUPTS();
		sequence = open_entry(ref, DISKANN_ENTRY_NODE,
							  BUFFER_LOCK_SHARE)->sequence;
		DiskannNodeClose(ref);
		nentries = DiskannReadEntries(ref, entries);
		if (nentries * (int) ref->index->meta.max_degree >= n)
			return nentries;
		add_entry(ref, sequence);
	}
}

void
DiskannDrawRoster(DiskannNodeRef *ref, const DiskannNode *members, int n)
{
	DiskannNode entries[DISKANN_MOST_ENTRIES + 1];
	int			nentries = provide_entries(ref, n, entries);
	int			used = 0;

	/* Entry nodes beyond what is needed lose their edges. */
	for (int i = 0; i < nentries; i++)
	{
		int			take = Min(n - used, ref->index->meta.max_degree);

		DiskannVacuumDelayPoint();
		fill_entry(ref, entries[i], members + used, take);
		used += take;
	}
	Assert(used == n);
	count_change(ref);
}

void
DiskannBuildRoster(Relation rel, const DiskannIndex *index)
{
	DiskannNodeRef ref;
	DiskannNode count;
	DiskannNode *members;
	uint64		random = index->meta.seed;
	int			n;
	int			have;

	DiskannNodeInit(&ref, rel, index, false);
	count = DiskannNodeCount(&ref);
	n = DiskannRosterSize(index, count);
	if (n <= index->meta.max_degree)
		return;

	/* Everything can be reached from those that node 0 has: they stay. */
	members = palloc(sizeof(DiskannNode) * n);
	have = open_entry(&ref, DISKANN_ENTRY_NODE, BUFFER_LOCK_SHARE)->degree;
	memcpy(members, DiskannSlotNodes(index, ref.slot),
		   sizeof(DiskannNode) * have);
	DiskannNodeClose(&ref);

	/*
	 * Near nodes have near numbers: one from each of as many ranges.  Node 0
	 * may have one of them, too, but no other entry node has it twice.
	 */
	while (have % index->meta.max_degree != 0)
		members[have++] = DISKANN_ENTRY_NODE;	/* not live: left out */
	for (int i = have; i < n; i++)
	{
		uint64		from = (uint64) (count - 1) * (i - have) / (n - have);
		uint64		to = (uint64) (count - 1) * (i - have + 1) / (n - have);

		members[i] = 1 + from + diskann_random64(&random) % (to - from);
	}
	DiskannDrawRoster(&ref, members, n);
	pfree(members);
}

/* ---------- new nodes ---------- */

DiskannNode
DiskannOfferToRoster(DiskannNodeRef *ref, DiskannNode node, const float *x,
					 const uint8 *signatures)
{
	const DiskannIndex *index = ref->index;
	const DiskannRoster *roster = DiskannCachedRoster(ref->rel, index);
	int			max_degree = index->meta.max_degree;
	int			room = max_degree * (1 + roster->count);
	uint64		nodes = Max((uint64) ref->count, node + (uint64) 1);
	uint64		when = (uint64) roster->version << 32;
	uint64		random = index->meta.seed ^ node ^ when;
	uint64		draw;
	DiskannNode replaced;
	int			entry;			/* place in the chain, from 1; 0: node 0 */

	if (DiskannRosterSize(index, nodes) >= room + max_degree)
	{
		add_entry(ref, roster->version);
		return DISKANN_INVALID_NODE;
	}

	/* Nodes number as they come: the first ones fill node 0. */
	draw = diskann_random64(&random) % nodes;
	if (node <= (DiskannNode) max_degree)
		draw = Min(draw, (uint64) max_degree - 1);
	if (draw >= (uint64) room)
		return DISKANN_INVALID_NODE;

	/* One that has been added is filled before anything is replaced. */
	entry = (int) draw / max_degree;
	if (roster->count > 0 &&
		((const DiskannSlotData *) roster->slots)->degree < max_degree)
		entry = 1;
	replaced = DiskannLinkEntry(ref, entry == 0 ? DISKANN_ENTRY_NODE :
								roster->nodes[entry - 1], node, x, signatures,
								(int) draw % max_degree);
	if (entry > 0)
		count_change(ref);
	return replaced;
}
