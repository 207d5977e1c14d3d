/*-------------------------------------------------------------------------
 *
 * size.h
 *	  How large what a build works on is, in memory and in temporary files.
 *
 * The phases go by this, and so does what diskann_estimate() tells.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/size.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_SIZE_H
#define DISKANN_BUILD_SIZE_H

#include "build/state.h"
#include "graph/carve.h"
#include "miscadmin.h"
#include "store/layout.h"
#include "vector/own_code.h"

/*
 * No participant gets by with less memory, whatever maintenance_work_mem says:
 * a block of lists for each group and a few blocks of vectors must fit.
 */
#define DISKANN_BUILD_MIN_MEMORY ((Size) 8 * 1024 * 1024)

/*
 * One part in so many of a participant's memory is for sorting the members of
 * sections; for the blocks being filled with lists; for the candidates that a
 * group of nodes is expected to have; and for those of them that are merged at
 * a time, as well as for the blocks they are read from.
 */
#define DISKANN_SORT_SHARE 4
#define DISKANN_WRITER_SHARE 8
#define DISKANN_GROUP_SHARE 16
#define DISKANN_LISTS_SHARE 8

/* The rows that the centre and ranges come from, and what is too few. */
#define DISKANN_SAMPLE_BYTES (8 * 1024 * 1024)
#define DISKANN_LEAST_TO_LEARN 512

/* Members that a ball should have on average. */
#define DISKANN_BALL_SIZE 4096

/* Fewer balls than this would overlap too much: one ball then. */
#define DISKANN_MIN_BALLS 16

/*
 * Bytes of candidates to be expected of a row; 1971 to 2310 were measured.
 * Where there are more, choose.c takes several passes over a group.
 */
#define DISKANN_CANDIDATE_BYTES 2304

/* The memory of one of so many participants. */
static inline Size
DiskannBuildMemory(int participants)
{
	return Max((Size) maintenance_work_mem * 1024 / participants,
			   DISKANN_BUILD_MIN_MEMORY);
}

/*
 * What is left of it for the cache of rows: beside sorting and lists, beside
 * what edges are chosen from, and at last beside little else.
 */
static inline Size
DiskannBuildCacheBytes(BuildFile file, Size memory)
{
	return file == FILE_CODES ? memory / 2 :
		file == FILE_VECTORS ? memory / 4 * 3 : memory / 8 * 7;
}

/* Into how many balls do so many rows go, and how many does a row join? */
static inline int
DiskannBuildBalls(uint64 nrows)
{
	uint64		nballs = nrows * DISKANN_BUILD_FANOUT / DISKANN_BALL_SIZE;

	return nballs < DISKANN_MIN_BALLS ? 1 : Min(nballs, DISKANN_MAX_LEADERS);
}

static inline int
DiskannBuildFanout(int nballs)
{
	return nballs == 1 ? 1 : DISKANN_BUILD_FANOUT;
}

/*
 * Rows of a group: as many as their candidates fit into memory, but few enough
 * for all participants to have work to the end.
 */
static inline uint64
DiskannBuildGroupRows(uint64 nrows, int participants, Size memory)
{
	uint64		room = memory / DISKANN_GROUP_SHARE / DISKANN_CANDIDATE_BYTES;

	return Min(Max(room, 1), nrows / (8 * participants) + 1);
}

/*
 * Bytes of a BuildCode, and where in it what filter columns hold begins.  An
 * own vector that does not begin with an int8 code follows one.
 */
static inline Size
DiskannBuildFiltersOffset(const DiskannMetaPageData *meta)
{
	Size		bytes = MAXALIGN(offsetof(BuildCode, code) + meta->own_bytes);

	return diskann_vector_has_int8(meta->vector_kind) ? bytes :
		bytes + MAXALIGN(meta->space_dims);
}

static inline Size
DiskannBuildCodeBytes(const DiskannMetaPageData *meta)
{
	return DiskannBuildFiltersOffset(meta) + DiskannFilterBytes(meta);
}

/* Bytes of a BuildVector. */
static inline Size
DiskannBuildVectorBytes(const DiskannMetaPageData *meta)
{
	return MAXALIGN(offsetof(BuildVector, code) + meta->space_dims);
}

/*
 * Are there enough rows to learn ranges of filter columns from?  Those of the
 * sample count, which is of so many rows at most, and of so many bytes.
 */
static inline bool
DiskannBuildLearns(uint64 nrows, int dims)
{
	return nrows >= Min(DISKANN_LEAST_TO_LEARN,
						DISKANN_SAMPLE_BYTES / 2 / (dims * sizeof(float)));
}

/* Bytes of a row in FILE_ASSIGN. */
static inline Size
DiskannBuildAssignBytes(int fanout)
{
	return sizeof(uint16) * (fanout + 1);
}

/* Bytes of a node in FILE_EDGES: how many edges it has, and their targets. */
static inline Size
DiskannBuildEdgesBytes(const DiskannMetaPageData *meta)
{
	return sizeof(uint32) * (1 + meta->max_degree);
}

#endif							/* DISKANN_BUILD_SIZE_H */
