/*-------------------------------------------------------------------------
 *
 * load.c
 *	  CREATE INDEX: from table rows to codes in temporary files.
 *
 * The table is scanned once, by all participants together.  Each row is taken
 * to index space and encoded, as int8 to be compared with others and, if the
 * index is to store something finer, in that form, too; the codes of a
 * participant's rows are appended to its FILE_CODES.  The values themselves
 * are not needed any more.
 *
 * Index space begins at the centre of the data, which is not known before some
 * rows have been seen.  So each participant keeps its first rows back until it
 * has its part of a sample, or the scan is at its end; then all wait, the
 * leader computes the centre, which makes the index ready, and everybody
 * encodes what it kept back and goes on.
 *
 * On the way each participant collects the rows of least priority, that is, a
 * random choice of different vectors, among which partition.c finds the
 * leaders of balls.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "build/phases.h"
#include "catalog/index.h"
#include "graph/carve.h"
#include "kernels/kernels.h"
#include "lib/binaryheap.h"
#include "store/link.h"
#include "store/node.h"
#include "store/visit.h"
#include "utils/memutils.h"
#include "vector/rotate.h"

/*
 * The centre is the mean of the first rows: this many of all participants
 * together, or as many as have this many bytes.
 */
#define SAMPLE_ROWS 1024

/*
 * Ranges of filter columns are learned from so many rows of all participants
 * together, chosen by chance, if the sample above has this many: from fewer
 * there is little to learn.
 */
#define ROWS_TO_LEARN 30000

/*
 * Inner product: how much longer than the sample's longest row a row may be,
 * squared, before it is shortened (src/README, section 14).
 */
#define LENGTH_RESERVE 1.2f

/* A row of the sample; its floats follow. */
typedef struct SampleRow
{
	uint64		hash;
	ItemPointerData tid;
	DiskannFilterValues filters;
} SampleRow;

/* What the file of a sample begins with; the floats of its rows follow. */
typedef struct SampleHead
{
	int			dims;			/* 0: no row has been seen */
	int			nrows;			/* those seen may have no direction */
	ItemPointerData first;		/* of those seen */
} SampleHead;

/* A participant's scan of the table. */
typedef struct RowReader
{
	BuildState *state;
	double		index_tuples;	/* rows the index gets */
	float		max_length2;	/* squared length of the longest */
	uint32		nrows;			/* encoded so far */
	int			dims;			/* 0: no row has been seen */
	ItemPointerData first;		/* of those seen */

	/* Rows kept back until the index is ready. */
	int			nsample;
	int			max_sample;
	SampleRow  *sample;
	float	   *sample_x;

	/* For one row at a time, once it is. */
	float	   *x;
	BuildCode  *code;

	/* Some rows by chance, for ranges of filter columns. */
	uint32		nkeys;
	uint32		max_keys;
	Size		keys_bytes;		/* of each */
	char	   *keys;
	uint64		random;

	/* The rows of least priority so far, all different. */
	int			nleaders;
	BuildLeader *leaders;
	binaryheap *by_priority;	/* pointers to them, the greatest first */
} RowReader;

/* ---------- leaders ---------- */

static int
compare_priorities(Datum a, Datum b, void *arg)
{
	const BuildLeader *x = (const BuildLeader *) DatumGetPointer(a);
	const BuildLeader *y = (const BuildLeader *) DatumGetPointer(b);

	return x->priority < y->priority ? -1 : x->priority > y->priority;
}

/* Keep the rows of least priority, one of each vector. */
static void
offer_leader(RowReader *reader, uint64 hash)
{
	BuildLeader leader = {DiskannBuildPriority(reader->state, hash), hash,
	reader->nrows, 0};
	bool		full = reader->nleaders == DISKANN_MAX_LEADERS;
	BuildLeader *greatest = full ? (BuildLeader *)
		DatumGetPointer(binaryheap_first(reader->by_priority)) : NULL;

	/* Nearly all rows end here, so that the search below costs little. */
	if (full && leader.priority >= greatest->priority)
		return;
	for (int i = 0; i < reader->nleaders; i++)
	{
		if (reader->leaders[i].hash == hash)
			return;
	}
	if (full)
	{
		*greatest = leader;
		binaryheap_replace_first(reader->by_priority,
								 PointerGetDatum(greatest));
		return;
	}
	reader->leaders[reader->nleaders] = leader;
	binaryheap_add(reader->by_priority,
				   PointerGetDatum(&reader->leaders[reader->nleaders++]));
}

/* ---------- rows to learn ranges from ---------- */

/*
 * Keep what filter columns hold of the row that comes now, or do not (reservoir
 * sampling; Vitter, 1985).
 */
