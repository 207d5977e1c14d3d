/*-------------------------------------------------------------------------
 *
 * check_slots.c
 *	  The slots of an index, each in itself, and the chains of TIDS slots.
 *
 * Slots are read in the order of their numbers.  What a slot's head says of
 * the slot must be possible, and what it says of the own vector must be what
 * follows from that vector's code.  The chain of a live node, its posting
 * list, is followed as soon as the node is met; the slots of the chain are
 * marked, so that one that is in two chains is found, and one that is in none
 * is counted.  So are, at last, the entry nodes, and what they lead to.
 *
 * check->node is the slot looked at.  While a chain is followed, check->other
 * is the TIDS slot just read, and check->link the one that led to it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check_slots.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "sql/check_rows.h"
#include "sql/check_slots.h"
#include "store/roster.h"

/* Has the slot a vector and edges? */
static bool
is_node(const DiskannSlotData *head)
{
	return head->state == DISKANN_LIVE || head->state == DISKANN_DEAD ||
		head->state == DISKANN_ENTRY || head->state == DISKANN_PORCH;
}

/* Is it the index' own, at the origin of index space? */
static bool
is_owned(const DiskannSlotData *head)
{
	return head->state == DISKANN_ENTRY || head->state == DISKANN_PORCH;
}

/* ---------- heads ---------- */

/* An entry node or a porch is at the origin of index space without rows. */
static void
check_entry(const DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const DiskannSlotData *head = copy->head;

	if (head->ntids != 0)
		DiskannCheckReport(check, copy, "an entry node has rows");
	if (head->norm2 != 0)
		DiskannCheckReport(check, copy, "an entry node is not at the origin");
}

/* A tombstone has lost its rows. */
static void
check_tombstone(const DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const DiskannSlotData *head = copy->head;

	if (head->ntids != 0 || head->next != DISKANN_INVALID_NODE)
		DiskannCheckReport(check, copy, "a tombstone has rows");
}

/* A slot's chain must lead to slots that exist, before it is followed. */
static void
check_next(DiskannCheck *check, const DiskannSlotCopy *copy)
{
	if (copy->head->next != DISKANN_INVALID_NODE &&
		!DiskannCheckExists(check, copy->head->next))
		DiskannCheckReport(check, copy, "its chain leads beyond the last slot");
}

/*
 * The head of a TIDS slot.  That it is in the chain of its owner is tested
 * from there; it may be in none, after a crash or an INSERT that failed, and
 * then its owner may be anything.
 */
static void
check_tids_head(DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const DiskannSlotData *head = copy->head;

	if (head->degree != 0)
		DiskannCheckReport(check, copy, "a slot of TIDs has edges");
	/* It may be closed with TIDs in it: see store/tids.c. */
	if (head->closed > 1)
		DiskannCheckReport(check, copy, "a slot of TIDs is in no known state");
	if (!DiskannCheckExists(check, head->owner))
		DiskannCheckReport(check, copy, "its owner is beyond the last slot");
	check_next(check, copy);
}

/* What must hold for a node of any state, and for node 0. */
static void
check_node_head(DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const DiskannSlotData *head = copy->head;

	Assert(is_node(head) || copy->node == DISKANN_ENTRY_NODE);
	if (copy->node == DISKANN_ENTRY_NODE && head->state != DISKANN_ENTRY)
		DiskannCheckReport(check, copy, "the entry node is missing");
	if (copy->node != DISKANN_ENTRY_NODE &&
		head->owner != DISKANN_INVALID_NODE)
		DiskannCheckReport(check, copy, "a node has an owner");
	if (copy->node != DISKANN_ENTRY_NODE &&
		head->closed > (head->state == DISKANN_LIVE ? 1 : 0))
		DiskannCheckReport(check, copy, "a node is in no known state");
	if (head->degree > 0 && !(head->edge_scale > 0 &&
							  isfinite(head->edge_scale)))
		DiskannCheckReport(check, copy,
						   "the unit of its edges' factors is not valid");
	check_next(check, copy);
	if (is_owned(head))
		check_entry(check, copy);
	else if (head->state == DISKANN_DEAD)
		check_tombstone(check, copy);
}

