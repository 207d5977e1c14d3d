/*-------------------------------------------------------------------------
 *
 * shim.c
 *	  Memory contexts for programs without PostgreSQL.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/shim/shim.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

/* PostgreSQL's limit of what is not asked for as huge. */
#define MAX_ALLOC_SIZE ((Size) 0x3fffffff)

#define GARBAGE 0x7F
#define FENCE 0x7E
#define FENCE_SIZE 16

/* In front of each chunk; behind it is a fence. */
typedef struct Chunk
{
	struct Chunk *previous;
	struct Chunk *next;
	MemoryContext context;
	Size		size;
} Chunk;

typedef struct MemoryContextData
{
	Chunk		chunks;			/* the ring's head, no chunk itself */
	Size		bytes;
} MemoryContextData;

static MemoryContextData top = {{&top.chunks, &top.chunks, &top, 0}, 0};

long		shim_interrupt_checks = 0;

void
shim_fail(const char *what, const char *file, int line)
{
	printf("FAILED: %s, %s:%d\n", what, file, line);
	fflush(stdout);
	abort();
}

static void *
allocate(MemoryContext context, Size size, int flags)
{
	Chunk	   *chunk = malloc(sizeof(Chunk) + size + FENCE_SIZE);

	Assert(chunk != NULL);
	Assert(size <= MAX_ALLOC_SIZE || (flags & MCXT_ALLOC_HUGE));
	memset(chunk + 1, flags & MCXT_ALLOC_ZERO ? 0 : GARBAGE, size);
	memset((char *) (chunk + 1) + size, FENCE, FENCE_SIZE);
	chunk->context = context;
	chunk->size = size;
	chunk->previous = &context->chunks;
	chunk->next = context->chunks.next;
	chunk->previous->next = chunk->next->previous = chunk;
	context->bytes += size;
	return chunk + 1;
}

void
pfree(void *pointer)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;
	const char *fence = (char *) pointer + chunk->size;

	for (int i = 0; i < FENCE_SIZE; i++)
		Assert(fence[i] == FENCE);
	chunk->previous->next = chunk->next;
	chunk->next->previous = chunk->previous;
	chunk->context->bytes -= chunk->size;
	free(chunk);
}

static void *
reallocate(void *pointer, Size size, int flags)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;
	void	   *result = allocate(chunk->context, size, flags);

	memcpy(result, pointer, Min(size, chunk->size));
	pfree(pointer);
	return result;
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return allocate(context, size, 0);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return allocate(context, size, MCXT_ALLOC_ZERO);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return allocate(context, size, MCXT_ALLOC_HUGE);
}

void *
palloc(Size size)
{
	return allocate(&top, size, 0);
}

void *
palloc0(Size size)
{
	return allocate(&top, size, MCXT_ALLOC_ZERO);
}

void *
palloc_extended(Size size, int flags)
{
	return allocate(&top, size, flags);
}

void *
repalloc(void *pointer, Size size)
{
	return reallocate(pointer, size, 0);
}

void *
repalloc_huge(void *pointer, Size size)
{
	return reallocate(pointer, size, MCXT_ALLOC_HUGE);
}

MemoryContext
shim_create_context(void)
{
	MemoryContext context = malloc(sizeof(MemoryContextData));

	Assert(context != NULL);
	context->chunks.previous = context->chunks.next = &context->chunks;
	context->bytes = 0;
	return context;
}

void
shim_delete_context(MemoryContext context)
{
	while (context->chunks.next != &context->chunks)
		pfree(context->chunks.next + 1);
	free(context);
}

Size
shim_bytes(MemoryContext context)
{
	return context != NULL ? context->bytes : top.bytes;
}
