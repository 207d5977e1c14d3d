--
-- Distance functions and operators on real[] and double precision[]
--
-- Values are chosen so that sums are exact in single precision, or results
-- are rounded: other instruction sets may differ in the last bits.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
\set SHOW_CONTEXT never

--
-- Results, in all type combinations
--
\set r '''{1,2,3}''::real[]'
\set d '''{1,2,3}''::double precision[]'
\set r2 '''{4,6,15}''::real[]'
\set d2 '''{4,6,15}''::double precision[]'

SELECT :r <-> :r2 AS rr, :r <-> :d2 AS rd, :d <-> :r2 AS dr, :d <-> :d2 AS dd;
SELECT :r <#> :r2 AS rr, :r <#> :d2 AS rd, :d <#> :r2 AS dr, :d <#> :d2 AS dd;
SELECT l2_distance(:r, :r2) AS rr, l2_distance(:r, :d2) AS rd,
       l2_distance(:d, :r2) AS dr, l2_distance(:d, :d2) AS dd;
SELECT inner_product(:r, :r2) AS rr, inner_product(:r, :d2) AS rd,
       inner_product(:d, :r2) AS dr, inner_product(:d, :d2) AS dd;
SELECT negative_inner_product(:r, :r2) AS rr,
       negative_inner_product(:d, :d2) AS dd;
