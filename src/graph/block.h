/*-------------------------------------------------------------------------
 *
 * block.h
 *	  Blocks of vectors, compared all against all.
 *
 * Vectors are int8 codes with their scale and squared length
 * (vector/own_code.h).  Of two blocks that are compared one is packed into
 * panels, so that a row of the other is compared with 16 vectors at a time
 * (kernels.h, dot_i8_panels).
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/block.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BLOCK_H
#define DISKANN_BLOCK_H

/* Some vectors. */
typedef struct DiskannBlock
{
	int			dims;
	int			ngroups;		/* of 4 dimensions, the last padded */
	Size		stride;			/* bytes of a code, 4 * ngroups */
	int			capacity;		/* vectors there is room for */
	int			count;			/* vectors there are; callers may set it to 0 */
	int8	   *codes;			/* row-major, padded with zeroes */
	float	   *scale;			/* of each code */
	float	   *norm2;			/* squared lengths of the decoded vectors */
	int8	   *panels;			/* the same codes, see kernels.h; or NULL */
} DiskannBlock;

/*
 * Append the vectors of some members to a block.  How to get at vectors by
 * their numbers, whatever these mean, is up to the caller of what takes this.
 */
typedef void (*DiskannFetch) (void *arg, const uint32 *members, int n,
							  DiskannBlock *block);

/* An empty block in the current context; panels only if it is to be packed. */
extern DiskannBlock *DiskannBlockCreate(int dims, int capacity, bool packed);
extern void DiskannBlockFree(DiskannBlock *block);

/* Append one vector, copying its code of dims bytes. */
extern void DiskannBlockAdd(DiskannBlock *block, const int8 *code,
							float scale, float norm2);

/* Bring the panels up to date, after vectors have been added. */
extern void DiskannBlockPack(DiskannBlock *block);

/* Length of a row of distances to a packed block: its count, rounded up. */
extern int	DiskannBlockColumns(const DiskannBlock *packed);

/*
 * Squared distances of vectors from..from + n - 1 of rows to those of packed
 * from number first on, which begins a panel: n rows, each with one float for
 * all of packed, DiskannBlockColumns(packed) in all, of which those before
 * first are left alone.  The same two vectors have the same distance whichever
 * of them is the row.
 */
extern void DiskannBlockDistances(const DiskannBlock *rows, int from, int n,
								  const DiskannBlock *packed, int first,
								  float *out);

/* Squared distances of vector a of a block to n others of it. */
extern void DiskannBlockFew(const DiskannBlock *block, int a,
							const int *others, int n, float *out);

#endif							/* DISKANN_BLOCK_H */
