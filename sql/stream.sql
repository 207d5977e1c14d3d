--
-- Scans that go on: every row once, in order
--
-- A row that turns up after a farther one was returned has no place any more:
-- every row comes if no LIMIT ends the scan, for then all are sorted at first.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET enable_seqscan = off;

\set dims 8
\set ECHO none
\i test/regress/vec.sql
\set ECHO all
CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);

-- The first k rows by index: how many, how many different ones, how often one
-- is nearer than the row before it, and whether nearly all are of the k nearest.
CREATE FUNCTION stream(q real[], op text, k int,
                       OUT n bigint, OUT n_distinct bigint,
                       OUT inversions bigint, OUT nearest boolean)
    LANGUAGE plpgsql AS $$
DECLARE beyond bigint;
BEGIN
    EXECUTE format('CREATE TEMP TABLE got AS
        SELECT row_number() OVER () AS i, s.*
        FROM (SELECT id, v %1$s $1 AS d FROM t ORDER BY v %1$s $1 LIMIT $2) s',
        op) USING q, k;
    SELECT count(*), count(DISTINCT id) INTO n, n_distinct FROM got;
    SELECT count(*) INTO inversions
    FROM (SELECT d, lag(d) OVER (ORDER BY i) AS before FROM got) s
    WHERE d < before;
    EXECUTE format('SELECT count(*) FROM got WHERE d >
        (SELECT max(d) FROM
            (SELECT d FROM (SELECT v %1$s $1 AS d FROM t OFFSET 0) all_rows
             ORDER BY d LIMIT $2) s)', op) INTO beyond USING q, k;
    nearest := beyond <= k / 100;
    DROP TABLE got;
END$$;
-- all of them, in any order
CREATE FUNCTION whole(op text, OUT n bigint, OUT n_distinct bigint)
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT count(*), count(DISTINCT id) FROM
        (SELECT id FROM t ORDER BY v %s vec(-7)) s', op) INTO n, n_distinct;
END$$;

-- how many of the k nearest rows that pass a filter are found
CREATE FUNCTION stream_filtered(filter text, k int DEFAULT 10) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE wanted int[]; found bigint;
BEGIN
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM
        (SELECT id, v <-> vec(-5) AS d FROM t WHERE %s OFFSET 0) s
        ORDER BY d LIMIT $1) n', filter) INTO wanted USING k;
    EXECUTE format('SELECT count(*) FROM (SELECT id FROM t WHERE %s
        ORDER BY v <-> vec(-5) LIMIT $1) s WHERE id = ANY ($2)', filter)
        INTO found USING k, wanted;
    RETURN found;
END$$;
CREATE FUNCTION removed_by_filter(statement text) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || statement
    LOOP
        IF line ~ 'Rows Removed by Filter' THEN
            RETURN substring(line FROM '[0-9]+');
        END IF;
    END LOOP;
    RETURN 0;
END$$;

\set ECHO none
\i test/regress/wait_for_others.sql
\set ECHO all

--
-- Built
--
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 5000) i;
CREATE INDEX t_l2 ON t USING diskann (v);
SELECT * FROM stream(vec(-1), '<->', 10);
SELECT * FROM stream(vec(-2), '<->', 1000);
SELECT * FROM stream(vec(-3), '<->', 4900);
SELECT * FROM whole('<->');
-- page by page
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM t ORDER BY v <-> vec(-4) OFFSET 1000 LIMIT 1000) s;
SELECT array_agg(id) = (SELECT array_agg(id) FROM
        (SELECT id FROM t ORDER BY v <-> vec(-4) OFFSET 300 LIMIT 50) b) AS same
FROM (SELECT id FROM (SELECT id, row_number() OVER () AS i FROM
        (SELECT id FROM t ORDER BY v <-> vec(-4)) c) d
      WHERE i BETWEEN 301 AND 350 ORDER BY i) a;
-- a filter that only the farthest row passes
SELECT t.id = f.id AS found FROM
    (SELECT id FROM (SELECT id, v <-> vec(-5) AS d FROM t OFFSET 0) s
     ORDER BY d DESC LIMIT 1) f,
    LATERAL (SELECT id FROM t WHERE id = f.id
             ORDER BY v <-> vec(-5) LIMIT 1) t;
SELECT id FROM t WHERE id = -1 ORDER BY v <-> vec(-5) LIMIT 1;
-- a filter that a tenth passes
SELECT count(*), count(DISTINCT id), bool_and(id % 10 = 0) FROM
    (SELECT id FROM t WHERE id % 10 = 0 ORDER BY v <-> vec(-5) LIMIT 100) s;
