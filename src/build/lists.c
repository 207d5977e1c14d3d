/*-------------------------------------------------------------------------
 *
 * lists.c
 *	  CREATE INDEX: lists of candidates in temporary files.
 *
 * Lists are found section by section but needed node by node, and are most of
 * what a build writes: some two kilobytes a row.  Instead of being sorted they
 * are written to blocks of one group each, so that all lists of a group, which
 * fit into memory, can be read without reading any other.  Within a group they
 * come in any order.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/lists.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/lists.h"

/* A list that is cut by the end of a block has at least so many candidates. */
#define LEAST_PIECE 8

struct ListWriter
{
	BuildState *state;
	DiskannSpool *file;			/* blocks */
	DiskannSpool *directory;	/* the group of each of them */
	char	   *blocks;			/* being filled, one for each group */
	uint32	   *used;			/* bytes of each */
};

/* Where the blocks of one participant are. */
typedef struct Directory
{
	uint32		nblocks;
	uint32	   *group;			/* of each block */
} Directory;

struct ListReader
{
	BuildState *state;
	Directory  *directories;	/* of each participant */
	char	   *block;			/* room for one */
	uint32		group;			/* at work */
	Size		nblocks;		/* of it, in memory; 0: they are not */
	char	   *blocks;
};

/* What is done with each block of a group. */
typedef void (*BlockCallback) (void *arg, const char *block);

ListWriter *
DiskannStartLists(BuildState *state)
{
	ListWriter *writer = palloc(sizeof(ListWriter));
	uint32		ngroups = state->shared->ngroups;

	writer->state = state;
	writer->file = DiskannBuildCreateFile(state, FILE_CANDIDATES);
	writer->directory = DiskannBuildCreateFile(state, FILE_DIRECTORY);
	writer->blocks = palloc_extended(ngroups * state->shared->list_block,
									 MCXT_ALLOC_HUGE);
	writer->used = palloc0(sizeof(uint32) * ngroups);
	return writer;
}

/* Append a group's block to the file, and begin another. */
static void
flush_block(ListWriter *writer, uint32 group)
{
	Size		size = writer->state->shared->list_block;
	char	   *block = writer->blocks + group * size;

	memset(block + writer->used[group], 0, size - writer->used[group]);
	DiskannSpoolAppend(writer->file, block, size);
	DiskannSpoolAppend(writer->directory, &group, sizeof(group));
	writer->used[group] = 0;
}

void
DiskannWriteList(ListWriter *writer, uint32 group, uint32 owner,
				 BuildRange range, const DiskannCandidate *candidates, int n)
{
	Size		size = writer->state->shared->list_block;

	Assert(group < writer->state->shared->ngroups);
	while (n > 0)
	{
		int			bytes = (int) size - (int) writer->used[group] -
		(int) sizeof(BuildList);
		int			room = bytes / (int) sizeof(DiskannCandidate);
		int			take = Min(n, room);
		BuildList  *list;

		/* Rather a new block than short pieces of a list. */
		if (room < Min(n, LEAST_PIECE))
		{
			flush_block(writer, group);
			continue;
		}
		list = (BuildList *) (writer->blocks + group * size +
							  writer->used[group]);
		list->owner = owner;
		list->count = take;
		list->range = range;
		memcpy(list->candidates, candidates, sizeof(DiskannCandidate) * take);
		writer->used[group] += sizeof(BuildList) +
			sizeof(DiskannCandidate) * take;
		Assert(writer->used[group] <= size);
		candidates += take;
		n -= take;
	}
}

void
DiskannFinishLists(ListWriter *writer)
{
	for (uint32 group = 0; group < writer->state->shared->ngroups; group++)
	{
		if (writer->used[group] > 0)
			flush_block(writer, group);
	}
	DiskannSpoolFlush(writer->file);
	DiskannSpoolFlush(writer->directory);
	pfree(writer->blocks);
	pfree(writer->used);
	pfree(writer);
}

ListReader *
DiskannOpenLists(BuildState *state)
{
	ListReader *reader = palloc0(sizeof(ListReader));
	int			participants = state->shared->participants;

	reader->state = state;
	reader->block = palloc(state->shared->list_block);
	reader->directories = palloc(sizeof(Directory) * participants);
	for (int p = 0; p < participants; p++)
	{
		Size		size;
		DiskannSpool *directory = DiskannBuildFile(state, FILE_DIRECTORY, p);

		reader->directories[p].group = DiskannSpoolReadAll(directory, &size);
		reader->directories[p].nblocks = size / sizeof(uint32);
	}
	return reader;
}

/* How many blocks the group at work has in all files. */
static Size
count_blocks(const ListReader *reader)
{
	Size		n = 0;

	for (int p = 0; p < reader->state->shared->participants; p++)
	{
		for (uint32 b = 0; b < reader->directories[p].nblocks; b++)
			n += reader->directories[p].group[b] == reader->group;
	}
	return n;
}

/* Read each block of the group at work from its file. */
static void
for_each_block(ListReader *reader, BlockCallback callback, void *arg)
{
	Size		size = reader->state->shared->list_block;

	for (int p = 0; p < reader->state->shared->participants; p++)
	{
		DiskannSpool *file = DiskannBuildFile(reader->state, FILE_CANDIDATES,
											  p);
		const Directory *directory = &reader->directories[p];

		for (uint32 b = 0; b < directory->nblocks; b++)
		{
			if (directory->group[b] != reader->group)
				continue;
			DiskannSpoolRead(file, b * size, reader->block, size);
			callback(arg, reader->block);
		}
	}
}

/* A BlockCallback: keep it in memory. */
static void
keep_block(void *arg, const char *block)
{
	ListReader *reader = arg;
	Size		size = reader->state->shared->list_block;

	memcpy(reader->blocks + reader->nblocks++ * size, block, size);
}

Size
DiskannBeginLists(ListReader *reader, uint32 group, Size room)
{
	Size		bytes;

	Assert(reader->blocks == NULL && reader->nblocks == 0);
	reader->group = group;
	bytes = count_blocks(reader) * reader->state->shared->list_block;
	if (bytes <= room)
	{
		reader->blocks = palloc_extended(Max(bytes, 1), MCXT_ALLOC_HUGE);
		for_each_block(reader, keep_block, reader);
	}
	return bytes;
}

void
DiskannEndLists(ListReader *reader)
{
	if (reader->blocks)
		pfree(reader->blocks);
	reader->blocks = NULL;
	reader->nblocks = 0;
}

/* Who reads lists. */
typedef struct ListTaker
{
	Size		block_bytes;
	ListCallback callback;
	void	   *arg;
} ListTaker;

/* A BlockCallback: call back for each list of a block. */
static void
take_block(void *arg, const char *block)
{
	const ListTaker *taker = arg;
	Size		at = 0;

	while (at + sizeof(BuildList) <= taker->block_bytes)
	{
		const BuildList *list = (const BuildList *) (block + at);

		if (list->count == 0)
			break;
		at += sizeof(BuildList) + sizeof(DiskannCandidate) * list->count;
		Assert(at <= taker->block_bytes);
		taker->callback(taker->arg, list);
	}
}

void
DiskannReadLists(ListReader *reader, ListCallback callback, void *arg)
{
	ListTaker	taker = {reader->state->shared->list_block, callback, arg};

	if (reader->blocks == NULL)
		for_each_block(reader, take_block, &taker);
	for (Size b = 0; b < reader->nblocks; b++)
		take_block(&taker, reader->blocks + b * taker.block_bytes);
}
