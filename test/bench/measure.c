/*-------------------------------------------------------------------------
 *
 * measure.c
 *	  The checking and the timed pass over the queries.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/measure.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Executions of a prepared statement before anything is timed: the server
 * plans the first five anew each time.
 */
#define WARMUP_EXECUTIONS 10

/* What a primary key lookup may take at least. */
#define LOOKUP_SECONDS 1e-5

/* Everything the threads of one measurement share, read-only but for next. */
typedef struct Work
{
	const Options *opt;
	const char *statement;
	StringList	sets;
	int			clients;
	int64_t		rows;			/* > 0: second parameter, a row number below */
	int64_t		total;			/* executions */
	int64_t		next;			/* next execution to hand out (atomic) */
	int			started;		/* sessions (atomic) */
	FileList	files;			/* evicted before each execution */
	int64_t		storage_bytes;	/* read while timed, all sessions (atomic) */
	bool		storage_unknown;
	double	   *latency;
	pthread_barrier_t barrier;	/* waited for when ready, to start, at the end */
} Work;

/*
 * The checking pass
 */

/* Compares one answer with the truth. */
static void
check_answer(const Options *opt, const Truth *truth, int64_t i,
			 const PGresult *res, Measurement *m, double *recall)
{
	int			rows = PQntuples(res);
	int			wanted = truth->count[i] < opt->k ? truth->count[i] : opt->k;
	double		kth;
	double		previous = -INFINITY;
	int			found = 0;

	*recall = 1;
	if (wanted == 0)
		return;
	kth = truth->dist[i * truth->stride + wanted - 1];
	/* Truth may be older than the kernel in use: leave room for rounding. */
	kth += 1e-6 * fabs(kth);
	for (int j = 0; j < rows; j++)
	{
		double		dist = get_float8(PQgetvalue(res, j, 1));
		bool		duplicate = false;

		for (int o = 0; o < j && !duplicate; o++)
			duplicate = memcmp(PQgetvalue(res, o, 0),
							   PQgetvalue(res, j, 0), 4) == 0;
		m->duplicates += duplicate;
		m->inversions += dist < previous;
		previous = dist;
		found += !duplicate && dist <= kth;
	}
	if (rows < wanted)
		m->missing += wanted - rows;
	*recall = (double) (found < wanted ? found : wanted) / wanted;
}

static void
check_queries(const Options *opt, const Truth *truth, PGconn *conn,
			  const FileList *files, Measurement *m)
{
	double		sum = 0;

	m->checked = true;
	m->worst_recall = 1;
	prepare(conn, nearest_sql(opt, opt->k, true));
	for (int64_t i = 0; i < queries.checked; i++)
	{
		PGresult   *res;
		double		recall;

		evict_files(files);
		res = run_query(conn, i, -1);
		check_answer(opt, truth, i, res, m, &recall);
		sum += recall;
		if (recall < m->worst_recall)
			m->worst_recall = recall;
		PQclear(res);
	}
	m->recall = sum / queries.checked;
}

static void
copy_check(Measurement *m, const Measurement *from)
{
	m->checked = from->checked;
	m->recall = from->recall;
	m->worst_recall = from->worst_recall;
	m->inversions = from->inversions;
	m->duplicates = from->duplicates;
	m->missing = from->missing;
}

/*
 * Name of the first index in the plan of a statement, other than a primary
 * key; or "seq scan".
 */
char *
find_plan(const Options *opt, PGconn *conn, const char *sql)
{
	const char *values[1] = {(char *) queries.data};
	int			lengths[1] = {(int) queries.size};
	int			formats[1] = {1};
	int			nparams = strstr(sql, "$1") != NULL ? 1 : 0;
	char	   *plan = "other plan";
	PGresult   *res;

	res = expect(conn, PQexecParams(conn,
									format("EXPLAIN (COSTS off) %s", sql),
									nparams, NULL, values, lengths, formats, 0));
	for (int i = 0; i < PQntuples(res); i++)
	{
		char	   *line = PQgetvalue(res, i, 0);
		char	   *using = strstr(line, "Scan using ");

		if (using != NULL)
		{
			using += strlen("Scan using ");
			plan = format("%.*s", (int) strcspn(using, " "), using);
			break;
		}
		if (strstr(line, format("Seq Scan on %s", opt->table)) != NULL)
			plan = "seq scan";
	}
	PQclear(res);
	return plan;
}

/*
 * The timed pass
 */

/*
 * Counters of the pages the server has touched: index, table, and TOAST
 * table (with its index), each from shared buffers (0, 2, 4) and not
 * (1, 3, 5).  Other sessions' work counts as well: the measured table should
 * be ours alone.
 */