/* ---------- vectors ---------- */

/* The kernels rely on no byte being -128. */
static bool
code_is_valid(const DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const int8 *code = DiskannSlotOwn(check->index, copy->bytes);

	if (!diskann_vector_has_int8(check->index->kind))
		return true;
	for (int i = 0; i < check->index->space.dims; i++)
	{
		if (code[i] == -128)
			return false;
	}
	return true;
}

/* Can a row of this squared length be in the index? */
static bool
length_is_possible(const DiskannCheck *check, float length2)
{
	const DiskannSpace *space = &check->index->space;

	switch (space->metric)
	{
		case DISKANN_L2:
			break;
		case DISKANN_COSINE:
			return length2 == 1;
		case DISKANN_INNER_PRODUCT:
			if (!(length2 >= space->max_norm2 * (1 - DISKANN_CHECK_SAME)))
				return false;

			/* During recovery the metapage may have changed meanwhile. */
			return length2 <= check->index->meta.max_length2 ||
				length2 <= DiskannMaxLength2(check->rel);
	}
	return length2 >= 0;
}

/*
 * The length of the vector before it was centred, as the head says, against
 * that of the stored vector, put back to where it was.  They may differ by the
 * rounding error of the stored vector, which the head also says, and by that
 * of the rotation.
 */
static void
check_length(const DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const DiskannSpace *space = &check->index->space;
	const DiskannSlotData *head = copy->head;
	double		length = sqrt(head->length2);
	double		sum = 0;

	Assert(!is_owned(head));
	if (!length_is_possible(check, head->length2))
		DiskannCheckReport(check, copy,
						   psprintf("its squared length cannot be %g as it says",
									head->length2));

	/* Under inner product a row longer than all should be is shortened. */
	if (space->metric == DISKANN_INNER_PRODUCT)
		length = Min(length, sqrt(space->max_norm2));
	for (int i = 0; i < space->dims; i++)
	{
		double		v = (double) copy->x[i] + space->centre[i];

		sum += v * v;
	}
	if (!(fabs(length - sqrt(sum)) <=
		  head->residual * (1 + DISKANN_CHECK_ROUNDING) +
		  DISKANN_CHECK_ROUNDING * (length + check->centre_length) +
		  sqrt(FLT_MIN)))
		DiskannCheckReport(check, copy,
						   psprintf("its vector has length %g, not %g as it says",
									sqrt(sum), length));
}

/* The own vector of a node of any state, and what is said of it. */
static void
check_vector(const DiskannCheck *check, DiskannSlotCopy *copy)
{
	const DiskannSlotData *head = copy->head;
	double		norm2 = 0;

	Assert(is_node(head));

	if (!(head->scale > 0 && isfinite(head->scale)) ||
		!code_is_valid(check, copy))
		DiskannCheckReport(check, copy, "the code of its vector is not valid");
	DiskannCheckDecode(check, copy);
	for (int i = 0; i < check->index->space.dims; i++)
		norm2 += (double) copy->x[i] * copy->x[i];
	if (!(fabs(norm2 - head->norm2) <= DISKANN_CHECK_SAME * norm2 + FLT_MIN))
		DiskannCheckReport(check, copy,
						   psprintf("its code has squared length %g, not %g as it says",
									norm2, head->norm2));
	if (is_owned(head))
		return;
	if (!(head->residual >= 0))
		DiskannCheckReport(check, copy, "its rounding error is negative");
	check_length(check, copy);
}

/* ---------- rows ---------- */

/* May there be such a row?  Whether it is there check_rows.c finds out. */
static bool
tid_is_valid(const DiskannCheck *check, ItemPointer tid)
{
	return ItemPointerIsValid(tid) &&
		ItemPointerGetOffsetNumber(tid) <= MaxOffsetNumber &&
		ItemPointerGetBlockNumber(tid) < check->heap_blocks;
}

