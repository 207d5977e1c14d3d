--
-- What PostgreSQL leaves to the filter of the plan: OR, NOT, booleans as such,
-- IN on any column, and other expressions over columns of the index
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT diskann_simd() <> '' AS loaded;

\set tab q
\i test/regress/conditions.sql
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE q (v real[], id int, bo boolean, i2 smallint, i4 int, i8 bigint, f8 double precision,
	te text, nu numeric, da date, ts timestamp, en mood, tags int[], u uuid, vc varchar(9),
	outside int);
CREATE FUNCTION fill(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO q SELECT ARRAY[pick(i, 1000), pick(i + 5000, 1000)], i,
		nullif(pick(i, 3), 0) = 1, nullif(pick(i + 1000, 9), 0), nullif(pick(i + 2000, 30), 0),
		nullif(pick(i + 3000, 9), 0), nullif(pick(i + 4000, 9), 0) / 2.0,
		'word ' || nullif(pick(i + 6000, 9), 0), nullif(pick(i + 7000, 9), 0),
		'2026-01-01'::date + pick(i + 8000, 9), '2026-01-01'::timestamp + pick(i + 9000, 99) * interval '1 hour',
		(enum_range(NULL::mood))[nullif(pick(i + 10000, 4), 0)], ARRAY[pick(i + 11000, 9), pick(i + 12000, 9)],
		lpad(pick(i + 13000, 9)::text, 32, '0')::uuid, 'v' || nullif(pick(i + 14000, 9), 0), i % 7
		FROM generate_series(first, last) i
$$;
SELECT fill(1, 900);
CREATE INDEX qi ON q USING diskann (bo, v, i2, i4, i8, f8, te, nu, da, ts, en, tags, u, vc, (lower(te)), ((i4 + i2)));
SELECT fill(901, 1200);

-- what is decided inside
SELECT * FROM try(ARRAY[
	'bo', 'NOT bo', 'bo IS TRUE', 'bo IS FALSE', 'bo IS NOT TRUE', 'bo IS NOT FALSE', 'bo IS UNKNOWN',
	'bo = false', 'bo <> true', 'bo AND i2 = 3', 'NOT (bo OR i2 = 3)', 'NOT (bo AND i2 = 3)',
	'i2 IN (1, 2, 3)', 'i4 IN (1, 2, NULL)', 'te IN (''word 1'', ''word 2'')', 'nu IN (1, 2.5)', 'en IN (''ok'')',
	'vc IN (''v1'', ''v2'')', 'u IN (''00000000000000000000000000000003'')', 'i8 = ANY (''{1,2}'')',
	'i2 NOT IN (1, 2)', 'i2 <> 1', 'i2 <> ALL (''{1,2,3}'')', 'i2 = 1 OR i2 = 2', 'i2 = 1 OR i4 = 2', 'i2 = 1 OR i4 > 20 OR te = ''word 2''',
	'te = ''word 1'' OR te = ''word 2''', 'te = ''word 1'' OR te IS NULL', 'te IS NULL OR nu IS NULL', 'NOT (te IS NULL OR nu IS NOT NULL)',
	'i4 = 1 OR (te = ''word 1'' AND bo)', 'i4 = 1 OR (te = ''word 1'' AND NOT bo AND nu > 3)', 'nu < 2 OR nu > 7', 'nu BETWEEN 2 AND 3 OR bo',
	'da < ''2026-01-03'' OR da > ''2026-01-07''', 'ts < ''2026-01-02'' OR ts >= ''2026-01-05 00:00''', 'en = ''ok'' OR i2 = 3',
	'tags && ''{3}'' OR i2 = 3', '3 = ANY (tags) OR te = ''word 3''', 'u > ''00000000000000000000000000000003'' OR i2 = 1',
	'i2 IS DISTINCT FROM 3', 'i2 IS NOT DISTINCT FROM NULL', 'i2 = i4', 'i2 < i4', 'i2 = i8 OR i2 = i4', 'i2 > i4 AND i8 <= i4',
	'CASE WHEN bo THEN i2 = 1 ELSE i4 > 10 END', '(i2 = 1) = bo', 'i2 = 1 IS NOT TRUE', '(i2, i4) < (3, 4)', 'f8 < 1.5 OR f8 > 3',
	'lower(te) = ''word 3''', 'lower(te) IN (''word 3'', ''word 4'')', 'lower(te) = ''word 3'' OR bo', 'i4 + i2 = 7', 'i4 + i2 = 7 OR bo', 'i4 + i2 < i8',
	'true', 'false', 'i2 = 1 AND NULL', 'NULL::int = i2 OR i2 = 3']);

-- what is not: it reads what the index does not have, may fail, or is volatile
SELECT * FROM try(ARRAY[
	'outside = 3', 'outside = 3 OR i2 = 3', 'bo AND outside = 3', 'te LIKE ''word 3%''', 'te <> ''word 3''', 'NOT (te = ''word 3'')', 'te = vc',
	'te < ''word 3'' OR i2 = 3', '10 / i2 = 2', 'i2 % 2 = 0', 'i2 = 3 OR length(te) > 5', 'nu <> 3', 'i2 = 3 OR random() < 0', 'tags[1] = 3',
	'i2 = (SELECT max(i2) FROM q x WHERE x.i4 = q.i4)', 'EXISTS (SELECT FROM q x WHERE x.id = q.i4) OR i2 = 3', 'v IS NOT NULL OR i2 = 3']);

-- with a limit; and hundreds of conditions by chance
SELECT s.* FROM unnest(ARRAY['i2 = 1 OR te = ''word 3''', 'NOT bo AND nu IN (2, 3)', 'i2 <> 3 AND u IN (''00000000000000000000000000000003'')',
	'te <> ''word 3'' AND bo']) c, same(c, '7') s;
CREATE FUNCTION leaf(seed int) RETURNS text LANGUAGE sql AS $$
	SELECT format((ARRAY['i2 = %1$s', 'i4 > 2 * %1$s', 'i8 IN (%1$s, 3)', 'te = ''word %1$s''', 'te IN (''word %1$s'', ''word 1'')', 'nu <= %1$s', 'nu IN (%1$s, 4)',
		'da <> ''2026-01-0%1$s''', 'bo', 'en = ''happy''', '%1$s = ANY (tags)', 'tags @> ''{%1$s}''', 'te IS NULL', 'i2 IS NOT NULL', 'u >= ''0000000000000000000000000000000%1$s''',
		'lower(te) = ''word %1$s''', 'i2 < i8', 'vc = ANY (''{v%1$s,v2}'')', 'i4 + i2 > 3 * %1$s', 'f8 = %1$s', 'te >= ''word %1$s''', 'outside = %1$s'])[1 + pick(seed, 22)],
		1 + pick(seed + 100000, 9))
$$;
CREATE FUNCTION condition(seed int) RETURNS text LANGUAGE sql AS $$
	SELECT format((ARRAY['%s', 'NOT %s', '%s AND %s', '%s OR %s', '%s OR NOT %s', 'NOT (%s AND %s)', '(%s OR %s) AND %s', '%s OR (%s AND %s)', '%s OR NOT (%s OR %s)',
		'(%s OR %s) AND (%s OR NOT %s)'])[1 + pick(seed, 10)],
		leaf(10 * seed), leaf(10 * seed + 1), leaf(10 * seed + 2), leaf(10 * seed + 3))
$$;
SELECT count(*), count(*) FILTER (WHERE s.rows > 0) > 200 AS found, count(*) FILTER (WHERE s.decided) > 100 AS decided,
	string_agg(c, '; ') FILTER (WHERE NOT s.same) AS wrong
FROM generate_series(1, 300) n, condition(n) c, same(c) s;
SELECT count(*), string_agg(c, '; ') FILTER (WHERE NOT s.same) AS wrong
FROM generate_series(301, 400) n, condition(n) c, same(c, '5') s;

-- no row is fetched but those returned
SET enable_seqscan = off;
BEGIN;
SELECT blocks() AS before \gset
SELECT id FROM q WHERE NOT bo AND (i2 = 3 OR te = 'word 7') AND nu IN (2, 3) ORDER BY v <-> '{500,400}' LIMIT 3;
SELECT blocks() - :before <= 2 * 3 + (SELECT rescored FROM diskann_last_scan()) + 2 AS few;
COMMIT;
SELECT id FROM q WHERE nu IN (2, 3) AND te = ANY (NULL::text[]) ORDER BY v <-> '{500,400}' LIMIT 3;
SELECT visits, wanted FROM diskann_last_scan();

-- a query without an order
SELECT count(*), count(*) FILTER (WHERE i2 = 3 OR te = 'word 7') AS same
FROM (SELECT * FROM q WHERE i2 = 3 OR te = 'word 7' ORDER BY v <-> NULL::real[]) s;

-- parameters: of generic plans, of functions, of outer queries and of subqueries
SET plan_cache_mode = force_generic_plan;
PREPARE p(smallint, text, numeric[], boolean) AS SELECT id FROM q
	WHERE (i2 = $1 OR te = $2) AND nu = ANY ($3) AND (bo OR $4) ORDER BY v <-> '{500,400}' LIMIT 3;
EXECUTE p(3, 'word 7', '{2,3}', false);
SELECT wanted FROM diskann_last_scan();
EXECUTE p(4, 'word 6', '{4,3,NULL}', true);
EXECUTE p(NULL, 'word 7', '{2,3}', NULL);
EXECUTE p(3, 'word 7', NULL, true);
DEALLOCATE p;
CREATE FUNCTION first(a int, b text) RETURNS int[] LANGUAGE plpgsql AS $$
BEGIN
	RETURN ARRAY(SELECT id FROM q WHERE i2 = a OR lower(te) = b ORDER BY v <-> '{500,400}' LIMIT 3);
END $$;
SELECT first(3, 'word 7'), first(NULL, 'word 7'), first(3, NULL), first(NULL, NULL);
SELECT wanted FROM diskann_last_scan();
RESET plan_cache_mode;
SELECT o.i, n.id FROM (VALUES (1), (2), (NULL), (3)) o (i),
	LATERAL (SELECT id FROM q WHERE i2 = o.i OR te = 'word ' || o.i + 2 ORDER BY v <-> '{500,400}' LIMIT 2) n;
SELECT wanted FROM diskann_last_scan();
SELECT o.i, n.id FROM (VALUES (1), (2), (NULL), (3)) o (i),
	LATERAL (SELECT id FROM q WHERE nu IN (o.i, 4) AND i4 <> o.i ORDER BY v <-> '{500,400}' LIMIT 2) n;
SELECT id FROM q WHERE i4 = (SELECT max(i4) FROM q) OR te = (SELECT min(te) FROM q)
ORDER BY v <-> '{500,400}' LIMIT 3;
SELECT wanted FROM diskann_last_scan();
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM q WHERE i2 = 3 OR te = 'word 7' ORDER BY v <-> '{500,400}';
FETCH 2 FROM c;
FETCH 2 FROM c;
COMMIT;

-- conditions on the distance as well
SELECT count(*) FROM (SELECT id FROM q WHERE (i2 = 3 OR te = 'word 7') AND v <-> '{500,400}' < 200
	ORDER BY v <-> '{500,400}' LIMIT 1000) s;
SELECT wanted FROM diskann_last_scan();
RESET enable_seqscan;
SELECT count(*) FROM q WHERE (i2 = 3 OR te = 'word 7') AND v <-> '{500,400}' < 200;

-- a condition is not computed of rows that are gone, if it may fail
INSERT INTO q (id, v, i2, i4) VALUES (5000, '{500,400}', 0, 7);
DELETE FROM q WHERE id = 5000;
SET enable_seqscan = off;
SELECT id FROM q WHERE 12 / i2 = 4 OR i4 = 3 ORDER BY v <-> '{500,400}' LIMIT 3;
SELECT wanted FROM diskann_last_scan();
-- nor of rows that are not to be seen
CREATE ROLE regress_diskann_reader;
CREATE FUNCTION leak(int) RETURNS boolean LANGUAGE plpgsql COST 0.000001 AS $$
BEGIN RAISE NOTICE 'seen: %', $1; RETURN true; END $$;
CREATE TABLE r (v real[], owner int, k int);
INSERT INTO r SELECT ARRAY[i, i], i % 2, i FROM generate_series(1, 20) i;
CREATE INDEX ON r USING diskann (v, owner, k);
ALTER TABLE r ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON r USING (owner = 1 OR owner = 7);
GRANT SELECT ON r TO regress_diskann_reader;
SET ROLE regress_diskann_reader;
SELECT k FROM r WHERE leak(k) ORDER BY v <-> '{5,5}' LIMIT 2;
SELECT k FROM r WHERE leak(k) OR k = 3 ORDER BY v <-> '{5,5}' LIMIT 2;
RESET ROLE;
DROP TABLE r;
-- not where the index cannot decide what hides them, decides it in part, or has
-- none of them and the table is read
CREATE FUNCTION leak_hidden(int) RETURNS boolean LANGUAGE plpgsql STABLE COST 0.000001 AS $$
BEGIN
	IF $1 % 4 = 0 THEN RAISE EXCEPTION 'seen: %', $1; END IF;
	RETURN $1 % 500 = 1;
END $$;
CREATE TABLE r (v real[], k int, t text, s int[], hidden boolean);
INSERT INTO r SELECT ARRAY[i % 50, i / 50], i, CASE i % 4 WHEN 0 THEN 'z' ELSE 'a' END,
	ARRAY[i % 4, 20 + i % 7, 30 + i % 11, 50 + i % 13, 80 + i % 17, 100 + i % 19], i % 4 = 0
	FROM generate_series(1, 2000) i;
ANALYZE r;
ALTER TABLE r ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON r TO regress_diskann_reader;
CREATE FUNCTION look_for_hidden(definition text, condition text, OUT n bigint, OUT table_read boolean)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE INDEX ri ON r USING diskann ' || definition;
	EXECUTE format('CREATE POLICY visible ON r USING (%s)', condition);
	SET LOCAL ROLE regress_diskann_reader;
	SELECT count(*) FROM (SELECT k FROM r WHERE leak_hidden(k) ORDER BY v <-> '{25,20}' LIMIT 4) s INTO n;
	SELECT way LIKE 'the table%' FROM diskann_last_scan() INTO table_read;
	RESET ROLE;
	DROP POLICY visible ON r;
	DROP INDEX ri;
END $$;
SELECT * FROM look_for_hidden('(v, t)', 't < ''m''');
SELECT * FROM look_for_hidden('(v, s)', 's && ''{1,2,3}''');
SELECT * FROM look_for_hidden('(v) WHERE NOT hidden', 'NOT hidden');
DROP TABLE r;
DROP ROLE regress_diskann_reader;
RESET enable_seqscan;

-- other plans: partitions, a common table expression read twice, UPDATE
CREATE TABLE p (v real[], k int, t text, part int) PARTITION BY LIST (part);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (part int, gone int, t text, v real[], k int);
ALTER TABLE p2 DROP COLUMN gone;
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
INSERT INTO p SELECT ARRAY[i, i], i % 10, 't' || i % 5, 1 + i % 2 FROM generate_series(1, 400) i;
CREATE INDEX ON p USING diskann (k, v, t, (k + part));
SET enable_seqscan = off;
SELECT v[1], k, t FROM p WHERE (k = 3 OR t = 't2') AND k + part IN (3, 4, 9) ORDER BY v <-> '{100,100}' LIMIT 4;
SELECT wanted FROM diskann_last_scan();
WITH c AS MATERIALIZED (SELECT * FROM p1 WHERE k = 4 OR t = 't2' ORDER BY v <-> '{100,100}' LIMIT 4)
SELECT (SELECT count(*) FROM c), (SELECT min(k) FROM c);
UPDATE p1 SET k = 77 WHERE v[1] IN (SELECT v[1] FROM p1 WHERE k = 4 OR t = 't2' ORDER BY v <-> '{100,100}' LIMIT 3);
SELECT v[1], k FROM p1 WHERE k = 77 OR k IS NULL ORDER BY v <-> '{100,100}' LIMIT 5;
RESET enable_seqscan;
DROP TABLE p;
-- what an OR seeks is found as what its parts seek
CREATE TABLE w (id int, v real[], k int, t text);
INSERT INTO w SELECT i, ARRAY[pick(i, 1000), pick(i + 5000, 1000)], nullif(i % 100, 0), 't' || i % 50
FROM generate_series(1, 4000) i;
CREATE INDEX ON w USING diskann (v, k, t);
SET enable_seqscan = off;
SELECT count(*) FROM (SELECT FROM w WHERE k = 7 OR k IN (9, 11) OR k IS NULL ORDER BY v <-> '{5,5}' LIMIT 500) s;
SELECT visits < 300 AS few FROM diskann_last_scan();
SELECT count(*) FROM (SELECT FROM w WHERE (k = 7 AND t = 't7') OR (k = 9 AND t = 't8') ORDER BY v <-> '{5,5}' LIMIT 500) s;
SELECT visits < 300 AS few FROM diskann_last_scan();
RESET enable_seqscan;
DROP TABLE w;
DROP TABLE q CASCADE;
DROP FUNCTION condition, leaf, try, same, blocks, fill, pick, first, leak;
DROP TYPE mood;
