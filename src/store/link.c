/*-------------------------------------------------------------------------
 *
 * link.c
 *	  Edges between stored nodes.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/link.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "graph/prune.h"
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "store/link.h"
#include "vector/rotate.h"

/* The greatest finite half float. */
#define HALF_MAX 65504.0f

/* Put an edge among others, all but its code. */
static void
put_factors(const DiskannIndex *index, char *image, int i, DiskannNode node,
			const DiskannEdgeCode *edge)
{
	float		rescale = edge->f_rescale / ((DiskannSlot) image)->edge_scale;

	rescale = fmaxf(-HALF_MAX, fminf(HALF_MAX, rescale));
	DiskannSlotAdd(index, image)[i] = edge->f_add;
	DiskannSlotRescale(index, image)[i] = diskann_half_from_float(rescale);
	DiskannSlotNodes(index, image)[i] = node;
}

void
DiskannPutEdge(const DiskannIndex *index, char *image, int i,
			   DiskannNode node, const DiskannEdgeCode *edge)
{
	if (((DiskannSlot) image)->edge_scale == 0)
		DiskannSetEdgeScale(image, edge, 1);
	put_factors(index, image, i, node, edge);
	diskann_edge_put(&index->shape, DiskannSlotCodes(index, image), i,
					 edge->nibbles);
}

void
DiskannSetEdgeScale(char *image, const DiskannEdgeCode *edges, int n)
{
	float		max = 0;

	for (int i = 0; i < n; i++)
		max = fmaxf(max, fabsf(edges[i].f_rescale));
	((DiskannSlot) image)->edge_scale = max > 0 ? max : 1.0f;
}

void
DiskannFillNode(const DiskannIndex *index, char *image,
				const DiskannNewNode *node, float *decoded)
{
	DiskannSlot head = (DiskannSlot) image;
	uint8		version = head->version;
	DiskannEdgeCode *edges = palloc(sizeof(DiskannEdgeCode) * (node->degree + 1));

	memset(image, 0, index->meta.slot_size);
	memcpy(DiskannSlotOwn(index, image), node->own, index->own_bytes);
	diskann_vector_decode(index->kind, node->own, node->factors.scale,
						  index->space.dims, decoded);
	head->state = DISKANN_LIVE;
	head->version = version + 1;
	head->degree = node->degree;
	head->ntids = node->ntids;
	head->next = node->next;
	head->sequence = node->sequence;
	head->owner = DISKANN_INVALID_NODE;
	head->scale = node->factors.scale;
	head->norm2 = node->factors.norm2;
	head->residual = node->factors.residual;
	head->length2 = node->length2;
	head->u.hash = node->hash;
	memcpy(head->tids, node->tids, sizeof(ItemPointerData) * node->ntids);

	for (int i = 0; i < node->degree; i++)
		diskann_edge_encode(&index->shape, decoded, node->vectors[i],
							&edges[i]);
	DiskannSetEdgeScale(image, edges, node->degree);
	if (node->degree == 0)
		head->edge_scale = 0;
	for (int i = 0; i < node->degree; i++)
		put_factors(index, image, i, node->nodes[i], &edges[i]);
	diskann_edge_put_all(&index->shape, DiskannSlotCodes(index, image), edges,
						 node->degree);
	pfree(edges);
}

/* ---------- pruning a full list from its own page ---------- */

/* The edges of one node, as vectors from it. */
typedef struct EdgeGeometry
{
	const DiskannIndex *index;
	int			code_bytes;
	int8	   *codes;			/* unpacked, one row an edge */
	float	   *inverse;		/* 1 / length of the unpacked codes */
	float	   *dist2;			/* squared lengths of the edges */
	float	   *dist;			/* lengths of the edges */
	int		   *order;			/* edges by length */
} EdgeGeometry;

static inline int8 *
edge_code(const EdgeGeometry *g, int i)
{
	return g->codes + (Size) i * g->code_bytes;
}

/* Squared distances of neighbours, from lengths and coded angles. */
static void
edge_pair_distances(void *arg, int a, const int *others, int n, float *out)
{
	EdgeGeometry *g = arg;
	int			i = g->order[a];

	for (int k = 0; k < n; k++)
	{
		int			j = g->order[others[k]];
		int32		dot = diskann_kernels->dot_i8(edge_code(g, i),
												  edge_code(g, j),
												  g->code_bytes);
		float		cosine = diskann_edge_cosine(&g->index->shape, dot *
												 g->inverse[i] * g->inverse[j]);

		out[k] = Max(0, g->dist2[i] + g->dist2[j] -
					 2 * cosine * g->dist[i] * g->dist[j]);
	}
}

static int
compare_length(const void *a, const void *b, void *arg)
{
	const EdgeGeometry *g = arg;
	int			i = *(const int *) a;
	int			j = *(const int *) b;

	if (g->dist2[i] != g->dist2[j])
		return g->dist2[i] < g->dist2[j] ? -1 : 1;
	return i - j;
}

