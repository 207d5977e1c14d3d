/*-------------------------------------------------------------------------
 *
 * layout.c
 *	  Where the parts of a slot lie, and how slots lie on pages.
 *
 * place_arrays() alone computes offsets.  A layout is chosen once, when an
 * index gets its first row, and stored in the metapage.  To change how it is
 * chosen concerns only indexes that get their first row afterwards, and needs
 * no new format version; to change what an offset means does.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/layout.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/layout.h"
#include "vector/own_code.h"
#include "vector/space.h"

/*
 * What an edge code should have when it is decided how many slots a page holds,
 * what it keeps when own vectors become finer than int8 at its expense, and
 * what it grows to before others.
 */
#define EDGE_BITS_WANTED 384
#define EDGE_BITS_KEPT 320
#define EDGE_BITS_ENOUGH 512

/* Up to this many dimensions two bits a dimension are worth their place. */
#define TWO_BIT_DIMS 256

DiskannEdgeShape
DiskannLayoutShape(const DiskannMetaPageData *meta)
{
	DiskannEdgeShape shape;

	shape.dims = meta->space_dims;
	shape.code_dims = meta->code_dims;
	shape.planes = meta->planes;
	shape.groups = diskann_edge_groups(meta->code_dims);
	return shape;
}

Size
DiskannCentreBytes(const DiskannMetaPageData *meta)
{
	return meta->space_dims * sizeof(float);
}

uint32
DiskannCentrePages(const DiskannMetaPageData *meta)
{
	return (DiskannCentreBytes(meta) + DISKANN_PAGE_BYTES - 1) /
		DISKANN_PAGE_BYTES;
}

/* Bytes of all edge codes of a slot. */
static Size
codes_bytes(const DiskannMetaPageData *meta)
{
	DiskannEdgeShape shape = DiskannLayoutShape(meta);

	return diskann_edge_bytes(&shape, meta->max_degree);
}

/*
 * Place the values of filter columns and the node's marks behind the head;
 * returns their end, aligned for what follows.
 */
static Size
place_filters(DiskannMetaPageData *meta)
{
	for (int i = 0; i < meta->nfilters; i++)
	{
		meta->filters[i].value_bytes = sizeof(uint64);
		meta->filters[i].value_offset = DISKANN_SLOT_HEADER +
			sizeof(uint64) * i;
	}
	return INTALIGN(DiskannMarksOffset(meta) + DiskannMarksBytes(meta));
}

/* Bytes of the signatures of a column beside edges. */
static Size
signature_bytes(const DiskannMetaPageData *meta, int column)
{
	return meta->max_degree * (DiskannSignaturesBefore(meta, column + 1) -
							   DiskannSignaturesBefore(meta, column));
}

/* Place the signatures beside edges; returns their end. */
static Size
place_signatures(DiskannMetaPageData *meta, Size offset)
{
	for (int i = 0; i < meta->nfilters; i++)
	{
		meta->filters[i].signature_bytes = signature_bytes(meta, i);
		meta->filters[i].signature_offset = offset;
		offset += meta->filters[i].signature_bytes;
	}
	return offset;
}

/*
 * Place the arrays of a slot one after another, for edge codes of code_dims
 * coordinates and an own vector of this kind.  Returns the size of the slot.
 * As max_degree is a multiple of 32, every array is aligned for its elements.
 */
static Size
place_arrays(DiskannMetaPageData *meta, int code_dims, DiskannVectorKind kind)
{
	meta->code_dims = code_dims;
	meta->vector_kind = kind;
	meta->add_offset = place_filters(meta);
	meta->rescale_offset = meta->add_offset + sizeof(float) * meta->max_degree;
	meta->nodes_offset = meta->rescale_offset +
		sizeof(uint16) * meta->max_degree;
	meta->codes_offset = place_signatures(meta, meta->nodes_offset +
										  sizeof(DiskannNode) * meta->max_degree);
	meta->own_offset = meta->codes_offset + codes_bytes(meta);
	meta->own_bytes = diskann_vector_bytes(kind, meta->space_dims);
	meta->slot_size = MAXALIGN(meta->own_offset + meta->own_bytes);
	meta->max_tids = (Min(meta->slot_size, DISKANN_PAGE_BYTES) -
					  DISKANN_SLOT_HEADER) / sizeof(ItemPointerData);
	return meta->slot_size;
}

/* The size of such a slot without filter columns. */
static Size
bare_size(const DiskannMetaPageData *meta, int code_dims,
		  DiskannVectorKind kind)
{
	DiskannMetaPageData bare = *meta;

	bare.nfilters = 0;
	return place_arrays(&bare, code_dims, kind);
}

/* Slots of this size lie so on pages; returns the room that each has. */
static Size
set_slots(DiskannMetaPageData *meta, Size size)
{
	Size		budget;

	meta->slots_per_page = Max(1, DISKANN_PAGE_BYTES / size);
	meta->pages_per_slot = (size + DISKANN_PAGE_BYTES - 1) / DISKANN_PAGE_BYTES;
	budget = meta->pages_per_slot * DISKANN_PAGE_BYTES / meta->slots_per_page;
	return budget - budget % MAXIMUM_ALIGNOF;
}

