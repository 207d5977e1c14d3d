/*-------------------------------------------------------------------------
 *
 * postgres.h
 *	  What src/graph and src/values/set.c use of PostgreSQL's postgres.h, for
 *	  programs without it.
 *
 * Memory is checked: a chunk comes filled with garbage unless zeroes are asked
 * for, and an overrun of it ends the program when it is freed.  Assertions are
 * always on.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/shim/postgres.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SHIM_POSTGRES_H
#define DISKANN_SHIM_POSTGRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int8_t int8;
typedef int16_t int16;
typedef int32_t int32;
typedef int64_t int64;
typedef uint8_t uint8;
typedef uint16_t uint16;
typedef uint32_t uint32;
typedef uint64_t uint64;
typedef size_t Size;

#define UINT64CONST(x) UINT64_C(x)
#define Min(x, y) ((x) < (y) ? (x) : (y))
#define Max(x, y) ((x) > (y) ? (x) : (y))
#define TYPEALIGN(size, n) (((n) + (size) - 1) / (size) * (size))
#define likely(x) __builtin_expect((x) != 0, 1)
#define unlikely(x) __builtin_expect((x) != 0, 0)
#define StaticAssertStmt(condition, message) \
	do { _Static_assert(condition, message); } while (0)
#define Assert(condition) \
	((condition) ? (void) 0 : shim_fail(#condition, __FILE__, __LINE__))

/* Tell of a failure, and end the program. */
extern void shim_fail(const char *what, const char *file, int line)
			__attribute__((noreturn));

typedef struct MemoryContextData *MemoryContext;

#define MCXT_ALLOC_HUGE 0x01
#define MCXT_ALLOC_ZERO 0x04

/* Those without a context use the one of the program's beginning. */
extern void *MemoryContextAlloc(MemoryContext context, Size size);
extern void *MemoryContextAllocZero(MemoryContext context, Size size);
extern void *MemoryContextAllocHuge(MemoryContext context, Size size);
extern void *palloc(Size size);
extern void *palloc0(Size size);
extern void *palloc_extended(Size size, int flags);
extern void *repalloc(void *pointer, Size size);
extern void *repalloc_huge(void *pointer, Size size);
extern void pfree(void *pointer);

/* A context to give to what is tested; deleting one frees its chunks. */
extern MemoryContext shim_create_context(void);
extern void shim_delete_context(MemoryContext context);

/* Bytes allocated in a context (NULL: without one) and not yet freed. */
extern Size shim_bytes(MemoryContext context);

/* How often CHECK_FOR_INTERRUPTS() has been called. */
extern long shim_interrupt_checks;

#endif							/* DISKANN_SHIM_POSTGRES_H */
