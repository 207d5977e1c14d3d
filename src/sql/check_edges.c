/*-------------------------------------------------------------------------
 *
 * check_edges.c
 *	  The edges of an index: where they lead and what they say.
 *
 * What an edge says of its neighbour follows from the own vectors of both
 * nodes, so its code can be computed again and compared.  It need not be the
 * same bit for bit: the index may have been built by other vector
 * instructions, and the edge from a vector that had not been rounded yet.
 *
 * The edges of reachable nodes are followed first, from the entry nodes on, and
 * those of the other live nodes afterwards: only then it is known which nodes
 * no path leads to.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/check_edges.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "sql/check_edges.h"
#include "store/edges.h"

/* Twice the relative error of a half float, which has 11 bits. */
#define HALF_ROUNDING 1e-3

/* The least one above zero; what is nearer to zero is rounded to it or off. */
#define HALF_LEAST (1.0 / (1 << 24))

/*
 * Bits of an edge code that may differ from what is computed again, because
 * coordinates lie at a threshold of rounding; and how far the factors may then
 * differ, which are computed from the bits.
 */
#define BITS_TOLERANCE(bits) Max(2, (bits) / 50)
#define FACTOR_TOLERANCE 0.02

/* Bits in which the code of edge i differs from the one expected. */
static int
differing_bits(const DiskannIndex *index, const char *slot, int i,
			   const DiskannEdgeCode *expected)
{
	uint8		nibbles[DISKANN_MAX_NIBBLES];
	int			count = index->shape.planes * index->shape.groups;
	int			bits = 0;

	Assert(count <= DISKANN_MAX_NIBBLES);
	diskann_edge_get(&index->shape, DiskannSlotCodes(index, slot), i, nibbles);
	for (int j = 0; j < count; j++)
		bits += pg_number_of_ones[nibbles[j] ^ expected->nibbles[j]];
	return bits;
}

/*
 * Compare edge i of check->node with that of both ends' vectors as they are;
 * returns what is wrong, or NULL.
 */
static const char *
compare_edge(const DiskannCheck *check, int i)
{
	const DiskannIndex *index = check->index;
	const DiskannSlotCopy *copy = &check->node;
	double		unit = copy->head->edge_scale;
	double		add = DiskannSlotAdd(index, copy->bytes)[i];
	uint16		half = DiskannSlotRescale(index, copy->bytes)[i];
	double		rescale = unit * diskann_half_to_float(half);
	DiskannEdgeCode edge;
	double		expected;
	double		slack;
	int			bits;

	for (int number = 0; number < DiskannSignatureCount(&index->meta); number++)
	{
		int			has = DiskannSlotSignatures(&index->meta, copy->bytes,
												number)[i];
		int			wanted = DiskannSlotOwnSignatures(&index->meta,
													  check->other.bytes)[number];

		if (has != wanted)
			return psprintf("signature %d is %d, not %d", number + 1, has,
							wanted);
	}
	diskann_edge_encode(&index->shape, copy->x, check->other.x, &edge);
	bits = differing_bits(index, copy->bytes, i, &edge);
	if (bits > BITS_TOLERANCE(index->shape.planes * index->shape.code_dims))
		return psprintf("the code differs in %d bits", bits);

	/* A factor too great for a half float is cut off. */
	expected = Max(-DISKANN_HALF_MAX * unit,
				   Min(DISKANN_HALF_MAX * unit, edge.f_rescale));
	slack = (bits > 0 ? FACTOR_TOLERANCE : HALF_ROUNDING) * fabs(expected);
	if (!(fabs(rescale - expected) <= slack + unit * HALF_LEAST))
		return psprintf("the factor is %g, not %g", rescale, expected);

	/*
	 * f_add is |r|^2 - f_rescale <u, c>, see vector/edge_code.h.  Its error
	 * is relative to its terms, not to their sum, which may be small: |r|^2,
	 * and at most |f_rescale| |u| |c|, where |u| is at most 1.5
	 * sqrt(code_dims).
	 */
	slack = (bits > 0 ? FACTOR_TOLERANCE : DISKANN_CHECK_SAME) *
		(diskann_kernels->l2sq_f32(copy->x, check->other.x, index->space.dims) +
		 1.5 * fabs(edge.f_rescale) *
		 sqrt((double) index->shape.code_dims * copy->head->norm2));
	if (!(fabs(add - edge.f_add) <= slack + FLT_MIN))
		return psprintf("the summand is %g, not %g", add, edge.f_add);
	return NULL;
}

