--
-- Storage parameters and settings: what each does, and that results are right
-- with all of them
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT diskann_simd() <> '' AS loaded;

SELECT name, vartype, boot_val, min_val, max_val, enumvals, context
FROM pg_settings WHERE name LIKE 'diskann.%' ORDER BY name;

-- data: most of it is there when an index is built, the rest is inserted
\set dims 20
\set ECHO none
\i test/regress/vec.sql
\set ECHO all
CREATE TABLE rows AS SELECT i AS id, vec(i) AS v FROM generate_series(1, 450) i;
CREATE TABLE queries AS
    SELECT i AS id, vec(-i) AS v FROM generate_series(1, 20) i;

-- ids of the nearest rows, by the index and without
CREATE TABLE t (id int, v real[]);
CREATE FUNCTION by_index(q real[], op text, k int) RETURNS int[]
    LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE ids int[];
BEGIN
    EXECUTE format('SELECT array_agg(id) FROM '
        '(SELECT id FROM t ORDER BY v %s $1 LIMIT $2) s', op)
        INTO ids USING q, k;
    RETURN ids;
END$$;
CREATE FUNCTION by_table(q real[], op text, k int) RETURNS int[]
    LANGUAGE plpgsql SET enable_indexscan = off AS $$
DECLARE ids int[];
BEGIN
    EXECUTE format('SELECT array_agg(id) FROM '
        '(SELECT id FROM t ORDER BY v %s $1 LIMIT $2) s', op)
        INTO ids USING q, k;
    RETURN ids;
END$$;

-- how many queries get the same rows in the same order
CREATE FUNCTION equal_queries(op text, k int) RETURNS bigint LANGUAGE sql
    AS $$SELECT count(*) FROM queries
         WHERE by_index(v, op, k) = by_table(v, op, k)$$;

--
-- A statement written for pgvectorscale
--
INSERT INTO t SELECT * FROM rows WHERE id <= 400;
CREATE INDEX t_idx ON t USING diskann (v real_cosine_ops)
    WITH (num_neighbors = 50, search_list_size = 100, max_alpha = 1.2,
          num_dimensions = 16, num_bits_per_dimension = 2,
          storage_layout = 'memory_optimized');
SELECT reloptions FROM pg_class WHERE oid = 't_idx'::regclass;
SELECT property, value FROM diskann_index_info('t_idx')
WHERE property IN ('metric', 'max_degree', 'build_list_size', 'alpha',
                   'prefix_dimensions', 'bits_per_dimension', 'dimensions',
                   'coded_dimensions', 'edge_bits');
INSERT INTO t SELECT * FROM rows WHERE id > 400;
SET diskann.query_search_list_size = 1000;
SET diskann.query_rescore = 50;
SELECT equal_queries('<=>', 20);
RESET diskann.query_search_list_size;
RESET diskann.query_rescore;
SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
DROP INDEX t_idx;

-- what is taken for something else
CREATE INDEX t_idx ON t USING diskann (v) WITH (num_neighbors = 10);
DROP INDEX t_idx;
CREATE INDEX t_idx ON t USING diskann (v) WITH (num_neighbors = 47);
DROP INDEX t_idx;
CREATE INDEX t_idx ON t USING diskann (v) WITH (num_neighbors = 48);
DROP INDEX t_idx;
CREATE INDEX t_idx ON t USING diskann (v) WITH (num_neighbors = 1000);
DROP INDEX t_idx;
CREATE INDEX t_idx ON t USING diskann (v) WITH (num_bits_per_dimension = 32);
DROP INDEX t_idx;
CREATE INDEX t_idx ON t USING diskann (v) WITH (storage_layout = plain);
DROP INDEX t_idx;
-- said once, also where an empty copy of the index is kept
CREATE UNLOGGED TABLE unlogged (v real[]);
CREATE INDEX unlogged_idx ON unlogged USING diskann (v)
    WITH (num_neighbors = 50);
REINDEX INDEX unlogged_idx;
DROP TABLE unlogged;
-- and what is not
CREATE INDEX t_idx ON t USING diskann (v)
    WITH (num_neighbors = 128, num_bits_per_dimension = 1, num_dimensions = 5000,
          storage_layout = bq_compression, search_list_size = 10,
          max_alpha = 5, query_search_list_size = 10000);
SELECT property, value FROM diskann_index_info('t_idx')
WHERE property IN ('max_degree', 'build_list_size', 'alpha',
                   'prefix_dimensions', 'bits_per_dimension',
                   'coded_dimensions', 'edge_bits');
