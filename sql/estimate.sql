--
-- What an index would take, before there is one
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS diskann;
RESET client_min_messages;
SET maintenance_work_mem = '1GB';
SET max_parallel_maintenance_workers = 2;

\x on
SELECT * FROM diskann_estimate(1000000, 128, workers => 1);
SELECT * FROM diskann_estimate(1000000, 128);
\x off

-- Each argument counts.
CREATE FUNCTION bytes_a_row(e bigint) RETURNS bigint LANGUAGE sql
	RETURN round(e / 100000.0);
SELECT what, bytes_a_row(index_bytes) AS index,
	bytes_a_row(build_memory_bytes) AS memory,
	bytes_a_row(build_memory_wanted) AS wanted,
	bytes_a_row(build_disk_bytes) AS disk, query_pages
FROM (
	SELECT 0, 'as it comes', e.* FROM diskann_estimate(100000, 96, workers => 0) e
	UNION ALL SELECT 1, 'cosine', e.* FROM diskann_estimate(100000, 96, 'real_cosine_ops', workers => 0) e
	UNION ALL SELECT 2, 'filters', e.* FROM diskann_estimate(100000, 96, filters => '{int,text,int[]}', workers => 0) e
	UNION ALL SELECT 3, 'num_neighbors', e.* FROM diskann_estimate(100000, 96, num_neighbors => 64, workers => 0) e
	UNION ALL SELECT 4, 'num_dimensions', e.* FROM diskann_estimate(100000, 1536, num_dimensions => 64, workers => 0) e
	UNION ALL SELECT 5, 'all of them', e.* FROM diskann_estimate(100000, 1536, workers => 0) e
	UNION ALL SELECT 6, 'bits', e.* FROM diskann_estimate(100000, 96, num_bits_per_dimension => 1, workers => 0) e
	UNION ALL SELECT 7, 'edge_bits', e.* FROM diskann_estimate(100000, 768, edge_bits => 768, workers => 0) e
	UNION ALL SELECT 8, 'vector_storage', e.* FROM diskann_estimate(100000, 96, vector_storage => 'float32', workers => 0) e
	UNION ALL SELECT 9, 'search_list', e.* FROM diskann_estimate(100000, 96, search_list => 200, workers => 0) e
	UNION ALL SELECT 10, 'many pages', e.* FROM diskann_estimate(100000, 16000, workers => 0) e
	UNION ALL SELECT 11, 'workers', e.* FROM diskann_estimate(100000, 96, workers => 3) e
) e (n, what) ORDER BY n;

-- Settings count, too.
SET maintenance_work_mem = '64MB';
SELECT bytes_a_row(build_memory_bytes) AS memory,
	bytes_a_row(build_memory_wanted) AS wanted
FROM diskann_estimate(1000000, 128, workers => 1);
SET diskann.query_search_list_size = 40;
SELECT query_pages FROM diskann_estimate(1000, 3);
RESET diskann.query_search_list_size;
SELECT query_pages FROM diskann_estimate(1, 1);
RESET maintenance_work_mem;

-- What CREATE INDEX would refuse, and what is no number.
SELECT diskann_estimate(0, 3);
SELECT diskann_estimate(NULL, 3);
SELECT diskann_estimate(5000000000, 3);
SELECT diskann_estimate(10, 0);
SELECT diskann_estimate(10, 16001);
SELECT diskann_estimate(10, 3, NULL);
SELECT diskann_estimate(10, 3, 'no_such_ops');
SELECT diskann_estimate(10, 3, 'scalar_ops');
SELECT diskann_estimate(10, 3, filters => '{int,NULL}');
SELECT diskann_estimate(10, 3, filters => array_fill('int'::regtype, '{32}'));
SELECT diskann_estimate(10, 3, search_list => 0);
SELECT diskann_estimate(10, 3, workers => -1);
SELECT diskann_estimate(10, 3, num_neighbors => 5);
SELECT diskann_estimate(10, 3, vector_storage => 'no such');
SELECT index_bytes FROM diskann_estimate(10, 3, num_neighbors => 40);
DROP FUNCTION bytes_a_row(bigint);
