--
-- The access method as such: catalog entries, exact small results, plans,
-- and what may happen to a table with an index
--
CREATE EXTENSION diskann;
DROP EXTENSION diskann;
CREATE EXTENSION diskann;
\set SHOW_CONTEXT never

--
-- Catalog
--
SELECT opcname, opcintype::regtype, opcdefault, amvalidate(c.oid)
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
WHERE amname = 'diskann' ORDER BY opcname;
SELECT opfname, amopopr::regoperator, amopstrategy, amoppurpose
FROM pg_amop JOIN pg_opfamily f ON f.oid = amopfamily
     JOIN pg_am a ON a.oid = amopmethod
WHERE amname = 'diskann' AND opfname <> 'scalar_ops'
ORDER BY opfname, amopopr::regoperator::text;
-- as many of the operators of filter columns as this version has types
SELECT count(*) > 250 AS operators, min(amopstrategy), max(amopstrategy),
       bool_and(amoppurpose = 's') AS search
FROM pg_amop JOIN pg_opfamily f ON f.oid = amopfamily
     JOIN pg_am a ON a.oid = amopmethod
WHERE amname = 'diskann' AND opfname = 'scalar_ops';
SELECT name, pg_indexam_has_property(a.oid, name)
FROM pg_am a, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col',
                           'can_exclude', 'can_include']) name
WHERE amname = 'diskann';

-- a class without its function, and one with an operator too many
CREATE OPERATOR CLASS bad_ops FOR TYPE real[] USING diskann AS
    OPERATOR 1 <-> (real[], real[]) FOR ORDER BY float_ops;
CREATE OPERATOR CLASS worse_ops FOR TYPE real[] USING diskann AS
    OPERATOR 1 = (anyarray, anyarray),
    FUNCTION 1 diskann_real_l2_support(internal);
SELECT opcname, amvalidate(oid) FROM pg_opclass
WHERE opcname IN ('bad_ops', 'worse_ops') ORDER BY 1;
DROP OPERATOR FAMILY bad_ops USING diskann;
DROP OPERATOR FAMILY worse_ops USING diskann;

--
-- An index without rows
--
CREATE TABLE t (id int, v real[]);
CREATE INDEX t_idx ON t USING diskann (v);
SELECT name, pg_index_column_has_property('t_idx'::regclass, 1, name)
FROM unnest(ARRAY['orderable', 'distance_orderable', 'returnable',
                  'search_array', 'search_nulls']) name;
SELECT name, pg_index_has_property('t_idx'::regclass, name)
FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan',
                  'backward_scan']) name;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <-> '{1,2}' LIMIT 3;
SELECT id FROM t ORDER BY v <-> '{1,2}' LIMIT 3;
SELECT * FROM diskann_index_check('t_idx', true);

-- the first row tells how many dimensions there are
INSERT INTO t VALUES (1, NULL);
SELECT id FROM t ORDER BY v <-> '{1,2}';
INSERT INTO t VALUES (2, '{3,4}');
INSERT INTO t VALUES (3, '{3,4,5}');
SELECT id, v <-> '{0,0}' AS distance FROM t ORDER BY v <-> '{0,0}';
SELECT id FROM t ORDER BY v <-> '{0,0,0}';
SELECT nodes, tids FROM diskann_index_check('t_idx', true);

-- but not one that was rolled back
TRUNCATE t;
BEGIN;
INSERT INTO t VALUES (1, '{1,2,3}');
ROLLBACK;
SELECT id FROM t ORDER BY v <-> '{1,2,3}';
INSERT INTO t VALUES (2, '{1,2}');
SELECT id FROM t ORDER BY v <-> '{1,2}';
DROP TABLE t;

--
-- Results
--
CREATE TABLE r (id int, v real[]);
INSERT INTO r VALUES (1, '{1,0,0}'), (2, '{0,2,0}'), (3, '{0,0,3}'),
    (4, '{-4.5,0,0}'), (5, '{5,5,0}'), (6, '{6,6,6}'), (7, NULL);
