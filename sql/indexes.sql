--
-- diskann_indexes: the state of all indexes, and what is to be done about it
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never

\set dims 12
\set ECHO none
\i test/regress/vec.sql
\set ECHO all
CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);
CREATE VIEW state AS
    SELECT index, of_table, rows, slots, nodes, dead, pending,
        bytes = pg_relation_size(index) AS bytes, last_repair IS NOT NULL AS repaired,
        calibration_queries AS queries, calibration_nodes AS calibrated,
        round(growth::numeric, 1) AS growth, advice
    FROM diskann_indexes WHERE of_table = 't'::regclass ORDER BY index;

--
-- Without rows, and with rows that wait to be linked
--
CREATE INDEX t_v ON t USING diskann (v) WITH (pending_limit = 100);
SELECT * FROM state;
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 997) i;
INSERT INTO t VALUES (998, vec(998));
INSERT INTO t VALUES (999, vec(999));
INSERT INTO t VALUES (1000, vec(1000));
SELECT rows, slots BETWEEN 1001 AND 1020 AS slots, nodes, dead,
    pending, value AS counted, advice
FROM state, diskann_index_info('t_v') WHERE property = 'pending';
VACUUM t;
SELECT rows, nodes, dead, pending, advice FROM state;

--
-- Dead nodes, before a repair and after it
--
DELETE FROM t WHERE id <= 30;
VACUUM (INDEX_CLEANUP on) t;
SELECT rows, nodes, dead, pending, repaired, advice FROM state;
DELETE FROM t WHERE id <= 300;
VACUUM (INDEX_CLEANUP on) t;
SELECT rows, nodes, dead, pending, last_repair BETWEEN now() - interval '1 hour' AND now() AS repaired,
    self_recall > 0.95 AS found, s.advice
FROM state s JOIN diskann_indexes i USING (index, rows, nodes, dead, pending);

--
-- Calibrated, and then grown; never calibrated, but to have a recall
--
ALTER INDEX t_v SET (recall_target = 0.95);
SELECT queries, calibrated, growth, advice FROM state;
SELECT diskann_calibrate('t_v', 50);
SELECT queries, calibrated, growth, advice FROM state;
SELECT now() - calibrated BETWEEN '-1 hour' AND '1 hour' AS now FROM diskann_indexes
WHERE index = 't_v'::regclass;
INSERT INTO t SELECT i, vec(i) FROM generate_series(1001, 2500) i;
SELECT queries, calibrated, growth > 2 AS doubled,
    regexp_replace(advice, '[0-9.]+', 'N') AS advice FROM state;
DROP INDEX t_v;

--
-- Filter columns: built on rows, and filled row by row
--
CREATE INDEX t_built ON t USING diskann (v, id);
SELECT index, rows, nodes, advice FROM state;
CREATE TABLE rows AS SELECT * FROM t;
TRUNCATE t;
CREATE INDEX t_text ON t USING diskann (v, (id::text));
INSERT INTO t SELECT * FROM rows;
SELECT index, slots >= 2201 AS slots, nodes, advice FROM state;
DROP INDEX t_built, t_text;

--
-- How often it is used and what that takes: by all sessions from 17 on, before by
-- this one; the other tests of a run use none of this index
--
TRUNCATE t;
INSERT INTO t SELECT * FROM rows;
CREATE INDEX t_v ON t USING diskann (v) WITH (pending_limit = 0);
CREATE VIEW usage AS
    SELECT scans, visits_a_scan BETWEEN 10 AND 200 AS visits, compared_a_scan >= 0 AS compared,
        inserts, linked, counted_since BETWEEN now() - interval '1 hour' AND clock_timestamp() AS since,
        counted_in = CASE WHEN current_setting('server_version_num')::int >= 170000
            THEN 'all sessions' ELSE 'this session' END AS told
    FROM diskann_indexes WHERE index = 't_v'::regclass;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <-> vec(-1) LIMIT 1;
SELECT * FROM usage;
SELECT count(*) FROM generate_series(1, 5) i,
    LATERAL (SELECT id FROM t ORDER BY v <-> vec(-i) LIMIT 10) s;
SELECT * FROM usage;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> vec(-7) LIMIT 1) s;
INSERT INTO t SELECT i, vec(i) FROM generate_series(3001, 3003) i;
SELECT * FROM usage;
-- what is measured is no use of it, and REINDEX begins nothing anew
SELECT recall > 0 AS recall FROM diskann_index_recall('t_v', 10);
REINDEX INDEX t_v;
SELECT scans, inserts, linked FROM usage;
-- another index is another one
DROP VIEW usage;
DROP INDEX t_v;
CREATE INDEX t_v ON t USING diskann (v);
SELECT scans, inserts, counted_since FROM diskann_indexes WHERE index = 't_v'::regclass;
RESET enable_seqscan;
DROP INDEX t_v;

--
-- An index that is invalid, and such as are not told of
--
TRUNCATE t;
INSERT INTO t VALUES (1, '{1,2}'), (2, '{1,2,3}');
CREATE INDEX CONCURRENTLY t_bad ON t USING diskann (v);
SELECT index, bytes, slots, advice FROM state;
DROP INDEX t_bad;
CREATE INDEX t_id ON t (id);
CREATE TABLE p (v real[]) PARTITION BY RANGE (v);
CREATE INDEX p_v ON p USING diskann (v);
SELECT count(*) FROM diskann_indexes WHERE of_table IN ('t'::regclass, 'p'::regclass);
SELECT bytes, advice FROM diskann_index_state('p_v');
SELECT bytes, advice FROM diskann_index_state('t');
SELECT bytes, advice FROM diskann_index_state(0);
DROP TABLE p;

--
-- For whom it is
--
DROP INDEX t_id;
DELETE FROM t WHERE id = 2;
CREATE INDEX t_v ON t USING diskann (v);
CREATE ROLE regress_diskann_owner;
CREATE ROLE regress_diskann_monitor IN ROLE pg_stat_scan_tables;
GRANT SELECT ON state TO regress_diskann_owner, regress_diskann_monitor;
ALTER TABLE t OWNER TO regress_diskann_owner;
SET ROLE regress_diskann_owner;
SELECT index FROM diskann_indexes;
SELECT bytes FROM diskann_index_state('t_v');
SET ROLE regress_diskann_monitor;
SELECT index, of_table, rows, slots, advice FROM diskann_indexes
WHERE of_table = 't'::regclass;
SELECT slots FROM diskann_index_state('t_v');
RESET ROLE;

DROP VIEW state;
DROP TABLE t, rows;
DROP ROLE regress_diskann_owner, regress_diskann_monitor;
DROP FUNCTION vec(int);
