/*-------------------------------------------------------------------------
 *
 * am.h
 *	  What the phases of the access method share.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/am.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_AM_H
#define DISKANN_AM_H

#include "access/amapi.h"
#include "access/genam.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "storage/index.h"
#include "storage/visit.h"

/* The only operator strategy and support function of an opclass. */
#define DISKANN_STRATEGY_ORDER 1
#define DISKANN_SUPPORT_PROC 1

/* ---------- row.c: values of indexed columns ---------- */

/* A vector as the index takes it. */
typedef struct DiskannRow
{
	int			dims;
	float	   *x;				/* room for dims + 1 */
	uint64		hash;			/* of the value, bit for bit */
} DiskannRow;

/*
 * Types of vectors.  accepts says whether a type is one that read can read;
 * it may look into catalogs.  read fills *row, palloc'd in the current context,
 * from a value of such a type; it reports values that are no vector, but leaves
 * finiteness and dimensions to the caller.  widest is the most precise kind of
 * stored vector that is worth its bytes.
 */
typedef struct DiskannType
{
	bool		(*accepts) (Oid type);
	void		(*read) (Datum value, DiskannRow *row);
	DiskannVectorKind widest;
} DiskannType;

extern const DiskannType DiskannArrayType;	/* row.c */
extern const DiskannType DiskannVectorType; /* pgvector.c */
extern const DiskannType DiskannHalfvecType;

/* What support function 1 of an opclass returns a pointer to. */
typedef struct DiskannSupport
{
	DiskannMetric metric;
	const DiskannType *type;
} DiskannSupport;

/*
 * Of an index' opclass.  An error if that is for another type of vectors than
 * its support function, which then would read what is none.
 */
extern const DiskannSupport *DiskannGetSupport(Relation index);

/* Error unless the index can search for values of this type. */
extern void DiskannCheckQueryType(Relation index,
								  const DiskannSupport *support, Oid type);

/*
 * Read a value to be indexed or searched for.  dims is what the index has, or
 * 0 for an index without rows.  NaN, infinity, another number of dimensions,
 * too many of them or too great a length are errors.  Returns false for a
 * vector without a direction under cosine: it is not indexed, and nothing is
 * nearer to it than anything else.
 */
extern bool DiskannReadRow(const DiskannSupport *support, Datum value,
						   int dims, DiskannRow *row);

/*
 * A squared length to which rows of an inner product index are brought, from
 * one wished for: greater than zero, and distances must not overflow.  0 for
 * other metrics.
 */
extern float DiskannLengthLimit(DiskannMetric metric, float norm2);

/* Error unless the row has as many dimensions as the index. */
extern void DiskannCheckDims(int dims, const DiskannRow *row);

/* ---------- options.c: reloptions and settings ---------- */

typedef enum DiskannIterativeSearch
{
	DISKANN_ITERATE_OFF,
	DISKANN_ITERATE_RELAXED,
	DISKANN_ITERATE_STRICT
} DiskannIterativeSearch;

extern int	diskann_query_search_list_size;
extern int	diskann_query_rescore;
extern int	diskann_iterative_search;
extern int	diskann_max_scan_tuples;

extern void DiskannInitOptions(void);
extern bytea *diskannoptions(Datum reloptions, bool validate);

/* Settings for a new index; what is not taken as given is told at elevel. */
extern void DiskannDecideSettings(Relation index, DiskannMetric metric,
								  int elevel, DiskannSettings *settings);

/* The list size of searches in this index now. */
extern int	DiskannSearchListSize(Relation index);

/* ---------- link.c: edges between stored nodes ---------- */

/* Add or replace edge i of a node being edited. */
extern void DiskannPutEdge(const DiskannIndex *index, char *image, int i,
						   DiskannNode node, const DiskannEdgeCode *edge);

/* Choose the unit of a node's rescale factors from its first edges. */
extern void DiskannSetEdgeScale(char *image, const DiskannEdgeCode *edges,
								int n);

/*
 * Let target point to node, whose decoded vector x is given.  A full list is
 * pruned from its own page; then the link may be judged needless and left out,
 * unless forced.  If that cost target an edge, node gets it instead, so that
 * nothing is cut off.  Locks target, and then node, exclusively.
 */
extern void DiskannAddBacklink(DiskannNodeRef *ref, DiskannNode target,
							   DiskannNode node, const float *x, bool force);

/*
 * Let the entry node point to a node at x, if it has room, or else in place of
 * its edge number replace, unless that is negative.
 */
extern void DiskannLinkHub(DiskannNodeRef *ref, DiskannNode node,
						   const float *x, int replace);

/*
 * The same for a newly inserted node, with the probability that keeps the
 * entry node's edges a uniform sample of all nodes (reservoir sampling).
 */
extern void DiskannOfferToHub(DiskannNodeRef *ref, DiskannNode node,
							  const float *x);

