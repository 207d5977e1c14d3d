-- The coordinator: a partitioned table whose partitions are the shards.  Run it in
-- the database that clients connect to, by a superuser or by one to whom the use of
-- postgres_fdw has been granted:
--
--	psql -d DATABASE -f coordinator.sql
--	psql -d DATABASE -v shard=0 -v shards=4 -v host=HOST -v port=5432 \
--		-v dbname=DATABASE -v user=USER -f attach.sql		for each shard
--	psql -d DATABASE -f nearest.sql

CREATE EXTENSION IF NOT EXISTS diskann;			-- for its operators
CREATE EXTENSION IF NOT EXISTS postgres_fdw;

CREATE TABLE items (
	id bigint NOT NULL,
	v real[] NOT NULL
) PARTITION BY HASH (id);