CREATE TABLE d AS SELECT id, v::double precision[] FROM r;

-- L2
CREATE INDEX r_idx ON r USING diskann (v);
CREATE INDEX d_idx ON d USING diskann (v);
EXPLAIN (COSTS OFF) SELECT id, v <-> '{0,0,0}' FROM r ORDER BY v <-> '{0,0,0}';
SELECT id, v <-> '{0,0,0}' AS distance FROM r ORDER BY v <-> '{0,0,0}';
SELECT id, v <-> '{0,0,0}' AS distance FROM d ORDER BY v <-> '{0,0,0}';
SELECT id, v <-> '{3,4,0}' AS distance FROM r ORDER BY v <-> '{3,4,0}' LIMIT 1;
SELECT nodes, tids, unreachable FROM diskann_index_check('r_idx', true);
SELECT nodes, tids, unreachable FROM diskann_index_check('d_idx', true);
DROP INDEX r_idx, d_idx;

-- inner product
CREATE INDEX r_idx ON r USING diskann (v real_ip_ops);
CREATE INDEX d_idx ON d USING diskann (v double_ip_ops);
EXPLAIN (COSTS OFF) SELECT id, v <#> '{1,2,4}' FROM r ORDER BY v <#> '{1,2,4}';
SELECT id, v <#> '{1,2,4}' AS distance FROM r ORDER BY v <#> '{1,2,4}';
SELECT id, v <#> '{1,2,4}' AS distance FROM d ORDER BY v <#> '{1,2,4}';
SELECT id, v <#> '{-1,-2,-4}' AS distance FROM r
ORDER BY v <#> '{-1,-2,-4}' LIMIT 2;
-- nothing is nearer to the zero vector than anything else
SELECT count(*), count(DISTINCT id), max(abs(distance))
FROM (SELECT id, v <#> '{0,0,0}' AS distance FROM r
      ORDER BY v <#> '{0,0,0}' OFFSET 0) s;
SELECT nodes, tids, unreachable FROM diskann_index_check('r_idx', true);
SELECT nodes, tids, unreachable FROM diskann_index_check('d_idx', true);
DROP INDEX r_idx, d_idx;

-- cosine distance; a zero vector has none and is not in the index
INSERT INTO r VALUES (8, '{0,0,0}');
INSERT INTO d VALUES (8, '{0,0,0}');
CREATE INDEX r_idx ON r USING diskann (v real_cosine_ops);
CREATE INDEX d_idx ON d USING diskann (v double_cosine_ops);
INSERT INTO r VALUES (9, '{-0,0,0}');
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <=> '{1,2,4}';
SELECT id, round((v <=> '{1,2,4}')::numeric, 4) AS distance
FROM r ORDER BY v <=> '{1,2,4}';
SELECT id, round((v <=> '{1,2,4}')::numeric, 4) AS distance
FROM d ORDER BY v <=> '{1,2,4}';
SELECT id, round((v <=> '{-1,0,0}')::numeric, 4) AS distance
FROM r ORDER BY v <=> '{-1,0,0}' LIMIT 1;
-- and as a query it is as far from everything
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM r ORDER BY v <=> '{0,0,0}' OFFSET 0) s;
SELECT nodes, tids, unreachable FROM diskann_index_check('r_idx', true);
SELECT nodes, tids, unreachable FROM diskann_index_check('d_idx', true);
DROP INDEX r_idx, d_idx;
DELETE FROM r WHERE id > 7;
DELETE FROM d WHERE id > 7;

