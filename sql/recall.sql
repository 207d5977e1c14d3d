--
-- diskann_index_recall
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never

\set dims 24
\set ECHO none
\i test/regress/vec.sql
\i test/regress/wait_for_others.sql
\set ECHO all
CREATE TABLE t (id int, v real[], tag int) WITH (autovacuum_enabled = off);
CREATE TABLE q AS SELECT i AS id, vec(-i) AS v FROM generate_series(1, 300) i;

--
-- An index without rows, and of one and a few
--
CREATE INDEX t_idx ON t USING diskann (v) WITH (vector_storage = float32);
SELECT * FROM diskann_index_recall('t_idx');
SELECT * FROM diskann_index_recall('t_idx', 'SELECT v FROM q');
INSERT INTO t SELECT 1, vec(1), 1;
SELECT * FROM diskann_index_recall('t_idx');
INSERT INTO t SELECT i, vec(i), i % 3 FROM generate_series(2, 20) i;
SELECT queries, k, list_size, recall, nodes FROM diskann_index_recall('t_idx');
SELECT queries, k, recall, nodes
FROM diskann_index_recall('t_idx', 'SELECT v FROM q', 30);

--
-- What it tells is what queries get
--
INSERT INTO t SELECT i, vec(i), i % 3 FROM generate_series(21, 4000) i;
REINDEX INDEX t_idx;
CREATE FUNCTION found(k int) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    hits bigint := 0;
    x real[];
    near int[];
    got int[];
BEGIN
    SET LOCAL enable_seqscan = off;
    FOR x IN SELECT v FROM q LOOP
        EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM t ORDER BY v <-> %L LIMIT %s) s', x, k) INTO got;
        SELECT array_agg(id) INTO near FROM
            (SELECT id FROM t ORDER BY l2_distance(v, x), id LIMIT k) s;
        hits := hits + (SELECT count(*) FROM unnest(got) g WHERE g = ANY (near));
    END LOOP;
    RETURN hits / (k * 300.0);
END$$;
BEGIN;
SET LOCAL diskann.query_search_list_size = 20;
SELECT found(10) BETWEEN .5 AND .98 AS is_hard;
SELECT abs(found(10) - r.recall) < .005 AS same, low < recall AND recall < high
    AS within, high - low < .1 AS narrow, queries, k, list_size, nodes,
    visits BETWEEN 20 AND 60 AS visits
FROM diskann_index_recall('t_idx', 'SELECT v FROM q') r;
SELECT abs(found(1) - r.recall) < .01 AS same
FROM diskann_index_recall('t_idx', 'SELECT v FROM q', 1) r;
-- rows of the table are about as hard as others, though they are in the index
SELECT abs(found(10) - r.recall) < .05 AS alike, queries
FROM diskann_index_recall('t_idx', 4000) r;
COMMIT;
SELECT a.recall < b.recall AS better, a.visits < b.visits AS longer
FROM diskann_index_recall('t_idx', 'SELECT v FROM q', 10, 10) a,
    diskann_index_recall('t_idx', 'SELECT v FROM q', 10, 100) b;
SELECT recall > .9 AS good, queries, k
FROM diskann_index_recall('t_idx', 50, 100, 200);
SELECT recall FROM diskann_index_recall('t_idx', k => 1000);
-- NULL is no query, and other types of arrays are queries
SELECT queries, recall > .9 AS good FROM diskann_index_recall('t_idx',
    'SELECT CASE WHEN id > 100 THEN v END FROM q', list_size => 200);
SELECT queries FROM diskann_index_recall('t_idx',
    'SELECT v::double precision[] FROM q LIMIT 7');

--
-- Other metrics, and filter columns
--
CREATE INDEX t_cos ON t USING diskann (v real_cosine_ops);
CREATE INDEX t_ip ON t USING diskann (v real_ip_ops);
CREATE INDEX t_filter ON t USING diskann (v, tag);
SELECT i, queries, b.recall > .9 AS good, abs(a.recall - b.recall) < .07 AS alike
FROM unnest('{t_cos,t_ip,t_filter}'::regclass[]) i,
    LATERAL (SELECT recall FROM diskann_index_recall(i, 300, 10, 60)) a,
    LATERAL diskann_index_recall(i, 'SELECT v FROM q', 10, 60) b;

--
-- Equal vectors are one node, unless their rows wait; dead ones are none
--
SET diskann.pending_limit = 0;
INSERT INTO t SELECT i, vec(1), 1 FROM generate_series(5001, 5100) i;
RESET diskann.pending_limit;
SELECT nodes FROM diskann_index_recall('t_idx', 1);
DELETE FROM t WHERE id % 2 = 0;
CALL wait_for_others();
VACUUM t;
SELECT nodes FROM diskann_index_recall('t_idx', 1);

--
-- Errors
--
SELECT diskann_index_recall('t');
SELECT diskann_index_recall('t_idx', 0);
SELECT diskann_index_recall('t_idx', 10001);
SELECT diskann_index_recall('t_idx', 10, 0);
SELECT diskann_index_recall('t_idx', 10, 1001);
SELECT diskann_index_recall('t_idx', 10, 10, 0);
SELECT diskann_index_recall('t_idx', NULL::int) IS NULL AS nothing;
SELECT diskann_index_recall('t_idx', 'SELECT id, v FROM q');
SELECT diskann_index_recall('t_idx', 'SELECT id FROM q');
SELECT diskann_index_recall('t_idx', 'SELECT ''{1,2}''::real[]');
SELECT diskann_index_recall('t_idx', 'INSERT INTO q VALUES (0) RETURNING v');
SELECT diskann_index_recall('t_idx', 'VACUUM');
SELECT diskann_index_recall('t_idx', 'nonsense');

--
-- No more queries are taken than fit into memory
--
SET maintenance_work_mem = '1MB';
SELECT queries BETWEEN 200 AND 260 AS some FROM diskann_index_recall('t_idx', 3000, 1000, 10);
SELECT queries BETWEEN 200 AND 260 AS some
FROM diskann_index_recall('t_idx', 'SELECT q.v FROM q, generate_series(1, 20)', 1000, 10);
RESET maintenance_work_mem;

--
-- For whom it is
--
CREATE ROLE regress_diskann_reader;
SET ROLE regress_diskann_reader;
SELECT diskann_index_recall('t_idx');
SELECT diskann_index_recall('t_idx', 'SELECT v FROM q');
RESET ROLE;
GRANT pg_stat_scan_tables TO regress_diskann_reader;
SET ROLE regress_diskann_reader;
SELECT queries FROM diskann_index_recall('t_idx');
SELECT diskann_index_recall('t_idx', 'SELECT v FROM q');
RESET ROLE;
DROP ROLE regress_diskann_reader;

DROP FUNCTION found;
DROP TABLE t, q;
DROP FUNCTION vec(int);
DROP PROCEDURE wait_for_others;