SELECT pg_typeof(:r <-> :r2), pg_typeof(:r <#> :d2), pg_typeof(:d <=> :r2);

-- 0.6 is the cosine of (4,3) and (0,1)
SELECT round((x <=> y)::numeric, 6) AS rr,
       round((x <=> y::float8[])::numeric, 6) AS rd,
       round((x::float8[] <=> y)::numeric, 6) AS dr,
       round((x::float8[] <=> y::float8[])::numeric, 6) AS dd,
       round(cosine_distance(x, y)::numeric, 6) AS f
FROM (VALUES ('{4,3}'::real[], '{0,1}'::real[]),
             ('{4,3}', '{0,-2}'),
             ('{4,3}', '{-3,4}'),
             ('{1,1}', '{-7,-7}'),
             ('{1,1}', '{7,7}')) v(x, y);

-- never outside 0..2, and exactly 0 to itself
SELECT '{0.1,0.7,0.3}'::real[] <=> '{0.1,0.7,0.3}' AS r,
       '{0.1,0.7,0.3}'::float8[] <=> '{0.1,0.7,0.3}' AS d;
SELECT count(*) FILTER (WHERE r NOT BETWEEN 0 AND 2) AS r,
       count(*) FILTER (WHERE d NOT BETWEEN 0 AND 2) AS d
FROM (SELECT a <=> b AS r, a::float8[] <=> b::float8[] AS d
      FROM (SELECT ARRAY[sin(i), cos(i), sin(2 * i)]::real[] AS a,
                   ARRAY[sin(i) * j, cos(i) * j, sin(2 * i) * j]::real[] AS b
            FROM generate_series(1, 100) i, (VALUES (-3), (7)) f(j)) s) t;

-- no negative zero
SELECT '{1,0}'::real[] <#> '{0,1}' AS r, '{1,0}'::float8[] <#> '{0,1}' AS d;

-- one element; lower bounds other than 1
SELECT '{5}'::real[] <-> '{2}' AS l2, '{5}'::real[] <#> '{2}' AS ip,
       '{5}'::real[] <=> '{-2}' AS cosine;
SELECT '[0:2]={1,2,3}'::real[] <-> '[-5:-3]={1,2,5}'::float8[];

--
-- Other functions
--
SELECT vector_dims('{1,2,3}'::real[]), vector_dims('{1,2}'::float8[]);
SELECT vector_norm('{3,4}'::real[]), vector_norm('{5,12}'::float8[]),
       vector_norm('{0,0}'::real[]), vector_norm('{0,0}'::float8[]);
SELECT l2_normalize('{3,4}'::real[]) AS r, l2_normalize('{3,4}'::float8[]) AS d;
SELECT l2_normalize('{0,0}'::real[]) AS r, l2_normalize('{0,0}'::float8[]) AS d;
SELECT pg_typeof(l2_normalize('{3,4}'::real[])) AS r,
       pg_typeof(l2_normalize('{3,4}'::float8[])) AS d;
SELECT l2_normalize('[0:1]={3,4}'::real[]);

--
-- Every length, so that every tail of a kernel is taken: wrong results
--
WITH v AS (
    SELECT n, array_agg((i * 7 % 11 - 5)::real ORDER BY i) AS a,
           array_agg((i * 5 % 13 - 6)::real ORDER BY i) AS b
    FROM generate_series(1, 150) n, generate_series(1, n) i
    GROUP BY n
), expected AS (
    SELECT n, a, b, sum(x * y) AS dot, sum(x * x) AS aa, sum(y * y) AS bb,
           sum((x - y) * (x - y)) AS l2sq
    FROM v, unnest(a::float8[], b::float8[]) u(x, y)
    GROUP BY n, a, b
)
SELECT n FROM expected
WHERE (a <-> b) <> sqrt(l2sq)
   OR (a::float8[] <-> b::float8[]) <> sqrt(l2sq)
   OR (a <-> b::float8[]) <> sqrt(l2sq)
   OR inner_product(a, b) <> dot
   OR inner_product(a::float8[], b::float8[]) <> dot
   OR vector_norm(a) <> sqrt(aa)
   OR vector_norm(a::float8[]) <> sqrt(aa)
   OR abs((a <=> b) - (1 - dot / sqrt(aa * bb))) > 1e-12
   OR abs((a::float8[] <=> b::float8[]) - (1 - dot / sqrt(aa * bb))) > 1e-12;

-- more elements than an index takes
SELECT vector_dims(a), a <-> b AS l2, a <#> b AS ip, a <-> b::float8[] AS l2_d,
       round((a <=> b)::numeric, 6) AS cosine
FROM (SELECT array_agg((i % 3)::real ORDER BY i) AS a,
             array_agg(((i + 1) % 3)::real ORDER BY i) AS b
      FROM generate_series(1, 16001) i) v;

--
-- Columns: short headers, compressed, out of line, nulls
--
CREATE TABLE vectors (id integer, r real[], d double precision[]);
ALTER TABLE vectors ALTER r SET STORAGE EXTENDED, ALTER d SET STORAGE EXTERNAL;
INSERT INTO vectors VALUES
    (1, '{1,2,3}', '{1,2,3}'),
    (2, '{2,3,4}', '{2,3,4}'),
    (3, NULL, NULL),
    (4, '{0,0,0}', '{0,0,0}');
INSERT INTO vectors
    SELECT 5, array_agg(1::real), array_agg(2::float8)
    FROM generate_series(1, 4000);
SELECT pg_column_size(r) < 4000 AS compressed,
       pg_column_size(d) > 32000 AS external
FROM vectors WHERE id = 5;

SELECT id, r <-> d AS l2, d <-> r AS l2_swapped, r <#> d AS ip,
       round((r <=> d)::numeric, 6) AS cosine, r <-> r AS self,
       vector_dims(r), vector_norm(d)
FROM vectors ORDER BY id;
SELECT id FROM vectors WHERE id < 5 ORDER BY r <-> '{2,3,3}', id;
SELECT id FROM vectors WHERE id < 5 ORDER BY d <#> '{2,3,3}'::real[], id;
SELECT id FROM vectors WHERE id < 5 ORDER BY '{-1,-2,-3}' <=> r, id;

-- a null bitmap that has no null in it any more
INSERT INTO vectors VALUES (6, '{1,NULL,3}', '{1,NULL,3}');
SELECT r <-> '{1,2,3}' FROM vectors WHERE id = 6;
UPDATE vectors SET r[2] = 2, d[2] = 2 WHERE id = 6;
SELECT r, r <-> '{1,2,5}' AS r, d <-> '{1,2,5}' AS d FROM vectors WHERE id = 6;

-- an expanded array, as PL/pgSQL variables are
DO $$
DECLARE
    a real[] := ARRAY[1,2];
BEGIN
    a := a || 3::real;
    a[1] := 2;
    RAISE NOTICE '% % %', a <-> '{2,2,5}', a <-> a, l2_normalize(a) <=> a < 1e-6;
END $$;

-- null arguments
SELECT NULL::real[] <-> '{1}' AS a, '{1}'::real[] <-> NULL AS b,
       '{1}'::real[] <=> NULL::float8[] AS c,
       NULL::integer[] <#> '{1}'::real[] AS d,
       vector_dims(NULL::real[]) AS e, vector_norm(NULL::float8[]) AS f,
       l2_normalize(NULL::real[]) AS g;

--
-- Literals and arrays of other types
--
-- An untyped literal, also in a parameter, has the type of the other side.
EXPLAIN (VERBOSE, COSTS OFF)
SELECT r <-> '{1,2,3}', '{1,2,3}' <=> d FROM vectors;
PREPARE untyped AS SELECT r <-> $1 FROM vectors WHERE id = 1;
EXECUTE untyped('{1,2,5}');
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'untyped';
DEALLOCATE untyped;
SELECT l2_distance(r, '{1,2,5}'), cosine_distance(d, '{1,2,3}')
FROM vectors WHERE id = 1;

-- Integers and numerics are converted once, by the planner.
EXPLAIN (VERBOSE, COSTS OFF)
SELECT r <-> ARRAY[1,2,3], ARRAY[1,2,3] <-> d FROM vectors;
EXPLAIN (VERBOSE, COSTS OFF)
SELECT r <#> ARRAY[0.1,0.2,0.3], ARRAY[0.1,0.2,0.3] <=> d FROM vectors;
SELECT '{0.1,0.2}'::real[] <-> ARRAY[0.1,0.2] AS r,
       '{0.1,0.2}'::float8[] <-> ARRAY[0.1,0.2] AS d,
       '{3,4}'::real[] <#> ARRAY[2.5,1] AS mixed;
SELECT :r <-> ARRAY[4,6,15]::smallint[] AS i2, :r <-> ARRAY[4,6,15] AS i4,
       :r <-> ARRAY[4,6,15]::bigint[] AS i8,
       :r <-> ARRAY[4,6,15]::numeric[] AS num,
       ARRAY[4,6,15]::smallint[] <-> :r AS i2, ARRAY[4,6,15] <-> :r AS i4,
       ARRAY[4,6,15]::bigint[] <-> :r AS i8,
       ARRAY[4,6,15]::numeric[] <-> :r AS num;
SELECT :d <#> ARRAY[4,6,15]::smallint[] AS i2, :d <#> ARRAY[4,6,15] AS i4,
       :d <#> ARRAY[4,6,15]::bigint[] AS i8,
       :d <#> ARRAY[4,6,15]::numeric[] AS num,
       ARRAY[4,6,15]::smallint[] <#> :d AS i2, ARRAY[4,6,15] <#> :d AS i4,
       ARRAY[4,6,15]::bigint[] <#> :d AS i8,
       ARRAY[4,6,15]::numeric[] <#> :d AS num;
SELECT l2_distance(:r, ARRAY[4,6,15]), inner_product(ARRAY[4,6,15.0], :d);
SELECT id, r <-> v AS l2 FROM vectors, (VALUES (ARRAY[2,3,4])) q(v)
WHERE id < 5 ORDER BY r <-> v LIMIT 2;
SELECT :r <-> ARRAY[1,NULL,3];
SELECT :r <-> ARRAY[1e39,1,1];
SELECT :r <-> ARRAY['1','2','3'];
SELECT ARRAY[1,2] <-> ARRAY[3,4];
SELECT ARRAY[1,2] <-> ARRAY[0.5,4];
SELECT ARRAY[1,2] <-> '{4,6}' AS untyped;
PREPARE untyped AS SELECT $1 <-> ARRAY[1,2] AS parameter;
EXECUTE untyped('{4,6}');
DEALLOCATE untyped;

-- Each operator takes each pair of types, and gives what double precision does.
CREATE FUNCTION differing(OUT tried int, OUT differ text) LANGUAGE plpgsql AS $$
DECLARE
    types text[] := '{real[],float8[],smallint[],integer[],bigint[],numeric[]}';
    op text;
    a text;
    b text;
    same boolean;
BEGIN
    tried := 0;
    FOREACH op IN ARRAY '{<->,<#>,<=>}'::text[] LOOP
        FOREACH a IN ARRAY types LOOP
            FOREACH b IN ARRAY types LOOP
                EXECUTE format('SELECT abs((x::%2$s %1$s y::%3$s)
                    - (x::float8[] %1$s y::float8[])) < 1e-6
                    FROM (VALUES (''{1,-2,3}'', ''{4,6,15}'')) v(x, y)',
                    op, a, b) INTO same;
                tried := tried + 1;
                IF NOT same THEN
                    differ := concat_ws(', ', differ, a || op || b);
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
END$$;
SELECT * FROM differing();
DROP FUNCTION differing();

