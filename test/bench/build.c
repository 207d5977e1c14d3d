/*-------------------------------------------------------------------------
 *
 * build.c
 *	  Runs CREATE INDEX, or any statement, and tells what it took: time by
 *	  phase, memory of all its processes, WAL.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/build.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Looking at memory takes at most this share of the time. */
#define SAMPLING_SHARE 0.02

typedef struct Phase
{
	char	   *name;
	double		seconds;
} Phase;

typedef struct Phases
{
	Phase		items[64];
	int			n;
	double		since;			/* when the last one began */
} Phases;

static void
enter_phase(Phases *p, const char *name)
{
	double		t = now();

	if (p->n > 0 && strcmp(p->items[p->n - 1].name, name) == 0)
		return;
	if (p->n > 0)
		p->items[p->n - 1].seconds = t - p->since;
	p->since = t;
	if (p->n < 64)
		p->items[p->n++] = (Phase) {format("%s", name), 0};
}

/* One look at pg_stat_progress_create_index. */
static void
watch_build(PGconn *monitor, int pid, double start, Phases *phases)
{
	PGresult   *res;
	const char *name;
	const char *prefix = "building index: ";

	res = expect(monitor, PQexec(monitor,
				 format("SELECT phase,"
						" CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END,"
						" CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END"
						" FROM pg_stat_progress_create_index WHERE pid = %d",
						pid)));
	if (PQntuples(res) == 1)
	{
		long long	done = atoll(PQgetvalue(res, 0, 1));
		long long	total = atoll(PQgetvalue(res, 0, 2));

		name = PQgetvalue(res, 0, 0);
		if (strncmp(name, prefix, strlen(prefix)) == 0)
			name += strlen(prefix);
		enter_phase(phases, name);
		if (total > 0)
			progress(false, "  %6.1f s  %s: %lld of %lld (%.0f%%)",
					 now() - start, name, done, total, 100.0 * done / total);
		else
			progress(false, "  %6.1f s  %s", now() - start, name);
	}
	PQclear(res);
}

/* Peaks of what was seen while the statement ran. */
typedef struct Resources
{
	ProcessMemory peak;
	bool		known;
	int			workers;
	double		next_look;
} Resources;

/* One look at the memory of the session and its parallel workers. */
static void
watch_memory(PGconn *monitor, int pid, Resources *r)
{
	ProcessMemory sum = {0, 0};
	double		start = now();
	PGresult   *res;
	int			workers;

	if (start < r->next_look)
		return;
	res = expect(monitor, PQexec(monitor,
				 format("SELECT pid FROM pg_stat_activity"
						" WHERE leader_pid = %d AND pid <> %d", pid, pid)));
	workers = PQntuples(res);
	if (workers > r->workers)
		r->workers = workers;
	if (server_is_local(monitor) && process_memory(pid, &sum))
	{
		r->known = true;
		/* A worker that has just ended has no memory. */
		for (int i = 0; i < workers; i++)
			(void) process_memory(atoi(PQgetvalue(res, i, 0)), &sum);
		if (sum.own > r->peak.own)
			r->peak.own = sum.own;
		if (sum.total > r->peak.total)
			r->peak.total = sum.total;
	}
	PQclear(res);
	r->next_look = now() + (now() - start) / SAMPLING_SHARE;
}

static void
write_build_json(const Options *opt, double seconds, int64_t wal_bytes,
				 const Resources *r, const Phases *phases)
{
	FILE	   *fp = json_open(opt->json);

	if (fp == NULL)
		return;
	fputs("{", fp);
	json_string(fp, "statement", opt->sql);
	fprintf(fp, ",\n \"seconds\": %.3f, \"wal_bytes\": %lld,"
			" \"workers\": %d", seconds, (long long) wal_bytes, r->workers);
	if (r->known)
		fprintf(fp, ",\n \"peak_bytes\": %lld, \"peak_with_buffers_bytes\": %lld",
				(long long) r->peak.own, (long long) r->peak.total);
	fputs(",\n \"phases\": [", fp);
	for (int i = 0; i < phases->n - 1; i++)
	{
		fputs(i > 0 ? ", {" : "{", fp);
		json_string(fp, "name", phases->items[i].name);
		fprintf(fp, ", \"seconds\": %.3f}", phases->items[i].seconds);
	}
	fputs("]}\n", fp);
	json_close(fp, opt->json);
}

static void
print_build(double seconds, int64_t wal_bytes, const Resources *r,
			const Phases *phases)
{
	printf("build %.2f s:", seconds);
	for (int i = 0; i < phases->n - 1; i++)
		printf("%s %s %.2f s", i > 0 ? "," : "", phases->items[i].name,
			   phases->items[i].seconds);
	printf("; %d workers, WAL %.1f MB", r->workers, wal_bytes / 1048576.0);
	if (r->known)
		printf(", memory %.1f MB", r->peak.own / 1048576.0);
	printf("\n");
}

/* Runs opt->sql and waits for it, looking at it from another session. */
void
command_build(const Options *opt)
{
	static const char *const wal_sql =
	"SELECT (pg_current_wal_insert_lsn() - '0/0')::int8";
	PGconn	   *conn = connect_server(opt, &opt->sets);
	PGconn	   *monitor = connect_server(opt, NULL);
	Phases		phases = {.n = 0};
	Resources	resources = {.known = false};
	int64_t		wal_before = fetch_int(monitor, wal_sql);
	int64_t		wal_bytes;
	PGresult   *res;
	double		start = now();
	double		seconds;

	if (opt->sql == NULL)
		vec_fatal("build needs --sql");
	if (!PQsendQuery(conn, opt->sql))
		vec_fatal("%s", PQerrorMessage(conn));
	while (PQconsumeInput(conn) && PQisBusy(conn))
	{
		watch_build(monitor, PQbackendPID(conn), start, &phases);
		watch_memory(monitor, PQbackendPID(conn), &resources);
		usleep(20000);
	}
	seconds = now() - start;
	while ((res = PQgetResult(conn)) != NULL)
		PQclear(expect(conn, res));
	enter_phase(&phases, "end");
	wal_bytes = fetch_int(monitor, wal_sql) - wal_before;

	progress(true, "  built in %.2f s", seconds);
	print_build(seconds, wal_bytes, &resources, &phases);
	if (opt->json != NULL)
		write_build_json(opt, seconds, wal_bytes, &resources, &phases);
	PQfinish(monitor);
	PQfinish(conn);
}
