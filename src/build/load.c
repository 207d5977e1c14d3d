/*-------------------------------------------------------------------------
 *
 * load.c
 *	  CREATE INDEX: from table rows to codes in temporary files.
 *
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

/*
 * The centre is the mean of the first rows: this many, or this many bytes, of
 * all participants together.
 */
#define SAMPLE_ROWS 1024
#define SAMPLE_BYTES (8 * 1024 * 1024)

/* Inner product: room for rows longer than the sample's longest, squared. */
#define LENGTH_RESERVE 1.2f

/* A row of the sample; its floats follow. */
typedef struct SampleRow
{
	uint64		hash;
	ItemPointerData tid;
} SampleRow;

typedef struct RowReader
{
	BuildState *state;
	double		index_tuples;
	float		max_length2;
	uint32		nrows;			/* encoded so far */
	int			dims;			/* 0: no row has been seen */

	/* Rows before the index is ready. */
	int			nsample;
	int			max_sample;
	SampleRow  *sample;
	float	   *sample_x;

	float	   *x;
	BuildCode  *code;
	int			nleaders;
	BuildLeader *leaders;
	binaryheap *by_priority;	/* of them, the greatest first */
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

/* ---------- encoding ---------- */

static void
encode_row(RowReader *reader, const float *row, uint64 hash, ItemPointer tid)
{
	BuildState *state = reader->state;
	const DiskannIndex *index = state->index;
	BuildCode  *code = reader->code;
	DiskannVectorFactors factors;

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
	if (index->kind != DISKANN_INT8)
		diskann_vector_encode(index->kind, reader->x, index->space.dims,
							  unconstify(void *, DiskannBuildOwn(state, code)),
							  &code->own);
	DiskannSpoolAppend(DiskannBuildFile(state, FILE_CODES, state->participant),
					   code, state->code_bytes);
	offer_leader(reader, hash);
	if (++reader->nrows == PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for a diskann index")));
}

/* ---------- the sample ---------- */

static void
save_sample(RowReader *reader)
{
	DiskannSpool *file = DiskannBuildCreateFile(reader->state, FILE_SAMPLE);
	int			head[2] = {reader->dims, reader->nsample};

	DiskannSpoolAppend(file, head, sizeof(head));
	DiskannSpoolAppend(file, reader->sample_x,
					   sizeof(float) * (Size) reader->dims * reader->nsample);
	DiskannSpoolFlush(file);
}

static void
different_dims(int dims, int other)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("vectors to be indexed have different numbers of dimensions, %d and %d",
					dims, other)));
}

/* Leader: put the samples together and give the index its centre. */
static void
make_ready(BuildState *state)
{
	BuildShared *shared = state->shared;
	float	   *x = NULL;
	int			dims = 0;
	int			nrows = 0;
	float		max_norm2 = 0;

	for (int p = 0; p < shared->participants; p++)
	{
		Size		size;
		char	   *sample = DiskannSpoolReadAll(DiskannBuildFile(state, FILE_SAMPLE, p),
												 &size);
		int			head[2];

		memcpy(head, sample, sizeof(head));
		size -= sizeof(head);
		if (head[0] == 0)
			continue;
		if (dims != 0 && dims != head[0])
			different_dims(dims, head[0]);
		dims = head[0];
		x = x ? repalloc_huge(x, sizeof(float) * (Size) dims * nrows + size) :
			palloc_extended(size, MCXT_ALLOC_HUGE);
		memcpy(x + (Size) dims * nrows, sample + sizeof(head), size);
		nrows += head[1];
	}
	if (nrows == 0)
		return;
	for (int i = 0; i < nrows; i++)
		max_norm2 = Max(max_norm2,
						diskann_kernels->dot_f32(x + (Size) i * dims,
												 x + (Size) i * dims, dims));
	max_norm2 = DiskannLengthLimit(state->support->metric,
								   max_norm2 * LENGTH_RESERVE);
	DiskannMakeReady(state->index_rel, dims, x, nrows, max_norm2, true);
	shared->dims = dims;
}

