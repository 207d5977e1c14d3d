--
-- diskann_calibrate and recall_target
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
CREATE TABLE q AS SELECT i AS id, vec(-i) AS v FROM generate_series(1, 200) i;

--
-- What can be asked for
--
CREATE INDEX t_idx ON t USING diskann (v) WITH (recall_target = 0.5);
CREATE INDEX t_idx ON t USING diskann (v) WITH (recall_target = 1);
SET diskann.recall_target = 0.5;
SET diskann.recall_target = 1;
SET diskann.recall_target = 0.999;
SET diskann.recall_target = 0;

--
-- Without rows there is nothing to calibrate
--
CREATE INDEX t_idx ON t USING diskann (v) WITH (recall_target = 0.9);
SELECT diskann_calibrate('t_idx');
SELECT diskann_calibrate('t_idx', 'SELECT v FROM q');
SELECT list_size FROM diskann_index_recall('t_idx');
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 3000) i;
SELECT value FROM diskann_index_info('t_idx') WHERE property = 'calibration';
SELECT list_size FROM diskann_index_recall('t_idx', 1);

--
-- CREATE INDEX and REINDEX calibrate if the index has a target
--
CREATE FUNCTION calibration(i regclass) RETURNS text LANGUAGE sql
    RETURN (SELECT regexp_replace(value, ', [^,]*$', '')
            FROM diskann_index_info(i) WHERE property = 'calibration');
-- the list that a query gets, and the share of q's neighbours within it
CREATE FUNCTION list_for(target float8, k int, i regclass DEFAULT 't_idx')
    RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('diskann.recall_target', target::text, true);
    RETURN (SELECT list_size FROM diskann_index_recall(i, 1, k));
END$$;
CREATE FUNCTION reached(target float8, rows int) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('diskann.recall_target', target::text, true);
    RETURN (SELECT recall FROM diskann_index_recall('t_idx', 'SELECT v FROM q', rows));
END$$;
REINDEX INDEX t_idx;
SELECT calibration('t_idx');
SELECT diskann_calibrate('t_idx', 400);
SELECT calibration('t_idx');
SELECT property, value ~ '^0.9: \d+, 0.95: \d+, 0.98: \d+, 0.99: \d+, 0.995: \d+$'
    AS lists
FROM diskann_index_info('t_idx') WHERE property ~ '^list_sizes_for';

--
-- The more is asked for, the longer the list; what is asked for is reached
--
SELECT k, bool_and(list >= before) AND max(list) > min(list) AS longer, count(*)
FROM (SELECT k, list_for(target, k) AS list,
          lag(list_for(target, k)) OVER (PARTITION BY k ORDER BY target) AS before
      FROM unnest('{0.9,0.95,0.98,0.99}'::float8[]) target,
          unnest('{1,5,10,50}'::int[]) k) l
GROUP BY k ORDER BY k;
SELECT k, target, reached(target, k) > target - .03 AS reached
FROM unnest('{0.9,0.95,0.98,0.99}'::float8[]) target,
    unnest('{1,10,50}'::int[]) k ORDER BY k, target;
SELECT list_for(0, 10) = list_for(0.9, 10) AS of_the_index;

--
-- Scans go by it, and by what they are told of rows
--
CREATE FUNCTION scan_list(k int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL enable_seqscan = off;
    PERFORM id FROM (SELECT id FROM t ORDER BY v <-> (SELECT v FROM q LIMIT 1) LIMIT k) s;
    RETURN (SELECT list_size FROM diskann_last_scan());
END$$;
BEGIN;
SET LOCAL diskann.recall_target = 0.98;
SELECT scan_list(1) >= list_for(0.98, 1) AS one,
    scan_list(10) >= list_for(0.98, 10) AS ten, scan_list(10) < 100 AS short;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <-> '{1}' LIMIT 1;
-- the planner takes the same, however many rows are wanted
CREATE FUNCTION startup_cost(k int8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    SET LOCAL enable_seqscan = off;
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT id FROM t ORDER BY v <-> vec(-1) LIMIT ' || k
        INTO plan;
    RETURN plan->0->'Plan'->'Plans'->0->>'Startup Cost';
END$$;
SELECT startup_cost(10) <> startup_cost(100) AS by_rows,
    startup_cost(100) = startup_cost(9223372036854775807) AS any_number;
-- a size that is set wins, the session's over the index'
SET LOCAL diskann.query_search_list_size = 33;
SELECT list_for(0.98, 1);
RESET diskann.query_search_list_size;
ALTER INDEX t_idx SET (query_search_list_size = 44);
SELECT list_for(0, 1), list_for(0.98, 1) <> 44 AS session_wins;
ROLLBACK;

--
-- With one's own queries; other metrics; an index that is not calibrated
--
SELECT diskann_calibrate('t_idx', 'SELECT v FROM q');
SELECT calibration('t_idx');
SELECT diskann_calibrate('t_idx', 'SELECT v FROM q WHERE false');
SELECT calibration('t_idx');
CREATE INDEX t_ip ON t USING diskann (v real_ip_ops) WITH (recall_target = 0.95);
SELECT calibration('t_ip');
CREATE INDEX t_cos ON t USING diskann (v real_cosine_ops);
SELECT calibration('t_cos'), list_for(0.9, 10, 't_cos');

--
-- It grows with the index, and goes with its rows
--
CREATE TABLE before AS SELECT list_for(0.98, 10) AS list;
INSERT INTO t SELECT i, vec(i) FROM generate_series(3001, 6000) i;
SELECT list_for(0.98, 10) BETWEEN list + 1 AND list * 1.3 AS longer FROM before;
TRUNCATE t;
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 10) i;
SELECT calibration('t_idx');

--
-- One vector alone tells nothing of recall
--
CREATE TABLE alone (v real[]);
INSERT INTO alone SELECT vec(1) FROM generate_series(1, 3);
CREATE INDEX alone_idx ON alone USING diskann (v) WITH (recall_target = 0.95);
SELECT calibration('alone_idx'), list_for(0.95, 10, 'alone_idx');
SELECT diskann_calibrate('alone_idx', 'SELECT v FROM q');
SELECT calibration('alone_idx');
DROP TABLE alone;

--
-- For whom it is, and errors
--
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
CREATE ROLE regress_diskann_reader IN ROLE pg_stat_scan_tables;
SET ROLE regress_diskann_reader;
SELECT diskann_calibrate('t_idx');
SELECT diskann_calibrate('t_idx', 'SELECT v FROM q');
RESET ROLE;
DROP ROLE regress_diskann_reader;
SELECT diskann_calibrate('t');
SELECT diskann_calibrate('t_idx', 0);

BEGIN READ ONLY;
SELECT diskann_calibrate('t_idx');
ROLLBACK;
BEGIN READ ONLY;
SELECT diskann_calibrate('t_idx', 'SELECT v FROM q');
ROLLBACK;
BEGIN READ ONLY;
SELECT diskann_link_pending('t_idx');
ROLLBACK;

DROP FUNCTION calibration, list_for, reached, scan_list;
DROP TABLE t, q, before;
DROP FUNCTION vec(int);
