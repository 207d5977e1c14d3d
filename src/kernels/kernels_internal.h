/*-------------------------------------------------------------------------
 *
 * kernels_internal.h
 *	  What the translation units of src/kernels share with each other only.
 *
 * An instruction set that has no version of its own for some kernel, or for
 * some lengths, uses the function of a lower one; those are declared here.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/kernels_internal.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_KERNELS_INTERNAL_H
#define DISKANN_KERNELS_INTERNAL_H

#include "kernels/kernels.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define DISKANN_KERNELS_X86 1
#endif

/* Compilers that know its tiles: GCC 11, clang 12. */
#if defined(DISKANN_KERNELS_X86) && defined(__linux__)
#if (defined(__clang__) && __clang_major__ >= 12) || \
	(!defined(__clang__) && __GNUC__ >= 11)
#define DISKANN_KERNELS_AMX 1
#endif
#endif

/* The NEON table loads half floats as bytes, hence little endian only. */
#if defined(__aarch64__) && defined(__GNUC__) && !defined(__AARCH64EB__)
#define DISKANN_KERNELS_NEON 1
#endif

extern void diskann_fht_f32_scalar(float *x, size_t n);
extern void diskann_decode_f16_scalar(const void *x, float scale, size_t n,
									  float *out);
extern void diskann_l2sq_of_dots_scalar(void *dots, size_t n, float scale,
										float norm2, const float *scales,
										const float *norms2);
extern void diskann_encode_edge_scalar(const float *node,
									   const float *neighbour, size_t n,
									   float threshold, uint8_t *hi,
									   uint8_t *lo, float out[2]);

#ifdef DISKANN_KERNELS_X86
extern void diskann_fht_f32_avx2(float *x, size_t n);
extern void diskann_decode_i8_avx2(const int8_t *x, float scale, size_t n,
								   float *out);
extern void diskann_decode_f16_avx2(const void *x, float scale, size_t n,
									float *out);
extern void diskann_l2sq_of_dots_avx2(void *dots, size_t n, float scale,
									  float norm2, const float *scales,
									  const float *norms2);
extern void diskann_encode_edge_avx2(const float *node, const float *neighbour,
									 size_t n, float threshold, uint8_t *hi,
									 uint8_t *lo, float out[2]);
extern void diskann_fastscan32_avx2(const uint8_t *codes, const uint8_t *lut,
									size_t ngroups,
									uint16_t out[DISKANN_EDGE_BLOCK]);
extern void diskann_fastscan32_avx512(const uint8_t *codes, const uint8_t *lut,
									  size_t ngroups,
									  uint16_t out[DISKANN_EDGE_BLOCK]);
#endif

#ifdef DISKANN_KERNELS_AMX
extern void diskann_dot_i8_panels_amx(const int8_t *rows, size_t nrows,
									  size_t row_stride, const int8_t *panels,
									  size_t npanels, size_t ngroups,
									  int32_t *out, size_t out_stride);
extern bool diskann_amx_runs_here(void);
#endif

#endif							/* DISKANN_KERNELS_INTERNAL_H */
