--
-- VACUUM: rows and tombstones leave, places are used again
--
-- Other sessions, such as autovacuum's, may hold old snapshots for a moment.
-- Before each VACUUM the test waits until there is none.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET enable_seqscan = off;

\set ECHO none
\i test/regress/wait_for_others.sql
\set ECHO all

\set dims 6
\set ECHO none
\i test/regress/vec.sql
\set ECHO all

CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);
CREATE FUNCTION scan(OUT n bigint, OUT n_distinct bigint) LANGUAGE sql AS $$
    SELECT count(*), count(DISTINCT id)
    FROM (SELECT id FROM t ORDER BY v <-> vec(0)) s$$;
-- of the rows from first to last, how many find themselves at once
CREATE FUNCTION found(first int, last int) RETURNS numeric LANGUAGE sql
    SET diskann.iterative_search = off AS $$
    SELECT round(avg((id = (SELECT b.id FROM t b ORDER BY b.v <-> a.v LIMIT 1))::int), 2)
    FROM t a WHERE id BETWEEN first AND last$$;

--
-- An index without rows
--
CREATE INDEX t_idx ON t USING diskann (v);
VACUUM t;
ANALYZE t;
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan();
SELECT * FROM diskann_index_check('t_idx', true);
SELECT relpages, reltuples FROM pg_class WHERE relname = 't_idx';
INSERT INTO t VALUES (1, NULL), (2, NULL);
DELETE FROM t;
CALL wait_for_others();
VACUUM t;
SELECT nodes, tids FROM diskann_index_check('t_idx', true);

--
-- Nothing to remove: nothing changes
--
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 800) i;
CALL wait_for_others();
VACUUM t;
SELECT pg_relation_size('t_idx') AS size \gset
SELECT md5(string_agg(c::text, '')) AS before
FROM diskann_index_check('t_idx') c \gset
VACUUM (INDEX_CLEANUP ON) t;
ANALYZE t;
SELECT pg_relation_size('t_idx') = :size AS same_size;
SELECT md5(string_agg(c::text, '')) = :'before' AS same
FROM diskann_index_check('t_idx') c;
SELECT reltuples FROM pg_class WHERE relname = 't';

--
-- All rows, again and again: the index does not grow
--
DELETE FROM t;
SELECT * FROM scan();
CALL wait_for_others();
VACUUM t;
SELECT * FROM scan();
SELECT nodes, tids, tids_slots FROM diskann_index_check('t_idx', true);
CALL wait_for_others();
VACUUM t;
INSERT INTO t SELECT i, vec(i) FROM generate_series(3001, 3800) i;
SELECT pg_relation_size('t_idx') <= 1.02 * :size AS not_larger;
SELECT * FROM scan();
SELECT found(3001, 3800) > 0.95 AS found;
SELECT nodes, tids, unreachable < 8 AS reachable, empty, orphans
FROM diskann_index_check('t_idx', true);
DELETE FROM t;
CALL wait_for_others();
VACUUM t;
CALL wait_for_others();
VACUUM t;
INSERT INTO t SELECT i, vec(i) FROM generate_series(7001, 7800) i;
SELECT pg_relation_size('t_idx') <= 1.02 * :size AS not_larger;
SELECT * FROM scan();
SELECT found(7001, 7800) > 0.95 AS found;
SELECT nodes, tids, unreachable < 8 AS reachable, empty, orphans
FROM diskann_index_check('t_idx', true);

--
-- All but one
--
DELETE FROM t WHERE id <> 7777;
CALL wait_for_others();
VACUUM t;
SELECT id FROM t ORDER BY v <-> vec(0);
SET diskann.iterative_search = off;
SELECT id FROM t ORDER BY v <-> vec(0);
SELECT id FROM t ORDER BY v <-> vec(7777) LIMIT 1;
RESET diskann.iterative_search;
SELECT nodes, tids, unreachable, empty, orphans
FROM diskann_index_check('t_idx', true);
INSERT INTO t SELECT i, vec(i) FROM generate_series(9001, 9200) i;
SELECT * FROM scan();
SELECT found(9001, 9200) > 0.95 AS found;

--
-- Few of many: tombstones stay, searches walk through them
--
DROP INDEX t_idx;
TRUNCATE t;
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 2000) i;
CREATE INDEX t_idx ON t USING diskann (v);
DELETE FROM t WHERE id % 25 = 0;
CALL wait_for_others();
VACUUM t;
SELECT * FROM scan();
SELECT nodes, tids, tombstones, unreachable, empty, orphans
FROM diskann_index_check('t_idx', true);
SELECT property, value FROM diskann_index_info('t_idx')
WHERE property IN ('rows', 'nodes', 'tombstones');
SELECT found(1, 200) > 0.95 AS found;
-- with more of them they leave
DELETE FROM t WHERE id % 25 < 5;
CALL wait_for_others();
VACUUM t;
SELECT * FROM scan();
SELECT nodes, tids, tombstones < 300 AS tombstones,
    unreachable < 16 AS reachable, empty, orphans