--
-- Right sides of other types, as literals and as parameters
--
CREATE INDEX r_idx ON r USING diskann (v);
CREATE INDEX d_idx ON d USING diskann (v);
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <-> '{1,2,3}'::float8[] LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM d ORDER BY v <-> '{1,2,3}'::real[] LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <-> ARRAY[1,2,3] LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM d ORDER BY v <-> ARRAY[1,2,3] LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <-> ARRAY[0.5,2,3] LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY ARRAY[1,2,3] <-> v LIMIT 1;
SELECT id FROM r ORDER BY v <-> '{0,0,2.5}'::float8[] LIMIT 2;
SELECT id FROM d ORDER BY v <-> '{0,0,2.5}'::real[] LIMIT 2;
SELECT id FROM r ORDER BY v <-> ARRAY[0,0,3] LIMIT 2;
SELECT id FROM d ORDER BY v <-> ARRAY[0,0,3]::bigint[] LIMIT 2;
SELECT id FROM r ORDER BY v <-> ARRAY[0,0,3]::smallint[] LIMIT 2;
SELECT id FROM d ORDER BY v <-> ARRAY[0.25,0,3] LIMIT 2;
SELECT id FROM r ORDER BY '{0,0,3}' <-> v LIMIT 2;
SELECT id FROM r ORDER BY v <-> '[0:2]={0,0,3}' LIMIT 2;

-- a double that is no real still finds its place
INSERT INTO d VALUES (100, '{1e-3,0,0}'), (101, '{1.000000000001e-3,0,0}'),
    (102, '{0.999999999999e-3,0,0}');
SELECT id FROM d ORDER BY v <-> '{0,0,0}' LIMIT 4;
SELECT id FROM d ORDER BY v <-> '{1,0,0}'::real[] LIMIT 4;
DELETE FROM d WHERE id >= 100;

--
-- Plans: what the index is for, and what not
--
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <-> '{1,2,3}' DESC LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <=> '{1,2,3}' LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY l2_distance(v, '{1,2,3}') LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM r WHERE v <-> '{1,2,3}' < 5;
EXPLAIN (COSTS OFF) SELECT id FROM r WHERE v = '{1,2,3}';
EXPLAIN (COSTS OFF) SELECT count(*) FROM r;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM r WHERE id > 3 ORDER BY v <-> '{1,2,3}';
SELECT id FROM r WHERE id > 3 ORDER BY v <-> '{1,2,3}';
-- no bitmap scan, with nothing else to choose
SET enable_indexscan = off;
SET enable_seqscan = on;
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <-> '{1,2,3}' LIMIT 1;
SET enable_seqscan = off;
RESET enable_indexscan;

--
-- LIMIT, OFFSET, NULL
--
SELECT id FROM r ORDER BY v <-> '{0,0,0}' LIMIT 0;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' LIMIT 100;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' OFFSET 4;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' OFFSET 1 LIMIT 2;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' OFFSET 100;
INSERT INTO r VALUES (10, '{0,0,2}');
SELECT count(*) FROM (SELECT id FROM r ORDER BY v <-> '{0,0,0}'
                      FETCH FIRST 2 ROWS WITH TIES) s;
DELETE FROM r WHERE id = 10;
-- every row is as far from NULL
PREPARE by_distance(real[]) AS SELECT id FROM r ORDER BY v <-> $1 LIMIT $2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_distance(NULL, 10);
CREATE TEMP TABLE got AS EXECUTE by_distance(NULL, 10);
SELECT count(*), count(DISTINCT id) FROM got;
DROP TABLE got;

-- prepared statements: generic, custom, other types
EXECUTE by_distance('{0,0,3}', 2);
EXECUTE by_distance('{5,5,5}', 2);
EXECUTE by_distance('{5,5}', 2);
EXECUTE by_distance('{0,0,3}', 2);
SET plan_cache_mode = force_custom_plan;
EXECUTE by_distance('{5,5,5}', 2);
RESET plan_cache_mode;
PREPARE by_double(double precision[]) AS
    SELECT id FROM r ORDER BY v <-> $1 LIMIT 2;
EXECUTE by_double('{0,0,3}');
PREPARE by_integer(integer[]) AS SELECT id FROM r ORDER BY v <-> $1 LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_integer('{0,0,3}');
EXECUTE by_integer('{0,0,3}');
PREPARE by_unknown AS SELECT id FROM r ORDER BY v <-> $1 LIMIT 2;
EXECUTE by_unknown('{0,0,3}');
RESET plan_cache_mode;
DEALLOCATE ALL;

