/*-------------------------------------------------------------------------
 *
 * visit.c
 *	  Visiting a node with a query.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/visit.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "kernels/kernels.h"
#include "store/edges.h"
#include "store/visit.h"

void
DiskannQueryInit(DiskannQuery *query, const DiskannIndex *index)
{
	query->x = palloc(sizeof(float) * index->space.dims);
	query->edges.lut = palloc((Size) index->shape.groups *
							  DISKANN_GROUP_BYTES);
}

void
DiskannVisitInit(DiskannVisit *visit, const DiskannIndex *index)
{
	visit->nodes = palloc(sizeof(DiskannNode) * index->meta.max_degree);
	visit->estimates = palloc(sizeof(float) * index->meta.max_degree);
	visit->signatures = NULL;
	visit->wants_signatures = false;
}

void
DiskannVisitInitSignatures(DiskannVisit *visit, const DiskannIndex *index)
{
	visit->signatures = palloc0((Size) DiskannSignatureCount(&index->meta) *
								index->meta.max_degree + 1);
}

void
DiskannVisitSignatures(const DiskannIndex *index, const char *slot, int degree,
					   DiskannVisit *visit)
{
	const DiskannMetaPageData *meta = &index->meta;

	for (int i = 0; i < DiskannSignatureCount(meta); i++)
		memcpy(visit->signatures + i * meta->max_degree,
			   DiskannSlotSignatures(meta, slot, i), degree);
}

void
DiskannSeekSignatures(const DiskannIndex *index, const uint8 *signatures,
					  const DiskannSought *sought, int degree, bool *may_match)
{
	const DiskannMetaPageData *meta = &index->meta;

	memset(may_match, true, degree);
	for (int i = 0; i < meta->nfilters; i++)
	{
		bool		is_set = meta->filters[i].kind == DISKANN_FILTER_SET;

		for (int edge = 0; edge < degree; edge++)
			may_match[edge] &= is_set ?
				DiskannIsPatternSought(&sought[i],
									   DiskannPattern(&signatures[edge],
													  meta->max_degree),
									   DISKANN_PATTERN_OF_SIGNATURES) :
				DiskannIsSought(&sought[i], signatures[edge]);
		signatures += meta->filters[i].signature_bytes;
	}
}

void
DiskannQueryPrepare(DiskannQuery *query, const DiskannIndex *index)
{
	diskann_edge_query(&index->shape, query->x, query->edges.lut,
					   &query->edges);
}

void
DiskannQueryPrepareVector(DiskannQuery *query, const DiskannIndex *index)
{
	query->norm2 = diskann_kernels->dot_f32(query->x, query->x,
											index->space.dims);
	DiskannQueryPrepare(query, index);
}

/* The squared distance to the vector of the open slot; head is its copy. */
static float
own_distance(const DiskannNodeRef *ref, const DiskannQuery *query,
			 const DiskannSlotData *head)
{
	const DiskannIndex *index = ref->index;

	return diskann_vector_distance(index->kind, query->x, query->norm2,
								   DiskannSlotOwn(index, ref->slot),
								   head->scale, head->norm2,
								   index->space.dims);
}

/* Read all a visit yields from the open slot, and close it. */
static bool
read_open_node(DiskannNodeRef *ref, const DiskannQuery *query,
			   DiskannVisit *visit, void *own)
{
	const DiskannIndex *index = ref->index;
	const char *slot = ref->slot;

	memcpy(&visit->head, slot, sizeof(DiskannSlotData));
	if (visit->head.state == DISKANN_FREE ||
		visit->head.state == DISKANN_TIDS ||
		visit->head.state == DISKANN_PORCH)
	{
		DiskannNodeClose(ref);
		return false;
	}
	DiskannSlotFilters(index, slot, &visit->filters);
	DiskannCopySignatures(index, slot, visit->own_signatures);
	visit->dist2 = own_distance(ref, query, &visit->head);
	visit->degree = visit->head.degree;
	memcpy(visit->nodes, DiskannSlotNodes(index, slot),
		   sizeof(DiskannNode) * visit->degree);
	diskann_edge_estimate(&index->shape, &query->edges,
						  DiskannSlotCodes(index, slot),
						  DiskannSlotAdd(index, slot),
						  DiskannSlotRescale(index, slot), visit->dist2,
						  visit->head.edge_scale, visit->degree,
						  visit->estimates);
	if (visit->wants_signatures)
		DiskannVisitSignatures(index, slot, visit->degree, visit);
	if (own)
		memcpy(own, DiskannSlotOwn(index, slot), index->meta.own_bytes);
	DiskannNodeClose(ref);
	return true;
}

bool
DiskannVisitNode(DiskannNodeRef *ref, const DiskannQuery *query,
				 DiskannNode node, DiskannVisit *visit, void *own)
{
	DiskannNodeOpen(ref, node, BUFFER_LOCK_SHARE);
	return read_open_node(ref, query, visit, own);
}

bool
DiskannMeasureNext(DiskannNodeRef *ref, const DiskannQuery *query,
				   DiskannNode node, DiskannVisit *visit)
{
	bool		live;

	if (!DiskannNodeOpenNext(ref, node, BUFFER_LOCK_SHARE, NULL))
		return false;
	memcpy(&visit->head, ref->slot, sizeof(DiskannSlotData));
	live = visit->head.state == DISKANN_LIVE;
	if (live)
	{
		DiskannSlotFilters(ref->index, ref->slot, &visit->filters);
		visit->dist2 = own_distance(ref, query, &visit->head);
	}
	visit->degree = 0;
	DiskannNodeClose(ref);
	return live;
}

bool
DiskannCopyNext(DiskannNodeRef *ref, DiskannNode node, DiskannSlotData *head,
				void *own)
{
	bool		live;

	if (!DiskannNodeOpenNext(ref, node, BUFFER_LOCK_SHARE, NULL))
		return false;
	memcpy(head, ref->slot, sizeof(DiskannSlotData));
	live = head->state == DISKANN_LIVE;
	if (live)
		memcpy(own, DiskannSlotOwn(ref->index, ref->slot),
			   ref->index->meta.own_bytes);
	DiskannNodeClose(ref);
	return live;
}
