--
-- Distance bounds: a scan ends where a condition on the distance drops the rest
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;

CREATE TABLE t (id int, a int, v real[]) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, i % 5, ARRAY[i % 50 - 20.5, i / 50, (i * 7) % 11]
FROM generate_series(1, 3000) i;
INSERT INTO t VALUES (0, 0, '{0,0,0}'), (-1, 0, NULL);
CREATE INDEX t_l2 ON t USING diskann (v);
CREATE INDEX t_cosine ON t USING diskann (v real_cosine_ops);
CREATE INDEX t_ip ON t USING diskann (v real_ip_ops);
ANALYZE t;

-- what the index returns, beside a sequential scan; and what the scan was like
CREATE FUNCTION bounded(query text, OUT rows int, OUT missing int, OUT wrong int,
    OUT wanted text, OUT bound float8, OUT short boolean)
    LANGUAGE plpgsql AS $$
DECLARE
    found int[];
    exact int[];
BEGIN
    SET LOCAL enable_indexscan = off;
    EXECUTE 'SELECT array_agg(id) FROM (' || query || ') s' INTO exact;
    SET LOCAL enable_indexscan = on;
    SET LOCAL enable_seqscan = off;
    PERFORM id FROM t ORDER BY v <-> '{9,9,9}' LIMIT 123456;
    EXECUTE 'SELECT array_agg(id) FROM (' || query || ') s' INTO found;
    SELECT s.wanted, round(s.bound::numeric, 3), s.visits < 1500
    INTO bounded.wanted, bounded.bound, short FROM diskann_last_scan() s;
    SET LOCAL enable_seqscan = on;
    rows := coalesce(cardinality(found), 0);
    SELECT count(*) INTO missing FROM unnest(exact) e WHERE e <> ALL (found);
    SELECT count(*) INTO wrong FROM unnest(found) f WHERE f <> ALL (exact);
END$$;

-- forms of conditions
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 5
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' <= 5
    ORDER BY v <-> ''{3,3,3}'' LIMIT 1000');
SELECT * FROM bounded('SELECT id FROM t WHERE 5 > v <-> ''{3,3,3}''
    ORDER BY v <-> ''{3,3,3}'' LIMIT 1000');
SELECT * FROM bounded('SELECT id FROM t WHERE 5 >= ''{3,3,3}'' <-> v
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < real ''5''
    ORDER BY ''{3,3,3}'' <-> v');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' BETWEEN 3 AND 5
    ORDER BY v <-> ''{3,3,3}'' LIMIT 1000');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 5 AND a > 2
    ORDER BY v <-> ''{3,3,3}'' LIMIT 1000');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 5 AND
    v <-> ''{3,3,3}'' <= 2 ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE -(v <-> ''{3,3,3}'') > -5
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE 1 - (v <=> ''{3,3,3}'') > 0.98
    ORDER BY v <=> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE 0.98 <= 1 - (v <=> ''{3,3,3}'')
    ORDER BY v <=> ''{3,3,3}'' LIMIT 1000');
SELECT * FROM bounded('SELECT id FROM t WHERE (v <#> ''{3,3,3}'') * -1 > 280
    ORDER BY v <#> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <#> ''{3,3,3}'' < -280
    ORDER BY v <#> ''{3,3,3}''');

-- no number of rows is too great for the list, or to see that all are wanted
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 5
    ORDER BY v <-> ''{3,3,3}'' LIMIT 9223372036854775807');
SELECT * FROM bounded('SELECT id FROM t ORDER BY v <-> ''{3,3,3}''
    LIMIT 9223372036854775807');
SELECT way FROM diskann_last_scan();

-- bounds that hold none or all of the rows, and the exact distance of one
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < -1
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{0,0,0}'' <= 0
    ORDER BY v <-> ''{0,0,0}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < ''infinity''
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < ''-infinity''
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < ''nan''
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < NULLIF(1, a)
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 1000
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' <=
    (SELECT v <-> ''{3,3,3}'' FROM t WHERE id = 77) ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <=> ''{0,0,0}'' < 1
    ORDER BY v <=> ''{0,0,0}''');

-- what looks like a bound
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,4}'' < 5
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <=> ''{3,3,3}'' < 0.02
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' > 5
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < a
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 5 OR a = 1
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE (v <-> ''{3,3,3}'') - 1 < 5
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE (v <-> ''{3,3,3}'') * -2 > -10
    ORDER BY v <-> ''{3,3,3}''');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 5 + 0 * random()
    ORDER BY v <-> ''{3,3,3}''');

-- parameters, of a statement and of a plan
PREPARE p AS SELECT count(*) FROM
    (SELECT id FROM t WHERE v <-> $1 < $2 ORDER BY v <-> $1) s;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
EXECUTE p('{3,3,3}', 5);
SELECT wanted, bound FROM diskann_last_scan();
EXECUTE p('{3,3,3}', 2);
SELECT wanted, bound FROM diskann_last_scan();
EXECUTE p('{3,3,3}', NULL);
SELECT wanted, bound FROM diskann_last_scan();
RESET plan_cache_mode;
SELECT r, count(*) FROM generate_series(2, 4) r, LATERAL
    (SELECT id FROM t WHERE v <-> ARRAY[r, r, r] <= r
    ORDER BY v <-> ARRAY[r, r, r] LIMIT 100) s GROUP BY r ORDER BY r;
SELECT wanted, bound FROM diskann_last_scan();
RESET enable_seqscan;

-- in any order, and with fewer nodes than the bound holds
SET diskann.iterative_search = relaxed_order;
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 5
    ORDER BY v <-> ''{3,3,3}'' LIMIT 1000');
SELECT * FROM bounded('SELECT id FROM t WHERE v <-> ''{3,3,3}'' < 1000
    ORDER BY v <-> ''{3,3,3}''');
RESET diskann.iterative_search;
SET diskann.max_scan_tuples = 50;
SELECT wrong, bound, short FROM bounded('SELECT id FROM t
    WHERE v <-> ''{3,3,3}'' < 10 ORDER BY v <-> ''{3,3,3}''');
RESET diskann.max_scan_tuples;

DROP TABLE t;
DROP FUNCTION bounded;
