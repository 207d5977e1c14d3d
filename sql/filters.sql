--
-- Filter columns: conditions on columns of the index beside the vector give
-- exactly the rows that a sequential scan gives, whatever the types
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SELECT diskann_simd() <> '' AS loaded;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);

-- every tenth value of a column is NULL
CREATE TABLE f (
	id int, v real[],
	bo boolean, i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision,
	nu numeric, te text, vc varchar(20), bp char(8), na name,
	da date, ts timestamp, tz timestamptz, ti time, iv interval, u uuid,
	ip inet, ci cidr, en mood, ar int[], re bytea, ch "char", ra int4range,
	do_ positive);
CREATE FUNCTION fill(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO f SELECT i,
		ARRAY[i * 7919 % 101, i * 104729 % 97, i * 129971 % 89,
			i * 154858 % 83]::real[],
		nullif(i % 10, 0) % 2 = 1,
		nullif(i % 10, 1) - 4, (nullif(i % 10, 2) - 4) * 100000,
		(nullif(i % 20, 3) - 9) * 10000000000,
		CASE i % 10 WHEN 3 THEN NULL WHEN 4 THEN real 'NaN' WHEN 5 THEN real '-0'
			ELSE i % 10 - 6 END,
		CASE i % 10 WHEN 4 THEN NULL
			WHEN 5 THEN double precision 'Infinity' ELSE i % 7 / 2.0 END,
		CASE i % 20 WHEN 5 THEN NULL WHEN 6 THEN numeric 'NaN' WHEN 7 THEN 1e400
			WHEN 8 THEN 7.00000000000000000001 WHEN 9 THEN 7 WHEN 10 THEN -1e400
			ELSE i % 20 - 10 END,
		'word ' || nullif(i % 10, 6), 'word ' || nullif(i % 10, 7),
		'w' || nullif(i % 10, 8), 'word ' || nullif(i % 10, 9),
		'2026-01-01'::date + nullif(i % 10, 0),
		'2026-01-01'::timestamp + nullif(i % 10, 1) * interval '12 hours',
		'2026-01-01'::timestamptz + nullif(i % 10, 2) * interval '12 hours',
		'00:00'::time + nullif(i % 10, 3) * interval '1 hour',
		nullif(i % 10, 4) * interval '1 day',
		(lpad(to_hex(nullif(i % 20, 5)), 8, '0') ||
			'-0000-0000-0000-00000000000' || i % 2)::uuid,
		('10.0.' || nullif(i % 10, 6) || '.1/24')::inet,
		('10.' || nullif(i % 10, 7) || '.0.0/16')::cidr,
		(enum_range(NULL::mood))[nullif(i % 4, 0)],
		ARRAY[nullif(i % 10, 0), i % 2], decode(lpad(to_hex(i % 10), 2, '0'), 'hex'),
		chr(97 + nullif(i % 10, 9))::"char", int4range(i % 10, i % 10 + 3),
		nullif(i % 10, 0)
		FROM generate_series(first, last) i
$$;

-- the vector may stand anywhere among the columns; more rows than a build has
SELECT fill(1, 1200);
CREATE INDEX fi ON f USING diskann (bo, i2, i4, i8, f4, f8, nu, te, vc, v, bp,
	na, da, ts, tz, ti, iv, u, ip, ci, en, ar, re, ch, ra, do_);
SELECT fill(1201, 1600);
SELECT property, value FROM diskann_index_info('fi')
WHERE property IN ('filter_columns', 'filter_ranges');

-- Ids in order of the distance: by the index, and by a sort.  Prints how many
-- rows there are, whether they are the same, and if the index has the condition.
CREATE FUNCTION same(condition text, lim text DEFAULT 'ALL',
	query text DEFAULT '{50.5,40.25,30.125,20.0625}',
	OUT cond text, OUT rows bigint, OUT same boolean, OUT inside boolean)
LANGUAGE plpgsql AS $$
DECLARE
	statement text := format('SELECT id FROM f WHERE %s ORDER BY v <-> %L, id LIMIT %s',
		condition, query, lim);
	from_index text := format('SELECT id FROM (SELECT id, v <-> %2$L AS d FROM f WHERE %1$s ORDER BY v <-> %2$L LIMIT %3$s) s ORDER BY d, id',
		condition, query, lim);
	a int[];
	b int[];
	line text;
BEGIN
	cond := condition;
	PERFORM set_config('enable_seqscan', 'off', true),
		set_config('enable_indexscan', 'on', true);
	EXECUTE 'SELECT array_agg(id) FROM (' || from_index || ') s' INTO a;
	inside := false;
	FOR line IN EXECUTE 'EXPLAIN ' || from_index LOOP
		inside := inside OR line LIKE '%Index Cond: %';
	END LOOP;
	PERFORM set_config('enable_seqscan', 'on', true),
		set_config('enable_indexscan', 'off', true);
	EXECUTE 'SELECT array_agg(id) FROM (' || statement || ') s' INTO b;
	rows := coalesce(array_length(b, 1), 0);
	same := a IS NOT DISTINCT FROM b;
END
$$;

-- operators
SELECT s.* FROM unnest(ARRAY[
	'i4 = 200000', 'i4 < -200000', 'i4 <= -200000', 'i4 >= 200000',
	'i4 > 200000', 'i4 BETWEEN -100000 AND 100000', 'i4 <> 200000',
	'200000 < i4', 'i4 IS NULL', 'i4 IS NOT NULL', 'v IS NOT NULL',
	'i4 = 1', 'i4 > 0 AND i4 IS NULL',
	'i4 = NULL', 'bo IS NULL']) c, same(c) s;

-- types, and the same in another type
SELECT s.* FROM unnest(ARRAY[
	'i2 = 2', 'i2 = 2::smallint', 'i2 = 2::bigint', 'i2 > 70000',
	'i8 = 20000000000', 'i8 < 0', 'i8 <= 10::smallint', 'i4 < 10000000000',
	'f4 = ''NaN''', 'f4 = 0', 'f4 > 1::double precision', 'f4 <= -1',
	'f8 = ''Infinity''', 'f8 < 1.5', 'f8 >= 2.5::real',
	'nu = 7', 'nu > 7', 'nu >= 7', 'nu < 7.00000000000000000001', 'nu = ''NaN''',
	'nu >= 1e400', 'nu < -9', 'nu = 1e400', 'nu BETWEEN -3 AND 3', 'nu = 3::int',
	'te = ''word 3''', 'te > ''word 5''', 'te <= ''word 5''',
	'te = ''nothing''',
	'vc = ''word 3''', 'vc >= ''word 3''', 'bp = ''w3''', 'bp = ''w3   ''',
	'na = ''word 3''', 'na = ''word 3''::text', 'na < ''word 3''',
	'da = ''2026-01-04''', 'da < ''2026-01-04''::timestamp',
	'da >= ''2026-01-04''::timestamptz', 'ts > ''2026-01-02''::date',
	'ts <= ''2026-01-03 12:00''::timestamptz', 'tz = ''2026-01-03 00:00+00''',
	'tz BETWEEN ''2026-01-02'' AND ''2026-01-04''', 'tz < ''2026-01-03''::date',
	'ti >= ''05:00''', 'iv = ''3 days''', 'iv > ''72 hours''', 'iv = ''72 hours''',
	'u = ''00000003-0000-0000-0000-000000000001''',
	'u > ''00000010-0000-0000-0000-000000000000''',
	'u <= ''00000004-0000-0000-0000-000000000000''',
	'ip = ''10.0.3.1/24''', 'ip > ''10.0.3.1/24''', 'ci = ''10.3.0.0/16''',
	'en = ''ok''', 'en > ''sad''', 'en < ''happy''', 'ar = ''{3,1}''',
	'ar < ''{3,1}''', 're = ''\x03''', 'ch = ''d''', 'ra = ''[3,6)''',
	'do_ = 3', 'do_ > 7']) c, same(c) s;

-- several conditions, of which a version may see some as a filter
SELECT s.cond, s.rows, s.same FROM unnest(ARRAY[
	'bo', 'NOT bo', 'bo = true', 'bo IS TRUE', 'bo AND i4 = -100000',
	'i4 = 200000 OR te = ''word 2''', 'te = ''word 3''::name',
	'te LIKE ''word 3%''',
	'i4 IN (100000, 300000, NULL)', 'bo IN (true)', 'bo = ANY (''{t,f}'')',
	'i4 = ANY (''{}'')', 'i4 = ANY (NULL::int[])', 'te IN (''word 1'', ''word 2'')',
	'te = ANY (''{word 1,NULL}'')', 'u = ANY (ARRAY[''00000003-0000-0000-0000-000000000001'']::uuid[])',
	'nu IN (7, 3)', 'i8 = ANY (''{10000000000,20000000000}'')',
	'en = ANY (''{sad,happy}'')', 'i4 < ANY (''{-200000,-300000}'')',
	'vc = ANY (''{word 3,word 4}'')', 'ip IN (''10.0.3.1/24'', ''10.0.4.1/24'')',
	'da IN (''2026-01-04'') AND te = ''word 3''',
	'i4 NOT IN (100000, 300000)']) c, same(c) s;
SELECT s.* FROM unnest(ARRAY[
	'i2 = 3 AND te = ''word 7'' AND nu > 0', 'bo AND te > ''word 2'' AND ti < ''08:00''',
	'i2 IS NULL AND i8 IS NOT NULL AND tz > ''2026-01-01''',
	'en = ''ok'' AND length(te) = 6 AND do_ < 8']) c, same(c) s;

-- with a limit, from near and from far
SELECT s.cond, s.rows, s.same
FROM unnest(ARRAY['i2 = 2', 'te = ''word 3''', 'te > ''word 7''', 'nu = 7', 'id = 7']) c,
	unnest(ARRAY['{50.5,40.25,30.125,20.0625}', '{-300.5,500.25,3,4.5}']) q,
	same(c, '7', q) s;

-- a query without an order, and one that is NULL
SET enable_seqscan = off;
SELECT count(*), min(i2), max(i2)
FROM (SELECT i2 FROM f WHERE i2 = 2 ORDER BY v <-> NULL::real[]) s;
SELECT count(*) FROM (SELECT 1 FROM f WHERE te > 'word 0' AND i2 IS NULL
	ORDER BY v <-> NULL::real[]) s;
SELECT count(*) FROM f WHERE te > 'word 0' AND i2 IS NULL;

-- conditions that no row fulfils visit nothing
SELECT id FROM f WHERE i2 = (SELECT NULL::smallint) ORDER BY v <-> '{1,2,3,4}' LIMIT 1;
SELECT visits, way FROM diskann_last_scan();

-- no row is fetched but those returned, unless the index cannot tell
CREATE FUNCTION blocks() RETURNS bigint LANGUAGE sql AS $$
	SELECT pg_stat_get_xact_blocks_fetched('f'::regclass)
$$;
BEGIN;
SELECT blocks() AS before \gset
SELECT id FROM f WHERE i2 = 3 AND te = 'word 7' ORDER BY v <-> '{1,2,3,4}' LIMIT 3;
SELECT blocks() - :before <= 2 * 3 + (SELECT rescored FROM diskann_last_scan()) AS few,
	(SELECT visits FROM diskann_last_scan()) > 100 AS visited;
COMMIT;
DROP FUNCTION blocks;
EXPLAIN (COSTS OFF)
SELECT id FROM f WHERE i2 = 3 AND te = 'word 7' ORDER BY v <-> '{1,2,3,4}' LIMIT 3;

-- parameters: of generic plans, of outer queries, and of subqueries
SET plan_cache_mode = force_generic_plan;
PREPARE q(smallint, text, timestamptz[]) AS SELECT id FROM f
	WHERE i2 = $1 AND te >= $2 AND tz = ANY ($3)
	ORDER BY v <-> '{50.5,40.25,30.125,20.0625}' LIMIT 3;
EXECUTE q(3, 'word', '{2026-01-04 12:00+00,NULL}');
EXECUTE q(NULL, 'word', '{2026-01-04 12:00+00}');
EXECUTE q(3, 'word', NULL);
EXECUTE q(3, 'word 8', '{2026-01-04 12:00+00}');
DEALLOCATE q;
RESET plan_cache_mode;
EXPLAIN (COSTS OFF)
SELECT o.i, n.id FROM generate_series(1, 4) o (i),
	LATERAL (SELECT id FROM f WHERE i2 = o.i
		ORDER BY v <-> '{50.5,40.25,30.125,20.0625}' LIMIT 2) n;
SELECT o.i, n.id FROM (VALUES (1), (2), (NULL), (3)) o (i),
	LATERAL (SELECT id FROM f WHERE i2 = o.i
		ORDER BY v <-> '{50.5,40.25,30.125,20.0625}' LIMIT 2) n;
SELECT o.i, n.id FROM (VALUES (1), (2), (NULL), (3)) o (i),
	LATERAL (SELECT id FROM f WHERE te = 'word ' || o.i
		ORDER BY v <-> '{50.5,40.25,30.125,20.0625}' LIMIT 2) n;
SELECT id, i4 FROM f WHERE i4 = (SELECT max(i4) FROM f WHERE i2 = 1)
ORDER BY v <-> '{50.5,40.25,30.125,20.0625}' LIMIT 2;
RESET enable_seqscan;

-- rows come, change and go
UPDATE f SET i2 = 100, te = NULL WHERE id % 10 = 3;
DELETE FROM f WHERE id % 10 = 4;
SELECT s.* FROM unnest(ARRAY['i2 = 100', 'i2 = 0', 'i2 = -1', 'te IS NULL',
	'te = ''word 3''', 'te = ''word 5''']) c, same(c) s;
VACUUM f;
SELECT s.* FROM unnest(ARRAY['i2 = 100', 'i2 = 0', 'i2 = -1', 'te IS NULL',
	'te = ''word 3''', 'te = ''word 5''']) c, same(c) s;
SELECT tids, empty FROM diskann_index_check('fi', true);
REINDEX INDEX fi;
SELECT s.* FROM unnest(ARRAY['i2 = 100', 'te IS NULL']) c, same(c) s;
SELECT tids, empty FROM diskann_index_check('fi', true);

-- rows are found that are in no order, or in a relaxed one
SET diskann.iterative_search = relaxed_order;
SELECT s.rows, s.same FROM same('te > ''word 5'' AND i2 = 3') s;
SET diskann.query_rescore = 0;
SELECT s.rows, s.same FROM same('te > ''word 5'' AND i2 = 3') s;
RESET diskann.query_rescore;
RESET diskann.iterative_search;
DROP TABLE f CASCADE;

-- Rows of one vector: a node for each of their different values
CREATE TABLE d (id int, v real[], k int, t text);
INSERT INTO d SELECT i, '{1,2,3}', i % 40, NULL FROM generate_series(1, 800) i;
CREATE INDEX di ON d USING diskann (v, k, t);
INSERT INTO d SELECT i, '{1,2,3}', i % 80, NULL FROM generate_series(801, 1600) i;
INSERT INTO d SELECT i, '{3,2,1}', 7, 'x' FROM generate_series(1601, 1700) i;
SELECT nodes < 160 AS shared, tids FROM diskann_index_check('di', true);
SET enable_seqscan = off;
SELECT count(*), min(k), max(k)
FROM (SELECT k FROM d WHERE k = 7 ORDER BY v <-> '{3,2,2}') s;
SELECT count(*), min(k), max(k)
FROM (SELECT k FROM d WHERE k = 77 AND t IS NULL ORDER BY v <-> '{3,2,2}' LIMIT 100) s;
DELETE FROM d WHERE k <> 7;
VACUUM d;
SELECT nodes < 20 AS shared, tids FROM diskann_index_check('di', true);
SELECT count(*), count(t)
FROM (SELECT t FROM d WHERE k = 7 ORDER BY v <-> '{3,2,2}') s;
RESET enable_seqscan;
DROP TABLE d;

-- An index created empty, unlogged or not; expressions and partial indexes
CREATE UNLOGGED TABLE e (id int, v real[], k int, t text);
CREATE INDEX ei ON e USING diskann (lower(t), v, (k % 3)) WHERE id < 90;
INSERT INTO e SELECT i, ARRAY[i, 1], i, 'T' || i % 4 FROM generate_series(1, 99) i;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM e WHERE lower(t) = 't1' AND k % 3 = 2 AND id < 90
ORDER BY v <-> '{20,1}' LIMIT 3;
SELECT id FROM e WHERE lower(t) = 't1' AND k % 3 = 2 AND id < 90
ORDER BY v <-> '{20,1}' LIMIT 3;
RESET enable_seqscan;
-- it has had nothing to learn ranges from
SELECT value FROM diskann_index_info('ei') WHERE property = 'filter_ranges';
-- what is not ordered is no work for the index
EXPLAIN (COSTS OFF) SELECT id FROM e WHERE lower(t) = 't1' AND id < 90;
-- other dimensions, once all rows are gone
DELETE FROM e;
INSERT INTO e VALUES (1, '{1,2,3}', 4, 'T1');
SET enable_seqscan = off;
SELECT id FROM e WHERE lower(t) = 't1' AND k % 3 = 1 AND id < 90 ORDER BY v <-> '{1,1,1}';
SELECT id FROM e WHERE lower(t) = 't1' AND k % 3 = 2 AND id < 90 ORDER BY v <-> '{1,1,1}';
RESET enable_seqscan;
DROP TABLE e;

-- Slots of more pages than one change can have
CREATE TABLE w (id int, v real[], k int);
INSERT INTO w SELECT i, array_fill(i::real, ARRAY[16000]), nullif(i % 5, 0)
FROM generate_series(1, 12) i;
CREATE INDEX wi ON w USING diskann (v, k, id) WITH (vector_storage = float32);
SELECT value::int > 4 AS several FROM diskann_index_info('wi')
WHERE property = 'pages_per_slot';
INSERT INTO w SELECT i, array_fill(i::real, ARRAY[16000]), nullif(i % 5, 0)
FROM generate_series(13, 20) i;
SELECT nodes, tids FROM diskann_index_check('wi', true);
DELETE FROM w WHERE id % 2 = 0;
VACUUM w;
INSERT INTO w SELECT i, array_fill(i::real, ARRAY[16000]), 7
FROM generate_series(21, 25) i;
SELECT nodes, tids FROM diskann_index_check('wi', true);
SET enable_seqscan = off;
SELECT id FROM w WHERE k = 7 ORDER BY v <-> array_fill(22.1::real, ARRAY[16000]) LIMIT 3;
SELECT id FROM w WHERE k IS NULL ORDER BY v <-> array_fill(1::real, ARRAY[16000]);
RESET enable_seqscan;
DROP TABLE w;

-- What cannot be a filter column
CREATE TYPE pair AS (a int, b json);
CREATE TABLE n (v real[], w real[], j json, b bit(3), p point, c pair, k int);
CREATE INDEX ON n USING diskann (v, j);
CREATE INDEX ON n USING diskann (v, b);
CREATE INDEX ON n USING diskann (p, v);
CREATE INDEX ON n USING diskann (v, c);
CREATE INDEX ON n USING diskann (v, w);
CREATE INDEX ON n USING diskann (k);
CREATE INDEX ON n USING diskann (v, k DESC);
CREATE INDEX ON n USING diskann (v) INCLUDE (k);
CREATE UNIQUE INDEX ON n USING diskann (v, k);
DROP TABLE n;
DROP TYPE pair;
-- a type with a btree class of its own, before and after its operators are known
SET client_min_messages = warning;
CREATE TYPE own;
CREATE FUNCTION own_in(cstring) RETURNS own LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION own_out(own) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE own (INPUT = own_in, OUTPUT = own_out, LIKE = int);
RESET client_min_messages;
CREATE FUNCTION own_eq(own, own) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION own_lt(own, own) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION own_cmp(own, own) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR = (LEFTARG = own, RIGHTARG = own, FUNCTION = own_eq, COMMUTATOR = =);
CREATE OPERATOR < (LEFTARG = own, RIGHTARG = own, FUNCTION = own_lt);
CREATE OPERATOR CLASS own_ops DEFAULT FOR TYPE own USING btree AS
	OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 own_cmp(own, own);
CREATE TABLE o (id int, v real[], k own);
INSERT INTO o SELECT i, ARRAY[i, i], (i % 5)::text::own FROM generate_series(1, 50) i;
CREATE INDEX oi ON o USING diskann (v, k);
BEGIN;
ALTER OPERATOR FAMILY scalar_ops USING diskann ADD
	OPERATOR 1 < (own, own), OPERATOR 3 = (own, own);
CREATE INDEX oi ON o USING diskann (v, k);
SET LOCAL enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM o WHERE k = '2' ORDER BY v <-> '{20,20}' LIMIT 3;
SELECT id FROM o WHERE k = '2' ORDER BY v <-> '{20,20}' LIMIT 3;
SELECT id FROM o WHERE k < '2' ORDER BY v <-> '{20,20}' LIMIT 3;
ROLLBACK;
DROP TABLE o;
SET client_min_messages = warning;
DROP TYPE own CASCADE;
RESET client_min_messages;
