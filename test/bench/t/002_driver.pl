
# Copyright (c) 2026, diskann contributors

# The benchmark driver and the arithmetic of its reports.  What it says of an
# index must not depend on the session's settings, and must be right where the
# right answer is known.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/../../t";
use DiskannTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::RealBin/../../..";
my $data = "$top/test/data/sift-5k";
my $dir = PostgreSQL::Test::Utils::tempdir;
my $pg_config = $ENV{PG_CONFIG} // 'pg_config';

command_ok(
	[
		'make', '-s', '-C', "$top/test/bench", "OUT=$dir",
		"PG_CONFIG=$pg_config", 'CFLAGS=-O1 -Wall -Wextra -Wno-unused-parameter'
	],
	'driver is built');
command_ok([ 'python3', "$top/test/bench/t/selftest.py" ],
	'arithmetic of reports');

my $node = new_node('main', undef, allows_streaming => 1);

# Runs the driver; returns what it wrote as JSON.
sub drive
{
	my ($name, @args) = @_;
	my $json = "$dir/$name.json";

	unlink $json;
	$node->command_ok(
		[
			"$dir/diskann_bench", @args, '--dsn', $node->connstr('postgres'),
			'--json', $json
		],
		"driver: $name");
	return decode_json(slurp_file($json));
}

sub query
{
	my ($name, @args) = @_;

	return drive($name, 'query', '--table', 't', '--file',
		"$data.query.u8bin.gz", @args)->{results};
}

# Does a file that was dropped from the cache count as read from storage?
sub storage_tells
{
	my ($out, $err) = ('', '');

	IPC::Run::run [ 'python3', '-c', <<'END', $node->data_dir . '/PG_VERSION' ],
import os, sys
def read_bytes():
    return [line for line in open("/proc/self/io") if line.startswith("read_bytes")]
fd = os.open(sys.argv[1], os.O_RDONLY)
os.fsync(fd)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
before = read_bytes()
os.read(fd, 1)
print(read_bytes() != before)
END
	  '>', \$out, '2>', \$err;
	return $out eq "True\n";
}

$node->command_ok(
	[
		"$dir/diskann_bench", 'load', '--table', 't', '--file',
		"$data.base.u8bin.gz", '--dsn', $node->connstr('postgres')
	],
	'driver: load');

my $build = drive('build', 'build', '--set', 'maintenance_work_mem=64MB', '--sql',
	'CREATE INDEX t_idx ON t USING diskann (v)');
my $size = $node->safe_psql('postgres', q(SELECT pg_relation_size('t_idx')));
cmp_ok($build->{wal_bytes}, '>', $size, 'WAL of the build holds the index');
cmp_ok($build->{wal_bytes}, '<', 2 * $size, 'and not much more');
cmp_ok($build->{peak_bytes}, '>', 1e6, 'memory of the build was seen');
cmp_ok($build->{seconds}, '>', 0, 'so was its time');

# Recall by truth of a file, and by exact answers in sessions where the planner
# is told to use the index.
my @poor = ('--values', '10', '--set', 'enable_seqscan=off');
my $by_file = query('by_file', @poor, '--truth', "$data.gt.l2.ibin.gz");
my $by_scan = query('by_scan', @poor, '--truth-cache', "$dir/truth");
is($by_file->[0]{plan}, 't_idx', 'index is used');
cmp_ok($by_file->[0]{recall}, '<', 0.99, 'setting is too low for full recall');
is($by_scan->[0]{recall}, $by_file->[0]{recall},
	'exact answers do not come from the index');

# A sweep ends where it is told to, each setting with both numbers of clients.
my $sweep = query('sweep', '--values', '10,20,400,500', '--until', '0.99',
	'--clients', '1,2', '--baseline', '--truth-cache', "$dir/truth");
is( join(' ', map { "$_->{setting}/$_->{clients}" } @$sweep),
	'10/1 10/2 20/1 20/2 400/1 400/2 key lookup/1 key lookup/2',
	'settings and clients measured');
is($sweep->[4]{recall}, $sweep->[5]{recall}, 'recall once for all clients');

# Pages asked for are counted, those not in shared buffers as well.
$node->restart;
my $cold = query('cold', '--values', '40', '--cold', '--truth-cache',
	"$dir/truth");
is($cold->[0]{queries}, 190, 'cold: the last queries warm up');
cmp_ok($cold->[0]{index_read}, '>', 0, 'cold: pages read');
my $hot = query('hot', '--values', '40', '--truth-cache', "$dir/truth");
is($hot->[0]{index_read}, 0, 'hot: no pages read');
cmp_ok(
	abs($hot->[0]{index_hit} - $cold->[0]{index_hit} -
		  $cold->[0]{index_read}),
	'<',
	0.1 * $hot->[0]{index_hit},
	'as many pages are touched hot and cold');

# With --evict nothing but shared buffers, which are small here, spares a query
# its reads from storage; without, they come from storage once.
$node->append_conf('postgresql.conf', 'shared_buffers = 1MB');
$node->restart;
my @small = ('--values', '40', '--truth-cache', "$dir/truth", '--repeat', '2');
my $kept = query('kept', @small);
my $evicted = query('evicted', @small, '--evict');
is($evicted->[0]{queries}, 400, 'evict: queries');
is($evicted->[0]{inversions}, 0, 'evict: rows in order');
cmp_ok($evicted->[0]{recall}, '>=', $hot->[0]{recall} - 0.005,
	'evict: recall is no less');
cmp_ok(
	abs(1000 / $evicted->[0]{mean_ms} - $evicted->[0]{qps}),
	'<',
	0.001 * $evicted->[0]{qps},
	'evict: QPS is about queries alone');

SKIP:
{
	my $bytes = $evicted->[0]{storage_bytes};
	my $read = 8192 *
	  ($evicted->[0]{index_read} + $evicted->[0]{heap_read} +
		  $evicted->[0]{toast_read});

	skip 'no storage below this file system that tells of reads', 3
	  if !storage_tells();
	cmp_ok($kept->[0]{storage_bytes}, '<', 0.1 * $bytes, 'evict: read anew');
	cmp_ok($bytes, '>', 0.9 * $read, 'evict: all of it from storage');
	cmp_ok($bytes, '<', 3 * $read, 'evict: and not much more');
}
$node->command_fails_like(
	[
		"$dir/diskann_bench", 'query', '--table', 't', '--file',
		"$data.query.u8bin.gz", '--evict', '--clients', '2', '--values', '40',
		'--truth-cache', "$dir/truth", '--dsn', $node->connstr('postgres')
	],
	qr/--evict measures one client/,
	'evict: one client alone');

SKIP:
{
	skip 'pg_backend_memory_contexts came with PostgreSQL 14', 4
	  if $node->pg_version < 14;

	my $lateral = drive('lateral', 'lateral', '--table', 't', '--file',
		"$data.query.u8bin.gz", '--count', '1000', '--set',
		'enable_seqscan=off');
	is($lateral->{rows}, 10000, 'LATERAL: ten rows for each query');
	is($lateral->{plan}, 't_idx', 'LATERAL: by the index');
	my @used = map { $_->{contexts_used} } @{ $lateral->{memory} };
	cmp_ok($used[-1] - $used[0], '<', 100_000, 'LATERAL: no memory growth');
}

done_testing();