SELECT equal_queries('<->', 20);
DROP INDEX t_idx;
CREATE INDEX t_idx ON t USING diskann (v)
    WITH (num_neighbors = -1, num_dimensions = 0, num_bits_per_dimension = 0,
          edge_bits = 0, vector_storage = auto);
DROP INDEX t_idx;

--
-- Each vector storage with few and many edge bits, for each distance.  With a
-- list as long as the table, results are those of a sort.
--
CREATE FUNCTION try_index(opclass text, op text, options text,
                          OUT equal bigint, OUT nodes bigint, OUT tids bigint)
    LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE t;
    INSERT INTO t SELECT * FROM rows WHERE id <= 400;
    EXECUTE format('CREATE INDEX t_idx ON t USING diskann (v %s) WITH (%s)',
                   opclass, options);
    INSERT INTO t SELECT * FROM rows WHERE id > 400;
    equal := equal_queries(op, 20);
    SELECT c.nodes, c.tids INTO nodes, tids
    FROM diskann_index_check('t_idx', true) c;
    DROP INDEX t_idx;
END$$;
SET diskann.query_search_list_size = 1000;
SELECT opclass, storage, bits, i.*
FROM (VALUES ('real_l2_ops', '<->'), ('real_cosine_ops', '<=>'),
             ('real_ip_ops', '<#>')) o(opclass, op),
     (VALUES ('int8'), ('int10'), ('int12'), ('float16'), ('float32')) s(storage),
     (VALUES (32), (512)) b(bits),
     LATERAL try_index(opclass, op,
        format('vector_storage = %s, edge_bits = %s', storage, bits)) i
ORDER BY bits, opclass, storage;
-- one bit a dimension, one dimension, many neighbors
SELECT options, i.*
FROM (VALUES ('num_bits_per_dimension = 1'), ('num_dimensions = 1'),
             ('num_neighbors = 128, search_list_size = 200'),
             ('max_alpha = 1'), ('max_alpha = 2')) o(options),
     LATERAL try_index('real_l2_ops', '<->', options) i;
RESET diskann.query_search_list_size;

-- what is chosen, by dimensions
CREATE FUNCTION layout(dims int, options text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    layout text;
BEGIN
    CREATE TABLE one AS SELECT array_fill(1::real, ARRAY[dims]) AS v;
    EXECUTE 'CREATE INDEX one_idx ON one USING diskann (v) ' || options;
    SELECT string_agg(value, ' ' ORDER BY n) INTO layout
    FROM diskann_index_info('one_idx') i
         JOIN unnest('{vector_storage,coded_dimensions,bits_per_dimension,slots_per_page,pages_per_slot,slot_bytes}'::text[])
              WITH ORDINALITY p(property, n) USING (property);
    DROP TABLE one;
    RETURN layout;
END$$;
SELECT dims, layout(dims, '')
FROM unnest('{3,32,128,200,256,257,384,512,768,784,960,1280,1536,3072,16000}'::int[]) dims;
SELECT dims, options, layout(dims, format('WITH (%s)', options))
FROM (VALUES (128, 'num_neighbors = 64'), (256, 'edge_bits = 512'),
             (784, 'edge_bits = 384'), (784, 'edge_bits = 128'),
             (784, 'vector_storage = int8'), (784, 'vector_storage = int12'),
             (784, 'num_dimensions = 200')) o(dims, options);

-- with the default list, nearly so
TRUNCATE t;
INSERT INTO t SELECT * FROM rows WHERE id <= 400;
CREATE INDEX t_idx ON t USING diskann (v);
INSERT INTO t SELECT * FROM rows WHERE id > 400;
SELECT count(*) > 0.98 * 20 * 10 AS found
FROM queries q, LATERAL unnest(by_index(v, '<->', 10)) n(id)
WHERE n.id = ANY (by_table(v, '<->', 10));

--
-- The search list: of an index, of a session, of a transaction
--
SET enable_seqscan = off;
SET diskann.iterative_search = off;
CREATE FUNCTION rows_found() RETURNS bigint LANGUAGE sql
    AS $$SELECT count(*) FROM
         (SELECT id FROM t ORDER BY v <-> vec(-1)) s$$;
SELECT rows_found() BETWEEN 100 AND 300 AS by_default;
ALTER INDEX t_idx SET (query_search_list_size = 10);
SELECT rows_found() BETWEEN 10 AND 99 AS of_index;
SET diskann.query_search_list_size = 10000;
SELECT rows_found();
BEGIN;
SET LOCAL diskann.query_search_list_size = 1;
SELECT rows_found() BETWEEN 1 AND 9 AS of_transaction;
COMMIT;
SELECT rows_found();
SET diskann.query_search_list_size = -1;
SELECT rows_found() BETWEEN 10 AND 99 AS of_index;
ALTER INDEX t_idx RESET (query_search_list_size);
SELECT rows_found() BETWEEN 100 AND 300 AS by_default;
RESET diskann.query_search_list_size;

-- others are frozen until the index is built again
ALTER INDEX t_idx SET (num_neighbors = 64, vector_storage = float16);
SELECT property, value FROM diskann_index_info('t_idx')
WHERE property IN ('max_degree', 'vector_storage');
REINDEX INDEX t_idx;
SELECT property, value FROM diskann_index_info('t_idx')
WHERE property IN ('max_degree', 'vector_storage');

--
-- What happens when more rows are wanted than the list holds
--
CREATE FUNCTION stream(OUT n bigint, OUT n_distinct bigint,
                       OUT inversions bigint, OUT largest float8)
    LANGUAGE sql AS $$
    SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE d < before),
           max(1 - d / before)
    FROM (SELECT id, d, lag(d) OVER (ORDER BY i) AS before
          FROM (SELECT id, d, row_number() OVER () AS i
                FROM (SELECT id, v <-> vec(-2) AS d FROM t
                      ORDER BY v <-> vec(-2) LIMIT 440) a) b) c$$;