static void
offer_keys(RowReader *reader, const DiskannFilterValues *filters)
{
	uint64		place = reader->nkeys;

	if (reader->keys_bytes == 0)
		return;
	if (reader->nkeys == reader->max_keys)
		place = diskann_random64(&reader->random) %
			(reader->nrows + (uint64) 1);
	else
		reader->nkeys++;
	if (place < reader->max_keys)
		memcpy(reader->keys + place * reader->keys_bytes, filters,
			   reader->keys_bytes);
}

static void
start_keys(RowReader *reader)
{
	BuildState *state = reader->state;

	reader->keys_bytes = DiskannFilterBytes(&state->index->meta);
	reader->max_keys = Max(1, ROWS_TO_LEARN / state->shared->participants);
	reader->random = state->index->meta.seed;
	if (reader->keys_bytes > 0)
		reader->keys = palloc(reader->keys_bytes * reader->max_keys);
}

/* Show the leader the rows kept. */
static void
save_keys(RowReader *reader)
{
	DiskannSpool *file = DiskannBuildCreateFile(reader->state, FILE_KEYS);

	if (reader->nkeys > 0)
		DiskannSpoolAppend(file, reader->keys,
						   reader->keys_bytes * reader->nkeys);
	DiskannSpoolFlush(file);
	if (reader->keys)
		pfree(reader->keys);
}

/*
 * The keys of one column that are not NULL, of the rows in one participant's
 * file, put behind n others; returns how many there are then.
 */
static int
take_keys(BuildState *state, int participant, int column, uint64 *keys, int n)
{
	Size		bytes = DiskannFilterBytes(&state->index->meta);
	Size		size;
	char	   *rows = DiskannBuildReadFile(state, FILE_KEYS, participant,
											&size);

	for (Size at = 0; at < size; at += bytes)
	{
		const DiskannFilterValues *row = (DiskannFilterValues *) (rows + at);

		if (!(row->nulls & DiskannNullBit(column)))
			keys[n++] = row->values[column];
	}
	pfree(rows);
	return n;
}

/* Leader: learn the ranges of the columns that are to have some. */
static void
learn_ranges(BuildState *state)
{
	const DiskannIndex *index = state->index;
	uint64	   *keys = palloc(sizeof(uint64) *
							  (ROWS_TO_LEARN + state->shared->participants));

	for (int column = 0; column < index->meta.nfilters; column++)
	{
		DiskannRanges ranges;
		int			n = 0;

		if (index->meta.filters[column].ranges == 0)
			continue;
		for (int p = 0; p < state->shared->participants; p++)
			n = take_keys(state, p, column, keys, n);
		DiskannLearnRanges(&state->filters->filters[column], keys, n, &ranges);
		DiskannWriteRanges(state->rel, index, column, &ranges);
	}
	pfree(keys);
}

/* All participants: learn ranges, and know them from now on. */
static void
learn_signatures(RowReader *reader)
{
	BuildState *state = reader->state;

	if (state->filters->count > 0)
	{
		save_keys(reader);
		DiskannBuildStep(state, learn_ranges);
		DiskannForgetCache(state->rel);
		state->index = DiskannLoadIndex(state->rel, state->context,
										state->support->metric);
	}
	state->signatures = DiskannSignaturesLoad(state->index, state->filters);
}

/* ---------- encoding ---------- */

