
# Copyright (c) 2026, diskann contributors

# Damaged files: whatever the pages of an index hold, statements that use it
# succeed or fail with an error that says so; the check finds the damage; and
# REINDEX repairs it.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	BLCKSZ => 8192,
	PAGE_HEADER => 24,
	SPECIAL => 8192 - 8,
	INVALID => 0xFFFFFFFF,
	LIVE => 1,
	TIDS => 4
};

# Places in src/store/format.h.
my %meta = (magic => 0, version => 4, features => 8, ready => 12, metric => 16,
	max_degree => 18, nfilters => 30, dims => 48, code_scheme => 64, first_block => 72,
	slot_size => 76, nodes_offset => 88, codes_offset => 92, own_offset => 96,
	own_bytes => 100,
	region_nodes => 140,
	# of the second of two filter columns; the first has ranges
	attno => 296, kind => 298, value_offset => 304, signature_offset => 308,
	ranges => 312, first_ranges => 288);

# Of an index with two filter columns: where ranges, map and nodes begin.
my %block = (ranges => 2, map => 3, nodes => 4);
my %slot = (state => 0, degree => 2, ntids => 4, next => 8, owner => 12,
	scale => 16, sequence => 36, tids => 48, header => 72);

# Damage is to be noticed by the index, not by a page's checksum.
my $node = new_node(
	'main', q(
wal_consistency_checking = ''
statement_timeout = 10s
),
	no_data_checksums => 1);

$node->safe_psql('postgres', 'CREATE TABLE data (id int, v real[])');
load_vectors($node, 'data', clustered(300, 32, 17));
$node->safe_psql('postgres', q(
INSERT INTO data SELECT id + 1000, array_fill(0.5, ARRAY[32]) FROM data));

# ---------- making damage ----------

my (%file, %layout);

sub page_of
{
	my $number = shift;
	return $layout{first_block} + int($number / $layout{slots_per_page});
}

# Where a slot, or a part of it, begins in the file.
sub place
{
	my ($number, $offset) = @_;
	return page_of($number) * BLCKSZ + PAGE_HEADER +
	  ($number % $layout{slots_per_page}) * $layout{slot_bytes} + $offset;
}

sub read_at
{
	my ($fh, $offset, $template) = @_;

	seek($fh, $offset, 0);
	read($fh, my $bytes, 64);
	return unpack $template, $bytes;
}

sub write_at
{
	my ($fh, $offset, $bytes) = @_;

	seek($fh, $offset, 0);
	print $fh $bytes;
	return;
}

# The first node, after node 0, that has a chain of TIDS slots, or has none.
sub find_node
{
	my ($fh, $chained) = @_;

	for my $number (1 .. 300)
	{
		my ($state, $next) =
		  read_at($fh, place($number, 0), "C x$slot{next}") == LIVE
		  ? (LIVE, read_at($fh, place($number, $slot{next}), 'V'))
		  : next;

		return $number if $chained == ($next != INVALID);
	}
	die 'there is no such node';
}

