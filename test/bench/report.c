/*-------------------------------------------------------------------------
 *
 * report.c
 *	  Results as a table and as JSON.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/report.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

/* Facts about the table and the index measured. */
typedef struct Subject
{
	char	   *server;
	int64_t		rows;
	int64_t		table_bytes;	/* with TOAST, without indexes */
	int64_t		index_bytes;
	char	   *index_sql;
} Subject;

static void
describe(PGconn *conn, const Options *opt, const char *index, Subject *s)
{
	char	   *oid = format("(SELECT indexrelid FROM pg_stat_all_indexes"
							 " WHERE indexrelname = '%s'"
							 " AND relid = '%s'::regclass)", index, opt->table);

	s->server = fetch_text(conn, "SHOW server_version");
	s->rows = fetch_int(conn, format("SELECT count(*) FROM %s", opt->table));
	s->table_bytes = fetch_int(conn, format("SELECT pg_table_size('%s')",
											opt->table));
	s->index_bytes = fetch_int(conn, format("SELECT pg_relation_size(%s)", oid));
	s->index_sql = fetch_text(conn, format("SELECT pg_get_indexdef(%s)", oid));
}

static void
print_row(const Measurement *m)
{
	printf("%-12s %3d", m->name, m->clients);
	if (m->checked)
		printf(" %7.4f", m->recall);
	else
		printf(" %7s", "-");
	printf(" %8.1f %8.3f %8.3f %8.3f %8.3f %8.3f",
		   m->qps, m->mean, m->p50, m->p90, m->p95, m->p99);
	printf(" %8.1f %7.1f %7.1f %7.1f",
		   m->pages[0] + m->pages[1], m->pages[2] + m->pages[3],
		   m->pages[4] + m->pages[5],
		   m->pages[1] + m->pages[3] + m->pages[5]);
	printf("  %s\n", m->plan);
}

static void
print_warnings(const Measurement *m)
{
	if (m->inversions > 0)
		printf("! %s: %lld rows are nearer than the row before them\n",
			   m->name, (long long) m->inversions);
	if (m->duplicates > 0)
		printf("! %s: %lld rows were returned twice\n",
			   m->name, (long long) m->duplicates);
	if (m->missing > 0)
		printf("! %s: %lld rows fewer than asked for\n",
			   m->name, (long long) m->missing);
}

/* Against the exact scan, if that was timed. */
static void
print_speedup(const Measurement *m, int n)
{
	double		exact = 0;

	for (int i = 0; i < n; i++)
		if (strcmp(m[i].name, EXACT_NAME) == 0)
			exact = m[i].p50;
	if (exact == 0)
		return;
	printf("\nfaster than the exact scan (median):");
	for (int i = 0; i < n; i++)
		if (m[i].checked && m[i].clients == 1)
			printf(" %s %.0fx", m[i].name, exact / m[i].p50);
	printf("\n");
}

static void
print_table(const Options *opt, const Subject *s, const Measurement *m, int n)
{
	printf("\n%s%s%lld rows x %d, %lld queries, k = %d, PostgreSQL %s\n",
		   opt->label ? opt->label : "", opt->label ? ": " : "",
		   (long long) s->rows, queries.ncols, (long long) queries.n, opt->k,
		   s->server);
	printf("table %.1f MB, index %.1f MB", s->table_bytes / 1048576.0,
		   s->index_bytes / 1048576.0);
	if (s->index_sql[0] != '\0')
		printf(": %s", s->index_sql);
	printf("\n\n%-12s %3s %7s %8s %8s %8s %8s %8s %8s %8s %7s %7s %7s  %s\n",
		   "setting", "cl",
		   "recall", "QPS", "mean ms", "p50", "p90", "p95", "p99",
		   "ix pages", "heap", "toast", "read", "plan");
	for (int i = 0; i < n; i++)
		print_row(&m[i]);
	print_speedup(m, n);
	for (int i = 0; i < n; i++)
		if (i == 0 || strcmp(m[i].name, m[i - 1].name) != 0)
			print_warnings(&m[i]);
}

/* A file that cannot be written is told of, and no reason to lose the rest. */
FILE *
json_open(const char *path)
{
	FILE	   *fp = fopen(path, "w");

	if (fp == NULL)
		perror(path);
	return fp;
}

