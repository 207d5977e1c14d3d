/*-------------------------------------------------------------------------
 *
 * build.h
 *	  A Vamana graph in memory.
 *
 * Vertices are added with an int8 code (see vector/code.h), then linked one by
 * one in a random order that depends on the seed alone: greedy search for the
 * vertex, RobustPrune over what was visited, back-links with slack (DiskANN,
 * NeurIPS 2019, algorithm 3, one pass).  Distances are those of the codes.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/build.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_H
#define DISKANN_BUILD_H

typedef struct DiskannBuild DiskannBuild;

typedef struct DiskannBuildOptions
{
	int			dims;			/* bytes of a code */
	int			max_degree;		/* R */
	int			list_size;		/* L of the searches */
	float		alpha;
	Size		payload;		/* bytes a caller keeps beside each vertex */
	uint64		seed;
} DiskannBuildOptions;

/* Called now and then while linking, with the vertices linked so far. */
typedef void (*DiskannBuildProgress) (void *arg, uint32 done);

/* Everything is allocated in a context of its own below parent. */
extern DiskannBuild *DiskannBuildCreate(MemoryContext parent,
										const DiskannBuildOptions *options);
extern void DiskannBuildFree(DiskannBuild *build);

/*
 * Add a vertex, copying its code; returns its number, counted from 0.  Its
 * payload is zero.
 */
extern uint32 DiskannBuildAdd(DiskannBuild *build, const int8 *code,
							  float scale, float norm2);

extern uint32 DiskannBuildCount(const DiskannBuild *build);

/* Bytes allocated so far. */
extern Size DiskannBuildMemory(const DiskannBuild *build);

extern void *DiskannBuildPayload(const DiskannBuild *build, uint32 vertex);
extern const int8 *DiskannBuildCode(const DiskannBuild *build, uint32 vertex,
									float *scale, float *norm2);

/* Link all vertices and make every one reachable from vertex *start. */
extern void DiskannBuildLink(DiskannBuild *build, uint32 *start,
							 DiskannBuildProgress progress, void *arg);

/* A linked vertex' neighbours; returns their number, at most max_degree. */
extern int	DiskannBuildNeighbours(const DiskannBuild *build, uint32 vertex,
								   const uint32 **neighbours);

/*
 * Number all vertices in breadth-first order from start: order[i] is the
 * vertex that comes i-th.  order has one entry a vertex.
 */
extern void DiskannBuildOrder(const DiskannBuild *build, uint32 start,
							  uint32 *order);

#endif							/* DISKANN_BUILD_H */