/* All: go on with the rows kept back. */
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
	state->index = DiskannLoadIndex(state->index_rel, state->context,
									state->support->metric);
	index = state->index;
	state->code_bytes = MAXALIGN(offsetof(BuildCode, code) + index->meta.own_bytes);
	if (!diskann_vector_has_int8(index->kind))
		state->code_bytes += MAXALIGN(index->space.dims);
	reader->x = palloc(sizeof(float) * index->space.dims);
	reader->code = palloc0(state->code_bytes);
	reader->leaders = palloc(sizeof(BuildLeader) * DISKANN_MAX_LEADERS);
	reader->by_priority = binaryheap_allocate(DISKANN_MAX_LEADERS,
											  compare_priorities, NULL);
	DiskannBuildCreateFile(state, FILE_CODES);
	for (int i = 0; i < reader->nsample; i++)
		encode_row(reader, reader->sample_x + (Size) i * reader->dims,
				   reader->sample[i].hash, &reader->sample[i].tid);
	if (reader->nsample > 0)
	{
		pfree(reader->sample);
		pfree(reader->sample_x);
	}
}

static void
add_to_sample(RowReader *reader, const DiskannRow *row, ItemPointer tid)
{
	int			n = reader->nsample;

	if (n == 0)
	{
		int			share = reader->state->shared->participants;

		reader->dims = row->dims;
		reader->max_sample = Max(1, Min(SAMPLE_ROWS, SAMPLE_BYTES /
										((int) sizeof(float) * row->dims)) / share);
		reader->sample = palloc(sizeof(SampleRow) * reader->max_sample);
		reader->sample_x = palloc(sizeof(float) * (Size) row->dims *
								  reader->max_sample);
	}
	memcpy(reader->sample_x + (Size) n * reader->dims, row->x,
		   sizeof(float) * reader->dims);
	reader->sample[n].hash = row->hash;
	reader->sample[n].tid = *tid;
	reader->nsample++;
	if (reader->nsample == reader->max_sample)
		start_encoding(reader);
}

/* ---------- the scan ---------- */

static void
row_callback(Relation rel, ItemPointer tid, Datum *values, bool *isnull,
			 bool tupleIsAlive, void *arg)
{
	RowReader  *reader = arg;
	BuildState *state = reader->state;
	MemoryContext old;
	DiskannRow	row;

	if (isnull[0])
		return;
	old = MemoryContextSwitchTo(state->scratch);
	if (DiskannReadRow(state->support, values[0], reader->dims, &row))
	{
		reader->index_tuples++;
		MemoryContextSwitchTo(state->context);
		if (state->index)
			encode_row(reader, row.x, row.hash, tid);
		else
			add_to_sample(reader, &row, tid);
	}
	else if (reader->dims == 0)
		reader->dims = row.dims;
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->scratch);
}

/* Tell the others what this participant has read. */
static void
report_rows(RowReader *reader, double heap_tuples)
{
	BuildState *state = reader->state;
	BuildShared *shared = state->shared;

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
	double		heap_tuples;
	DiskannSpool *leaders;

	memset(&reader, 0, sizeof(reader));
	reader.state = state;
	if (DISKANN_LEADS(state))
		DiskannBuildEnterPhase(state, PHASE_LOAD, 0);
	heap_tuples = table_index_build_scan(state->heap, state->index_rel,
										 state->info, !state->parallel,
										 DISKANN_LEADS(state), row_callback,
										 &reader, state->scan);
	if (state->index == NULL)
		start_encoding(&reader);
	report_rows(&reader, heap_tuples);
	if (state->shared->dims == 0)
		return;
	DiskannSpoolFlush(DiskannBuildFile(state, FILE_CODES, state->participant));
	leaders = DiskannBuildCreateFile(state, FILE_LEADERS);
	DiskannSpoolAppend(leaders, reader.leaders,
					   sizeof(BuildLeader) * reader.nleaders);
	DiskannSpoolFlush(leaders);
}
