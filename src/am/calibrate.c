/*-------------------------------------------------------------------------
 *
 * calibrate.c
 *	  The list that a search needs, by the recall that is asked for.
 *
 * A calibration is a table of what searches miss, by the size of their list and
 * the number of rows they are for.  The sizes and the numbers that stand in it
 * grow by factors, and so does what is between them: misses fall about as a
 * power of the size.  With the number of nodes they grow about as a power of
 * it, too, so that an index that grows needs no new calibration at once.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/calibrate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "am/calibrate.h"
#include "am/options.h"
#include "am/wanted.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "values/row.h"

/* Sizes of the list that are tried: from the first on, each by so much more. */
#define FIRST_SIZE 10
#define SIZE_FACTOR 1.26

/* Sizes are no longer tried once so little is missed. */
#define LEAST_MISSED 0.0005

/* ---------- using it ---------- */

/* The size for number n of the numbers of rows, and whether it is enough. */
static double
size_for(const DiskannCalibration *calibration, int n, double target,
		 bool *reached)
{
	const float *missed = calibration->missed[n];
	const uint16 *sizes = calibration->sizes;
	double		allowed = 1 - target;
	double		share;
	int			i = 0;

	while (i < DISKANN_CALIBRATED_SIZES - 1 && missed[i] > allowed)
		i++;
	*reached = missed[i] <= allowed;
	if (i == 0 || !*reached)
		return sizes[i];
	share = log(missed[i - 1] / allowed) /
		log(missed[i - 1] / Max(missed[i], LEAST_MISSED * allowed));
	return sizes[i - 1] * pow((double) sizes[i] / sizes[i - 1], share);
}

double
DiskannCalibratedSize(const DiskannCalibration *calibration, double rows,
					  double target, bool *reached)
{
	double		place = Min(log10(Max(rows, 1)), DISKANN_CALIBRATED_ROWS - 1);
	int			n = Min((int) place, DISKANN_CALIBRATED_ROWS - 2);
	bool		next_reached;
	double		size = size_for(calibration, n, target, reached);
	double		next = size_for(calibration, n + 1, target, &next_reached);

	if (place > n)
		*reached &= next_reached;
	return size * pow(next / size, place - n);
}

/*
 * What recall a list had to reach when the calibration was made, to reach the
 * target now: in an index of so many more blocks it misses more, by their root.
 */
static double
target_then(const DiskannCalibration *calibration, BlockNumber blocks,
			double target)
{
	double		growth = Max(1, (double) blocks / calibration->blocks);

	return 1 - Max((1 - target) / sqrt(growth), LEAST_MISSED);
}

int
DiskannSearchListSize(Relation rel, double rows)
{
	double		target;
	int			size = DiskannListSizeSet(rel, &target);
	const DiskannMetaPageData *meta;
	double		needed;
	bool		reached;

	if (size > 0)
		return size;
	if (target == 0)
		return DISKANN_DEFAULT_LIST_SIZE;
	meta = DiskannCachedMeta(rel, DiskannGetSupport(rel)->metric);
	if (meta == NULL || meta->calibration.queries == 0)
		return DISKANN_DEFAULT_LIST_SIZE;
	target = target_then(&meta->calibration, RelationGetNumberOfBlocks(rel),
						 target);
	needed = DiskannCalibratedSize(&meta->calibration,
								   rows > 0 ? rows : DISKANN_ROWS_IF_UNKNOWN,
								   target, &reached);
	return (int) Min(ceil(needed), DISKANN_MOST_LIST_SIZE);
}

/* ---------- making it ---------- */

/*
 * Search for one number of rows with lists of each size.  A longer list cannot
 * miss more but by chance.
 */
static void
try_sizes(DiskannTrial *trial, int rows, const uint16 *sizes, float *missed)
{
	for (int i = 0; i < DISKANN_CALIBRATED_SIZES; i++)
	{
		DiskannTrialResult result;

		if (i > 0 && missed[i - 1] <= LEAST_MISSED)
		{
			missed[i] = missed[i - 1];
			continue;
		}
		DiskannTrialSearch(trial, rows, sizes[i], &result);
		missed[i] = (float) (1 - result.recall +
							 sqrt(result.variance / Max(result.queries, 1)));
		if (i > 0)
			missed[i] = Min(missed[i], missed[i - 1]);
	}
}

/* The index asks for what no list gives: its user should know. */
static void
tell_of_target(Relation rel, const DiskannCalibration *calibration)
{
	double		target = DiskannIndexRecallTarget(rel);
	bool		reached;

	if (target == 0)
		return;
	(void) DiskannCalibratedSize(calibration, DISKANN_ROWS_IF_UNKNOWN, target,
								 &reached);
	if (!reached)
		ereport(NOTICE,
				(errmsg("index \"%s\" does not reach a recall of %g",
						RelationGetRelationName(rel), target),
				 errdetail("With a search list of %d it misses %.4f of ten rows.",
						   calibration->sizes[DISKANN_CALIBRATED_SIZES - 1],
						   calibration->missed[1][DISKANN_CALIBRATED_SIZES - 1]),
				 errhint("Ask for less, or build it with more num_neighbors.")));
}

int64
DiskannCalibrate(Relation rel, DiskannTrial *trial)
{
	DiskannCalibration calibration;
	double		size = FIRST_SIZE;
	int			rows = 1;

	memset(&calibration, 0, sizeof(calibration));
	calibration.nodes = DiskannTrialCompare(trial);
	calibration.queries = DiskannTrialQueries(trial);

	/* A node alone is never missed, or left out as the query. */
	if (calibration.queries == 0 || calibration.nodes < 2)
		return calibration.nodes;
	calibration.time = GetCurrentTimestamp();
	calibration.blocks = RelationGetNumberOfBlocks(rel);
	for (int i = 0; i < DISKANN_CALIBRATED_SIZES; i++)
	{
		calibration.sizes[i] = (uint16) rint(size);
		size *= SIZE_FACTOR;
	}
	for (int i = 0; i < DISKANN_CALIBRATED_ROWS; i++)
	{
		try_sizes(trial, rows, calibration.sizes, calibration.missed[i]);
		rows *= 10;
	}
	DiskannSetCalibration(rel, &calibration);
	DiskannInvalidate(rel);
	tell_of_target(rel, &calibration);
	return calibration.nodes;
}

void
DiskannCalibrateBySample(Relation rel, DiskannIndex *index)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "diskann calibration",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	DiskannTrial *trial = DiskannTrialCreate(rel, index,
											 DISKANN_CALIBRATION_MOST_ROWS);

	DiskannTrialAddSample(trial, DISKANN_CALIBRATION_QUERIES, (uint64) GetCurrentTimestamp());
	(void) DiskannCalibrate(rel, trial);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
