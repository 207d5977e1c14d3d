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

#include <float.h>
#include <math.h>

#include "graph/prune.h"
#include "kernels/kernels.h"
#include "store/edges.h"
#include "store/link.h"

void
DiskannFillNode(const DiskannIndex *index, char *image,
				const DiskannNewNode *node, float *decoded)
{
	DiskannSlot head = (DiskannSlot) image;
	uint8		version = head->version;
	DiskannEdgeCode *edges = palloc(sizeof(DiskannEdgeCode) * (node->degree + 1));

	memset(image, 0, index->meta.slot_size);
	memcpy(DiskannSlotOwn(index, image), node->own, index->meta.own_bytes);
	DiskannWriteKeys(&index->meta, image, node->filters);
	DiskannWriteMarks(&index->meta, image, node->marks);
	diskann_vector_decode(index->kind, node->own, node->factors.scale,
						  index->space.dims, decoded);
	head->state = DISKANN_LIVE;
	head->version = version + 1;
	head->ntids = node->ntids;
	head->next = node->next;
	head->sequence = node->sequence;
	head->owner = DISKANN_INVALID_NODE;
	head->scale = node->factors.scale;
	head->norm2 = node->factors.norm2;
	head->residual = node->factors.residual;
	head->length2 = node->length2;
	head->hash = node->hash;
	memcpy(head->tids, node->tids, sizeof(ItemPointerData) * node->ntids);

	for (int i = 0; i < node->degree; i++)
		diskann_edge_encode(&index->shape, decoded, node->vectors[i],
							&edges[i]);
	DiskannEdgePutAll(index, image, node->nodes, edges, node->signatures,
					  node->degree);
	pfree(edges);
}

/* ---------- pruning a full list from its own page ---------- */

/* The edges of one node, as vectors from it. */
typedef struct EdgeGeometry
{
	const DiskannIndex *index;
	Size		code_bytes;
	int8	   *codes;			/* unpacked, one row an edge */
	float	   *inverse;		/* 1 / length of the unpacked codes */
	float	   *dist2;			/* squared lengths of the edges */
	float	   *dist;			/* lengths of the edges */
	int		   *order;			/* edges by length */
} EdgeGeometry;

static inline int8 *
edge_code(const EdgeGeometry *g, int i)
{
	return g->codes + i * g->code_bytes;
}

/*
 * Squared distances of neighbours, from lengths and coded angles; by fours,
 * the last of which may be filled up with any.
 */
