
# Copyright (c) 2026, diskann contributors

# CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY while others write: the new
# index is valid and has every row.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q(wal_consistency_checking = ''));

$node->safe_psql(
	'postgres', q(
CREATE TABLE data (id int, v real[]);
CREATE TABLE queries (id int, v real[]);
CREATE TABLE t (id int PRIMARY KEY, v real[], n int DEFAULT 0);
CREATE SEQUENCE ids START 100000;
));
my $vectors = clustered(1540, 48, 16);
load_vectors($node, 'queries', [ splice @$vectors, 0, 40 ]);
load_vectors($node, 'data', $vectors);
$node->safe_psql('postgres', 'INSERT INTO t TABLE data');

my %scripts = (
	'insert@4' => q(
\set id random(1, 1500)
INSERT INTO t SELECT nextval('ids'), noisy(v, 0.1) FROM data WHERE id = :id;
),
	'duplicate@2' => q(
\set id random(1, 5)
INSERT INTO t SELECT nextval('ids'), v FROM data WHERE id = :id;
),
	'change@2' => q(
UPDATE t SET v = noisy(v, 0.1) WHERE id = (SELECT id FROM t ORDER BY random() LIMIT 1
	FOR UPDATE SKIP LOCKED);
),
	# This one is HOT as long as there is room on the page.
	'touch@2' => q(
UPDATE t SET n = n + 1 WHERE id = (SELECT id FROM t ORDER BY random() LIMIT 1
	FOR UPDATE SKIP LOCKED);
),
	'delete@3' => q(
DELETE FROM t WHERE id = (SELECT id FROM t ORDER BY random() LIMIT 1
	FOR UPDATE SKIP LOCKED);
),
	'rollback@1' => q(
\set id random(1, 1500)
BEGIN;
INSERT INTO t SELECT nextval('ids'), noisy(v, 0.2) FROM data WHERE id = :id;
ROLLBACK;
),
	'search@1' => q(
\set id random(1, 1500)
SELECT * FROM nearest('t', '<->', (SELECT v FROM data WHERE id = :id), 5, true);
));

# Run a command several times in the middle of this, then look at the outcome.
sub race
{
	my ($command, $what) = @_;
	my $bench = pgbench_start($node, 4, 60, %scripts);

	wait_for_clients($node, 4);
	for my $round (1 .. 3)
	{
		$node->safe_psql('postgres', $_) for @$command;

		check_indexes($node, "$what $round");
	}
	# Not INT, which is ignored if whoever started us works in the background.
	$bench->{handle}->signal('TERM');
	eval { $bench->{handle}->finish };
	is($bench->{err}, '', "$what: writers had no errors");

	# Sessions of clients that are gone may need a moment to end their work.
	poll_until($node, q(SELECT count(*) = 0 FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()));
	is( $node->safe_psql('postgres', q(
SELECT count(*), bool_and(indisvalid) FROM pg_index
WHERE indrelid = 't'::regclass AND NOT indisprimary)),
		'1|t',
		"$what: there is one index, a valid one");
	check_indexes($node, $what);
	full_scan_ok($node, 't', '<->', $vectors->[0], $what);
	return;
}

race(
	[
		'DROP INDEX CONCURRENTLY IF EXISTS t_v',
		'CREATE INDEX CONCURRENTLY t_v ON t USING diskann (v real_l2_ops)'
	],
	'CREATE INDEX CONCURRENTLY');
race([ 'REINDEX INDEX CONCURRENTLY t_v', 'VACUUM (INDEX_CLEANUP on) t' ],
	'REINDEX CONCURRENTLY');

my $recall = recall($node, 't', '<->', 'queries');
cmp_ok($recall, '>=', 0.95, "recall $recall");

# One that fails leaves an invalid index, to be dropped or made again.
$node->safe_psql(
	'postgres', q(
DROP INDEX t_v;
INSERT INTO t VALUES (1000000, '{1,2,3}');
));
my ($status, $out, $err) = $node->psql('postgres',
	'CREATE INDEX CONCURRENTLY t_v ON t USING diskann (v real_l2_ops)');
like($err, qr/ERROR:.*dimensions/, 'a row of another length is refused');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id = 1000000');
is( $node->safe_psql('postgres',
		q(SELECT indisvalid FROM pg_index WHERE indexrelid = 't_v'::regclass)),
	'f',
	'the index is left invalid');
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY t_v');
check_indexes($node, 'after a failure');
full_scan_ok($node, 't', '<->', $vectors->[0], 'after a failure');
is( $node->safe_psql('postgres',
		q(SELECT count(*) FROM pg_class WHERE relname ~ '_ccnew|_ccold')),
	0,
	'no transient index is left');
no_crash_in_log($node, 'server');

done_testing();
