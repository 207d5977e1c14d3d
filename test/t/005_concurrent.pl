
# Copyright (c) 2026, diskann contributors

# Inserts, updates, deletes, VACUUM and scans at the same time.  Every scan must
# see what its snapshot sees, whatever happens to the index meanwhile.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q(wal_consistency_checking = ''));

# A node of "wide" takes several pages.
# "few" has a handful of vectors for all of its rows, and an index that keeps
# its updates from being HOT, so that rows come and go in long chains.
$node->safe_psql(
	'postgres', q(
CREATE TABLE data (id int, v real[]);
CREATE TABLE queries (id int, v real[]);
CREATE SEQUENCE ids START 100000;
CREATE TABLE many (id int PRIMARY KEY, v real[]);
CREATE TABLE wide_data (id int, v real[]);
CREATE TABLE wide (id int PRIMARY KEY, v real[]);
CREATE TABLE few (id int PRIMARY KEY, v real[], n int DEFAULT 0);
CREATE INDEX ON few (n);

-- In one snapshot, the index must have the rows the table has; and a scan for
-- some of them must be in order.
CREATE FUNCTION verify(tab regclass, op text, q real[]) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	seen int[];
	expected int[];
BEGIN
	SELECT array_agg(id ORDER BY id) INTO seen
		FROM nearest(tab, op, q, 1000000, true);
	SET LOCAL enable_indexscan = off;
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %s', tab) INTO expected;
	IF seen IS DISTINCT FROM expected THEN
		RAISE EXCEPTION 'a scan of % is wrong', tab USING DETAIL = format(
			'It misses %s and should not have %s.',
			ARRAY(SELECT unnest(expected) EXCEPT ALL SELECT unnest(seen)),
			ARRAY(SELECT unnest(seen) EXCEPT ALL SELECT unnest(expected)));
	END IF;
	IF (SELECT bool_or(dist < before) FROM (
			SELECT dist, lag(dist) OVER (ORDER BY place) AS before
			FROM nearest(tab, op, q, 20, true)) s) THEN
		RAISE EXCEPTION 'a scan of % is out of order', tab;
	END IF;
	RETURN 'good';
END
$$;
));
my $vectors = clustered(1040, 32, 14);
load_vectors($node, 'queries', [ splice @$vectors, 0, 40 ]);
load_vectors($node, 'data', $vectors);
load_vectors($node, 'wide_data', clustered(40, 2500, 19));
$node->safe_psql(
	'postgres', q(
INSERT INTO many TABLE data;
INSERT INTO wide TABLE wide_data;
CREATE INDEX wide_ip ON wide USING diskann (v real_ip_ops);
INSERT INTO few SELECT g, (SELECT v FROM data WHERE id = g % 5 + 1) FROM generate_series(1, 1000) g;
CREATE INDEX many_l2 ON many USING diskann (v real_l2_ops);
CREATE INDEX few_cosine ON few USING diskann (v real_cosine_ops);
));

# One at a time, and none that waits for a chance to truncate the table.
my $vacuum = q(
SET client_min_messages = error;
VACUUM (INDEX_CLEANUP on, TRUNCATE off, SKIP_LOCKED));

