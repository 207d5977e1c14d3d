/*-------------------------------------------------------------------------
 *
 * state.h
 *	  What the phases of CREATE INDEX share.
 *
 * A build is the work of one or more participants, the leader and workers, who
 * go through the same phases and wait for each other between them.  All that
 * grows with the table passes from one phase to the next in temporary files;
 * see src/README, section 8.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/state.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_STATE_H
#define DISKANN_BUILD_STATE_H

#include "access/tableam.h"
#include "build/spool.h"
#include "graph/block.h"
#include "nodes/execnodes.h"
#include "port/atomics.h"
#include "storage/barrier.h"
#include "storage/condition_variable.h"
#include "storage/dsm.h"
#include "storage/shm_toc.h"
#include "storage/spin.h"
#include "values/row.h"

/* Balls of the first carving that a row joins; the nearest is its home. */
#define DISKANN_BUILD_FANOUT 6

/*
 * There are several independent series of samples, with no row in common.  A row
 * belongs to level l > 0 of a series with probability 64^-l.
 */
#define DISKANN_BUILD_SERIES 4
#define DISKANN_BUILD_LEVELS 6
#define DISKANN_LEVEL_BITS 6

typedef enum BuildPhase
{
	PHASE_LOAD = 2,
	PHASE_PARTITION,
	PHASE_COMPARE,
	PHASE_CHOOSE,
	PHASE_CONNECT,
	PHASE_WRITE
} BuildPhase;

/* The temporary files; those of one participant each come first. */
typedef enum BuildFile
{
	FILE_SAMPLE,				/* rows before there is a centre */
	FILE_CODES,					/* BuildCode of each row */
	FILE_LEADERS,				/* BuildLeader, candidates */
	FILE_CANDIDATES,			/* blocks of lists of candidates */
	FILE_DIRECTORY,				/* uint32 group of each of those blocks */
	FILE_ASSIGN,				/* uint16 fanout balls, and sample, by row */
	FILE_SECTIONS,				/* BuildSection */
	FILE_MEMBERS,				/* BuildMember, section by section */
	FILE_ORDER,					/* BuildPlace, in the order of nodes */
	FILE_NODES,					/* BuildNode, by node */
	FILE_MAP,					/* uint32 node, by row */
	FILE_EDGES,					/* uint32 degree and edges, by node */
	NFILES
} BuildFile;

#define FIRST_COMMON_FILE FILE_ASSIGN

/* No participant gets by with less memory. */
#define DISKANN_BUILD_MIN_MEMORY ((Size) 8 * 1024 * 1024)

/* A row.  Rows are numbered participant by participant. */
typedef struct BuildCode
{
	float		scale;			/* of the int8 code */
	float		norm2;
	DiskannVectorFactors own;	/* of the vector the node will have */
	float		length2;
	uint64		hash;
	ItemPointerData tid;
	uint16		unused;
	int8		code[FLEXIBLE_ARRAY_MEMBER];	/* begins the own vector, or it
											 * follows */
} BuildCode;

/* A row that may lead a ball: those of least priority do. */
typedef struct BuildLeader
{
	uint64		priority;
	uint64		hash;
	uint32		row;			/* of this participant */
	uint32		unused;
} BuildLeader;

/* The members of a ball, those at home there first, or of a sample. */
typedef struct BuildSection
{
	uint64		start;			/* of its members */
	uint32		count;
	uint32		homes;
	uint32		place;			/* of its homes in the order */
	uint32		group;			/* of its homes' candidates */
	uint32		first_node;		/* of its homes, once numbered */
} BuildSection;

typedef struct BuildMember
{
	uint32		row;
	uint16		ball;			/* its home */
	uint16		is_home;
} BuildMember;

/* Rows of equal vectors follow each other, the one that stands for all first. */
typedef struct BuildPlace
{
	uint32		row;
	uint32		is_copy;
} BuildPlace;

typedef struct BuildNode
{
	uint32		row;
	uint32		nrows;
	uint32		place;
	DiskannNode chain;			/* TIDS slots, or DISKANN_INVALID_NODE */
} BuildNode;

