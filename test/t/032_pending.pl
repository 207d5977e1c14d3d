
# Copyright (c) 2026, diskann contributors

# Rows that wait to be linked: every scan finds them at once, in order, whoever
# asks and whatever happens to the server or to those who link them.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node(
	'main', q(
wal_consistency_checking = 'generic'
max_prepared_transactions = 2
));

$node->safe_psql(
	'postgres', q(
CREATE TABLE data (id int, v real[]);
CREATE TABLE queries (id int, v real[]);
CREATE TABLE rows (id int, v real[]);
));
my $vectors = clustered(3040, 32, 3);
load_vectors($node, 'queries', [ splice @$vectors, 0, 40 ]);
load_vectors($node, 'data', $vectors);
my $query = '{' . join(',', (0.1) x 32) . '}';

# An index of 2000 rows, and as many new ones pending as are wanted.
sub start_anew
{
	my $n = shift;

	$node->safe_psql(
		'postgres', qq(
DROP INDEX IF EXISTS rows_v;
TRUNCATE rows;
INSERT INTO rows SELECT * FROM data WHERE id <= 2000;
CREATE INDEX rows_v ON rows USING diskann (v real_l2_ops) WITH (pending_limit = 1024);
INSERT INTO rows SELECT * FROM data WHERE id > 2000 AND id <= 2000 + $n;
));
	is(pending(), $n, "$n rows are pending");
}

sub pending
{
	my $server = shift // $node;

	return $server->safe_psql('postgres',
		"SELECT value FROM diskann_index_info('rows_v') WHERE property = 'pending'"
	);
}

# Pages that the second search of a session reads.
sub pages_read
{
	my $plan = $node->safe_psql(
		'postgres', qq(
SET enable_seqscan = off;
EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off, SUMMARY off)
	SELECT id FROM rows ORDER BY v <-> '$query'::real[] LIMIT 1;));

	# 14 does not count pages whose buffer a session remembers: ask a new one.
	return $plan =~ /Limit.*?shared hit=(\d+)/s ? $1 : die $plan;
}

# Does a search for each of these rows find it?
sub found_ok
{
	my ($server, $which, $name) = @_;

	is( $server->safe_psql(
			'postgres', qq(
SET enable_seqscan = off;
SELECT count(*) FROM data d WHERE ($which) AND NOT EXISTS (
	SELECT FROM nearest('rows', '<->', d.v, 1, true) n WHERE n.id = d.id))),
		'0',
		"$name: all rows are found");
}

sub sound_ok
{
	my $name = shift;

	full_scan_ok($node, 'rows', '<->', $query, $name);
	check_indexes($node, $name);
	is( $node->safe_psql('postgres',
			"SELECT unreachable, empty FROM diskann_index_check('rows_v', true)"
		),
		'0|0',
		"$name: something leads to every node");
}

# Found at once, in order, and by the transaction itself; gone if rolled back.
start_anew(60);
found_ok($node, 'id <= 2060', 'pending');
order_ok($node, 'rows', '<->', 'queries', 'pending');
sound_ok('pending');
is( $node->safe_psql(
		'postgres', q(
BEGIN;
SET LOCAL enable_seqscan = off;
SAVEPOINT s;
INSERT INTO rows SELECT * FROM data WHERE id = 2070;
SELECT count(*) FROM nearest('rows', '<->', (SELECT v FROM data WHERE id = 2070), 1, true) WHERE id = 2070;
ROLLBACK TO s;
SELECT count(*) FROM nearest('rows', '<->', (SELECT v FROM data WHERE id = 2070), 1, true) WHERE id = 2070;
INSERT INTO rows SELECT * FROM data WHERE id = 2071;
PREPARE TRANSACTION 'x';
)),
	"1\n0",
	'a transaction finds its own row, and no more when it is rolled back');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', "SELECT count(*) FROM rows WHERE id = 2071"),
	'0', 'a prepared row is not seen');
$node->safe_psql('postgres', "COMMIT PREPARED 'x'");
found_ok($node, 'id <= 2060 OR id = 2071', 'prepared and committed');
sound_ok('prepared');

# The function links all, once.
is($node->safe_psql('postgres', "SELECT diskann_link_pending('rows_v') > 60"),
	't', 'rows were linked');
is(pending(), 0, 'no row is pending any more');
is($node->safe_psql('postgres', "SELECT diskann_link_pending('rows_v')"),
	'0', 'none is linked twice');
found_ok($node, 'id <= 2060 OR id = 2071', 'linked');
sound_ok('linked');
my $recall = recall($node, 'rows', '<->', 'queries');
cmp_ok($recall, '>=', 0.95, "recall $recall after linking");

# A search reads the pages of rows that are pending, and none when they are
# linked.  These are far from the query.
start_anew(0);
my $pages = pages_read();
$node->safe_psql('postgres',
	'INSERT INTO rows SELECT 4000 + i, (SELECT array_agg(1000 + sin(i * j)) FROM generate_series(1, 32) j) FROM generate_series(1, 96) i'
);
my $pending_pages = pages_read();
cmp_ok($pending_pages, '>=', $pages + 3,
	"$pending_pages pages are read, not $pages, with 96 rows pending");
