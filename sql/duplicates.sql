--
-- Rows of equal vectors share a node
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
-- who waits to be linked has not been searched for
SET diskann.pending_limit = 0;
SET enable_seqscan = off;

CREATE TABLE t (id int, v real[]);
-- rows of an ordered scan, each once, and how far the farthest is
CREATE FUNCTION scan(q real[], OUT n bigint, OUT n_distinct bigint,
                     OUT farthest float8) LANGUAGE sql AS $$
    SELECT count(*), count(DISTINCT id), max(d)
    FROM (SELECT id, v <-> q AS d FROM t ORDER BY v <-> q) s$$;
DROP TABLE t;

\set ECHO none
\i test/regress/wait_for_others.sql
\set ECHO all

--
-- 100,000 copies, built
--
CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, '{1,2,3}' FROM generate_series(1, 100000) i;
CREATE INDEX t_idx ON t USING diskann (v);
SELECT * FROM scan('{1,2,3}');
SELECT * FROM scan('{1,2,7}');
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM t ORDER BY v <-> '{1,2,3}' LIMIT 50000) s;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM t ORDER BY v <-> NULL::real[] OFFSET 0) s;
SELECT id FROM t WHERE id = 99999 ORDER BY v <-> '{1,2,3}';
-- another vector, nearer or farther than all of them
INSERT INTO t VALUES (0, '{1,2,2.5}');
SELECT id FROM t ORDER BY v <-> '{1,2,0}' LIMIT 1;
SELECT id = 0 AS last FROM t ORDER BY v <-> '{1,2,5}' OFFSET 100000;
DELETE FROM t WHERE id = 0;

-- all but some, all over the chain
DELETE FROM t WHERE id % 10000 <> 1;
SELECT * FROM scan('{1,2,3}');
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan('{1,2,3}');
SELECT nodes, tids, tids_slots <= 10 AS shrunk, empty, orphans
FROM diskann_index_check('t_idx', true);
-- the freed slots are used again, once no transaction can know the old ones
SELECT txid_current() > 0 AS assigned;
INSERT INTO t VALUES (100001, '{1,2,3}');
DELETE FROM t WHERE id = 100001;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT pg_relation_size('t_idx') AS size \gset
INSERT INTO t SELECT i, '{1,2,3}' FROM generate_series(200001, 290000) i;
SELECT pg_relation_size('t_idx') <= :size AS not_larger;
SELECT * FROM scan('{1,2,3}');
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
DROP TABLE t;

--
-- 100,000 copies, inserted
--
CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);
CREATE INDEX t_idx ON t USING diskann (v real_l2_ops);
INSERT INTO t SELECT i, '{1,2,3}' FROM generate_series(1, 100000) i;
SELECT * FROM scan('{1,2,3}');
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
-- but the newest
DELETE FROM t WHERE id <= 99999;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan('{1,2,3}');
SELECT nodes, tids, tids_slots <= 1 AS shrunk, empty, orphans
FROM diskann_index_check('t_idx', true);
INSERT INTO t SELECT i, '{1,2,3}' FROM generate_series(1, 1000) i;
SELECT * FROM scan('{1,2,3}');
-- but the oldest
DELETE FROM t WHERE id > 1;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan('{1,2,3}');
SELECT nodes, tids, tids_slots <= 1 AS shrunk, empty, orphans
FROM diskann_index_check('t_idx', true);
-- and the last one
DELETE FROM t;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan('{1,2,3}');
INSERT INTO t SELECT i, '{1,2,3}' FROM generate_series(1, 100) i;
SELECT * FROM scan('{1,2,3}');
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
DROP TABLE t;

--
-- A queue: as many rows as before, so as many slots
--
CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);
CREATE INDEX t_idx ON t USING diskann (v);
INSERT INTO t SELECT i, '{1,2,3}' FROM generate_series(1, 1000) i;
INSERT INTO t SELECT id + 1000, v FROM t;
DELETE FROM t WHERE id <= 1000;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
INSERT INTO t SELECT id + 1000, v FROM t;
DELETE FROM t WHERE id <= 2000;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
INSERT INTO t SELECT id + 1000, v FROM t;
DELETE FROM t WHERE id <= 3000;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
INSERT INTO t SELECT id + 1000, v FROM t;
DELETE FROM t WHERE id <= 4000;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan('{1,2,3}');
SELECT nodes, tids, tids_slots < 40 AS short, empty, orphans
FROM diskann_index_check('t_idx', true);
DROP TABLE t;

