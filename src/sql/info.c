/*-------------------------------------------------------------------------
 *
 * info.c
 *	  What an index is like: its layout, what fills it, how it is linked.
 *
 * diskann_index_info() reads the metapage and, if there are rows, every slot
 * of the index, one at a time and under a share lock, so that it may run
 * beside anything; what it counts is then not of one moment.
 * diskann_last_scan() and diskann_simd() tell what this session remembers.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/sql/info.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xlog.h"
#include "am/am.h"
#include "am/calibrate.h"
#include "am/scan.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "kernels/kernels.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "sql/inspect.h"
#include "store/node.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "values/row.h"

/* The result: rows of (property, value). */
typedef struct Properties
{
	Tuplestorestate *store;
	TupleDesc	desc;
} Properties;

/* What the slots of an index hold. */
typedef struct Counts
{
	int64		states[DISKANN_LAST_STATE + 1];
	int64		rows;
	int64		pending;		/* live nodes not linked yet */
	int64		edges;			/* of live nodes */
	int64		degrees[DISKANN_MAX_DEGREE + 1];	/* live nodes by degree */
} Counts;

Relation
DiskannOpenForInspection(Oid relid, LOCKMODE lockmode)
{
	Relation	rel = relation_open(relid, lockmode);

	if (rel->rd_rel->relkind != RELKIND_INDEX ||
		rel->rd_indam->aminsert != diskanninsert)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a diskann index",
						RelationGetRelationName(rel)),
				 rel->rd_rel->relkind == RELKIND_PARTITIONED_INDEX ?
				 errdetail("It is partitioned; its partitions have indexes of their own.") : 0));
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary indexes of other sessions")));
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED &&
		RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access unlogged index \"%s\" during recovery",
						RelationGetRelationName(rel)),
				 errdetail("The contents of unlogged indexes are not replicated.")));
	return rel;
}

Relation
DiskannOpenWithTable(Oid relid, LOCKMODE table_lock, LOCKMODE lockmode,
					 Relation *table)
{
	Oid			table_oid = IndexGetRelation(relid, true);
	Relation	rel;

	*table = OidIsValid(table_oid) ? table_open(table_oid, table_lock) : NULL;
	rel = DiskannOpenForInspection(relid, lockmode);

	/* The index may have been dropped before we had the lock. */
	if (*table == NULL || table_oid != IndexGetRelation(relid, false))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("could not open the table of index \"%s\"",
						RelationGetRelationName(rel))));
	return rel;
}

/* What the relcache remembers may be older than damage that is looked for. */
DiskannIndex *
DiskannLoadForInspection(Relation rel)
{
	if (rel->rd_amcache)
		pfree(rel->rd_amcache);
	rel->rd_amcache = NULL;
	return DiskannLoadIndex(rel, CurrentMemoryContext,
							DiskannGetSupport(rel)->metric);
}

/* ---------- properties ---------- */

/* Append a row to the result. */
static void
put_property(Properties *properties, const char *property, const char *value)
{
	Datum		values[2] = {CStringGetTextDatum(property),
	CStringGetTextDatum(value)};
	bool		isnull[2] = {false, false};

	tuplestore_putvalues(properties->store, properties->desc, values, isnull);
}

static void
put_int(Properties *properties, const char *property, int64 value)
{
	put_property(properties, property, psprintf(INT64_FORMAT, value));
}

/* A setting of which 0 leaves the choice to the index. */
static void
put_choice(Properties *properties, const char *property, int value)
{
	if (value == 0)
		put_property(properties, property, "auto");
	else
		put_int(properties, property, value);
}

static const char *
metric_name(DiskannMetric metric)
{
	switch (metric)
	{
		case DISKANN_COSINE:
			return "cosine";
		case DISKANN_INNER_PRODUCT:
			return "inner_product";
		case DISKANN_L2:
			break;
	}
	return "l2";
}

