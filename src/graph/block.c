/*-------------------------------------------------------------------------
 *
 * block.c
 *	  Blocks of vectors, compared all against all.
 *
 * Nearly all time of a build goes into distances between vectors that it
 * compares with many others.  So vectors are copied into blocks, where they
 * lie one after another in the order in which the kernels read them, and
 * distances are computed as matrix products of int8 codes:
 *
 *		|a - b|^2 = |a|^2 + |b|^2 - 2 * scale_a * scale_b * <code_a, code_b>
 *
 * with |.|^2 of what the codes stand for.  That is exact but for the last
 * step, so it does not depend on which instructions computed the products.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/block.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "graph/block.h"
#include "kernels/kernels.h"

DiskannBlock *
DiskannBlockCreate(int dims, int capacity, bool packed)
{
	DiskannBlock *block = palloc0(sizeof(DiskannBlock));
	Size		columns = TYPEALIGN(DISKANN_PANEL, capacity);

	/*
	 * Only what pads vectors has to be zero: 0 to 3 bytes that the kernels
	 * multiply, too.  Where there are none, clearing would only cost time.
	 */
	int			flags = MCXT_ALLOC_HUGE | (dims % 4 ? MCXT_ALLOC_ZERO : 0);

	block->dims = dims;
	block->ngroups = (dims + 3) / 4;
	block->stride = 4 * (Size) block->ngroups;
	block->capacity = capacity;
	block->codes = palloc_extended(Max(block->stride * capacity, 1), flags);
	block->scale = palloc0(sizeof(float) * columns);
	block->norm2 = palloc0(sizeof(float) * columns);
	if (packed)
		block->panels = palloc_extended(block->stride * columns, flags);
	return block;
}

void
DiskannBlockFree(DiskannBlock *block)
{
	pfree(block->codes);
	pfree(block->scale);
	pfree(block->norm2);
	if (block->panels)
		pfree(block->panels);
	pfree(block);
}

void
DiskannBlockAdd(DiskannBlock *block, const int8 *code, float scale,
				float norm2)
{
	int			i = block->count++;

	Assert(i < block->capacity);
	memcpy(block->codes + i * block->stride, code, block->dims);
	block->scale[i] = scale;
	block->norm2[i] = norm2;
}

void
DiskannBlockPack(DiskannBlock *block)
{
	Assert(block->panels != NULL && block->count <= block->capacity);

	/*
	 * Columns of the last panel that belong to no vector stay as they are:
	 * what is computed for them nobody looks at.
	 */
	for (int i = 0; i < block->count; i++)
	{
		const int8 *code = block->codes + i * block->stride;
		int8	   *column = block->panels +
		i / DISKANN_PANEL * DISKANN_PANEL * block->stride +
		i % DISKANN_PANEL * 4;

		for (int g = 0; g < block->ngroups; g++)
			memcpy(column + g * DISKANN_PANEL_GROUP, code + 4 * g, 4);
	}
}

int
DiskannBlockColumns(const DiskannBlock *packed)
{
	return TYPEALIGN(DISKANN_PANEL, packed->count);
}

void
DiskannBlockDistances(const DiskannBlock *rows, int from, int n,
					  const DiskannBlock *packed, int first, float *out)
{
	int			columns = DiskannBlockColumns(packed);

	Assert(first % DISKANN_PANEL == 0 && first < columns);
	Assert(from >= 0 && from + n <= rows->count);
	Assert(rows->dims == packed->dims && packed->panels != NULL);

	/* Products are computed into out, and replaced by distances there. */
	StaticAssertStmt(sizeof(int32) == sizeof(float),
					 "dots become distances in place");
	diskann_kernels->dot_i8_panels(rows->codes + from * rows->stride, n,
								   rows->stride,
								   packed->panels + first * packed->stride,
								   (columns - first) / DISKANN_PANEL,
								   packed->ngroups, (int32 *) out + first,
								   columns);
	for (int r = 0; r < n; r++)
		diskann_kernels->l2sq_of_dots(out + (Size) r * columns + first,
									  columns - first, rows->scale[from + r],
									  rows->norm2[from + r],
									  packed->scale + first,
									  packed->norm2 + first);
}

void
DiskannBlockFew(const DiskannBlock *block, int a, const int *others, int n,
				float *out)
{
	const int8 *code = block->codes + a * block->stride;

	for (int from = 0; from < n; from += 4)
	{
		const int8 *four[4];
		int32		dots[4];

		/* The kernel takes four: the last one is repeated. */
		Assert(a < block->count && others[from] < block->count);
		for (int k = 0; k < 4; k++)
			four[k] = block->codes +
				others[Min(from + k, n - 1)] * block->stride;
		diskann_kernels->dot4_i8(code, four, block->dims, dots);
		for (int k = 0; k < Min(4, n - from); k++)
		{
			int			b = others[from + k];
			float		dist = (block->norm2[a] + block->norm2[b]) -
			2 * block->scale[a] * block->scale[b] * dots[k];

			/* Rounding may bring a very small one below zero. */
			out[from + k] = Max(dist, 0);
		}
	}
}
