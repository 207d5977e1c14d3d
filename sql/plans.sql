--
-- Plans: distances nobody reads are not computed; what a scan has done
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
SET enable_seqscan = off;

CREATE TABLE t (id int, v real[], w point) WITH (autovacuum_enabled = off);
INSERT INTO t
SELECT i, ARRAY[i % 40, i / 40, (i * 7) % 11], point(i % 20, i / 20)
FROM generate_series(1, 400) i;
INSERT INTO t VALUES (401, NULL, NULL), (402, NULL, NULL);
CREATE INDEX t_v ON t USING diskann (v);
CREATE INDEX t_w ON t USING gist (w);
ANALYZE t;

-- a column that is only sorted by becomes a NULL
EXPLAIN (VERBOSE, COSTS OFF)
SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 3;

-- whether a plan computes distances, and with which index
CREATE FUNCTION computes(query text, OUT distances boolean, OUT index text)
    LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    distances := false;
    FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
        distances := distances OR line ~ 'Output: .*<->';
        index := coalesce(substring(line FROM 'Index Scan using (\w+)'), index);
    END LOOP;
END$$;
SELECT * FROM computes($$SELECT id FROM t ORDER BY v <-> '{3,3,3}'$$);
SELECT * FROM computes($$SELECT q, n.id FROM generate_series(1, 2) q,
    LATERAL (SELECT id FROM t ORDER BY v <-> ARRAY[q, q, q]::real[] LIMIT 2) n$$);
SELECT * FROM computes($$SELECT ARRAY(SELECT id FROM t
    ORDER BY v <-> '{3,3,3}' LIMIT 3)$$);
SELECT * FROM computes($$(SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 3)
    UNION ALL (SELECT id FROM t ORDER BY v <-> '{9,9,9}' LIMIT 3)$$);
SELECT * FROM computes($$SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 3
    FOR UPDATE$$);

-- but not where somebody wants it
SELECT * FROM computes($$SELECT id, v <-> '{3,3,3}' AS distance FROM t
    ORDER BY v <-> '{3,3,3}' LIMIT 3$$);
SELECT * FROM computes($$SELECT id FROM t ORDER BY v <-> '{3,3,3}'
    FETCH FIRST 3 ROWS WITH TIES$$);
SELECT distances FROM computes($$SELECT id FROM t
    ORDER BY v <-> '{3,3,3}', id LIMIT 3$$);

-- nor in plans that are none of ours
SELECT * FROM computes($$SELECT id FROM t ORDER BY w <-> '(3,3)' LIMIT 3$$);

-- rows are the same
SELECT ARRAY(SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 5) =
    (SELECT array_agg(id ORDER BY distance)
     FROM (SELECT id, v <-> '{3,3,3}' AS distance FROM t
           ORDER BY v <-> '{3,3,3}' LIMIT 5) s) AS same;
SELECT id FROM t ORDER BY v <-> '{3.1,3.1,3.1}' LIMIT 2 FOR UPDATE;
SELECT q, n.id FROM generate_series(1, 2) q,
    LATERAL (SELECT id FROM t ORDER BY v <-> ARRAY[q, q, q]::real[] LIMIT 1) n;
SELECT id FROM (SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 3) s
ORDER BY id;
CREATE TABLE s AS SELECT id FROM t ORDER BY v <-> '{3.1,3.1,3.1}' LIMIT 3;
SELECT * FROM s;
DROP TABLE s;

-- rows without a vector are not in the index, whatever the order
SELECT id FROM t WHERE v IS NULL ORDER BY v <-> '{3,3,3}', id;
SELECT id FROM t WHERE v IS NULL ORDER BY v <-> '{3,3,3}' LIMIT 1 OFFSET 2;
SELECT count(*) FROM
    (SELECT id FROM t WHERE v IS NOT NULL ORDER BY v <-> '{3,3,3}') s;

-- what a scan has done
SET diskann.query_search_list_size = 20;
SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 1;
SELECT visits BETWEEN 20 AND 40 AS visits,
    estimates BETWEEN 10 * visits AND 32 * visits AS estimates
FROM diskann_last_scan();
SET diskann.query_rescore = 3;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 5) s;
SELECT rescored >= 3 AS rescored FROM diskann_last_scan();
SET diskann.query_rescore = 0;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> '{3,3,3}' LIMIT 5) s;
SELECT rescored FROM diskann_last_scan();
RESET diskann.query_rescore;
RESET diskann.query_search_list_size;

DROP TABLE t;
DROP FUNCTION computes(text);
