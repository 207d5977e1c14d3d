# Copyright (c) 2026, diskann contributors
"""diskann from psycopg 2, run by test/t/016_clients.pl.

psycopg 2 writes parameters into the statement: a list of floats as
ARRAY[0.5,1.5], which is of type numeric[], a list of integers as ARRAY[1,2].

Argument: a connection string.  Prints "ok - what" or "not ok - what" for each
thing that should work.
"""

import math
import sys

import psycopg2

DIMS = 6
ROWS = 300
QUERIES = {
    "floats": [0.3, -1.0, 0.25, 2.0, 0.0, 1.5],
    "integers": [0, -1, 0, 2, 0, 1],
    "large integers": [0, -1, 0, 2, 0, 3000000000],
    "both": [1, 0.5, 2, -1, 0, 0],
}


def check(good, what):
    print(("ok - " if good else "not ok - ") + what)


def row(i):
    return [math.sin(i * (d + 1)) * (1 + i % 7) for d in range(DIMS)]


def nearest(query):
    """The exact answer."""
    return sorted(range(ROWS), key=lambda i: math.dist(row(i), query))[:5]


def test_column(cursor, column_type, opclass):
    table = "two_" + opclass
    cursor.execute(f"CREATE TABLE {table} (id int, v {column_type})")
    cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)",
                       [(i, row(i)) for i in range(ROWS)])
    cursor.execute(f"CREATE INDEX ON {table} USING diskann (v {opclass})")
    for what, query in QUERIES.items():
        for order in "v <-> %s", "%s <-> v":
            select = f"SELECT id FROM {table} ORDER BY {order} LIMIT 5"
            what_order = f"{column_type}: a list of {what}, {order}"
            cursor.execute(select, [query])
            check([r[0] for r in cursor.fetchall()] == nearest(query), what_order)
            cursor.execute("EXPLAIN (COSTS OFF) " + select, [query])
            check(any("Index Scan using" in line for (line,) in cursor.fetchall()),
                  what_order + ": by the index")


def main():
    conn = psycopg2.connect(sys.argv[1])
    conn.autocommit = True
    cursor = conn.cursor()
    print(f"# psycopg2 {psycopg2.__version__}")
    cursor.execute("SET enable_seqscan = off")
    test_column(cursor, "real[]", "real_l2_ops")
    test_column(cursor, "double precision[]", "double_l2_ops")
    cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
    if cursor.fetchone():
        test_column(cursor, f"vector({DIMS})", "vector_l2_ops")
        test_column(cursor, f"halfvec({DIMS})", "halfvec_l2_ops")
    conn.close()


main()