my $bench = pgbench_start(
	$node, 6, $ENV{DISKANN_TEST_SECONDS} // 20,
	'many_insert@8' => q(
\set id random(1, 1000)
INSERT INTO many SELECT nextval('ids'), noisy(v, 0.1) FROM data WHERE id = :id;
),
	'many_delete@2' => q(
DELETE FROM many WHERE id IN (SELECT id FROM many ORDER BY random() LIMIT 4
	FOR UPDATE SKIP LOCKED);
),
	'many_update@2' => q(
\set id random(1, 1000)
UPDATE many SET v = (SELECT noisy(v, 0.1) FROM data WHERE id = :id) WHERE id = :id;
),
	'many_verify@2' => q(
\set id random(1, 1000)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify('many', '<->', (SELECT v FROM data WHERE id = :id));
COMMIT;
),
	'many_vacuum@1' => "$vacuum many;",
	'wide_insert@2' => q(
\set id random(1, 40)
INSERT INTO wide SELECT nextval('ids'), noisy(v, 0.1) FROM wide_data WHERE id = :id;
),
	'wide_delete@2' => q(
DELETE FROM wide WHERE id IN (SELECT id FROM wide ORDER BY random() LIMIT 1
	FOR UPDATE SKIP LOCKED);
),
	'wide_verify@1' => q(
\set id random(1, 40)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify('wide', '<#>', (SELECT v FROM wide_data WHERE id = :id));
COMMIT;
),
	'wide_vacuum@1' => "$vacuum wide;",
	'few_insert@6' => q(
\set id random(1, 6)
INSERT INTO few SELECT nextval('ids'), v FROM data, generate_series(1, 10) WHERE id = :id;
),
	'few_delete@6' => q(
DELETE FROM few WHERE id IN (SELECT id FROM few ORDER BY random() LIMIT 5
	FOR UPDATE SKIP LOCKED);
),
	'few_update@6' => q(
UPDATE few SET n = n + 1 WHERE id IN (SELECT id FROM few ORDER BY random() LIMIT 5
	FOR UPDATE SKIP LOCKED);
),
	'few_rollback@2' => q(
\set id random(1, 6)
BEGIN;
INSERT INTO few SELECT nextval('ids'), v FROM data, generate_series(1, 20) WHERE id = :id;
ROLLBACK;
),
	# Now and then all rows of a vector go, and its node with them.
	'few_delete_all@1' => q(
\set id random(1, 100)
DELETE FROM few WHERE id IN (SELECT id FROM few WHERE v = (SELECT v FROM data WHERE id = :id)
	FOR UPDATE SKIP LOCKED);
),
	'few_verify@3' => q(
\set id random(1, 1000)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify('few', '<=>', (SELECT v FROM data WHERE id = :id));
COMMIT;
),
	'few_vacuum@2' => "$vacuum few;");
finish_ok($bench, 'all at once');
note(join "\n", grep { /processed|SQL script|transactions/ } split /\n/, $bench->{out});

check_indexes($node, 'after the race');
note('rows of few: ' . $node->safe_psql('postgres', 'SELECT count(*) FROM few'));
my $recall = recall($node, 'many', '<->', 'queries');
cmp_ok($recall, '>=', 0.95, "recall $recall after the race");

# A scan that is in the middle of a chain when a slot of it is taken out, and
# given to another row, still returns the rest of the chain.  The rows of that
# slot were deleted before; nothing but the index knows that the scan is there.
$node->safe_psql(
	'postgres', q(
CREATE TABLE chain (id int, v real[]);
CREATE INDEX chain_l2 ON chain USING diskann (v real_l2_ops);
INSERT INTO chain SELECT g, ARRAY[g, g + 1, 2 * g, 0] FROM generate_series(1, 100) g;
INSERT INTO chain SELECT 1000 + g, '{0,0,0,0}' FROM generate_series(1, 200) g;
DELETE FROM chain WHERE id > 1144;
));
my $session = session_start($node, 'SET enable_seqscan = off; BEGIN;');
session_ask($session,
	q(DECLARE c CURSOR FOR SELECT id FROM chain ORDER BY v <-> '{0,0,0,0}'; FETCH 1 FROM c;)
);
$node->safe_psql('postgres', $_)
  for ('VACUUM (INDEX_CLEANUP on) chain',
	'INSERT INTO chain SELECT 3000 + g, ARRAY[g, -5, -g, -g] FROM generate_series(1, 50) g'
  );
is(scalar(split /\n/, session_ask($session, 'FETCH ALL FROM c;')),
	243, 'a scan loses no rows of a chain');
finish_ok($session, 'such a scan');
check_indexes($node, 'after that');

# With that scan gone, and other transactions begun since, the slot is reused.
$node->safe_psql('postgres', $_)
  for (
	'CREATE TABLE another_transaction ()',
	'DELETE FROM chain WHERE id = 3001',
	'VACUUM (INDEX_CLEANUP on) chain');
my $size = q(SELECT pg_relation_size('chain_l2'));
my $before = $node->safe_psql('postgres', $size);
$node->safe_psql('postgres',
	q(INSERT INTO chain SELECT 4001, '{4,0,0,1}'));
is($node->safe_psql('postgres', $size), $before, 'a free slot is used again');
check_indexes($node, 'at last');
no_crash_in_log($node, 'server');

done_testing();
