/*-------------------------------------------------------------------------
 *
 * meta.h
 *	  The metapage: settings, layout, and what VACUUM and inserts note.
 *
 * All of these lock the metapage for the time of the call, and only it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/meta.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_META_H
#define DISKANN_META_H

#include "storage/bufmgr.h"
#include "store/format.h"
#include "utils/rel.h"
#include "vector/own_code.h"
#include "vector/space.h"

/* What CREATE INDEX decides; see DiskannMetaPageData. */
typedef struct DiskannSettings
{
	DiskannMetric metric;
	int			max_degree;
	int			build_list_size;
	int			vector_storage; /* DiskannVectorKind, 0: choose */
	int			vector_limit;	/* the most precise to be chosen, 0: any */
	int			bits_per_dimension; /* 1, 2, 0: choose */
	int			edge_bits;		/* 0: choose */
	int			prefix_dims;	/* 0: none */
	float		alpha;
	uint64		seed;
	int			nfilters;
	DiskannFilterColumn filters[DISKANN_MAX_FILTER_COLUMNS];	/* attno, kind */
} DiskannSettings;

/* What the metapage of an index without rows has, with these settings. */
extern void DiskannApplySettings(DiskannMetaPageData *meta,
								 const DiskannSettings *settings);

/* Write the metapage of an index without rows into an empty fork. */
extern void DiskannCreateMetapage(Relation rel, ForkNumber fork,
								  const DiskannSettings *settings);

/* Settings frozen at CREATE INDEX. */
extern void DiskannLoadSettings(Relation rel, DiskannSettings *settings);

/*
 * Read the metapage into *meta and lock it in this mode; the caller unlocks and
 * releases the buffer.  A metapage that is damaged is an error, and so is one
 * of a format this library does not read.
 */
extern Buffer DiskannReadMetapage(Relation rel, int mode,
								  DiskannMetaPageData *meta);

/* Write *meta to the metapage, which the caller has locked exclusively. */
extern void DiskannWriteMetapage(Relation rel, Buffer buffer,
								 const DiskannMetaPageData *meta,
								 bool building);

/* What a VACUUM has found and left. */
typedef struct DiskannCounts
{
	uint64		live_nodes;
	uint32		tombstones;
} DiskannCounts;

/* How many nodes a repair has searched for by their own vectors. */
typedef struct DiskannSelfRecall
{
	uint32		searched;
	uint32		missed;			/* of these, not found */
} DiskannSelfRecall;

/* A repair is due when there is a tombstone for so many nodes. */
#define DISKANN_NODES_PER_TOMBSTONE 20

/* Are there enough tombstones for a repair? */
static inline bool
DiskannRepairIsDue(const DiskannCounts *counts)
{
	return counts->tombstones > 0 &&
		(uint64) counts->tombstones * DISKANN_NODES_PER_TOMBSTONE >=
		counts->live_nodes + counts->tombstones;
}

/* Was more than a twentieth missed? */
static inline bool
DiskannIsSick(const DiskannSelfRecall *recall)
{
	return recall->missed > 0.05 * recall->searched;
}

/*
 * How many nodes the next VACUUM is to search for, so that it finds what cannot
 * be found yet: twice as many as the last repair if that missed too many; none
 * if it did not, or searched for most nodes and so did what can be done.
 */
static inline uint32
DiskannSearchesToHeal(const DiskannCounts *counts,
					  const DiskannSelfRecall *recall)
{
	return DiskannIsSick(recall) &&
		recall->searched < 0.75 * counts->live_nodes ?
		2 * recall->searched : 0;
}

/*
 * Note it in the metapage, unless it is there already; recall is of a repair
 * that ends now, or NULL, which leaves what was noted of the last.  Read it.
 */
extern void DiskannSetCounts(Relation rel, const DiskannCounts *counts,
							 const DiskannSelfRecall *recall);
extern void DiskannGetCounts(Relation rel, DiskannCounts *counts,
							 DiskannSelfRecall *recall);

/* Write a calibration to the metapage, logged; and read what is there. */
extern void DiskannSetCalibration(Relation rel,
								  const DiskannCalibration *calibration);
extern void DiskannGetCalibration(Relation rel,
								  DiskannCalibration *calibration);

/* Note that whoever reads the index has to know this; logged.  Is it noted? */
extern void DiskannNoteFeature(Relation rel, uint32 feature);
extern bool DiskannHasFeature(Relation rel, uint32 feature);

/*
 * The squared length that no row of the index exceeds (inner product only),
 * and raising it before a longer row is added.
 */
extern float DiskannMaxLength2(Relation rel);
extern void DiskannRaiseMaxLength2(Relation rel, float length2, bool building);

#endif							/* DISKANN_META_H */
