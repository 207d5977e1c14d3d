--
-- The sets of "make gate": tables, exact answers, and the functions that measure.
-- sift, sift_query, mnist and mnist_query are there already, loaded from files.
--
\set ON_ERROR_STOP on
SET client_min_messages = warning;

-- Numbers in [0, 1) that are the same on every machine and in every version.
CREATE FUNCTION uniform(i int, k int) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (hashint4extended(i, k) & 65535) / 65536.0::float8;

-- A vector around one of 40 centres; lengths vary, for the inner product.
CREATE FUNCTION clustered(i int) RETURNS real[] LANGUAGE sql IMMUTABLE
	RETURN (SELECT array_agg(((0.5 + uniform(i, 0)) * (
			uniform(-(1 + (uniform(i, -1) * 40)::int), k) - 0.5 +
			uniform(i, k) + uniform(i, 1000 + k) - 1))::real
			ORDER BY k)
		FROM generate_series(1, 48) k);

CREATE TABLE clusters AS
	SELECT i AS id, clustered(i) AS v FROM generate_series(1, 4000) i;
CREATE TABLE clusters_query AS
	SELECT i AS id, clustered(100000 + i) AS v FROM generate_series(0, 199) i;

CREATE TABLE grown (id int, v real[]);
CREATE TABLE grown_query AS TABLE sift_query;

-- One row a set.  The first 100 queries are asked; the others become rows later.
-- Lists are so short that not all of the nearest rows are found.
CREATE TABLE sets (name text PRIMARY KEY, op text, class text, list_size int);
INSERT INTO sets VALUES
	('sift', '<->', 'real_l2_ops', 12),
	('mnist', '<=>', 'real_cosine_ops', 12),
	('clusters', '<#>', 'real_ip_ops', 12),
	('grown', '<->', 'real_l2_ops', 12);

CREATE TABLE figures (place serial, set_name text, measure text, value numeric);

CREATE PROCEDURE note(set_name text, measure text, value numeric) LANGUAGE sql
	AS 'INSERT INTO figures (set_name, measure, value) VALUES ($1, $2, $3)';

-- The distance of the tenth nearest row of each query, by sequential scans.
CREATE FUNCTION exact(tab text) RETURNS TABLE (id int, distance float8)
LANGUAGE plpgsql SET enable_indexscan = off AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		SELECT id, (SELECT max(d) FROM (SELECT v %s q.v AS d FROM %I
			ORDER BY d LIMIT 10) s)
		FROM %I q WHERE id < 100',
		(SELECT op FROM sets WHERE name = tab), tab, tab || '_query');
END$$;

-- Ask the first queries for ten rows; returns how many rows they got that are
-- no farther than the distances given, if such are given.
CREATE FUNCTION ask(tab text, queries int, distances float8[] DEFAULT NULL,
	OUT hits int8, OUT visits int8, OUT rescored int8)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
	query record;
	near int8;
	scan record;
	how record;
BEGIN
	SELECT * INTO how FROM sets WHERE name = tab;
	PERFORM set_config('diskann.query_search_list_size', how.list_size::text,
		true);
	hits := 0; visits := 0; rescored := 0;
	FOR query IN EXECUTE format('SELECT id, v FROM %I WHERE id < %s ORDER BY id',
		tab || '_query', queries)
	LOOP
		EXECUTE format('SELECT count(*) FILTER (WHERE d <= $2) FROM
			(SELECT v %1$s $1 AS d FROM %2$I ORDER BY v %1$s $1 LIMIT 10) s',
			how.op, tab) INTO near USING query.v, distances[query.id + 1];
		SELECT * INTO scan FROM diskann_last_scan();
		hits := hits + near;
		visits := visits + scan.visits;
		rescored := rescored + scan.rescored;
	END LOOP;
END$$;

-- The second pass finds all pages in memory, and takes the same way each time.
CREATE PROCEDURE measure_queries(tab text) LANGUAGE plpgsql AS $$
DECLARE
	distances float8[] := (SELECT array_agg(distance ORDER BY id) FROM exact(tab));
	index oid := (tab || '_idx')::regclass;
	pages int8;
	result record;
BEGIN
	PERFORM ask(tab, 100);
	pages := pg_stat_get_xact_blocks_fetched(index);
	SELECT * INTO result FROM ask(tab, 100, distances);
	pages := pg_stat_get_xact_blocks_fetched(index) - pages;
	CALL note(tab, 'recall@10', result.hits / 1000.0);
	CALL note(tab, 'pages a query', pages / 100.0);
	CALL note(tab, 'visits a query', result.visits / 100.0);
	CALL note(tab, 'rows compared a query', result.rescored / 100.0);
END$$;

CREATE PROCEDURE measure_build(tab text) LANGUAGE plpgsql AS $$
DECLARE
	lsn pg_lsn := pg_current_wal_insert_lsn();
BEGIN
	EXECUTE format('CREATE INDEX %I ON %I USING diskann (v %s)', tab || '_idx',
		tab, (SELECT class FROM sets WHERE name = tab));
	CALL note(tab, 'WAL bytes of the build', pg_current_wal_insert_lsn() - lsn);
END$$;

-- WAL of 100 rows, less what it is in a table without an index.
CREATE PROCEDURE measure_insert(tab text) LANGUAGE plpgsql AS $$
DECLARE
	start pg_lsn;
	bare numeric;
BEGIN
	EXECUTE format('CREATE TEMP TABLE more ON COMMIT DROP AS
		SELECT id, v FROM %I WHERE id >= 100 ORDER BY id LIMIT 100', tab || '_query');
	EXECUTE format('CREATE TABLE bare (LIKE %I)', tab);
	start := pg_current_wal_insert_lsn();
	INSERT INTO bare TABLE more;
	bare := pg_current_wal_insert_lsn() - start;
	start := pg_current_wal_insert_lsn();
	EXECUTE format('INSERT INTO %I TABLE more', tab);
	CALL note(tab, 'WAL bytes a row inserted',
		(pg_current_wal_insert_lsn() - start - bare) / 100);
	DROP TABLE bare;
END$$;

VACUUM ANALYZE;
