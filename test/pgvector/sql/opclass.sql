-- Operator classes for pgvector's types
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION diskann_pgvector CASCADE;
RESET client_min_messages;
SELECT opcname, opcintype::regtype, opcdefault, amvalidate(c.oid)
	FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
	WHERE amname = 'diskann' ORDER BY 2, 1;

CREATE TABLE t (id int, v vector(3), h halfvec(3));
INSERT INTO t VALUES (1, '[0,0,0]', '[0,0,0]'), (2, '[1,2,3]', '[1,2,3]'),
	(3, '[1,1,1]', '[1,1,1]'), (4, '[-3,2.5,9]', '[-3,2.5,9]'), (5, NULL, NULL);
CREATE INDEX ON t USING diskann (v);
CREATE INDEX ON t USING diskann (v vector_l2_ops);
CREATE INDEX ON t USING diskann (v vector_ip_ops);
CREATE INDEX ON t USING diskann (h);
CREATE INDEX ON t USING diskann (h halfvec_l2_ops);
CREATE INDEX ON t USING diskann (h halfvec_ip_ops);
SELECT indexrelid::regclass, diskann_index_check(indexrelid, true)
	FROM pg_index WHERE indrelid = 't'::regclass ORDER BY indexrelid;

SET enable_seqscan = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <=> '[3,3,3]';
SELECT id, v <=> '[3,3,3]' AS distance FROM t ORDER BY v <=> '[3,3,3]';
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <-> '[3,3,3]';
SELECT id, v <-> '[3,3,3]' AS distance FROM t ORDER BY v <-> '[3,3,3]';
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <#> '[3,3,3]';
SELECT id, v <#> '[3,3,3]' AS distance FROM t ORDER BY v <#> '[3,3,3]';
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY h <=> '[3,3,3]';
SELECT id, h <=> '[3,3,3]' AS distance FROM t ORDER BY h <=> '[3,3,3]';
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY h <-> '[3,3,3]';
SELECT id, h <-> '[3,3,3]' AS distance FROM t ORDER BY h <-> '[3,3,3]';
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY h <#> '[3,3,3]';
SELECT id, h <#> '[3,3,3]' AS distance FROM t ORDER BY h <#> '[3,3,3]';

-- No place in the order
SELECT count(*) FROM (SELECT FROM t ORDER BY v <-> NULL) s;
SELECT count(*) FROM (SELECT FROM t ORDER BY v <=> '[0,0,0]') s;

-- Arrays, which many drivers send for a list, by any plan
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <-> '{3,3,3}'::float8[] LIMIT 2;
SELECT id FROM t ORDER BY v <-> '{3,3,3}'::float8[] LIMIT 2;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY '{3,3,3}'::real[] <=> v LIMIT 2;
SELECT id FROM t ORDER BY '{3,3,3}'::real[] <=> v LIMIT 2;
SET plan_cache_mode = force_generic_plan;
PREPARE ip (float8[]) AS SELECT id FROM t ORDER BY v <#> $1 LIMIT 2;
EXPLAIN (COSTS OFF) EXECUTE ip ('{3,3,3}');
EXECUTE ip ('{3,3,3}');
RESET plan_cache_mode;
SELECT v <-> '{3,3,3}'::real[] AS l2, '{3,3,3}'::float8[] <=> v AS cosine,
	v <#> '{3,3,3}'::real[] AS ip FROM t WHERE id = 2;

-- What cannot be compared
SELECT id FROM t ORDER BY v <-> '[1,2]' LIMIT 1;
SELECT id FROM t ORDER BY v <-> '{1,2}'::real[] LIMIT 1;
INSERT INTO t (id, v) VALUES (6, '[1,2]');

-- A column without a length has that of its first row
CREATE TABLE free (v vector, h halfvec);
CREATE INDEX ON free USING diskann (v vector_l2_ops);
CREATE INDEX ON free USING diskann (h halfvec_l2_ops);
INSERT INTO free VALUES ('[1,2,3]', '[1,2]');
INSERT INTO free (v) VALUES ('[1,2]');
INSERT INTO free (h) VALUES ('[1,2,3]');
SELECT * FROM free ORDER BY v <-> '[0,0,0]';
SELECT * FROM free ORDER BY h <-> '[0,0]';

