/*-------------------------------------------------------------------------
 *
 * size.h
 *	  What a build works on, and how large that is in memory and in files.
 *
 * The phases go by these sizes, and so does what diskann_estimate() tells.
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

#include "graph/carve.h"
#include "miscadmin.h"
#include "storage/itemptr.h"
#include "store/layout.h"
#include "vector/own_code.h"

/*
 * How many balls a row joins, if there are several; the nearest is its home.
 */
#define DISKANN_BUILD_FANOUT 6

/*
 * The temporary files, with what they are an array of.  Those before
 * FIRST_COMMON_FILE exist once for each participant, who alone writes its own;
 * of the others there is one, created by the leader.
 */
typedef enum BuildFile
{
	FILE_SAMPLE,				/* vectors read before there is a centre */
	FILE_CODES,					/* BuildCode of each row */
	FILE_LEADERS,				/* BuildLeader of rows that may lead a ball */
	FILE_KEYS,					/* what filter columns hold of some rows */
	FILE_CANDIDATES,			/* blocks of lists of candidates */
	FILE_DIRECTORY,				/* uint32 group of each of those blocks */
	FILE_ASSIGN,				/* by row: its balls, nearest first, and its
								 * smallest sample, or 0; uint16 each */
	FILE_SIGNATURES,			/* by row: the first filter column's; uint8 */
	FILE_SECTIONS,				/* BuildSection */
	FILE_MEMBERS,				/* BuildMember, section by section */
	FILE_ORDER,					/* BuildPlace, by place */
	FILE_PLACED,				/* BuildCode, by place */
	FILE_VECTORS,				/* BuildVector, by place */
	FILE_NODES,					/* BuildNode, by node */
	FILE_MAP,					/* uint32 node, by row */
	FILE_EDGES,					/* by node: degree, and max_degree targets;
								 * uint32 each */
	NFILES
} BuildFile;

#define FIRST_COMMON_FILE FILE_ASSIGN

/*
 * A row as FILE_CODES has it: all that the build needs of it, so that the
 * table is read once.
 */
typedef struct BuildCode
{
	float		scale;			/* of the int8 code */
	float		norm2;			/* squared length of what it stands for */
	DiskannVectorFactors own;	/* of the vector the node will have */
	float		length2;		/* see vector/space.h */
	uint64		hash;			/* of the user's vector */
	ItemPointerData tid;
	uint16		unused;
	int8		code[FLEXIBLE_ARRAY_MEMBER];	/* begins the own vector, or
												 * it follows; then what
												 * filter columns hold */
} BuildCode;

/* What edges are chosen by: most of what is asked for is asked for then. */
typedef struct BuildVector
{
	float		scale;
	float		norm2;
	int8		code[FLEXIBLE_ARRAY_MEMBER];
} BuildVector;

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
