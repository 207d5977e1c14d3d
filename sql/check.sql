--
-- diskann_index_check and diskann_index_info
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never

\set dims 4
\set ECHO none
\i test/regress/vec.sql
\set ECHO all
CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);

\set ECHO none
\i test/regress/wait_for_others.sql
\set ECHO all

--
-- An index without rows
--
CREATE INDEX t_idx ON t USING diskann (v);
SELECT * FROM diskann_index_check('t_idx');
SELECT * FROM diskann_index_check('t_idx', true);
SELECT * FROM diskann_index_check('t_idx', heapallindexed => true);
SELECT * FROM diskann_index_info('t_idx')
WHERE property NOT IN ('format_version', 'kernels');
SELECT value = diskann_simd() AS same FROM diskann_index_info('t_idx')
WHERE property = 'kernels';

--
-- Fresh
--
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 1000) i;
-- these wait to be linked, and so share a node, but not that of row 1
INSERT INTO t SELECT i, vec(1) FROM generate_series(1001, 1100) i;
INSERT INTO t VALUES (1101, NULL);
SELECT nodes, tids, tombstones, empty, orphans
FROM diskann_index_check('t_idx', true);
REINDEX INDEX t_idx;
SELECT nodes, tids, tombstones, tids_slots, unreachable, empty, orphans,
    edges > 20 * nodes AS edges
FROM diskann_index_check('t_idx', true);
SELECT property, value FROM diskann_index_info('t_idx')
WHERE property IN ('max_degree', 'dimensions', 'index_dimensions',
                   'vector_storage', 'edge_bits', 'coded_dimensions',
                   'pages_per_slot', 'rows', 'nodes', 'tombstones');
SELECT value::bigint = pg_relation_size('t_idx') AS bytes
FROM diskann_index_info('t_idx') WHERE property = 'bytes';
SELECT property FROM diskann_index_info('t_idx');

--
-- Churned
--
DELETE FROM t WHERE id % 25 = 0;
SELECT nodes, tids, tombstones, empty, orphans
FROM diskann_index_check('t_idx', true);
CALL wait_for_others();
VACUUM t;
SELECT nodes, tids, tombstones, empty, orphans
FROM diskann_index_check('t_idx', true);
UPDATE t SET v = vec(-id) WHERE id % 4 = 0;
SELECT nodes, empty, orphans FROM diskann_index_check('t_idx', true);
CALL wait_for_others();
VACUUM (INDEX_CLEANUP ON) t;
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
DELETE FROM t;
CALL wait_for_others();
VACUUM t;
SELECT nodes, tids, tids_slots, edges, unreachable, empty, orphans
FROM diskann_index_check('t_idx', true);
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 100) i;
-- rows not yet committed, and aborted ones
BEGIN;
INSERT INTO t SELECT i, vec(i) FROM generate_series(101, 120) i;
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
ROLLBACK;
SELECT nodes, tids FROM diskann_index_check('t_idx', true);

--
-- Nodes of several pages; all of them, by one query
--
CREATE TABLE wide (v real[]);
INSERT INTO wide
SELECT array_agg((hashint4extended(i, k) % 1000)::real)
FROM generate_series(1, 20) i, generate_series(1, 8000) k GROUP BY i;
INSERT INTO wide SELECT v FROM wide;
CREATE INDEX wide_int8 ON wide USING diskann (v);
CREATE INDEX wide_float32 ON wide USING diskann (v real_cosine_ops)
    WITH (vector_storage = float32);
SELECT relname, nodes, tids, tids_slots, unreachable, empty, orphans
FROM pg_class c, diskann_index_check(c.oid::regclass, true)
WHERE relam = (SELECT oid FROM pg_am WHERE amname = 'diskann')
ORDER BY relname;
SELECT property, value FROM diskann_index_info('wide_int8')
WHERE property IN ('dimensions', 'pages_per_slot');
DROP TABLE wide;