-- A value that is not as long as it says, or longer than it should be
SET client_min_messages = warning;
CREATE CAST (bytea AS vector) WITHOUT FUNCTION;
CREATE CAST (bytea AS halfvec) WITHOUT FUNCTION;
RESET client_min_messages;
INSERT INTO free (v) VALUES ('\x030000000000803f0000803f0000803f'::bytea::vector);
INSERT INTO free (v) VALUES ('\x040000000000803f0000803f0000803f'::bytea::vector);
INSERT INTO free (v) VALUES ('\x030000000000803f0000803f0000803f00'::bytea::vector);
INSERT INTO free (v) VALUES ('\x030000010000803f0000803f0000803f'::bytea::vector);
INSERT INTO free (v) VALUES ('\xffff0000'::bytea::vector);
INSERT INTO free (v) VALUES ('\x00000000'::bytea::vector);
INSERT INTO free (v) VALUES ('\x0300'::bytea::vector);
INSERT INTO free (v) VALUES (''::bytea::vector);
INSERT INTO free (v) VALUES ('\x030000000000807f0000803f0000803f'::bytea::vector);
INSERT INTO free (h) VALUES ('\x02000000003c003c'::bytea::halfvec);
INSERT INTO free (h) VALUES ('\x02000000003c003c003c003c'::bytea::halfvec);
INSERT INTO free (h) VALUES ('\x02000000003c007c'::bytea::halfvec);
SELECT v FROM free ORDER BY v <-> '\x040000000000803f0000803f0000803f'::bytea::vector;
SELECT * FROM free ORDER BY v <-> '[0,0,0]';
DROP CAST (bytea AS vector);
DROP CAST (bytea AS halfvec);

-- Expressions
CREATE TABLE e (id int, v vector(8));
INSERT INTO e SELECT i, array_fill(i::real, ARRAY[8])::vector
	FROM generate_series(1, 100) i;
CREATE INDEX ON e USING diskann ((v::halfvec(8)) halfvec_l2_ops);
CREATE INDEX ON e USING diskann ((subvector(v, 1, 4)::vector(4)) vector_l2_ops);
CREATE INDEX ON e USING diskann ((l2_normalize(v)) vector_cosine_ops) WHERE id > 50;
EXPLAIN (COSTS OFF) SELECT id FROM e
	ORDER BY v::halfvec(8) <-> '[40,40,40,40,40,40,40,40]' LIMIT 1;
SELECT id FROM e ORDER BY v::halfvec(8) <-> '[40,40,40,40,40,40,40,40]' LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM e
	ORDER BY subvector(v, 1, 4)::vector(4) <-> '[60.4,60,60,60]' LIMIT 2;
SELECT id FROM e
	ORDER BY subvector(v, 1, 4)::vector(4) <-> '[60.4,60,60,60]' LIMIT 2;
INSERT INTO e VALUES (101, '[40,40,40,40,40,40,40,41]');
UPDATE e SET v = '[40,40,40,40,40,40,40,40.5]' WHERE id = 40;
SELECT id FROM e ORDER BY v::halfvec(8) <-> '[40,40,40,40,40,40,40,40]' LIMIT 2;
SELECT indexrelid::regclass, (diskann_index_check(indexrelid, true)).tids
	FROM pg_index WHERE indrelid = 'e'::regclass ORDER BY indexrelid;
DROP TABLE e;

-- A half is kept as such: no wider, whatever room there is
CREATE TABLE wide (v vector(3), h halfvec(3));
CREATE INDEX wide_v ON wide USING diskann (v);
CREATE INDEX wide_h ON wide USING diskann (h);
CREATE INDEX wide_asked ON wide USING diskann (h) WITH (vector_storage = float32);
INSERT INTO wide VALUES ('[1,2,3]', '[1,2,3]');
SELECT c::regclass, value FROM unnest('{wide_v,wide_h,wide_asked}'::regclass[]) c,
	diskann_index_info(c) WHERE property = 'vector_storage';

