/*-------------------------------------------------------------------------
 *
 * options.c
 *	  Storage parameters and settings.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/options.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "am/am.h"
#include "am/options.h"
#include "compat.h"
#include "kernels/kernels.h"
#include "lib/stringinfo.h"
#include "store/pause.h"
#include "utils/memutils.h"
#include "values/filter.h"

/* What an index has unless WITH (...) says otherwise. */
#define DEFAULT_NUM_NEIGHBORS 32
#define DEFAULT_INSERT_LIST_SIZE 64
#define DEFAULT_PENDING_LIMIT 256

/* Recall that can be asked for; less needs no list to speak of. */
#define LEAST_RECALL_TARGET 0.9
#define MOST_RECALL_TARGET 0.999

/* As many as all porches have room for at the least degree. */
#define MOST_PENDING (DISKANN_MOST_PORCHES * DISKANN_MIN_DEGREE)

typedef struct DiskannOptions
{
	int32		vl_len_;		/* varlena header, do not touch */
	int			num_neighbors;
	int			search_list_size;
	double		max_alpha;
	int			num_dimensions;
	int			num_bits_per_dimension;
	int			storage_layout;
	int			edge_bits;
	int			vector_storage;
	int			query_search_list_size;
	int			pending_limit;
	double		recall_target;
} DiskannOptions;

typedef enum StorageLayout
{
	LAYOUT_MEMORY_OPTIMIZED,
	LAYOUT_PLAIN
} StorageLayout;

static relopt_enum_elt_def layout_values[] = {
	{"memory_optimized", LAYOUT_MEMORY_OPTIMIZED},
	{"bq_compression", LAYOUT_MEMORY_OPTIMIZED},
	{"plain", LAYOUT_PLAIN},
	{NULL, 0}
};

/* One entry a kind, "auto" first, filled in when parameters are defined. */
static relopt_enum_elt_def vector_storage_values[DISKANN_FLOAT32 + 2];

static const struct config_enum_entry iterative_search_values[] = {
	{"off", DISKANN_ITERATE_OFF, false},
	{"relaxed_order", DISKANN_ITERATE_RELAXED, false},
	{"strict_order", DISKANN_ITERATE_STRICT, false},
	{NULL, 0, false}
};

int			diskann_query_search_list_size;
int			diskann_query_rescore;
int			diskann_iterative_search;
int			diskann_max_scan_tuples;
int			diskann_pending_limit;
static double recall_target;
static char *diskann_simd_setting;

static relopt_kind diskann_relopt_kind;

/* ---------- settings ---------- */

static bool
check_simd(char **newval, void **extra, GucSource source)
{
	static const char *const names[] = {"auto", "scalar", "avx2", "avx512", "amx",
	"neon"};
	bool		known = false;

	for (int i = 0; i < (int) lengthof(names); i++)
		known |= strcmp(*newval, names[i]) == 0;
	if (!known)
	{
		GUC_check_errdetail("Available values: auto, scalar, avx2, avx512, amx, neon.");
		return false;
	}
	if (strcmp(*newval, "auto") != 0)
	{
		for (int i = 0; diskann_kernels_available(i) != NULL; i++)
		{
			if (strcmp(*newval, diskann_kernels_available(i)->name) == 0)
				return true;
		}
		GUC_check_errdetail("This processor cannot run them.");
		return false;
	}
	return true;
}

static void
assign_simd(const char *newval, void *extra)
{
	(void) diskann_kernels_force(newval);
}

/* The range begins with -1 for "not set": 0 lies in it, but is no size. */
static bool
check_list_size(int *newval, void **extra, GucSource source)
{
	if (*newval != 0)
		return true;
	GUC_check_errdetail("A search list holds at least one node; -1 takes the index' own setting.");
	return false;
}

/* The range begins with 0 for "not set". */
static bool
check_recall_target(double *newval, void **extra, GucSource source)
{
	if (*newval == 0 || *newval >= LEAST_RECALL_TARGET)
		return true;
	GUC_check_errdetail("A recall target is from %g to %g; 0 takes the index' own setting.",
						LEAST_RECALL_TARGET, MOST_RECALL_TARGET);
	return false;
}

/*
 * Another library may have defined settings of our names in this session, as
 * that of pgvectorscale does.  PostgreSQL would refuse a second definition,
 * too, but not say who is in whose way.
 */
static void
refuse_company(void)
{
	const char *name = "diskann.query_search_list_size";

	/* A placeholder holds what was SET before any library defined it. */
	if (GetConfigOption(name, true, false) == NULL ||
		(GetConfigOptionFlags(name, true) & GUC_CUSTOM_PLACEHOLDER) != 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("library \"diskann\" cannot be loaded beside another that defines \"%s\"",
					name),
			 errdetail("Such a library, for instance pgvectorscale's, is loaded in this session already."),
			 errhint("Use one of the two in a session; take the other out of shared_preload_libraries if it is there.")));
}

