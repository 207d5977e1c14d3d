
# Copyright (c) 2026, diskann contributors

# What scale.py tells of growing tables: rows are derived and all there, exact
# answers are exact, lists reach their recalls, and builds are measured.

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
plan skip_all => 'no /proc/PID/stat' unless -r '/proc/self/stat';

my $node = new_node('main', "wal_consistency_checking = ''\n");
my $dir = PostgreSQL::Test::Utils::tempdir;
my $data = "$FindBin::RealBin/../../data/sift-5k";
my $json = "$dir/scale.json";

# Twenty images.
open my $images, '>', "$dir/image.ibin" or die "could not write: $!";
binmode $images;
print $images pack('V2 V*', 4800, 1, map { $_ % 20 } 1 .. 4800);
close $images or die "could not write: $!";

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGDATABASE} = 'postgres';
local $ENV{PG_CTL} = $node->config_data('--bindir') . '/pg_ctl';
$node->command_ok(
	[
		$python, "$FindBin::RealBin/../scale.py",
		'--data', "$data.base.u8bin.gz", '--images', "$dir/image.ibin",
		'--query', "$data.query.u8bin.gz", '--queries', '20',
		'--rows', '3000,6000', '--memory', '64MB,32MB', '--workers', '0',
		'--tenth', '--keep', '--out', $json
	],
	'scale.py');

my (%built, %searched);
foreach my $line (split /\n/, slurp_file($json))
{
	my $result = decode_json($line);

	if ($result->{what} eq 'built')
	{
		$built{"$result->{rows}, $result->{memory}"} = $result;
	}
	else
	{
		$searched{"$result->{rows}, $result->{what}, $result->{target}"} = $result;
	}
}
is(scalar(keys %built), 4, 'each number of rows is built with each memory');
is(scalar(keys %searched), 8, 'and searched for each recall, with all buffers and few');

is( $node->safe_psql('postgres', q(
SELECT count(*), count(DISTINCT id), max(id), count(DISTINCT v) > 2990 FROM scale_3000)),
	'3000|3000|2999|t',
	'the table has its rows');
is( $node->safe_psql('postgres', q(
SELECT count(*) FROM scale_3000 a JOIN scale_6000 b USING (id) WHERE a.v = b.v)),
	'3000', 'a longer table begins with the rows of a shorter one');
is( $node->safe_psql('postgres', q(
SET enable_indexscan = off;
SELECT count(*) FROM scale_3000_exact q, LATERAL (SELECT max(d) FROM
	(SELECT v <-> q.v AS d FROM scale_3000 ORDER BY d LIMIT 10) n) far (d)
WHERE (SELECT max(t.v <-> q.v) FROM scale_3000 t WHERE t.id = ANY (q.ids)) = far.d)),
	'20', 'exact answers are exact');

foreach my $build (values %built)
{
	cmp_ok($build->{$_}, '>', 0, "$_ of $build->{rows} rows")
	  for ('seconds', 'cpu_seconds', 'index_bytes');
}
foreach my $search (values %searched)
{
	my $what = "$search->{rows} rows, $search->{what}, $search->{target}";

	cmp_ok($search->{recall}, '>=', $search->{target} - 0.01, "$what: recall");
	# 14 does not count pages whose buffers are remembered.
	cmp_ok($search->{pages}, '>=',
		$node->pg_version < 15 ? 1 : $search->{list},
		"$what: pages");
	cmp_ok($search->{p50_ms}, '>', 0, "$what: time");
}
is($node->safe_psql('postgres', 'SHOW shared_buffers'), '64MB', 'shared_buffers is what it was');

done_testing();
