/*-------------------------------------------------------------------------
 *
 * build.h
 *	  CREATE INDEX: the callbacks of the access method.
 *
 * What they do and return is told by PostgreSQL's manual, "Index Access Method
 * Functions"; how, by state.h and run.c.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/build.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_BUILD_H
#define DISKANN_BUILD_H

#include "access/amapi.h"
#include "nodes/execnodes.h"

extern IndexBuildResult *diskannbuild(Relation heap, Relation rel,
									  IndexInfo *indexInfo);
extern void diskannbuildempty(Relation rel);
extern char *diskannbuildphasename(int64 phase);

#endif							/* DISKANN_BUILD_H */
