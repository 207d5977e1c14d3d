/*-------------------------------------------------------------------------
 *
 * edges.c
 *	  The edges of a node: the arrays in its slot that hold them.
 *
 * An edge is kept as its target's number, two factors and a code; the factor
 * f_rescale is a half float in units of the node's edge_scale, which is chosen
 * from the first edges the node gets.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/edges.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "store/edges.h"

/* Choose the unit of a node's rescale factors from its first edges. */
static void
set_edge_scale(DiskannSlot head, const DiskannEdgeCode *edges, int n)
{
	float		max = 0;

	for (int i = 0; i < n; i++)
		max = fmaxf(max, fabsf(edges[i].f_rescale));
	head->edge_scale = max > 0 ? max : 1.0f;
}

/* Write all of an edge but its code.  A factor that is too great is cut off. */
static void
put_factors(const DiskannIndex *index, char *image, int i, DiskannNode node,
			const DiskannEdgeCode *edge, const uint8 *signatures)
{
	float		rescale = edge->f_rescale / ((DiskannSlot) image)->edge_scale;

	rescale = fmaxf(-DISKANN_HALF_MAX, fminf(DISKANN_HALF_MAX, rescale));
	DiskannSlotAdd(index, image)[i] = edge->f_add;
	DiskannSlotRescale(index, image)[i] = diskann_half_from_float(rescale);
	DiskannSlotNodes(index, image)[i] = node;
	for (int number = 0; number < DiskannSignatureCount(&index->meta); number++)
		DiskannSlotSignatures(&index->meta, image, number)[i] =
			signatures[number];
}

int
DiskannEdgeFind(const DiskannIndex *index, const char *slot, DiskannNode node)
{
	const DiskannNode *nodes = DiskannSlotNodes(index, slot);
	int			degree = ((const DiskannSlotData *) slot)->degree;

	for (int i = 0; i < degree; i++)
	{
		if (nodes[i] == node)
			return i;
	}
	return -1;
}

void
DiskannEdgePut(const DiskannIndex *index, char *image, int i,
			   DiskannNode node, const DiskannEdgeCode *edge,
			   const uint8 *signatures)
{
	DiskannSlot head = (DiskannSlot) image;

	Assert(i >= 0 && i <= head->degree && i < index->meta.max_degree);
	Assert(head->state == DISKANN_LIVE || head->state == DISKANN_DEAD ||
		   head->state == DISKANN_ENTRY || head->state == DISKANN_PORCH);
	if (head->edge_scale == 0)
		set_edge_scale(head, edge, 1);
	put_factors(index, image, i, node, edge, signatures);
	diskann_edge_put(&index->shape, DiskannSlotCodes(index, image), i,
					 edge->nibbles);
	if (i == head->degree)
		head->degree++;
}

/* Let an edge have the signatures of another one. */
static void
copy_signatures(const DiskannMetaPageData *meta, char *image, int from, int to)
{
	for (int number = 0; number < DiskannSignatureCount(meta); number++)
	{
		uint8	   *signatures = DiskannSlotSignatures(meta, image, number);

		signatures[to] = signatures[from];
	}
}

void
DiskannEdgeDrop(const DiskannIndex *index, char *image, int i)
{
	DiskannSlot head = (DiskannSlot) image;
	uint8	   *codes = DiskannSlotCodes(index, image);
	uint8		nibbles[DISKANN_MAX_NIBBLES];
	int			last = head->degree - 1;

	Assert(i >= 0 && i <= last);
	if (i != last)
	{
		DiskannSlotAdd(index, image)[i] = DiskannSlotAdd(index, image)[last];
		DiskannSlotRescale(index, image)[i] =
			DiskannSlotRescale(index, image)[last];
		DiskannSlotNodes(index, image)[i] =
			DiskannSlotNodes(index, image)[last];
		copy_signatures(&index->meta, image, last, i);
		diskann_edge_get(&index->shape, codes, last, nibbles);
		diskann_edge_put(&index->shape, codes, i, nibbles);
	}
	head->degree--;
}

void
DiskannEdgePutAll(const DiskannIndex *index, char *image,
				  const DiskannNode *nodes, const DiskannEdgeCode *edges,
				  const uint8 *const *signatures, int n)
{
	DiskannSlot head = (DiskannSlot) image;

	Assert(head->degree == 0 && n <= index->meta.max_degree);
	head->degree = n;
	if (n > 0)
		set_edge_scale(head, edges, n);
	for (int i = 0; i < n; i++)
	{
		put_factors(index, image, i, nodes[i], &edges[i], signatures[i]);
		diskann_edge_put(&index->shape, DiskannSlotCodes(index, image), i,
						 edges[i].nibbles);
	}
}

/*
 * f = |r|^2 / <u, r>, where a coordinate of u has the mean product with that of
 * r, in units of their root mean square, that a Gaussian one has.
 */
void
DiskannEdgeLengths(const DiskannIndex *index, const char *slot, float *dist2)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;
	float		product = index->shape.planes == 2 ? 0.883f : 0.798f;
	float		unit = 0.5f * head->edge_scale * product *
		index->shape.code_dims / sqrtf(index->space.dims);

	for (int i = 0; i < head->degree; i++)
	{
		float		length = unit *
			diskann_half_to_float(DiskannSlotRescale(index, slot)[i]);

		dist2[i] = length * length;
	}
}

void
DiskannEdgeUnpack(const DiskannIndex *index, const char *slot,
				  const float *decoded, int8 *codes, float *dist2)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;
	Size		code_bytes = DiskannEdgeCodeBytes(index);
	float		unit = index->shape.planes == 2 ? 0.5f : 1.0f;

	for (int i = 0; i < head->degree; i++)
	{
		uint8		nibbles[DISKANN_MAX_NIBBLES];
		float		rescale = head->edge_scale *
			diskann_half_to_float(DiskannSlotRescale(index, slot)[i]);
		float		dot;

		diskann_edge_get(&index->shape, DiskannSlotCodes(index, slot), i,
						 nibbles);
		diskann_edge_unpack(&index->shape, nibbles, codes + i * code_bytes);
		dot = diskann_kernels->dot_f32_i8(decoded, codes + i * code_bytes,
										  index->shape.code_dims);

		/* |r|^2 = f_add + f_rescale <u, c>, see vector/edge_code.h. */
		dist2[i] = DiskannSlotAdd(index, slot)[i] + rescale * unit * dot;
		dist2[i] = Max(0, dist2[i]);
	}
}
