/* diskann_pgvector 0.1.0 */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION diskann_pgvector" to load this file. \quit

--
-- Operator classes for pgvector's types, of the names they have with its own
-- access methods.  The operators are pgvector's.
--

CREATE FUNCTION diskann_vector_l2_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_vector_ip_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_vector_cosine_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_halfvec_l2_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_halfvec_ip_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_halfvec_cosine_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR CLASS vector_cosine_ops DEFAULT
	FOR TYPE vector USING diskann AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_vector_cosine_support(internal);

CREATE OPERATOR CLASS vector_l2_ops
	FOR TYPE vector USING diskann AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_vector_l2_support(internal);

CREATE OPERATOR CLASS vector_ip_ops
	FOR TYPE vector USING diskann AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_vector_ip_support(internal);

CREATE OPERATOR CLASS halfvec_cosine_ops DEFAULT
	FOR TYPE halfvec USING diskann AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_halfvec_cosine_support(internal);

CREATE OPERATOR CLASS halfvec_l2_ops
	FOR TYPE halfvec USING diskann AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_halfvec_l2_support(internal);

CREATE OPERATOR CLASS halfvec_ip_ops
	FOR TYPE halfvec USING diskann AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_halfvec_ip_support(internal);

--
-- pgvectorscale's class for labels is scalar_ops by another name.  Its
-- statements compare labels, which are smallint[], with lists of numbers, which
-- are integer[].  The planner inlines the functions and sees an operator of
-- scalar_ops.
--

CREATE OPERATOR CLASS vector_smallint_label_ops
	FOR TYPE smallint[] USING diskann FAMILY scalar_ops AS
	STORAGE smallint[];

CREATE FUNCTION diskann_overlaps(smallint[], integer[])
	RETURNS boolean
	IMMUTABLE STRICT PARALLEL SAFE
	RETURN $1 OPERATOR(pg_catalog.&&) $2::smallint[];

CREATE FUNCTION diskann_overlaps(integer[], smallint[])
	RETURNS boolean
	IMMUTABLE STRICT PARALLEL SAFE
	RETURN $2 OPERATOR(pg_catalog.&&) $1::smallint[];

CREATE OPERATOR && (
	LEFTARG = smallint[], RIGHTARG = integer[],
	FUNCTION = diskann_overlaps, COMMUTATOR = &&
);

CREATE OPERATOR && (
	LEFTARG = integer[], RIGHTARG = smallint[],
	FUNCTION = diskann_overlaps, COMMUTATOR = &&
);

--
-- Operators between pgvector's types and arrays, which is what a list of numbers
-- becomes in many drivers.  The right side is converted to the type of the left
-- one, integers and numerics to that of the other side.  The planner inlines the
-- functions and sees an operator of two arguments of one type, which an index
-- may serve.
--
-- Where a column of either type may have an index, the column's type must win,
-- on whichever side it is.  The support function sees to that: it exchanges the
-- sides of an expression that has its column on the right.
--

CREATE FUNCTION diskann_column_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

DO $$
DECLARE
	new pg_catalog.record;
BEGIN
	FOR new IN
		WITH metric (op, function) AS (
			VALUES ('<->', 'diskann_l2_distance'),
				('<#>', 'diskann_negative_inner_product'),
				('<=>', 'diskann_cosine_distance')),
		vector (type) AS (VALUES ('vector'), ('halfvec')),
		-- pgvector has no cast from all of these
		list (type, through, is_key) AS (
			VALUES ('real[]', '', true), ('double precision[]', '', true),
				('smallint[]', '::real[]', false), ('integer[]', '', false),
				('bigint[]', '::real[]', false), ('numeric[]', '', false)),
		pair (a, b, body, support) AS (
			SELECT v.type, l.type, '$1 %s $2' || l.through || '::' || v.type,
					l.is_key
				FROM vector v, list l
			UNION ALL
			SELECT l.type, v.type, '$1 %s $2::real[]', true
				FROM vector v, list l WHERE l.is_key
			UNION ALL
			SELECT l.type, v.type, '$1' || l.through || '::' || v.type ||
					' %s $2', false
				FROM vector v, list l WHERE NOT l.is_key
			-- As before there were others: a vector converts to a halfvec.
			UNION ALL
			VALUES ('vector', 'halfvec', '$1::halfvec %s $2', false),
				('halfvec', 'vector', '$1 %s $2::halfvec', false))
		SELECT op, function, a, b, pg_catalog.format(body, op) AS body,
				CASE WHEN support THEN 'SUPPORT diskann_column_support'
					ELSE '' END AS support
			FROM metric, pair
	LOOP
		EXECUTE pg_catalog.format('CREATE FUNCTION %s(%s, %s)
				RETURNS double precision
				IMMUTABLE STRICT PARALLEL SAFE COST 50 %s
				RETURN %s',
			new.function, new.a, new.b, new.support, new.body);
		EXECUTE pg_catalog.format('CREATE OPERATOR %s (
				LEFTARG = %s, RIGHTARG = %s,
				FUNCTION = %s, COMMUTATOR = %1$s)',
			new.op, new.a, new.b, new.function);
	END LOOP;
END
$$;

--
-- All of this went by names, of which somebody else may have objects in the
-- schemas searched.
--

DO $$
BEGIN
	IF EXISTS (
		SELECT FROM pg_catalog.pg_depend needs
			JOIN pg_catalog.pg_depend ours USING (classid, objid)
		WHERE ours.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
			AND ours.deptype = 'e'
			AND ours.refobjid = (SELECT oid FROM pg_catalog.pg_extension
				WHERE extname = 'diskann_pgvector')
			AND needs.deptype IN ('n', 'a')
			AND needs.refclassid IN ('pg_catalog.pg_type'::pg_catalog.regclass,
				'pg_catalog.pg_operator'::pg_catalog.regclass,
				'pg_catalog.pg_proc'::pg_catalog.regclass,
				'pg_catalog.pg_am'::pg_catalog.regclass)
			AND needs.refobjid >= 16384
			AND NOT EXISTS (
				SELECT FROM pg_catalog.pg_depend member
					JOIN pg_catalog.pg_extension e ON e.oid = member.refobjid
				WHERE member.classid = needs.refclassid
					AND member.objid = needs.refobjid
					AND member.refclassid =
						'pg_catalog.pg_extension'::pg_catalog.regclass
					AND member.deptype = 'e'
					AND e.extname IN ('vector', 'diskann', 'diskann_pgvector')))
	THEN
		RAISE EXCEPTION 'a schema searched has objects of the names of pgvector''s'
			USING ERRCODE = 'duplicate_object',
				HINT = 'Create the extension in a schema of its own.';
	END IF;
END
$$;