/* Check and collect TIDs of a node, which may be in a slot of its chain. */
static void
check_tids(DiskannCheck *check, const DiskannSlotCopy *copy, ItemPointer tids,
		   const DiskannCheckNode *node)
{
	Assert(copy->head->state == DISKANN_LIVE ||
		   copy->head->state == DISKANN_TIDS);
	for (int i = 0; i < copy->head->ntids; i++)
	{
		ItemPointer tid = &tids[i];
		const char *problem = "TID is not valid";

		CHECK_FOR_INTERRUPTS();
		if (tid_is_valid(check, tid))
			problem = DiskannCheckRowsAdd(check->rows, tid, node);
		if (problem)
			DiskannCheckReport(check, copy,
							   psprintf("heap row (%u,%u): %s",
										ItemPointerGetBlockNumberNoCheck(tid),
										ItemPointerGetOffsetNumberNoCheck(tid),
										problem));
		check->counts.tids++;
	}
}

/*
 * Is the slot in check->other, which from leads to, part of the chain of the
 * node in check->node, in order, and not yet seen?
 */
static bool
check_link(DiskannCheck *check, const DiskannSlotCopy *from)
{
	const DiskannSlotCopy *copy = &check->other;
	bool		known = copy->node < check->nslots;
	const char *problem = NULL;

	Assert(from->head->next == copy->node);

	if (copy->head->state != DISKANN_TIDS ||
		copy->head->owner != check->node.node)
		problem = "is not its own";
	else if (known && (check->slots[copy->node] & DISKANN_CHECK_CHAINED))
		problem = "is in a chain already";

	/* Readers tell by it that a slot has been reused, see src/README. */
	else if (copy->head->sequence == 0 ||
			 (from->head->state == DISKANN_TIDS &&
			  copy->head->sequence >= from->head->sequence))
		problem = "is out of sequence";
	if (problem)
	{
		DiskannCheckReportMisfit(check, from,
								 psprintf("its chain leads to slot %u, which %s",
										  copy->node, problem));
		return false;
	}
	if (known)
		check->slots[copy->node] |= DISKANN_CHECK_CHAINED;
	return true;
}

/* Follow the chain of the node in check->node; returns the number of TIDs. */
static int64
check_chain(DiskannCheck *check, const DiskannCheckNode *node)
{
	const DiskannSlotCopy *from = &check->node;
	int64		ntids = 0;

	while (from->head->next != DISKANN_INVALID_NODE)
	{
		DiskannSlotCopy *copy = &check->other;
		DiskannSlotCopy done;

		CHECK_FOR_INTERRUPTS();
		DiskannCheckRead(check, from->head->next, copy);
		if (!check_link(check, from))
			break;
		check_tids_head(check, copy);
		check_tids(check, copy, DiskannSlotTids(copy->bytes), node);
		ntids += copy->head->ntids;

		/* Keep what leads to the next one, which may have to be read again. */
		done = check->link;
		check->link = *copy;
		*copy = done;
		from = &check->link;
	}
	return ntids;
}

/*
 * What filter columns hold: bits of columns there are, and of sets that may
 * have many elements; a NULL is zero.
 */
static void
check_filters(const DiskannCheck *check, const DiskannSlotCopy *copy,
			  const DiskannFilterValues *filters)
{
	const DiskannMetaPageData *meta = &check->index->meta;
	uint64		known = 0;

	for (int i = 0; i < meta->nfilters; i++)
	{
		bool		isnull = (filters->nulls & DiskannNullBit(i)) != 0;

		known |= DiskannNullBit(i);
		if (meta->filters[i].kind == DISKANN_FILTER_SET && !isnull)
			known |= DiskannManyBit(i);
		if (isnull && filters->values[i] != 0)
			DiskannCheckReport(check, copy,
							   "a filter column that is NULL has a value");
	}
	if (meta->nfilters > 0 && (filters->nulls & ~known) != 0)
		DiskannCheckReport(check, copy,
						   "a filter column that is not there is NULL");
}

