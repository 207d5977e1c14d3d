/*-------------------------------------------------------------------------
 *
 * libpq_test.c
 *	  diskann from libpq, all in binary: COPY, parameters, results.
 *
 * Run by test/t/016_clients.pl.  Argument: a connection string.  Prints
 * "ok - what" or "not ok - what" for each thing that should work.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/clients/libpq_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libpq-fe.h"

#define DIMS 6
#define ROWS 300
#define FOUND 5

#define INT4OID 23
#define FLOAT4OID 700
#define FLOAT8OID 701
#define FLOAT4ARRAYOID 1021
#define FLOAT8ARRAYOID 1022

static const double query[DIMS] = {0.3, -1.0, 0.25, 2.0, 0.0, 1.5};

/* What a value is sent as. */
typedef enum Format
{
	REAL_ARRAY,
	DOUBLE_ARRAY,
	VECTOR
} Format;

typedef struct Bytes
{
	char		data[512];
	int			length;
} Bytes;

static void
check(int good, const char *what, const char *more)
{
	printf("%s - %s%s\n", good ? "ok" : "not ok", what, more);
}

static double
element(int i, int d)
{
	return sin(i * (d + 1.0)) * (1 + i % 7);
}

static void
put(Bytes *bytes, const void *data, int length)
{
	memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

static void
put16(Bytes *bytes, uint16_t value)
{
	value = htons(value);
	put(bytes, &value, 2);
}

static void
put32(Bytes *bytes, uint32_t value)
{
	value = htonl(value);
	put(bytes, &value, 4);
}

static void
put_float(Bytes *bytes, double value)
{
	float		single = (float) value;
	uint32_t	bits;

	memcpy(&bits, &single, sizeof(bits));
	put32(bytes, bits);
}

static void
put_double(Bytes *bytes, double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	put32(bytes, (uint32_t) (bits >> 32));
	put32(bytes, (uint32_t) bits);
}

/* A vector in the binary format of its type. */
static void
put_vector(Bytes *bytes, Format format, const double *x)
{
	if (format == VECTOR)
	{
		put16(bytes, DIMS);
		put16(bytes, 0);
	}
	else
	{
		put32(bytes, 1);		/* array dimensions */
		put32(bytes, 0);		/* no nulls */
		put32(bytes, format == REAL_ARRAY ? FLOAT4OID : FLOAT8OID);
		put32(bytes, DIMS);
		put32(bytes, 1);		/* lower bound */
	}
	for (int d = 0; d < DIMS; d++)
	{
		if (format != VECTOR)
			put32(bytes, format == REAL_ARRAY ? 4 : 8);
		if (format == DOUBLE_ARRAY)
			put_double(bytes, x[d]);
		else
			put_float(bytes, x[d]);
	}
}

static PGresult *
must(PGconn *conn, PGresult *result, ExecStatusType status)
{
	if (PQresultStatus(result) != status)
	{
		fprintf(stderr, "%s", PQerrorMessage(conn));
		exit(1);
	}
	return result;
}

static void
run(PGconn *conn, const char *sql)
{
	PQclear(must(conn, PQexec(conn, sql), PGRES_COMMAND_OK));
}

static void
load(PGconn *conn, const char *table, Format format)
{
	static const char signature[] = "PGCOPY\n\377\r\n\0";
	char		sql[128];
	Bytes		bytes = {{0}, 0};
	double		x[DIMS];

	snprintf(sql, sizeof(sql), "COPY %s FROM STDIN WITH (FORMAT BINARY)", table);
	PQclear(must(conn, PQexec(conn, sql), PGRES_COPY_IN));
	put(&bytes, signature, 11);
	put32(&bytes, 0);
	put32(&bytes, 0);
	for (int i = 0; i < ROWS; i++)
	{
		Bytes		value = {{0}, 0};

		for (int d = 0; d < DIMS; d++)
			x[d] = element(i, d);
		put_vector(&value, format, x);
		put16(&bytes, 2);
		put32(&bytes, 4);
		put32(&bytes, i);
		put32(&bytes, value.length);
		put(&bytes, value.data, value.length);
		PQputCopyData(conn, bytes.data, bytes.length);
		bytes.length = 0;
	}
	put16(&bytes, 0xFFFF);
	PQputCopyData(conn, bytes.data, bytes.length);
	PQputCopyEnd(conn, NULL);
	PQclear(must(conn, PQgetResult(conn), PGRES_COMMAND_OK));
	while (PQgetResult(conn))
		;
}

static double
distance(int i)
{
	double		sum = 0;

	for (int d = 0; d < DIMS; d++)
		sum += (element(i, d) - query[d]) * (element(i, d) - query[d]);
	return sum;
}

/* Does the result hold the ids of the nearest rows, in order? */
static int
is_nearest(const PGresult *result)
{
	char		taken[ROWS] = {0};

	if (PQntuples(result) != FOUND)
		return 0;
	for (int n = 0; n < FOUND; n++)
	{
		int			best = -1;
		uint32_t	id;

		for (int i = 0; i < ROWS; i++)
		{
			if (!taken[i] && (best < 0 || distance(i) < distance(best)))
				best = i;
		}
		taken[best] = 1;
		memcpy(&id, PQgetvalue(result, n, 0), sizeof(id));
		if (PQgetlength(result, n, 0) != 4 || (int) ntohl(id) != best)
			return 0;
	}
	return 1;
}

/* Ask with a parameter of a type (0: the server decides), repeatedly. */
static void
ask(PGconn *conn, const char *table, Format format, Oid type, const char *what)
{
	Bytes		value = {{0}, 0};
	const char *values[1] = {value.data};
	const int	binary = 1;
	char		sql[128];
	char		explain[160];
	PGresult   *result;
	int			good = 1;

	put_vector(&value, format, query);
	snprintf(sql, sizeof(sql), "SELECT id FROM %s ORDER BY v <-> $1 LIMIT %d",
			 table, FOUND);
	result = must(conn, PQexecParams(conn, sql, 1, &type, values, &value.length,
									 &binary, 1), PGRES_TUPLES_OK);
	check(is_nearest(result), what, "");
	PQclear(result);

	PQclear(must(conn, PQprepare(conn, what, sql, 1, &type), PGRES_COMMAND_OK));
	for (int n = 0; n < 8; n++)
	{
		result = must(conn, PQexecPrepared(conn, what, 1, values, &value.length,
										   &binary, 1), PGRES_TUPLES_OK);
		good = good && is_nearest(result);
		PQclear(result);
	}
	check(good, what, ", prepared");

	snprintf(explain, sizeof(explain), "EXPLAIN (COSTS OFF) %s", sql);
	result = must(conn, PQexecParams(conn, explain, 1, &type, values,
									 &value.length, &binary, 0),
				  PGRES_TUPLES_OK);
	check(PQntuples(result) > 1 &&
		  strstr(PQgetvalue(result, 1, 0), "Index Scan using") != NULL, what,
		  ": by the index");
	PQclear(result);
}

int
main(int argc, char **argv)
{
	PGconn	   *conn = PQconnectdb(argc > 1 ? argv[1] : "");
	PGresult   *result;
	int			vectors;

	if (PQstatus(conn) != CONNECTION_OK)
	{
		fprintf(stderr, "%s", PQerrorMessage(conn));
		return 1;
	}
	run(conn, "SET enable_seqscan = off");
	run(conn, "CREATE TABLE la (id int PRIMARY KEY, v real[])");
	run(conn, "CREATE INDEX ON la USING diskann (v)");
	load(conn, "la", REAL_ARRAY);
	ask(conn, "la", REAL_ARRAY, FLOAT4ARRAYOID, "real[]: real[]");
	ask(conn, "la", DOUBLE_ARRAY, FLOAT8ARRAYOID, "real[]: double precision[]");
	ask(conn, "la", REAL_ARRAY, 0, "real[]: no type given");

	result = must(conn, PQexec(conn, "SELECT FROM pg_extension WHERE extname = 'vector'"),
				  PGRES_TUPLES_OK);
	vectors = PQntuples(result);
	PQclear(result);
	if (vectors)
	{
		run(conn, "CREATE TABLE lv (id int PRIMARY KEY, v vector(6))");
		load(conn, "lv", VECTOR);
		run(conn, "CREATE INDEX ON lv USING diskann (v vector_l2_ops)");
		ask(conn, "lv", VECTOR, 0, "vector: no type given");
		ask(conn, "lv", REAL_ARRAY, FLOAT4ARRAYOID, "vector: real[]");
		ask(conn, "lv", DOUBLE_ARRAY, FLOAT8ARRAYOID, "vector: double precision[]");
	}
	PQfinish(conn);
	return 0;
}
