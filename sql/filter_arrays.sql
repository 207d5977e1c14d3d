--
-- Filter columns that are arrays: &&, @>, <@, = and value = ANY (column) give
-- exactly the rows that a sequential scan gives
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never
SELECT diskann_simd() <> '' AS loaded;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN label AS smallint CHECK (VALUE > 0);
-- one in which A is equal to a, where there is ICU
DO $$ BEGIN
	CREATE COLLATION odd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN OTHERS THEN
	CREATE COLLATION odd FROM "C";
END $$;

\set tab a
\i test/regress/conditions.sql


-- Some of the numbers 1 to "kinds", with repetitions: mostly few, sometimes
-- many, or a NULL among them; every eleventh array is NULL itself.
CREATE FUNCTION tags(id bigint, kinds int) RETURNS int[] LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE pick(id, 11) WHEN 0 THEN NULL
		ELSE ARRAY(SELECT CASE WHEN id % 7 = 0 AND i = 1 THEN NULL
				ELSE 1 + pick(id * 100 + i, kinds) END
			FROM generate_series(1, CASE pick(id + 1000000, 5)
				WHEN 0 THEN 0 WHEN 1 THEN 9 ELSE pick(id, 5) END) i) END
$$;
CREATE TABLE a (id int, v real[], i2 smallint[], i4 int[], i8 bigint[], te text[],
	vc varchar(9)[], en mood[], nu numeric[], la label[], od text[] COLLATE odd,
	bo boolean[], iv int[], k int, w real[]);