--
-- Partial indexes, expressions, zero vectors: rows that need not be there
--
CREATE TABLE partly (id int, v real[], t text);
INSERT INTO partly SELECT i, vec(i), vec(-i)::text FROM generate_series(1, 100) i;
INSERT INTO partly VALUES (101, '{0,0,0,0}', '{0,0,0,0}'), (102, NULL, NULL);
CREATE INDEX partly_cosine ON partly USING diskann (v real_cosine_ops);
CREATE INDEX partly_partial ON partly USING diskann (v) WHERE id % 2 = 0;
CREATE FUNCTION parse(text) RETURNS real[] LANGUAGE plpgsql IMMUTABLE STRICT
AS $$
BEGIN
    RETURN $1::real[];
END$$;
CREATE INDEX partly_expression ON partly USING diskann (parse(t));
INSERT INTO partly SELECT i, vec(i), vec(-i)::text FROM generate_series(103, 150) i;
SELECT nodes, tids FROM diskann_index_check('partly_cosine', true);
SELECT nodes, tids FROM diskann_index_check('partly_partial', true);
SELECT nodes, tids FROM diskann_index_check('partly_expression', true);
-- an expression that gives something else now
CREATE OR REPLACE FUNCTION parse(text) RETURNS real[] LANGUAGE plpgsql
IMMUTABLE STRICT AS $$
BEGIN
    RETURN ARRAY[1] || ($1::real[])[2:4];
END$$;
SELECT nodes, tids FROM diskann_index_check('partly_expression');
\set VERBOSITY sqlstate
SELECT nodes, tids FROM diskann_index_check('partly_expression', true);
\set VERBOSITY default
REINDEX INDEX partly_expression;
SELECT nodes, tids FROM diskann_index_check('partly_expression', true);
DROP TABLE partly;
DROP FUNCTION parse(text);

--
-- Not for these
--
CREATE INDEX t_btree ON t (id);
CREATE VIEW a_view AS SELECT 1;
SELECT diskann_index_check('t_btree');
SELECT diskann_index_check('t');
SELECT diskann_index_check('a_view');
SELECT diskann_index_check('no_such_index');
SELECT diskann_index_check(0);
SELECT diskann_index_check(NULL);
SELECT diskann_index_info('t_btree');
SELECT diskann_index_info('t');
SELECT diskann_index_info('a_view');
SELECT diskann_index_info(0);
CREATE TABLE parts (v real[]) PARTITION BY LIST (v);
CREATE INDEX parts_idx ON parts USING diskann (v);
SELECT diskann_index_check('parts_idx');
SELECT diskann_index_info('parts_idx');
DROP TABLE parts;
DROP VIEW a_view;
-- an index that was not finished
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_idx'::regclass;
SELECT diskann_index_check('t_idx');
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 't_idx'::regclass;
SELECT nodes FROM diskann_index_check('t_idx');

--
-- Who may call them
--
CREATE ROLE regress_diskann;
SET ROLE regress_diskann;
SELECT diskann_index_check('t_idx');
SELECT diskann_index_info('t_idx');
RESET ROLE;
GRANT pg_stat_scan_tables TO regress_diskann;
SET ROLE regress_diskann;
SELECT diskann_index_check('t_idx');
SELECT count(*) > 0 AS told FROM diskann_index_info('t_idx');
RESET ROLE;
GRANT EXECUTE ON FUNCTION diskann_index_check(regclass, boolean)
    TO regress_diskann;
SET ROLE regress_diskann;
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION diskann_index_check(regclass, boolean)
    FROM regress_diskann;
-- what an index calls runs as the owner of its table
CREATE FUNCTION as_owner(real[]) RETURNS real[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user <> 'regress_diskann' THEN
        RAISE 'called as another user';
    END IF;
    RETURN $1;
END$$;
CREATE TABLE owned (v real[]);
ALTER TABLE owned OWNER TO regress_diskann;
CREATE INDEX owned_idx ON owned USING diskann (as_owner(v));
SET ROLE regress_diskann;
INSERT INTO owned SELECT vec(i) FROM generate_series(1, 10) i;
RESET ROLE;
SELECT nodes, tids FROM diskann_index_check('owned_idx', true);
SELECT current_user <> 'regress_diskann' AS restored;
DROP TABLE owned;
DROP FUNCTION as_owner(real[]);
DROP ROLE regress_diskann;

DROP TABLE t;
DROP FUNCTION vec(int);
DROP PROCEDURE wait_for_others;
