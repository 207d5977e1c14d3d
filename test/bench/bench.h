/*-------------------------------------------------------------------------
 *
 * bench.h
 *	  What the parts of the benchmark driver share.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/bench.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef BENCH_H
#define BENCH_H

#include "vecfile.h"

#include <libpq-fe.h>

/* Name of the measurement of the exact scan. */
#define EXACT_NAME "exact scan"

/* Repeatable options and comma-separated lists. */
typedef struct StringList
{
	const char **items;
	int			n;
} StringList;

#define MAX_CLIENT_COUNTS 8

typedef struct IntList
{
	int			items[MAX_CLIENT_COUNTS];
	int			n;
} IntList;

typedef struct Options
{
	const char *dsn;
	const char *table;
	const char *file;			/* vectors to load, or queries */
	const char *op;
	const char *type_name;
	VecType		type;
	const char *storage;
	const char *where;			/* further condition of every query, or NULL */
	const char *sql;			/* build: the statement */
	const char *guc;
	StringList	values;			/* of guc */
	StringList	sets;			/* "name=value" for every session */
	const char *truth;
	const char *truth_cache;
	const char *json;
	const char *label;
	int64_t		limit;
	int64_t		offset;
	int			k;
	IntList		clients;		/* sessions of each timed pass */
	int			truth_clients;
	int			repeat;
	int			exact;			/* queries to time by exact scan */
	int			check;			/* queries to compare with the truth, 0: all */
	int64_t		count;			/* lateral: queries */
	double		until;			/* recall that ends the sweep */
	double		seconds;		/* least duration of a timed pass */
	bool		baseline;
	bool		pin;
	bool		cold;
	bool		evict;			/* before each query */
} Options;

/* One setting's outcome. */
typedef struct Measurement
{
	char	   *name;
	bool		checked;		/* the second group is valid */
	char		plan[128];
	double		recall;
	double		worst_recall;
	int64_t		inversions;		/* rows nearer than the row before */
	int64_t		duplicates;
	int64_t		missing;		/* rows not returned although they exist */

	int			clients;
	int64_t		count;			/* timed queries */
	double		qps;
	double		mean;			/* latencies in ms */
	double		p50;
	double		p90;
	double		p95;
	double		p99;
	double		max;
	double		pages[6];		/* per query, see read_io_counters */
	double		storage_bytes;	/* read from storage per query, -1: unknown */
} Measurement;

/*
 * The distances of each query's nearest rows.  A returned row counts as found
 * if it is no farther than the k-th of them, whichever row it is.
 */
typedef struct Truth
{
	double	   *dist;			/* stride distances per query, ascending */
	int		   *count;			/* how many of them there are */
	int			stride;
} Truth;

/* The queries, encoded once. */
typedef struct Queries
{
	int64_t		n;
	int64_t		checked;		/* that many are compared with the truth */
	int			ncols;
	size_t		size;
	unsigned char *data;
} Queries;

/* Memory of processes, in bytes; pages shared are divided among the sharers. */
typedef struct ProcessMemory
{
	int64_t		own;			/* private, and shared memory of parallel work */
	int64_t		total;			/* with the server's main shared memory */
} ProcessMemory;

/* Open files, see open_files. */
typedef struct FileList
{
	int		   *fds;
	int			n;
} FileList;

extern Queries queries;

/* server.c */
extern char *format(const char *fmt,...)
			__attribute__((format(printf, 1, 2)));
extern double now(void);
extern void list_add(StringList *list, const char *item);
extern void list_split(StringList *list, const char *s);
extern StringList list_copy(const StringList *list);
extern void progress(bool last, const char *fmt,...)
			__attribute__((format(printf, 2, 3)));
extern double get_float8(const char *p);
extern PGconn *connect_server(const Options *opt, const StringList *sets);
extern PGresult *expect(PGconn *conn, PGresult *res);
extern void execute(PGconn *conn, const char *sql);
extern char *fetch_text(PGconn *conn, const char *sql);
extern int64_t fetch_int(PGconn *conn, const char *sql);
extern StringList exact_sets(const Options *opt);
extern char *nearest_sql(const Options *opt, int k, bool with_distance);
extern void prepare(PGconn *conn, const char *sql);
extern PGresult *run_query(PGconn *conn, int64_t i, int64_t id);
extern void load_queries(const Options *opt);

/* truth.c */
extern void find_truth(const Options *opt, Truth *truth);

/* measure.c */
extern char *find_plan(const Options *opt, PGconn *conn, const char *sql);
extern int	measure_setting(const Options *opt, Truth *truth,
							const char *value, PGconn *monitor,
							Measurement *m);
extern int	measure_exact(const Options *opt, PGconn *monitor, Measurement *m);
extern int	measure_baseline(const Options *opt, PGconn *monitor,
							 Measurement *m);

/* build.c */
extern void command_build(const Options *opt);

/* lateral.c */
extern void command_lateral(const Options *opt);

/* process.c */
extern bool server_is_local(PGconn *conn);
extern int64_t process_read_bytes(int pid);
extern int64_t process_status_kb(int pid, const char *name);
extern bool process_memory(int pid, ProcessMemory *sum);
extern void pin_session(PGconn *conn, int number);

/* evict.c */
extern void open_files(PGconn *conn, const char *table, FileList *files);
extern void evict_files(const FileList *files);
extern void close_files(FileList *files);

/* report.c */
extern FILE *json_open(const char *path);
extern void json_close(FILE *fp, const char *path);
extern void json_string(FILE *fp, const char *name, const char *value);
extern void report(PGconn *conn, const Options *opt, const Measurement *m,
				   int n);

#endif							/* BENCH_H */
