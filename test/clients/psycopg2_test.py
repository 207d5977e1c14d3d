# Copyright (c) 2026, diskann contributors
"""diskann from psycopg2, run by test/t/016_clients.pl.

psycopg2 writes parameters into the statement: a list of floats becomes a
numeric array, a list of integers an integer array.

Argument: a connection string.  Prints "ok - what" or "not ok - what" for each
thing that should work.
"""

import math
import sys

import psycopg2
import psycopg2.extras

DIMS = 6
ROWS = 300
QUERY = [0.3, -1.0, 0.25, 2.0, 0.0, 1.5]
INTEGERS = [0, -1, 0, 2, 0, 1]
BOTH = [1, 0.5, 2, -1, 0, 0]


def check(good, what):
    print(("ok - " if good else "not ok - ") + what)


def row(i):
    return [math.sin(i * (d + 1)) * (1 + i % 7) for d in range(DIMS)]


def nearest(query):
    """The exact answer."""
    return sorted(range(ROWS), key=lambda i: math.dist(row(i), query))[:5]


def fetch(conn, query, params):
    with conn.cursor() as cursor:
        cursor.execute(query, params)
        return [r[0] for r in cursor.fetchall()]


def ask(conn, query, vector, what):
    """A query finds the nearest rows, by the index."""
    check(fetch(conn, query, [vector]) == nearest(vector), what)
    plan = fetch(conn, "EXPLAIN (COSTS OFF) " + query, [vector])
    check(any("Index Scan using" in line for line in plan), what + ": by the index")


def test_column(conn, type_name, opclass):
    with conn.cursor() as cursor:
        cursor.execute(f"CREATE TABLE t (id int PRIMARY KEY, v {type_name})")
        cursor.execute("CREATE INDEX ON t USING diskann (v " + opclass + ")")
        psycopg2.extras.execute_values(cursor, "INSERT INTO t VALUES %s",
                                       [(i, row(i)) for i in range(ROWS)])
    query = "SELECT id FROM t ORDER BY v <-> %s LIMIT 5"
    ask(conn, query, QUERY, type_name + ": a list")
    ask(conn, query, INTEGERS, type_name + ": a list of integers")
    ask(conn, query, BOTH, type_name + ": a list of integers and floats")
    ask(conn, query.replace("v <-> %s", "%s <-> v"), INTEGERS,
        type_name + ": a list of integers on the left")
    ask(conn, query.replace("%s", f"%s::{type_name}"), QUERY,
        type_name + ": a list and a cast")
    if type_name.endswith("[]"):
        stored = fetch(conn, "SELECT v FROM t WHERE id = %s", [7])[0]
        check(all(abs(x - y) < 1e-5 for x, y in zip(stored, row(7))),
              type_name + ": in and out")
    with conn.cursor() as cursor:
        cursor.execute("DROP TABLE t")


def main():
    conn = psycopg2.connect(sys.argv[1])
    conn.autocommit = True
    print(f"# psycopg2 {psycopg2.__version__}")
    with conn.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
    test_column(conn, "real[]", "real_l2_ops")
    test_column(conn, "double precision[]", "double_l2_ops")
    if fetch(conn, "SELECT 1 FROM pg_extension WHERE extname = 'vector'", []):
        test_column(conn, f"vector({DIMS})", "vector_l2_ops")
        test_column(conn, f"halfvec({DIMS})", "halfvec_l2_ops")
    conn.close()


main()