static void
edge_pair_distances(void *arg, int a, const int *others, int n, float *out)
{
	EdgeGeometry *g = arg;
	int			i = g->order[a];

	for (int from = 0; from < n; from += 4)
	{
		int			to = Min(4, n - from);
		int			j[4];
		const int8 *rows[4];
		int32		dots[4];

		for (int k = 0; k < 4; k++)
		{
			j[k] = k < to ? g->order[others[from + k]] : i;
			rows[k] = edge_code(g, j[k]);
		}
		diskann_kernels->dot4_i8(edge_code(g, i), rows, g->code_bytes, dots);
		for (int k = 0; k < to; k++)
		{
			float		cosine = diskann_edge_cosine(g->index->shape.planes,
													 dots[k] * g->inverse[i] *
													 g->inverse[j[k]]);
			float		between = g->dist2[i] + g->dist2[j[k]] -
				2 * cosine * g->dist[i] * g->dist[j[k]];

			out[from + k] = between > 0 ? between : 0;
		}
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

/* Describe all edges of a slot, and nextra more as the last. */
static void
make_geometry(EdgeGeometry *g, const DiskannIndex *index, const char *slot,
			  const float *decoded, const DiskannEdgeCode *extra,
			  const float *extra_dist2, int nextra)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;
	int			n = head->degree + nextra;

	g->index = index;
	g->code_bytes = DiskannEdgeCodeBytes(index);
	g->codes = palloc((index->meta.max_degree + nextra) * g->code_bytes);
	g->inverse = palloc(sizeof(float) * n);
	g->dist2 = palloc(sizeof(float) * n);
	g->dist = palloc(sizeof(float) * n);
	g->order = palloc(sizeof(int) * n);
	for (int i = 0; i < n; i++)
		g->order[i] = i;

	DiskannEdgeUnpack(index, slot, decoded, g->codes, g->dist2);
	for (int i = 0; i < nextra; i++)
	{
		diskann_edge_unpack(&index->shape, extra[i].nibbles,
							edge_code(g, head->degree + i));
		g->dist2[head->degree + i] = extra_dist2[i];
	}
	for (int i = 0; i < n; i++)
	{
		g->inverse[i] = 1.0f / sqrtf(diskann_kernels->dot_i8(edge_code(g, i),
															 edge_code(g, i),
															 g->code_bytes));
		g->dist[i] = sqrtf(g->dist2[i]);
	}
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
 * How much is the edge at this place in the order occluded by shorter ones?
 * The most, over these, of its squared length by the squared distance between
 * both ends: above 1 the other end is nearer to the target than the node is.
 */
static float
occlusion(EdgeGeometry *g, int place)
{
	int			shorter[DISKANN_MAX_DEGREE];
	float		between[DISKANN_MAX_DEGREE];
	float		least = FLT_MAX;

	Assert(place <= DISKANN_MAX_DEGREE);
	if (place <= 0)
		return 0;
	for (int i = 0; i < place; i++)
		shorter[i] = i;
	edge_pair_distances(g, place, shorter, place, between);
	for (int i = 0; i < place; i++)
		least = between[i] < least ? between[i] : least;
	return g->dist2[g->order[place]] / Max(least, FLT_MIN);
}

/*
 * A list is full and one edge must go: the most occluded one of all, however
 * long others are: the edge that leads out of a cluster is the longest, but
 * often the only one in its direction.  The new one is numbered degree; one
 * that is forced in stays.
 */
static int
most_occluded(const DiskannIndex *index, const char *slot,
			  const float *decoded, const DiskannEdgeCode *edge, float dist2,
			  bool force)
{
	int			degree = ((const DiskannSlotData *) slot)->degree;
	int			drop = degree;
	float		most = -1;
	EdgeGeometry g;

	make_geometry(&g, index, slot, decoded, edge, &dist2, 1);
	qsort_arg(g.order, degree + 1, sizeof(int), compare_length, &g);
	for (int i = 0; i <= degree; i++)
	{
		float		here;

		if (force && g.order[i] == degree)
			continue;
		here = occlusion(&g, i);
		if (here > most)
		{
			most = here;
			drop = g.order[i];
		}
	}
	free_geometry(&g);
	return drop;
}

/*
 * The same where the new edge has to do with it, as is most often so: which is
 * soon found, for the query estimates how far its end is from the ends of all
 * others.  The new one goes, if it is occluded as RobustPrune understands it;
 * else the one that it occludes most.
 */
static int
edge_to_drop(const DiskannIndex *index, const char *slot,
			 const float *decoded, const DiskannQuery *query,
			 const DiskannEdgeCode *edge, float dist2, bool force)
{
	const DiskannSlotData *head = (const DiskannSlotData *) slot;
	float		between[DISKANN_MAX_DEGREE];
	float		lengths[DISKANN_MAX_DEGREE];
	float		occluded = 0;	/* the new one, by others */
	float		most = 0;
	int			drop = 0;

	diskann_edge_estimate(&index->shape, &query->edges,
						  DiskannSlotCodes(index, slot),
						  DiskannSlotAdd(index, slot),
						  DiskannSlotRescale(index, slot), dist2,
						  head->edge_scale, head->degree, between);
	DiskannEdgeLengths(index, slot, lengths);
	for (int i = 0; i < head->degree; i++)
	{
		float		ratio = Max(dist2, lengths[i]) / Max(between[i], FLT_MIN);

		if (lengths[i] < dist2)
			occluded = Max(occluded, ratio);
		else if (ratio > most)
		{
			most = ratio;
			drop = i;
		}
	}
	if (!force && occluded > Max(index->meta.alpha, most))
		return head->degree;
	if (most > 1)
		return drop;
	return most_occluded(index, slot, decoded, edge, dist2, force);
}

/* Does an edge of the slot lead to a node of its own value? */
static bool
is_value_edge(const DiskannIndex *index, const char *slot, int i)
{
	return DiskannSlotSignatures(&index->meta, slot, 0)[i] ==
		DiskannSlotOwnSignatures(&index->meta, slot)[0];
}

/* Of a full list, the longest edge that is no value edge; degree: none. */
static int
longest_other(const DiskannIndex *index, const char *slot)
{
	int			degree = ((const DiskannSlotData *) slot)->degree;
	int			longest = degree;
	float		lengths[DISKANN_MAX_DEGREE];

	DiskannEdgeLengths(index, slot, lengths);
	for (int i = 0; i < degree; i++)
	{
		if (!is_value_edge(index, slot, i) &&
			(longest == degree || lengths[i] > lengths[longest]))
			longest = i;
	}
	return longest;
}

/*
 * A list is full, and edge number drop (the new one if that is the degree) is
 * to go.  But where there are not enough value edges none of them goes, and a
 * new one takes the place of the longest other; returns what goes.
 */
static int
spare_value_edges(const DiskannIndex *index, const char *slot,
				  const uint8 *signatures, bool force, int drop)
{
	int			degree = ((const DiskannSlotData *) slot)->degree;
	int			most = DiskannValueEdges(&index->meta);
	int			n = 0;
	bool		is_new;

	if (most == 0)
		return drop;
	for (int i = 0; i < degree; i++)
		n += is_value_edge(index, slot, i) ? 1 : 0;
	is_new = signatures[0] == DiskannSlotOwnSignatures(&index->meta, slot)[0];
	if (is_new && n < most)
		return longest_other(index, slot);
	if (is_new || n > most || drop == degree ||
		!is_value_edge(index, slot, drop))
		return drop;
	return force ? longest_other(index, slot) : degree;
}

static int
compare_near(const void *a, const void *b)
{
	const DiskannNearNode *x = a;
	const DiskannNearNode *y = b;

	if (x->dist2 != y->dist2)
		return x->dist2 < y->dist2 ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* Sort candidates, without those that are neighbours; returns how many stay. */
static int
sort_near(const DiskannNodeRef *ref, DiskannNearNode *candidates, int n)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		if (DiskannEdgeFind(ref->index, ref->image, candidates[i].node) < 0)
			candidates[kept++] = candidates[i];
	}
	qsort(candidates, kept, sizeof(DiskannNearNode), compare_near);
	return kept;
}

void
DiskannFillEdges(DiskannNodeRef *ref, const float *decoded,
				 DiskannNearNode *candidates, int n)
{
	const DiskannIndex *index = ref->index;
	int			degree = ((DiskannSlot) ref->image)->degree;
	DiskannPrune prune = {index->meta.max_degree, index->meta.alpha,
	DISKANN_PRUNE_BATCH, NULL, NULL, degree};
	DiskannEdgeCode *edges;
	float	   *dist2;
	int			chosen[DISKANN_MAX_DEGREE];
	int			nchosen;
	EdgeGeometry g;

	n = sort_near(ref, candidates, n);
	if (n == 0 || degree == index->meta.max_degree)
		return;
	edges = palloc(sizeof(DiskannEdgeCode) * n);
	dist2 = palloc(sizeof(float) * n);
	for (int i = 0; i < n; i++)
	{
		diskann_edge_encode(&index->shape, decoded, candidates[i].x,
							&edges[i]);
		dist2[i] = candidates[i].dist2;
	}
	make_geometry(&g, index, ref->image, decoded, edges, dist2, n);
	prune.distances = edge_pair_distances;
	prune.arg = &g;
	nchosen = DiskannRobustPrune(&prune, g.dist2, degree + n, chosen);
	for (int i = degree; i < nchosen; i++)
	{
		const DiskannNearNode *near = &candidates[chosen[i] - degree];

		DiskannEdgePut(index, ref->image, i, near->node,
					   &edges[chosen[i] - degree], near->signatures);
	}
	free_geometry(&g);
	pfree(edges);
	pfree(dist2);
}

/* Write edge i (a new one if i is the degree) into the slot open exclusively */
static void
write_edge(DiskannNodeRef *ref, int i, DiskannNode node,
		   const DiskannEdgeCode *edge, const uint8 *signatures)
{
	(void) DiskannNodeEdit(ref);
	DiskannEdgePut(ref->index, ref->image, i, node, edge, signatures);
	DiskannNodeWriteEdges(ref);
}

void
DiskannReadOpen(const DiskannNodeRef *ref, float *x, uint8 *signatures)
{
	const DiskannIndex *index = ref->index;

	diskann_vector_decode(index->kind, DiskannSlotOwn(index, ref->slot),
						  DiskannNodeHead(ref)->scale, index->space.dims, x);
	DiskannCopySignatures(index, ref->slot, signatures);
}

bool
DiskannReadLive(DiskannNodeRef *ref, DiskannNode node, float *x,
				uint8 *signatures)
{
	bool		live;

	DiskannNodeOpen(ref, node, BUFFER_LOCK_SHARE);
	live = DiskannNodeHead(ref)->state == DISKANN_LIVE;
	if (live)
		DiskannReadOpen(ref, x, signatures);
	DiskannNodeClose(ref);
	return live;
}

/*
 * A node that was forced into a full list takes over the edge it displaced, in
 * place of its own last one, which nothing depends on: the node is new.
 * Nothing is locked on entry and exit; the displaced node in share mode, and
 * then the node exclusively, meanwhile.
 */
static void
adopt_edge(DiskannNodeRef *ref, DiskannNode node, const float *x,
		   DiskannNode displaced)
{
	const DiskannIndex *index = ref->index;
	const DiskannSlotData *head;
	float	   *decoded = palloc(sizeof(float) * index->space.dims);
	uint8		signatures[DISKANN_MAX_SIGNATURES];
	DiskannEdgeCode edge;

	if (!DiskannReadLive(ref, displaced, decoded, signatures))
	{
		pfree(decoded);
		return;
	}
	diskann_edge_encode(&index->shape, x, decoded, &edge);
	pfree(decoded);

	DiskannNodeOpen(ref, node, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeHead(ref);
	if (head->state == DISKANN_LIVE &&
		DiskannEdgeFind(index, ref->slot, displaced) < 0)
		write_edge(ref, Min(head->degree, index->meta.max_degree - 1),
				   displaced, &edge, signatures);
	DiskannNodeClose(ref);
}

void
DiskannAddBacklink(DiskannNodeRef *ref, DiskannNode target, DiskannNode node,
				   const DiskannQuery *query, const uint8 *signatures,
				   bool force)
{
	const DiskannIndex *index = ref->index;
	const float *x = query->x;
	const DiskannSlotData *head;
	float	   *decoded = palloc(sizeof(float) * index->space.dims);
	DiskannEdgeCode edge;
	DiskannNode displaced = DISKANN_INVALID_NODE;
	float		dist2;
	int			i;

	Assert(target != node && node != DISKANN_ENTRY_NODE);
	DiskannNodeOpen(ref, target, BUFFER_LOCK_EXCLUSIVE);
	head = DiskannNodeHead(ref);
	if ((head->state == DISKANN_LIVE || head->state == DISKANN_DEAD) &&
		DiskannEdgeFind(index, ref->slot, node) < 0)
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
			i = spare_value_edges(index, ref->slot, signatures, force,
								  edge_to_drop(index, ref->slot, decoded,
											   query, &edge, dist2, force));
			if (force && i < index->meta.max_degree)
				displaced = DiskannSlotNodes(index, ref->slot)[i];
		}
		if (i < index->meta.max_degree)
			write_edge(ref, i, node, &edge, signatures);
	}
	DiskannNodeClose(ref);
	pfree(decoded);
	if (displaced != DISKANN_INVALID_NODE)
		adopt_edge(ref, node, x, displaced);
}

DiskannNode
DiskannLinkEntry(DiskannNodeRef *ref, DiskannNode entry, DiskannNode node,
				 const float *x, const uint8 *signatures, int replace)
{
	const DiskannIndex *index = ref->index;
	const DiskannSlotData *head;
	DiskannNode replaced = DISKANN_INVALID_NODE;

	Assert(replace >= 0 && replace < index->meta.max_degree);
	head = DiskannNodeOpenOwned(ref, entry, BUFFER_LOCK_EXCLUSIVE, DISKANN_ENTRY,
								"an entry node is missing");
	if (DiskannEdgeFind(index, ref->slot, node) < 0)
	{
		DiskannEdgeCode edge;
		float	   *origin = palloc0(sizeof(float) * index->space.dims);
		int			i = head->degree;

		if (i == index->meta.max_degree)
		{
			i = replace;
			replaced = DiskannSlotNodes(index, ref->slot)[i];
		}

		/* Entry nodes lie at the origin. */
		diskann_edge_encode(&index->shape, origin, x, &edge);
		write_edge(ref, i, node, &edge, signatures);
		pfree(origin);
	}
	DiskannNodeClose(ref);
	return replaced;
}