$node->safe_psql('postgres', "SELECT diskann_link_pending('rows_v')");
my $linked_pages = pages_read();
cmp_ok($linked_pages, '<=', $pages + 1,
	"$linked_pages pages are read when they are linked");

# So does VACUUM, and takes away what is dead.
start_anew(60);
$node->safe_psql('postgres',
	"DELETE FROM rows WHERE id > 2000 AND id % 2 = 0");
$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP on) rows");
is(pending(), 0, 'VACUUM has linked what was pending');
found_ok($node, 'id <= 2060 AND (id <= 2000 OR id % 2 = 1)', 'VACUUM');
sound_ok('VACUUM');

# Limit 0 has every row linked at once; a full list has a part of it linked.
start_anew(0);
$node->safe_psql('postgres',
	'SET diskann.pending_limit = 0; INSERT INTO rows SELECT * FROM data WHERE id > 2000 AND id <= 2060'
);
is(pending(), 0, 'no row may be pending');
$node->safe_psql('postgres',
	'SET diskann.pending_limit = 64; INSERT INTO rows SELECT * FROM data WHERE id > 2060 AND id <= 2160'
);
cmp_ok(pending(), '<=', 64, 'no more rows are pending than may be');
cmp_ok(pending(), '>', 0, 'but some are');
sound_ok('full list');

# A standby finds pending rows, too.
$node->append_conf('postgresql.conf', "max_wal_senders = 3\nwal_level = replica\n");
$node->restart;
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres',
	'INSERT INTO rows SELECT * FROM data WHERE id > 2160 AND id <= 2190');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
cmp_ok(pending($standby), '>', 0, 'rows are pending on the standby');
found_ok($standby, 'id <= 2190', 'standby');
my ($out, $err);
$standby->psql('postgres', "SELECT diskann_link_pending('rows_v')",
	stderr => \$err);
like($err, qr/during recovery/, 'a standby links nothing');
$standby->stop;

# Who adds a row finds it, while others do and some link all the time.
start_anew(0);
$node->safe_psql(
	'postgres', q(
CREATE FUNCTION add_and_find(new int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE x real[] = (SELECT array_agg(random() - 0.5) FROM generate_series(1, 32));
BEGIN
	SET LOCAL enable_seqscan = off;
	INSERT INTO rows VALUES (new, x);
	PERFORM FROM nearest('rows', '<->', x, 1, true) n WHERE n.id = new;
	IF NOT FOUND THEN
		RAISE 'row % was not found', new;
	END IF;
END$$));
finish_ok(
	pgbench_start(
		$node, 4, 10,
		'add@3' => "\\set id random(10000, 1000000000)\nSELECT add_and_find(:id);\n",
		'link@1' => "SELECT diskann_link_pending('rows_v');\n"),
	'adding and linking');
sound_ok('adding and linking');

no_crash_in_log($node, 'server');

# Whoever adds a row or links some may fail or be killed at any point.
SKIP:
{
	skip 'the library has no pause points', 1 unless can_pause($node);
	for my $action ('error', 'crash')
	{
		for my $point ('pending-written', 'porches-counted', 'porch-written',
			'porch-provided')
		{
			start_anew(0);
			stop_at($point, $action,
				'INSERT INTO rows SELECT * FROM data WHERE id = 2001');
			sound_insert_ok("$action at $point");
		}
		for my $point ('edges-written', 'porch-linked', 'all-linked')
		{
			start_anew(60);
			stop_at($point, $action,
				"SELECT diskann_link_pending('rows_v')");
			found_ok($node, 'id <= 2060', "$action at $point");
			sound_ok("$action at $point");
			$node->safe_psql('postgres',
				"SELECT diskann_link_pending('rows_v')");
			is(pending(), 0, "$action at $point: linked afterwards");
			found_ok($node, 'id <= 2060', "$action at $point, linked");
			sound_ok("$action at $point, linked");
		}
	}
}

# The session fails at a point, or takes the server down there.
sub stop_at
{
	my ($point, $action, $sql) = @_;

	if ($action eq 'crash')
	{
		crash_at($node, $point, $sql);
		return;
	}
	my ($ret, $stdout, $stderr) = $node->psql('postgres',
		pause_at("$point error") . $sql);
	like($stderr, qr/stopped at "$point"/, "stopped at $point");
}

# What the insert left is taken away, and others go on.
sub sound_insert_ok
{
	my $name = shift;

	found_ok($node, 'id <= 2000', $name);
	full_scan_ok($node, 'rows', '<->', $query, $name);
	check_indexes($node, $name);
	$node->safe_psql(
		'postgres', q(
INSERT INTO rows SELECT * FROM data WHERE id > 2000 AND id <= 2060;
DELETE FROM rows WHERE id <= 200;
VACUUM (INDEX_CLEANUP on) rows));
	is( $node->safe_psql('postgres',
			"SELECT unreachable, empty, orphans FROM diskann_index_check('rows_v', true)"
		),
		'0|0|0',
		"$name: nothing is left behind");
	found_ok($node, 'id > 200 AND id <= 2060', "$name, others");
}

done_testing();