/*
 * As many slots to a page as without filter columns, if edge codes that leave
 * room for these keep three quarters of what they should have, and the user has
 * not asked for more; else as many as there are room for.  Returns the room of
 * a slot; *code_dims becomes what fits.
 */
static Size
choose_slots(DiskannMetaPageData *meta, int *code_dims, bool choose_bits,
			 DiskannVectorKind kind)
{
	Size		budget = set_slots(meta, bare_size(meta, *code_dims, kind));
	int			least = choose_bits ? Max(*code_dims * 3 / 4, 1) : *code_dims;
	int			dims = *code_dims;

	while (place_arrays(meta, dims, kind) > budget && dims - 4 >= least)
		dims -= 4;
	if (meta->slot_size <= budget)
		*code_dims = dims;
	else
		budget = set_slots(meta, place_arrays(meta, *code_dims, kind));
	return budget;
}

/*
 * Behind the centre there is a page of ranges for each filter column that has
 * some, and then the nodes, by regions of as many as a page of the map
 * describes.  Whole pages of nodes belong to a region.
 */
static void
place_regions(DiskannMetaPageData *meta, bool ranges)
{
	meta->first_block = DISKANN_METAPAGE_BLKNO + 1 + DiskannCentrePages(meta);
	meta->region_nodes = 0;
	if (meta->nfilters == 0)
		return;
	for (int i = 0; i < meta->nfilters; i++)
		meta->filters[i].ranges = ranges &&
			DiskannHasOrder(&meta->filters[i]) ?
			meta->first_block++ : 0;
	meta->region_nodes = DISKANN_PAGE_BYTES / DiskannMarksBytes(meta);
	meta->region_nodes -= meta->region_nodes % meta->slots_per_page;
}

/* Let edge codes grow up to most coordinates as long as a slot fits budget. */
static void
grow_code(DiskannMetaPageData *meta, int most, Size budget)
{
	while ((int) meta->code_dims < most)
	{
		int			code_dims = meta->code_dims;

		if (place_arrays(meta, Min(code_dims + 4, most),
						 meta->vector_kind) <= budget)
			continue;
		place_arrays(meta, code_dims, meta->vector_kind);
		break;
	}
}

/* Take the most precise own vector, of those up to most, that fits budget. */
static void
refine_vector(DiskannMetaPageData *meta, DiskannVectorKind most, Size budget)
{
	while (place_arrays(meta, meta->code_dims, most) > budget &&
		   most > DISKANN_INT8)
		most--;
}

/* Coordinates of an edge code to start from, and the most there may be. */
static int
first_code_dims(const DiskannMetaPageData *meta, int *most)
{
	int			wanted;

	*most = Min((int) meta->space_dims, DISKANN_MAX_EDGE_BITS / meta->planes);
	if (meta->prefix_dims > 0)
		*most = Min(*most, (int) meta->prefix_dims);
	if (meta->edge_bits > 0)
		return Min(*most, meta->edge_bits / meta->planes);

	/* Whole tiles, if many: filling up the last may cost a page a slot. */
	wanted = Min(*most, meta->planes == 2 ? TWO_BIT_DIMS :
				 EDGE_BITS_WANTED / meta->planes);
	return wanted < 4 * DISKANN_TILE_DIMS ? wanted : wanted - wanted % DISKANN_TILE_DIMS;
}

/*
 * Start with int8 and the edge bits wanted, and see how many slots a page
 * holds, or pages a slot takes.  int10 comes first, as long as edge codes keep
 * enough: with int8 more rows have to be looked at because their order is in
 * doubt.  Then what is left of the page is spent on enough edge bits, on a
 * finer own vector, and on more edge bits, in that order.  What the user asked
 * for is not touched.
 */
void
DiskannChooseLayout(DiskannMetaPageData *meta, int input_dims, bool ranges)
{
	bool		choose_bits = meta->edge_bits == 0;
	bool		choose_kind = meta->vector_storage == 0;
	int			most;
	int			code_dims;
	int			enough;
	Size		budget;

	meta->dims = input_dims;
	meta->space_dims = diskann_space_dims(meta->metric, input_dims);
	meta->code_scheme = DISKANN_CODE_SCHEME;
	meta->planes = meta->bits_per_dimension ? meta->bits_per_dimension :
		(meta->space_dims <= TWO_BIT_DIMS + 1 ? 2 : 1);
	code_dims = first_code_dims(meta, &most);

	budget = choose_slots(meta, &code_dims, choose_bits,
						  choose_kind ? DISKANN_INT8 : meta->vector_storage);
	enough = Max(code_dims, Min(most, EDGE_BITS_ENOUGH / meta->planes));
	if (choose_bits)
		place_arrays(meta, Min(code_dims, EDGE_BITS_KEPT / meta->planes),
					 meta->vector_kind);
	if (choose_kind)
		refine_vector(meta, DISKANN_INT10, budget);
	if (choose_bits)
		grow_code(meta, enough, budget);
	if (choose_kind)
		refine_vector(meta, meta->vector_limit ? meta->vector_limit :
					  DISKANN_FLOAT32, budget);
	if (choose_bits)
		grow_code(meta, most, budget);

	place_regions(meta, ranges);
	Assert(meta->slot_size <= budget);
	Assert(DiskannLayoutProblem(meta) == NULL);
}

