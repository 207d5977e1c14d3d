--
-- What an index does not take, and how it says so; what it just takes
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET enable_seqscan = off;

CREATE TABLE t (id int, v real[]);
CREATE TABLE d (id int, v double precision[]);
CREATE INDEX t_idx ON t USING diskann (v);
CREATE INDEX d_idx ON d USING diskann (v);

--
-- As the first row of an index
--
INSERT INTO t VALUES (1, '{1,NaN,3}');
INSERT INTO t VALUES (1, '{1,Infinity,3}');
INSERT INTO t VALUES (1, '{1,2,-Infinity}');
INSERT INTO t VALUES (1, '{1,NULL,3}');
INSERT INTO t VALUES (1, '{{1,2,3}}');
INSERT INTO t VALUES (1, '{{1},{2},{3}}');
INSERT INTO t VALUES (1, '{}');
INSERT INTO t VALUES (1, '{1e30,0,0}');
INSERT INTO d VALUES (1, '{1,NaN,3}');
INSERT INTO d VALUES (1, '{1,NULL,3}');
INSERT INTO d VALUES (1, '{{1,2,3}}');
INSERT INTO d VALUES (1, '{}');
INSERT INTO d VALUES (1, '{1,2,1e39}');	-- no value of type real
INSERT INTO t SELECT 1, array_agg(i) FROM generate_series(1, 16001) i;
-- none of these has fixed the dimensions
SELECT nodes, tids FROM diskann_index_check('t_idx', true);
INSERT INTO t VALUES (1, '{1,2,3}');
INSERT INTO d VALUES (1, '{1,2,3}');

--
-- As a further one
--
INSERT INTO t VALUES (2, '{1,NaN,3}');
INSERT INTO t VALUES (2, '{Infinity,2,3}');
INSERT INTO t VALUES (2, '{1,NULL,3}');
INSERT INTO t VALUES (2, '{{1,2,3},{4,5,6}}');
INSERT INTO t VALUES (2, '{}');
INSERT INTO t VALUES (2, '{1,2}');
INSERT INTO t VALUES (2, '{1,2,3,4}');
INSERT INTO t VALUES (2, '{0,0,-1e30}');
INSERT INTO d VALUES (2, '{1,2,-1e39}');
INSERT INTO d VALUES (2, '{1,2}');
INSERT INTO t SELECT 2, array_agg(i) FROM generate_series(1, 16001) i;
UPDATE t SET v = '{1,2}';
UPDATE t SET v = v || 'NaN'::real;
-- the second row of a statement, after the first found the index ready
INSERT INTO t VALUES (2, '{2,2,2}'), (3, '{NaN,0,0}');
INSERT INTO t VALUES (2, '{2,2,2}'), (3, '{1,2}');
COPY t FROM stdin;
2	{3,3,3}
3	{1}
\.
SELECT id FROM t ORDER BY v <-> '{1,2,3}';

--
-- Where the table has one already
--
CREATE TABLE bad (v real[]);
INSERT INTO bad VALUES ('{1,2,3}'), ('{1,2}');
CREATE INDEX ON bad USING diskann (v);
TRUNCATE bad;
INSERT INTO bad VALUES ('{1,2,3}'), ('{1,2,NaN}');
CREATE INDEX ON bad USING diskann (v);
TRUNCATE bad;
INSERT INTO bad VALUES ('{1,2,3}'), ('{1,2,NULL}');
CREATE INDEX ON bad USING diskann (v);
TRUNCATE bad;
INSERT INTO bad VALUES ('{1,2,3}'), ('{}');
CREATE INDEX ON bad USING diskann (v);
TRUNCATE bad;
INSERT INTO bad VALUES ('{1,2,3}'), ('{{1,2,3}}');
CREATE INDEX ON bad USING diskann (v);
TRUNCATE bad;
INSERT INTO bad VALUES ('{1,2,3}'), ('{1,2,1e25}');
CREATE INDEX ON bad USING diskann (v);
CREATE INDEX ON bad USING diskann (v real_ip_ops);
CREATE INDEX bad_idx ON bad USING diskann (v real_cosine_ops);
DROP INDEX bad_idx;
-- after many good ones
TRUNCATE bad;
INSERT INTO bad SELECT ARRAY[i, 1, 1] FROM generate_series(1, 3000) i;
INSERT INTO bad VALUES ('{1,2}');
CREATE INDEX ON bad USING diskann (v);
DELETE FROM bad WHERE array_length(v, 1) = 2;
CREATE INDEX bad_idx ON bad USING diskann (v);
SELECT nodes, tids FROM diskann_index_check('bad_idx', true);
DROP TABLE bad;

