
# Copyright (c) 2026, diskann contributors

# The server is killed in the middle of inserts.  Whatever of an insert was
# logged by then, the index is sound after recovery, has every row the table
# has, and is as good as before.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

# With asynchronous commit, WAL ends where a WAL page happened to be full, or
# where another session committed: anywhere between two records.
my $node = new_node(
	'main', q(
wal_consistency_checking = 'generic'
synchronous_commit = off
wal_writer_delay = 10ms
));

$node->safe_psql(
	'postgres', q(
CREATE TABLE data (id int, v real[]);
CREATE TABLE wide_data (id int, v real[]);
CREATE TABLE queries (id int, v real[]);
CREATE SEQUENCE ids START 100000;
CREATE TABLE many (id int, v real[]);
CREATE TABLE few (id int, v real[]);
CREATE TABLE wide (id int, v real[]);
CREATE TABLE tagged (id int, v real[]);
CREATE TABLE wide_tagged (id int, v real[]);
));
my $vectors = clustered(1040, 32, 3);
load_vectors($node, 'queries', [ splice @$vectors, 0, 40 ]);
load_vectors($node, 'data', $vectors);
load_vectors($node, 'wide_data', clustered(60, 3000, 4));
$node->safe_psql(
	'postgres', q(
INSERT INTO many TABLE data;
CREATE INDEX many_l2 ON many USING diskann (v real_l2_ops);
CREATE INDEX few_cosine ON few USING diskann (v real_cosine_ops);
CREATE INDEX wide_ip ON wide USING diskann (v real_ip_ops);
INSERT INTO tagged TABLE data;
CREATE INDEX tagged_l2 ON tagged USING diskann (v real_l2_ops, id, (('tag ' || id % 9)));
CREATE INDEX wide_tagged_l2 ON wide_tagged USING diskann (v real_l2_ops, id)
	WITH (vector_storage = float32);
));

my %op = (many => '<->', few => '<=>', wide => '<#>', fresh => '<->',
	tagged => '<->', wide_tagged => '<->');
my %query = map { $_ => '{' . join(',', (0.1) x 32) . '}' } keys %op;
$query{$_} = '{' . join(',', (0.1) x 3000) . '}' for ('wide', 'wide_tagged');

# What the crashes leave, for those who wonder whether they hit anything.
sub counts
{
	return $node->safe_psql(
		'postgres', q(
SELECT string_agg(c.relname || ' ' || concat_ws(', ', tids, unreachable, empty, orphans), '; ')
FROM pg_class c JOIN pg_am a ON a.oid = c.relam,
	diskann_index_check(c.oid) WHERE a.amname = 'diskann'));
}

srand(5);
for my $round (1 .. 10)
{
	# An index without rows, so that the crash may be in the first one's insert.
	$node->safe_psql(
		'postgres', q(
DROP TABLE IF EXISTS fresh;
CREATE TABLE fresh (id int, v real[]);
CREATE INDEX fresh_l2 ON fresh USING diskann (v real_l2_ops);
CHECKPOINT;
));
	my $bench = pgbench_start(
		$node, 4, 60,
		'fresh@2' => q(
\set id random(1, 1000)
INSERT INTO fresh SELECT nextval('ids'), v FROM data WHERE id = :id;
),
		'many@2' => q(
\set id random(1, 900)
INSERT INTO many SELECT nextval('ids'), noisy(v, 0.3) FROM data
	WHERE id BETWEEN :id AND :id + 20;
),
		'few@2' => q(
\set id random(1, 3)
INSERT INTO few SELECT nextval('ids'), v FROM data, generate_series(1, 10) WHERE id = :id;
),
		'tagged@2' => q(
\set id random(1, 900)
INSERT INTO tagged SELECT nextval('ids'), noisy(v, 0.3) FROM data
	WHERE id BETWEEN :id AND :id + 20;
),
		wide_tagged => q(
\set id random(1, 60)
INSERT INTO wide_tagged SELECT nextval('ids'), noisy(v, 0.3) FROM wide_data
	WHERE id = :id;
),
		wide => q(
\set id random(1, 60)
INSERT INTO wide SELECT nextval('ids'), noisy(v, 0.3) FROM wide_data WHERE id = :id;
));

	# The first crashes come early, while "fresh" gets its first rows.
	wait_for_clients($node, 4);
	usleep($round <= 5 ? rand(30_000) : 300_000 + rand(700_000));
	$node->stop('immediate');
	eval { $bench->{handle}->finish };
	$node->start;

	for my $table (sort keys %op)
	{
		full_scan_ok($node, $table, $op{$table}, $query{$table},
			"crash $round, $table");
	}
	check_indexes($node, "crash $round");
	note("rows, unreachable, empty, orphans: " . counts());
}

my $recall = recall($node, 'many', '<->', 'queries');
cmp_ok($recall, '>=', 0.95, "recall $recall after the crashes");

# VACUUM takes away what the interrupted transactions left.
$node->safe_psql('postgres', $_)
  for (
	'DELETE FROM many WHERE id % 5 = 0',
	'VACUUM (INDEX_CLEANUP on) many',
	'VACUUM (INDEX_CLEANUP on) few');
for my $index ('many_l2', 'few_cosine')
{
	is( $node->safe_psql('postgres',
			"SELECT empty, orphans FROM diskann_index_check('$index', true)"),
		'0|0',
		"nothing is left behind in $index");
}
full_scan_ok($node, 'many', '<->', $query{many}, 'after vacuum');

# A new slot of several pages, of which only one has been logged, as an empty
# one, when the server stops.
SKIP:
{
	skip 'the library has no places to stop at', 3 if !can_pause($node);
	my $holder = session_start($node, 'SELECT pg_advisory_lock(7);');
	session_ask($holder, '');
	my $stopped = session_start($node, pause_at('page-begun 7')
		  . 'INSERT INTO wide_tagged SELECT 1, v FROM wide_data WHERE id = 1;');
	poll_until($node,
		"SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
	);
	$node->safe_psql('postgres',
		'SET synchronous_commit = on; CREATE TABLE logged ()');
	$node->stop('immediate');
	eval { $_->{handle}->finish } for ($holder, $stopped);
	$node->start;
	full_scan_ok($node, 'wide_tagged', $op{wide_tagged},
		$query{wide_tagged}, 'page begun');
	check_indexes($node, 'page begun');
	$node->safe_psql('postgres',
		'INSERT INTO wide_tagged SELECT 2, v FROM wide_data WHERE id <= 10');
	full_scan_ok($node, 'wide_tagged', $op{wide_tagged},
		$query{wide_tagged}, 'page used');
}
no_crash_in_log($node, 'server');

done_testing();