sub node_field
{
	my ($field, $bytes, $chained) = @_;
	return sub {
		write_at($_[0], place(find_node($_[0], $chained // 0), $slot{$field}), $bytes);
	};
}

sub tids_field
{
	my ($field, $template, $value) = @_;
	return sub {
		my $fh = shift;
		my $owner = find_node($fh, 1);
		my $first = read_at($fh, place($owner, $slot{next}), 'V');

		write_at($fh, place($first, $slot{$field}),
			pack $template, $value // $first);
	};
}

# Let the edges of 20 nodes lead to some other slot.
sub edges_to
{
	my $target = shift;
	return sub {
		my $fh = shift;
		my $to = ref $target ? $target->($fh) : $target;

		for my $number (1 .. 20)
		{
			write_at($fh, place($number, $slot{header} + 6 * $layout{max_degree}),
				pack 'V*', ($to) x $layout{max_degree});
		}
	};
}

# Let the chain of entry nodes begin with some slot.
sub entries_to
{
	my $target = shift;
	return sub {
		write_at($_[0], place(0, $slot{next}), pack 'V', $target);
		write_at($_[0], place(0, $slot{sequence}), pack 'V', 1);
	};
}

sub meta_field
{
	my ($field, $bytes) = @_;
	return sub { write_at($_[0], PAGE_HEADER + $meta{$field}, $bytes) };
}

# What filter columns have in the first slots of some pages of nodes.
sub filter_field
{
	my ($offset, $bytes) = @_;
	return sub {
		my $fh = shift;

		write_at($fh, $_ * BLCKSZ + PAGE_HEADER + $slot{header} + $offset, $bytes)
		  for ($block{nodes} + 1 .. $block{nodes} + 10);
	};
}

# The page of ranges, or the first one of the filter map.
sub filter_page
{
	my ($kind, $offset, $bytes) = @_;
	return sub { write_at($_[0], $block{$kind} * BLCKSZ + $offset, $bytes) };
}

sub zero_page
{
	my $page = shift;
	return sub { write_at($_[0], BLCKSZ * ($page // page_of(50)), "\0" x BLCKSZ) };
}

sub special_area
{
	my ($offset, $bytes) = @_;
	return sub { write_at($_[0], page_of(50) * BLCKSZ + SPECIAL + $offset, $bytes) };
}

my %damage = (
	'filter key' => filter_field(0, pack 'V', 77777),
	'filter NULL' => filter_field(16, "\1"),
	'filter column too many' => filter_field(16, "\4"),
	'filter signature' => filter_field(18 + 4, "\xF9"),
	'filter hash' => filter_field(18, pack 'v', 7),
	'filter signature of an edge' => filter_field(24 + 10 * 32, "\xF9"),
	'filter map of zeroes' => zero_page($block{map}),
	'filter map without some nodes' =>
	  filter_page('map', PAGE_HEADER + 5 * 1361 + 9, "\0" x 40),
	'filter map with other hashes' => filter_page('map', PAGE_HEADER + 100, 'ABCD'),
	'filter map of another kind' => filter_page('map', SPECIAL, pack 'v', 3),
	'filter ranges of zeroes' => zero_page($block{ranges}),
	'filter ranges of another kind' => filter_page('ranges', SPECIAL, pack 'v', 7),
	'filter ranges too many' => filter_page('ranges', PAGE_HEADER, pack 'V', 252),
	'filter ranges out of order' =>
	  filter_page('ranges', PAGE_HEADER + 8 * 9, pack 'V', 1),
	'filters without a map' => meta_field('region_nodes', pack 'V', 0),
	'filters with too large a map' => meta_field('region_nodes', pack 'V', 999 * 1000),
	'filters with signatures over codes' =>
	  meta_field('signature_offset', pack 'V', 900),
	'filters with ranges of hashes' => meta_field('ranges', pack 'V', 3),
	'filters with ranges elsewhere' => meta_field('first_ranges', pack 'V', 9),
	'filters one more' => meta_field('nfilters', pack 'v', 3),
	'filters none' => meta_field('nfilters', pack 'v', 0),
	'filters without the feature' => meta_field('features', pack 'V', 0),
	'filters twice the same' => meta_field('attno', pack 'v', 2),
	'filters of a column too many' => meta_field('attno', pack 'v', 4),
	'filters of another kind' => meta_field('kind', pack 'v', 2),
	'filters of no kind' => meta_field('kind', pack 'v', 99),
	'filters over edges' => meta_field('value_offset', pack 'V', 96),
	'magic' => meta_field('magic', 'ABCD'),
	'version' => meta_field('version', pack 'V', 999),
	'old version' => meta_field('version', pack 'V', 2),
	'unknown features' => meta_field('features', pack 'V', 4),
	'unknown codes' => meta_field('code_scheme', pack 'v', 9),
	'old codes' => meta_field('code_scheme', pack 'v', 1),
	'nodes over factors' => meta_field('nodes_offset', pack 'V', 100),
	'codes beyond the vector' => meta_field('codes_offset', pack 'V', 0xFFFFFFF0),
	'vector beyond the slot' => meta_field('own_offset', pack 'V', 0xFFFFFFFC),
	'vector too short' => meta_field('own_bytes', pack 'V', 4),
	'metric' => meta_field('metric', pack 'v', 2),
	'impossible metric' => meta_field('metric', pack 'v', 77),
	'degree of all' => meta_field('max_degree', pack 'v', 33),
	'ready' => meta_field('ready', pack 'V', 7),
	'dims' => meta_field('dims', pack 'V', 31),
	'no dims' => meta_field('dims', pack 'V', 0),
	'slot size' => meta_field('slot_size', pack 'V', 8),
	'first block' => meta_field('first_block', pack 'V', 100),
	'metapage of zeroes' => zero_page(0),
	'centre of zeroes' => zero_page(1),
	'node page of zeroes' => zero_page(),
	'entry page of zeroes' => zero_page(2),
	'entry state' => sub { write_at($_[0], place(0, 0), "\1") },
	'entry nodes to a node' => entries_to(9),
	'entry nodes beyond the end' => entries_to(0x7FFFFFF0),
	'entry nodes without end' => entries_to(0),
	'unknown state' => node_field('state', "\xC8"),
	'wrong state' => node_field('state', "\4"),
	'freed' => node_field('state', "\0"),
	'degree' => node_field('degree', pack 'v', 60000),
	'number of TIDs' => node_field('ntids', pack 'v', 5),
	'no TIDs' => node_field('ntids', pack 'v', 0),
	'scale' => node_field('scale', pack 'V', 0x7FC00000),
	'wrong scale' => node_field('scale', pack 'f<', 1e9),
	'TID beyond the table' => node_field('tids', pack 'vvv', 1, 0, 7),
	'TID without offset' => node_field('tids', pack 'vvv', 0, 0, 0),
	'TID of another row' => node_field('tids', pack 'vvv', 0, 2, 1),
	'edges beyond the end' => edges_to(0x7FFFFFFF),
	'edges to none' => edges_to(INVALID),
	'edges to themselves' => edges_to(5),
	'edges to the entry' => edges_to(0),
	'edges to TIDs' => edges_to(
		sub { read_at($_[0], place(find_node($_[0], 1), $slot{next}), 'V') }),
	'chain beyond the end' => node_field('next', pack('V', 0x7FFFFFF0), 1),
	'chain to a node' => node_field('next', pack('V', 9), 1),
	'chain without end' => tids_field('next', 'V'),
	'owner' => tids_field('owner', 'V', 7),
	'number of TIDs in a chain' => tids_field('ntids', 'v', 40000),
	'page id' => special_area(6, pack 'v', 0x1234),
	'page kind' => special_area(0, pack 'v', 1),
	'page part' => special_area(2, pack 'v', 3),
	'page header' => sub { write_at($_[0], page_of(50) * BLCKSZ + 12, pack 'v3', 9, 9, 9) },
	'truncated in the middle' => sub { truncate $_[0], page_of(100) * BLCKSZ },
	'truncated to the metapage' => sub { truncate $_[0], BLCKSZ },
	'truncated to nothing' => sub { truncate $_[0], 0 });

my %must_fail = map { $_ => 1 } (
	grep({ /^filters / } keys %damage),
	grep({ /^filter .* of another kind/ } keys %damage),
	'filter ranges of zeroes', 'filter ranges too many',
	'magic', 'version', 'old version', 'unknown features', 'unknown codes',
	'old codes',
	'nodes over factors', 'codes beyond the vector', 'vector beyond the slot',
	'vector too short', 'metric', 'dims', 'slot size', 'first block',
	'metapage of zeroes', 'centre of zeroes', 'entry page of zeroes',
	'node page of zeroes', 'entry nodes to a node',
	'entry nodes beyond the end', 'entry nodes without end',
	'unknown state', 'degree', 'number of TIDs', 'scale',
	'edges beyond the end', 'edges to none', 'chain beyond the end',
	'chain without end', 'page id', 'page kind', 'page part',
	'truncated in the middle', 'truncated to nothing');

# No damage, but nothing that can be read.
my %unsupported = map { $_ => 1 }
  ('version', 'old version', 'unknown features', 'unknown codes', 'old codes');

# And some at random: a few bytes, or a piece of another page.
sub at_random
{
	my $fh = shift;
	my $size = -s $fh;

	for (0 .. rand 4)
	{
		my $length = rand() < 0.5 ? 4 : int 1 + rand 600;
		my $from = int rand($size - $length);

		seek($fh, $from, 0);
		read($fh, my $bytes, $length);
		$bytes = join '', map { chr rand 256 } 1 .. $length if rand() < 0.7;
		write_at($fh, (rand() < 0.3 ? 0 : int rand($size / BLCKSZ)) * BLCKSZ
			  + int rand(BLCKSZ - $length), $bytes);
	}
	return;
}

my @cases = sort keys %damage;
my $nrandom = $ENV{DISKANN_TEST_RANDOM} // 40;
push @cases, map { "random $_" } 1 .. $nrandom;

# Those at random are of all metrics.
my @opclass = ('real_l2_ops', 'real_cosine_ops', 'real_ip_ops');
my @op = ('<->', '<=>', '<#>');
my @metric = map { exists $damage{ $cases[$_] } ? 0 : $_ % 3 } 0 .. $#cases;

# Every other one of them, and what is named so, has filter columns.
my @filters = map { $cases[$_] =~ /^filter/ || ($cases[$_] =~ /^random/ && $_ % 2) }
  0 .. $#cases;

for my $i (0 .. $#cases)
{
	my $others = $filters[$i] ? q(, id, (('tag ' || id % 9))) : '';

	$node->safe_psql(
		'postgres', qq(
CREATE TABLE t$i AS TABLE data;
CREATE INDEX t${i}_v ON t$i USING diskann (v $opclass[$metric[$i]]$others);
));
	$file{$i} = $node->data_dir . '/'
	  . $node->safe_psql('postgres', "SELECT pg_relation_filepath('t${i}_v')");
}
my ($plain) = grep { !$filters[$_] } 0 .. $#cases;
%layout = map { split /\|/ } split /\n/,
  $node->safe_psql('postgres', "SELECT property, value FROM diskann_index_info('t${plain}_v')");
$layout{first_block} = 2;

srand($ENV{DISKANN_TEST_SEED} // 18);
$node->stop;
for my $i (0 .. $#cases)
{
	open my $fh, '+<', $file{$i} or die "could not open $file{$i}: $!";
	binmode $fh;
	($damage{ $cases[$i] } // \&at_random)->($fh);
	close $fh or die "could not write $file{$i}: $!";
}
$node->start;

# ---------- looking at it ----------

my $query = '{' . join(',', (0.1) x 32) . '}';

for my $i (0 .. $#cases)
{
	my ($status, $out, $err) = $node->psql(
		'postgres', qq(
\\set VERBOSITY verbose
SELECT * FROM nearest('t$i', '$op[$metric[$i]]', '$query'::real[], 10, true);
SELECT count(*) FROM nearest('t$i', '$op[$metric[$i]]', '$query'::real[], 100000, true);
SET enable_seqscan = off;
SELECT id FROM t$i WHERE id < 200 AND 'tag ' || id % 9 = 'tag 3' ORDER BY v $op[$metric[$i]] '$query' LIMIT 5;
INSERT INTO t$i SELECT id + 2000, noisy(v, 0.1) FROM data WHERE id <= 20;
INSERT INTO t$i SELECT id + 3000, v FROM data WHERE id >= 1280;
DELETE FROM t$i WHERE id % 3 = 0;
VACUUM (INDEX_CLEANUP on) t$i;
SELECT * FROM diskann_index_info('t${i}_v');
), on_error_stop => 0);
	my @errors = $err =~ /ERROR:\s+(\w{5}: .*)/g;
	my @ours = grep { /^XX002|^0A000: index/ } @errors;
	my $wrong = $unsupported{ $cases[$i] } ? 'XX002' : '0A000';
	my $hints = () = $err =~ /HINT:  Please REINDEX it/g;

	# A row far beyond the table's end is an error of the table's file.
	my @others = grep { !/^XX00[12]|^0A000: index|: previous segment is only/ } @errors;

	# Where the index itself must notice.
	push @others, 'no error of the index' if $must_fail{ $cases[$i] } && !@ours;
	push @others, 'of another kind'
	  if exists $damage{ $cases[$i] } && grep { /^$wrong/ } @errors;

	ok($status == 0 && !@others && $hints == @ours,
		"$cases[$i]: " . @errors . ' errors')
	  or diag("@others\n$err");

	($status, $out, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nSELECT diskann_index_check('t${i}_v', true)");
	my $found = $err =~ /ERROR:\s+(XX00[12]|0A000):/;
	ok($found || ($err eq '' && !exists $damage{ $cases[$i] }),
		"$cases[$i]: the check " . ($found ? 'finds it' : 'is content'))
	  or diag($err);

	($status, $out, $err) = $node->psql('postgres', qq(
REINDEX INDEX t${i}_v;
SELECT diskann_index_check('t${i}_v', true)));
	is($err, '', "$cases[$i]: REINDEX repairs it");
}
full_scan_ok($node, "t$_", $op[ $metric[$_] ], $query, "$cases[$_], repaired")
  for (0 .. $#cases);
# ---------- a number whose block is the last there could be ----------

# Slots of two pages each, so that the block after it would be the first again.
# Nothing must be read there, and above all nothing added.
$node->safe_psql('postgres', q(
CREATE TABLE wide (id int, v real[]);
INSERT INTO wide SELECT i, array_fill(i::real, ARRAY[7000])
	FROM generate_series(1, 60) i;
CREATE INDEX wide_v ON wide USING diskann (v);));
%layout = map { split /\|/ } split /\n/,
  $node->safe_psql('postgres', "SELECT property, value FROM diskann_index_info('wide_v')");
my $first_block = 1 + int((4 * 7000 + 8159) / 8160);
is("$layout{pages_per_slot} " . $first_block % 2, '2 1', 'slots of two pages');
my $file = $node->data_dir . '/'
  . $node->safe_psql('postgres', "SELECT pg_relation_filepath('wide_v')");
my $target = (0xFFFFFFFF - $first_block) / 2;
$node->stop;
open my $fh, '+<', $file or die "could not open $file: $!";
for my $number (1 .. 60)
{
	write_at($fh, BLCKSZ * ($first_block + 2 * $number) + PAGE_HEADER
		  + $slot{header} + 6 * $layout{max_degree},
		pack 'V*', ($target) x $layout{max_degree});
}
close $fh;
my $size = -s $file;
$node->start;
my (undef, undef, $err) = $node->psql('postgres', q(
\set VERBOSITY verbose
SELECT count(*) FROM nearest('wide', '<->', array_fill(7::real, ARRAY[7000]), 10, true)),
	on_error_stop => 0);
like($err, qr/ERROR:  XX002: .*beyond the end/, 'a number far beyond the end');
is(-s $file, $size, 'and the index has not grown');

no_crash_in_log($node, 'server');

done_testing();
