/*-------------------------------------------------------------------------
 *
 * estimate.c
 *	  diskann_estimate(): what an index would take, before there is one.
 *
 * The settings are decided and the layout is chosen as CREATE INDEX does it,
 * and sizes come from what its phases go by (size.h).  Rows are taken to be
 * different: equal ones share a node.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/estimate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "am/am.h"
#include "am/calibrate.h"
#include "am/effort.h"
#include "am/options.h"
#include "build/lists.h"
#include "build/parallel.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "funcapi.h"
#include "store/place.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"
#include "values/filter.h"
#include "values/row.h"

/* What the function's arguments are, in this order. */
enum
{
	ARG_ROWS,
	ARG_DIMS,
	ARG_OPCLASS,
	ARG_FILTERS,
	ARG_LIST,
	ARG_WORKERS,
	ARG_FIRST_PARAMETER
};

/* From there on they are storage parameters, NULL where not set. */
static const char *const parameters[] = {
	"num_neighbors", "num_dimensions", "num_bits_per_dimension", "edge_bits",
	"vector_storage"
};

/* The columns of the result. */
enum
{
	INDEX_BYTES,
	BUILD_MEMORY,
	BUILD_MEMORY_WANTED,
	BUILD_DISK,
	QUERY_PAGES,
	NCOLUMNS
};

/* A build that may come to be. */
typedef struct Prospect
{
	uint64		nrows;
	int			participants;
	Size		memory;			/* of each */
	DiskannMetaPageData meta;
} Prospect;

/* ---------- arguments ---------- */

/* An argument that must be a number of at least some size. */
static int64
read_number(FunctionCallInfo fcinfo, int arg, const char *name, int64 value,
			int64 least, int64 most)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	if (value < least || value > most)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be from " INT64_FORMAT " to " INT64_FORMAT,
						name, least, most)));
	return value;
}

/* Storage parameters as CREATE INDEX has them, checked alike; may be NULL. */
static const bytea *
read_parameters(FunctionCallInfo fcinfo)
{
	Datum		texts[lengthof(parameters)];
	int			n = 0;

	for (int i = 0; i < (int) lengthof(parameters); i++)
	{
		int			arg = ARG_FIRST_PARAMETER + i;
		char	   *value;
		Oid			output;
		bool		varlena;

		if (PG_ARGISNULL(arg))
			continue;
		getTypeOutputInfo(get_fn_expr_argtype(fcinfo->flinfo, arg), &output,
						  &varlena);
		value = OidOutputFunctionCall(output, PG_GETARG_DATUM(arg));
		texts[n++] = CStringGetTextDatum(psprintf("%s=%s", parameters[i],
												  value));
	}
	return n == 0 ? NULL :
		diskannoptions(PointerGetDatum(construct_array(texts, n, TEXTOID, -1,
													   false, TYPALIGN_INT)),
					   true);
}

/* Filter columns of some types, behind that of the vectors. */
static void
read_filters(ArrayType *types, DiskannSettings *settings)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(types, REGTYPEOID, sizeof(Oid), true, TYPALIGN_INT,
					  &values, &nulls, &n);
	if (n > DISKANN_MAX_FILTER_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("an index has at most %d filter columns",
						DISKANN_MAX_FILTER_COLUMNS)));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("types of filter columns must not be null")));
		settings->filters[i].attno = i + 2;
		settings->filters[i].kind =
			DiskannFilterKindOf(getBaseType(DatumGetObjectId(values[i])));
	}
	settings->nfilters = n;
}

/* The layout that CREATE INDEX would choose. */
static void
choose_layout(FunctionCallInfo fcinfo, Prospect *prospect)
{
	int			dims = read_number(fcinfo, ARG_DIMS, "dims",
								   PG_GETARG_INT32(ARG_DIMS), 1,
								   DISKANN_MAX_DIMS);
	const DiskannSupport *support;
	DiskannSettings settings;
	List	   *name;

	if (PG_ARGISNULL(ARG_OPCLASS))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("opclass must not be null")));
	name = textToQualifiedNameList(PG_GETARG_TEXT_PP(ARG_OPCLASS));
	support = DiskannSupportOfClass(get_opclass_oid(get_index_am_oid("diskann",
																	 false),
													name, false));
	DiskannDecideParameters(read_parameters(fcinfo), NOTICE, &settings);
	settings.metric = support->metric;
	settings.vector_limit = support->type->widest;
	if (!PG_ARGISNULL(ARG_FILTERS))
		read_filters(PG_GETARG_ARRAYTYPE_P(ARG_FILTERS), &settings);
	DiskannApplySettings(&prospect->meta, &settings);
	DiskannChooseLayout(&prospect->meta, dims,
						DiskannBuildLearns(prospect->nrows, dims));
}

/* A table of nothing but the vectors has so many blocks. */
static BlockNumber
table_blocks(const Prospect *prospect)
{
	double		bytes = (double) prospect->nrows * prospect->meta.dims * sizeof(float);

	return Min(bytes / BLCKSZ, MaxBlockNumber);
}

