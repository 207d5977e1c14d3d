
# Copyright (c) 2026, diskann contributors

# What ingest.py tells of the cost of adding rows: all rows are added, and their
# WAL, CPU time and commits are counted, with images of pages and without.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/../../t";
use DiskannTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $python = python_with('numpy, psycopg2');

plan skip_all => 'no numpy and psycopg2' unless defined $python;
plan skip_all => 'no /proc/PID/schedstat' unless -r '/proc/self/schedstat';

use constant WAYS => [ '1 writer', '2 writers', 'COPY' ];

my $node = new_node('main', "wal_consistency_checking = ''\n");
my $json = PostgreSQL::Test::Utils::tempdir . '/ingest.json';

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGDATABASE} = 'postgres';
$node->command_ok(
	[
		$python, "$FindBin::RealBin/../ingest.py",
		'--contender', 'none', '--contender', 'diskann',
		'--rows', '600', '--dims', '24', '--clusters', '10',
		'--insert', '100', '--out', $json
	],
	'ingest.py');

my %steps;
foreach my $line (split /\n/, slurp_file($json))
{
	my $step = decode_json($line);

	next if $step->{what} eq 'built';
	$steps{"$step->{contender}, $step->{what}, $step->{images}"} = $step;
}
is(scalar(keys %steps), 12, 'each contender in each way, with images and without');

foreach my $table ('ingest_none', 'ingest_diskann')
{
	is( $node->safe_psql('postgres',
			"SELECT count(*), count(DISTINCT id), max(id) FROM $table"),
		'1200|1200|1199',
		"$table has the rows of all steps");
}
check_indexes($node, 'afterwards');
is($node->safe_psql('postgres', 'SHOW full_page_writes'),
	'on', 'full_page_writes is what it was');

foreach my $way (@{ +WAYS })
{
	my ($table, $off, $on) =
	  @steps{ "none, $way, off", "diskann, $way, off", "diskann, $way, on" };

	# A row is of 96 bytes of numbers and more, and its node of more than that.
	cmp_ok($table->{wal_bytes}, '>', 96, "$way: WAL has the rows");
	cmp_ok($table->{wal_bytes}, '<', 1000, "$way: and no images of pages");
	cmp_ok($off->{wal_bytes}, '>', $table->{wal_bytes} + 96,
		"$way: WAL has the nodes");
	cmp_ok($on->{wal_bytes}, '>', 1.5 * $off->{wal_bytes},
		"$way: images of pages are counted where there are any");
	cmp_ok($off->{cpu_us}, '>', 0, "$way: CPU time was seen");
}
foreach my $writers (1, 2)
{
	my $step = $steps{ 'diskann, ' . WAYS->[$writers - 1] . ', off' };

	cmp_ok($step->{p99_ms}, '>=', $step->{p50_ms}, "$writers: percentiles");
	# Writers are busy all the time, with one row after the other.
	cmp_ok($step->{p50_ms}, '<=', 2 * $writers * 1000 / $step->{rows_a_second},
		"$writers: half of the commits take at most twice the mean");
}

done_testing();