--
-- Rescans
--
EXPLAIN (COSTS OFF)
SELECT n.id FROM (VALUES ('{1,2,3}'::real[]), ('{3,2,1}')) q(v), LATERAL
    (SELECT id FROM r WHERE id > 2 ORDER BY v <-> q.v LIMIT 2) n;
-- row 7 is NULL and has any two
SELECT q.id, array_agg(n.id ORDER BY n.distance) AS nearest FROM r q, LATERAL
    (SELECT id, v <-> q.v AS distance FROM r WHERE id <> q.id
     ORDER BY v <-> q.v LIMIT 2) n
WHERE q.id <> 7 GROUP BY q.id ORDER BY q.id;
SELECT q.id, count(*), count(DISTINCT n.id) FROM r q, LATERAL
    (SELECT id FROM r ORDER BY v <-> q.v) n
GROUP BY q.id ORDER BY q.id;
-- the same index twice in one plan, once with each row of the other
SELECT a.id, b.id FROM
    (SELECT * FROM r ORDER BY v <-> '{5,5,5}' LIMIT 2) a,
    LATERAL (SELECT * FROM r ORDER BY v <-> a.v OFFSET 1 LIMIT 1) b
ORDER BY a.id;
SELECT (SELECT id FROM r ORDER BY v <-> d.v LIMIT 1) FROM d
WHERE id < 7 ORDER BY id;

--
-- Cursors
--
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM r ORDER BY v <-> '{0,0,0}';
FETCH 2 FROM c;
INSERT INTO r VALUES (20, '{0,0,0}'), (21, '{5,5,1}');
DELETE FROM r WHERE id = 4;
FETCH ALL FROM c;
FETCH BACKWARD 1 FROM c;
ROLLBACK;
BEGIN;
-- an index scan does not go backward: the result is kept
EXPLAIN (COSTS OFF)
DECLARE c SCROLL CURSOR FOR SELECT id FROM r ORDER BY v <-> '{0,0,0}';
DECLARE c SCROLL CURSOR FOR SELECT id FROM r ORDER BY v <-> '{0,0,0}';
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH ABSOLUTE 5 FROM c;
FETCH FIRST FROM c;
FETCH LAST FROM c;
COMMIT;
BEGIN;
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM r ORDER BY v <-> '{0,0,0}';
FETCH 2 FROM h;
COMMIT;
FETCH ALL FROM h;
CLOSE h;

--
-- Transactions
--
BEGIN;
INSERT INTO r VALUES (30, '{0,0,1.5}');
SAVEPOINT a;
INSERT INTO r VALUES (31, '{0,1.25,0}');
SELECT id FROM r ORDER BY v <-> '{0,0.6,0}' LIMIT 3;
ROLLBACK TO a;
SELECT id FROM r ORDER BY v <-> '{0,0.6,0}' LIMIT 3;
-- the same vector again, beside that of the aborted subtransaction
INSERT INTO r VALUES (32, '{0,1.25,0}');
SAVEPOINT b;
DELETE FROM r WHERE id = 30;
RELEASE b;
COMMIT;
SELECT id FROM r ORDER BY v <-> '{0,0.6,0}' LIMIT 3;
BEGIN;
DELETE FROM r;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
ROLLBACK;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
DELETE FROM r WHERE id >= 30;
-- an error in the middle of a statement leaves nothing to be seen
INSERT INTO r VALUES (40, '{0,0,0}'), (41, '{0,0}');
SELECT id FROM r ORDER BY v <-> '{0,0,0}' LIMIT 1;

--
-- UPDATE and DELETE
--
UPDATE r SET v = '{0,0,0.5}' WHERE id = 6;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' LIMIT 2;
UPDATE r SET v = NULL WHERE id = 6;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' LIMIT 2;
UPDATE r SET v = '{6,6,6}' WHERE id = 6;
DELETE FROM r WHERE id = 1;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
INSERT INTO r VALUES (1, '{1,0,0}');
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
SELECT tids >= 6 AS tids FROM diskann_index_check('r_idx', true);
VACUUM r;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';

