/*-------------------------------------------------------------------------
 *
 * server.c
 *	  Sessions, statements, and small helpers of the benchmark driver.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/server.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

Queries		queries;

/* printf into fresh memory, which is kept until the program ends. */
char *
format(const char *fmt,...)
{
	va_list		ap;
	char	   *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		vec_fatal("out of memory");
	va_end(ap);
	return s;
}

double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

void
list_add(StringList *list, const char *item)
{
	list->items = vec_realloc(list->items, sizeof(char *) * (list->n + 1));
	list->items[list->n++] = item;
}

void
list_split(StringList *list, const char *s)
{
	char	   *copy = format("%s", s);

	for (char *item = strtok(copy, ","); item != NULL; item = strtok(NULL, ","))
		list_add(list, item);
}

StringList
list_copy(const StringList *list)
{
	StringList	copy = {NULL, 0};

	for (int i = 0; i < list->n; i++)
		list_add(&copy, list->items[i]);
	return copy;
}

/*
 * Progress on stderr: one line that is rewritten on a terminal, else a line
 * now and then, so that logs stay short.  The last line always shows.
 */
void
progress(bool last, const char *fmt,...)
{
	static double shown = 0;
	bool		terminal = isatty(STDERR_FILENO);
	double		t = now();
	va_list		ap;

	if (!last && t - shown < (terminal ? 0.2 : 5.0))
		return;
	shown = t;
	va_start(ap, fmt);
	if (terminal)
		fputs("\r\033[K", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (last || !terminal)
		fputc('\n', stderr);
	if (last)
		shown = 0;
}

static uint64_t
get_be(const char *p, int size)
{
	uint64_t	v = 0;

	for (int i = 0; i < size; i++)
		v = v << 8 | (unsigned char) p[i];
	return v;
}

double
get_float8(const char *p)
{
	uint64_t	bits = get_be(p, 8);
	double		d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

/*
 * Server access
 */

PGresult *
expect(PGconn *conn, PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
		status != PGRES_COPY_IN)
		vec_fatal("%s", PQerrorMessage(conn));
	return res;
}

void
execute(PGconn *conn, const char *sql)
{
	PQclear(expect(conn, PQexec(conn, sql)));
}

/* First column of the first row as text, "" if there is none. */
char *
fetch_text(PGconn *conn, const char *sql)
{
	PGresult   *res = expect(conn, PQexec(conn, sql));
	char	   *s = format("%s", PQntuples(res) > 0 ? PQgetvalue(res, 0, 0) : "");

	PQclear(res);
	return s;
}

int64_t
fetch_int(PGconn *conn, const char *sql)
{
	return atoll(fetch_text(conn, sql));
}

static void
ignore_notice(void *arg, const PGresult *res)
{
}

/* SET, with a value that needs no quotes: 64MB is one. */
static void
set_parameter(PGconn *conn, const char *name, const char *value)
{
	const char *values[2] = {name, value};

	PQclear(expect(conn, PQexecParams(conn, "SELECT set_config($1, $2, false)",
									  2, NULL, values, NULL, NULL, 0)));
}

PGconn *
connect_server(const Options *opt, const StringList *sets)
{
	PGconn	   *conn = PQconnectdb(opt->dsn);

	if (PQstatus(conn) != CONNECTION_OK)
		vec_fatal("%s", PQerrorMessage(conn));
	PQsetNoticeReceiver(conn, ignore_notice, NULL);
	for (int i = 0; sets != NULL && i < sets->n; i++)
	{
		const char *set = sets->items[i];
		const char *eq = strchr(set, '=');

		if (eq == NULL)
			vec_fatal("\"%s\" is not of the form name=value", set);
		set_parameter(conn, format("%.*s", (int) (eq - set), set), eq + 1);
	}
	return conn;
}

/* Settings that leave a sequential scan and a sort, in one process. */
StringList
exact_sets(const Options *opt)
{
	StringList	sets = list_copy(&opt->sets);

	list_add(&sets, "enable_seqscan=on");
	list_add(&sets, "enable_indexscan=off");
	list_add(&sets, "enable_bitmapscan=off");
	list_add(&sets, "max_parallel_workers_per_gather=0");
	list_add(&sets, "jit=off");
	return sets;
}

/*
 * SELECT text: the nearest k rows, with or without their distances.  The
 * parameter is cast so that the server knows its type.
 */
char *
nearest_sql(const Options *opt, int k, bool with_distance)
{
	char	   *dist = format("v %s $1::%s", opt->op, opt->type_name);

	return format("SELECT id%s FROM %s%s%s ORDER BY %s LIMIT %d",
				  with_distance ? format(", (%s)::float8", dist) : "",
				  opt->table, opt->where ? " WHERE " : "",
				  opt->where ? opt->where : "", dist, k);
}

void
prepare(PGconn *conn, const char *sql)
{
	PQclear(expect(conn, PQprepare(conn, "q", sql, 0, NULL)));
}

/*
 * Executes "q" with query number i, and, if id >= 0, that as second parameter.
 * Results are binary.
 */
PGresult *
run_query(PGconn *conn, int64_t i, int64_t id)
{
	unsigned char number[4] = {id >> 24 & 0xff, id >> 16 & 0xff,
	id >> 8 & 0xff, id & 0xff};
	const char *values[2] = {(char *) queries.data + i * queries.size,
	(char *) number};
	int			lengths[2] = {(int) queries.size, 4};
	int			formats[2] = {1, 1};

	return expect(conn, PQexecPrepared(conn, "q", id >= 0 ? 2 : 1, values,
									   lengths, formats, 1));
}

void
load_queries(const Options *opt)
{
	float	   *rows;

	rows = vecfile_read_all(opt->file, opt->offset, opt->limit,
							&queries.n, &queries.ncols);
	if (queries.n == 0)
		vec_fatal("\"%s\" holds no queries", opt->file);
	queries.checked = queries.n;
	if (opt->check > 0 && opt->check < queries.n)
		queries.checked = opt->check;
	queries.size = vectype_size(opt->type, queries.ncols);
	queries.data = vec_alloc(queries.size * queries.n);
	for (int64_t i = 0; i < queries.n; i++)
		vectype_encode(opt->type, rows + i * queries.ncols, queries.ncols,
					   queries.data + i * queries.size);
	free(rows);
}
