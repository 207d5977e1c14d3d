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
 * What the parts are called that rows and work are divided into:
 *
 * row		 a row of the table that the index shall have.  Rows are numbered
 *			 0, 1, ... in the order they were read, participant by participant:
 *			 those of participant p begin with first_row[p].  Once they have
 *			 been compared they are known by their places instead.
 * ball		 the rows near one leader, which is itself a row.  A row joins the
 *			 balls of the few leaders nearest to it ("fanout"); the first of
 *			 these is its home.  So balls overlap, but each row is at home in
 *			 exactly one.
 * sample	 rows drawn at random from the whole table.  The edges found in a
 *			 sample are the long-range ones.
 * kin		 rows of one signature of the first filter column.  The edges
 *			 found among them are the value edges.
 * section	 a ball, a sample or kin: what is compared at a time.  Numbered in
 *			 this order.
 * leaf		 a part of a section, small enough to compare all with all; it
 *			 lives in memory only (graph/carve.h).
 * member	 a row in a section.  In graph/, a number that the caller of a
 *			 function understands.
 * place	 the position of a row in the order that compare.c puts rows into,
 *			 ball after ball and leaf after leaf, by homes: 0 .. nrows - 1.
 * node		 what equal vectors become, numbered 1, 2, ... by their places.
 * group	 consecutive balls whose home rows, and so consecutive nodes, are
 *			 given their edges at a time (choose.c): as many as their candidates
 *			 fit into memory.
 * piece	 the work a participant takes at a time; depends on the phase.
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
#include "build/size.h"
#include "build/spool.h"
#include "graph/block.h"
#include "nodes/execnodes.h"
#include "port/atomics.h"
#include "storage/barrier.h"
#include "storage/condition_variable.h"
#include "storage/dsm.h"
#include "storage/shm_toc.h"
#include "storage/spin.h"
#include "values/signature.h"

/*
 * There are several independent series of samples, with no row in common.
 * Those of a series are nested: a row belongs to level l > 0 of a series,
 * which is one sample, with probability 64^-l, and then to those of lower
 * levels, too.
 */
#define DISKANN_BUILD_SERIES 4
#define DISKANN_BUILD_LEVELS 6
#define DISKANN_LEVEL_BITS 6

/* The sections of samples, and of kin, which are numbered by signatures. */
#define DISKANN_BUILD_SAMPLES (DISKANN_BUILD_SERIES * DISKANN_BUILD_LEVELS)
#define DISKANN_BUILD_KINS 256

/*
 * The phases as pg_stat_progress_create_index shows them, in this order.  1 is
 * taken by what comes before (PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE).
 */
typedef enum BuildPhase
{
	PHASE_START = 1,
	PHASE_LOAD = 2,
	PHASE_PARTITION,
	PHASE_COMPARE,
	PHASE_CHOOSE,
	PHASE_CONNECT,
	PHASE_WRITE
} BuildPhase;

/* A row that may lead a ball: those of least priority of all do. */
typedef struct BuildLeader
{
	uint64		priority;
	uint64		hash;
	uint32		row;			/* counted from this participant's first */
	uint32		unused;
} BuildLeader;

/*
 * A section.  The members of a ball that are at home there come first; those
 * of a sample are all at home elsewhere.
 */
typedef struct BuildSection
{
	uint64		start;			/* number of its first member in FILE_MEMBERS */
	uint32		count;			/* members */
	uint32		homes;			/* members that are at home here */
	uint32		place;			/* of the first of those */
	uint32		group;			/* of those */
	uint32		first_node;		/* of those, once numbered */
} BuildSection;

typedef struct BuildMember
{
	uint32		row;
	uint16		ball;			/* its home, wherever this is */
	uint16		is_home;		/* is this section its home? */
} BuildMember;

/*
 * Rows of equal vectors follow each other, the one that stands for all first.
 */
typedef struct BuildPlace
{
	uint32		row;
	uint32		is_copy;
} BuildPlace;

typedef struct BuildNode
{
	uint32		nrows;
	uint32		place;			/* of its first row; the others follow */
	DiskannNode chain;			/* its first TIDS slot, counted from 0, or
								 * DISKANN_INVALID_NODE */
} BuildNode;

/*
 * What participants share, in shared memory; in plain memory if there is one
 * participant only.  But for the atomics and what the mutex protects, nothing
 * changes while more than one of them is at work: the leader writes it in
 * DiskannBuildStep(), whose barrier makes it visible to all.
 */
typedef struct BuildShared
{
	/* Fixed before anybody starts. */
	Oid			heap_oid;
	Oid			index_oid;
	bool		concurrent;
	Size		memory;			/* of one participant */

	/* Who takes part is known when all workers are there. */
	ConditionVariable started;
	int			participants;	/* 0: not yet */
	Barrier		barrier;
	SharedFileSet files;

	BuildPhase	phase;			/* all are in */
	pg_atomic_uint64 next;		/* piece of work to be taken */
	pg_atomic_uint64 done;		/* for the progress report */
	pg_atomic_uint64 distances; /* computed, for a debug message */
	pg_atomic_uint64 reads;		/* of rows from files, likewise */

	slock_t		mutex;			/* for what the scan sums up */
	double		heap_tuples;
	double		index_tuples;
	float		max_length2;
	bool		broken_hot_chain;

	/* Found out by the leader while the others wait. */
	int			dims;			/* 0: there are no rows */
	uint32		nrows;
	int			nballs;
	int			fanout;			/* balls a row joins */
	int			nsections;
	uint32		ngroups;
	Size		list_block;		/* bytes; see lists.h */
	uint32		nnodes;			/* without the entry node */
	uint32		nchains;		/* TIDS slots, numbered after the nodes */

	uint32		rows[FLEXIBLE_ARRAY_MEMBER];	/* of each participant */
} BuildShared;

