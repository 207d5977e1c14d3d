-- Distances between values of two types, pgvector's and arrays: which there
-- are, and that the index of a column serves whatever the other side is, on
-- either side
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION diskann_pgvector CASCADE;
RESET client_min_messages;

CREATE TABLE t (id int, r real[], d float8[], v vector(3), h halfvec(3));
INSERT INTO t SELECT i, a, a, a, a
	FROM (SELECT i, ARRAY[i % 10, i / 10, (i * 7) % 11]::real[] AS a
		FROM generate_series(1, 200) i) s;
CREATE INDEX t_r ON t USING diskann (r);
CREATE INDEX t_d ON t USING diskann (d);
CREATE INDEX t_v ON t USING diskann (v vector_l2_ops);
CREATE INDEX t_h ON t USING diskann (h halfvec_l2_ops);
CREATE INDEX t_ri ON t USING diskann (r real_ip_ops);
CREATE INDEX t_vi ON t USING diskann (v vector_ip_ops);
CREATE INDEX t_rc ON t USING diskann (r real_cosine_ops);
CREATE INDEX t_vc ON t USING diskann (v vector_cosine_ops);
ANALYZE t;
SET enable_seqscan = off;

-- The index that serves, and the nearest row
CREATE FUNCTION nearest(expression text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	line text;
	index text := '-';
	nearest int;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY ' ||
			expression || ' LIMIT 1' LOOP
		index := coalesce(substring(line FROM 'Index Scan using (\w+)'), index);
	END LOOP;
	EXECUTE 'SELECT id FROM t ORDER BY ' || expression || ' LIMIT 1' INTO nearest;
	RETURN index || ' ' || nearest;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END
$$;
CREATE TABLE queries (n serial, query text);
INSERT INTO queries (query) VALUES ('ARRAY[3,4,5]::smallint[]'), ('ARRAY[3,4,5]'),
	('ARRAY[3,4,5]::bigint[]'), ('ARRAY[3,4.2,5]'), ('ARRAY[3,4,5]::real[]'),
	('ARRAY[3,4,5]::float8[]'), ('''[3,4,5]''::vector'),
	('''[3,4,5]''::halfvec'), ('''{1:3,2:4,3:5}/3''::sparsevec'),
	('''{3,4,5}'''), ('''[3,4,5]''');
SELECT c AS column, query, nearest(c || ' <-> ' || query) AS column_left,
		nearest(query || ' <-> ' || c) AS column_right
	FROM unnest('{r,d,v,h}'::text[]) WITH ORDINALITY c(c, i), queries
	ORDER BY i, n;
SELECT c AS column, query, nearest(c || ' <#> ' || query) AS ip,
		nearest(c || ' <=> ' || query) AS cosine
	FROM unnest('{r,v}'::text[]) WITH ORDINALITY c(c, i), queries
	WHERE query NOT LIKE '''%''' ORDER BY i, n;

-- Parameters, once the plan is for any of them
SET plan_cache_mode = force_generic_plan;
PREPARE vector_for_real (vector) AS SELECT id FROM t ORDER BY r <-> $1 LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE vector_for_real ('[3,4,5]');
EXECUTE vector_for_real ('[3,4,5]');
PREPARE real_for_vector (real[]) AS SELECT id FROM t ORDER BY $1 <-> v LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE real_for_vector ('{3,4,5}');
EXECUTE real_for_vector ('{3,4,5}');
PREPARE int2_for_vector (int2[]) AS SELECT id FROM t ORDER BY v <-> $1 LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE int2_for_vector ('{3,4,5}');
EXECUTE int2_for_vector ('{3,4,5}');
RESET plan_cache_mode;
DEALLOCATE ALL;

-- A column of another table is a parameter to the inner side of a join
SET enable_seqscan = on;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT q.id, n.id FROM t q,
	LATERAL (SELECT id FROM t ORDER BY r <-> q.v LIMIT 1) n WHERE q.id < 4;
SELECT q.id, n.id FROM t q,
	LATERAL (SELECT id FROM t ORDER BY r <-> q.v LIMIT 1) n WHERE q.id < 4;
SELECT count(*) FROM t q,
	LATERAL (SELECT id FROM t ORDER BY q.r <-> v LIMIT 1) n WHERE q.id = n.id;
RESET enable_sort;
SET enable_seqscan = off;

-- Without a column on either side, or with one on both
SELECT '{1,2}'::real[] <-> '[4,6]'::vector AS rv, '[4,6]'::vector <-> '{1,2}'::real[] AS vr,
	ARRAY[1,2] <-> '[4,6]'::vector AS iv, ARRAY[1,2] <=> '[2,4]'::halfvec AS ih,
	'[1,2]'::halfvec <#> '[4,6]'::vector AS hv;
SELECT count(*) FROM t WHERE r <-> v <> 0 OR v <-> d <> 0 OR d <-> h <> 0
	OR h <-> r <> 0 OR v <-> h <> 0 OR h <-> v <> 0;

-- No pair is left out, and each operator has its commutator
WITH types (a) AS (SELECT unnest(
	'{real[],float8[],int2[],int4[],int8[],numeric[],vector,halfvec}'::regtype[]))
SELECT name, x.a, y.a
	FROM unnest('{<->,<#>,<=>}'::text[]) name, types x, types y
	WHERE NOT EXISTS (SELECT FROM pg_operator o JOIN pg_operator c ON c.oid = o.oprcom
		WHERE o.oprname = name AND o.oprleft = x.a AND o.oprright = y.a
		AND o.oprcode <> 0 AND c.oprname = name AND c.oprleft = y.a
		AND c.oprright = x.a AND c.oprcom = o.oid);

-- What cannot be converted
SELECT '[1,2]'::vector <-> ARRAY[1e39,1];
SELECT '[1,2]'::vector <-> ARRAY[1,NULL];
SELECT '[1,2]'::vector <-> ARRAY[1,2,3];
SELECT '[1,2]'::halfvec <-> ARRAY[100000,1];
SELECT '[1,2]'::vector <-> ARRAY['1','2'];
DROP TABLE t, queries;
DROP FUNCTION nearest(text);
SET client_min_messages = warning;
DROP EXTENSION diskann CASCADE;
