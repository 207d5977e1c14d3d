
# Copyright (c) 2026, diskann contributors

# The example of examples/sharding works: a query of four shards in two databases
# finds what a query of one index finds, and the shards sort, limit, and are asked
# at the same time.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $shards = 4;
my $examples = "$FindBin::RealBin/../../examples/sharding";
my $node = new_node('main', "max_parallel_workers_per_gather = 0\n");

plan skip_all => 'there is no postgres_fdw here'
  unless has_extension($node, 'postgres_fdw');

# Binaries that are not a distribution's may lack the libpq that it was built for.
my (undef, undef, $complaint) =
  $node->psql('postgres', 'BEGIN; CREATE EXTENSION postgres_fdw; ROLLBACK');
plan skip_all => "postgres_fdw cannot be loaded here: $complaint"
  if $complaint =~ /could not load library/;

my $user = $node->safe_psql('postgres', 'SELECT current_user');

# Runs one file of the example.
sub run_file
{
	my ($database, $file, %variables) = @_;

	$node->command_ok(
		[
			'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d',
			$node->connstr($database),
			(map { ('-v', "$_=$variables{$_}") } sort keys %variables),
			'-f', "$examples/$file"
		],
		"$file in $database");
	return;
}

sub database_of
{
	return 'shards_' . ($_[0] % 2);
}

$node->safe_psql('postgres', "CREATE DATABASE shards_$_") for 0 .. 1;
run_file(database_of($_), 'shard.sql', table => "items_$_", dims => 128)
  for 0 .. $shards - 1;
run_file('postgres', 'coordinator.sql');
run_file(
	'postgres', 'attach.sql',
	shard => $_,
	shards => $shards,
	host => $node->host,
	port => $node->port,
	dbname => database_of($_),
	user => $user) for 0 .. $shards - 1;
run_file('postgres', 'nearest.sql');

# Rows find their shards through the parent.  The same rows, with one index.
$node->safe_psql('postgres',
	'CREATE TABLE whole (id int, v real[]); CREATE TABLE queries (id int, v real[])');
load_vectors($node, 'whole', sift('base'));
$node->safe_psql(
	'postgres', q(
CREATE INDEX ON whole USING diskann (v);
ANALYZE whole;
INSERT INTO items SELECT * FROM whole));
load_vectors($node, 'queries', sift('query', 100));

my $sizes = '';
for (0 .. $shards - 1)
{
	$sizes .= $node->safe_psql(database_of($_),
		"SELECT count(*) BETWEEN 1000 AND 1400 FROM items_$_");
}
is($sizes, 't' x $shards, 'each shard has about a quarter of the rows');

#
# Answers
#

my ($one, $many, $sorted) = split /\|/, $node->safe_psql(
	'postgres', q(
WITH exact AS (
	SELECT q.id, q.v, max(dist) AS worst FROM queries q,
		LATERAL nearest('whole', '<->', q.v, 10, false) GROUP BY q.id, q.v),
one AS (
	SELECT count(*) FILTER (WHERE dist <= worst) AS found FROM exact e,
		LATERAL nearest('whole', '<->', e.v, 10, true)),
sharded AS (
	SELECT n.ordinality, distance, worst,
		lag(distance) OVER (PARTITION BY e.id ORDER BY ordinality) AS before
	FROM exact e, LATERAL nearest(e.v, 10) WITH ORDINALITY n)
SELECT one.found / 1000.0,
	count(*) FILTER (WHERE distance <= worst) / 1000.0,
	count(*) FILTER (WHERE distance < before) = 0 AND count(*) = 1000
FROM sharded, one GROUP BY one.found));

note "recall: one index $one, four shards $many";
cmp_ok($many, '>=', .98, 'recall of the shards');
cmp_ok($many, '>=', $one - .005, 'and it is that of one index');
is($sorted, 't', 'ten rows a query, in order');

#
# Plans
#

my $vector =
  "'" . $node->safe_psql('postgres', 'SELECT v FROM queries WHERE id = 1') . "'";
my $statement = $node->safe_psql('postgres',
	"SELECT sharded_query('items', 'id', 'v', '<->(real[],real[])', 10)");

# Generic plans are the harder case: the vector is not known.
sub plan_of
{
	my ($query) = @_;

	return $node->safe_psql(
		'postgres', qq(
SET plan_cache_mode = force_generic_plan;
PREPARE q(real[]) AS $query;
EXPLAIN (VERBOSE, COSTS off) EXECUTE q($vector)));
}

my $plan = plan_of($statement);
my @remote = grep { /Remote SQL/ } split /\n/, $plan;

# 14 does not see through the subqueries that the arms of the UNION ALL are.
is( scalar(() = $plan =~ /Async Foreign Scan/g),
	$node->pg_version < 15 ? 0 : $shards,
	'all shards are asked at the same time, from 15 on');
is(scalar(grep { /ORDER BY .* LIMIT 10::bigint/ } @remote),
	$shards, 'all sort and limit')
  or diag($plan);

is( $node->safe_psql(
		database_of(0),
		"SET cursor_tuple_fraction = .001;
		EXPLAIN (COSTS off) DECLARE c CURSOR FOR
		SELECT id, v FROM items_0 ORDER BY v <-> $vector LIMIT 10") =~
	  /Index Scan using items_0_v_idx/ ? 1 : 0,
	1,
	'a shard uses its index');

# A condition goes along.
$plan = plan_of(
	$node->safe_psql(
		'postgres',
		"SELECT sharded_query('items', 'id', 'v', '<->(real[],real[])', 10, 'id < 100')"
	));
is(scalar(() = $plan =~ /Remote SQL: .*WHERE \(\(id < 100\)\) ORDER BY .* LIMIT/g),
	$shards, 'all apply a condition');

#
# The plain query of the parent is slower, but gives the same rows.
#

my $plain = "SELECT id FROM items ORDER BY v <-> $vector LIMIT 10";

like($node->safe_psql('postgres', "EXPLAIN (VERBOSE) $plain"),
	qr/Merge Append.*Remote SQL: [^\n]*ORDER BY/s,
	'a query of the parent merges sorted shards');
is( $node->safe_psql('postgres', $plain),
	$node->safe_psql('postgres', "SELECT id FROM nearest($vector, 10)"),
	'and gives the same rows');

# There is no answer without all shards, rather than one that lacks rows.
$node->safe_psql('postgres', q(ALTER SERVER shard_3 OPTIONS (SET dbname 'nowhere')));
my ($status, $out, $err) =
  $node->psql('postgres', "SELECT id FROM nearest($vector, 10)");
isnt($status, 0, 'a query fails if a shard cannot be reached');
like($err, qr/could not connect to server "shard_3"/, 'and tells which');

no_crash_in_log($node, 'server');
done_testing();