-- HOT: only another column changes
CREATE TABLE hot (id int PRIMARY KEY, n int, v real[])
    WITH (fillfactor = 50, autovacuum_enabled = off);
INSERT INTO hot SELECT i, 0, ARRAY[i, i] FROM generate_series(1, 20) i;
CREATE INDEX hot_idx ON hot USING diskann (v);
UPDATE hot SET n = n + 1;
UPDATE hot SET n = n + 1 WHERE id % 2 = 0;
SELECT id, n FROM hot ORDER BY v <-> '{0,0}' LIMIT 4;
SELECT nodes, tids FROM diskann_index_check('hot_idx', true);
-- not HOT: an indexed column changes, although the vector does not
UPDATE hot SET id = id + 100;
SELECT id, n FROM hot ORDER BY v <-> '{0,0}' LIMIT 4;
SELECT nodes, tids FROM diskann_index_check('hot_idx', true);
UPDATE hot SET v = ARRAY[200 - id, 200 - id];
SELECT id, n FROM hot ORDER BY v <-> '{0,0}' LIMIT 4;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM hot ORDER BY v <-> '{0,0}') s;
SELECT count(*) FROM diskann_index_check('hot_idx', true);
DROP TABLE hot;

--
-- What else is done to tables and indexes
--
TRUNCATE r;
SELECT id FROM r ORDER BY v <-> '{0,0}';
INSERT INTO r SELECT id, v::real[] FROM d;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
REINDEX INDEX r_idx;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
REINDEX TABLE CONCURRENTLY r;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
VACUUM FULL r;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
SELECT nodes, tids, unreachable FROM diskann_index_check('r_idx', true);
DROP INDEX CONCURRENTLY r_idx;
CREATE INDEX CONCURRENTLY r_idx ON r USING diskann (v);
SELECT id FROM r ORDER BY v <-> '{0,0,0}';

-- rewrites
ALTER TABLE r ALTER COLUMN id TYPE bigint;
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
ALTER TABLE r SET UNLOGGED;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' LIMIT 1;
ALTER TABLE r SET LOGGED;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' LIMIT 1;
ALTER TABLE r ALTER COLUMN v TYPE double precision[];
EXPLAIN (COSTS OFF) SELECT id FROM r ORDER BY v <-> '{0,0,0}';
SELECT id FROM r ORDER BY v <-> '{0,0,0}';
CREATE INDEX r_ip ON r USING diskann (v double_ip_ops);
ALTER TABLE r ALTER COLUMN v TYPE real[];	-- not for this operator class
DROP INDEX r_ip;

-- settings of the index
ALTER INDEX r_idx SET (query_search_list_size = 50);
ALTER INDEX r_idx RESET (query_search_list_size);
ALTER INDEX r_idx RENAME TO r_index;
SELECT id FROM r ORDER BY v <-> '{0,0,0}' LIMIT 1;
ALTER INDEX r_index RENAME TO r_idx;
SELECT pg_get_indexdef('r_idx'::regclass);

-- refused
CLUSTER r USING r_idx;
CREATE UNIQUE INDEX ON r USING diskann (v);
CREATE INDEX ON r USING diskann (v) INCLUDE (id);
CREATE INDEX ON r USING diskann (v DESC);
CREATE INDEX ON r USING diskann (v NULLS FIRST);
ALTER TABLE r ADD EXCLUDE USING diskann (v WITH =);

-- in the transaction that made the table
BEGIN;
CREATE TABLE fresh (v real[]);
INSERT INTO fresh VALUES ('{1,2}');
CREATE INDEX fresh_idx ON fresh USING diskann (v);
INSERT INTO fresh VALUES ('{3,4}');
TRUNCATE fresh;
INSERT INTO fresh VALUES ('{1,2,3}'), ('{2,3,4}');
SELECT v FROM fresh ORDER BY v <-> '{0,0,0}';
SAVEPOINT s;
TRUNCATE fresh;
INSERT INTO fresh VALUES ('{1}');
SELECT v FROM fresh ORDER BY v <-> '{0}';
ROLLBACK TO s;
SELECT v FROM fresh ORDER BY v <-> '{0,0,0}';
SELECT nodes, tids FROM diskann_index_check('fresh_idx', true);
COMMIT;
DROP TABLE fresh;

