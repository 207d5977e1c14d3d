-- Recall@10, pages (of index and table) and counts of scans, at two list sizes,
-- for the first 100 queries of a set, whose name is the variable "set".
SELECT set_config('gate.set', :'set', false) \g /dev/null

CREATE TEMP TABLE figures (n int, figure text, value text);

DO $$
DECLARE
	tab text := current_setting('gate.set');
	list int;
	query record;
	counts record;
	exact int[];
	found int[];
	hits int;
	pages int8;
	plan json;
	visits int8;
	estimates int8;
	rescored int8;
BEGIN
	FOREACH list IN ARRAY ARRAY[40, 100] LOOP
		hits := 0; visits := 0; estimates := 0; rescored := 0; pages := 0;
		PERFORM set_config('diskann.query_search_list_size', list::text, true);
		FOR query IN EXECUTE format('SELECT v FROM %I ORDER BY id LIMIT 100', tab || '_queries') LOOP
			SET LOCAL enable_indexscan = off;
			SET LOCAL enable_seqscan = on;
			EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %I ORDER BY v <-> $1 LIMIT 10) s', tab)
				INTO exact USING query.v;
			SET LOCAL enable_indexscan = on;
			SET LOCAL enable_seqscan = off;
			EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %I ORDER BY v <-> $1 LIMIT 10) s', tab)
				INTO found USING query.v;
			SELECT * INTO counts FROM diskann_last_scan();
			hits := hits + (SELECT count(*) FROM unnest(exact) e WHERE e = ANY (found));
			EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) SELECT id FROM %I ORDER BY v <-> $1 LIMIT 10', tab)
				INTO plan USING query.v;
			pages := pages + (plan->0->'Plan'->>'Shared Hit Blocks')::int
				+ (plan->0->'Plan'->>'Shared Read Blocks')::int;
			visits := visits + counts.visits;
			estimates := estimates + counts.estimates;
			rescored := rescored + counts.rescored;
		END LOOP;
		INSERT INTO figures VALUES
			(list, 'recall_at_' || list, round(hits / 1000.0, 4)),
			(list, 'pages_at_' || list, round(pages / 100.0, 2)),
			(list, 'visits_at_' || list, round(visits / 100.0, 2)),
			(list, 'estimates_at_' || list, round(estimates / 100.0, 1)),
			(list, 'rows_compared_at_' || list, round(rescored / 100.0, 2));
	END LOOP;
END $$;

SELECT figure, value FROM figures ORDER BY n, figure;
