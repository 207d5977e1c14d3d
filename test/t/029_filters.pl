
# Copyright (c) 2026, diskann contributors

# Filter columns while rows are inserted, changed, deleted and vacuumed: every
# answer fulfils its condition, and none is missing that its snapshot has.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q(wal_consistency_checking = ''));

# "docs" has few different vectors for a part of its rows, so that rows of one
# vector differ in their values only, and one column that is in no condition.
$node->safe_psql(
	'postgres', q(
CREATE TABLE data (id int, v real[]);
CREATE SEQUENCE ids START 100000;
CREATE TABLE docs (id int PRIMARY KEY, v real[], tenant int, tag text,
	at timestamptz, price numeric, n int DEFAULT 0);

-- In one snapshot, the index must have the rows that the table has, in order,
-- and as many of the nearest as are asked for.
CREATE FUNCTION verify(condition text, q real[]) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	seen int[];
	expected int[];
	got int;
	wrong boolean;
	from_index text := format('SELECT id, v <-> %L AS dist FROM docs WHERE %s ORDER BY v <-> %1$L',
		q, condition);
	line text;
	inside boolean := false;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	SET LOCAL enable_bitmapscan = off;
	FOR line IN EXECUTE 'EXPLAIN ' || from_index LOOP
		inside := inside OR line LIKE '%Index Cond: %';
	END LOOP;
	EXECUTE 'SELECT array_agg(id ORDER BY id) FROM (' || from_index || ') s' INTO seen;
	EXECUTE 'SELECT count(*), bool_or(dist < before) FROM (SELECT dist, lag(dist) OVER (ROWS UNBOUNDED PRECEDING) AS before FROM ('
		|| from_index || ' LIMIT 5) s) s' INTO got, wrong;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_indexscan = off;
	EXECUTE 'SELECT array_agg(id ORDER BY id) FROM docs WHERE ' || condition
		INTO expected;
	IF NOT inside THEN
		RAISE EXCEPTION 'the index does not have "%"', condition;
	END IF;
	IF seen IS DISTINCT FROM expected THEN
		RAISE EXCEPTION 'a scan for % is wrong', condition USING DETAIL = format(
			'It misses %s and should not have %s.',
			ARRAY(SELECT unnest(expected) EXCEPT ALL SELECT unnest(seen)),
			ARRAY(SELECT unnest(seen) EXCEPT ALL SELECT unnest(expected)));
	END IF;
	IF got <> least(5, coalesce(array_length(expected, 1), 0)) OR wrong THEN
		RAISE EXCEPTION 'a scan for % is short or out of order: % rows', condition, got;
	END IF;
	RETURN 'good';
END
$$;

-- A row like others, or like none.
CREATE FUNCTION add(which int, how_many int) RETURNS void LANGUAGE sql AS
$$
INSERT INTO docs
	SELECT nextval('ids'), CASE WHEN random() < 0.5 THEN v ELSE noisy(v, 0.1) END,
		nullif((random() * 20)::int, 0), 'tag ' || nullif((random() * 10)::int, 0),
		now() + (random() * 100)::int * interval '1 hour',
		nullif((random() * 8)::int, 0) / 2.0
	FROM data, generate_series(1, how_many) WHERE id = which
$$;
));
load_vectors($node, 'data', clustered(50, 32, 14));
$node->safe_psql(
	'postgres', q(
SELECT add(id, 20) FROM data;
CREATE INDEX docs_idx ON docs USING diskann (tenant, v, tag, at, price);
));

my $vacuum = q(
SET client_min_messages = error;
VACUUM (INDEX_CLEANUP on, TRUNCATE off, SKIP_LOCKED) docs;
);

my $verify = q(
\set id random(1, 50)
\set tenant random(1, 20)
\set tag random(1, 10)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify('%s', (SELECT v FROM data WHERE id = :id));
COMMIT;
);

my $bench = pgbench_start(
	$node, 4, $ENV{DISKANN_TEST_SECONDS} // 15,
	'insert@8' => q(
\set id random(1, 50)
SELECT add(:id, 2);
),
	'delete@3' => q(
DELETE FROM docs WHERE id IN (SELECT id FROM docs ORDER BY random() LIMIT 4
	FOR UPDATE SKIP LOCKED);
),
	'values@4' => q(
\set tenant random(1, 20)
UPDATE docs SET tenant = :tenant, price = NULL WHERE id IN (SELECT id FROM docs
	ORDER BY random() LIMIT 3 FOR UPDATE SKIP LOCKED);
),
	'vectors@2' => q(
\set id random(1, 50)
UPDATE docs SET v = (SELECT v FROM data WHERE id = :id) WHERE id IN (SELECT id FROM docs
	ORDER BY random() LIMIT 2 FOR UPDATE SKIP LOCKED);
),
	'other@2' => q(
UPDATE docs SET n = n + 1 WHERE id IN (SELECT id FROM docs
	ORDER BY random() LIMIT 3 FOR UPDATE SKIP LOCKED);
),
	'rollback@1' => q(
\set id random(1, 50)
BEGIN;
SELECT add(:id, 5);
ROLLBACK;
),
	'value@2' => sprintf($verify, 'tenant = :tenant'),
	'hash@2' => sprintf($verify, q(tag = ''tag :tag'')),
	'undecided@1' => sprintf($verify, q(tag > ''tag :tag'' AND tenant < 5)),
	'null@1' => sprintf($verify, 'price IS NULL AND tenant >= :tenant'),
	'order@1' => sprintf($verify, q(price > 2.5 AND at < now() + interval ''50 hours'')),
	'several@1' => sprintf($verify, q(tenant IN (1, :tenant) AND tag = ''tag :tag'' AND price < 3)),
	'vacuum@1' => $vacuum);
finish_ok($bench, 'all at once');
note(join "\n", grep { /processed|SQL script|transactions/ } split /\n/, $bench->{out});
check_indexes($node, 'after the race');

# The same index once more, built by several processes, and after a crash.
$node->safe_psql('postgres', q(
ALTER TABLE docs SET (parallel_workers = 2);
SET maintenance_work_mem = '128MB';
REINDEX INDEX docs_idx;
));
check_indexes($node, 'built by several processes');
is($node->safe_psql('postgres', q(
	SELECT verify(c, v) FROM data, unnest(ARRAY['tenant = 7', 'tag = ''tag 3''']) c WHERE id = 1)),
	"good\ngood", 'and it answers as the table does');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', q(
	SELECT verify(c, v) FROM data, unnest(ARRAY['tenant = 7', 'tag = ''tag 3''']) c WHERE id = 2)),
	"good\ngood", 'after a crash, too');

done_testing();
