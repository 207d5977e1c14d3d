--
-- What the plan wants of a scan: the rows of the Limit above it, or all
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
-- a session without a scan
SELECT wanted, bound FROM diskann_last_scan();
SET enable_seqscan = off;
SET enable_sort = off;

CREATE TABLE t (id int, a int, v real[]) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, i % 5, ARRAY[i % 20, i / 20, (i * 7) % 11]
FROM generate_series(1, 300) i;
CREATE INDEX t_v ON t USING diskann (v);
ANALYZE t;

-- runs a query to its end, after another one
CREATE FUNCTION wanted(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM id FROM t ORDER BY v <-> '{9,9,9}' LIMIT 123456;
    EXECUTE query;
    RETURN (SELECT wanted FROM diskann_last_scan());
END$$;

-- Limits
SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 1;
SELECT wanted FROM diskann_last_scan();
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 7');
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 7 OFFSET 4');
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' OFFSET 4');
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT NULL');
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}''
    LIMIT 9223372036854775807 OFFSET 1');
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}''
    LIMIT (SELECT count(*) + 1 FROM generate_series(1, 5))');
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}''
    FETCH FIRST 7 ROWS WITH TIES');
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 7 FOR UPDATE');
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}''');
PREPARE p AS SELECT id FROM t ORDER BY v <-> $1 LIMIT $2 OFFSET $3;
SET plan_cache_mode = force_generic_plan;
EXECUTE p('{1,1,1}', 2, 3);
SELECT wanted FROM diskann_last_scan();
RESET plan_cache_mode;
DEALLOCATE p;

-- rows are dropped on the way
SELECT wanted('SELECT id FROM t WHERE a = 1 ORDER BY v <-> ''{3,3,3}'' LIMIT 7');
SELECT wanted('SELECT id FROM t WHERE a = 1 ORDER BY v <-> ''{3,3,3}''');
SELECT wanted('SELECT * FROM (SELECT id, random() AS r FROM t
    ORDER BY v <-> ''{3,3,3}'' OFFSET 0) s WHERE r < 2 LIMIT 7');
SELECT wanted('SELECT * FROM (SELECT id, random() AS r FROM t
    ORDER BY v <-> ''{3,3,3}'' LIMIT 20) s WHERE r < 2 LIMIT 7');
SELECT wanted('SELECT * FROM (SELECT id FROM t
    ORDER BY v <-> ''{3,3,3}'' LIMIT 20) s LIMIT 7');
SELECT wanted('SELECT * FROM (SELECT id FROM t
    ORDER BY v <-> ''{3,3,3}'' LIMIT 7) s LIMIT 20');
SELECT wanted('SELECT * FROM (SELECT id FROM t
    ORDER BY v <-> ''{3,3,3}'' LIMIT 7) s');

-- nodes that read all, or no one knows how much
SELECT wanted('SELECT count(*) FROM
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' OFFSET 0) s LIMIT 1');
SELECT wanted('SELECT id FROM
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' OFFSET 0) s ORDER BY id LIMIT 1');
SELECT wanted('SELECT * FROM (SELECT id, v <-> ''{3,3,3}'' AS d FROM t
    ORDER BY d OFFSET 0) s ORDER BY d, id LIMIT 7');