static const char *
filter_kind_name(DiskannFilterKind kind)
{
	switch (kind)
	{
		case DISKANN_FILTER_NUMERIC:
		case DISKANN_FILTER_UUID:
			return "order";
		case DISKANN_FILTER_HASH:
			return "hash";
		case DISKANN_FILTER_SET:
			return "set";
		case DISKANN_FILTER_VALUE:
			break;
	}
	return "value";
}

/* The filter columns, if there are any, each with how its values are kept. */
static void
put_filters(Properties *properties, Relation rel,
			const DiskannSettings *settings)
{
	StringInfoData buf;

	if (settings->nfilters == 0)
		return;
	initStringInfo(&buf);
	for (int i = 0; i < settings->nfilters; i++)
	{
		const DiskannFilterColumn *filter = &settings->filters[i];
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  filter->attno - 1);

		appendStringInfo(&buf, "%s%s (%s)", i > 0 ? ", " : "",
						 NameStr(att->attname),
						 filter_kind_name(filter->kind));
	}
	put_property(properties, "filter_columns", buf.data);
}

/* Of which filter columns ranges of values have been learned. */
static void
put_ranges(Properties *properties, Relation rel, const DiskannIndex *index)
{
	StringInfoData buf;

	if (index->meta.nfilters == 0)
		return;
	initStringInfo(&buf);
	for (int i = 0; i < index->meta.nfilters; i++)
	{
		const DiskannFilterColumn *filter = &index->meta.filters[i];
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  filter->attno - 1);

		if (filter->ranges != 0)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "",
							 NameStr(att->attname));
	}
	put_property(properties, "filter_ranges", buf.len > 0 ? buf.data : "none");
}

static void
put_settings(Properties *properties, const DiskannSettings *settings)
{
	put_int(properties, "format_version", DISKANN_FORMAT_VERSION);
	put_property(properties, "metric", metric_name(settings->metric));
	put_int(properties, "max_degree", settings->max_degree);
	put_int(properties, "build_list_size", settings->build_list_size);
	put_property(properties, "alpha", psprintf("%g", settings->alpha));
	put_property(properties, "prefix_dimensions",
				 settings->prefix_dims == 0 ? "none" :
				 psprintf("%d", settings->prefix_dims));
	put_property(properties, "kernels", diskann_kernels->name);
}

/*
 * How vectors and edges are to be stored, as far as the user has said so: the
 * layout depends on the dimensions, which the first row decides.
 */
static void
put_wishes(Properties *properties, const DiskannSettings *settings)
{
	put_property(properties, "vector_storage",
				 diskann_vector_kind_name(settings->vector_storage));
	put_choice(properties, "edge_bits", settings->edge_bits);
	put_choice(properties, "bits_per_dimension",
			   settings->bits_per_dimension);
}

/* How vectors and edges are stored. */
static void
put_layout(Properties *properties, const DiskannIndex *index)
{
	const DiskannMetaPageData *meta = &index->meta;

	put_int(properties, "dimensions", meta->dims);
	put_int(properties, "index_dimensions", meta->space_dims);
	put_property(properties, "vector_storage",
				 diskann_vector_kind_name(meta->vector_kind));
	put_int(properties, "edge_bits", (int64) meta->planes * meta->code_dims);
	put_int(properties, "bits_per_dimension", meta->planes);
	put_int(properties, "coded_dimensions", meta->code_dims);
	put_int(properties, "slot_bytes", meta->slot_size);
	put_int(properties, "slots_per_page", meta->slots_per_page);
	put_int(properties, "pages_per_slot", meta->pages_per_slot);
}

/*
 * Live nodes by degree, in quarters of the greatest; both ends by themselves.
 */