-- what the filter rejects is not compared, makes nothing late, and is counted
SELECT stream_filtered('id % 10 = 0') AS found;
SELECT rescored < 30 AS few_compared, wanted, late, way FROM diskann_last_scan();
SELECT stream_filtered('(v)[1] > 0.45') AS found;
SELECT rescored < 30 AS few_compared FROM diskann_last_scan();
SELECT removed_by_filter('SELECT id FROM t WHERE id % 50 = 0
    ORDER BY v <-> vec(-5) LIMIT 10') > 100 AS removed;
-- one that may not be applied twice is left to the plan
SELECT stream_filtered('id % 50 = 0 AND random() >= 0') AS found;
SELECT q.id, count(*) FROM (SELECT id, v FROM t WHERE id <= 3 ORDER BY id) q,
    LATERAL (SELECT id FROM t WHERE t.id % 50 = q.id ORDER BY t.v <-> q.v LIMIT 5) n
GROUP BY q.id ORDER BY q.id;
-- so few rows pass that the table is read for them; one has a newer version on
-- its page, one has moved to another, one shares its node, one has gone
BEGIN;
SELECT stream_filtered('id % 2500 = 0', 3) AS found;
SELECT way, visits < 2000 AS few_visits FROM diskann_last_scan();
SELECT stream_filtered('id % 2500 = 0 AND id > 5000', 3) AS found;
SELECT way, visits < 2000 AS few_visits FROM diskann_last_scan();
-- what was returned before is not returned again
SELECT string_agg(id::text, ', ') AS nearest
FROM (SELECT id FROM t ORDER BY v <-> vec(-5) LIMIT 2) s \gset
SELECT stream_filtered('id % 2500 = 0 OR id IN (' || :'nearest' || ')', 10) AS found;
SELECT way FROM diskann_last_scan();
UPDATE t SET id = id WHERE id IN (1249, 3749);
UPDATE t SET v = v WHERE id = 3749;
INSERT INTO t SELECT 6249, v FROM t, generate_series(1, 20) WHERE id = 7;
DELETE FROM t WHERE id IN (7, 2499);
SELECT stream_filtered('id % 1250 = 1249', 100) AS found;
SELECT way FROM diskann_last_scan();
ROLLBACK;
-- joins that stop the scan at any point, and go through all of it
SELECT sum(n) FROM generate_series(1, 200, 20) q, LATERAL
    (SELECT count(*) AS n FROM
        (SELECT id FROM t ORDER BY v <-> vec(-q) LIMIT q) s) c;
SELECT sum(n), sum(n_distinct) FROM generate_series(1, 3) q, LATERAL
    (SELECT count(*) AS n, count(DISTINCT id) AS n_distinct FROM
        (SELECT id FROM t ORDER BY v <-> vec(-q)) s) c;
SELECT nodes, tids, unreachable, empty, orphans
FROM diskann_index_check('t_l2', true);

--
-- With little memory the rest comes from a sort of all pages
--
SET work_mem = '64kB';
SELECT * FROM stream(vec(-2), '<->', 1000);
SELECT * FROM stream(vec(-3), '<->', 4900);
SELECT * FROM whole('<->');
SELECT sum(n), sum(n_distinct) FROM generate_series(1, 3) q, LATERAL
    (SELECT count(*) AS n, count(DISTINCT id) AS n_distinct FROM
        (SELECT id FROM t ORDER BY v <-> vec(-q)) s) c;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY v <-> vec(-6);
MOVE 4000 IN c;
ROLLBACK;
SET diskann.iterative_search = relaxed_order;
SELECT n, n_distinct FROM stream(vec(-3), '<->', 4900);
SELECT * FROM whole('<->');
RESET work_mem;

--
-- Relaxed order: every row once as well, and in nearly the same places
--
SELECT n, n_distinct, nearest FROM stream(vec(-2), '<->', 1000);
SELECT * FROM whole('<->');
RESET diskann.iterative_search;
SET diskann.query_rescore = 0;
SELECT n, n_distinct, nearest FROM stream(vec(-2), '<->', 1000);
SELECT * FROM whole('<->');
RESET diskann.query_rescore;

--
-- Other distances
--
CREATE INDEX t_cosine ON t USING diskann (v real_cosine_ops);
CREATE INDEX t_ip ON t USING diskann (v real_ip_ops);
SELECT * FROM stream(vec(-1), '<=>', 10);
SELECT * FROM stream(vec(-2), '<=>', 1000);
SELECT * FROM stream(vec(-3), '<=>', 4900);
SELECT * FROM whole('<=>');
SELECT * FROM stream(vec(-1), '<#>', 10);
SELECT * FROM stream(vec(-2), '<#>', 1000);
SELECT * FROM stream(vec(-3), '<#>', 4900);
SELECT * FROM whole('<#>');
SET work_mem = '64kB';
SELECT * FROM stream(vec(-3), '<=>', 4900);
SELECT * FROM stream(vec(-3), '<#>', 4900);
RESET work_mem;
SELECT nodes, tids, unreachable FROM diskann_index_check('t_cosine', true);
SELECT nodes, tids, unreachable FROM diskann_index_check('t_ip', true);
DROP INDEX t_ip;

--
-- After inserts, updates, deletes, before and after VACUUM
--
INSERT INTO t SELECT i, vec(i) FROM generate_series(5001, 5300) i;
UPDATE t SET v = vec(id + 10000) WHERE id % 50 = 0;
SELECT * FROM stream(vec(-2), '<->', 1000);
SELECT * FROM whole('<->');
SELECT * FROM whole('<=>');
DELETE FROM t WHERE id % 50 = 1;
SELECT * FROM stream(vec(-3), '<->', 5000);
SELECT * FROM whole('<->');
SELECT * FROM whole('<=>');
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM stream(vec(-3), '<->', 5000);
SELECT * FROM stream(vec(-3), '<=>', 5000);
SELECT * FROM whole('<->');
DELETE FROM t WHERE id % 10 < 7;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM stream(vec(-3), '<->', 1500);
SELECT * FROM whole('<->');
SELECT * FROM whole('<=>');
INSERT INTO t SELECT i, vec(i) FROM generate_series(6001, 6200) i;
SELECT * FROM stream(vec(-3), '<->', 1500);
SELECT * FROM whole('<->');
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_l2', true);
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_cosine', true);
DROP INDEX t_cosine;

--
-- Far from the origin rounding is coarse; so it is where values are double
-- precision and differ little
--
DROP INDEX t_l2;
TRUNCATE t;
INSERT INTO t SELECT i, ARRAY[1e6 + i * 7919 % 1000 * 0.0625,
    1e6 + i * 104729 % 997 * 0.0625, 1e6 + i % 10 * 0.0625]
FROM generate_series(1, 2000) i;
CREATE INDEX t_l2 ON t USING diskann (v);
SELECT * FROM stream('{1000030,1000030,1000000}', '<->', 1000);
INSERT INTO t SELECT 2000 + i, ARRAY[1e6 + i % 31 * 0.5 + 0.125, 1e6, 1e6]
FROM generate_series(1, 100) i;
SELECT * FROM stream('{1000030,1000030,1000000}', '<->', 1000);
-- nearly all of the last ones share nodes
SELECT nodes < 2050 AS shared, tids, empty, orphans FROM diskann_index_check('t_l2', true);
TRUNCATE t;
ALTER TABLE t ALTER COLUMN v TYPE double precision[];
INSERT INTO t SELECT i, ARRAY[1 + i * 7919 % 1000 * 1e-5,
    1 + i * 104729 % 997 * 1e-5] FROM generate_series(1, 2000) i;
REINDEX INDEX t_l2;
SELECT * FROM stream('{1.005,1.005}', '<->', 1000);
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_l2', true);
DROP INDEX t_l2;

--
-- Inner product of rows longer than those the index began with
--
ALTER TABLE t ALTER COLUMN v TYPE real[];
TRUNCATE t;
CREATE INDEX t_ip ON t USING diskann (v real_ip_ops);
INSERT INTO t SELECT i, ARRAY[i, i * 7919 % 13, i * 104729 % 17]
FROM generate_series(1, 1000) i;
SELECT * FROM stream('{1,0,0}', '<#>', 10);
SELECT * FROM stream('{1,1,1}', '<#>', 100);
SELECT * FROM stream('{-1,3,2}', '<#>', 900);
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM t ORDER BY v <#> '{1,1,1}') s;
REINDEX INDEX t_ip;
SELECT * FROM stream('{1,0,0}', '<#>', 10);
SELECT * FROM stream('{1,1,1}', '<#>', 100);
SELECT * FROM stream('{-1,3,2}', '<#>', 900);
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_ip', true);
-- beginning with nothing
TRUNCATE t;
INSERT INTO t VALUES (0, '{0,0,0}');
INSERT INTO t SELECT i, ARRAY[i, i * 7919 % 13, i * 104729 % 17]
FROM generate_series(1, 200) i;
SELECT * FROM stream('{1,0,0}', '<#>', 10);
SELECT * FROM stream('{1,1,1}', '<#>', 100);
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM t ORDER BY v <#> '{1,1,1}') s;
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_ip', true);

DROP TABLE t;
DROP FUNCTION vec, stream, whole, stream_filtered, removed_by_filter;
DROP PROCEDURE wait_for_others;