-- a domain is as good as its type
CREATE DOMAIN embedding AS real[] CHECK (vector_dims(VALUE) = 3);
SELECT '{1,2,3}'::embedding <-> '{4,6,15}' AS literal,
       '{1,2,3}'::embedding <-> ARRAY[4,6,15] AS ints,
       '{1,2,3}'::embedding <-> :d2 AS doubles;
DROP DOMAIN embedding;

--
-- Errors
--
SELECT '{1,2}'::real[] <-> '{1,2,3}';
\echo :LAST_ERROR_SQLSTATE
SELECT '{1,2}'::float8[] <=> '{1}'::real[];
SELECT '{1,2}'::real[] <#> ARRAY[1,2,3];
SELECT '{1,NULL}'::real[] <-> '{1,2}';
\echo :LAST_ERROR_SQLSTATE
SELECT '{1,2}'::real[] <=> '{NULL,2}'::float8[];
SELECT '{{1,2},{3,4}}'::real[] <-> '{1,2,3,4}';
\echo :LAST_ERROR_SQLSTATE
SELECT '{1,2}'::float8[] <#> '{{{1,2}}}';
SELECT '{}'::real[] <-> '{}';
\echo :LAST_ERROR_SQLSTATE
SELECT '{1}'::real[] <-> '{}'::float8[];
SELECT vector_dims('{}'::real[]);
SELECT vector_dims('{{1},{2}}'::float8[]);
SELECT vector_norm('{1,NULL}'::real[]);
SELECT l2_normalize('{NULL}'::float8[]);