SELECT wanted('SELECT DISTINCT v <-> ''{3,3,3}'' FROM t ORDER BY 1 LIMIT 7');
SELECT wanted('SELECT v <-> ''{3,3,3}'' FROM t GROUP BY 1 ORDER BY 1');
SELECT wanted('SELECT generate_series(1, a) FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 7');
SELECT wanted('SELECT rank() OVER (ORDER BY v <-> ''{3,3,3}'') FROM t LIMIT 7');
SELECT wanted('SELECT rank() OVER (ORDER BY v <-> ''{3,3,3}'') FROM t');
SELECT wanted('SELECT id, count(*) OVER () FROM
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' OFFSET 0) s LIMIT 7');
SELECT wanted('INSERT INTO t SELECT -id, a, v FROM t
    ORDER BY v <-> ''{3,3,3}'' LIMIT 7');
SELECT wanted('UPDATE t SET a = 7 WHERE id =
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 1)');

-- joins
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT wanted('SELECT t.id FROM t JOIN (VALUES (1), (2)) x (a) USING (a)
    ORDER BY v <-> ''{3,3,3}'' LIMIT 7');
SELECT wanted('SELECT t.id FROM t JOIN (VALUES (1), (2)) x (a) USING (a)
    ORDER BY v <-> ''{3,3,3}''');
SELECT wanted('SELECT x.a, s.id FROM generate_series(1, 3) x (a),
    LATERAL (SELECT id FROM t ORDER BY v <-> ARRAY[x.a, 2, 2] LIMIT x.a) s
    LIMIT 100');
SELECT wanted('SELECT x.a, s.id FROM generate_series(1, 3) x (a),
    LATERAL (SELECT id FROM t ORDER BY v <-> ARRAY[x.a, 2, 2] OFFSET 0) s
    LIMIT 100');
SELECT wanted('SELECT x.a, s.id FROM generate_series(1, 3) x (a),
    LATERAL (SELECT id FROM t ORDER BY v <-> ARRAY[x.a, 2, 2] OFFSET 0) s');
RESET enable_hashjoin;
RESET enable_mergejoin;
SET enable_nestloop = off;
SET enable_hashjoin = off;
SELECT wanted('SELECT x.d FROM generate_series(1, 20) x (d)
    JOIN (SELECT v <-> ''{3,3,3}'' AS d FROM t ORDER BY 1 OFFSET 0) s
    ON s.d = x.d');
SELECT wanted('SELECT x.d FROM generate_series(1, 20) x (d)
    JOIN (SELECT v <-> ''{3,3,3}'' AS d FROM t ORDER BY 1 OFFSET 0) s
    ON s.d = x.d LIMIT 3');
RESET enable_hashjoin;
SELECT wanted('SELECT s.id FROM
    (SELECT id, a FROM t ORDER BY v <-> ''{3,3,3}'' OFFSET 0) s
    JOIN generate_series(1, 20) x (a) USING (a) LIMIT 3');
RESET enable_nestloop;

-- common table expressions and subqueries
SELECT wanted('WITH c AS MATERIALIZED
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 7) SELECT * FROM c');
SELECT wanted('WITH c AS MATERIALIZED
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'') SELECT * FROM c LIMIT 7');
SELECT wanted('WITH c AS MATERIALIZED
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'')
    SELECT * FROM c WHERE id > 3 LIMIT 7');
SELECT wanted('WITH c AS MATERIALIZED
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'') SELECT * FROM c');
SELECT wanted('WITH c AS MATERIALIZED
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'')
    (SELECT * FROM c LIMIT 7) UNION ALL (SELECT * FROM c LIMIT 9)');
SELECT wanted('WITH c AS MATERIALIZED
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'')
    (SELECT * FROM c LIMIT 7) UNION ALL (SELECT -count(*) FROM c)');
SELECT wanted('WITH c AS MATERIALIZED
    (SELECT id FROM t ORDER BY v <-> ''{3,3,3}'')
    SELECT (SELECT id FROM c LIMIT 1)');
SELECT wanted('WITH i AS
    (INSERT INTO t SELECT -id, a, v FROM t ORDER BY v <-> ''{3,3,3}'')
    SELECT 1');
SELECT wanted('WITH i AS (INSERT INTO t
    SELECT -id, a, v FROM t WHERE id > 0 ORDER BY v <-> ''{3,3,3}'' RETURNING id)
    SELECT * FROM i LIMIT 1');
DELETE FROM t WHERE id < 0;
SELECT wanted('SELECT ARRAY(SELECT id FROM t ORDER BY v <-> ''{3,3,3}'')');
SELECT wanted('SELECT ARRAY(SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 7)
    LIMIT 1');
SELECT wanted('SELECT (SELECT id FROM t ORDER BY v <-> ARRAY[x, 1, 1] LIMIT 1)
    FROM generate_series(1, 3) x');
SELECT wanted('(SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 3) UNION ALL
    SELECT 1');
SELECT wanted('SELECT * FROM
    ((SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' OFFSET 0) UNION ALL
    SELECT 1) s LIMIT 2');
SELECT wanted('SELECT * FROM
    ((SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' OFFSET 0) EXCEPT ALL
    SELECT 1) s LIMIT 2');

-- partitions
CREATE TABLE parts (id int, v real[]) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (150);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (150) TO (400);
INSERT INTO parts SELECT id, v FROM t;
CREATE INDEX parts_v ON parts USING diskann (v);
ANALYZE parts;
SELECT wanted('SELECT id FROM parts ORDER BY v <-> ''{3,3,3}'' LIMIT 7');
SELECT wanted('SELECT id FROM parts ORDER BY v <-> ''{3,3,3}''');
DROP TABLE parts;

-- cursors, and what works like one
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY v <-> '{3,3,3}';
FETCH 2 FROM c;
SELECT wanted FROM diskann_last_scan();
MOVE ALL FROM c;
SELECT wanted FROM diskann_last_scan();
DECLARE d CURSOR FOR SELECT id FROM t ORDER BY v <-> '{3,3,3}';
MOVE ALL FROM d;
SELECT wanted FROM diskann_last_scan();
DECLARE e CURSOR FOR SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 9;
FETCH 2 FROM e;
SELECT wanted FROM diskann_last_scan();
DECLARE f CURSOR WITH HOLD FOR SELECT id FROM t ORDER BY v <-> '{3,3,3}';
COMMIT;
SELECT wanted FROM diskann_last_scan();
CLOSE f;
DO $$
DECLARE
    r record;
    c refcursor;
BEGIN
    FOR r IN SELECT id FROM t ORDER BY v <-> '{3,3,3}' LOOP
        RAISE INFO 'loop: %', (SELECT wanted FROM diskann_last_scan());
        EXIT;
    END LOOP;
    FOR r IN SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 7 LOOP
        RAISE INFO 'loop with a Limit: %', (SELECT wanted FROM diskann_last_scan());
        EXIT;
    END LOOP;
END$$;
CREATE FUNCTION nearest(real[]) RETURNS SETOF int
    LANGUAGE sql STABLE ROWS 3 AS
    'SELECT id FROM t ORDER BY v <-> $1 OFFSET (SELECT 0)';
SELECT nearest('{3,3,3}') LIMIT 2;
SELECT wanted FROM diskann_last_scan();

-- a query in a query, which fails: the outer one is known again
CREATE FUNCTION fails(i int) RETURNS int STABLE LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 / (id - id) FROM t ORDER BY v <-> '{3,3,3}' LIMIT 5;
    RETURN i;
EXCEPTION WHEN division_by_zero THEN
    RETURN i;
END$$;
SELECT wanted('SELECT s.id FROM generate_series(1, 3) x (a),
    LATERAL (SELECT id FROM t ORDER BY v <-> ARRAY[fails(x.a), 2, 2] LIMIT 4) s');
SELECT 1 / (id - id) FROM t ORDER BY v <-> '{3,3,3}' LIMIT 5;
SELECT wanted('SELECT id FROM t ORDER BY v <-> ''{3,3,3}'' LIMIT 6');

-- in a parallel worker
CREATE FUNCTION wanted_here(id int) RETURNS text PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT wanted FROM diskann_last_scan());
END$$;
CREATE FUNCTION forced(mode text) RETURNS void LANGUAGE sql AS
    'SELECT set_config(name, mode, false) FROM pg_settings
    WHERE name IN (''force_parallel_mode'', ''debug_parallel_query'')';
SELECT forced('on');
EXPLAIN (COSTS OFF)
SELECT wanted_here(id) FROM t ORDER BY v <-> '{3,3,3}' LIMIT 1;
SELECT wanted_here(id) FROM t ORDER BY v <-> '{3,3,3}' LIMIT 1;
SELECT DISTINCT wanted_here(id) FROM
    (SELECT id FROM t ORDER BY v <-> '{3,3,3}' OFFSET 0) s;
SELECT forced('off');

DROP TABLE t CASCADE;
DROP FUNCTION wanted, nearest, fails, wanted_here, forced;
