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
	char	   *block;
};

ListWriter *
DiskannStartLists(BuildState *state)
{
	ListWriter *writer = palloc(sizeof(ListWriter));
	uint32		ngroups = state->shared->ngroups;

	writer->state = state;
	writer->file = DiskannBuildCreateFile(state, FILE_CANDIDATES);
	writer->directory = DiskannBuildCreateFile(state, FILE_DIRECTORY);
	writer->blocks = palloc_extended((Size) ngroups * DISKANN_LIST_BLOCK,
									 MCXT_ALLOC_HUGE);
	writer->used = palloc0(sizeof(uint32) * ngroups);
	return writer;
}

/* Append a group's block to the file, and begin another. */
static void
flush_block(ListWriter *writer, uint32 group)
{
	char	   *block = writer->blocks + (Size) group * DISKANN_LIST_BLOCK;

	memset(block + writer->used[group], 0,
		   DISKANN_LIST_BLOCK - writer->used[group]);
	DiskannSpoolAppend(writer->file, block, DISKANN_LIST_BLOCK);
	DiskannSpoolAppend(writer->directory, &group, sizeof(group));
	writer->used[group] = 0;
}

void
DiskannWriteList(ListWriter *writer, uint32 group, uint32 owner,
				 BuildRange range, const DiskannCandidate *candidates, int n)
{
	Assert(group < writer->state->shared->ngroups);
	while (n > 0)
	{
		int			bytes = DISKANN_LIST_BLOCK - (int) writer->used[group] -
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
		list = (BuildList *) (writer->blocks +
							  (Size) group * DISKANN_LIST_BLOCK +
							  writer->used[group]);
		list->owner = owner;
		list->count = take;
		list->range = range;
		memcpy(list->candidates, candidates, sizeof(DiskannCandidate) * take);
		writer->used[group] += sizeof(BuildList) +
			sizeof(DiskannCandidate) * take;
		Assert(writer->used[group] <= DISKANN_LIST_BLOCK);
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
	ListReader *reader = palloc(sizeof(ListReader));
	int			participants = state->shared->participants;

	reader->state = state;
	reader->block = palloc(DISKANN_LIST_BLOCK);
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

Size
DiskannListBytes(const ListReader *reader, uint32 group)
{
	Size		bytes = 0;

	for (int p = 0; p < reader->state->shared->participants; p++)
	{
		for (uint32 b = 0; b < reader->directories[p].nblocks; b++)
		{
			if (reader->directories[p].group[b] == group)
				bytes += DISKANN_LIST_BLOCK;
		}
	}
	return bytes;
}

/* Call back for each list of a block. */
static void
read_block(const char *block, ListCallback callback, void *arg)
{
	Size		at = 0;

	while (at + sizeof(BuildList) <= DISKANN_LIST_BLOCK)
	{
		const BuildList *list = (const BuildList *) (block + at);

		if (list->count == 0)
			break;
		at += sizeof(BuildList) + sizeof(DiskannCandidate) * list->count;
		Assert(at <= DISKANN_LIST_BLOCK);
		callback(arg, list);
	}
}

void
DiskannReadLists(ListReader *reader, uint32 group,
				 ListCallback callback, void *arg)
{
	for (int p = 0; p < reader->state->shared->participants; p++)
	{
		DiskannSpool *file = DiskannBuildFile(reader->state, FILE_CANDIDATES,
											  p);
		const Directory *directory = &reader->directories[p];

		for (uint32 b = 0; b < directory->nblocks; b++)
		{
			if (directory->group[b] != group)
				continue;
			DiskannSpoolRead(file, (uint64) b * DISKANN_LIST_BLOCK,
							 reader->block, DISKANN_LIST_BLOCK);
			read_block(reader->block, callback, arg);
		}
	}
}
