
# Copyright (c) 2026, diskann contributors

# An index stays readable: the layout of its slots is in its metapage, and what
# another version of the library would choose for a new index does not matter.
#
# - An index of each format version is kept in test/data; this library reads it,
#   searches in it, adds to it and repairs it.
# - A library built from these sources with other constants of src/store/layout.c
#   does the same with indexes of this one.
#
# DISKANN_STORE_FORMAT=1 in the environment writes the file of the present
# version anew; see test/README.md.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use File::Copy;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant BLCKSZ => 8192;
use constant VERSION => 3;

my $stored = "$FindBin::RealBin/../data/format-" . VERSION . '.index.gz';

# Rows that are the same on every machine, at the same places of the table.  The
# index has every state of a slot: a second entry node, rows inserted after the
# build, tombstones, and two slots of one node's rows.
my $rows = q(
CREATE TABLE s (id int, v real[]) WITH (autovacuum_enabled = off);
INSERT INTO s SELECT i, ARRAY[i % 7, i % 11, i % 13, i / 17, i % 5, i / 29, i % 3, 1]
	FROM generate_series(1, 120) i;
INSERT INTO s SELECT i, ARRAY[i % 7, i % 11, i % 13, i / 17, i % 5, i / 29, i % 3, 4]
	FROM generate_series(5001, 5480) i;
);
my $more = q(
INSERT INTO s SELECT i, ARRAY[i % 7, i % 11, i % 13, i / 17, i % 5, i / 29, i % 3, 2]
	FROM generate_series(121, 160) i;
INSERT INTO s SELECT i, '{3,3,3,3,3,3,3,3}' FROM generate_series(201, 380) i;
DELETE FROM s WHERE id BETWEEN 31 AND 40;
VACUUM (INDEX_CLEANUP on, TRUNCATE off) s;
);

my $node = new_node('main', "wal_consistency_checking = ''\n",
	no_data_checksums => 1);

# ---------- making the file ----------

if ($ENV{DISKANN_STORE_FORMAT})
{
	$node->safe_psql('postgres', $rows);
	$node->safe_psql('postgres', 'CREATE INDEX s_v ON s USING diskann (v)');
	$node->safe_psql('postgres', $more . 'CHECKPOINT');
	my $file = index_file($node, 's_v');
	$node->stop;
	my $bytes = read_bytes($file);

	# LSNs mean nothing to another server.
	for (my $at = 0; $at < length $bytes; $at += BLCKSZ)
	{
		substr($bytes, $at, 8) = "\0" x 8;
	}
	open my $out, '|-', "gzip -9 -n >'$stored'" or die "gzip: $!";
	binmode $out;
	print $out $bytes;
	close $out or die "gzip: $!";
	plan skip_all => "$stored written";
}

# ---------- reading it ----------

sub use_index
{
	my $what = shift;
	my $found = $node->safe_psql('postgres', q(
SELECT recall('s', '<->', 's', 10) > 0.97));

	is($found, 't', "$what: recall");
	full_scan_ok($node, 's', '<->', '{1,2,3,4,5,6,7,8}', $what);
	check_indexes($node, $what);
	return;
}

sub change_index
{
	my ($what, $from) = @_;

	$node->safe_psql('postgres', qq(
INSERT INTO s SELECT $from + i, ARRAY[i % 7, i % 11, i % 13, i / 17, i % 5, i, i % 3, 3]
	FROM generate_series(1, 60) i;
INSERT INTO s SELECT $from + 100 + i, '{3,3,3,3,3,3,3,3}' FROM generate_series(1, 200) i;
DELETE FROM s WHERE id % 4 = 1;
VACUUM (INDEX_CLEANUP on) s;));
	use_index("$what, changed");
	return;
}

$node->safe_psql('postgres', $rows . $more);
$node->safe_psql('postgres', 'CREATE INDEX s_v ON s USING diskann (v)');
my $file = index_file($node, 's_v');
$node->stop;
system_or_bail('sh', '-c', "gzip -dc '$stored' >'$file'");
$node->start;

my %info = map { split /\|/ } split /\n/,
  $node->safe_psql('postgres', "SELECT property, value FROM diskann_index_info('s_v')");
is($info{format_version}, VERSION, 'format version');
ok($info{tombstones} > 0 && $info{tids_slots} > 1,
	"$info{tombstones} tombstones, $info{tids_slots} slots of TIDs");
is($info{calibration}, 'none', 'it has no calibration');
$node->safe_psql('postgres', "SELECT diskann_calibrate('s_v')");
like(
	$node->safe_psql('postgres',
		"SELECT value FROM diskann_index_info('s_v') WHERE property = 'calibration'"
	),
	qr/^\d+ queries/,
	'but takes one');
use_index('stored index');
change_index('stored index', 1000);

# ---------- a library that chooses another layout ----------

my $conf = slurp_file($ENV{TEMP_CONFIG} // '/dev/null');
my ($inst) = $conf =~ /extension_destdir = '(.*)'/;
($inst) = $conf =~ /dynamic_library_path = '(.*?)\/usr/ unless $inst;

SKIP:
{
	skip 'the library is not installed by test/run.sh', 1 unless $inst;

	my $other = PostgreSQL::Test::Utils::tempdir;
	my $top = "$FindBin::RealBin/../..";

	system_or_bail('cp', '-r', "$top/src", "$top/sql", "$top/Makefile",
		glob("$top/*.control"), $other);
	my $layout = slurp_file("$other/src/store/layout.c");
	($layout =~ s/^#define EDGE_BITS_ENOUGH 512$/#define EDGE_BITS_ENOUGH 320/m)
	  && ($layout =~ s/^#define TWO_BIT_DIMS 256$/#define TWO_BIT_DIMS 4/m)
	  or die 'layout.c has other constants than this test knows';
	open my $fh, '>', "$other/src/store/layout.c" or die $!;
	print $fh $layout;
	close $fh;
	local $ENV{MAKEFLAGS} = '';
	system_or_bail('make', '-s', '-C', $other, 'STRICT=1', 'OPTFLAGS=-O1', 'all');
	system_or_bail('make', '-s', '-C', $other, 'STRICT=1', 'install',
		"DESTDIR=$other/inst");
	$conf =~ s/\Q$inst\E/$other\/inst/g;
	$node->append_conf('postgresql.conf', $conf);
	$node->restart;

	use_index('another library');
	change_index('another library', 2000);
	$node->safe_psql('postgres', 'REINDEX INDEX s_v');
	my $bits = $node->safe_psql('postgres', q(
SELECT value FROM diskann_index_info('s_v') WHERE property = 'bits_per_dimension'));
	isnt($bits, $info{bits_per_dimension}, 'it does choose another layout');
	use_index('another library, its own index');
}

no_crash_in_log($node, 'server');
$node->stop;
done_testing();