static char *
degree_histogram(const Counts *counts, int max_degree)
{
	StringInfoData buf;
	int			width = max_degree / 4;
	int			low = 1;

	Assert(width > 0 && max_degree <= DISKANN_MAX_DEGREE);

	initStringInfo(&buf);
	appendStringInfo(&buf, "0: " INT64_FORMAT, counts->degrees[0]);
	while (low < max_degree)
	{
		int			high = Min(low + width - 1, max_degree - 1);
		int64		n = 0;

		for (int degree = low; degree <= high; degree++)
			n += counts->degrees[degree];
		appendStringInfo(&buf, ", %d-%d: " INT64_FORMAT, low, high, n);
		low = high + 1;
	}
	appendStringInfo(&buf, ", %d: " INT64_FORMAT, max_degree,
					 counts->degrees[max_degree]);
	return buf.data;
}

/* bytes are those of the whole index. */
static void
put_counts(Properties *properties, const Counts *counts, int max_degree,
		   int64 bytes)
{
	int64		nodes = counts->states[DISKANN_LIVE];

	put_int(properties, "rows", counts->rows);
	put_int(properties, "nodes", nodes);
	put_int(properties, "pending", counts->pending);
	put_int(properties, "tombstones", counts->states[DISKANN_DEAD]);
	put_int(properties, "free_slots", counts->states[DISKANN_FREE]);
	put_int(properties, "tids_slots", counts->states[DISKANN_TIDS]);
	if (nodes == 0)
		return;
	put_int(properties, "bytes_per_node", bytes / nodes);
	put_property(properties, "mean_degree",
				 psprintf("%.1f", (double) counts->edges / nodes));
	put_property(properties, "degrees", degree_histogram(counts, max_degree));
}

/* What the last repair found of how well searches find what is there. */
static void
put_self_recall(Properties *properties, Relation rel)
{
	DiskannCounts counts;
	DiskannSelfRecall recall;

	DiskannGetCounts(rel, &counts, &recall);
	if (recall.searched == 0)
	{
		put_property(properties, "self_recall", "unknown");
		return;
	}
	put_property(properties, "self_recall",
				 psprintf("%.3f of %u at the last repair",
						  1 - (double) recall.missed / recall.searched,
						  recall.searched));
	if (DiskannIsSick(&recall))
		put_property(properties, "advice",
					 psprintf("%s: many rows were not found by their own vectors",
							  DiskannSearchesToHeal(&counts, &recall) > 0 ?
							  "VACUUM" : "REINDEX"));
}

/* The search list that each recall takes for some numbers of rows. */
static void
put_sizes(Properties *properties, const DiskannCalibration *calibration,
		  int rows)
{
	static const double targets[] = {.90, .95, .98, .99, .995};
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < (int) lengthof(targets); i++)
	{
		bool		reached;
		double		size = DiskannCalibratedSize(calibration, rows, targets[i],
												 &reached);

		appendStringInfo(&buf, "%s%g: ", i > 0 ? ", " : "", targets[i]);
		if (reached)
			appendStringInfo(&buf, "%.0f", ceil(size));
		else
			appendStringInfoString(&buf, "not reached");
	}
	put_property(properties, psprintf("list_sizes_for_%d", rows), buf.data);
}

/* What is known of the recall that search lists give. */
static void
put_calibration(Properties *properties, Relation rel)
{
	DiskannCalibration calibration;

	DiskannGetCalibration(rel, &calibration);
	if (calibration.queries == 0)
	{
		put_property(properties, "calibration", "none");
		return;
	}
	put_property(properties, "calibration",
				 psprintf("%u queries, " UINT64_FORMAT " nodes, %s",
						  calibration.queries, calibration.nodes,
						  timestamptz_to_str(calibration.time)));
	for (int rows = 1; rows <= DISKANN_CALIBRATION_MOST_ROWS; rows *= 10)
		put_sizes(properties, &calibration, rows);
}

/* ---------- counting ---------- */

/* The slot is locked. */
static void
count_slot(Counts *counts, const DiskannSlotData *head)
{
	/* DiskannNodeOpen() has checked both. */
	Assert(head->state < lengthof(counts->states));
	Assert(head->degree < lengthof(counts->degrees));
	counts->states[head->state]++;
	if (head->state == DISKANN_LIVE || head->state == DISKANN_TIDS)
		counts->rows += head->ntids;
	if (head->state == DISKANN_LIVE)
	{
		counts->pending += head->closed != 0 ? 1 : 0;
		counts->edges += head->degree;
		counts->degrees[head->degree]++;
	}
}

