-- A shard: a table of its own, with its own index.  Run it in the shard's database,
-- once for each shard there:
--
--	psql -d DATABASE -v table=items_0 -v dims=128 -f shard.sql

CREATE EXTENSION IF NOT EXISTS diskann;

CREATE TABLE :"table" (
	id bigint PRIMARY KEY,
	v real[] NOT NULL CHECK (cardinality(v) = :dims)
);
CREATE INDEX ON :"table" USING diskann (v);