/* Describe all edges of a slot, and one more as the last. */
static void
make_geometry(EdgeGeometry *g, const DiskannIndex *index, const char *slot,
			  const float *decoded, const DiskannEdgeCode *extra,
			  float extra_dist2)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;
	int			n = head->degree + 1;
	float		unit = index->shape.planes == 2 ? 0.5f : 1.0f;

	g->index = index;
	g->code_bytes = index->shape.groups * 4;
	g->codes = palloc((Size) (index->meta.max_degree + 1) * g->code_bytes);
	g->inverse = palloc(sizeof(float) * n);
	g->dist2 = palloc(sizeof(float) * n);
	g->dist = palloc(sizeof(float) * n);
	g->order = palloc(sizeof(int) * n);
	for (int i = 0; i < n; i++)
		g->order[i] = i;

	for (int block = 0; block * DISKANN_EDGE_BLOCK < head->degree; block++)
		diskann_edge_unpack_block(&index->shape, DiskannSlotCodes(index, slot),
								  block, edge_code(g, block * DISKANN_EDGE_BLOCK));
	for (int i = 0; i < head->degree; i++)
	{
		float		rescale = head->edge_scale *
		diskann_half_to_float(DiskannSlotRescale(index, slot)[i]);
		float		dot = diskann_kernels->dot_f32_i8(decoded, edge_code(g, i),
													  index->shape.code_dims);

		/* |r|^2 = f_add + f_rescale <u, c>, see vector/code.h. */
		g->dist2[i] = DiskannSlotAdd(index, slot)[i] + rescale * unit * dot;
		g->dist2[i] = Max(0, g->dist2[i]);
	}
	diskann_edge_unpack(&index->shape, extra->nibbles,
						edge_code(g, head->degree));
	g->dist2[head->degree] = extra_dist2;
	for (int i = 0; i < n; i++)
	{
		g->inverse[i] = 1.0f / sqrtf(diskann_kernels->dot_i8(edge_code(g, i),
															 edge_code(g, i),
															 g->code_bytes));
		g->dist[i] = sqrtf(g->dist2[i]);
	}
	qsort_arg(g->order, n, sizeof(int), compare_length, g);
}

static void
free_geometry(EdgeGeometry *g)
{
	pfree(g->codes);
	pfree(g->inverse);
	pfree(g->dist2);
	pfree(g->dist);
	pfree(g->order);
}

/*
 * A list is full and one edge must go: which?  The one RobustPrune would leave
 * out of all of them, which may be the new one (numbered degree); unless that
 * is forced in, then the last admitted goes.
 */
static int
edge_to_drop(const DiskannIndex *index, EdgeGeometry *g, int degree, bool force)
{
	DiskannPrune prune = {degree, index->meta.alpha, 1, edge_pair_distances, g};
	float	   *dist = palloc(sizeof(float) * (degree + 1));
	int		   *chosen = palloc(sizeof(int) * (degree + 1));
	bool	   *kept = palloc0(sizeof(bool) * (degree + 1));
	int			n;
	int			drop = degree;

	for (int i = 0; i <= degree; i++)
		dist[i] = g->dist2[g->order[i]];
	n = DiskannRobustPrune(&prune, dist, degree + 1, chosen);
	for (int i = 0; i < n; i++)
		kept[g->order[chosen[i]]] = true;
	for (int i = 0; i <= degree; i++)
	{
		if (!kept[i])
			drop = i;
	}
	if (drop == degree && force)
		drop = g->order[chosen[n - 1]];
	pfree(dist);
	pfree(chosen);
	pfree(kept);
	return drop;
}

static bool
has_edge(const DiskannIndex *index, const char *slot, DiskannNode node)
{
	const DiskannNode *nodes = DiskannSlotNodes(index, slot);
	int			degree = ((const DiskannSlotData *) slot)->degree;

	for (int i = 0; i < degree; i++)
	{
		if (nodes[i] == node)
			return true;
	}
	return false;
}

/* Write edge i (a new one if i is the degree) into the open slot. */
static void
write_edge(DiskannNodeRef *ref, int i, DiskannNode node,
		   const DiskannEdgeCode *edge)
{
	DiskannSlot head = DiskannNodeEdit(ref);

	DiskannPutEdge(ref->index, ref->image, i, node, edge);
	if (i == head->degree)
		head->degree++;
	DiskannNodeWrite(ref, 0, ref->index->own_offset);
}

/*
 * A node that was forced into a full list takes over the edge it displaced,
 * in place of its own last one, which nothing depends on: the node is new.
 */