/*
 * Check edge i of check->node, whose vector is decoded; note that its target
 * is reached.  Reads the target into check->other.
 */
static void
check_edge(DiskannCheck *check, int i)
{
	DiskannSlotCopy *copy = &check->node;
	DiskannSlotCopy *other = &check->other;
	DiskannNode target = DiskannSlotNodes(check->index, copy->bytes)[i];
	const char *problem;

	Assert(i < copy->head->degree);

	if (!DiskannCheckExists(check, target))
		DiskannCheckReport(check, copy,
						   psprintf("edge %d leads to slot %u, beyond the last",
									i, target));
	DiskannCheckRead(check, target, other);
	if (other->head->state != DISKANN_LIVE &&
		other->head->state != DISKANN_DEAD)
	{
		DiskannCheckReportMisfit(check, copy,
								 psprintf("edge %d leads to slot %u, which is in state %u",
										  i, target, other->head->state));
		return;
	}
	DiskannCheckDecode(check, other);
	problem = compare_edge(check, i);
	if (problem)
		DiskannCheckReportMisfit(check, copy,
								 psprintf("edge %d to node %u: %s", i, target,
										  problem));
	if (target < check->nslots)
		check->slots[target] |= DISKANN_CHECK_REACHED;
}

/* No edge leads back, no two lead to the same node. */
static void
check_neighbours(const DiskannCheck *check, const DiskannSlotCopy *copy)
{
	const DiskannNode *nodes = DiskannSlotNodes(check->index, copy->bytes);

	for (int i = 0; i < copy->head->degree; i++)
	{
		if (nodes[i] == copy->node)
			DiskannCheckReport(check, copy,
							   psprintf("edge %d leads back to it", i));
		for (int j = 0; j < i; j++)
		{
			if (nodes[i] == nodes[j])
				DiskannCheckReport(check, copy,
								   psprintf("edges %d and %d lead to the same node %u",
											j, i, nodes[i]));
		}
	}
}

/* Check the edges of a node and note where they lead. */
static void
walk_node(DiskannCheck *check, DiskannNode node)
{
	DiskannSlotCopy *copy = &check->node;
	int			state;

	Assert(!(check->slots[node] & DISKANN_CHECK_WALKED));
	DiskannCheckRead(check, node, copy);
	check->slots[node] |= DISKANN_CHECK_WALKED;
	state = copy->head->state;
	if (state != DISKANN_LIVE && state != DISKANN_DEAD &&
		state != DISKANN_ENTRY && state != DISKANN_PORCH)
		return;					/* freed by replay meanwhile */
	check_neighbours(check, copy);
	DiskannCheckDecode(check, copy);
	for (int i = 0; i < copy->head->degree; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_edge(check, i);
	}
	check->counts.edges += copy->head->degree;
}

/*
 * Walk all that can be reached from the entry nodes.  Sweeps in the order of
 * slots take the place of a queue: a graph like this one needs few.
 */
static void
walk_from_entry(DiskannCheck *check)
{
	bool		again = true;

	for (DiskannNode node = 0; node < check->nslots; node++)
	{
		int			known = check->slots[node] &
			(DISKANN_CHECK_STATE | DISKANN_CHECK_CHAINED);

		if (known == (DISKANN_ENTRY | DISKANN_CHECK_CHAINED) ||
			known == (DISKANN_PORCH | DISKANN_CHECK_CHAINED))
			check->slots[node] |= DISKANN_CHECK_REACHED;
	}
	while (again)
	{
		again = false;
		for (DiskannNode node = 0; node < check->nslots; node++)
		{
			if ((check->slots[node] & (DISKANN_CHECK_REACHED |
									   DISKANN_CHECK_WALKED)) !=
				DISKANN_CHECK_REACHED)
				continue;
			walk_node(check, node);
			again = true;
		}
	}
}

/*
 * Tombstones that no path leads to are left alone: a VACUUM that was stopped
 * may have freed what their edges lead to.
 */
void
DiskannCheckEdges(DiskannCheck *check)
{
	walk_from_entry(check);
	for (DiskannNode node = 0; node < check->nslots; node++)
	{
		if ((check->slots[node] &
			 (DISKANN_CHECK_STATE | DISKANN_CHECK_REACHED)) == DISKANN_LIVE)
			check->counts.unreachable++;
	}
	for (DiskannNode node = 0; node < check->nslots; node++)
	{
		if ((check->slots[node] &
			 (DISKANN_CHECK_STATE | DISKANN_CHECK_WALKED)) == DISKANN_LIVE)
			walk_node(check, node);
	}
}
