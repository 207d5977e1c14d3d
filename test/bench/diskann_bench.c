/*-------------------------------------------------------------------------
 *
 * diskann_bench.c
 *	  Loads vectors, builds an index, and measures queries as a client sees
 *	  them: recall, latency, throughput, pages touched, order.
 *
 * Nothing here knows the access method: operator, parameter type and the
 * setting that is swept are options, so that any index that answers
 * ORDER BY column <op> $1 LIMIT k can be put side by side with another.
 *
 * What is timed is the round trip of a prepared statement whose parameter is
 * sent in binary.  What is checked (recall, order, duplicates) comes from a
 * separate pass over the same queries, so that checking is not timed.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/diskann_bench.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_BUFFER_ROWS 64

/*
 * load
 */

/* pgvector's types need their length to be indexed; arrays have none. */
static char *
column_type(const Options *opt, int ncols)
{
	if ((opt->type == VECTYPE_VECTOR || opt->type == VECTYPE_HALFVEC) &&
		strchr(opt->type_name, '(') == NULL)
		return format("%s(%d)", opt->type_name, ncols);
	return format("%s", opt->type_name);
}

static void
put_copy(PGconn *conn, const unsigned char *data, size_t size)
{
	if (PQputCopyData(conn, (const char *) data, (int) size) != 1)
		vec_fatal("%s", PQerrorMessage(conn));
}

static int64_t
copy_rows(PGconn *conn, const Options *opt, VecFile *f)
{
	size_t		size = copy_row_size(opt->type, f->ncols);
	float	   *v = vec_alloc(sizeof(float) * f->ncols);
	unsigned char *buf = vec_alloc(size * COPY_BUFFER_ROWS);
	unsigned char frame[COPY_HEADER_SIZE];
	int64_t		total = f->nrows < 0 ? -1 : f->nrows - opt->offset;
	int64_t		n = 0;
	int			buffered = 0;

	if (opt->limit >= 0 && (total < 0 || opt->limit < total))
		total = opt->limit;
	copy_header(frame);
	put_copy(conn, frame, COPY_HEADER_SIZE);
	while ((opt->limit < 0 || n < opt->limit) && vecfile_next(f, v))
	{
		copy_row(opt->type, (int32_t) (opt->offset + n), v, f->ncols,
				 buf + size * buffered);
		n++;
		if (++buffered == COPY_BUFFER_ROWS)
		{
			put_copy(conn, buf, size * buffered);
			buffered = 0;
			progress(false, "  loading %s: %lld of %lld rows", opt->table,
					 (long long) n, (long long) total);
		}
	}
	put_copy(conn, buf, size * buffered);
	copy_trailer(frame);
	put_copy(conn, frame, COPY_TRAILER_SIZE);
	free(buf);
	free(v);
	return n;
}

static void
finish_copy(PGconn *conn)
{
	PGresult   *res;

	if (PQputCopyEnd(conn, NULL) != 1)
		vec_fatal("%s", PQerrorMessage(conn));
	while ((res = PQgetResult(conn)) != NULL)
		PQclear(expect(conn, res));
}

static void
command_load(const Options *opt)
{
	PGconn	   *conn = connect_server(opt, &opt->sets);
	VecFile		f;
	double		start = now();
	int64_t		n;

	vecfile_open(&f, opt->file, VEC_UNKNOWN);
	vecfile_skip(&f, opt->offset);
	execute(conn, "BEGIN");
	execute(conn, format("CREATE TABLE %s (id int4, v %s)", opt->table,
						 column_type(opt, f.ncols)));
	if (opt->storage != NULL)
		execute(conn, format("ALTER TABLE %s ALTER v SET STORAGE %s",
							 opt->table, opt->storage));
	/* Created in this transaction, so rows can be frozen as they come. */
	execute(conn, format("COPY %s FROM STDIN (FORMAT binary, FREEZE)",
						 opt->table));
	n = copy_rows(conn, opt, &f);
	finish_copy(conn);
	execute(conn, format("ALTER TABLE %s ADD PRIMARY KEY (id)", opt->table));
	execute(conn, "COMMIT");
	execute(conn, format("VACUUM ANALYZE %s", opt->table));
	progress(true, "  loaded %s: %lld rows of %d dimensions in %.1f s",
			 opt->table, (long long) n, f.ncols, now() - start);
	vecfile_close(&f);
	PQfinish(conn);
}

/*
 * query
 */

