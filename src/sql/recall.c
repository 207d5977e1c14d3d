/*-------------------------------------------------------------------------
 *
 * recall.c
 *	  diskann_index_recall(): how much of what is nearest do searches find?
 *	  diskann_calibrate(): have it noted, by the size of the search list.
 *
 * Only the index is read, under a lock that lets readers and writers go on, so
 * that what is compared is not of one moment.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/recall.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "am/calibrate.h"
#include "am/options.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "sql/inspect.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "values/row.h"

/* Deviations of a normal distribution that 95 % are within. */
#define DEVIATIONS 1.96

/* Rows of a user's statement that are fetched at a time. */
#define FETCHED 100

/* What is asked, from the arguments. */
typedef struct Question
{
	Relation	table;
	Relation	rel;
	DiskannIndex *index;		/* NULL: it never had a row */
	int			rows;
	int			list_size;
} Question;

static int
int_argument(FunctionCallInfo fcinfo, int number, const char *name, int most)
{
	int			value = PG_GETARG_INT32(number);

	if (value < 1 || value > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be between 1 and %d", name, most)));
	return value;
}

/* Read the arguments that both forms have, and open the index. */
static void
begin_question(FunctionCallInfo fcinfo, Question *question)
{
	question->rows = int_argument(fcinfo, 2, "k", DISKANN_TRIAL_MOST_ROWS);
	question->list_size = PG_ARGISNULL(3) ? 0 :
		int_argument(fcinfo, 3, "list_size", DISKANN_MOST_LIST_SIZE);
	question->rel = DiskannOpenWithTable(PG_GETARG_OID(0), AccessShareLock,
										 AccessShareLock, &question->table);
	question->index = DiskannLoadForInspection(question->rel);
	if (question->list_size == 0)
		question->list_size = DiskannSearchListSize(question->rel,
													question->rows);
}

/*
 * Where the true recall is likely to be: Wilson's interval.  A query counts for
 * as many independent rows as the variance tells, and for one if that is zero.
 */
static void
confidence_interval(const DiskannTrialResult *result, double *low,
					double *high)
{
	double		p = result->recall;
	double		z2 = DEVIATIONS * DEVIATIONS;
	double		n = result->queries;
	double		half;

	if (result->variance > 0)
		n *= p * (1 - p) / result->variance;
	half = DEVIATIONS * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
	*low = Max(0, (p + z2 / (2 * n) - half) / (1 + z2 / n));
	*high = Min(1, (p + z2 / (2 * n) + half) / (1 + z2 / n));
}

/* The result as a row; recall, its bounds and visits of no query are NULL. */
static Datum
result_row(FunctionCallInfo fcinfo, const Question *question,
		   const DiskannTrialResult *result, int64 nodes)
{
	double		low;
	double		high;
	Datum		values[8] = {0};
	bool		nulls[8] = {false};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (result->queries > 0)
	{
		confidence_interval(result, &low, &high);
		values[3] = Float8GetDatum(result->recall);
		values[4] = Float8GetDatum(low);
		values[5] = Float8GetDatum(high);
		values[7] = Float8GetDatum(result->visits);
	}
	else
		nulls[3] = nulls[4] = nulls[5] = nulls[7] = true;
	values[0] = Int32GetDatum(result->queries);
	values[1] = Int32GetDatum(question->rows);
	values[2] = Int32GetDatum(question->list_size);
	values[6] = Int64GetDatum(nodes);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

/* Try the queries, close the index, and return the result. */
static Datum
answer(FunctionCallInfo fcinfo, const Question *question, DiskannTrial *trial)
{
	DiskannTrialResult result = {0};
	int64		nodes = 0;

	if (trial)
	{
		nodes = DiskannTrialCompare(trial);
		DiskannTrialSearch(trial, question->rows, question->list_size,
						   &result);
	}
	relation_close(question->rel, AccessShareLock);
	table_close(question->table, AccessShareLock);
	return result_row(fcinfo, question, &result, nodes);
}

/* A query more of each row of those just fetched. */
static void
add_fetched(DiskannTrial *trial)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (!isnull && DiskannTrialHasRoom(trial))
			DiskannTrialAddQuery(trial, value);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Run the user's statement; each row's only column is a query. */
static void
add_queries_of(DiskannTrial *trial, Relation rel, const char *statement)
{
	SPIParseOpenOptions options = {.read_only = true};
	Portal		portal;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	portal = SPI_cursor_parse_open(NULL, statement, &options);
	if (portal->tupDesc == NULL || portal->tupDesc->natts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the statement must return one column of vectors")));
	DiskannVerifyQueryType(rel, DiskannGetSupport(rel),
						   SPI_gettypeid(portal->tupDesc, 1));
	do
	{
		SPI_cursor_fetch(portal, true, FETCHED);
		add_fetched(trial);
	} while (SPI_processed > 0 && DiskannTrialHasRoom(trial));
	SPI_cursor_close(portal);
	SPI_finish();
}

/* Tell if queries are fewer than there might be. */
static void
tell_of_room(const DiskannTrial *trial, int wanted)
{
	int			queries = DiskannTrialQueries(trial);

	if (queries < wanted && !DiskannTrialHasRoom(trial))
		ereport(NOTICE,
				(errmsg("only %d queries were taken", queries),
				 errdetail("More of them do not fit into maintenance_work_mem."),
				 errhint("Ask for fewer, or raise maintenance_work_mem.")));
}

/* Any of the arguments but the last must be there. */
static bool
lacks_argument(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2);
}

PG_FUNCTION_INFO_V1(diskann_index_recall);
Datum
diskann_index_recall(PG_FUNCTION_ARGS)
{
	Question	question;
	DiskannTrial *trial = NULL;
	int			queries;

	if (lacks_argument(fcinfo))
		PG_RETURN_NULL();
	queries = int_argument(fcinfo, 1, "queries", DISKANN_TRIAL_MOST_QUERIES);
	begin_question(fcinfo, &question);
	if (question.index)
	{
		trial = DiskannTrialCreate(question.rel, question.index,
								   question.rows);

		/* Other rows each time. */
		DiskannTrialAddSample(trial, queries, (uint64) GetCurrentTimestamp());
		tell_of_room(trial, queries);
	}
	PG_RETURN_DATUM(answer(fcinfo, &question, trial));
}

PG_FUNCTION_INFO_V1(diskann_index_recall_of);
Datum
diskann_index_recall_of(PG_FUNCTION_ARGS)
{
	Question	question;
	DiskannTrial *trial = NULL;

	if (lacks_argument(fcinfo))
		PG_RETURN_NULL();
	begin_question(fcinfo, &question);
	if (question.index)
	{
		trial = DiskannTrialCreate(question.rel, question.index,
								   question.rows);
		add_queries_of(trial, question.rel,
					   text_to_cstring(PG_GETARG_TEXT_PP(1)));
		tell_of_room(trial, DISKANN_TRIAL_MOST_QUERIES);
	}
	PG_RETURN_DATUM(answer(fcinfo, &question, trial));
}

/*
 * Open an index to calibrate it, and its table, and make a trial; NULL if the
 * index never had a row.
 */
static DiskannTrial *
begin_calibration(Oid relid, Question *question)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot calibrate an index during recovery"),
				 errhint("Calibrate it on the primary; standbys use that, too.")));
	PreventCommandIfReadOnly("diskann_calibrate()");
	question->rel = DiskannOpenWithTable(relid, AccessShareLock,
										 RowExclusiveLock, &question->table);
	question->index = DiskannLoadForInspection(question->rel);
	return question->index == NULL ? NULL :
		DiskannTrialCreate(question->rel, question->index,
						   DISKANN_CALIBRATION_MOST_ROWS);
}