static void
adopt_edge(DiskannNodeRef *ref, DiskannNode node, const float *x,
		   DiskannNode displaced)
{
	const DiskannIndex *index = ref->index;
	const DiskannSlotData *head;
	float	   *decoded;
	DiskannEdgeCode edge;

	if (!DiskannNodeOpen(ref, displaced, BUFFER_LOCK_SHARE))
		return;
	head = (const DiskannSlotData *) ref->slot;
	if (head->state != DISKANN_LIVE)
	{
		DiskannNodeClose(ref);
		return;
	}
	decoded = palloc(sizeof(float) * index->space.dims);
	diskann_vector_decode(index->kind, DiskannSlotOwn(index, ref->slot),
						  head->scale, index->space.dims, decoded);
	DiskannNodeClose(ref);
	diskann_edge_encode(&index->shape, x, decoded, &edge);
	pfree(decoded);

	if (!DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE))
		return;
	head = (const DiskannSlotData *) ref->slot;
	if (head->state == DISKANN_LIVE && !has_edge(index, ref->slot, displaced))
		write_edge(ref, Min(head->degree, index->meta.max_degree - 1),
				   displaced, &edge);
	DiskannNodeClose(ref);
}

void
DiskannAddBacklink(DiskannNodeRef *ref, DiskannNode target, DiskannNode node,
				   const float *x, bool force)
{
	const DiskannIndex *index = ref->index;
	const DiskannSlotData *head;
	float	   *decoded = palloc(sizeof(float) * index->space.dims);
	DiskannEdgeCode edge;
	DiskannNode displaced = DISKANN_INVALID_NODE;
	float		dist2;
	int			i;

	if (!DiskannNodeOpen(ref, target, BUFFER_LOCK_EXCLUSIVE))
	{
		pfree(decoded);
		return;
	}
	head = (const DiskannSlotData *) ref->slot;
	if ((head->state == DISKANN_LIVE || head->state == DISKANN_DEAD) &&
		!has_edge(index, ref->slot, node))
	{
		diskann_vector_decode(index->kind, DiskannSlotOwn(index, ref->slot),
							  head->scale, index->space.dims, decoded);
		diskann_edge_encode(&index->shape, decoded, x, &edge);
		i = head->degree;
		dist2 = diskann_kernels->l2sq_f32(decoded, x, index->space.dims);

		/*
		 * Among nodes nearer to each other than their codes are exact nothing
		 * tells which could do without an edge, so none is displaced but by
		 * the forced link.
		 */
		if (i == index->meta.max_degree &&
			(force || dist2 > 4 * head->residual * head->residual))
		{
			EdgeGeometry g;

			make_geometry(&g, index, ref->slot, decoded, &edge, dist2);
			i = edge_to_drop(index, &g, i, force);
			free_geometry(&g);
			if (force && i < index->meta.max_degree)
				displaced = DiskannSlotNodes(index, ref->slot)[i];
		}
		if (i < index->meta.max_degree)
			write_edge(ref, i, node, &edge);
	}
	DiskannNodeClose(ref);
	pfree(decoded);
	if (displaced != DISKANN_INVALID_NODE)
		adopt_edge(ref, node, x, displaced);
}

void
DiskannLinkEntry(DiskannNodeRef *ref, DiskannNode node, const float *x,
			   int replace)
{
	const DiskannIndex *index = ref->index;
	const DiskannSlotData *head;

	if (!DiskannNodeOpen(ref, DISKANN_ENTRY_NODE, BUFFER_LOCK_EXCLUSIVE))
		DiskannReportCorrupt(ref->rel, DiskannNodeBlock(index, DISKANN_ENTRY_NODE), 0,
							 "the entry node is missing");
	head = (const DiskannSlotData *) ref->slot;
	if (head->state != DISKANN_ENTRY)
		DiskannReportCorrupt(ref->rel, DiskannNodeBlock(index, DISKANN_ENTRY_NODE), 0,
							 "the entry node is missing");
	if (head->degree < index->meta.max_degree)
		replace = head->degree;
	if (replace >= 0 && !has_edge(index, ref->slot, node))
	{
		DiskannEdgeCode edge;
		float	   *origin = palloc0(sizeof(float) * index->space.dims);

		/* The entry node lies at the origin. */
		diskann_edge_encode(&index->shape, origin, x, &edge);
		write_edge(ref, replace, node, &edge);
		pfree(origin);
	}
	DiskannNodeClose(ref);
}

void
DiskannOfferToEntry(DiskannNodeRef *ref, DiskannNode node, const float *x)
{
	int			max_degree = ref->index->meta.max_degree;
	uint64		state = ref->index->meta.seed ^ node;
	uint64		draw = diskann_random64(&state) % ((uint64) node + 1);

	/* Nodes number as they come: the first ones fill the list. */
	if (draw < (uint64) max_degree || node <= (DiskannNode) max_degree)
		DiskannLinkEntry(ref, node, x, draw < (uint64) max_degree ? (int) draw : -1);
}