--
-- Errors name the row and the index, and the hint fits the statement
--
\set SHOW_CONTEXT errors
CREATE TABLE named (v real[]);
INSERT INTO named VALUES ('{1,2,3}'), (NULL), ('{1,2}');
CREATE INDEX ON named USING diskann (v);
TRUNCATE named;
INSERT INTO named VALUES ('{1,NaN,3}');
CREATE INDEX ON named USING diskann (v);
UPDATE named SET v = '{1e30,0,0}';
VACUUM named;
CREATE INDEX named_v ON named USING diskann (v);
TRUNCATE named;
INSERT INTO named VALUES ('{1,2,3}'), ('{1,NULL,3}');
CREATE INDEX ON named USING diskann (v);
TRUNCATE named;
INSERT INTO named VALUES ('{{1,2},{3,4}}');
CREATE INDEX ON named USING diskann (v);
TRUNCATE named;
INSERT INTO named VALUES ('{1,2,3}');
CREATE INDEX named_v ON named USING diskann (v);
INSERT INTO named VALUES ('{1,2}');
INSERT INTO named VALUES ('{1,NaN,3}');
INSERT INTO named VALUES ('{1e30,0,0}');
INSERT INTO named VALUES ('{1,NULL,3}');
INSERT INTO named VALUES ('{{1,2},{3,4}}');
COPY named FROM stdin;
{1,2,4}
{1,2}
\.
UPDATE named SET v = v || '5'::real;
-- a query is nobody's row
SELECT v FROM named ORDER BY v <-> '{1,2}';
DROP TABLE named;
\set SHOW_CONTEXT never

--
-- As a query
--
SELECT id FROM t ORDER BY v <-> '{1,NaN,3}';
SELECT id FROM t ORDER BY v <-> '{1,Infinity,3}';
SELECT id FROM t ORDER BY v <-> '{1,NULL,3}';
SELECT id FROM t ORDER BY v <-> '{{1,2,3}}';
SELECT id FROM t ORDER BY v <-> '{}';
SELECT id FROM t ORDER BY v <-> '{1,2}';
SELECT id FROM t ORDER BY v <-> '{1,2,3,4}';
SELECT id FROM t ORDER BY v <-> '{1,2,1e30}';
SELECT id FROM t ORDER BY v <-> '{1,2,1e39}'::double precision[];
SELECT id FROM t ORDER BY v <-> '{1,2}'::double precision[];
SELECT id FROM d ORDER BY v <-> '{1,2}'::real[];
SELECT id FROM t ORDER BY v <-> ARRAY[1,2];
-- in the middle of a join
SELECT q.i, n.id FROM (VALUES (1, '{1,2,3}'::real[]), (2, '{1,2}')) q(i, v),
    LATERAL (SELECT id FROM t ORDER BY v <-> q.v LIMIT 1) n;
SELECT id FROM t ORDER BY v <-> '{1,2,3}';