void
json_close(FILE *fp, const char *path)
{
	if (fclose(fp) != 0)
		perror(path);
}

void
json_string(FILE *fp, const char *name, const char *value)
{
	fprintf(fp, "\"%s\": ", name);
	if (value == NULL)
	{
		fputs("null", fp);
		return;
	}
	fputc('"', fp);
	for (const char *p = value; *p; p++)
	{
		if (*p == '"' || *p == '\\')
			fprintf(fp, "\\%c", *p);
		else if ((unsigned char) *p < ' ')
			fprintf(fp, "\\u%04x", *p);
		else
			fputc(*p, fp);
	}
	fputc('"', fp);
}

static void
json_measurement(FILE *fp, const Measurement *m)
{
	fprintf(fp, "    {\"clients\": %d, ", m->clients);
	json_string(fp, "setting", m->name);
	fputs(", ", fp);
	json_string(fp, "plan", m->plan);
	if (m->checked)
		fprintf(fp, ",\n     \"recall\": %.5f, \"worst_recall\": %.3f,"
				" \"inversions\": %lld, \"duplicates\": %lld, \"missing\": %lld",
				m->recall, m->worst_recall, (long long) m->inversions,
				(long long) m->duplicates, (long long) m->missing);
	fprintf(fp, ",\n     \"queries\": %lld, \"qps\": %.2f, \"mean_ms\": %.4f,"
			" \"p50_ms\": %.4f, \"p90_ms\": %.4f, \"p95_ms\": %.4f,"
			" \"p99_ms\": %.4f, \"max_ms\": %.4f",
			(long long) m->count, m->qps, m->mean, m->p50, m->p90, m->p95,
			m->p99, m->max);
	fprintf(fp, ",\n     \"index_hit\": %.2f, \"index_read\": %.2f,"
			" \"heap_hit\": %.2f, \"heap_read\": %.2f,"
			" \"toast_hit\": %.2f, \"toast_read\": %.2f",
			m->pages[0], m->pages[1], m->pages[2], m->pages[3],
			m->pages[4], m->pages[5]);
	if (m->storage_bytes >= 0)
		fprintf(fp, ", \"storage_bytes\": %.0f", m->storage_bytes);
	fputs("}", fp);
}

static void
write_json(const Options *opt, const Subject *s, const Measurement *m, int n)
{
	FILE	   *fp = json_open(opt->json);

	if (fp == NULL)
		return;
	fputs("{\n  ", fp);
	json_string(fp, "label", opt->label);
	fputs(",\n  ", fp);
	json_string(fp, "server_version", s->server);
	fputs(",\n  ", fp);
	json_string(fp, "index", s->index_sql);
	fputs(",\n  ", fp);
	json_string(fp, "operator", opt->op);
	fputs(",\n  ", fp);
	json_string(fp, "type", opt->type_name);
	fputs(",\n  ", fp);
	json_string(fp, "where", opt->where);
	fputs(",\n  ", fp);
	json_string(fp, "swept", opt->guc);
	fprintf(fp, ",\n  \"rows\": %lld, \"dimensions\": %d, \"k\": %d,"
			"\n  \"table_bytes\": %lld, \"index_bytes\": %lld,"
			"\n  \"results\": [\n",
			(long long) s->rows, queries.ncols, opt->k,
			(long long) s->table_bytes, (long long) s->index_bytes);
	for (int i = 0; i < n; i++)
	{
		json_measurement(fp, &m[i]);
		fputs(i < n - 1 ? ",\n" : "\n", fp);
	}
	fputs("  ]\n}\n", fp);
	json_close(fp, opt->json);
}

/* The first index that a setting used, "" if none did. */
static const char *
index_used(PGconn *conn, const Measurement *m, int n)
{
	for (int i = 0; i < n; i++)
		if (m[i].checked &&
			fetch_int(conn, format("SELECT count(*) FROM pg_stat_all_indexes"
								   " WHERE indexrelname = '%s'", m[i].plan)) > 0)
			return m[i].plan;
	return "";
}

void
report(PGconn *conn, const Options *opt, const Measurement *m, int n)
{
	Subject		subject;

	describe(conn, opt, index_used(conn, m, n), &subject);
	print_table(opt, &subject, m, n);
	if (opt->json != NULL)
		write_json(opt, &subject, m, n);
}