--
-- Many rows for each of few vectors
--
CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, ARRAY[i % 10, 0, 0] FROM generate_series(1, 5000) i;
CREATE INDEX t_idx ON t USING diskann (v);
INSERT INTO t SELECT i, ARRAY[i % 20, 0, 0] FROM generate_series(5001, 10000) i;
SELECT x, count(*), count(DISTINCT id)
FROM (SELECT id, v[1] AS x FROM t ORDER BY v <-> '{3,0,0}' LIMIT 3250) s
GROUP BY x ORDER BY x;
SELECT * FROM scan('{3,0,0}');
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
DELETE FROM t WHERE v[1] = 3 AND id > 20;
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT array_agg(x ORDER BY i)
FROM (SELECT v[1] AS x, row_number() OVER () AS i
      FROM (SELECT v FROM t ORDER BY v <-> '{3.1,0,0}' LIMIT 4) a) b;
SELECT * FROM scan('{3,0,0}');
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);

-- updates that are not HOT and keep the vector
CREATE INDEX t_id ON t (id);
UPDATE t SET id = id + 20000;
UPDATE t SET id = id + 20000;
SELECT * FROM scan('{3,0,0}');
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan('{3,0,0}');
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
-- and that move all rows to one vector
UPDATE t SET v = '{7,0,0}';
SELECT * FROM scan('{3,0,0}');
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT * FROM scan('{3,0,0}');
SELECT nodes, tids, tombstones < 20 AS tombstones, empty, orphans
FROM diskann_index_check('t_idx', true);
DROP TABLE t;

--
-- What is equal: 0 and -0 are not, nor double precision values equal as real
--
CREATE TABLE t (id int, v real[]);
CREATE INDEX t_idx ON t USING diskann (v);
INSERT INTO t VALUES (1, '{0,1}'), (2, '{-0,1}'), (3, '[5:6]={0,1}'), (4, '{0,1}');
SELECT * FROM scan('{0,1}');
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
REINDEX INDEX t_idx;
SELECT * FROM scan('{-0,1}');
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
DROP TABLE t;
CREATE TABLE t (id int, v double precision[]);
CREATE INDEX t_idx ON t USING diskann (v);
INSERT INTO t SELECT i, ARRAY[1 + (i % 50) * 1e-12, 1] FROM generate_series(1, 100) i;
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
SELECT id % 50 AS n, count(*) FROM
    (SELECT id FROM t ORDER BY v <-> '{1,1}' LIMIT 6) s GROUP BY n ORDER BY n;
REINDEX INDEX t_idx;
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
SELECT id % 50 AS n, count(*) FROM
    (SELECT id FROM t ORDER BY v <-> '{1,1}' LIMIT 6) s GROUP BY n ORDER BY n;
-- many that are nearly equal, beside others
DROP INDEX t_idx;
TRUNCATE t;
INSERT INTO t SELECT i, array_agg(hashint4extended(i % 20, k) % 1000 +
    hashint4extended(i, k + 100) % 1000 * 1e-4 ORDER BY k)
FROM generate_series(1, 4000) i, generate_series(1, 64) k GROUP BY i;
CREATE INDEX t_idx ON t USING diskann (v);
SELECT nodes, tids, unreachable, empty, orphans
FROM diskann_index_check('t_idx', true);
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 1)) s;
INSERT INTO t SELECT id + 4000, array_agg(x + 1e-4 ORDER BY k)
FROM t, unnest(v) WITH ORDINALITY u(x, k) WHERE id <= 200 GROUP BY id;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 1)) s;
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
-- equal directions are not equal vectors
CREATE INDEX t_cosine ON t USING diskann (v double_cosine_ops);
TRUNCATE t;
INSERT INTO t SELECT i, ARRAY[i % 50 + 1, i % 50 + 1] FROM generate_series(1, 100) i;
SELECT nodes, tids FROM diskann_index_check('t_cosine', true);
SELECT count(*), count(DISTINCT id), round(max(d)::numeric, 6) AS farthest
FROM (SELECT id, v <=> '{2,2}' AS d FROM t ORDER BY v <=> '{2,2}') s;

SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
DROP TABLE t;
DROP FUNCTION scan;
DROP PROCEDURE wait_for_others;