static void
define_settings(void)
{
	DefineCustomIntVariable("diskann.query_search_list_size",
							"Sets the size of the search list of diskann index scans.",
							"-1 takes the index' own setting, or else what a recall target needs, or 100.",
							&diskann_query_search_list_size, -1, -1,
							DISKANN_MOST_LIST_SIZE,
							PGC_USERSET, 0, check_list_size, NULL, NULL);
	DefineCustomRealVariable("diskann.recall_target",
							 "Sets the recall for which diskann index scans choose their search list.",
							 "0 takes the index' own setting. Takes effect in indexes that have been calibrated.",
							 &recall_target, 0, 0, MOST_RECALL_TARGET,
							 PGC_USERSET, 0, check_recall_target, NULL, NULL);
	DefineCustomIntVariable("diskann.query_rescore",
							"Sets how many rows are compared with the query by their own values.",
							"-1 compares as many as the order requires, 0 none.",
							&diskann_query_rescore, -1, -1, 10000,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("diskann.iterative_search",
							 "Sets what happens when more rows are wanted than the search list holds.",
							 NULL, &diskann_iterative_search,
							 DISKANN_ITERATE_STRICT, iterative_search_values,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("diskann.max_scan_tuples",
							"Sets after how many visited vectors a scan looks no further.",
							"0 means no limit.",
							&diskann_max_scan_tuples, 0, 0, PG_INT32_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("diskann.pending_limit",
							"Sets how many rows may wait to be linked with others.",
							"-1 takes the index' own setting; 0 links each row when it is inserted.",
							&diskann_pending_limit, -1, -1, MOST_PENDING,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("diskann.simd",
							   "Selects the distance kernels.",
							   "Valid values are auto, scalar, avx2, avx512, amx and neon.",
							   &diskann_simd_setting, "auto",
							   PGC_USERSET, 0, check_simd, assign_simd, NULL);
	MarkGUCPrefixReserved("diskann");
}

/* ---------- storage parameters ---------- */

/*
 * Fill the table of kinds of stored vectors.  Returns a message that lists
 * them, which PostgreSQL keeps, and so must last as long as the process.
 */
static const char *
list_vector_storage_values(void)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "Valid values are ");
	for (int kind = 0; kind <= DISKANN_FLOAT32; kind++)
	{
		const char *name = diskann_vector_kind_name(kind);

		vector_storage_values[kind].string_val = name;
		vector_storage_values[kind].symbol_val = kind;
		appendStringInfo(&buf, "%s\"%s\"%s",
						 kind == DISKANN_FLOAT32 ? " and " : kind > 0 ? ", " : "",
						 name, kind == DISKANN_FLOAT32 ? "." : "");
	}
	return MemoryContextStrdup(TopMemoryContext, buf.data);
}

/* num_neighbors is -1 (the default) or at least 10, as in pgvectorscale. */
static void
define_parameters(void)
{
	relopt_kind kind = add_reloption_kind();
	LOCKMODE	lock = AccessExclusiveLock;

	diskann_relopt_kind = kind;
	add_int_reloption(kind, "num_neighbors", "Neighbors of a node, rounded to a multiple of 32",
					  -1, -1, 1000, lock);
	add_int_reloption(kind, "search_list_size", "Size of the search list when inserting",
					  DEFAULT_INSERT_LIST_SIZE, 10, 1000, lock);
	add_real_reloption(kind, "max_alpha", "Relaxation of the pruning rule",
					   1.2, 1.0, 5.0, lock);
	add_int_reloption(kind, "num_dimensions", "Leading dimensions that carry most of the meaning, 0 for all",
					  0, 0, 5000, lock);
	add_int_reloption(kind, "num_bits_per_dimension", "Bits a dimension of an edge code, 0 to choose",
					  0, 0, 32, lock);
	add_enum_reloption(kind, "storage_layout", "Accepted for compatibility",
					   layout_values, LAYOUT_MEMORY_OPTIMIZED,
					   "Valid values are \"memory_optimized\" and \"plain\".", lock);
	add_int_reloption(kind, "edge_bits", "Bits of an edge code, 0 to choose",
					  0, 0, DISKANN_MAX_EDGE_BITS, lock);
	add_enum_reloption(kind, "vector_storage", "Precision of the vector kept with a node",
					   vector_storage_values, 0, list_vector_storage_values(),
					   lock);
	add_int_reloption(kind, "query_search_list_size", "Size of the search list of scans of this index",
					  0, 1, DISKANN_MOST_LIST_SIZE, lock);
	add_int_reloption(kind, "pending_limit", "Rows that may wait to be linked with others",
					  DEFAULT_PENDING_LIMIT, 0, MOST_PENDING, lock);
	add_real_reloption(kind, "recall_target", "Recall for which scans of this index choose their search list",
					   0, LEAST_RECALL_TARGET, MOST_RECALL_TARGET, lock);
}

/* By name: newer versions have a field more. */
#define PARAMETER(name, type) \
	{.optname = #name, .opttype = RELOPT_TYPE_##type, \
	.offset = offsetof(DiskannOptions, name)}

static const relopt_parse_elt parse_table[] = {
	PARAMETER(num_neighbors, INT),
	PARAMETER(search_list_size, INT),
	PARAMETER(max_alpha, REAL),
	PARAMETER(num_dimensions, INT),
	PARAMETER(num_bits_per_dimension, INT),
	PARAMETER(storage_layout, ENUM),
	PARAMETER(edge_bits, INT),
	PARAMETER(vector_storage, ENUM),
	PARAMETER(query_search_list_size, INT),
	PARAMETER(pending_limit, INT),
	PARAMETER(recall_target, REAL)
};

bytea *
diskannoptions(Datum reloptions, bool validate)
{
	DiskannOptions *options;

	options = (DiskannOptions *) build_reloptions(reloptions, validate,
												  diskann_relopt_kind,
												  sizeof(DiskannOptions),
												  parse_table,
												  lengthof(parse_table));
	if (validate && options && options->num_neighbors != -1 &&
		options->num_neighbors < 10)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("num_neighbors must be -1 or at least 10")));
	if (validate && options && options->edge_bits != 0 &&
		options->edge_bits < 32)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("edge_bits must be 0 or at least 32")));
	return (bytea *) options;
}