static void
read_io_counters(PGconn *conn, const Options *opt, const char *index,
				 double out[6])
{
	PGresult   *res;

	res = expect(conn, PQexec(conn,
				 format("SELECT coalesce(i.hit, 0), coalesce(i.read, 0),"
						" heap_blks_hit, heap_blks_read,"
						" coalesce(toast_blks_hit + tidx_blks_hit, 0),"
						" coalesce(toast_blks_read + tidx_blks_read, 0)"
						" FROM pg_statio_all_tables t LEFT JOIN"
						" (SELECT relid, idx_blks_hit AS hit, idx_blks_read AS read"
						"  FROM pg_statio_all_indexes"
						"  WHERE indexrelname = '%s') i USING (relid)"
						" WHERE relid = '%s'::regclass",
						index, opt->table)));
	for (int i = 0; i < 6; i++)
		out[i] = PQntuples(res) > 0 ? atof(PQgetvalue(res, 0, i)) : 0;
	PQclear(res);
}

/*
 * Makes this session's counters visible to others.  Before PostgreSQL 15 they
 * are sent at most twice a second, at the end of a statement.
 */
static void
flush_counters(PGconn *conn)
{
	if (PQserverVersion(conn) < 150000)
	{
		usleep(1100000);
		execute(conn, "SELECT 1");
		usleep(600000);
	}
	else
		execute(conn, "SELECT pg_stat_force_next_flush()");
}

/* Spreads row numbers over the table, the same ones every time. */
static int64_t
lookup_id(const Work *w, int64_t i)
{
	return w->rows > 0 ? (int64_t) ((uint64_t) i * 2654435761u % w->rows) : -1;
}

/*
 * Warming up must not touch what a cold pass is going to: there, the queries
 * for it are those behind the timed ones.
 */
static void
warm_up(const Work *w, PGconn *conn)
{
	int64_t		first = w->opt->cold ? w->total : 0;

	for (int64_t i = 0; i < WARMUP_EXECUTIONS; i++)
		PQclear(run_query(conn, (first + i) % queries.n, lookup_id(w, i)));
	flush_counters(conn);
}

static void
count_storage(Work *w, int64_t before, int64_t after)
{
	if (before < 0 || after < 0)
		w->storage_unknown = true;
	else
		__atomic_fetch_add(&w->storage_bytes, after - before, __ATOMIC_RELAXED);
}

static void *
timing_worker(void *arg)
{
	Work	   *w = arg;
	PGconn	   *conn = connect_server(w->opt, &w->sets);
	int			pid = server_is_local(conn) ? PQbackendPID(conn) : 0;
	int64_t		storage;
	int64_t		i;

	if (w->opt->pin)
		pin_session(conn, __atomic_fetch_add(&w->started, 1, __ATOMIC_RELAXED));
	prepare(conn, w->statement);
	warm_up(w, conn);
	storage = process_read_bytes(pid);
	pthread_barrier_wait(&w->barrier);
	pthread_barrier_wait(&w->barrier);
	while ((i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED)) < w->total)
	{
		double		start;
		PGresult   *res;

		evict_files(&w->files);
		start = now();
		res = run_query(conn, i % queries.n, lookup_id(w, i));
		w->latency[i] = now() - start;
		PQclear(res);
	}
	pthread_barrier_wait(&w->barrier);
	count_storage(w, storage, process_read_bytes(pid));
	flush_counters(conn);
	PQfinish(conn);
	return NULL;
}