static void
read_prospect(FunctionCallInfo fcinfo, Prospect *prospect)
{
	int			workers;

	prospect->nrows = read_number(fcinfo, ARG_ROWS, "rows",
								  PG_GETARG_INT64(ARG_ROWS), 1, PG_UINT32_MAX - 2);
	choose_layout(fcinfo, prospect);
	workers = PG_ARGISNULL(ARG_WORKERS) ?
		DiskannWorkersForBlocks(table_blocks(prospect)) :
		read_number(fcinfo, ARG_WORKERS, "workers",
					PG_GETARG_INT32(ARG_WORKERS), 0, 1024);
	prospect->participants = 1 + workers;
	prospect->memory = DiskannBuildMemory(prospect->participants);
}

/* ---------- sizes ---------- */

/* Bytes of an index of as many nodes as there are rows, and node 0. */
static uint64
index_bytes(const Prospect *prospect)
{
	BlockNumber last = DiskannBlockOfNode(&prospect->meta, prospect->nrows);

	return ((uint64) last + prospect->meta.pages_per_slot) * BLCKSZ;
}

/* Sections a row is a member of, on average. */
static double
memberships(const Prospect *prospect)
{
	double		level = 1.0 / (1 << DISKANN_LEVEL_BITS);

	return DiskannBuildFanout(DiskannBuildBalls(prospect->nrows)) +
		DISKANN_BUILD_SERIES * level / (1 - level) +
		(DiskannHasKin(&prospect->meta) ? 1 : 0);
}

/* What the cache of a file has at most, of all rows. */
static uint64
cache_bytes(const Prospect *prospect, BuildFile file)
{
	Size		row = file == FILE_VECTORS ?
		DiskannBuildVectorBytes(&prospect->meta) :
		DiskannBuildCodeBytes(&prospect->meta);

	return Min(DiskannBuildCacheBytes(file, prospect->memory),
			   prospect->nrows * row);
}

/*
 * What one participant has when it has most: while it compares, while it
 * chooses edges, with numbers of rows and nodes and the candidates of a group
 * as they were read and merged, or while it writes pages.
 */
static uint64
participant_memory(const Prospect *prospect)
{
	uint64		nrows = prospect->nrows;
	uint64		group = DiskannBuildGroupRows(nrows, prospect->participants,
											  prospect->memory);
	uint64		signatures = DiskannHasKin(&prospect->meta) ? nrows : 0;
	uint64		choosing = cache_bytes(prospect, FILE_VECTORS) +
		2 * sizeof(uint32) * nrows + signatures +
		2 * Min(prospect->memory / DISKANN_LISTS_SHARE,
				group * DISKANN_CANDIDATE_BYTES);
	uint64		writing = cache_bytes(prospect, FILE_PLACED) +
		sizeof(uint32) * nrows +
		nrows * DiskannSignatureCount(&prospect->meta);

	return Max(cache_bytes(prospect, FILE_CODES), Max(choosing, writing));
}

/*
 * The memory that holds all rows whenever they are read again and again; to
 * compare them reads each just a few times.
 */
static uint64
memory_wanted(const Prospect *prospect)
{
	return prospect->participants * prospect->nrows *
		Max(DiskannBuildVectorBytes(&prospect->meta) / 3 * 4,
			DiskannBuildCodeBytes(&prospect->meta) / 7 * 8);
}

/* Temporary files when they are the most: after comparing, or choosing. */
static uint64
disk_bytes(const Prospect *prospect)
{
	Size		code_bytes = DiskannBuildCodeBytes(&prospect->meta);
	int			fanout = DiskannBuildFanout(DiskannBuildBalls(prospect->nrows));
	double		row = code_bytes + DISKANN_CANDIDATE_BYTES +
		DiskannBuildVectorBytes(&prospect->meta) +
		DiskannBuildAssignBytes(fanout) + sizeof(BuildPlace) +
		memberships(prospect) * sizeof(BuildMember) +
		(DiskannHasKin(&prospect->meta) ? sizeof(uint8) : 0);

	return prospect->nrows *
		(row + Max(code_bytes, sizeof(BuildNode) + sizeof(uint32) +
				   DiskannBuildEdgesBytes(&prospect->meta)));
}

/* Pages of the index that a query for ten rows reads. */
static double
query_pages(const Prospect *prospect, double list_size)
{
	double		visits = DiskannVisitsFor(list_size, DISKANN_ROWS_IF_UNKNOWN);

	return (1 + Min(visits, prospect->nrows)) * prospect->meta.pages_per_slot;
}

/* The list that is asked for, or set, or the default. */
static int
list_size(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(ARG_LIST))
		return read_number(fcinfo, ARG_LIST, "search_list",
						   PG_GETARG_INT32(ARG_LIST), 1,
						   DISKANN_MOST_LIST_SIZE);
	return diskann_query_search_list_size > 0 ?
		diskann_query_search_list_size : DISKANN_DEFAULT_LIST_SIZE;
}

PG_FUNCTION_INFO_V1(diskann_estimate);
Datum
diskann_estimate(PG_FUNCTION_ARGS)
{
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS] = {false};
	TupleDesc	desc;
	Prospect	prospect;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	read_prospect(fcinfo, &prospect);
	values[INDEX_BYTES] = Int64GetDatum(index_bytes(&prospect));
	values[BUILD_MEMORY] = Int64GetDatum(prospect.participants *
										 participant_memory(&prospect));
	values[BUILD_MEMORY_WANTED] = Int64GetDatum(memory_wanted(&prospect));
	values[BUILD_DISK] = Int64GetDatum(disk_bytes(&prospect));
	values[QUERY_PAGES] = Float8GetDatum(query_pages(&prospect, list_size(fcinfo)));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