/* Append a row to FILE_CODES, given the user's vector. */
static void
encode_row(RowReader *reader, const float *row, uint64 hash,
		   const DiskannFilterValues *filters, ItemPointer tid)
{
	BuildState *state = reader->state;
	const DiskannIndex *index = state->index;
	BuildCode  *code = reader->code;
	DiskannVectorFactors factors;

	Assert((uint32) reader->dims == index->meta.dims);
	memcpy(reader->x, row, sizeof(float) * reader->dims);
	code->length2 = diskann_space_row(&index->space, reader->x);
	reader->max_length2 = Max(reader->max_length2, code->length2);
	diskann_vector_encode(DISKANN_INT8, reader->x, index->space.dims,
						  code->code, &factors);
	code->scale = factors.scale;
	code->norm2 = factors.norm2;
	code->own = factors;
	code->hash = hash;
	code->tid = *tid;
	memcpy(unconstify(DiskannFilterValues *, DiskannBuildFilters(state, code)),
		   filters, DiskannFilterBytes(&index->meta));
	if (index->kind != DISKANN_INT8)
		diskann_vector_encode(index->kind, reader->x, index->space.dims,
							  unconstify(void *, DiskannBuildOwn(state, code)),
							  &code->own);
	DiskannSpoolAppend(DiskannBuildFile(state, FILE_CODES, state->participant),
					   code, state->code_bytes);
	offer_leader(reader, hash);
	offer_keys(reader, filters);
	if (++reader->nrows == PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for a diskann index")));
}

/* ---------- the sample ---------- */

/* Show the leader the rows kept back. */
static void
save_sample(RowReader *reader)
{
	DiskannSpool *file = DiskannBuildCreateFile(reader->state, FILE_SAMPLE);
	SampleHead	head;

	memset(&head, 0, sizeof(head));
	head.dims = reader->dims;
	head.nrows = reader->nsample;
	head.first = reader->first;
	DiskannSpoolAppend(file, &head, sizeof(head));
	DiskannSpoolAppend(file, reader->sample_x,
					   sizeof(float) * (Size) reader->dims * reader->nsample);
	DiskannSpoolFlush(file);
}

/* The metapage is not ready, so that DiskannReadRow() cannot tell this. */
static void
verify_same_dims(const SampleHead *a, const SampleHead *b)
{
	if (a->dims == b->dims)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("vectors to be indexed have different numbers of dimensions, %d and %d",
					a->dims, b->dims),
			 errdetail("They are in rows (%u,%u) and (%u,%u).",
					   ItemPointerGetBlockNumber(&a->first),
					   ItemPointerGetOffsetNumber(&a->first),
					   ItemPointerGetBlockNumber(&b->first),
					   ItemPointerGetOffsetNumber(&b->first))));
}

/* Leader: put the samples together and give the index its centre. */
static void
make_ready(BuildState *state)
{
	BuildShared *shared = state->shared;
	float	   *x = NULL;
	SampleHead	one = {0};		/* of a participant that has seen rows */
	int			dims = 0;
	int			nrows = 0;
	float		max_norm2 = 0;

	for (int p = 0; p < shared->participants; p++)
	{
		Size		size;
		char	   *sample = DiskannBuildReadFile(state, FILE_SAMPLE, p,
												  &size);
		SampleHead	head;

		memcpy(&head, sample, sizeof(head));
		size -= sizeof(head);
		if (head.dims == 0)
			continue;			/* it has seen no row */
		Assert(size == sizeof(float) * (Size) head.dims * head.nrows);
		if (one.dims != 0)
			verify_same_dims(&one, &head);
		one = head;
		dims = head.dims;
		x = x ? repalloc_huge(x, sizeof(float) * (Size) dims * nrows + size) :
			palloc_extended(size, MCXT_ALLOC_HUGE);
		memcpy(x + (Size) dims * nrows, sample + sizeof(head), size);
		nrows += head.nrows;
	}
	if (nrows == 0)
		return;
	for (int i = 0; i < nrows; i++)
		max_norm2 = Max(max_norm2,
						diskann_kernels->dot_f32(x + (Size) i * dims,
												 x + (Size) i * dims, dims));
	max_norm2 = DiskannLengthLimit(state->support->metric,
								   max_norm2 * LENGTH_RESERVE);
	DiskannMakeReady(state->rel, dims, x, nrows, max_norm2,
					 DiskannBuildLearns(nrows, dims), true);
	shared->dims = dims;
}

/*
 * All participants: let the leader make the index ready, and go on with the
 * rows kept back.  If nobody has any, the index stays as it is.
 */
static void
start_encoding(RowReader *reader)
{
	BuildState *state = reader->state;
	const DiskannIndex *index;

	save_sample(reader);
	DiskannBuildStep(state, make_ready);
	if (state->shared->dims == 0)
		return;
	if (reader->dims == 0)
		reader->dims = state->shared->dims;
	state->index = DiskannLoadIndex(state->rel, state->context,
									state->support->metric);
	index = state->index;
	Assert(reader->dims == state->shared->dims);
	state->code_bytes = DiskannBuildCodeBytes(&index->meta);
	state->filters_offset = DiskannBuildFiltersOffset(&index->meta);
	start_keys(reader);
	reader->x = palloc(sizeof(float) * index->space.dims);
	reader->code = palloc0(state->code_bytes);
	reader->leaders = palloc(sizeof(BuildLeader) * DISKANN_MAX_LEADERS);
	reader->by_priority = binaryheap_allocate(DISKANN_MAX_LEADERS,
											  compare_priorities, NULL);
	DiskannBuildCreateFile(state, FILE_CODES);
	for (int i = 0; i < reader->nsample; i++)
		encode_row(reader, reader->sample_x + (Size) i * reader->dims,
				   reader->sample[i].hash, &reader->sample[i].filters,
				   &reader->sample[i].tid);
	if (reader->nsample > 0)
	{
		pfree(reader->sample);
		pfree(reader->sample_x);
	}
}