/* The nearest degree the format has. */
static int
decide_degree(int num_neighbors, int elevel)
{
	int			degree;

	if (num_neighbors == -1)
		return DEFAULT_NUM_NEIGHBORS;
	degree = (num_neighbors + DISKANN_EDGE_BLOCK / 2) / DISKANN_EDGE_BLOCK *
		DISKANN_EDGE_BLOCK;
	degree = Max(DISKANN_MIN_DEGREE, Min(DISKANN_MAX_DEGREE, degree));
	if (degree != num_neighbors)
		ereport(elevel,
				(errmsg("num_neighbors = %d is taken as %d", num_neighbors,
						degree),
				 errdetail("Edges are stored in blocks of %d, at most %d.",
						   DISKANN_EDGE_BLOCK, DISKANN_MAX_DEGREE)));
	return degree;
}

static int
decide_bits(int num_bits, int elevel)
{
	if (num_bits <= 2)
		return num_bits;
	ereport(elevel,
			(errmsg("num_bits_per_dimension = %d is taken as 2", num_bits),
			 errdetail("Edge codes have one or two bits a dimension.")));
	return 2;
}

void
DiskannDecideParameters(const bytea *reloptions, int elevel,
						DiskannSettings *settings)
{
	const DiskannOptions *options = (const DiskannOptions *) reloptions;

	memset(settings, 0, sizeof(*settings));
	settings->max_degree = DEFAULT_NUM_NEIGHBORS;
	settings->build_list_size = DEFAULT_INSERT_LIST_SIZE;
	settings->alpha = 1.2f;
	settings->seed = UINT64_C(0x5DEECE66D);
	if (options == NULL)
		return;

	settings->max_degree = decide_degree(options->num_neighbors, elevel);
	settings->build_list_size = options->search_list_size;
	settings->alpha = (float) options->max_alpha;
	settings->prefix_dims = options->num_dimensions;
	settings->bits_per_dimension = decide_bits(options->num_bits_per_dimension,
											   elevel);
	settings->edge_bits = options->edge_bits;
	settings->vector_storage = options->vector_storage;
	if (options->storage_layout == LAYOUT_PLAIN)
		ereport(elevel,
				(errmsg("storage_layout = plain has no effect"),
				 errdetail("A diskann index always keeps codes of its edges; vector_storage sets how exactly it keeps vectors.")));
}

void
DiskannDecideSettings(Relation rel, DiskannMetric metric, int elevel,
					  DiskannSettings *settings)
{
	DiskannDecideParameters(rel->rd_options, elevel, settings);
	settings->metric = metric;
	settings->vector_limit = DiskannGetSupport(rel)->type->widest;
	DiskannDescribeFilters(rel, settings);
}

double
DiskannIndexRecallTarget(Relation rel)
{
	DiskannOptions *options = (DiskannOptions *) rel->rd_options;

	return options ? options->recall_target : 0;
}

int
DiskannListSizeSet(Relation rel, double *target)
{
	DiskannOptions *options = (DiskannOptions *) rel->rd_options;

	*target = 0;
	if (diskann_query_search_list_size > 0)
		return diskann_query_search_list_size;
	*target = recall_target;
	if (recall_target > 0 || options == NULL)
		return 0;
	if (options->query_search_list_size == 0)
		*target = options->recall_target;
	return options->query_search_list_size;
}

int
DiskannPendingLimit(Relation rel)
{
	DiskannOptions *options = (DiskannOptions *) rel->rd_options;

	if (diskann_pending_limit >= 0)
		return diskann_pending_limit;
	return options ? options->pending_limit : DEFAULT_PENDING_LIMIT;
}

void
DiskannInitOptions(void)
{
	refuse_company();
	define_parameters();
	DiskannInitPause();
	define_settings();
}
