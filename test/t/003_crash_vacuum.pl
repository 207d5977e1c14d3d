
# Copyright (c) 2026, diskann contributors

# The server is killed in the middle of VACUUM, while it removes rows, repairs
# the graph, or frees slots.  And VACUUM is worth it: slots are used again.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_node(
	'main', q(
wal_consistency_checking = 'generic'
synchronous_commit = off
wal_writer_delay = 10ms
));
my %op = (many => '<->', few => '<=>', wide => '<#>');
my %query = map { $_ => '{' . join(',', (0.1) x 32) . '}' } keys %op;
$query{wide} = '{' . join(',', (0.1) x 2500) . '}';

$node->safe_psql(
	'postgres', q(
CREATE TABLE many_data (id int, v real[]);
CREATE TABLE few_data (id int, v real[]);
CREATE TABLE wide_data (id int, v real[]);
CREATE TABLE queries (id int, v real[]);
CREATE SEQUENCE ids START 100000;
));
my $vectors = clustered(1440, 32, 6);
load_vectors($node, 'queries', [ splice @$vectors, 0, 40 ]);
load_vectors($node, 'many_data', $vectors);
load_vectors($node, 'wide_data', clustered(80, 2500, 7));
$node->safe_psql(
	'postgres', q(
INSERT INTO few_data SELECT g, (SELECT v FROM many_data WHERE id = g % 5 + 1)
	FROM generate_series(1, 2000) g;
CREATE TABLE many AS TABLE many_data;
CREATE TABLE few AS TABLE few_data;
CREATE TABLE wide AS TABLE wide_data;
CREATE INDEX many_l2 ON many USING diskann (v real_l2_ops);
CREATE INDEX few_cosine ON few USING diskann (v real_cosine_ops);
CREATE INDEX wide_ip ON wide USING diskann (v real_ip_ops);
));

# Delete the given share of the rows.
sub delete_rows
{
	my ($percent, @tables) = @_;

	$node->safe_psql('postgres',
		join ';', map { "DELETE FROM $_ WHERE random() < $percent / 100.0" }
		  @tables);
	return;
}

# Fill every table up again, with other vectors than before.
sub refill
{
	$node->safe_psql('postgres',
		join ';', map { qq(
INSERT INTO $_ SELECT nextval('ids'), noisy(v, 0.01) FROM ${_}_data
	ORDER BY random() LIMIT (SELECT count(*) FROM ${_}_data) - (SELECT count(*) FROM $_)) }
		  'many', 'wide');
	$node->safe_psql('postgres', q(
INSERT INTO few SELECT nextval('ids'), v FROM few_data LIMIT 2000 - (SELECT count(*) FROM few)));
	return;
}

my @vacuum =
  map { "VACUUM (INDEX_CLEANUP on) $_;\n" } sort keys %op;

srand(8);
for my $round (1 .. 8)
{
	# Every second time slowly, so that also its latest parts are hit.
	my $slow = $round % 2;
	my $conf = $slow ? "SET vacuum_cost_delay = '1ms';
		SET vacuum_cost_limit = 40; SET vacuum_cost_page_miss = 1;" : '';

	delete_rows(40, keys %op);
	$node->safe_psql('postgres', 'CHECKPOINT');
	my $vacuum = session_start($node, $conf . join('', @vacuum, @vacuum));
	my $insert = session_start($node, $slow ? '' : q(
INSERT INTO many SELECT nextval('ids'), noisy(v, 0.01) FROM many_data;
));
	wait_for_clients($node, 1);
	usleep(rand($slow ? 1_500_000 : 250_000));
	$node->stop('immediate');
	eval { $_->{handle}->finish } for ($vacuum, $insert);
	$node->start;

	check_indexes($node, "crash $round");
	for my $table (sort keys %op)
	{
		full_scan_ok($node, $table, $op{$table}, $query{$table},
			"crash $round, $table");
	}
	refill();
}
my $recall = recall($node, 'many', '<->', 'queries');
cmp_ok($recall, '>=', 0.95, "recall $recall after the crashes");

# Slots of deleted rows are used again: the size settles.  "few" is a queue: its
# oldest rows go, which are those at the ends of chains.
my %size;
$node->safe_psql('postgres', 'REINDEX TABLE ' . $_) for sort keys %op;
for my $cycle (1 .. 10)
{
	delete_rows(30, 'many', 'wide');
	$node->safe_psql('postgres',
		'DELETE FROM few WHERE id IN (SELECT id FROM few ORDER BY id LIMIT 600)');
	$node->safe_psql('postgres', $_) for @vacuum;
	refill();
	for my $index ('many_l2', 'few_cosine', 'wide_ip')
	{
		$size{$index}[$cycle] =
		  $node->safe_psql('postgres', "SELECT pg_relation_size('$index')");
	}
}
for my $index (sort keys %size)
{
	my @sizes = @{ $size{$index} }[ 1 .. 10 ];

	cmp_ok($sizes[9], '<=', 1.1 * $sizes[3],
		"$index does not grow any more: @sizes");
}
check_indexes($node, 'after cycles');
full_scan_ok($node, $_, $op{$_}, $query{$_}, "cycles, $_") for sort keys %op;
$recall = recall($node, 'many', '<->', 'queries');
cmp_ok($recall, '>=', 0.95, "recall $recall after 10 cycles");
no_crash_in_log($node, 'server');

done_testing();