--
-- Types and operator classes
--
CREATE TABLE types (a text[], b int[], c numeric[], d real, e real[][], f real[3]);
CREATE INDEX ON types USING diskann (a);
CREATE INDEX ON types USING diskann (a real_l2_ops);
CREATE INDEX ON types USING diskann (b);
CREATE INDEX ON types USING diskann (b real_l2_ops);
CREATE INDEX ON types USING diskann (c);
CREATE INDEX ON types USING diskann (d);
CREATE INDEX ON types USING diskann (f double_l2_ops);
CREATE INDEX ON types USING diskann (f no_such_ops);
CREATE INDEX ON types USING diskann (f COLLATE "C");
-- these are of type real[], whatever is written
CREATE INDEX types_e ON types USING diskann (e);
CREATE INDEX types_f ON types USING diskann (f);
INSERT INTO types (e, f) VALUES ('{1,2}', '{1,2}');
SELECT nodes FROM diskann_index_check('types_e', true);
SELECT nodes FROM diskann_index_check('types_f', true);
DROP TABLE types;

--
-- Length under L2 and inner product: its square must be a real
--
CREATE TABLE long (id int, v real[]);
CREATE INDEX long_l2 ON long USING diskann (v);
CREATE INDEX long_ip ON long USING diskann (v real_ip_ops);
INSERT INTO long VALUES (0, '{5e18,0}');
INSERT INTO long VALUES (1, '{4e18,0}'), (2, '{-4e18,0}'), (3, '{1e18,1e18}'),
    (4, '{0,0}'), (5, '{1e-30,0}'), (6, '{-1e-30,0}'), (7, '{1e10,0}');
SELECT id FROM long ORDER BY v <-> '{4.1e18,0}' LIMIT 2;
SELECT id FROM long ORDER BY v <-> '{1e-30,1e-31}' LIMIT 3;
SELECT id FROM long ORDER BY v <-> '{5e18,0}';
SELECT id FROM long ORDER BY v <#> '{1e18,0}' LIMIT 2;
SELECT nodes, tids FROM diskann_index_check('long_l2', true);
SELECT nodes, tids FROM diskann_index_check('long_ip', true);
REINDEX TABLE long;
SELECT id FROM long ORDER BY v <-> '{4.1e18,0}' LIMIT 2;
SELECT id FROM long ORDER BY v <-> '{1e-30,1e-31}' LIMIT 3;
SELECT id FROM long ORDER BY v <#> '{1e18,0}' LIMIT 2;
SELECT nodes, tids FROM diskann_index_check('long_l2', true);
SELECT nodes, tids FROM diskann_index_check('long_ip', true);
DROP TABLE long;

--
-- Length does not matter under cosine
--
CREATE TABLE cosine (id int, v real[]);
CREATE INDEX cosine_idx ON cosine USING diskann (v real_cosine_ops);
INSERT INTO cosine VALUES (1, '{3e38,0,0}'), (2, '{3e38,3e38,0}'),
    (3, '{0,1e-38,0}'), (4, '{0,1e-44,1e-44}'), (5, '{0,0,-1e-20}'),
    (6, '{1e-30,-1e-30,0}'), (7, '{0,0,0}');
SELECT id, round((v <=> '{1,0,0}')::numeric, 4) AS distance FROM cosine
WHERE id IN (1, 2) ORDER BY v <=> '{1,0,0}';
SELECT id, round((v <=> '{1e-38,2e-38,3e-40}')::numeric, 4) AS distance
FROM cosine ORDER BY v <=> '{1e-38,2e-38,3e-40}';
SELECT id, round((v <=> '{1e38,2e38,3e36}')::numeric, 4) AS distance
FROM cosine ORDER BY v <=> '{1e38,2e38,3e36}';
SELECT nodes, tids FROM diskann_index_check('cosine_idx', true);
REINDEX INDEX cosine_idx;
SELECT id FROM cosine ORDER BY v <=> '{1e38,2e38,3e36}';
SELECT nodes, tids FROM diskann_index_check('cosine_idx', true);
DROP TABLE cosine;