-- 16000 dimensions, as far as the types go
CREATE TABLE long (id int, v vector(16000), h halfvec(16000));
INSERT INTO long SELECT i, array_fill(i, ARRAY[16000])::vector,
	array_fill(i, ARRAY[16000])::halfvec FROM generate_series(1, 5) i;
CREATE INDEX ON long USING diskann (v vector_l2_ops);
CREATE INDEX ON long USING diskann (h halfvec_l2_ops);
SELECT id FROM long ORDER BY v <-> array_fill(4, ARRAY[16000])::vector LIMIT 1;
SELECT id FROM long ORDER BY h <-> array_fill(2, ARRAY[16000])::halfvec LIMIT 1;
DROP TABLE long;

-- Never another type: neither of the index nor of a query, by whatever name
SET client_min_messages = warning;
CREATE SCHEMA other;
CREATE TYPE other.vector;
CREATE FUNCTION other.vector_in(cstring) RETURNS other.vector
	AS 'byteain' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION other.vector_out(other.vector) RETURNS cstring
	AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE other.vector (INPUT = other.vector_in, OUTPUT = other.vector_out,
	LIKE = bytea);
RESET client_min_messages;
CREATE FUNCTION other.distance(other.vector, other.vector) RETURNS float8
	RETURN 0;
CREATE OPERATOR other.<-> (LEFTARG = other.vector, RIGHTARG = other.vector,
	FUNCTION = other.distance);
CREATE OPERATOR CLASS other.vector_l2_ops FOR TYPE other.vector USING diskann AS
	OPERATOR 1 other.<-> (other.vector, other.vector) FOR ORDER BY float_ops,
	FUNCTION 1 diskann_vector_l2_support(internal);
CREATE TABLE other.t (v other.vector);
INSERT INTO other.t VALUES ('abc');
CREATE INDEX ON other.t USING diskann (v other.vector_l2_ops);
CREATE INDEX ON other.t USING diskann (v vector_l2_ops);
SELECT amvalidate(oid) FROM pg_opclass
	WHERE opcintype = 'other.vector'::regtype;
CREATE FUNCTION other.distance(vector, text) RETURNS float8 STABLE RETURN random();
CREATE OPERATOR other.<-> (LEFTARG = vector, RIGHTARG = text,
	FUNCTION = other.distance);
ALTER OPERATOR FAMILY vector_l2_ops USING diskann ADD
	OPERATOR 1 other.<-> (vector, text) FOR ORDER BY float_ops;
ALTER FUNCTION other.distance(vector, text) COST 1000000000;
CREATE FUNCTION other.one() RETURNS text LANGUAGE plpgsql STABLE AS
	'BEGIN RETURN ''abc''; END';
SELECT id FROM t ORDER BY v OPERATOR(other.<->) other.one() LIMIT 1;
SELECT amvalidate(oid) FROM pg_opclass
	WHERE opcname = 'vector_l2_ops' AND opcintype = 'vector'::regtype
	AND opcmethod = (SELECT oid FROM pg_am WHERE amname = 'diskann');
SET client_min_messages = warning;
DROP SCHEMA other CASCADE;
RESET client_min_messages;

-- The extension refuses to take its types from others
DROP TABLE t, free, wide;
DROP EXTENSION diskann_pgvector;
CREATE SCHEMA other;
CREATE FUNCTION other.distance(vector, vector) RETURNS float8 RETURN 0;
CREATE OPERATOR other.<=> (LEFTARG = vector, RIGHTARG = vector,
	FUNCTION = other.distance);
CREATE EXTENSION diskann_pgvector SCHEMA other;
SET client_min_messages = warning;
DROP SCHEMA other CASCADE;
RESET client_min_messages;
CREATE EXTENSION diskann_pgvector;

-- Dropping
CREATE TABLE t (v vector(3), r real[]);
CREATE INDEX ON t USING diskann (v);
DROP EXTENSION diskann_pgvector;
CREATE INDEX ON t USING diskann (r);
DROP EXTENSION diskann;
DROP TABLE t;
DROP EXTENSION diskann;
DROP EXTENSION diskann CASCADE;
