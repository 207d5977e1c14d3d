/* diskann 0.1.0 */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION diskann" to load this file. \quit

--
-- Other extensions have an access method of this name, and settings too.
--

DO $$
DECLARE
	owner pg_catalog.name;
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_am WHERE amname = 'diskann') THEN
		SELECT e.extname INTO owner
			FROM pg_catalog.pg_extension e
				JOIN pg_catalog.pg_depend d ON d.refobjid = e.oid
				JOIN pg_catalog.pg_am a ON a.oid = d.objid
			WHERE d.classid = 'pg_catalog.pg_am'::pg_catalog.regclass
				AND d.refclassid =
					'pg_catalog.pg_extension'::pg_catalog.regclass
				AND d.deptype = 'e' AND a.amname = 'diskann';
		IF owner IS NULL THEN
			RAISE EXCEPTION 'there is another access method "diskann" in this database'
				USING ERRCODE = 'duplicate_object',
					HINT = 'Drop it, with its indexes, before you create this extension.';
		END IF;
		RAISE EXCEPTION 'extension "diskann" cannot be installed beside extension "%"', owner
			USING ERRCODE = 'duplicate_object',
				DETAIL = 'Both provide an access method "diskann".',
				HINT = pg_catalog.format('Use DROP EXTENSION %I CASCADE, which drops its indexes but no table, then create this extension and the indexes anew.', owner);
	END IF;
END
$$;

--
-- What a distance costs depends on where the vectors are stored.
--