-- a zero vector has to have the dimensions of the others, wherever it comes
CREATE TABLE zero (v real[]);
CREATE INDEX zero_idx ON zero USING diskann (v real_cosine_ops);
INSERT INTO zero VALUES ('{1,2,3}');
INSERT INTO zero VALUES ('{0,0}');
INSERT INTO zero VALUES ('{1,2,4}'), ('{0,0}');
INSERT INTO zero VALUES ('{0,0,0}');
SELECT nodes, tids FROM diskann_index_check('zero_idx', true);
DROP TABLE zero;

--
-- Most dimensions: nodes of many pages
--
CREATE FUNCTION wide(seed int, dims int) RETURNS real[] LANGUAGE sql IMMUTABLE
    AS $$SELECT array_agg((hashint4extended(i, seed) % 1000)::real ORDER BY i)
         FROM generate_series(1, dims) i$$;
CREATE TABLE wide (id int, v real[]);
INSERT INTO wide SELECT 1, wide(1, 16001);
CREATE INDEX ON wide USING diskann (v);
TRUNCATE wide;
INSERT INTO wide SELECT i, wide(i, 16000) FROM generate_series(1, 12) i;
CREATE INDEX wide_int8 ON wide USING diskann (v)
    WITH (vector_storage = int8);
INSERT INTO wide SELECT i, wide(i, 16000) FROM generate_series(13, 24) i;
SELECT id FROM wide ORDER BY v <-> (SELECT v FROM wide WHERE id = 5) LIMIT 1;
SELECT id FROM wide ORDER BY v <-> (SELECT v FROM wide WHERE id = 20) LIMIT 1;
SELECT property, value FROM diskann_index_info('wide_int8')
WHERE property IN ('dimensions', 'vector_storage', 'pages_per_slot');
SELECT nodes, tids FROM diskann_index_check('wide_int8', true);
DROP INDEX wide_int8;
CREATE INDEX wide_float16 ON wide USING diskann (v real_cosine_ops)
    WITH (vector_storage = float16);
INSERT INTO wide SELECT i, wide(i, 16000) FROM generate_series(25, 30) i;
SELECT id FROM wide ORDER BY v <=> (SELECT v FROM wide WHERE id = 5) LIMIT 1;
SELECT id FROM wide ORDER BY v <=> (SELECT v FROM wide WHERE id = 30) LIMIT 1;
SELECT property, value FROM diskann_index_info('wide_float16')
WHERE property IN ('dimensions', 'vector_storage', 'pages_per_slot');
SELECT nodes, tids FROM diskann_index_check('wide_float16', true);
DROP INDEX wide_float16;
CREATE INDEX wide_float32 ON wide USING diskann (v real_ip_ops)
    WITH (vector_storage = float32);