/* The marks of a node, against what follows from its keys. */
static void
check_marks(const DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const DiskannMetaPageData *meta = &check->index->meta;
	DiskannFilterValues filters;
	DiskannMarks stored = {0};
	DiskannMarks marks;

	if (meta->nfilters == 0)
		return;
	DiskannSlotFilters(check->index, copy->bytes, &filters);
	check_filters(check, copy, &filters);
	DiskannReadMarks(meta, copy->bytes, &stored);
	DiskannSign(check->signatures, &filters, &marks);
	if (memcmp(&stored, &marks, sizeof(DiskannMarks)) != 0)
	{
		/* On a standby a range may have been opened since. */
		DiskannRefreshRanges(check->rel, check->index);
		DiskannSign(check->signatures, &filters, &marks);
	}
	if (memcmp(&stored, &marks, sizeof(DiskannMarks)) != 0)
		DiskannCheckReport(check, copy,
						   "its signatures are not those of its filter columns");
}

/* What the filter map has of a slot: the marks of a live node, or zeroes. */
static void
check_map(DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const DiskannMetaPageData *meta = &check->index->meta;
	DiskannMarks marks = {0};
	DiskannMarks mapped;

	if (meta->region_nodes == 0)
		return;
	if (copy->head->state == DISKANN_LIVE)
		DiskannReadMarks(meta, copy->bytes, &marks);
	DiskannMapRead(&check->ref, copy->node, &mapped);
	if (memcmp(&marks, &mapped, sizeof(DiskannMarks)) != 0)
		DiskannCheckReportMisfit(check, copy,
								 psprintf("the filter map, in block %u, does not have its signatures",
										  DiskannBlockOfMap(meta, copy->node /
															meta->region_nodes)));
}

/*
 * Collect the rows of the live node in check->node, with those of its chain.
 */
static void
check_live(DiskannCheck *check)
{
	const DiskannSlotCopy *copy = &check->node;
	DiskannCheckNode node;

	Assert(copy->head->state == DISKANN_LIVE);

	node.hash = copy->head->hash;
	node.residual = copy->head->residual;
	node.length2 = copy->head->length2;
	node.x = copy->x;
	DiskannSlotFilters(check->index, copy->bytes, &node.filters);
	check_tids(check, copy, copy->head->tids, &node);
	check->counts.nodes++;
	if (check_chain(check, &node) + copy->head->ntids == 0)
		check->counts.empty++;
}

/* ---------- the pass ---------- */

/* Check a slot and note its state. */
static void
check_slot(DiskannCheck *check, DiskannNode node)
{
	DiskannSlotCopy *copy = &check->node;

	DiskannCheckRead(check, node, copy);
	check->slots[node] |= copy->head->state;
	if (is_node(copy->head) || node == DISKANN_ENTRY_NODE)
	{
		check_node_head(check, copy);
		check_vector(check, copy);
	}
	if (copy->head->state == DISKANN_LIVE || copy->head->state == DISKANN_DEAD)
		check_marks(check, copy);
	check_map(check, copy);
	switch ((DiskannSlotState) copy->head->state)
	{
		case DISKANN_LIVE:
			check_live(check);
			break;
		case DISKANN_DEAD:
			check->counts.tombstones++;
			break;
		case DISKANN_TIDS:
			check_tids_head(check, copy);
			check->counts.tids_slots++;
			break;
		case DISKANN_FREE:
			check->counts.free_slots++;
			break;
		case DISKANN_ENTRY:
		case DISKANN_PORCH:
			break;
	}
}

/*
 * Follow the chain of entry nodes, where searches start, and mark them; returns
 * how many edges they have.
 */
