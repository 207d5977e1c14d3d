/*-------------------------------------------------------------------------
 *
 * truth.c
 *	  Exact answers: from a file, from a cache, or by scanning the table.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/truth.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Distances kept per query in a truth cache: enough for any later k <= this. */
#define TRUTH_K 100

typedef struct TruthWork
{
	const Options *opt;
	Truth	   *truth;
	int64_t		next;			/* atomic */
	int64_t		done;			/* atomic */
} TruthWork;

static void
alloc_truth(Truth *truth, int stride)
{
	truth->stride = stride;
	truth->dist = vec_alloc(sizeof(double) * stride * queries.checked);
	truth->count = vec_alloc(sizeof(int) * queries.checked);
}

static void *
exact_worker(void *arg)
{
	TruthWork  *w = arg;
	Truth	   *truth = w->truth;
	StringList	sets = exact_sets(w->opt);
	PGconn	   *conn = connect_server(w->opt, &sets);
	int64_t		i;

	prepare(conn, nearest_sql(w->opt, truth->stride, true));
	while ((i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED)) < queries.checked)
	{
		PGresult   *res = run_query(conn, i, -1);

		truth->count[i] = PQntuples(res);
		for (int j = 0; j < truth->count[i]; j++)
			truth->dist[i * truth->stride + j] =
				get_float8(PQgetvalue(res, j, 1));
		PQclear(res);
		__atomic_fetch_add(&w->done, 1, __ATOMIC_RELAXED);
	}
	PQfinish(conn);
	return NULL;
}

/* An index must not be judged by its own answers. */
static void
require_exact_plan(const Options *opt, int k)
{
	StringList	sets = exact_sets(opt);
	PGconn	   *conn = connect_server(opt, &sets);
	char	   *plan = find_plan(opt, conn, nearest_sql(opt, k, false));

	if (strcmp(plan, "seq scan") != 0)
		vec_fatal("exact answers are not to be had: the plan is %s", plan);
	PQfinish(conn);
}