--
-- One row; equal rows; more rows than are loaded at once
--
CREATE TABLE one (id int, v real[]);
INSERT INTO one VALUES (1, '{1,1}');
CREATE INDEX one_idx ON one USING diskann (v);
SELECT id FROM one ORDER BY v <-> '{0,0}';
SELECT id FROM one ORDER BY v <-> '{1,1}' LIMIT 1;
INSERT INTO one SELECT i, '{1,1}' FROM generate_series(2, 50) i;
SELECT count(*), count(DISTINCT id), max(distance)
FROM (SELECT id, v <-> '{1,1}' AS distance FROM one ORDER BY v <-> '{1,1}') s;
SELECT nodes, tids, unreachable FROM diskann_index_check('one_idx', true);
REINDEX INDEX one_idx;
SELECT count(*), count(DISTINCT id), max(distance)
FROM (SELECT id, v <-> '{1,1}' AS distance FROM one ORDER BY v <-> '{1,1}') s;
SELECT nodes, tids, unreachable FROM diskann_index_check('one_idx', true);
DROP TABLE one;

-- one dimension
CREATE TABLE line (x real[]);
CREATE INDEX line_idx ON line USING diskann (x);
INSERT INTO line SELECT ARRAY[i] FROM generate_series(1, 3000) i;
SELECT x FROM line ORDER BY x <-> '{1234.25}' LIMIT 4;
REINDEX INDEX line_idx;
SELECT x FROM line ORDER BY x <-> '{1234.25}' LIMIT 4;
SELECT nodes, tids, empty, orphans FROM diskann_index_check('line_idx', true);
DROP TABLE line;

-- more than maintenance_work_mem holds
CREATE TABLE many (id int, v real[]);
INSERT INTO many SELECT i, ARRAY[i % 100, i / 100, i % 7, i % 11]
FROM generate_series(1, 6000) i;
SET maintenance_work_mem = '1MB';
SET client_min_messages = warning;
CREATE INDEX many_idx ON many USING diskann (v);
RESET client_min_messages;
RESET maintenance_work_mem;
SELECT id FROM many ORDER BY v <-> '{50,30,3,1}' LIMIT 1;
SELECT id FROM many ORDER BY v <-> (SELECT v FROM many WHERE id = 5678) LIMIT 1;
SELECT nodes, tids, empty, orphans FROM diskann_index_check('many_idx', true);
DROP TABLE many;

--
-- Partial, expression, partitioned, temporary, unlogged
--
CREATE TABLE p (id int, lang text, v real[], raw text);
INSERT INTO p SELECT i, CASE i % 3 WHEN 0 THEN 'de' ELSE 'en' END,
    ARRAY[i, i % 5], format('{%s,%s}', i, i % 5)
FROM generate_series(1, 60) i;
INSERT INTO p VALUES (61, 'en', '{1,2,3}', '{1,2}');	-- is in no index
CREATE INDEX p_part ON p USING diskann (v) WHERE lang = 'de';
CREATE FUNCTION parse(text) RETURNS real[] LANGUAGE sql IMMUTABLE
    AS $$SELECT $1::real[]$$;