/* Keep a row back; if that makes the sample complete, begin to encode. */
static void
add_to_sample(RowReader *reader, const DiskannRow *row,
			  const DiskannFilterValues *filters, ItemPointer tid)
{
	int			n = reader->nsample;

	if (n == 0)
	{
		int			row_bytes = sizeof(float) * row->dims;
		int			all = Min(SAMPLE_ROWS, DISKANN_SAMPLE_BYTES / row_bytes);

		reader->max_sample = Max(1, all / reader->state->shared->participants);
		reader->sample = palloc(sizeof(SampleRow) * reader->max_sample);
		reader->sample_x = palloc(sizeof(float) * (Size) row->dims *
								  reader->max_sample);
	}
	Assert(n < reader->max_sample);
	memcpy(reader->sample_x + (Size) n * reader->dims, row->x,
		   sizeof(float) * reader->dims);
	reader->sample[n].hash = row->hash;
	reader->sample[n].tid = *tid;
	reader->sample[n].filters = *filters;
	reader->nsample++;
	if (reader->nsample == reader->max_sample)
		start_encoding(reader);
}

/* ---------- the scan ---------- */

/*
 * table_index_build_scan() calls this for each row, dead ones that somebody
 * may still see included.  NULLs, and vectors without a direction under
 * cosine, are not in the index.
 */
static void
row_callback(Relation rel, ItemPointer tid, Datum *values, bool *isnull,
			 bool tupleIsAlive, void *arg)
{
	RowReader  *reader = arg;
	BuildState *state = reader->state;
	DiskannRowContext adding;
	MemoryContext old;
	DiskannFilterValues filters;
	DiskannRow	row;
	bool		indexed;

	if (isnull[state->column])
		return;
	old = MemoryContextSwitchTo(state->scratch);
	DiskannEnterRow(&adding, rel, state->heap, tid);
	indexed = DiskannReadRow(state->support, values[state->column],
							 reader->dims, &row);
	DiskannReadFilters(state->filters, values, isnull, &row, &filters);
	DiskannLeaveRow(&adding);
	if (reader->dims == 0)
	{
		reader->dims = row.dims;	/* others must have as many */
		reader->first = *tid;
	}
	if (indexed)
	{
		reader->index_tuples++;
		MemoryContextSwitchTo(state->context);
		if (state->index)
			encode_row(reader, row.x, row.hash, &filters, tid);
		else
			add_to_sample(reader, &row, &filters, tid);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->scratch);
}

/* Tell the others what this participant has read. */
static void
report_rows(RowReader *reader, double heap_tuples)
{
	BuildState *state = reader->state;
	BuildShared *shared = state->shared;

	Assert(state->participant < shared->participants);
	SpinLockAcquire(&shared->mutex);
	shared->heap_tuples += heap_tuples;
	shared->index_tuples += reader->index_tuples;
	shared->max_length2 = Max(shared->max_length2, reader->max_length2);
	shared->broken_hot_chain |= state->info->ii_BrokenHotChain;
	SpinLockRelease(&shared->mutex);
	shared->rows[state->participant] = reader->nrows;
}

void
DiskannBuildReadRows(BuildState *state)
{
	RowReader	reader;
	DiskannSettings settings;
	double		heap_tuples;
	DiskannSpool *leaders;

	memset(&reader, 0, sizeof(reader));
	reader.state = state;
	DiskannLoadSettings(state->rel, &settings);
	state->filters = DiskannGetFilters(state->rel, settings.nfilters,
									   settings.filters);
	if (DISKANN_LEADS(state))
		DiskannBuildEnterPhase(state, PHASE_LOAD, 0);
	heap_tuples = table_index_build_scan(state->heap, state->rel,
										 state->info, !state->parallel,
										 DISKANN_LEADS(state), row_callback,
										 &reader, state->scan);

	/* Fewer rows than a sample has: the others wait for this one's, too. */
	if (state->index == NULL)
		start_encoding(&reader);
	report_rows(&reader, heap_tuples);
	if (state->shared->dims == 0)
		return;
	Assert(reader.nleaders <= DISKANN_MAX_LEADERS);
	DiskannSpoolFlush(DiskannBuildFile(state, FILE_CODES, state->participant));
	leaders = DiskannBuildCreateFile(state, FILE_LEADERS);
	DiskannSpoolAppend(leaders, reader.leaders,
					   sizeof(BuildLeader) * reader.nleaders);
	DiskannSpoolFlush(leaders);
	learn_signatures(&reader);
}