static void
command_query(const Options *opt)
{
	PGconn	   *monitor;
	Truth		truth = {NULL, NULL, 0};
	Measurement *m;
	int			n = 0;

	load_queries(opt);
	/* Looking for the truth reads the table. */
	if (!opt->cold)
		find_truth(opt, &truth);
	else if (opt->values.n > 1)
		vec_fatal("--cold measures one value");
	if (opt->evict && (opt->clients.n > 1 || opt->clients.items[0] > 1))
		vec_fatal("--evict measures one client");
	monitor = connect_server(opt, NULL);
	m = vec_alloc(sizeof(Measurement) * (opt->values.n + 2) * opt->clients.n);
	for (int i = 0; i < opt->values.n; i++)
	{
		progress(false, "  measuring %s = %s", opt->guc, opt->values.items[i]);
		n += measure_setting(opt, &truth, opt->values.items[i], monitor, &m[n]);
		if (m[n - 1].recall >= opt->until)
			break;
	}
	if (opt->exact > 0)
	{
		progress(false, "  measuring the exact scan");
		n += measure_exact(opt, monitor, &m[n]);
	}
	if (opt->baseline)
		n += measure_baseline(opt, monitor, &m[n]);
	progress(true, "  measured");

	report(monitor, opt, m, n);
	PQfinish(monitor);
}

/*
 * Options
 */

static void
usage(void)
{
	puts("Usage: diskann_bench load|build|query|lateral [OPTION]...\n\n"
		 "All:\n"
		 "  --dsn CONNINFO       connection (default: PG* environment)\n"
		 "  --set NAME=VALUE     SET in every session; may be repeated\n"
		 "load: create a table (id int4 primary key, v TYPE) from a file\n"
		 "  --table NAME  --file FILE   .u8bin .f16bin .fbin .fvecs [.gz]\n"
		 "  --type TYPE          real[] (default), double precision[], vector, halfvec\n"
		 "  --storage KIND       plain, external, extended, main\n"
		 "  --limit N  --offset N       that part of the file\n"
		 "build: run a statement, showing pg_stat_progress_create_index\n"
		 "  --sql STATEMENT  --json FILE\n"
		 "query: ORDER BY v OP $1 LIMIT k for each row of a file\n"
		 "  --table NAME  --file FILE  --limit N  --offset N\n"
		 "  --type TYPE          of the parameter\n"
		 "  --op OP              operator (default <->)\n"
		 "  --where CONDITION    further condition\n"
		 "  --k N                rows per query (default 10)\n"
		 "  --guc NAME           setting that is swept\n"
		 "                       (default diskann.query_search_list_size)\n"
		 "  --values A,B,...     its values; default leaves it alone\n"
		 "  --clients N,M,...    sessions in the timed passes, one pass each (default 1)\n"
		 "  --seconds S          a timed pass repeats the queries to last about that long\n"
		 "  --pin                each session and its client share a processor\n"
		 "  --until RECALL       end the sweep with the first setting that reaches it\n"
		 "  --cold               time before anything warms caches: the timed pass comes\n"
		 "                       first, and warming up is left to the last 10 queries\n"
		 "  --evict              before each query, outside of its time, have the\n"
		 "                       operating system forget all files of the table\n"
		 "  --repeat N           timed passes over the queries (default 1)\n"
		 "  --truth FILE         .ibin file of row numbers; or else\n"
		 "  --truth-cache FILE   exact answers, kept in FILE\n"
		 "  --truth-clients N    sessions computing those (default: processors)\n"
		 "  --check N            compare with the truth the first N queries alone\n"
		 "  --exact N            also time the exact scan with N queries\n"
		 "  --baseline           also time a primary key lookup with such a parameter\n"
		 "  --json FILE  --label TEXT\n"
		 "lateral: the same for all rows of a table of queries in one statement\n"
		 "  --table, --file, --type, --op, --k, --json as above\n"
		 "  --count N            rows of that table, the file's over and over (default 10000)");
}

static int64_t
parse_number(const char *name, const char *arg, int64_t min)
{
	char	   *end;
	long long	n = strtoll(arg, &end, 10);

	if (end == arg || *end != '\0' || n < min || n > INT32_MAX)
		vec_fatal("--%s: not a valid number: \"%s\"", name, arg);
	return n;
}

static double
parse_real(const char *name, const char *arg)
{
	char	   *end;
	double		v = strtod(arg, &end);

	if (end == arg || *end != '\0' || !(v >= 0 && v < 1e6))
		vec_fatal("--%s: not a valid number: \"%s\"", name, arg);
	return v;
}

/* Options that take a string, and where it goes. */
static const char **
string_option(Options *opt, const char *name)
{
	struct
	{
		const char *name;
		const char **where;
	}			map[] = {
		{"dsn", &opt->dsn}, {"table", &opt->table}, {"file", &opt->file},
		{"op", &opt->op}, {"type", &opt->type_name},
		{"storage", &opt->storage}, {"where", &opt->where},
		{"sql", &opt->sql}, {"guc", &opt->guc}, {"truth", &opt->truth},
		{"truth-cache", &opt->truth_cache}, {"json", &opt->json},
		{"label", &opt->label}
	};

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (strcmp(map[i].name, name) == 0)
			return map[i].where;
	return NULL;
}

