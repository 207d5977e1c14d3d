--
-- Scans that go on: every row once, in order
--
-- A row that turns up after a farther one was returned comes last of all, so
-- what is before the last few rows of a whole scan is in order.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET enable_seqscan = off;

CREATE FUNCTION vec(i int) RETURNS real[] LANGUAGE sql IMMUTABLE
    AS $$SELECT array_agg((hashint4extended(i, k) % 1000)::real ORDER BY k)
         FROM generate_series(1, 8) k$$;
CREATE TABLE t (id int, v real[]) WITH (autovacuum_enabled = off);

-- the first k rows by index: how many, how many different, steps backward, and
-- how many of the k nearest are missing, in parts per thousand, rounded
CREATE FUNCTION stream(q real[], op text, k int,
                       OUT n bigint, OUT n_distinct bigint,
                       OUT inversions bigint, OUT missing bigint)
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TEMP TABLE got AS SELECT row_number() OVER () AS i, s.*
        FROM (SELECT id, v %1$s $1 AS d FROM t ORDER BY v %1$s $1 LIMIT $2) s',
        op) USING q, k;
    SELECT count(*), count(DISTINCT id) INTO n, n_distinct FROM got;
    SELECT count(*) INTO inversions
    FROM (SELECT d, lag(d) OVER (ORDER BY i) AS before FROM got) s
    WHERE d < before;
    EXECUTE format('SELECT 1000 * count(*) / greatest($2, 1) FROM got
        WHERE d > (SELECT max(d) FROM
            (SELECT v %1$s $1 AS d FROM t ORDER BY d OFFSET 0 LIMIT $2) s)',
        op) INTO missing USING q, k;
    DROP TABLE got;
END$$;
-- the truth above is by a sort
ALTER FUNCTION stream SET enable_indexscan = on;

INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 5000) i;