CREATE FUNCTION fill(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO a SELECT i, ARRAY[pick(i, 1000), pick(i + 5000, 1000)],
		tags(i, 9), tags(i + 10000, 30), tags(i + 20000, 9),
		('{' || array_to_string(tags(i + 30000, 20), ' tag,') || '}')::text[],
		tags(i + 40000, 9)::text[],
		ARRAY(SELECT (enum_range(NULL::mood))[e] FROM unnest(tags(i, 3)) e),
		tags(i + 50000, 9)::numeric[], tags(i + 60000, 9)::label[],
		('{' || array_to_string(tags(i + 70000, 5), CASE i % 2 WHEN 0 THEN 'a,' ELSE 'A,' END) || '}')::text[],
		ARRAY(SELECT e > 1 FROM unnest(tags(i + 80000, 2)) e), ARRAY[tags(i, 9)], pick(i, 5),
		tags(i + 90000, 9)::real[]
		FROM generate_series(first, last) i
$$;

-- more rows than a build has, and the vector anywhere
SELECT fill(1, 900);
CREATE INDEX ai ON a USING diskann (i2, i4, v, i8, te, vc, en, nu, la, od, bo, iv, k,
	w scalar_ops);
SELECT fill(901, 1200);
SELECT value FROM diskann_index_info('ai') WHERE property = 'filter_columns';

SELECT * FROM try(ARRAY[
	'i2 && ''{1,2}''', 'i2 @> ''{1,2}''', 'i2 <@ ''{1,2,3,4,5}''', 'i2 = ''{}''', 'i2 = ''{3}''',
	'i2 && ''{}''', 'i2 @> ''{}''', 'i2 <@ ''{}''', 'i2 && ''{NULL,1}''', 'i2 @> ''{NULL,1}''',
	'i2 <@ ''{NULL,1,2}''', 'i2 && NULL', 'i2 IS NULL', 'i2 IS NOT NULL AND k = 3',
	'''{1,2}'' && i2', '''{7}'' <@ i2', 'i2 && ''{77}''', 'i2 && ARRAY[2]::smallint[]',
	'i4 && ''{1,2}''', 'i4 @> ''{7,8}''', 'i4 && ''{1,2,3,4,5,6,7,8}''', 'i4 @> ARRAY[1] AND i2 @> ''{2}''',
	'i8 && ''{1}''', 'i8 @> ''{1,1,1}''', 'te && ''{"1 tag","2 tag"}''', 'te @> ''{"1 tag"}''',
	'te && ''{nothing}''', 'vc && ''{1}''', 'en && ''{sad}''', 'en @> ''{sad,happy}''', 'en <@ ''{ok}''',
	'nu && ''{1,2}''', 'nu @> ''{2.000}''', 'la && ''{1,2}''',
	'bo && ''{t}''', 'bo @> ''{t,f}''', 'iv && ''{{1,2}}''', 'iv @> ''{3}''', 'w && ''{1,2}''', 'w @> ''{3}''',
	'i4 <> ''{3}'' AND k = 1', 'i4 < ''{3}''', 'i2 = ''{1,NULL}''']);

-- a value = ANY (column), which PostgreSQL makes no condition of an index
SELECT * FROM try(ARRAY[
	'1 = ANY (i2)', '1::smallint = ANY (i2)', '1::bigint = ANY (i2)', '1 = ANY (i8)', '3 = ANY (i4)',
	'''1 tag'' = ANY (te)', '''2'' = ANY (vc)', '''sad'' = ANY (en)', '2.0 = ANY (nu)', '1 = ANY (la)',
	'true = ANY (bo)', '5 = ANY (iv)', 'NULL = ANY (i2)', '1.5::real = ANY (w)',
	'(SELECT 3) = ANY (i4)', '3 = ANY (i4) AND 4 = ANY (i4)', '3 = ANY (i4) OR k = 1',
	'3 = ANY (i4) OR i2 && ''{2}'' OR te IS NULL', '1 <> ANY (i2)', '1 = ALL (i2)', 'NOT 1 = ANY (i2)',
	'NOT i2 && ''{1}''', '1.5 = ANY (i2)', 'k = ANY (i4)', 'i2[1] = 1', 'cardinality(i2) = 2']);

-- how many rows there are depends on there being ICU
SELECT cond, same, decided FROM try(ARRAY['od && ''{1a}''', 'od @> ''{1A,2a}''', '''1a'' = ANY (od)']);

-- with a limit; and hundreds of conditions by chance
SELECT s.* FROM unnest(ARRAY['i2 && ''{3}''', 'te @> ''{"5 tag"}''', '3 = ANY (i4)']) c, same(c, '7') s;
CREATE FUNCTION condition(seed int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format(CASE pick(seed * 10 + i, 6) WHEN 0 THEN '%1$s && %2$L' WHEN 1 THEN '%1$s @> %2$L'
			WHEN 2 THEN '%1$s <@ %2$L' WHEN 3 THEN '%3$s = ANY (%1$s)' WHEN 4 THEN '%1$s = %2$L' ELSE '(%1$s @> ''{%3$s}'' OR %3$s + 1 = ANY (%1$s))' END,
		(ARRAY['i2', 'i4', 'i8', 'nu', 'la', 'iv'])[1 + pick(seed * 20 + i, 6)],
		coalesce(tags(seed * 30 + i, 9), '{1,2}'), 1 + pick(seed * 40 + i, 9)),
		CASE seed % 3 WHEN 0 THEN ' OR ' ELSE ' AND ' END)
	FROM generate_series(1, 1 + seed % 3) i
$$;
SELECT count(*), count(*) FILTER (WHERE s.rows > 0) > 150 AS found,
	string_agg(c, '; ') FILTER (WHERE NOT s.same) AS wrong
FROM generate_series(1, 300) n, condition(n) c, same(c) s;
SELECT count(*), string_agg(c, '; ') FILTER (WHERE NOT s.same) AS wrong
FROM generate_series(301, 400) n, condition(n) c, same(c, '5') s;

-- no row is fetched but those returned
SET enable_seqscan = off;
BEGIN;
SELECT blocks() AS before \gset
SELECT id FROM a WHERE i4 @> '{3}' AND 4 = ANY (i2) ORDER BY v <-> '{500,400}' LIMIT 3;
SELECT blocks() - :before <= 2 * 3 + (SELECT rescored FROM diskann_last_scan()) + 2 AS few;
COMMIT;
-- and most nodes are told apart before they are visited
SELECT match_rate < 0.1 AS narrow FROM diskann_last_scan();
EXPLAIN (COSTS OFF) SELECT id FROM a WHERE i4 @> '{3}' AND 4 = ANY (i2)
ORDER BY v <-> '{500,400}' LIMIT 3;
-- what no row fulfils is found out before anything is visited
SELECT id FROM a WHERE i2 @> ARRAY[NULL]::smallint[] ORDER BY v <-> '{500,400}' LIMIT 3;
SELECT visits, way FROM diskann_last_scan();

-- parameters
SET plan_cache_mode = force_generic_plan;
PREPARE q(int[], int, text) AS SELECT id FROM a WHERE i4 && $1 AND $2 = ANY (i2) AND $3 = ANY (te)
	ORDER BY v <-> '{500,400}' LIMIT 3;
EXECUTE q('{3,4}', 2, '3 tag');
SELECT wanted FROM diskann_last_scan();
EXECUTE q('{5,6,7}', 4, '4 tag');
EXECUTE q(NULL, 2, '3 tag');
EXECUTE q('{3,4}', NULL, '3 tag');
DEALLOCATE q;
RESET plan_cache_mode;
SELECT o.i, n.id FROM (VALUES (1), (2), (NULL), (3)) o (i),
	LATERAL (SELECT id FROM a WHERE o.i = ANY (i2) ORDER BY v <-> '{500,400}' LIMIT 2) n;
SELECT o.i, n.id FROM (VALUES (1), (2), (NULL), (3)) o (i),
	LATERAL (SELECT id FROM a WHERE i2 && ARRAY[o.i, 77]::smallint[] ORDER BY v <-> '{500,400}' LIMIT 2) n;
RESET enable_seqscan;

-- rows come, change and go
UPDATE a SET i2 = i2 || 100::smallint WHERE id % 10 = 3;
UPDATE a SET i4 = NULL WHERE id % 10 = 4;
DELETE FROM a WHERE id % 10 = 5;
SELECT * FROM try(ARRAY['i2 @> ''{100}''', '100 = ANY (i2)', 'i4 IS NULL', 'i4 && ''{1,2,3}''']);
VACUUM a;
SELECT tids FROM diskann_index_check('ai', true);
REINDEX INDEX ai;
SELECT tids FROM diskann_index_check('ai', true);
SELECT * FROM try(ARRAY['i2 @> ''{100}''', '100 = ANY (i2)', 'i4 IS NULL', 'i4 && ''{1,2,3}''']);
DROP TABLE a;

-- rows of one vector share a node if their elements are the same, in any order
CREATE TABLE d (id int, v real[], tags int[]);
CREATE INDEX di ON d USING diskann (v, tags);
INSERT INTO d SELECT i, '{1,2}', CASE i % 4 WHEN 0 THEN '{1,2,3}' WHEN 1 THEN '{3,2,1,1}'
	WHEN 2 THEN '{1,2,3,4,5,6}' ELSE '{6,5,4,3,2,1,NULL}' END::int[] FROM generate_series(1, 400) i;
SELECT nodes, tids FROM diskann_index_check('di', true);
DROP TABLE d;

-- what is an array, and what can be none
CREATE TABLE n (v real[], w real[], d double precision[], o oidvector, j json[], b bit(3)[], x xid[], k int[]);
CREATE INDEX ON n USING diskann (v, w);
CREATE INDEX ON n USING diskann (v, d);
CREATE INDEX ON n USING diskann (v, j);
CREATE INDEX ON n USING diskann (v, b);
CREATE INDEX ni ON n USING diskann (v, o, x, w scalar_ops, d scalar_ops);
SELECT value FROM diskann_index_info('ni') WHERE property = 'filter_columns';
INSERT INTO n VALUES ('{1,2}', '{1,NULL}', '{NaN,-0}', '1 2', NULL, NULL, '{7}');
SET enable_seqscan = off;
SELECT x FROM n WHERE x @> '{7}' AND w @> '{1}' AND o = '1 2' AND d @> '{0,NaN}' ORDER BY v <-> '{1,2}';
-- arrays of other types are an error, as without an index
SELECT x FROM n WHERE k && '{1}'::bigint[] ORDER BY v <-> '{1,2}';
RESET enable_seqscan;
DROP TABLE n;
DROP FUNCTION condition, try, same, blocks, fill, tags, pick;
DROP DOMAIN label;
DROP TYPE mood;