/* Nothing is locked on entry and exit; one slot at a time meanwhile. */
static void
count_slots(Relation rel, const DiskannIndex *index, Counts *counts)
{
	DiskannNodeRef ref;
	DiskannNode count;

	memset(counts, 0, sizeof(*counts));
	DiskannNodeInit(&ref, rel, index, false);
	ref.strategy = GetAccessStrategy(BAS_BULKREAD);
	count = DiskannNodeCount(&ref);
	for (DiskannNode node = 0; node < count; node++)
	{
		bool		unused;

		CHECK_FOR_INTERRUPTS();
		if (DiskannNodeOpenNext(&ref, node, BUFFER_LOCK_SHARE, &unused))
		{
			count_slot(counts, DiskannNodeHead(&ref));
			DiskannNodeClose(&ref);
		}
		else if (unused)
			counts->states[DISKANN_FREE]++;
	}
	FreeAccessStrategy(ref.strategy);
}

/* ---------- SQL functions ---------- */

/* Prepare to return a set of rows, all at once. */
static void
begin_properties(FunctionCallInfo fcinfo, Properties *properties)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL,
							 &properties->desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	properties->desc = CreateTupleDescCopy(properties->desc);
	properties->store = tuplestore_begin_heap(true, false, work_mem);
	MemoryContextSwitchTo(old);
	result->returnMode = SFRM_Materialize;
	result->setResult = properties->store;
	result->setDesc = properties->desc;
}

PG_FUNCTION_INFO_V1(diskann_index_info);
Datum
diskann_index_info(PG_FUNCTION_ARGS)
{
	Relation	rel = DiskannOpenForInspection(PG_GETARG_OID(0),
											   AccessShareLock);
	DiskannIndex *index = DiskannLoadForInspection(rel);
	BlockNumber pages = RelationGetNumberOfBlocks(rel);
	DiskannSettings settings;
	Properties	properties;

	begin_properties(fcinfo, &properties);
	DiskannLoadSettings(rel, &settings);
	put_settings(&properties, &settings);
	put_filters(&properties, rel, &settings);
	if (index)
	{
		put_ranges(&properties, rel, index);
		put_layout(&properties, index);
	}
	else
		put_wishes(&properties, &settings);
	put_int(&properties, "pages", pages);
	put_int(&properties, "bytes", (int64) pages * BLCKSZ);
	if (index)
	{
		Counts		counts;

		count_slots(rel, index, &counts);
		put_counts(&properties, &counts, settings.max_degree,
				   (int64) pages * BLCKSZ);
		put_self_recall(&properties, rel);
		put_calibration(&properties, rel);
	}
	relation_close(rel, AccessShareLock);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(diskann_last_scan);
Datum
diskann_last_scan(PG_FUNCTION_ARGS)
{
	DiskannScanCounts counts = DiskannLastScan();
	DiskannWanted wanted = DiskannLastWanted();
	TupleDesc	desc;
	Datum		values[10];
	bool		nulls[10] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(counts.visits);
	values[1] = Int64GetDatum(counts.estimates);
	values[2] = Int64GetDatum(counts.rescored);
	values[3] = CStringGetTextDatum(DiskannWantedText(&wanted));
	values[4] = Float8GetDatum(wanted.bound);
	nulls[4] = isinf(wanted.bound);
	values[5] = Int64GetDatum(counts.list_size);
	values[6] = Int64GetDatum(counts.late);
	values[7] = CStringGetTextDatum(counts.way ? counts.way : "");
	values[8] = Float8GetDatum(counts.share);
	nulls[8] = counts.share == 0;
	values[9] = Int64GetDatum(counts.bridges);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

PG_FUNCTION_INFO_V1(diskann_simd);
Datum
diskann_simd(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(diskann_kernels->name));
}