SET diskann.iterative_search = off;
SELECT n BETWEEN 100 AND 300 AS n, n_distinct = n AS n_distinct, inversions
FROM stream();
SET diskann.iterative_search = strict_order;
SELECT n, n_distinct, inversions FROM stream();
SET diskann.iterative_search = relaxed_order;
SELECT n, n_distinct, largest < 0.01 AS nearly FROM stream();
-- as many visits as allowed, though at least the list's
SET diskann.max_scan_tuples = 200;
SELECT n BETWEEN 150 AND 200 AS n, n_distinct = n AS n_distinct FROM stream();
SET diskann.iterative_search = strict_order;
SELECT n BETWEEN 150 AND 200 AS n, n_distinct = n AS n_distinct, inversions
FROM stream();
SET diskann.max_scan_tuples = 1;
SELECT n BETWEEN 100 AND 300 AS n, n_distinct = n AS n_distinct, inversions
FROM stream();
SET diskann.max_scan_tuples = 100000;
SELECT n, n_distinct, inversions FROM stream();
RESET diskann.max_scan_tuples;
-- a setting changed under an open cursor is for the next
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY v <-> vec(-2);
MOVE 1 IN c;
SET LOCAL diskann.iterative_search = off;
DO $$
DECLARE
    c refcursor := 'c';
    n int;
BEGIN
    MOVE FORWARD ALL IN c;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE NOTICE '% more rows', n;
END$$;
COMMIT;
RESET diskann.iterative_search;

--
-- Comparing by the rows themselves: not at all, at least 10, as many as needed
--
SET diskann.query_search_list_size = 1000;
SET diskann.query_rescore = 0;
SELECT n, n_distinct, largest < 0.01 AS nearly FROM stream();
SET diskann.query_rescore = 10;
SELECT n, n_distinct, inversions FROM stream();
SELECT equal_queries('<->', 20);
SET diskann.query_rescore = -1;
SELECT n, n_distinct, inversions FROM stream();
SELECT equal_queries('<->', 20);
SET diskann.query_rescore = 10000;
SELECT equal_queries('<->', 20);
RESET diskann.query_rescore;

--
-- Kernels
--
SET diskann.simd = scalar;
SELECT diskann_simd();
SELECT equal_queries('<->', 20);
REINDEX INDEX t_idx;
SET diskann.simd = auto;
SELECT equal_queries('<->', 20);
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
BEGIN;
SET LOCAL diskann.simd = scalar;
SELECT diskann_simd();
ROLLBACK;
SELECT diskann_simd() = current_setting('diskann.simd') AS still_scalar;
RESET diskann.simd;
RESET diskann.query_search_list_size;

-- parameters of a partitioned index are those of its partitions
CREATE TABLE parts (id int, v real[]) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE INDEX parts_idx ON parts USING diskann (v) WITH (num_neighbors = 96);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
SELECT relname, reloptions FROM pg_class
WHERE relname LIKE 'parts%idx' ORDER BY relname;
DROP TABLE parts;

SELECT nodes, tids, empty, orphans FROM diskann_index_check('t_idx', true);
DROP TABLE t, rows, queries;
DROP FUNCTION by_index, by_table, equal_queries, layout, try_index, rows_found,
    stream, vec;
