-- A vector of :dims dimensions, always the same for the same number.
CREATE FUNCTION vec(i int) RETURNS real[] LANGUAGE sql IMMUTABLE
    RETURN (SELECT array_agg((hashint4extended(i, k) % 1000)::real ORDER BY k)
            FROM generate_series(1, :dims) k);