static int64
follow_entries(DiskannCheck *check)
{
	DiskannSlotCopy *copy = &check->node;
	DiskannNode node = DISKANN_ENTRY_NODE;
	int64		members = 0;

	for (int n = 0; node != DISKANN_INVALID_NODE; n++)
	{
		DiskannCheckRead(check, node, copy);
		if (copy->head->state != DISKANN_ENTRY)
			DiskannCheckReport(check, copy, "an entry node is missing");
		if (n > DISKANN_MOST_ENTRIES)
			DiskannCheckReport(check, copy, "there are too many entry nodes");
		check_next(check, copy);

		/* Backends take the number for that of the chain they remember. */
		if (n == 0 && copy->head->next != DISKANN_INVALID_NODE &&
			copy->head->sequence == 0)
			DiskannCheckReport(check, copy,
							   "its chain of entry nodes has no number");
		if (node < check->nslots)
			check->slots[node] |= DISKANN_CHECK_CHAINED;
		members += copy->head->degree;
		node = copy->head->next;
	}
	return members;
}

/*
 * Follow the chain of porches, which begins at node 0, and mark them.  (During
 * recovery more may come into use meanwhile.)
 */
static void
follow_porches(DiskannCheck *check)
{
	DiskannSlotCopy *copy = &check->node;
	DiskannNode porch;
	int			used;
	int			n;

	DiskannCheckRead(check, DISKANN_ENTRY_NODE, copy);
	used = copy->head->closed;
	porch = copy->head->owner;
	for (n = 0; porch != DISKANN_INVALID_NODE; n++)
	{
		if (!DiskannCheckExists(check, porch))
			DiskannCheckReport(check, copy,
							   "its chain of porches leads beyond the last slot");
		if (n == DISKANN_MOST_PORCHES)
			DiskannCheckReport(check, copy, "there are too many porches");
		DiskannCheckRead(check, porch, copy);
		if (copy->head->state != DISKANN_PORCH)
			DiskannCheckReport(check, copy, "a porch is missing");
		if (n >= used && copy->head->degree > 0 && !check->in_recovery)
			DiskannCheckReport(check, copy, "a porch that is not in use leads to rows");
		if (porch < check->nslots)
			check->slots[porch] |= DISKANN_CHECK_CHAINED;
		porch = copy->head->next;
	}
	if (used > n)
		DiskannCheckReport(check, copy, "a porch is missing");
}

/*
 * Warn if searches have far fewer nodes to start from than a repair would give
 * them: then some clusters may have no door.  That is no damage.
 */
static void
check_roster(const DiskannCheck *check, int64 members)
{
	int			wanted = DiskannRosterSize(check->index, check->counts.nodes);

	/* Node 0 alone is full only when there are that many nodes. */
	if (wanted > check->index->meta.max_degree && members < wanted / 2)
		ereport(WARNING,
				(errmsg("searches of index \"%s\" start from only " INT64_FORMAT " nodes, not %d",
						RelationGetRelationName(check->rel), members, wanted),
				 errhint("A VACUUM that repairs the graph chooses them anew, and so does REINDEX.")));
}

void
DiskannCheckSlots(DiskannCheck *check)
{
	int64		entries = 0;

	check->ref.strategy = check->strategy;
	for (DiskannNode node = 0; node < check->nslots; node++)
	{
		CHECK_FOR_INTERRUPTS();
		check_slot(check, node);
	}
	check->ref.strategy = NULL;
	check_roster(check, follow_entries(check));
	follow_porches(check);
	for (DiskannNode node = 0; node < check->nslots; node++)
	{
		int			state = check->slots[node] & DISKANN_CHECK_STATE;

		entries += state == DISKANN_ENTRY || state == DISKANN_PORCH ? 1 : 0;
		if ((state == DISKANN_TIDS || state == DISKANN_ENTRY ||
			 state == DISKANN_PORCH) &&
			!(check->slots[node] & DISKANN_CHECK_CHAINED))
			check->counts.orphans++;
	}

	/* All have been counted by their states. */
	Assert(check->counts.nodes + check->counts.tombstones +
		   check->counts.tids_slots + check->counts.free_slots + entries ==
		   check->nslots);
}
