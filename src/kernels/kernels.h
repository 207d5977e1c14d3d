/*-------------------------------------------------------------------------
 *
 * kernels.h
 *	  The table of distance kernels shared by SQL operators, build, search
 *	  and tests.
 *
 * One translation unit per instruction set fills one table; the scalar table
 * is the reference the others are tested against.  This header and everything
 * in this directory is plain C11: no PostgreSQL header, no allocation, no
 * error.  Rules for every kernel:
 *
 * - pointers need no alignment beyond that of the element type, and for int8
 *   and uint8 data none at all;
 * - exactly n elements are read, never one more (tails are handled by masks
 *   or a scalar loop, never by reading past the end);
 * - n may be 0 (the result is then 0);
 * - float results may differ between instruction sets in the last bits, so a
 *   float result is never stored and compared for equality across machines.
 *   Integer results are exact and equal everywhere;
 * - NaN and infinity in the input give an unspecified value, never a crash.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/kernels.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_KERNELS_H
#define DISKANN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Edges are scored in blocks of this many. */
#define DISKANN_EDGE_BLOCK 32

/* Bytes of one FastScan group (4 dimensions) of one block and one plane. */
#define DISKANN_GROUP_BYTES 16

/* Groups of a tile, the least fastscan32 works on: two bytes an edge. */
#define DISKANN_TILE 4

/* Vectors in a panel, and bytes of four dimensions of all of them. */
#define DISKANN_PANEL 16
#define DISKANN_PANEL_GROUP (4 * DISKANN_PANEL)

/*
 * To select the nearest of many vectors, the low mantissa bits of a distance
 * are replaced by the number of the vector at that distance, its tag: so a
 * minimum of floats brings along whose it is.  So many bits:
 */
#define DISKANN_TAG_BITS 10
#define DISKANN_TAG_MASK ((UINT32_C(1) << DISKANN_TAG_BITS) - 1)

/*
 * Most 4-dimension groups fastscan32 accepts: the sums are 16 bits wide and a
 * table entry is at most 255, 256 * 255 = 65280.
 */
#define DISKANN_MAX_GROUPS 256

/* Factors with which a block of table sums becomes distance estimates. */
typedef struct DiskannEstimateFactors
{
	float		base;			/* squared distance query - node */
	float		step;			/* value of one unit of a table sum */
	float		offset;			/* value of a table sum of zero */
	float		scale;			/* multiplies the half-float rescale factors */
} DiskannEstimateFactors;

