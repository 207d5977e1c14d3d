--
-- Which plans are chosen
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set dims 1536
\i test/regress/vec.sql

-- large vectors, which are not in their rows, and small ones
CREATE TABLE large (id int, fifth int, percent int, v real[])
    WITH (autovacuum_enabled = off);
ALTER TABLE large ALTER v SET STORAGE EXTERNAL;
INSERT INTO large SELECT i, i % 5, i % 100, x[i:i + 1535]
FROM (SELECT array_agg((k * 7919 % 1009)::real) AS x
      FROM generate_series(1, 3535) k) s, generate_series(1, 2000) i;
CREATE INDEX large_v ON large USING diskann (v);
CREATE INDEX large_fifth ON large (fifth);
CREATE INDEX large_percent ON large (percent);
CREATE TABLE small (id int, fifth int, percent int, v real[])
    WITH (autovacuum_enabled = off);
INSERT INTO small SELECT id, fifth, percent, v[1:8] FROM large;
CREATE INDEX small_v ON small USING diskann (v);
CREATE INDEX small_fifth ON small (fifth);
CREATE INDEX small_percent ON small (percent);
CREATE TABLE groups AS SELECT i AS id FROM generate_series(0, 99) i;
CREATE UNIQUE INDEX ON groups (id);
CREATE FUNCTION is_wanted(i int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
    AS $$BEGIN RETURN i = 7; END$$;

-- the scans of the plan, and whether it sorts
CREATE FUNCTION plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    result text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        result := concat_ws(', ', nullif(result, ''),
            substring(line FROM '(?:Sort|(?:Seq|(?<!Bitmap )Index|Index Only) Scan '
                '.*|Bitmap Index Scan .*)$'));
    END LOOP;
    RETURN regexp_replace(result, 'Sort, Sort Key[^,]*', 'Sort', 'g');
END$$;

-- before anybody has analyzed the table
SELECT plan('SELECT id FROM large ORDER BY v <-> vec(1) LIMIT 10');
SELECT plan('SELECT id FROM small ORDER BY v <-> ''{1,2,3,4,5,6,7,8}'' LIMIT 10');
VACUUM ANALYZE large, small, groups;

-- the nearest rows, and all
SELECT plan('SELECT id FROM large ORDER BY v <-> vec(1) LIMIT 10');
SELECT plan('SELECT id FROM large ORDER BY v <-> vec(1) LIMIT 100');
SELECT plan('SELECT id FROM large ORDER BY v <-> vec(1)');
SELECT plan('SELECT id FROM small ORDER BY v <-> ''{1,2,3,4,5,6,7,8}'' LIMIT 10');
SELECT plan('SELECT id FROM small ORDER BY v <-> ''{1,2,3,4,5,6,7,8}''');

-- the fewer rows a condition leaves, the better is an index on its column
SELECT plan('SELECT id FROM large WHERE fifth = 1 ORDER BY v <-> vec(1) LIMIT 10');
SELECT plan('SELECT id FROM large WHERE percent = 1 ORDER BY v <-> vec(1) LIMIT 10');
SELECT plan('SELECT id FROM small WHERE percent = 1
    ORDER BY v <-> ''{1,2,3,4,5,6,7,8}'' LIMIT 10');
SELECT plan('SELECT id FROM large WHERE percent = -1
    ORDER BY v <-> vec(1) LIMIT 1');

-- more rows are wanted than the index would come up with soon
SELECT plan('SELECT id FROM small WHERE fifth = 1
    ORDER BY v <-> ''{1,2,3,4,5,6,7,8}'' LIMIT 300');
SELECT plan('SELECT id FROM small WHERE is_wanted(id)
    ORDER BY v <-> ''{1,2,3,4,5,6,7,8}'' LIMIT 100');
SELECT plan('SELECT id FROM large t WHERE is_wanted(id)
    ORDER BY v <-> vec(1) LIMIT 1');

-- a bound is met by the nearest rows
SELECT plan('SELECT id FROM small WHERE v <-> ''{1,2,3,4,5,6,7,8}'' < 100
    ORDER BY v <-> ''{1,2,3,4,5,6,7,8}'' LIMIT 10');
SELECT plan('SELECT id FROM large WHERE 10 >= v <-> vec(1)
    ORDER BY v <-> vec(1) LIMIT 100');

-- so is a likeness, and without LIMIT it ends the scan
SELECT plan('SELECT id FROM large WHERE 10 - (v <-> vec(1)) > 0
    ORDER BY v <-> vec(1) LIMIT 100');
SELECT plan('SELECT id FROM large WHERE 10 - (v <-> vec(1)) > 0
    ORDER BY v <-> vec(1)');
SELECT plan('SELECT id FROM large WHERE v <-> vec(1) <= 10
    ORDER BY v <-> vec(1)');
PREPARE near (float8) AS SELECT id FROM large WHERE 10 - (v <-> vec(1)) >= $1
    ORDER BY v <-> vec(1);
SET plan_cache_mode = force_generic_plan;
SELECT plan('EXECUTE near (5)');
RESET plan_cache_mode;

-- a distance that has to be great bounds nothing
SELECT plan('SELECT id FROM large WHERE v <-> vec(1) > 10
    ORDER BY v <-> vec(1)');

-- of the rows that meet a function nothing is known; but few that do cost no
-- more than to read the table
SELECT plan('SELECT id FROM large WHERE is_wanted(id)
    ORDER BY v <-> vec(1) LIMIT 100');

-- without LIMIT a bound may leave few rows, or most: nodes are asked
SELECT plan('SELECT id FROM large WHERE v <-> vec(1) < 10
    ORDER BY v <-> vec(1)');
SELECT plan('SELECT id FROM small WHERE v <-> ''{1,2,3,4,5,6,7,8}'' < 1e6
    ORDER BY v <-> ''{1,2,3,4,5,6,7,8}''');
SELECT plan('SELECT id FROM large WHERE 1e6 - (v <-> vec(1)) > 0
    ORDER BY v <-> vec(1)');

-- joins: with most rows, and with few
SELECT plan('SELECT id FROM large t WHERE EXISTS
    (SELECT FROM groups g WHERE g.id = t.percent AND g.id < 60)
    ORDER BY v <-> vec(1) LIMIT 10') ~ 'using large_v on large t' AS by_distance;
SELECT plan('SELECT id FROM large t WHERE EXISTS
    (SELECT FROM groups g WHERE g.id = t.percent AND g.id = 1)
    ORDER BY v <-> vec(1) LIMIT 10') ~ 'large_v' AS by_distance;

-- a query for each row, a cursor, a limit that is known later
SELECT plan('SELECT n.id FROM groups g, LATERAL
    (SELECT id FROM large ORDER BY v <-> vec(g.id) LIMIT 5) n');
SELECT plan('DECLARE c CURSOR FOR SELECT id FROM large ORDER BY v <-> vec(1)');
PREPARE nearest (int) AS SELECT id FROM large ORDER BY v <-> vec(1) LIMIT $1;
SET plan_cache_mode = force_generic_plan;
SELECT plan('EXECUTE nearest (10)');
RESET plan_cache_mode;

-- conditions that the index decides: rows that do not fulfil them cost little
CREATE INDEX large_filter ON large USING diskann (v, fifth, percent);
SELECT plan('SELECT id FROM large WHERE fifth = 1 ORDER BY v <-> vec(1) LIMIT 100');
SELECT plan('SELECT id FROM large WHERE fifth IN (1, 3) ORDER BY v <-> vec(1) LIMIT 100');
SELECT plan('SELECT id FROM large WHERE fifth = 1 OR percent < 7
    ORDER BY v <-> vec(1) LIMIT 100');
SELECT plan('SELECT id FROM large WHERE percent BETWEEN 10 AND 29
    ORDER BY v <-> vec(1) LIMIT 100');
SELECT plan('SELECT n.id FROM groups g, LATERAL (SELECT id FROM large
    WHERE fifth = g.id ORDER BY v <-> vec(g.id) LIMIT 100) n');

-- where they leave few rows, an index on the column is better
SELECT plan('SELECT id FROM large WHERE percent = 1 ORDER BY v <-> vec(1) LIMIT 100');
SELECT plan('SELECT id FROM large WHERE percent = -1 ORDER BY v <-> vec(1) LIMIT 1');

-- where there are none, the smaller index
SELECT plan('SELECT id FROM large ORDER BY v <-> vec(1) LIMIT 10');

-- another order than the index has, whatever the conditions
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_bitmapscan = off;
SELECT plan('SELECT id FROM large WHERE fifth = 1 ORDER BY v <-> vec(1) DESC LIMIT 10');
SELECT plan('SELECT id FROM large WHERE fifth = 1 ORDER BY v <-> vec(1) NULLS FIRST');
SELECT plan('SELECT id FROM large WHERE fifth = 1');
RESET enable_bitmapscan;
RESET enable_sort;
RESET enable_seqscan;
DROP INDEX large_filter;

-- partitions
CREATE TABLE parts (id int, v real[]) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (1001)
    WITH (autovacuum_enabled = off);
CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (1001) TO (2001)
    WITH (autovacuum_enabled = off);
INSERT INTO parts SELECT id, v FROM large;
CREATE INDEX ON parts USING diskann (v);
ANALYZE parts;
SELECT plan('SELECT id FROM parts ORDER BY v <-> vec(1) LIMIT 10');

-- the function of another extension does not tell what a distance costs
BEGIN;
UPDATE pg_proc SET prosupport = 0 WHERE proname ~ 'l2_distance';
SELECT plan('SELECT id FROM large WHERE fifth = 1 ORDER BY v <-> vec(1) LIMIT 10');
SELECT plan('SELECT id FROM small WHERE fifth = 1
    ORDER BY v <-> ''{1,2,3,4,5,6,7,8}'' LIMIT 10');
ROLLBACK;

-- another order than the index has
SET enable_seqscan = off;
SET enable_sort = off;
SELECT plan('SELECT id FROM large ORDER BY v <-> vec(1) DESC LIMIT 10');
SELECT plan('SELECT id FROM large ORDER BY v <-> vec(1) NULLS FIRST LIMIT 10');
SELECT plan('SELECT id FROM large ORDER BY v <-> vec(1) DESC NULLS LAST LIMIT 10');
RESET enable_sort;
RESET enable_seqscan;

-- what a distance costs, beyond that of one in the row
CREATE FUNCTION cost_per_row(query text, tab regclass) RETURNS float8
    LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT ' || query || ' FROM ' || tab INTO plan;
    RETURN (plan->0->'Plan'->>'Total Cost')::float8 /
        (plan->0->'Plan'->>'Plan Rows')::float8;
END$$;
SELECT cost_per_row('v <-> vec(1)', 'large') - cost_per_row('id', 'large')
    BETWEEN 2 AND 4 AS outside,
    cost_per_row('v <-> ''{1,2}''', 'small') - cost_per_row('id', 'small')
    BETWEEN .1 AND .2 AS inside,
    cost_per_row('v <-> (SELECT vec(1))', 'large') - cost_per_row('id', 'large')
    BETWEEN 2 AND 4 AS unknown,
    cost_per_row('(v <=> vec(1)) + (v <#> vec(1))', 'large')
    - cost_per_row('id', 'large')
    BETWEEN 4 AND 8 AS twice;

DROP TABLE large, small, groups, parts;
DROP FUNCTION vec, plan, cost_per_row, is_wanted;