/* Fill a LIVE slot's image for a new node with these neighbours. */
typedef struct DiskannNewNode
{
	const void *own;			/* code of its vector */
	DiskannVectorFactors factors;
	float		length2;
	uint64		hash;
	int			ntids;			/* at most DISKANN_INLINE_TIDS */
	const ItemPointerData *tids;
	DiskannNode next;			/* TIDS slot, or DISKANN_INVALID_NODE */
	uint32		sequence;		/* of that slot, or 0 */
	int			degree;
	const DiskannNode *nodes;
	const float *const *vectors;	/* decoded vectors of the neighbours */
} DiskannNewNode;

/* decoded gets the node's own decoded vector, dims floats. */
extern void DiskannFillNode(const DiskannIndex *index, char *image,
							const DiskannNewNode *node, float *decoded);

/* ---------- tids.c: rows of a node ---------- */

/*
 * Add a row to a live node that holds the same vector; false if the node is
 * not live any more or holds another vector.  May allocate a TIDS slot.
 */
extern bool DiskannAddTid(DiskannNodeRef *ref, DiskannNode node, uint64 hash,
						  ItemPointer tid);

/* Free a slot that nothing points to any more. */
extern void DiskannFreeSlot(DiskannNodeRef *ref, DiskannNode node);

/* A way through a node's TIDS slots. */
typedef struct DiskannChain
{
	DiskannNode owner;
	DiskannNode next;
	uint32		before;			/* sequence numbers from here on are done */
	DiskannNode slot;			/* the one read last */
} DiskannChain;

extern void DiskannStartChain(DiskannChain *chain, DiskannNode node,
							  DiskannNode first);

/*
 * Read the next TIDS slot; false at the end.  tids has room for
 * index->max_tids.
 */
extern bool DiskannReadChain(DiskannNodeRef *ref, DiskannChain *chain,
							 ItemPointerData *tids, int *ntids);

/*
 * Read the TIDs in a live node's own slot, at most DISKANN_INLINE_TIDS, and
 * the first slot of its chain; false if the node is not live.
 */
extern bool DiskannReadNodeTids(DiskannNodeRef *ref, DiskannNode node,
								ItemPointerData *tids, int *ntids,
								DiskannNode *next);

/* ---------- insert.c ---------- */

typedef struct DiskannInserter DiskannInserter;

/* Allocated in context; index stays the caller's. */
extern DiskannInserter *DiskannInserterCreate(MemoryContext context,
											  Relation rel,
											  const DiskannIndex *index);

/* Insert a row already read; row->x is overwritten. */
extern void DiskannInsertRow(DiskannInserter *inserter, DiskannRow *row,
							 ItemPointer tid);

extern bool diskanninsert(Relation index, Datum *values, bool *isnull,
						  ItemPointer heap_tid, Relation heap,
						  IndexUniqueCheck checkUnique, bool indexUnchanged,
						  IndexInfo *indexInfo);
extern void diskanninsertcleanup(Relation index, IndexInfo *indexInfo);

/* ---------- build.c ---------- */
extern IndexBuildResult *diskannbuild(Relation heap, Relation index,
									  IndexInfo *indexInfo);
extern void diskannbuildempty(Relation index);
extern char *diskannbuildphasename(int64 phase);

/* ---------- scan.c ---------- */
extern IndexScanDesc diskannbeginscan(Relation index, int nkeys,
									  int norderbys);
extern void diskannrescan(IndexScanDesc scan, ScanKey keys, int nkeys,
						  ScanKey orderbys, int norderbys);
extern bool diskanngettuple(IndexScanDesc scan, ScanDirection dir);
extern void diskannendscan(IndexScanDesc scan);

/* What a scan has done since its start. */
typedef struct DiskannScanCounts
{
	int64		visits;			/* nodes read */
	int64		estimates;		/* of distances to their neighbours */
	int64		rescored;		/* rows looked at to compare them */
} DiskannScanCounts;

/* The counts of the scan of this session that was last asked for a row. */
extern DiskannScanCounts DiskannLastScan(void);

/* ---------- vacuum.c ---------- */
extern IndexBulkDeleteResult *diskannbulkdelete(IndexVacuumInfo *info,
												IndexBulkDeleteResult *stats,
												IndexBulkDeleteCallback callback,
												void *callback_state);
extern IndexBulkDeleteResult *diskannvacuumcleanup(IndexVacuumInfo *info,
												   IndexBulkDeleteResult *stats);

/* ---------- plan.c ---------- */

/* Take part in planning, to leave out distances nobody asked for. */
extern void DiskannInitPlan(void);

/* ---------- cost.c, validate.c ---------- */
extern void diskanncostestimate(PlannerInfo *root, IndexPath *path,
								double loop_count, Cost *startup_cost,
								Cost *total_cost, Selectivity *selectivity,
								double *correlation, double *pages);
extern bool diskannvalidate(Oid opclass);

#endif							/* DISKANN_AM_H */
