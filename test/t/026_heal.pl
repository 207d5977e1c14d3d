
# Copyright (c) 2026, diskann contributors

# A VACUUM tells of the repairs it makes.  One that did not find what it searched
# for has the next VACUUM search for more nodes, although no row was deleted,
# until they are found or most nodes have been searched for.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant { BLCKSZ => 8192, PAGE_HEADER => 24, ROWS => 4000 };

# Places in the metapage and in a slot, see src/store/format.h.
use constant { SELF_SEARCHED => 116, SELF_MISSED => 136, DEGREE => 2 };

my $node = new_node('main', "autovacuum = off\nwal_consistency_checking = ''\n",
	no_data_checksums => 1);

sub property
{
	my $names = join ', ', map { "'$_'" } @_;
	return $node->safe_psql('postgres', qq(
SELECT string_agg(value, '; ') FROM diskann_index_info('t_v')
WHERE property IN ($names)));
}

# What a VACUUM tells of the index.
sub vacuum
{
	my ($status, $out, $err) = $node->psql('postgres',
		'SET client_min_messages = debug2; VACUUM (VERBOSE, INDEX_CLEANUP on) t');

	is($status, 0, 'VACUUM succeeds');
	return $err =~ /repaired the graph of index "t_v"\nDETAIL: *(.*\n.*\n.*)/ ?
	  $1 : '';
}

# How many rows a search with a short list does not find by their own vectors.
sub lost
{
	return $node->safe_psql('postgres', q(
SET diskann.query_search_list_size = 20;
SET diskann.iterative_search = off;
SET enable_seqscan = off;
SELECT count(*) FROM t WHERE t.id <> coalesce(
	(SELECT o.id FROM t o ORDER BY o.v <-> t.v LIMIT 1), 0)));
}

# Change the index while the server is down.
sub change
{
	my $change = shift;
	my $file = $node->data_dir . '/'
	  . $node->safe_psql('postgres', "SELECT pg_relation_filepath('t_v')");

	$node->stop;
	open my $fh, '+<:raw', $file or die "could not open $file: $!";
	$change->(sub {
		my ($at, $bytes) = @_;
		seek $fh, $at, 0;
		print $fh $bytes;
	});
	close $fh or die "could not write $file: $!";
	$node->start;
	return;
}

# ---------- told ----------

$node->safe_psql('postgres', 'CREATE TABLE t (id int, v real[])');
load_vectors($node, 't', clustered(ROWS, 16, 26));
$node->safe_psql('postgres', 'CREATE INDEX t_v ON t USING diskann (v)');
is(vacuum(), '', 'a VACUUM that repairs nothing says nothing');
is(property('self_recall'), 'unknown', 'nothing was searched for');

# ---------- most edges are lost, which nothing tells ----------

my %layout = map { split /\|/ } split /\n/, $node->safe_psql('postgres',
	"SELECT property, value FROM diskann_index_info('t_v')");

# Where a slot begins in the file.
sub place
{
	my $number = shift;
	return (2 + int($number / $layout{slots_per_page})) * BLCKSZ + PAGE_HEADER +
	  ($number % $layout{slots_per_page}) * $layout{slot_bytes};
}

change(sub {
	my $write = shift;

	for my $number (grep { $_ % 6 != 0 } 1 .. ROWS)
	{
		$write->(place($number) + DEGREE, pack 'v', 0);
	}
});
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 19 = 0');
my $told = vacuum();
my $sick = lost();
my ($searched, $missed) = $told =~ /^210 tombstones were removed, and edges of [1-9]\d* nodes replaced.
[1-9]\d* nodes could not be reached and were attached.
([1-9]\d*) nodes were searched for; ([1-9]\d*) were not found and were attached.$/
  or diag($told);
cmp_ok($missed, '>', $searched / 20, 'a repair did not find many nodes');
is(property('self_recall', 'advice'),
	sprintf('%.3f of %d at the last repair; ', 1 - $missed / $searched, $searched)
	  . 'VACUUM: many rows were not found by their own vectors',
	'and that is noted');

# ---------- VACUUM goes on searching, with nothing to delete ----------

my $vacuums = 0;
while ((property('advice') =~ /^VACUUM/) && $vacuums++ < 9)
{
	my $before = $searched;

	$told = vacuum();
	($searched, $missed) =
	  $told =~ /^0 tombstones .*\n.*\n(\d+) nodes were searched for; (\d+) /
	  or diag($told);
	cmp_ok($searched, '>', 1.5 * $before, "$searched nodes were searched for");
}
cmp_ok($vacuums, '>=', 1, "$vacuums VACUUMs healed it");

# It stops when a sample of the nodes is found but for one in 20; what is lost in
# all is that, as far as a sample can tell.
my $healed = lost();
cmp_ok($healed, '<', ROWS * .08,
	"$healed of @{[ROWS]} rows are not found, where it were $sick");
cmp_ok($healed, '<', $sick, 'which are fewer');
is(vacuum(), '', 'then there is nothing left to do');
check_indexes($node, 'healed');

# ---------- where that is of no use, only advice is given ----------

my $live = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
change(sub {
	$_[0]->(PAGE_HEADER + SELF_SEARCHED, pack 'V', $live);
	$_[0]->(PAGE_HEADER + SELF_MISSED, pack 'V', $live / 10);
});
is(property('self_recall', 'advice'), "0.900 of $live at the last repair; "
	  . 'REINDEX: many rows were not found by their own vectors', 'advice to REINDEX');
is(vacuum(), '', 'VACUUM does not search for all nodes again');

no_crash_in_log($node, 'server');
$node->stop;
done_testing();