/* What one participant has, in its own memory. */
typedef struct BuildState
{
	Relation	heap;
	Relation	rel;			/* the index */
	IndexInfo  *info;
	TableScanDesc scan;			/* of a parallel build */
	const DiskannSupport *support;
	int			column;			/* of the vector, from 0 */
	DiskannFilters *filters;	/* once rows are read */
	DiskannSignatures *signatures;	/* the same */
	BuildShared *shared;
	int			participant;	/* 0: the leader */
	bool		parallel;
	MemoryContext context;		/* of the whole build */
	MemoryContext scratch;		/* reset after every piece of work */
	DiskannSpool **spools;		/* NFILES for each participant, NULL where not
								 * open */

	DiskannIndex *index;		/* once it is ready */
	Size		code_bytes;		/* of a BuildCode */
	Size		filters_offset; /* in it */

	/*
	 * Rows fetched lately: line l of rows is at l modulo cache_lines, or not
	 * there.  A line is one row, or in the order of places several.
	 */
	BuildFile	cached_file;	/* FILE_CODES, _VECTORS or _PLACED */
	Size		record_bytes;	/* of a row in it */
	int			line_bits;
	uint32		cache_lines;
	uint32	   *cached;			/* line + 1, 0: none */
	char	   *cache;
	uint64		reads;			/* of rows from files in this step */
	uint32	   *first_row;		/* of each participant, and the end */
} BuildState;

/*
 * Prepare what is shared (zeroed by the caller), and what a participant has,
 * before the phases.  The state's contexts are children of the current one.
 */
extern void DiskannBuildInitShared(BuildShared *shared);
extern void DiskannBuildInitState(BuildState *state, Relation heap,
								  Relation rel, IndexInfo *info);

/* Close the temporary files this participant has opened. */
extern void DiskannBuildCloseFiles(BuildState *state);

/*
 * Create a temporary file, of this participant or, the leader only, a common
 * one.  Open one that somebody has created; participant is 0 for a common one.
 */
extern DiskannSpool *DiskannBuildCreateFile(BuildState *state, BuildFile file);
extern DiskannSpool *DiskannBuildFile(BuildState *state, BuildFile file,
									  int participant);

/* All of a file, palloc'd; *size gets its bytes, unless size is NULL. */
extern void *DiskannBuildReadFile(BuildState *state, BuildFile file,
								  int participant, Size *size);

/*
 * Wait until all are here.  Then the leader does work, if any, while the
 * others wait, and all go on; pieces are counted from 0 again.  Resets
 * state->scratch.
 */
extern void DiskannBuildStep(BuildState *state,
							 void (*work) (BuildState *state));

/*
 * Take the next piece of work, below npieces; false if all are taken.  Resets
 * state->scratch.
 */
extern bool DiskannBuildTake(BuildState *state, uint64 npieces, uint64 *piece);

/*
 * Progress.  The leader enters a phase, of which total is the amount of work;
 * participants tell how much of it they have done since they last told.
 */
extern void DiskannBuildEnterPhase(BuildState *state, BuildPhase phase,
								   uint64 total);
extern void DiskannBuildDone(BuildState *state, uint64 n);

/* Is it the leader? */
#define DISKANN_LEADS(state) ((state)->participant == 0)

/*
 * Every participant reads rows through a cache of its own, once it is known
 * how many rows there are.  A row is valid until the next one is asked for,
 * which may take its place.
 *
 * It is of FILE_CODES at first.  Once all rows have been compared, it is to be
 * of FILE_VECTORS, from which rows can only be fetched for a block, and then of
 * FILE_PLACED; from then on what is said to be a row here is a place.
 */
extern void DiskannBuildStartCache(BuildState *state);
extern void DiskannBuildUseFile(BuildState *state, BuildFile file);
extern const BuildCode *DiskannBuildRow(BuildState *state, uint32 row);

/*
 * Have the processor fetch the vector of a row that is asked for soon, as it
 * will be stored: rows come from all over the memory.
 */
extern void DiskannBuildPrefetchOwn(const BuildState *state, uint32 row);

/*
 * Append the codes of some rows to a block, which has room for them.  row_of
 * tells the row of each number, unless the numbers are rows already (NULL).
 */
extern void DiskannBuildFetch(BuildState *state, const uint32 *numbers, int n,
							  const uint32 *row_of, DiskannBlock *block);

/*
 * A random order of vectors, given the hash of one: equal ones have the same
 * priority, whoever reads them, so that the graph does not depend on that.
 */
extern uint64 DiskannBuildPriority(const BuildState *state, uint64 hash);

/* The vector the row's node will have, as it will be stored. */
extern const void *DiskannBuildOwn(const BuildState *state,
								   const BuildCode *code);

/* What filter columns hold of the row. */
static inline const DiskannFilterValues *
DiskannBuildFilters(const BuildState *state, const BuildCode *code)
{
	return (const DiskannFilterValues *) ((const char *) code +
										  state->filters_offset);
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