INSERT INTO wide SELECT i, wide(i, 16000) FROM generate_series(31, 36) i;
SELECT id FROM wide ORDER BY v <#> (SELECT v FROM wide WHERE id = 5) LIMIT 1;
SELECT id FROM wide ORDER BY v <#> (SELECT v FROM wide WHERE id = 36) LIMIT 1;
SELECT property, value FROM diskann_index_info('wide_float32')
WHERE property IN ('dimensions', 'vector_storage', 'pages_per_slot');
DELETE FROM wide WHERE id % 2 = 0;
VACUUM wide;
SELECT count(*), count(DISTINCT id)
FROM (SELECT id FROM wide ORDER BY v <#> wide(99, 16000)) s;
SELECT nodes, tids FROM diskann_index_check('wide_float32', true);
DROP TABLE wide;
DROP FUNCTION wide(int, int);

--
-- Storage parameters
--
CREATE INDEX ON t USING diskann (v) WITH (no_such_parameter = 1);
CREATE INDEX ON t USING diskann (v) WITH (fillfactor = 50);
CREATE INDEX ON t USING diskann (v) WITH (num_neighbors = 9);
CREATE INDEX ON t USING diskann (v) WITH (num_neighbors = 0);
CREATE INDEX ON t USING diskann (v) WITH (num_neighbors = -2);
CREATE INDEX ON t USING diskann (v) WITH (num_neighbors = 1001);
CREATE INDEX ON t USING diskann (v) WITH (num_neighbors = many);
CREATE INDEX ON t USING diskann (v) WITH (num_neighbors);
CREATE INDEX ON t USING diskann (v) WITH (search_list_size = 9);
CREATE INDEX ON t USING diskann (v) WITH (search_list_size = 1001);
CREATE INDEX ON t USING diskann (v) WITH (max_alpha = 0.99);
CREATE INDEX ON t USING diskann (v) WITH (max_alpha = 5.01);
CREATE INDEX ON t USING diskann (v) WITH (max_alpha = NaN);
CREATE INDEX ON t USING diskann (v) WITH (max_alpha = high);
CREATE INDEX ON t USING diskann (v) WITH (num_dimensions = -1);
CREATE INDEX ON t USING diskann (v) WITH (num_dimensions = 5001);
CREATE INDEX ON t USING diskann (v) WITH (num_bits_per_dimension = -1);
CREATE INDEX ON t USING diskann (v) WITH (num_bits_per_dimension = 33);
CREATE INDEX ON t USING diskann (v) WITH (storage_layout = io_optimized);
CREATE INDEX ON t USING diskann (v) WITH (edge_bits = -1);
CREATE INDEX ON t USING diskann (v) WITH (edge_bits = 31);
CREATE INDEX ON t USING diskann (v) WITH (edge_bits = 1025);
CREATE INDEX ON t USING diskann (v) WITH (vector_storage = int4);
CREATE INDEX ON t USING diskann (v) WITH (vector_storage = 8);
CREATE INDEX ON t USING diskann (v) WITH (query_search_list_size = 0);
CREATE INDEX ON t USING diskann (v) WITH (query_search_list_size = 10001);
CREATE INDEX ON t USING diskann (v) WITH (num_neighbors = 32, num_neighbors = 64);
ALTER INDEX t_idx SET (no_such_parameter = 1);
ALTER INDEX t_idx SET (num_neighbors = 9);
ALTER INDEX t_idx SET (query_search_list_size = 0);

--
-- Settings
--
SET diskann.query_search_list_size = -2;
SET diskann.query_search_list_size = 0;
SET diskann.query_search_list_size = 10001;
SET diskann.query_search_list_size = many;
SET diskann.query_rescore = -2;
SET diskann.query_rescore = 10001;
SET diskann.iterative_search = on;
SET diskann.iterative_search = strict;
SET diskann.max_scan_tuples = -1;
SET diskann.simd = sse9;
SET diskann.simd = '';
-- from PostgreSQL 15 on no others of the name can be set
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{no_such_setting,query_search_list}'::text[] LOOP
        BEGIN
            PERFORM set_config('diskann.' || name, '1', false);
            ASSERT current_setting('server_version_num')::int < 150000, name;
        EXCEPTION WHEN invalid_name THEN
            NULL;
        END;
    END LOOP;
END $$;

-- error codes
\set VERBOSITY sqlstate
INSERT INTO t VALUES (9, '{1,NaN,3}');
INSERT INTO t VALUES (9, '{1,NULL,3}');
INSERT INTO t VALUES (9, '{{1,2,3}}');
INSERT INTO t VALUES (9, '{}');
INSERT INTO t VALUES (9, '{1,2}');
INSERT INTO t VALUES (9, '{1e30,0,0}');
INSERT INTO t SELECT 9, array_agg(i) FROM generate_series(1, 16001) i;
SELECT id FROM t ORDER BY v <-> '{1,2}';
CREATE INDEX ON t USING diskann (v) WITH (num_neighbors = 9);
CREATE INDEX ON t USING diskann (v) WITH (edge_bits = 31);
SET diskann.simd = sse9;
SET diskann.query_search_list_size = 0;
\set VERBOSITY default
SHOW diskann.query_search_list_size;

SELECT nodes, tids FROM diskann_index_check('t_idx', true);
SELECT nodes, tids FROM diskann_index_check('d_idx', true);
DROP TABLE t, d;
