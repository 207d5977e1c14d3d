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
-- Operators between a vector and an array, which is what a list of numbers
-- becomes in many drivers.  Without these, the vector would be converted to
-- real[], and then no index of its column would serve.  The planner inlines the
-- functions and sees pgvector's own operator.
--

CREATE FUNCTION diskann_l2_distance(vector, real[])
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1 <-> $2::vector;

CREATE FUNCTION diskann_l2_distance(real[], vector)
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1::vector <-> $2;

CREATE FUNCTION diskann_l2_distance(vector, double precision[])
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1 <-> $2::vector;

CREATE FUNCTION diskann_l2_distance(double precision[], vector)
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1::vector <-> $2;

CREATE FUNCTION diskann_negative_inner_product(vector, real[])
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1 <#> $2::vector;

CREATE FUNCTION diskann_negative_inner_product(real[], vector)
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1::vector <#> $2;

CREATE FUNCTION diskann_negative_inner_product(vector, double precision[])
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1 <#> $2::vector;

CREATE FUNCTION diskann_negative_inner_product(double precision[], vector)
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1::vector <#> $2;

CREATE FUNCTION diskann_cosine_distance(vector, real[])
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1 <=> $2::vector;

CREATE FUNCTION diskann_cosine_distance(real[], vector)
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1::vector <=> $2;

CREATE FUNCTION diskann_cosine_distance(vector, double precision[])
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1 <=> $2::vector;

CREATE FUNCTION diskann_cosine_distance(double precision[], vector)
	RETURNS double precision
	IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN $1::vector <=> $2;

CREATE OPERATOR <-> (
	LEFTARG = vector, RIGHTARG = real[],
	FUNCTION = diskann_l2_distance, COMMUTATOR = <->
);

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = vector,
	FUNCTION = diskann_l2_distance, COMMUTATOR = <->
);

CREATE OPERATOR <-> (
	LEFTARG = vector, RIGHTARG = double precision[],
	FUNCTION = diskann_l2_distance, COMMUTATOR = <->
);

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = vector,
	FUNCTION = diskann_l2_distance, COMMUTATOR = <->
);

CREATE OPERATOR <#> (
	LEFTARG = vector, RIGHTARG = real[],
	FUNCTION = diskann_negative_inner_product, COMMUTATOR = <#>
);

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = vector,
	FUNCTION = diskann_negative_inner_product, COMMUTATOR = <#>
);

CREATE OPERATOR <#> (
	LEFTARG = vector, RIGHTARG = double precision[],
	FUNCTION = diskann_negative_inner_product, COMMUTATOR = <#>
);

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = vector,
	FUNCTION = diskann_negative_inner_product, COMMUTATOR = <#>
);

CREATE OPERATOR <=> (
	LEFTARG = vector, RIGHTARG = real[],
	FUNCTION = diskann_cosine_distance, COMMUTATOR = <=>
);

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = vector,
	FUNCTION = diskann_cosine_distance, COMMUTATOR = <=>
);

CREATE OPERATOR <=> (
	LEFTARG = vector, RIGHTARG = double precision[],
	FUNCTION = diskann_cosine_distance, COMMUTATOR = <=>
);

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = vector,
	FUNCTION = diskann_cosine_distance, COMMUTATOR = <=>
);

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
