-- Rows come in the order of pgvector's operators, bit for bit, also where these
-- round more than the rows differ: close together and far from the origin
SET client_min_messages = warning;
CREATE EXTENSION diskann_pgvector CASCADE;
CREATE TABLE t (id int, v vector(768), h halfvec(768));
INSERT INTO t SELECT i, array_agg((1 + x * 0.0000003)::real)::vector,
		array_agg((1 + x * 0.00001)::real)::halfvec
	FROM (SELECT i, hashint8extended(d, i) % 1000 AS x
		FROM generate_series(1, 2000) i, generate_series(1, 768) d ORDER BY i, d) s
	GROUP BY i;
CREATE FUNCTION inversions(opclass text, op text, col text) RETURNS bigint
LANGUAGE plpgsql AS
$$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('CREATE INDEX t_idx ON t USING diskann (%I %I)', col, opclass);
	EXECUTE format('SELECT count(*) FILTER (WHERE d < before) FROM
		(SELECT d, lag(d) OVER (PARTITION BY id ORDER BY n) AS before
		FROM (SELECT * FROM t WHERE id <= 100) q, LATERAL
			(SELECT row_number() OVER () AS n, d FROM (SELECT t.%1$I %2$s q.%1$I AS d
				FROM t ORDER BY t.%1$I %2$s q.%1$I LIMIT 200) x) s) r', col, op)
		INTO result;
	DROP INDEX t_idx;
	RETURN result;
END
$$;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT opclass, inversions(opclass, op, left(opclass, 1))
	FROM (VALUES ('vector_cosine_ops', '<=>'), ('vector_l2_ops', '<->'),
		('vector_ip_ops', '<#>'), ('halfvec_cosine_ops', '<=>'),
		('halfvec_l2_ops', '<->'), ('halfvec_ip_ops', '<#>')) o(opclass, op);
DROP TABLE t;
DROP EXTENSION diskann CASCADE;