typedef struct DiskannKernels
{
	const char *name;			/* "scalar", "avx2", "avx512", "amx", "neon" */

	/* sum of (a[i] - b[i])^2 */
	float		(*l2sq_f32) (const float *a, const float *b, size_t n);
	double		(*l2sq_f64) (const double *a, const double *b, size_t n);

	/* sum of a[i] * b[i] */
	float		(*dot_f32) (const float *a, const float *b, size_t n);
	double		(*dot_f64) (const double *a, const double *b, size_t n);

	/* out = { a.b, a.a, b.b } in one pass */
	void		(*cosine_f32) (const float *a, const float *b, size_t n,
							   float out[3]);
	void		(*cosine_f64) (const double *a, const double *b, size_t n,
							   double out[3]);

	/*
	 * Query (float32) times stored vector: signed bytes, or IEEE half floats.
	 * x has no alignment at all in either.
	 */
	float		(*dot_f32_i8) (const float *q, const int8_t *x, size_t n);
	float		(*dot_f32_f16) (const float *q, const void *x, size_t n);

	/* out[i] = scale * x[i], x as above; half floats are finite. */
	void		(*decode_i8) (const int8_t *x, float scale, size_t n,
							  float *out);
	void		(*decode_f16) (const void *x, float scale, size_t n,
							   float *out);

	/*
	 * Exact integer dot product of signed bytes in -127..127 (-128 is never
	 * stored), n <= 65536.
	 */
	int32_t		(*dot_i8) (const int8_t *a, const int8_t *b, size_t n);

	/* The same for four others at a time. */
	void		(*dot4_i8) (const int8_t *a, const int8_t *const others[4],
							size_t n, int32_t out[4]);

	/*
	 * The same for nrows rows, row_stride bytes apart, against npanels
	 * panels: out[r * out_stride + 16 p + j] for column j of panel p.  A
	 * panel holds DISKANN_PANEL vectors interleaved by groups of four
	 * dimensions: byte 64 g + 4 j + i is dimension 4 g + i of vector j.  Both
	 * are padded with zeroes to ngroups groups.
	 */
	void		(*dot_i8_panels) (const int8_t *rows, size_t nrows,
								  size_t row_stride, const int8_t *panels,
								  size_t npanels, size_t ngroups,
								  int32_t *out, size_t out_stride);

	/*
	 * Squared distances from the dot products of one code with n others: one
	 * has scale and norm2 (of what it stands for, see vector/own_code.h), the
	 * others have theirs in arrays.  In place: dots become floats.
	 */
	void		(*l2sq_of_dots) (void *dots, size_t n, float scale, float norm2,
								 const float *scales, const float *norms2);

	/*
	 * Selection without branches, DISKANN_PANEL columns at a time: of each
	 * column of npanels panels, least has the k least keys so far, in order
	 * (row i of panel p at 16 (k p + i)), and dist one more; its key is the
	 * distance with its last DISKANN_TAG_BITS bits replaced by tag.  No NaN.
	 */
	void		(*keep_least) (float *least, size_t k, const float *dist,
							   uint32_t tag, size_t npanels);

	/*
	 * In-place Walsh-Hadamard transform of n = 2^k floats, scaled by
	 * 1/sqrt(n) so that it is orthonormal (and its own inverse).
	 */
	void		(*fht_f32) (float *x, size_t n);

	/*
	 * Round r = neighbour - node, n coordinates, to u: to signs, or, unless
	 * lo is NULL, to 1.5 with its sign where it exceeds threshold, else to
	 * 0.5. u = hi + lo / 2 in planes of signs, of which nibble g has four,
	 * that of coordinate 4 g + i in bit i: 1 for plus, and 0 beyond n. out =
	 * { u.r, u.node }
	 */
	void		(*encode_edge) (const float *node, const float *neighbour,
								size_t n, float threshold, uint8_t *hi,
								uint8_t *lo, float out[2]);

	/*
	 * FastScan: look up 32 four-bit codes per group and sum.  codes holds
	 * ngroups x 16 bytes, as diskann_scan_cell() says; ngroups is a multiple
	 * of DISKANN_TILE and at most DISKANN_MAX_GROUPS.  lut holds ngroups x 16
	 * entries.  out[j] = sum over g of lut[g][code(g, j)], exact.  (Andre,
	 * Kermarrec, Le Scouarnec: "Cache locality is not enough", VLDB 2015.)
	 */
	void		(*fastscan32) (const uint8_t *codes, const uint8_t *lut,
							   size_t ngroups, uint16_t out[DISKANN_EDGE_BLOCK]);

	/*
	 * 32 distance estimates from table sums:
	 *
	 * w = step * (hi[j] + 0.5 * lo[j]) + offset  (lo may be NULL: no second
	 * plane); out[j] = base + f_add[j] + scale * f_rescale[j] * w
	 *
	 * f_add are float32, f_rescale IEEE half floats, both unaligned.
	 */
	void		(*estimate32) (const uint16_t hi[DISKANN_EDGE_BLOCK],
							   const uint16_t *lo,
							   const void *f_add, const void *f_rescale,
							   const DiskannEstimateFactors *factors,
							   float out[DISKANN_EDGE_BLOCK]);
} DiskannKernels;

/* Where an edge has its codes of the four groups of a tile. */
typedef struct DiskannScanCell
{
	size_t		byte;			/* the first of two */
	size_t		group;			/* that of the first nibble */
	size_t		step;			/* from the group of a nibble to the next's */
} DiskannScanCell;

/*
 * Tiles go in pairs, of which the last may be a single one.  Of each eight
 * edges, one after another, a pair has 16 bytes of its first tile and then 16
 * of its second: two an edge, whose nibbles, low before high, are the groups 0,
 * 2, 4, 6 of the pair in its first tile and 1, 3, 5, 7 in its second, or 0 to 3
 * in a single one.  So bytes of one edge are together, which makes changes
 * cheap to log; and a shuffle within 16 bytes brings together what is looked
 * up in one table, two of which are beside each other, one for each tile.
 */
static inline DiskannScanCell
diskann_scan_cell(size_t ngroups, int edge, size_t tile)
{
	size_t		pair = tile / 2;
	size_t		left = ngroups / DISKANN_TILE - 2 * pair;
	DiskannScanCell cell;

	cell.step = left < 2 ? 1 : 2;
	cell.byte = 8 * pair * DISKANN_GROUP_BYTES +
		16 * (cell.step * (edge / 8) + tile % 2) + 2 * (edge % 8);
	cell.group = 8 * pair + tile % 2;
	return cell;
}

/* The table in use. Set once at load, and again by diskann_kernels_force(). */
extern const DiskannKernels *diskann_kernels;

/*
 * Choose the best table this CPU and operating system can run, or the one
 * named ("auto", "scalar", "avx2", "avx512", "amx", "neon").  False, changing
 * nothing, if the name is not known or cannot run here.
 */
extern bool diskann_kernels_force(const char *name);

/* Table i (0, 1, ...) that can run here, scalar first; NULL past the last. */
extern const DiskannKernels *diskann_kernels_available(int i);

/* Tables, one per translation unit; referenced by dispatch.c alone. */
extern const DiskannKernels diskann_kernels_scalar;
extern const DiskannKernels diskann_kernels_avx2;
extern const DiskannKernels diskann_kernels_avx512;
extern const DiskannKernels diskann_kernels_amx;
extern const DiskannKernels diskann_kernels_neon;

#endif							/* DISKANN_KERNELS_H */
