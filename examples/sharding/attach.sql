-- One shard becomes a partition.  coordinator.sql tells how to run it.
--
-- A server for each shard, also where two are in one database: what is asked of one
-- server at a time goes through one connection, one after the other.
--
--	extensions		the operators of diskann are sent to the shard
--	async_capable		the shards are asked at the same time
--	fdw_tuple_cost		rows that travel are dear: so LIMIT is sent along.
--				use_remote_estimate would do so, too, but it asks
--				the shards for plans before each query, and then
--				fetches all their rows for one of the parent
--	fetch_size		rows a fetch of a query without LIMIT
--	options			the shard's sessions: plans for the first rows of a
--				cursor, and the search list

SELECT 'shard_' || :'shard' AS server, 'items_' || :'shard' AS partition \gset

CREATE SERVER :"server" FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
	host :'host', port :'port', dbname :'dbname',
	extensions 'diskann',
	async_capable 'true',
	fdw_tuple_cost '10',
	fetch_size '20',
	batch_size '100',
	options '-c cursor_tuple_fraction=0.001 -c diskann.query_search_list_size=100'
);
CREATE USER MAPPING FOR CURRENT_USER SERVER :"server" OPTIONS (user :'user');

CREATE FOREIGN TABLE :"partition" PARTITION OF items
	FOR VALUES WITH (MODULUS :shards, REMAINDER :shard) SERVER :"server";
