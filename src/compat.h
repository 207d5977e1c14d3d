/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Every difference between PostgreSQL versions, in one place.
 *
 * Include after postgres.h.  No other file tests PG_VERSION_NUM.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/compat.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_COMPAT_H
#define DISKANN_COMPAT_H

#include "commands/vacuum.h"
#include "storage/bufmgr.h"
#include "utils/guc.h"

#if PG_VERSION_NUM < 140000
#error "diskann requires PostgreSQL 14 or later"
#endif

#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

#if PG_VERSION_NUM >= 180000
#define DiskannVacuumDelayPoint() vacuum_delay_point(false)
#else
#define DiskannVacuumDelayPoint() vacuum_delay_point()
#endif

#if PG_VERSION_NUM < 150000
#define TUPLESORT_NONE false
#endif

/* Goes before the declaration. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* A path that must not be taken: from 18 on cost alone does not say so. */
#if PG_VERSION_NUM >= 180000
#define DiskannDisablePath(index_path) ((index_path)->path.disabled_nodes = 2)
#else
#define DiskannDisablePath(index_path) ((void) 0)
#endif

/* "snapshot too old" went away in 17. */
#if PG_VERSION_NUM >= 170000
#define DiskannTestForOldSnapshot(snapshot, rel, page) ((void) 0)
#else
#define DiskannTestForOldSnapshot(snapshot, rel, page) \
	TestForOldSnapshot(snapshot, rel, page)
#endif

/* What ExecutorRun() is told: whether it is called but once until 17. */
#if PG_VERSION_NUM >= 180000
#define DISKANN_RUN_ARGUMENTS(count, once) uint64 count
#define DISKANN_RUN_VALUES(count, once) count
#else
#define DISKANN_RUN_ARGUMENTS(count, once) uint64 count, bool once
#define DISKANN_RUN_VALUES(count, once) count, once
#endif

/* Where a relation's files are. */
#if PG_VERSION_NUM >= 160000
#define DiskannRelLocator(rel) ((rel)->rd_locator)
#else
#define DiskannRelLocator(rel) ((rel)->rd_node)
#endif

/* Told that no more rows come, from 17 on. */
#if PG_VERSION_NUM >= 170000
#define DiskannSetInsertCleanup(am, function) ((am)->aminsertcleanup = (function))
#else
#define DiskannSetInsertCleanup(am, function) ((void) 0)
#endif

/* That builds may be parallel is said from 17 on; what comes of it is ours. */
#if PG_VERSION_NUM >= 170000
#define DiskannSetBuildParallel(am) ((am)->amcanbuildparallel = true)
#else
#define DiskannSetBuildParallel(am) ((void) 0)
#endif

/* What runs on behalf of a table's owner trusts no search path. */
#if PG_VERSION_NUM >= 170000
#define DiskannRestrictSearchPath() RestrictSearchPath()
#else
#define DiskannRestrictSearchPath() ((void) 0)
#endif

/* The next datum of a sort; it is passed by value, or not kept for long. */
#if PG_VERSION_NUM >= 160000
#define DiskannSortGetDatum(sort, value, isnull) \
	tuplesort_getdatum(sort, true, false, value, isnull, NULL)
#else
#define DiskannSortGetDatum(sort, value, isnull) \
	tuplesort_getdatum(sort, true, value, isnull, NULL)
#endif

/* A scan counts as one search of the index. */
#if PG_VERSION_NUM >= 180000
#define DiskannCountSearch(scan) \
	do { \
		if ((scan)->instrument) \
			(scan)->instrument->nsearches++; \
	} while (0)
#else
#define DiskannCountSearch(scan) ((void) 0)
#endif

/* EXPLAIN asks extensions about each node from 18 on. */
#if PG_VERSION_NUM >= 180000
#define DISKANN_EXPLAINS_NODES 1
#include "commands/explain.h"
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#else
#define DISKANN_EXPLAINS_NODES 0
#endif

/* Memory that whoever knows its name shares, without preloading, from 17 on. */
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#define DISKANN_HAS_NAMED_MEMORY true
static inline void *
DiskannNamedMemory(const char *name, Size size, void (*init) (void *memory))
{
	bool		found;

	return GetNamedDSMSegment(name, size, init, &found);
}
#else
#define DISKANN_HAS_NAMED_MEMORY false
#define DiskannNamedMemory(name, size, init) NULL
#endif

/* Temporary files shared by processes; a name that is not there is an error. */
#if PG_VERSION_NUM >= 150000
#define DiskannFileSetCreate(set, name) FileSetCreate(&(set)->fs, name)
#define DiskannFileSetOpen(set, name, mode) FileSetOpen(&(set)->fs, name, mode)
#else
#define DiskannFileSetCreate(set, name) SharedFileSetCreate(set, name)
#define DiskannFileSetOpen(set, name, mode) SharedFileSetOpen(set, name, mode)
#endif

#endif							/* DISKANN_COMPAT_H */