static void
compute_truth(const Options *opt, Truth *truth)
{
	TruthWork	w = {.opt = opt,.truth = truth};
	pthread_t  *threads = vec_alloc(sizeof(pthread_t) * opt->truth_clients);
	double		start = now();
	int64_t		done;

	alloc_truth(truth, opt->k > TRUTH_K ? opt->k : TRUTH_K);
	require_exact_plan(opt, truth->stride);
	for (int i = 0; i < opt->truth_clients; i++)
		if (pthread_create(&threads[i], NULL, exact_worker, &w) != 0)
			vec_fatal("could not start a thread");
	while ((done = __atomic_load_n(&w.done, __ATOMIC_RELAXED)) < queries.checked)
	{
		progress(false, "  exact answers: %lld of %lld queries",
				 (long long) done, (long long) queries.checked);
		usleep(20000);
	}
	for (int i = 0; i < opt->truth_clients; i++)
		pthread_join(threads[i], NULL);
	progress(true, "  exact answers: %lld queries in %.1f s",
			 (long long) queries.checked, now() - start);
	free(threads);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What a cached truth depends on, as far as it can be known cheaply. */
static char *
truth_signature(PGconn *conn, const Options *opt)
{
	return format("rows %s, op %s, type %s, queries %s from %lld, where %s",
				  fetch_text(conn, format("SELECT count(*) FROM %s",
										  opt->table)),
				  opt->op, opt->type_name, base_name(opt->file),
				  (long long) opt->offset, opt->where ? opt->where : "-");
}

/* False if there is no cache, or it does not answer these queries. */
static bool
read_truth_cache(const Options *opt, const char *signature, Truth *truth)
{
	FILE	   *fp = fopen(opt->truth_cache, "r");
	char		line[1024];
	long long	n = 0;
	int			stride = 0;
	bool		ok;

	if (fp == NULL)
		return false;
	ok = fgets(line, sizeof(line), fp) != NULL &&
		strcspn(line, "\n") == strlen(signature) &&
		strncmp(line, signature, strlen(signature)) == 0 &&
		fscanf(fp, "%lld %d", &n, &stride) == 2 &&
		n >= queries.checked && stride >= opt->k;
	if (ok)
		alloc_truth(truth, stride);
	for (int64_t i = 0; ok && i < queries.checked; i++)
	{
		ok = fscanf(fp, "%d", &truth->count[i]) == 1 &&
			truth->count[i] >= 0 && truth->count[i] <= stride;
		for (int j = 0; ok && j < truth->count[i]; j++)
			ok = fscanf(fp, "%lf", &truth->dist[i * stride + j]) == 1;
	}
	fclose(fp);
	return ok;
}

static void
write_truth_cache(const Options *opt, const char *signature, const Truth *truth)
{
	char	   *temporary = format("%s.tmp", opt->truth_cache);
	FILE	   *fp = fopen(temporary, "w");

	if (fp == NULL)
	{
		perror(temporary);
		return;
	}
	fprintf(fp, "%s\n%lld %d\n", signature, (long long) queries.checked,
			truth->stride);
	for (int64_t i = 0; i < queries.checked; i++)
	{
		fprintf(fp, "%d", truth->count[i]);
		for (int j = 0; j < truth->count[i]; j++)
			fprintf(fp, " %.17g", truth->dist[i * truth->stride + j]);
		fputc('\n', fp);
	}
	if (fclose(fp) != 0 || rename(temporary, opt->truth_cache) != 0)
		perror(opt->truth_cache);
}

/* The first n row numbers as an int4[] literal. */
static char *
id_array(const int32_t *ids, int n)
{
	char	   *s = vec_alloc((size_t) n * 12 + 3);
	char	   *p = s;

	*p++ = '{';
	for (int i = 0; i < n; i++)
		p += sprintf(p, "%s%d", i > 0 ? "," : "", ids[i]);
	strcpy(p, "}");
	return s;
}

/*
 * Truth from a file of row numbers: the table tells their distances, so that
 * they compare exactly with those of the rows found.
 */
static void
lookup_truth(PGconn *conn, const Options *opt, Truth *truth)
{
	int64_t		n;
	int			width;
	int32_t    *ids = vecfile_read_all_int(opt->truth, &n, &width);

	if (opt->where != NULL)
		vec_fatal("a truth file does not know --where: use exact answers");
	if (n < opt->offset + queries.checked || width < opt->k)
		vec_fatal("\"%s\" has %lld rows of %d: too few", opt->truth,
				  (long long) n, width);
	alloc_truth(truth, opt->k);
	prepare(conn, format("SELECT (v %s $1::%s)::float8 FROM %s"
						 " WHERE id = ANY ($2::int4[]) ORDER BY 1",
						 opt->op, opt->type_name, opt->table));
	for (int64_t i = 0; i < queries.checked; i++)
	{
		char	   *array = id_array(ids + (opt->offset + i) * width, opt->k);
		const char *values[2] = {(char *) queries.data + i * queries.size, array};
		int			lengths[2] = {(int) queries.size, 0};
		int			formats[2] = {1, 0};
		PGresult   *res = expect(conn, PQexecPrepared(conn, "q", 2, values,
													  lengths, formats, 1));

		if (PQntuples(res) != opt->k)
			vec_fatal("table %s lacks rows that \"%s\" names: use exact answers",
					  opt->table, opt->truth);
		truth->count[i] = opt->k;
		for (int j = 0; j < opt->k; j++)
			truth->dist[i * opt->k + j] = get_float8(PQgetvalue(res, j, 0));
		PQclear(res);
		free(array);
	}
	free(ids);
}

void
find_truth(const Options *opt, Truth *truth)
{
	PGconn	   *conn = connect_server(opt, &opt->sets);
	char	   *signature;

	if (opt->truth != NULL)
		lookup_truth(conn, opt, truth);
	else
	{
		signature = truth_signature(conn, opt);
		if (opt->truth_cache == NULL ||
			!read_truth_cache(opt, signature, truth))
		{
			compute_truth(opt, truth);
			if (opt->truth_cache != NULL)
				write_truth_cache(opt, signature, truth);
		}
	}
	PQfinish(conn);
}