static void
set_option(Options *opt, const char *name, const char *arg)
{
	const char **where = string_option(opt, name);

	if (where != NULL)
		*where = arg;
	else if (strcmp(name, "set") == 0)
		list_add(&opt->sets, arg);
	else if (strcmp(name, "values") == 0)
		list_split(&opt->values, arg);
	else if (strcmp(name, "limit") == 0)
		opt->limit = parse_number(name, arg, 0);
	else if (strcmp(name, "offset") == 0)
		opt->offset = parse_number(name, arg, 0);
	else if (strcmp(name, "k") == 0)
		opt->k = (int) parse_number(name, arg, 1);
	else if (strcmp(name, "clients") == 0)
	{
		StringList	items = {NULL, 0};

		list_split(&items, arg);
		if (items.n == 0 || items.n > MAX_CLIENT_COUNTS)
			vec_fatal("--%s: from 1 to %d numbers", name, MAX_CLIENT_COUNTS);
		for (opt->clients.n = 0; opt->clients.n < items.n; opt->clients.n++)
			opt->clients.items[opt->clients.n] =
				(int) parse_number(name, items.items[opt->clients.n], 1);
	}
	else if (strcmp(name, "truth-clients") == 0)
		opt->truth_clients = (int) parse_number(name, arg, 1);
	else if (strcmp(name, "repeat") == 0)
		opt->repeat = (int) parse_number(name, arg, 1);
	else if (strcmp(name, "exact") == 0)
		opt->exact = (int) parse_number(name, arg, 0);
	else if (strcmp(name, "check") == 0)
		opt->check = (int) parse_number(name, arg, 1);
	else if (strcmp(name, "count") == 0)
		opt->count = parse_number(name, arg, 1);
	else if (strcmp(name, "until") == 0)
		opt->until = parse_real(name, arg);
	else if (strcmp(name, "seconds") == 0)
		opt->seconds = parse_real(name, arg);
	else if (strcmp(name, "pin") == 0)
		opt->pin = true;
	else if (strcmp(name, "baseline") == 0)
		opt->baseline = true;
	else if (strcmp(name, "cold") == 0)
		opt->cold = true;
	else if (strcmp(name, "evict") == 0)
		opt->evict = true;
	else
	{
		usage();
		exit(0);
	}
}

static void
parse_options(int argc, char **argv, Options *opt)
{
	static const char *const with_argument[] = {
		"dsn", "table", "file", "op", "type", "storage", "where", "sql",
		"guc", "values", "set", "truth", "truth-cache", "json", "label",
		"limit", "offset", "k", "clients", "truth-clients", "repeat", "exact",
		"check", "count", "until", "seconds"
	};
	const int	n = sizeof(with_argument) / sizeof(with_argument[0]);
	struct option longopts[sizeof(with_argument) / sizeof(with_argument[0]) + 6];
	int			found;

	memset(longopts, 0, sizeof(longopts));
	for (int i = 0; i < n; i++)
	{
		longopts[i].name = with_argument[i];
		longopts[i].has_arg = required_argument;
	}
	longopts[n].name = "baseline";
	longopts[n + 1].name = "cold";
	longopts[n + 2].name = "evict";
	longopts[n + 3].name = "pin";
	longopts[n + 4].name = "help";
	for (;;)
	{
		int			c = getopt_long(argc, argv, "", longopts, &found);

		if (c == -1)
			break;
		if (c != 0)
			exit(2);
		set_option(opt, longopts[found].name, optarg);
	}
	if (optind < argc)
		vec_fatal("\"%s\" is not an option", argv[optind]);
	if (!vectype_parse(opt->type_name, &opt->type))
		vec_fatal("no such type: \"%s\"", opt->type_name);
	if (opt->values.n == 0)
		list_add(&opt->values, "default");
}

static void
require_table_and_file(const Options *opt, const char *command)
{
	if (opt->table == NULL || opt->file == NULL)
		vec_fatal("%s needs --table and --file", command);
}

int
main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "help";
	Options		opt = {
		.dsn = "", .op = "<->", .type_name = "real[]",
		.guc = "diskann.query_search_list_size", .limit = -1, .k = 10,
		.clients = {{1}, 1}, .repeat = 1, .count = 10000, .until = INFINITY,
		.truth_clients = (int) sysconf(_SC_NPROCESSORS_ONLN)
	};

	if (argc > 1)
		parse_options(argc - 1, argv + 1, &opt);
	if (strcmp(command, "load") == 0)
	{
		require_table_and_file(&opt, command);
		command_load(&opt);
	}
	else if (strcmp(command, "build") == 0)
		command_build(&opt);
	else if (strcmp(command, "query") == 0)
	{
		require_table_and_file(&opt, command);
		command_query(&opt);
	}
	else if (strcmp(command, "lateral") == 0)
	{
		require_table_and_file(&opt, command);
		command_lateral(&opt);
	}
	else
		usage();
	return 0;
}