/* ---------- checking what was read ---------- */

/* Are dimensions, codes and the kind of the own vector possible? */
static bool
codes_are_possible(const DiskannMetaPageData *meta)
{
	return meta->dims >= 1 && meta->dims <= DISKANN_MAX_DIMS &&
		(int) meta->space_dims == diskann_space_dims(meta->metric,
													 meta->dims) &&
		meta->planes >= 1 && meta->planes <= 2 &&
		meta->code_dims >= 1 && meta->code_dims <= meta->space_dims &&
		meta->code_dims * meta->planes <= DISKANN_MAX_EDGE_BITS &&
		meta->vector_kind >= DISKANN_INT8 &&
		meta->vector_kind <= DISKANN_FLOAT32;
}

/* Does an array of some bytes lie between two aligned places? */
static bool
array_fits(uint64 offset, uint64 bytes, uint64 end)
{
	return offset % sizeof(float) == 0 && offset + bytes <= end;
}

/*
 * Do the values of filter columns lie one after another, and with what is
 * behind them between the head and the arrays, and their signatures likewise
 * between those of node numbers and codes?
 */
static bool
filters_fit(const DiskannMetaPageData *meta)
{
	uint64		start = DiskannFiltersOffset(meta);
	uint64		signatures = meta->nodes_offset +
		sizeof(DiskannNode) * (uint64) meta->max_degree;

	for (int i = 0; i < meta->nfilters; i++)
	{
		const DiskannFilterColumn *filter = &meta->filters[i];

		if (filter->value_bytes != sizeof(uint64) ||
			filter->value_offset != start + sizeof(uint64) * i ||
			filter->signature_bytes != signature_bytes(meta, i) ||
			filter->signature_offset != signatures)
			return false;
		signatures += filter->signature_bytes;
	}
	return start >= DISKANN_SLOT_HEADER &&
		array_fits(start, DiskannMarksOffset(meta) + DiskannMarksBytes(meta) -
				   start, meta->add_offset) &&
		signatures <= meta->codes_offset;
}

static bool
arrays_fit(const DiskannMetaPageData *meta)
{
	uint64		degree = meta->max_degree;

	return filters_fit(meta) &&
		array_fits(meta->add_offset, degree * sizeof(float),
				   meta->rescale_offset) &&
		array_fits(meta->rescale_offset, degree * sizeof(uint16),
				   meta->nodes_offset) &&
		array_fits(meta->nodes_offset, degree * sizeof(DiskannNode),
				   meta->codes_offset) &&
		array_fits(meta->codes_offset, codes_bytes(meta), meta->own_offset) &&
		array_fits(meta->own_offset, meta->own_bytes, meta->slot_size) &&
		meta->own_bytes == diskann_vector_bytes(meta->vector_kind,
												meta->space_dims);
}

static bool
slots_fit(const DiskannMetaPageData *meta)
{
	uint64		pages = meta->pages_per_slot;
	uint64		slots = meta->slots_per_page;
	uint64		first_part = Min(meta->slot_size, DISKANN_PAGE_BYTES);

	return pages >= 1 && slots >= 1 && (pages == 1 || slots == 1) &&
		meta->slot_size % MAXIMUM_ALIGNOF == 0 &&
		meta->slot_size * slots <= DISKANN_PAGE_BYTES * pages &&
		meta->slot_size > DISKANN_PAGE_BYTES * (pages - 1) &&
		meta->max_tids >= 1 &&
		DISKANN_SLOT_HEADER + meta->max_tids * sizeof(ItemPointerData) <=
		first_part;
}

/*
 * Do the pages of ranges follow the centre, and does a region have whole pages
 * of nodes, and its marks fit a page?  Called once slots are known to fit.
 */
static bool
regions_fit(const DiskannMetaPageData *meta)
{
	uint64		block = DISKANN_METAPAGE_BLKNO + 1 + DiskannCentrePages(meta);

	for (int i = 0; i < meta->nfilters; i++)
	{
		if (meta->filters[i].ranges == 0)
			continue;
		if (!DiskannHasOrder(&meta->filters[i]) ||
			meta->filters[i].ranges != block++)
			return false;
	}
	return meta->first_block == block &&
		(meta->nfilters > 0) == (meta->region_nodes > 0) &&
		meta->region_nodes % meta->slots_per_page == 0 &&
		meta->region_nodes * DiskannMarksBytes(meta) <= DISKANN_PAGE_BYTES;
}

const char *
DiskannLayoutProblem(const DiskannMetaPageData *meta)
{
	if (!codes_are_possible(meta))
		return "metapage has impossible dimensions or codes";
	if (!arrays_fit(meta) || !slots_fit(meta) || !regions_fit(meta))
		return "metapage has an impossible layout";
	return NULL;
}