FROM diskann_index_check('t_idx', true);
SELECT found(1, 200) > 0.95 AS found;
SELECT pg_relation_size('t_idx') AS size \gset
INSERT INTO t SELECT i, vec(i) FROM generate_series(3001, 3300) i;
SELECT pg_relation_size('t_idx') <= 1.02 * :size AS not_larger;
SELECT * FROM scan();
SELECT found(3001, 3300) > 0.95 AS found;
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);

--
-- A region is emptied and filled again while its tombstones stay
--
DROP INDEX t_idx;
TRUNCATE t;
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 4000) i;
INSERT INTO t
SELECT i, ARRAY[10000 + i, i % 100, i % 89, i % 79, i % 31, i % 11]
FROM generate_series(4001, 4200) i;
CREATE INDEX t_idx ON t USING diskann (v);
DELETE FROM t WHERE id > 4000;
CALL wait_for_others();
VACUUM t;
INSERT INTO t
SELECT i, ARRAY[10000 + i - 1000, i % 100, i % 89, i % 79, i % 31, i % 11]
FROM generate_series(5001, 5200) i;
SELECT found(5001, 5200) > 0.95 AS found;
SELECT nodes, tids, unreachable < 10 AS reachable
FROM diskann_index_check('t_idx', true);
SELECT * FROM scan();

--
-- Churn: a tenth at a time, until no row is of the first
--
DROP INDEX t_idx;
TRUNCATE t;
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 500) i;
CREATE INDEX t_idx ON t USING diskann (v);
SELECT pg_relation_size('t_idx') AS size \gset
CREATE PROCEDURE turn(n int) LANGUAGE sql AS $$
    DELETE FROM t WHERE id <= n * 50;
    INSERT INTO t SELECT i, vec(i)
    FROM generate_series(451 + n * 50, 500 + n * 50) i$$;
CALL turn(1); CALL wait_for_others(); VACUUM t;
CALL turn(2); CALL wait_for_others(); VACUUM t;
CALL turn(3); CALL wait_for_others(); VACUUM t;
CALL turn(4); CALL wait_for_others(); VACUUM t;
CALL turn(5); CALL wait_for_others(); VACUUM t;
CALL turn(6); CALL wait_for_others(); VACUUM t;
CALL turn(7); CALL wait_for_others(); VACUUM t;
CALL turn(8); CALL wait_for_others(); VACUUM t;
CALL turn(9); CALL wait_for_others(); VACUUM t;
CALL turn(10); CALL wait_for_others(); VACUUM t;
SELECT * FROM scan();
SELECT found(501, 1000) > 0.95 AS found;
SELECT pg_relation_size('t_idx') < 1.5 * :size AS not_much_larger;
SELECT nodes, tids, tombstones < 150 AS tombstones,
    unreachable < 5 AS reachable, empty, orphans
FROM diskann_index_check('t_idx', true);

--
-- UPDATE of all vectors
--
UPDATE t SET v = vec(-id);
SELECT * FROM scan();
CALL wait_for_others();
VACUUM t;
SELECT * FROM scan();
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
UPDATE t SET v = vec(id);
CALL wait_for_others();
VACUUM (PARALLEL 2) t;
SELECT * FROM scan();
SELECT found(501, 1000) > 0.95 AS found;

--
-- Rows that an aborted transaction left
--
BEGIN;
INSERT INTO t SELECT i, vec(i) FROM generate_series(10001, 10200) i;
ROLLBACK;
SELECT * FROM scan();
SELECT tids FROM diskann_index_check('t_idx', true);
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan();
SELECT tids, empty, orphans FROM diskann_index_check('t_idx', true);

--
-- Other ways to run it
--
DELETE FROM t WHERE id % 3 = 0;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP OFF) t;
SELECT * FROM scan();
VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF) t;
SELECT * FROM scan();
SELECT tids FROM diskann_index_check('t_idx', true);
DELETE FROM t WHERE id % 3 = 1;
CALL wait_for_others();
VACUUM FULL t;
SELECT * FROM scan();
SELECT nodes, tids, tombstones, free_slots < 15 AS no_free_slots, unreachable
FROM diskann_index_check('t_idx', true);

-- more rows than fit into maintenance_work_mem take several passes
DROP INDEX t_idx;
TRUNCATE t;
INSERT INTO t SELECT i, ARRAY[i % 20, i % 7, 0, 0, 0, 0]
FROM generate_series(1, 200000) i;
CREATE INDEX t_idx ON t USING diskann (v);
SET maintenance_work_mem = '1MB';
DELETE FROM t WHERE id > 10;
CALL wait_for_others();
VACUUM t;
RESET maintenance_work_mem;
SELECT * FROM scan();
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);

DROP TABLE t;
DROP PROCEDURE wait_for_others, turn;
DROP FUNCTION vec, scan, found;