--
-- Zero vectors have cosine distance 1 to everything
--
SELECT '{0,0}'::real[] <=> '{1,2}' AS rr, '{1,2}'::real[] <=> '{0,0}' AS rr2,
       '{0,0}'::real[] <=> '{0,0}' AS zz, '{-0,0}'::real[] <=> '{1,2}' AS neg,
       '{0,0}'::real[] <=> '{1,2}'::float8[] AS rd,
       '{0,0}'::float8[] <=> '{1,2}'::real[] AS dr,
       '{1,2}'::float8[] <=> '{0,0}'::float8[] AS dd;

--
-- NaN and infinity follow IEEE arithmetic
--
SELECT x, x <-> '{1,2}' AS l2, x <#> '{1,2}' AS ip, x <=> '{1,2}' AS cosine,
       x <-> x AS self, vector_norm(x), l2_normalize(x)
FROM unnest(ARRAY['{NaN,1}', '{1,NaN}', '{Infinity,1}', '{-Infinity,1}',
                  '{Infinity,-Infinity}', '{NaN,Infinity}']) u(t),
     LATERAL (SELECT t::real[] AS x) v;
SELECT x, x <-> '{1,2}' AS l2, x <#> '{1,2}' AS ip, x <=> '{1,2}' AS cosine,
       x <-> x AS self, vector_norm(x), l2_normalize(x)
FROM unnest(ARRAY['{NaN,1}', '{1,NaN}', '{Infinity,1}', '{-Infinity,1}',
                  '{Infinity,-Infinity}', '{NaN,Infinity}']) u(t),
     LATERAL (SELECT t::float8[] AS x) v;
SELECT '{Infinity,1}'::real[] <#> '{0,1}' AS zero_times_infinity,
       '{NaN,1}'::real[] <-> '{1,1}'::float8[] AS rd;