/* In shared memory; plain memory if there is one participant only. */
typedef struct BuildShared
{
	/* Fixed before anybody starts. */
	Oid			heap;
	Oid			index;
	bool		concurrent;
	Size		memory;			/* of one participant */

	/* Who takes part is known when all workers are there. */
	ConditionVariable started;
	int			participants;	/* 0: not yet */
	Barrier		barrier;
	SharedFileSet files;

	pg_atomic_uint64 next;		/* piece of work to be taken */
	pg_atomic_uint64 done;		/* for the progress report */
	pg_atomic_uint64 distances;

	slock_t		mutex;			/* for what the scan sums up */
	double		heap_tuples;
	double		index_tuples;
	float		max_length2;
	bool		broken_hot_chain;

	/* Found out by the leader while the others wait. */
	int			dims;			/* 0: there are no rows */
	uint32		nrows;
	int			nballs;
	int			fanout;
	int			nsections;
	uint32		ngroups;
	uint32		nnodes;
	uint32		nchains;		/* TIDS slots, after the nodes */

	uint32		rows[FLEXIBLE_ARRAY_MEMBER];	/* of each participant */
} BuildShared;

typedef struct BuildState
{
	Relation	heap;
	Relation	index_rel;
	IndexInfo  *info;
	TableScanDesc scan;			/* of a parallel build */
	const DiskannSupport *support;
	BuildShared *shared;
	int			participant;	/* 0: the leader */
	bool		parallel;
	MemoryContext context;		/* of the whole build */
	MemoryContext scratch;		/* reset after every piece of work */
	DiskannSpool **spools;		/* NFILES for each participant */

	DiskannIndex *index;		/* once it is ready */
	Size		code_bytes;		/* of a BuildCode */

	/* Rows fetched lately: row r is at r modulo ncached, or not there. */
	uint32		ncached;
	uint32	   *cached;			/* row + 1, 0: none */
	char	   *cache;
	uint32	   *first_row;		/* of each participant, and the end */
} BuildState;

/* Prepare what is shared, and what a participant has, before the phases. */
extern void DiskannBuildInitShared(BuildShared *shared);
extern void DiskannBuildInitState(BuildState *state, Relation heap,
								  Relation rel, IndexInfo *info);

/* Close the temporary files this participant has opened. */
extern void DiskannBuildCloseFiles(BuildState *state);

extern DiskannSpool *DiskannBuildCreateFile(BuildState *state, BuildFile file);
extern DiskannSpool *DiskannBuildFile(BuildState *state, BuildFile file,
									  int participant);

/* The leader does work, if any, while the others wait; then all go on. */
extern void DiskannBuildStep(BuildState *state,
							 void (*work) (BuildState *state));

/* Take the next piece of work, below npieces. */
extern bool DiskannBuildTake(BuildState *state, uint64 npieces, uint64 *piece);

/* Progress; a participant tells what it did, the leader reports it. */
extern void DiskannBuildEnterPhase(BuildState *state, BuildPhase phase,
								   uint64 total);
extern void DiskannBuildDone(BuildState *state, uint64 n);

/* Is it the leader? */
#define DISKANN_LEADS(state) ((state)->participant == 0)

/*
 * A row by its number, through the cache; valid until the next one is asked
 * for.
 */
extern void DiskannBuildStartCache(BuildState *state);
extern const BuildCode *DiskannBuildRow(BuildState *state, uint32 row);

/*
 * Have the processor fetch the vector of a row that is asked for soon, as it
 * will be stored: rows come from all over the memory.
 */
extern void DiskannBuildPrefetchOwn(const BuildState *state, uint32 row);

/*
 * Append the codes of some rows to a block.  row_of tells the row of each
 * number, unless the numbers are rows already (NULL).
 */
extern void DiskannBuildFetch(BuildState *state, const uint32 *numbers, int n,
							  const uint32 *row_of, DiskannBlock *block);

/*
 * A random order of vectors: equal ones have the same priority, whoever reads
 * them.
 */
extern uint64 DiskannBuildPriority(const BuildState *state, uint64 hash);

/* The vector the row's node will have, as it will be stored. */
extern const void *DiskannBuildOwn(const BuildState *state,
								   const BuildCode *code);

/* Bytes of a node in FILE_EDGES: how many edges it has, and their targets. */
static inline Size
DiskannBuildEdgesBytes(const BuildState *state)
{
	return sizeof(uint32) * (1 + state->index->meta.max_degree);
}

/*
 * The edges of a node in FILE_EDGES, at most max_degree of them; reading
 * returns how many there are.
 */
extern int	DiskannBuildReadEdges(BuildState *state, uint32 node,
								  uint32 *edges);
extern void DiskannBuildWriteEdges(BuildState *state, uint32 node,
								   const uint32 *edges, int n);

/* The name of a phase, for progress reports; NULL if there is none. */
extern const char *DiskannBuildPhaseName(int64 phase);

#endif							/* DISKANN_BUILD_STATE_H */
