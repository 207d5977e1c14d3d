-- Numbers that look random and are the same everywhere
CREATE FUNCTION pick(seed bigint, most int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(seed, 7) >> 20) % most + most)::int % most $$;

-- The ids of a query on table :tab, by the index and by a sort: whether they are
-- the same, and whether every condition was decided inside, so that only rows are
-- counted that are returned
CREATE FUNCTION same(condition text, lim text DEFAULT '2000', tab text DEFAULT :'tab',
	OUT rows int, OUT same boolean, OUT decided boolean)
LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT array_agg(id) FROM (SELECT id FROM (SELECT id, v <-> ''{500,400}'' AS d
		FROM %I WHERE %s ORDER BY v <-> ''{500,400}'' LIMIT %s) s ORDER BY d, id) s', tab, condition, lim);
	x int[];
	y int[];
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true),
		set_config('enable_indexscan', 'on', true);
	EXECUTE query INTO x;
	SELECT wanted NOT LIKE '%more%' FROM diskann_last_scan() INTO decided;
	PERFORM set_config('enable_seqscan', 'on', true),
		set_config('enable_indexscan', 'off', true);
	EXECUTE query INTO y;
	rows := coalesce(array_length(y, 1), 0);
	same := x IS NOT DISTINCT FROM y;
END
$$;
CREATE FUNCTION try(conditions text[], OUT cond text, OUT rows int, OUT same boolean, OUT decided boolean)
RETURNS SETOF record LANGUAGE sql AS
$$ SELECT c, s.* FROM unnest(conditions) c, same(c) s $$;

-- Blocks of the table that this transaction has fetched.
CREATE FUNCTION blocks() RETURNS bigint LANGUAGE sql
    RETURN pg_stat_get_xact_blocks_fetched((:'tab'::text)::regclass);