/*
 * Calibrate it unless there is nothing to learn, and close all.  A transaction
 * that writes no row would leave it to chance whether that survives a crash.
 */
static void
calibrate(Question *question, DiskannTrial *trial)
{
	const char *name = RelationGetRelationName(question->rel);

	ForceSyncCommit();
	if (trial == NULL || DiskannCalibrate(question->rel, trial) < 2)
		ereport(NOTICE,
				(errmsg("index \"%s\" was not calibrated", name),
				 errdetail("It has fewer than two different vectors."),
				 errhint("Calibrate it once it has rows.")));
	else if (DiskannTrialQueries(trial) == 0)
		ereport(NOTICE,
				(errmsg("index \"%s\" was not calibrated", name),
				 errdetail("The statement returned no vector that has a place in it."),
				 errhint("Give it some hundred queries.")));
	relation_close(question->rel, RowExclusiveLock);
	table_close(question->table, AccessShareLock);
}

PG_FUNCTION_INFO_V1(diskann_calibrate);
Datum
diskann_calibrate(PG_FUNCTION_ARGS)
{
	int			queries = int_argument(fcinfo, 1, "queries",
									   DISKANN_TRIAL_MOST_QUERIES);
	Question	question;
	DiskannTrial *trial = begin_calibration(PG_GETARG_OID(0), &question);

	if (trial)
	{
		DiskannTrialAddSample(trial, queries, (uint64) GetCurrentTimestamp());
		tell_of_room(trial, queries);
	}
	calibrate(&question, trial);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(diskann_calibrate_by);
Datum
diskann_calibrate_by(PG_FUNCTION_ARGS)
{
	Question	question;
	DiskannTrial *trial = begin_calibration(PG_GETARG_OID(0), &question);

	if (trial)
	{
		add_queries_of(trial, question.rel,
					   text_to_cstring(PG_GETARG_TEXT_PP(1)));
		tell_of_room(trial, DISKANN_TRIAL_MOST_QUERIES);
	}
	calibrate(&question, trial);
	PG_RETURN_VOID();
}