-- also in the last of many elements, beyond a kernel's full registers
WITH v AS (
    SELECT n, array_agg(1::real) AS a FROM generate_series(1, 70) n,
           generate_series(1, n) i GROUP BY n
)
SELECT n FROM v
WHERE (a <-> (a || 'NaN'::real)[2:]) <> 'NaN'
   OR (a <#> (a || 'NaN'::real)[2:]) <> 'NaN'
   OR (a <=> (a || 'NaN'::real)[2:]) <> 'NaN'
   OR (a <-> (a || 'Infinity'::real)[2:]) <> 'Infinity'
   OR (a <#> (a || 'Infinity'::real)[2:]) <> '-Infinity'
   OR (a::float8[] <-> (a || 'NaN'::real)[2:]) <> 'NaN'
   OR (a::float8[] <#> (a || 'NaN'::real)[2:]) <> 'NaN'
   OR (a::float8[] <=> (a || 'NaN'::real)[2:]) <> 'NaN';

--
-- Squares beyond the range of the type do not spoil a result within it
--
SELECT ('{3e30,0}'::real[] <-> '{0,4e30}')::real AS l2,
       ('{1e30,1e30}'::real[] <#> '{2e30,1e30}') / 1e60
           BETWEEN -3.001 AND -2.999 AS ip,
       round(('{4e30,3e30}'::real[] <=> '{0,1e30}')::numeric, 6) AS cosine,
       vector_norm('{3e30,4e30}'::real[])::real AS norm,
       l2_normalize('{3e30,4e30}'::real[]);
SELECT ('{3e-30,0}'::real[] <-> '{0,4e-30}')::real AS l2,
       round(('{4e-30,3e-30}'::real[] <=> '{0,1e-30}')::numeric, 6) AS cosine,
       vector_norm('{3e-30,4e-30}'::real[])::real AS norm,
       l2_normalize('{3e-30,4e-30}'::real[]);
-- the smallest real
SELECT ('{1.4e-45}'::real[] <-> '{0}')::real AS l2,
       '{1.4e-45}'::real[] <=> '{-3}' AS cosine,
       vector_norm('{1.4e-45}'::real[])::real AS norm,
       l2_normalize('{-1.4e-45}'::real[]);
SELECT (('{3e200,0}'::float8[] <-> '{0,4e200}') / 1e200)::real AS l2,
       '{1e200,1}'::float8[] <#> '{1e200,1}' AS ip,
       round(('{4e200,3e200}'::float8[] <=> '{0,1e200}')::numeric, 6) AS cosine,
       (vector_norm('{3e200,4e200}'::float8[]) / 1e200)::real AS norm,
       l2_normalize('{3e200,4e200}'::float8[])::real[];
SELECT (('{3e-200,0}'::float8[] <-> '{0,4e-200}') * 1e200)::real AS l2,
       round(('{4e-200,3e-200}'::float8[] <=> '{0,1e-200}')::numeric, 6) AS cosine,
       (vector_norm('{3e-200,4e-200}'::float8[]) * 1e200)::real AS norm,
       l2_normalize('{3e-200,4e-200}'::float8[])::real[];
SELECT '{1e308,1e308,1e308,1e308}'::float8[] <-> '{0,0,0,0}' AS l2,
       l2_normalize('{1e308,1e308,1e308,1e308}'::float8[]),
       '{1e308,1e308}'::float8[] <=> '{1e-308,1e-308}' AS cosine;

--
-- Each operator has its commutator, and none is left a shell
--
SELECT o.oid::regoperator
FROM pg_operator o LEFT JOIN pg_operator c ON c.oid = o.oprcom
WHERE o.oprname IN ('<->', '<#>', '<=>')
  AND (o.oprleft IN ('real[]'::regtype, 'double precision[]'::regtype)
       OR o.oprright IN ('real[]'::regtype, 'double precision[]'::regtype))
  AND (o.oprcode = 0 OR c.oprname IS DISTINCT FROM o.oprname
       OR c.oprleft <> o.oprright OR c.oprright <> o.oprleft
       OR c.oprcom <> o.oid);

DROP TABLE vectors;