CREATE INDEX p_expr ON p USING diskann (parse(raw));
EXPLAIN (COSTS OFF)
SELECT id FROM p WHERE lang = 'de' ORDER BY v <-> '{20,2}' LIMIT 2;
SELECT id FROM p WHERE lang = 'de' ORDER BY v <-> '{20,2}' LIMIT 2;
EXPLAIN (COSTS OFF) SELECT id FROM p ORDER BY parse(raw) <-> '{20,2}' LIMIT 2;
SELECT id FROM p ORDER BY parse(raw) <-> '{20.2,0}' LIMIT 2;
UPDATE p SET lang = 'en' WHERE id = 21;
UPDATE p SET lang = 'de' WHERE id = 20;
UPDATE p SET raw = '{20,0.5}' WHERE id = 3;
SELECT id FROM p WHERE lang = 'de' ORDER BY v <-> '{20,2}' LIMIT 2;
SELECT id FROM p ORDER BY parse(raw) <-> '{20.2,0}' LIMIT 2;
SELECT nodes, tids FROM diskann_index_check('p_part', true);
SELECT nodes FROM diskann_index_check('p_expr', true);
DROP TABLE p;
DROP FUNCTION parse(text);

CREATE TABLE parts (id int, v real[]) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (50);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (50) TO (100);
INSERT INTO parts SELECT i, ARRAY[i % 50, 0] FROM generate_series(0, 99) i;
CREATE INDEX parts_idx ON parts USING diskann (v);
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM (100) TO (200);
INSERT INTO parts VALUES (100, '{10.1,0}');
EXPLAIN (COSTS OFF)
SELECT id FROM parts ORDER BY v <-> '{10.4,0}' LIMIT 6;
SELECT id, round((v <-> '{10.4,0}')::numeric, 2) AS distance
FROM parts ORDER BY v <-> '{10.4,0}', id LIMIT 6;
SELECT nodes FROM diskann_index_check('parts_1_v_idx', true);
SELECT nodes FROM diskann_index_check('parts_2_v_idx', true);
SELECT nodes FROM diskann_index_check('parts_3_v_idx', true);
DROP TABLE parts;

-- ON COMMIT DELETE ROWS empties the index in place
CREATE TEMP TABLE temp (id int, v real[]) ON COMMIT DELETE ROWS;
CREATE INDEX temp_idx ON temp USING diskann (v);
BEGIN;
INSERT INTO temp SELECT i, ARRAY[i, i, i] FROM generate_series(1, 100) i;
SELECT id FROM temp ORDER BY v <-> '{7,7,7}' LIMIT 1;
COMMIT;
SELECT id FROM temp ORDER BY v <-> '{7,7,7}' LIMIT 1;
BEGIN;
INSERT INTO temp SELECT i, ARRAY[i, i] FROM generate_series(1, 100) i;
SELECT id FROM temp ORDER BY v <-> '{8,8}' LIMIT 1;
SELECT nodes, tids FROM diskann_index_check('temp_idx', true);
COMMIT;
DROP TABLE temp;

CREATE UNLOGGED TABLE unlogged (id int, v real[]);
CREATE INDEX unlogged_idx ON unlogged USING diskann (v);
INSERT INTO unlogged SELECT i, ARRAY[i, i] FROM generate_series(1, 100) i;
SELECT id FROM unlogged ORDER BY v <-> '{8,8}' LIMIT 1;
SELECT nodes, tids FROM diskann_index_check('unlogged_idx', true);
DROP TABLE unlogged;

-- toasted and compressed values
CREATE TABLE toasted (id int, v real[]);
INSERT INTO toasted
SELECT i, array_agg(CASE WHEN i > 5 THEN 0 ELSE (i * k) % 101 END)
FROM generate_series(1, 10) i, generate_series(1, 3000) k GROUP BY i;
CREATE INDEX toasted_idx ON toasted USING diskann (v);
SELECT id FROM toasted
ORDER BY v <-> (SELECT v FROM toasted WHERE id = 4) LIMIT 1;
SELECT nodes, tids FROM diskann_index_check('toasted_idx', true);
DROP TABLE toasted;

--
-- No test has a scan with a non-MVCC snapshot: from SQL, only checks of
-- constraints use such, and a distance cannot be the operator of one.
--
SELECT nodes, tids, unreachable FROM diskann_index_check('r_idx', true);
SELECT nodes, tids, unreachable FROM diskann_index_check('d_idx', true);
DROP EXTENSION diskann;
DROP TABLE r, d;