static int
compare_double(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Nearest-rank percentile of sorted values, in milliseconds. */
static double
percentile(const double *sorted, int64_t n, double p)
{
	int64_t		rank = (int64_t) ceil(p * n);

	return 1000 * sorted[rank > 0 ? rank - 1 : 0];
}

/* Evicting is none of the server's work: then only what was timed counts. */
static void
summarize(Work *w, double wall, Measurement *m)
{
	double		sum = 0;

	qsort(w->latency, w->total, sizeof(double), compare_double);
	for (int64_t i = 0; i < w->total; i++)
		sum += w->latency[i];
	m->count = w->total;
	m->qps = w->total / (w->files.n > 0 ? sum : wall);
	m->mean = 1000 * sum / w->total;
	m->p50 = percentile(w->latency, w->total, 0.50);
	m->p90 = percentile(w->latency, w->total, 0.90);
	m->p95 = percentile(w->latency, w->total, 0.95);
	m->p99 = percentile(w->latency, w->total, 0.99);
	m->max = percentile(w->latency, w->total, 1);
}

/* Runs w->total executions on w->clients sessions and measures them. */
static void
time_once(Work *w, PGconn *monitor, Measurement *m)
{
	pthread_t  *threads = vec_alloc(sizeof(pthread_t) * w->clients);
	double		before[6];
	double		after[6];
	double		start;
	double		wall;

	w->next = 0;
	w->started = 0;
	w->storage_bytes = 0;
	w->latency = vec_alloc(sizeof(double) * w->total);
	pthread_barrier_init(&w->barrier, NULL, w->clients + 1);
	for (int i = 0; i < w->clients; i++)
		if (pthread_create(&threads[i], NULL, timing_worker, w) != 0)
			vec_fatal("could not start a thread");
	pthread_barrier_wait(&w->barrier);
	read_io_counters(monitor, w->opt, m->plan, before);
	start = now();
	pthread_barrier_wait(&w->barrier);
	pthread_barrier_wait(&w->barrier);
	wall = now() - start;
	for (int i = 0; i < w->clients; i++)
		pthread_join(threads[i], NULL);
	read_io_counters(monitor, w->opt, m->plan, after);

	summarize(w, wall, m);
	m->clients = w->clients;
	for (int i = 0; i < 6; i++)
		m->pages[i] = (after[i] - before[i]) / w->total;
	m->storage_bytes = w->storage_unknown ? -1 :
		(double) w->storage_bytes / w->total;
	pthread_barrier_destroy(&w->barrier);
	free(w->latency);
	free(threads);
}

/*
 * Times w with each number of clients.  m[0] tells name and plan; returns how
 * many measurements there are now.
 */
static int
time_queries(Work *w, const IntList *clients, PGconn *monitor, Measurement *m)
{
	for (int i = 0; i < clients->n; i++)
	{
		m[i] = m[0];
		w->clients = clients->items[i];
		time_once(w, monitor, &m[i]);
	}
	return clients->n;
}

/* How many executions a timed pass has: whole passes over the queries. */
static int64_t
executions(const Options *opt, double seconds_each)
{
	int64_t		passes = (int64_t) ceil(opt->seconds / seconds_each / queries.n);

	return queries.n * (passes > opt->repeat ? passes : opt->repeat);
}

/*
 * One setting, with each number of clients; returns their number.  A cold pass
 * finds the truth itself, after it has timed.
 */
int
measure_setting(const Options *opt, Truth *truth, const char *value,
				PGconn *monitor, Measurement *m)
{
	Work		w = {.opt = opt};
	Measurement checked = {.name = NULL};
	PGconn	   *conn;
	double		start;
	int			n;

	w.sets = list_copy(&opt->sets);
	if (strcmp(value, "default") != 0)
		list_add(&w.sets, format("%s=%s", opt->guc, value));
	w.statement = nearest_sql(opt, opt->k, false);
	conn = connect_server(opt, &w.sets);

	checked.name = format("%s", value);
	snprintf(checked.plan, sizeof(checked.plan), "%s",
			 find_plan(opt, conn, w.statement));
	w.total = queries.n - WARMUP_EXECUTIONS;
	if (opt->cold && w.total <= 0)
		vec_fatal("a cold pass needs more than %d queries", WARMUP_EXECUTIONS);
	if (opt->evict)
		open_files(monitor, opt->table, &w.files);
	if (!opt->cold)
	{
		start = now();
		check_queries(opt, truth, conn, &w.files, &checked);
		w.total = executions(opt, (now() - start) / queries.checked);
	}
	m[0] = checked;
	n = time_queries(&w, &opt->clients, monitor, m);
	if (opt->cold)
	{
		find_truth(opt, truth);
		check_queries(opt, truth, conn, &w.files, &checked);
		for (int i = 0; i < n; i++)
			copy_check(&m[i], &checked);
	}
	close_files(&w.files);
	PQfinish(conn);
	return n;
}

int
measure_exact(const Options *opt, PGconn *monitor, Measurement *m)
{
	const IntList one = {{1}, 1};
	Work		w = {.opt = opt};

	memset(m, 0, sizeof(*m));
	m->name = format("%s", EXACT_NAME);
	snprintf(m->plan, sizeof(m->plan), "seq scan");
	w.sets = exact_sets(opt);
	w.statement = nearest_sql(opt, opt->k, false);
	w.total = opt->exact;
	return time_queries(&w, &one, monitor, m);
}

/*
 * The floor under every query with such a parameter: protocol, parameter
 * parsing, and one lookup by primary key.
 */
int
measure_baseline(const Options *opt, PGconn *monitor, Measurement *m)
{
	Work		w = {.opt = opt};

	memset(m, 0, sizeof(*m));
	m->name = format("key lookup");
	snprintf(m->plan, sizeof(m->plan), "primary key");
	w.sets = list_copy(&opt->sets);
	w.rows = fetch_int(monitor, format("SELECT max(id) + 1 FROM %s",
									   opt->table));
	w.statement = format("SELECT id FROM %s WHERE id = $2::int4"
						 " AND $1::%s IS NOT NULL", opt->table, opt->type_name);
	w.total = executions(opt, LOOKUP_SECONDS);
	return time_queries(&w, &opt->clients, monitor, m);
}