CREATE FUNCTION diskann_distance_cost(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

--
-- Distances and other functions on real[] and double precision[].  Each C
-- function serves all signatures: it finds the element types in the values.
--
-- There are deliberately no variants with one argument of each type: with
-- them, l2_distance(embedding, '{1,2,3}') would be ambiguous.  A call with
-- mixed types converts to double precision[].
--

CREATE FUNCTION l2_distance(real[], real[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION l2_distance(double precision[], double precision[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION inner_product(real[], real[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION inner_product(double precision[], double precision[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION negative_inner_product(real[], real[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_negative_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION negative_inner_product(double precision[], double precision[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_negative_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION cosine_distance(real[], real[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION cosine_distance(double precision[], double precision[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION vector_dims(real[])
	RETURNS integer
	AS 'MODULE_PATHNAME', 'diskann_vector_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

CREATE FUNCTION vector_dims(double precision[])
	RETURNS integer
	AS 'MODULE_PATHNAME', 'diskann_vector_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

CREATE FUNCTION vector_norm(real[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_vector_norm'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

CREATE FUNCTION vector_norm(double precision[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_vector_norm'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

CREATE FUNCTION l2_normalize(real[])
	RETURNS real[]
	AS 'MODULE_PATHNAME', 'diskann_l2_normalize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

CREATE FUNCTION l2_normalize(double precision[])
	RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'diskann_l2_normalize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;

--
-- Operators between vectors of the same type
--

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = real[],
	FUNCTION = l2_distance, COMMUTATOR = <->
);

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = double precision[],
	FUNCTION = l2_distance, COMMUTATOR = <->
);

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = real[],
	FUNCTION = negative_inner_product, COMMUTATOR = <#>
);

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = double precision[],
	FUNCTION = negative_inner_product, COMMUTATOR = <#>
);

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = real[],
	FUNCTION = cosine_distance, COMMUTATOR = <=>
);

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = double precision[],
	FUNCTION = cosine_distance, COMMUTATOR = <=>
);

--
-- Operators between real[] and double precision[], which many drivers send
-- for a column of either type.  The functions have names of their own, see
-- above.
--

CREATE FUNCTION diskann_l2_distance(real[], double precision[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION diskann_l2_distance(double precision[], real[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION diskann_negative_inner_product(real[], double precision[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_negative_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION diskann_negative_inner_product(double precision[], real[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_negative_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION diskann_cosine_distance(real[], double precision[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE FUNCTION diskann_cosine_distance(double precision[], real[])
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'diskann_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT diskann_distance_cost;

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = double precision[],
	FUNCTION = diskann_l2_distance, COMMUTATOR = <->
);

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = real[],
	FUNCTION = diskann_l2_distance, COMMUTATOR = <->
);

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = double precision[],
	FUNCTION = diskann_negative_inner_product, COMMUTATOR = <#>
);

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = real[],
	FUNCTION = diskann_negative_inner_product, COMMUTATOR = <#>
);

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = double precision[],
	FUNCTION = diskann_cosine_distance, COMMUTATOR = <=>
);

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = real[],
	FUNCTION = diskann_cosine_distance, COMMUTATOR = <=>
);

--
-- Operators with an array of integers or numerics on either side or on both,
-- which is what ARRAY[1, 2, 3] and ARRAY[0.1, 0.2] are and what some drivers
-- send.  Such an array is converted to the type of the other side, as an
-- untyped literal is, or else to double precision[].  Without these, such an
-- expression is ambiguous: each array type converts implicitly to real[] and to
-- double precision[].
--
-- The planner inlines the functions and then sees an operator of the index's
-- family and a constant, converted once.  So these operators take part in
-- index scans without being members of the operator families.
--

DO $$
DECLARE
	new pg_catalog.record;
BEGIN
	FOR new IN
		SELECT op, function, a.type AS a, b.type AS b,
				CASE WHEN a.is_float THEN a.type WHEN b.is_float THEN b.type
					ELSE 'double precision[]' END AS common
			FROM (VALUES ('<->', 'diskann_l2_distance'),
					('<#>', 'diskann_negative_inner_product'),
					('<=>', 'diskann_cosine_distance')) AS m (op, function),
				(VALUES ('real[]', true), ('double precision[]', true),
					('smallint[]', false), ('integer[]', false),
					('bigint[]', false), ('numeric[]', false))
					AS a (type, is_float),
				(VALUES ('real[]', true), ('double precision[]', true),
					('smallint[]', false), ('integer[]', false),
					('bigint[]', false), ('numeric[]', false))
					AS b (type, is_float)
			WHERE NOT (a.is_float AND b.is_float)
	LOOP
		EXECUTE pg_catalog.format('CREATE FUNCTION %s(%s, %s)
				RETURNS double precision
				IMMUTABLE STRICT PARALLEL SAFE COST 50
				RETURN $1::%s %s $2::%4$s',
			new.function, new.a, new.b, new.common, new.op);
		EXECUTE pg_catalog.format('CREATE OPERATOR %s (
				LEFTARG = %s, RIGHTARG = %s,
				FUNCTION = %s, COMMUTATOR = %1$s)',
			new.op, new.a, new.b, new.function);
	END LOOP;
END
$$;

--
-- Access method
--

CREATE FUNCTION diskann_handler(internal)
	RETURNS index_am_handler
	AS 'MODULE_PATHNAME'
	LANGUAGE C;

CREATE ACCESS METHOD diskann TYPE INDEX HANDLER diskann_handler;

COMMENT ON ACCESS METHOD diskann
	IS 'diskann index access method: approximate nearest neighbours';

--
-- Operator classes.  Function 1 describes the key type and the metric.
--

CREATE FUNCTION diskann_real_l2_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_real_cosine_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_real_ip_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_double_l2_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_double_cosine_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION diskann_double_ip_support(internal)
	RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR CLASS real_l2_ops DEFAULT
	FOR TYPE real[] USING diskann AS
	OPERATOR 1 <-> (real[], real[])
		FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 1 <-> (real[], double precision[])
		FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_real_l2_support(internal);

CREATE OPERATOR CLASS real_cosine_ops
	FOR TYPE real[] USING diskann AS
	OPERATOR 1 <=> (real[], real[])
		FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 1 <=> (real[], double precision[])
		FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_real_cosine_support(internal);

CREATE OPERATOR CLASS real_ip_ops
	FOR TYPE real[] USING diskann AS
	OPERATOR 1 <#> (real[], real[])
		FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 1 <#> (real[], double precision[])
		FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_real_ip_support(internal);

CREATE OPERATOR CLASS double_l2_ops DEFAULT
	FOR TYPE double precision[] USING diskann AS
	OPERATOR 1 <-> (double precision[], double precision[])
		FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 1 <-> (double precision[], real[])
		FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_double_l2_support(internal);

CREATE OPERATOR CLASS double_cosine_ops
	FOR TYPE double precision[] USING diskann AS
	OPERATOR 1 <=> (double precision[], double precision[])
		FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 1 <=> (double precision[], real[])
		FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_double_cosine_support(internal);

CREATE OPERATOR CLASS double_ip_ops
	FOR TYPE double precision[] USING diskann AS
	OPERATOR 1 <#> (double precision[], double precision[])
		FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 1 <#> (double precision[], real[])
		FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 diskann_double_ip_support(internal);

--
-- Filter columns: one class for columns of any type that has a btree class.
-- What is compared, and how, is told by the operators of btree's families and,
-- for arrays, of GIN's.
--

CREATE OPERATOR CLASS scalar_ops DEFAULT
	FOR TYPE anyelement USING diskann AS
	OPERATOR 6 pg_catalog.&& (anyarray, anyarray),
	OPERATOR 7 pg_catalog.@> (anyarray, anyarray),
	OPERATOR 8 pg_catalog.<@ (anyarray, anyarray);

DO $$
DECLARE
	op pg_catalog.record;
BEGIN
	FOR op IN
		SELECT DISTINCT o.amopstrategy AS strategy,
				o.amoplefttype::pg_catalog.regtype AS a,
				o.amoprighttype::pg_catalog.regtype AS b,
				p.oprname
			FROM pg_catalog.pg_opclass c
				JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
				JOIN pg_catalog.pg_amop o ON o.amopfamily = c.opcfamily
				JOIN pg_catalog.pg_operator p ON p.oid = o.amopopr
				JOIN pg_catalog.pg_namespace n ON n.oid = p.oprnamespace
			WHERE m.amname = 'btree' AND c.opcdefault
				AND c.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace
				AND o.amoppurpose = 's'
				AND n.nspname = 'pg_catalog'
			ORDER BY a, b, strategy
	LOOP
		EXECUTE pg_catalog.format('ALTER OPERATOR FAMILY scalar_ops
				USING diskann ADD OPERATOR %s pg_catalog.%s (%s, %s)',
			op.strategy, op.oprname, op.a, op.b);
	END LOOP;
END
$$;

--
-- Inspection
--

CREATE FUNCTION diskann_simd()
	RETURNS text
	AS 'MODULE_PATHNAME'
	LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION diskann_simd()
	IS 'instruction set of the distance functions in use';

CREATE FUNCTION diskann_last_scan(
	OUT visits bigint,
	OUT estimates bigint,
	OUT rescored bigint,
	OUT wanted text,
	OUT bound double precision,
	OUT list_size bigint,
	OUT late bigint,
	OUT way text,
	OUT match_rate double precision,
	OUT bridges bigint)
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION diskann_last_scan()
	IS 'what the last scan of a diskann index in this session has done: nodes visited, distances estimated, rows fetched to compare them; how many rows the plan wanted, and within what distance; the size of the search list, nodes found too late for their place, where rows came from at last; the share of nodes that fulfil conditions, as is estimated, and how many were visited although they do not';

CREATE FUNCTION diskann_index_info(index regclass)
	RETURNS TABLE (property text, value text)
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION diskann_index_info(regclass)
	IS 'settings, layout and contents of a diskann index';

CREATE FUNCTION diskann_index_state(
	index regclass,
	OUT bytes bigint,
	OUT slots bigint,
	OUT nodes bigint,
	OUT dead bigint,
	OUT pending bigint,
	OUT self_recall double precision,
	OUT last_repair timestamptz,
	OUT calibrated timestamptz,
	OUT calibration_queries bigint,
	OUT calibration_nodes bigint,
	OUT growth double precision,
	OUT scans bigint,
	OUT visits_a_scan double precision,
	OUT compared_a_scan double precision,
	OUT inserts bigint,
	OUT linked bigint,
	OUT counted_since timestamptz,
	OUT counted_in text,
	OUT advice text)
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION diskann_index_state(regclass)
	IS 'what a few pages of a diskann index tell of its state, and what is to be done about it';

CREATE VIEW diskann_indexes AS
	SELECT c.oid::pg_catalog.regclass AS index,
			x.indrelid::pg_catalog.regclass AS of_table,
			NULLIF(c.reltuples, -1)::bigint AS rows,
			s.*
		FROM pg_catalog.pg_index x
			JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
			JOIN pg_catalog.pg_am m ON m.oid = c.relam,
			LATERAL diskann_index_state(c.oid) s
		WHERE m.amname = 'diskann' AND c.relkind = 'i'
			AND NOT pg_catalog.pg_is_other_temp_schema(c.relnamespace);

COMMENT ON VIEW diskann_indexes
	IS 'all diskann indexes of the database: their state, and what is to be done about it';

CREATE FUNCTION diskann_index_check(
	index regclass,
	heapallindexed boolean DEFAULT false,
	OUT nodes bigint,
	OUT tids bigint,
	OUT tombstones bigint,
	OUT free_slots bigint,
	OUT tids_slots bigint,
	OUT edges bigint,
	OUT unreachable bigint,
	OUT empty bigint,
	OUT orphans bigint)
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION diskann_index_check(regclass, boolean)
	IS 'verify a diskann index, and whether it has all rows of its table';

CREATE FUNCTION diskann_index_recall(
	index regclass,
	INOUT queries integer DEFAULT 200,
	INOUT k integer DEFAULT 10,
	INOUT list_size integer DEFAULT NULL,
	OUT recall double precision,
	OUT low double precision,
	OUT high double precision,
	OUT nodes bigint,
	OUT visits double precision)
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION diskann_index_recall(regclass, integer, integer, integer)
	IS 'how much of what is nearest to some of its rows searches of a diskann index find';

CREATE FUNCTION diskann_index_recall(
	index regclass,
	statement text,
	OUT queries integer,
	INOUT k integer DEFAULT 10,
	INOUT list_size integer DEFAULT NULL,
	OUT recall double precision,
	OUT low double precision,
	OUT high double precision,
	OUT nodes bigint,
	OUT visits double precision)
	AS 'MODULE_PATHNAME', 'diskann_index_recall_of'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION diskann_index_recall(regclass, text, integer, integer)
	IS 'how much of what is nearest to the vectors that a statement returns searches of a diskann index find';

CREATE FUNCTION diskann_calibrate(
	index regclass,
	queries integer DEFAULT 500)
	RETURNS void
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION diskann_calibrate(regclass, integer)
	IS 'learn what search list each recall takes in a diskann index, from some of its rows';

CREATE FUNCTION diskann_calibrate(index regclass, statement text)
	RETURNS void
	AS 'MODULE_PATHNAME', 'diskann_calibrate_by'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION diskann_calibrate(regclass, text)
	IS 'learn what search list each recall takes in a diskann index, from the vectors that a statement returns';

CREATE FUNCTION diskann_estimate(
	rows bigint,
	dims integer,
	opclass text DEFAULT 'real_l2_ops',
	filters regtype[] DEFAULT '{}',
	search_list integer DEFAULT NULL,
	workers integer DEFAULT NULL,
	num_neighbors integer DEFAULT NULL,
	num_dimensions integer DEFAULT NULL,
	num_bits_per_dimension integer DEFAULT NULL,
	edge_bits integer DEFAULT NULL,
	vector_storage text DEFAULT NULL,
	OUT index_bytes bigint,
	OUT build_memory_bytes bigint,
	OUT build_memory_wanted bigint,
	OUT build_disk_bytes bigint,
	OUT query_pages double precision)
	AS 'MODULE_PATHNAME'
	LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION diskann_estimate(bigint, integer, text, regtype[], integer, integer, integer, integer, integer, integer, text)
	IS 'what a diskann index of so many different vectors, its build and a query in it would take';

CREATE FUNCTION diskann_link_pending(index regclass)
	RETURNS bigint
	AS 'MODULE_PATHNAME'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION diskann_link_pending(regclass)
	IS 'link all rows of a diskann index that wait for it, as VACUUM does, and return how many that were';

-- They write to the index.
REVOKE ALL ON FUNCTION diskann_link_pending(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION diskann_calibrate(regclass, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION diskann_calibrate(regclass, text) FROM PUBLIC;

-- They tell of indexes of others' tables; most read whole indexes, and the check
-- keeps writers waiting.
REVOKE ALL ON FUNCTION diskann_index_info(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION diskann_index_state(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION
	diskann_index_recall(regclass, integer, integer, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION
	diskann_index_recall(regclass, text, integer, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION diskann_index_check(regclass, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION diskann_index_info(regclass)
	TO pg_stat_scan_tables;
GRANT EXECUTE ON FUNCTION diskann_index_state(regclass)
	TO pg_stat_scan_tables;
GRANT SELECT ON diskann_indexes TO pg_stat_scan_tables;
GRANT EXECUTE ON FUNCTION
	diskann_index_recall(regclass, integer, integer, integer)
	TO pg_stat_scan_tables;
GRANT EXECUTE ON FUNCTION
	diskann_index_recall(regclass, text, integer, integer)
	TO pg_stat_scan_tables;
