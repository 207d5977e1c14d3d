-- The k nearest rows of all shards.
--
-- sharded_query writes the statement, nearest runs it.  Each shard orders its rows by
-- its index and sends its k nearest, all shards at the same time; the k nearest of
-- these are the answer.  Three things make the planner do so:
--
--	LIMIT is a number, not a parameter: a parameter would not be sent along;
--	it stands in each arm of the UNION ALL;
--	the outer ORDER BY is an expression of the distance: the arms are sorted by
--	the distance itself, and would be merged by it, one being asked after the other.

-- Arguments: the partitioned table; its key and its column of vectors; an operator,
-- as '<->(real[],real[])'; how many rows; a condition, in SQL, for all shards.
CREATE FUNCTION sharded_query(parent regclass, key name, vector name,
	operator regoperator, k int, condition text DEFAULT 'true')
RETURNS text LANGUAGE sql STABLE STRICT AS
$$
SELECT format('SELECT key, distance FROM (%s) s ORDER BY distance + 0.0 LIMIT %s',
	string_agg(format('(SELECT %1$I AS key, %2$I %3$s $1 AS distance FROM %4$s'
			' WHERE %5$s ORDER BY %2$I %3$s $1 LIMIT %6$s)',
			key, vector, operator_name, inhrelid::regclass, condition, k),
		' UNION ALL ' ORDER BY inhrelid),
	k)
FROM pg_inherits,
	(SELECT format('OPERATOR(%I.%s)', nspname, oprname) AS operator_name
	 FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace
	 WHERE o.oid = operator) o
WHERE inhparent = parent
$$;

CREATE FUNCTION nearest(query real[], k int)
RETURNS TABLE (id bigint, distance double precision) LANGUAGE plpgsql STABLE AS
$$
BEGIN
	RETURN QUERY EXECUTE
		sharded_query('items', 'id', 'v', '<->(real[],real[])', k) USING query;
END
$$;
