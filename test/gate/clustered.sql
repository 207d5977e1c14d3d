-- 6,000 rows of 48 dimensions in 100 clusters, always the same.
SELECT setseed(0.25);
CREATE TABLE centres AS
SELECT c, array_agg((random() * 2 - 1)::real ORDER BY d) AS v
FROM generate_series(0, 99) c, generate_series(1, 48) d GROUP BY c;
CREATE TABLE clustered AS
SELECT i AS id, array_agg((e + random() * 0.6 - 0.3)::real ORDER BY d) AS v
FROM generate_series(0, 6599) i
	JOIN centres ON c = (i * 37) % 100,
	unnest(v) WITH ORDINALITY u(e, d)
GROUP BY i ORDER BY i;
CREATE TABLE clustered_queries AS SELECT * FROM clustered WHERE id >= 6300;
CREATE TABLE clustered_more AS SELECT * FROM clustered WHERE id BETWEEN 6000 AND 6299;
DELETE FROM clustered WHERE id >= 6000;
VACUUM ANALYZE clustered;
