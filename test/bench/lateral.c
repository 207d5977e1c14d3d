/*-------------------------------------------------------------------------
 *
 * lateral.c
 *	  Many searches in one statement: a table of queries joined to the rows
 *	  nearest to each, beside the same searches as single statements.
 *
 * The statement runs in a cursor, so that the session can be asked between two
 * FETCHes how much memory the executor and the index scan hold by then.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/lateral.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define CHUNKS 10
#define QUERY_TABLE "diskann_bench_queries"

/* The session's memory at one moment. */
typedef struct MemoryLook
{
	int64_t		contexts_used;	/* bytes in use in memory contexts */
	int64_t		contexts_total; /* bytes these have got from malloc */
	int64_t		private_kb;		/* RssAnon, -1 if unknown */
	int64_t		hwm_kb;			/* VmHWM, with shared buffers touched */
} MemoryLook;

typedef struct Lateral
{
	char	   *plan;
	double		seconds;
	int64_t		rows;
	double		single_ms[2];	/* per statement, before and after */
	MemoryLook	looks[CHUNKS];	/* after each part */
} Lateral;

static void
look_at_memory(PGconn *conn, MemoryLook *look)
{
	int			pid = server_is_local(conn) ? PQbackendPID(conn) : 0;
	PGresult   *res = expect(conn, PQexec(conn,
										  "SELECT sum(used_bytes)::int8, sum(total_bytes)::int8"
										  " FROM pg_backend_memory_contexts"));

	look->contexts_used = atoll(PQgetvalue(res, 0, 0));
	look->contexts_total = atoll(PQgetvalue(res, 0, 1));
	look->private_kb = process_status_kb(pid, "RssAnon");
	look->hwm_kb = process_status_kb(pid, "VmHWM");
	PQclear(res);
}

/* The queries as a table of the session, count rows of them. */
static void
create_query_table(PGconn *conn, const Options *opt)
{
	execute(conn, format("CREATE TEMP TABLE " QUERY_TABLE
						 " (id int4 PRIMARY KEY, v %s)", opt->type_name));
	prepare(conn, format("INSERT INTO " QUERY_TABLE " VALUES ($2::int4, $1::%s)",
						 opt->type_name));
	execute(conn, "BEGIN");
	for (int64_t i = 0; i < opt->count; i++)
	{
		PQclear(run_query(conn, i % queries.n, i));
		progress(false, "  queries: %lld of %lld rows", (long long) i,
				 (long long) opt->count);
	}
	execute(conn, "COMMIT");
	execute(conn, "DEALLOCATE q");
	execute(conn, "ANALYZE " QUERY_TABLE);
	/* Queries that come again are to be answered again. */
	execute(conn, "SET enable_memoize = off");
}

/* Mean time of a single statement with a parameter, in ms. */
static double
time_single_statements(PGconn *conn, const Options *opt)
{
	int64_t		n = queries.n < opt->count ? queries.n : opt->count;
	double		start = 0;

	prepare(conn, nearest_sql(opt, opt->k, false));
	for (int64_t i = -10; i < n; i++)
	{
		if (i == 0)
			start = now();
		PQclear(run_query(conn, i < 0 ? 0 : i, -1));
	}
	execute(conn, "DEALLOCATE q");
	return 1000 * (now() - start) / n;
}

static char *
lateral_sql(const Options *opt)
{
	return format("SELECT q.id, n.id FROM " QUERY_TABLE " q, LATERAL"
				  " (SELECT t.id FROM %s t ORDER BY t.v %s q.v LIMIT %d) n",
				  opt->table, opt->op, opt->k);
}

static void
time_lateral(PGconn *conn, const Options *opt, Lateral *out)
{
	int64_t		step = (opt->count * opt->k + CHUNKS - 1) / CHUNKS;

	execute(conn, "BEGIN");
	execute(conn, "SET LOCAL cursor_tuple_fraction = 1");
	execute(conn, format("DECLARE c BINARY NO SCROLL CURSOR FOR %s",
						 lateral_sql(opt)));
	for (int i = 0; i < CHUNKS; i++)
	{
		double		start = now();
		PGresult   *res = expect(conn, PQexec(conn,
											  format("FETCH %lld FROM c",
													 (long long) step)));

		out->seconds += now() - start;
		out->rows += PQntuples(res);
		PQclear(res);
		look_at_memory(conn, &out->looks[i]);
		progress(false, "  lateral: %lld rows", (long long) out->rows);
	}
	execute(conn, "COMMIT");
}

static void
write_lateral_json(const Options *opt, const Lateral *out)
{
	FILE	   *fp = json_open(opt->json);

	if (fp == NULL)
		return;
	fputs("{", fp);
	json_string(fp, "statement", lateral_sql(opt));
	fputs(",\n ", fp);
	json_string(fp, "plan", out->plan);
	fprintf(fp, ", \"queries\": %lld, \"rows\": %lld, \"seconds\": %.4f,"
			"\n \"ms_per_query\": %.5f, \"single_ms\": [%.5f, %.5f],"
			"\n \"memory\": [", (long long) opt->count,
			(long long) out->rows, out->seconds,
			1000 * out->seconds / opt->count,
			out->single_ms[0], out->single_ms[1]);
	for (int i = 0; i < CHUNKS; i++)
		fprintf(fp, "%s{\"contexts_used\": %lld, \"contexts_total\": %lld,"
				" \"private_kb\": %lld, \"hwm_kb\": %lld}",
				i > 0 ? ",\n  " : "",
				(long long) out->looks[i].contexts_used,
				(long long) out->looks[i].contexts_total,
				(long long) out->looks[i].private_kb,
				(long long) out->looks[i].hwm_kb);
	fputs("]}\n", fp);
	json_close(fp, opt->json);
}

/* Runs opt->count searches in one statement. */
void
command_lateral(const Options *opt)
{
	PGconn	   *conn = connect_server(opt, &opt->sets);
	Lateral		out = {.rows = 0};

	if (opt->pin)
		pin_session(conn, 0);
	load_queries(opt);
	create_query_table(conn, opt);
	out.plan = find_plan(opt, conn, lateral_sql(opt));
	out.single_ms[0] = time_single_statements(conn, opt);
	time_lateral(conn, opt, &out);
	out.single_ms[1] = time_single_statements(conn, opt);
	progress(true, "  lateral: %lld queries, %lld rows",
			 (long long) opt->count, (long long) out.rows);
	printf("lateral: %.4f ms per query by %s; single statements %.4f and %.4f ms;"
		   " memory contexts %lld kB after a tenth, %lld kB at the end\n",
		   1000 * out.seconds / opt->count, out.plan,
		   out.single_ms[0], out.single_ms[1],
		   (long long) out.looks[0].contexts_used / 1024,
		   (long long) out.looks[CHUNKS - 1].contexts_used / 1024);
	if (opt->json != NULL)
		write_lateral_json(opt, &out);
	PQfinish(conn);
}
