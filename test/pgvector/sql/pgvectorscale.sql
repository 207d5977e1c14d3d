-- What statements written for pgvectorscale ask for, and what its users rely
-- on
SET client_min_messages = warning;
CREATE EXTENSION diskann_pgvector CASCADE;

-- Vectors that look random and are the same everywhere
CREATE FUNCTION vec(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(hashint8extended(d, seed) % 10000 / 10000.0::real ORDER BY d)::vector
   FROM generate_series(1, dims) d $$;

-- Its parameters, with their ranges
CREATE TABLE o (embedding vector(60));
INSERT INTO o SELECT vec(i, 60) FROM generate_series(1, 100) i;
SET client_min_messages = notice;
CREATE INDEX o1 ON o USING diskann (embedding vector_cosine_ops)
	WITH (num_neighbors=50, search_list_size=100, max_alpha=1.2, num_dimensions=20,
	num_bits_per_dimension=2, storage_layout=memory_optimized);
CREATE INDEX o2 ON o USING diskann (embedding);
CREATE INDEX o3 ON o USING diskann (embedding) WITH (storage_layout = plain);
CREATE INDEX o4 ON o USING diskann (embedding vector_l2_ops)
	WITH (storage_layout = Memory_Optimized, num_neighbors = -1, num_dimensions = 0);
CREATE INDEX o5 ON o USING diskann (embedding vector_ip_ops)
	WITH (storage_layout = plain, num_neighbors = 40, num_bits_per_dimension = 5);
CREATE INDEX o6 ON o USING diskann (embedding) WITH (storage_layout = io_optimized);
CREATE INDEX o6 ON o USING diskann (embedding) WITH (num_neighbors = 9);
CREATE INDEX o6 ON o USING diskann (embedding) WITH (num_neighbors = 1001);
CREATE INDEX o6 ON o USING diskann (embedding) WITH (search_list_size = 9);
CREATE INDEX o6 ON o USING diskann (embedding) WITH (max_alpha = 5.1);
CREATE INDEX o6 ON o USING diskann (embedding) WITH (num_dimensions = 5001);
CREATE INDEX o6 ON o USING diskann (embedding) WITH (num_bits_per_dimension = 33);
SET client_min_messages = warning;
SELECT c.relname, c.reloptions, string_agg(property || ' ' || value, ', ' ORDER BY property)
	FROM pg_class c, diskann_index_info(c.oid)
	WHERE c.relname ~ '^o[0-9]$'
	AND property IN ('metric', 'max_degree', 'build_list_size', 'alpha', 'prefix_dimensions',
		'bits_per_dimension', 'coded_dimensions')
	GROUP BY 1, 2 ORDER BY 1;
BEGIN;
SET LOCAL diskann.query_search_list_size = 10;
SET LOCAL diskann.query_rescore = 20;
SET LOCAL enable_seqscan = off;
SELECT count(*) FROM (SELECT FROM o ORDER BY embedding <=> vec(1, 60) LIMIT 10) s;
COMMIT;
SHOW diskann.query_search_list_size;
SHOW diskann.query_rescore;
SET diskann.query_rescore = 1000;
SET diskann.query_search_list_size = 10000;
RESET ALL;
SET client_min_messages = warning;
SET enable_seqscan = off;
SET enable_sort = off;

-- Build, scan to the end, insert, and the ten nearest by the index and without
CREATE FUNCTION try(opclass text, op text, dims int, options text)
RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	query vector := vec(1001, dims);
	wrong text := '';
	n int;
	plan text;
	by_index int[];
	exact int[];
BEGIN
	EXECUTE format('CREATE TABLE a (id serial, embedding vector(%s))', dims);
	INSERT INTO a (embedding) SELECT vec(i, dims) FROM generate_series(1, 300) i;
	EXECUTE format('CREATE INDEX a_idx ON a USING diskann (embedding %I) %s',
		opclass, options);
	SET LOCAL diskann.query_search_list_size = 2;
	EXECUTE format('EXPLAIN SELECT * FROM a ORDER BY embedding %s $1', op)
		INTO plan USING query;
	IF plan NOT LIKE 'Index Scan using a_idx%' THEN
		wrong := wrong || plan;
	END IF;
	EXECUTE format('SELECT count(*) FROM (SELECT DISTINCT ctid FROM
		(SELECT ctid FROM a ORDER BY embedding %s $1) s) s', op) INTO n USING query;
	IF n <> 300 THEN wrong := wrong || format(' %s of 300', n); END IF;

	-- two of its own kind, and ten all alike
	INSERT INTO a (embedding) VALUES (vec(2001, dims)), (vec(2002, dims));
	INSERT INTO a (embedding) SELECT query FROM generate_series(1, 10);
	SET LOCAL diskann.query_search_list_size = 25;
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM
		(SELECT id FROM a ORDER BY embedding %s $1 LIMIT 10) s', op)
		INTO by_index USING query;
	SET LOCAL diskann.query_search_list_size = 2;
	EXECUTE format('SELECT count(*) FROM (SELECT DISTINCT ctid FROM
		(SELECT ctid FROM a ORDER BY embedding %s $1) s) s', op) INTO n USING query;
	IF n <> 312 THEN wrong := wrong || format(' %s of 312', n); END IF;
	SET LOCAL enable_indexscan = off;
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM
		(SELECT id FROM a ORDER BY embedding %s $1 LIMIT 10) s', op)
		INTO exact USING query;
	SET LOCAL enable_indexscan = on;
	IF by_index <> exact THEN
		wrong := wrong || format(' %s not %s', by_index, exact);
	END IF;

	-- every vector becomes another one
	UPDATE a SET embedding = vec(id + 5000, dims);
	EXECUTE format('SELECT count(*) FROM (SELECT FROM a ORDER BY embedding %s $1) s',
		op) INTO n USING query;
	IF n <> 312 THEN wrong := wrong || format(' %s after the update', n); END IF;
	PERFORM diskann_index_check('a_idx', true);
	DROP TABLE a;
	RETURN wrong;
END
$$;
SELECT opclass, options, dims, try(opclass, op, dims, options) AS wrong
	FROM (VALUES ('vector_cosine_ops', '<=>'), ('vector_l2_ops', '<->'),
			('vector_ip_ops', '<#>')) o(opclass, op),
		(VALUES ('', 1536), ('', 3072), ('WITH (num_neighbors = 38)', 1536),
			('WITH (storage_layout = plain)', 1536),
			('WITH (num_dimensions = 768)', 1536),
			('WITH (num_neighbors = 50, num_bits_per_dimension = 2)', 128)) p(options, dims);

-- Few rows
CREATE TABLE s (embedding vector(3));
CREATE INDEX s_idx ON s USING diskann (embedding);
INSERT INTO s VALUES ('[1,1,1]'), ('[2,2,2]'), ('[3,3,3]');
SELECT count(*) FROM (SELECT FROM s ORDER BY embedding <=> '[0,0,0]') q;
SELECT count(*) FROM (SELECT FROM s ORDER BY embedding <=> NULL LIMIT 3) q;
DROP INDEX s_idx;
CREATE INDEX s_idx ON s USING diskann (embedding vector_l2_ops);
SELECT (SELECT embedding FROM s ORDER BY embedding <-> q LIMIT 1)
	FROM unnest('{"[1,1,1]","[2,2,2]","[3,3,3]"}'::vector[]) q;
SET diskann.query_rescore = 0;
SELECT embedding FROM s ORDER BY embedding <-> '[3,3,3]' LIMIT 1;
SET diskann.query_rescore = 2;
SELECT embedding FROM s ORDER BY embedding <-> '[1,1,1]' LIMIT 1;
RESET diskann.query_rescore;
DROP INDEX s_idx;
CREATE INDEX s_idx ON s USING diskann (embedding vector_ip_ops);
SELECT (SELECT embedding FROM s ORDER BY embedding <#> q LIMIT 1)
	FROM unnest('{"[1,1,1]","[2,2,2]","[3,3,3]"}'::vector[]) q;
DELETE FROM s;
INSERT INTO s VALUES ('[1,2,3]'), ('[3,2,1]');
SELECT count(*) FROM (SELECT FROM s ORDER BY embedding <#> '[1,1,1]') q;
DROP TABLE s;

-- VACUUM, VACUUM FULL, and rows that were NULL
CREATE TABLE v (id int, embedding vector(1536));
INSERT INTO v SELECT i, vec(i, 1536) FROM generate_series(1, 300) i;
INSERT INTO v VALUES (301, NULL);
UPDATE v SET embedding = vec(301, 1536) WHERE id = 301;
CREATE INDEX v_idx ON v USING diskann (embedding);
SELECT count(*) FROM (SELECT FROM v ORDER BY embedding <=> vec(1, 1536)) q;
DELETE FROM v WHERE id = (SELECT id FROM v ORDER BY embedding <=> vec(1, 1536) LIMIT 1);
VACUUM v;
SELECT count(*) FROM (SELECT FROM v ORDER BY embedding <=> vec(1, 1536)) q;
INSERT INTO v VALUES (302, vec(302, 1536));
SELECT count(*) FROM (SELECT FROM v ORDER BY embedding <=> vec(1, 1536)) q;
VACUUM FULL v;
SELECT count(*) FROM (SELECT FROM v ORDER BY embedding <=> vec(1, 1536)) q;
SELECT id FROM v ORDER BY embedding <=> vec(302, 1536) LIMIT 1;
DROP TABLE v;

-- Labels, with its operator class or without
CREATE TABLE l (id int, embedding vector(8), labels smallint[]);
INSERT INTO l SELECT i, vec(i, 8), CASE WHEN i % 10 > 0 THEN ARRAY[i % 7, i % 3, i % 5] END
	FROM generate_series(1, 500) i;
CREATE INDEX l_idx ON l USING diskann (embedding vector_cosine_ops, labels vector_smallint_label_ops);
CREATE FUNCTION try_labels(condition text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	query text := 'SELECT array_agg(id) FROM (SELECT id FROM l WHERE ' || condition ||
		' ORDER BY embedding <=> vec(1001, 8) LIMIT 20) s';
	by_index int[];
	exact int[];
	plan text := '';
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line;
	END LOOP;
	EXECUTE query INTO by_index;
	SET LOCAL enable_indexscan = off;
	EXECUTE query INTO exact;
	SET LOCAL enable_indexscan = on;
	RETURN substring(plan FROM 'Index Cond: .*[)]') || CASE WHEN by_index = exact THEN '' ELSE ' wrong' END;
END
$$;
CREATE TABLE conditions AS SELECT * FROM unnest('{"labels && ARRAY[1, 2]", "labels && ARRAY[1, 2]::smallint[]",
	"labels && ''{3,4}''", "ARRAY[1] && labels", "labels && ''{1}'' AND labels IS NOT NULL",
	"labels IS NULL", "labels @> ''{1,2}''"}'::text[]) c;
SELECT c, try_labels(c) FROM conditions;
DROP INDEX l_idx;
CREATE INDEX l_idx ON l USING diskann (embedding, labels);
SELECT c, try_labels(c) FROM conditions;
SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcname = 'vector_smallint_label_ops';
DROP TABLE l, conditions;

-- Points of a plane, short lists: every one can be reached
CREATE TABLE p (embedding vector(2));
INSERT INTO p SELECT ARRAY[i % 40, i / 40 * 1.1]::vector FROM generate_series(0, 999) i;
CREATE INDEX p_idx ON p USING diskann (embedding vector_l2_ops)
	WITH (num_neighbors = 10, search_list_size = 10);
SELECT tids, unreachable FROM diskann_index_check('p_idx');
SELECT count(*) FROM (SELECT FROM p ORDER BY embedding <-> '[7,7]') q;
TRUNCATE p;
INSERT INTO p SELECT ARRAY[i % 40, i / 40 * 1.1]::vector FROM generate_series(0, 999) i;
SELECT tids, unreachable FROM diskann_index_check('p_idx');
SELECT count(*) FROM (SELECT FROM p ORDER BY embedding <-> '[7,7]') q;
DROP TABLE p;

-- Many dimensions
CREATE FUNCTION try_long(dims int) RETURNS int LANGUAGE plpgsql AS
$$
DECLARE
	n int;
BEGIN
	EXECUTE format('CREATE TABLE l (embedding vector(%s))', dims);
	INSERT INTO l SELECT vec(i, dims) FROM generate_series(1, 100) i;
	CREATE INDEX l_idx ON l USING diskann (embedding);
	INSERT INTO l SELECT vec(i, dims) FROM generate_series(101, 120) i;
	SELECT count(*) INTO n FROM (SELECT FROM l ORDER BY embedding <=> vec(1, dims)) q;
	DROP TABLE l;
	RETURN n;
END
$$;
SELECT d, try_long(d) FROM unnest('{4000,8000,12000,16000}'::int[]) d;

-- Little memory for the build
SET maintenance_work_mem = '1MB';
CREATE TABLE m (embedding vector(1536));
INSERT INTO m SELECT vec(i, 1536) FROM generate_series(1, 2000) i;
CREATE INDEX m_idx ON m USING diskann (embedding);
SELECT tids, unreachable FROM diskann_index_check('m_idx', true);
SELECT count(*) FROM (SELECT FROM m ORDER BY embedding <=> vec(1, 1536)) q;
DROP TABLE m;
RESET maintenance_work_mem;

-- Only one such access method in a database, and a clear word about it
\set SHOW_CONTEXT never
DROP EXTENSION diskann CASCADE;
CREATE ACCESS METHOD diskann TYPE INDEX HANDLER bthandler;
CREATE EXTENSION diskann;
ALTER EXTENSION plpgsql ADD ACCESS METHOD diskann;
CREATE EXTENSION diskann;
ALTER EXTENSION plpgsql DROP ACCESS METHOD diskann;
DROP ACCESS METHOD diskann;
