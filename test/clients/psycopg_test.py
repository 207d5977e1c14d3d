# Copyright (c) 2026, diskann contributors
"""diskann from psycopg 3 and pgvector-python, run by test/t/016_clients.pl.

Argument: a connection string.  Prints "ok - what" or "not ok - what" for each
thing that should work.
"""

import math
import sys
from decimal import Decimal

import psycopg

DIMS = 6
ROWS = 300
QUERY = [0.3, -1.0, 0.25, 2.0, 0.0, 1.5]

# A list of integers is sent as the smallest type that has room for all of them.
INTEGERS = {
    "small integers": [0, -1, 0, 2, 0, 1],
    "integers": [0, -1, 0, 2, 0, 40000],
}


def check(good, what):
    print(("ok - " if good else "not ok - ") + what)


def row(i):
    return [math.sin(i * (d + 1)) * (1 + i % 7) for d in range(DIMS)]


def nearest(count, query=None):
    """The exact answer."""
    return sorted(range(ROWS), key=lambda i: math.dist(row(i), query or QUERY))[:count]


def ids(cursor):
    return [r[0] for r in cursor.fetchall()]


def by_index(conn, query, params):
    plan = conn.execute("EXPLAIN (COSTS OFF) " + query, params).fetchall()
    return any("Index Scan using" in line for (line,) in plan)


def ask(conn, query, params, what, **options):
    """A query finds the nearest rows, by the index, and again once prepared."""
    cursor = conn.cursor(binary=options.pop("binary", False))
    expected = nearest(5, options.pop("nearest_to", None))
    good = all(
        ids(cursor.execute(query, params, **options)) == expected
        for _ in range(8))
    check(good, what)
    check(by_index(conn, query, params), what + ": by the index")


def copy_binary(conn, table, type_name, value):
    with conn.cursor().copy(f"COPY {table} FROM STDIN WITH (FORMAT BINARY)") as copy:
        copy.set_types(["int4", type_name])
        for i in range(ROWS):
            copy.write_row((i, value(i)))


def test_arrays(conn):
    conn.execute("CREATE TABLE a (id int PRIMARY KEY, v real[])")
    conn.execute("CREATE INDEX ON a USING diskann (v)")
    with conn.cursor() as cursor:
        cursor.executemany("INSERT INTO a VALUES (%s, %s)",
                           [(i, row(i)) for i in range(ROWS // 2)])
    conn.execute("CREATE TABLE rest (LIKE a)")
    copy_binary(conn, "rest", "float4[]", row)
    conn.execute("INSERT INTO a SELECT * FROM rest WHERE id >= %s", [ROWS // 2])
    query = "SELECT id FROM a ORDER BY v <-> %s LIMIT 5"
    ask(conn, query, [QUERY], "real[]: a list")
    ask(conn, query, [QUERY], "real[]: a list, prepared", prepare=True)
    ask(conn, "SELECT id FROM a ORDER BY v <-> %b LIMIT 5", [QUERY],
        "real[]: a list, binary", binary=True)
    ask(conn, "SELECT id FROM a ORDER BY v <-> %s::real[] LIMIT 5", [QUERY],
        "real[]: a list and a cast")
    for what, integers in INTEGERS.items():
        ask(conn, query, [integers], f"real[]: a list of {what}",
            nearest_to=integers)
    with conn.transaction():
        conn.execute("SET LOCAL diskann.query_search_list_size = 20")
        ask(conn, query, [QUERY], "real[]: with SET LOCAL")
    with conn.cursor().copy("COPY a TO STDOUT WITH (FORMAT BINARY)") as copy:
        copy.set_types(["int4", "float4[]"])
        rows = list(copy.rows())
    check(len(rows) == ROWS and
          all(abs(x - y) < 1e-5 for i, v in rows for x, y in zip(v, row(i))),
          "real[]: COPY BINARY in and out")


def test_vectors(conn):
    from pgvector import HalfVector, Vector
    from pgvector.psycopg import register_vector

    register_vector(conn)
    for name, make in (("vector", Vector), ("halfvec", HalfVector)):
        table = "t_" + name
        conn.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, v {name}({DIMS}))")
        copy_binary(conn, table, name, lambda i, make=make: make(row(i)))
        conn.execute(f"CREATE INDEX ON {table} USING diskann (v {name}_l2_ops) "
                     "WITH (num_neighbors = 50)")
        query = f"SELECT id FROM {table} ORDER BY v <-> %s LIMIT 5"
        ask(conn, query, [make(QUERY)], name + ": its class")
        ask(conn, query, [make(QUERY)], name + ": prepared", prepare=True)
        ask(conn, query.replace("%s", "%b"), [make(QUERY)], name + ": binary",
            binary=True)
        conn.execute(f"DELETE FROM {table} WHERE id = %s", [nearest(1)[0]])
        conn.execute(f"INSERT INTO {table} VALUES (%s, %s)",
                     [nearest(1)[0], make(row(nearest(1)[0]))])
        ask(conn, query, [make(QUERY)], name + ": after an insert")
    for name in ("vector", "halfvec"):
        query = f"SELECT id FROM t_{name} ORDER BY v <-> %s LIMIT 5"
        ask(conn, query, [QUERY], name + ": a list")
        ask(conn, query.replace("%s", "%b"), [QUERY], name + ": a list, binary",
            binary=True)
        for what, integers in INTEGERS.items():
            ask(conn, query, [integers], f"{name}: a list of {what}",
                nearest_to=integers)
        ask(conn, query, [[Decimal(x) for x in QUERY]],
            name + ": a list of decimals")
    ask(conn, "SELECT id FROM a ORDER BY v <-> %s LIMIT 5", [Vector(QUERY)],
        "real[]: a Vector")
    ask(conn, "SELECT id FROM a ORDER BY %s <-> v LIMIT 5", [Vector(QUERY)],
        "real[]: a Vector on the left", prepare=True)
    try:
        import numpy
    except ImportError:
        print("# no numpy here: arrays of it are not tried")
        return
    array = numpy.array(QUERY, dtype=numpy.float32)
    ask(conn, "SELECT id FROM t_vector ORDER BY v <-> %s LIMIT 5", [array],
        "vector: a numpy array")


def main():
    # Without a locale the cluster's encoding is SQL_ASCII, whose text is bytes.
    with psycopg.connect(sys.argv[1], autocommit=True, client_encoding="utf8") as conn:
        print(f"# psycopg {psycopg.__version__}, {psycopg.pq.__impl__}")
        conn.execute("SET enable_seqscan = off")
        test_arrays(conn)
        if conn.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone():
            test_vectors(conn)


main()
