
# Copyright (c) 2026, diskann contributors

# Tombstones may have to wait for a transaction before they can be taken out of
# the graph.  Meanwhile a VACUUM that finds nothing dead does not read the index
# to find that out again; the first one after the transaction repairs.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main');

if ($node->safe_psql('postgres', 'SHOW server_version_num') < 150000)
{
	plan skip_all => 'VACUUM tells of buffers from PostgreSQL 15 on';
}
$node->safe_psql('postgres', 'CREATE TABLE t (id int, v real[])');
load_vectors($node, 't', clustered(4000, 32, 5));
$node->safe_psql('postgres', 'CREATE INDEX t_v ON t USING diskann (v)');

my $pages = $node->safe_psql('postgres',
	"SELECT pg_relation_size('t_v') / 8192");

# Buffers that a VACUUM looks at, with those of the table.
sub vacuum
{
	my ($status, $out, $err) =
	  $node->psql('postgres', 'VACUUM (VERBOSE, INDEX_CLEANUP on) t');
	my ($hits, $misses) = $err =~ /buffer usage: (\d+) hits, (\d+) (?:misses|reads)/
	  or die "no buffer usage in: $err";

	return $hits + $misses;
}

sub tombstones
{
	return $node->safe_psql('postgres', q(
SELECT value FROM diskann_index_info('t_v') WHERE property = 'tombstones'));
}

$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 3 = 0');
my $other = session_start($node, '');
session_ask($other, 'BEGIN; CREATE TEMP TABLE x (i int);');
my $first = vacuum();
cmp_ok($first, '>=', $pages, "a pass over $pages pages takes $first buffers");
cmp_ok(tombstones(), '>', 1000, 'tombstones wait');
my $second = vacuum();
cmp_ok($second, '<', $pages / 4, "then a VACUUM takes $second");
session_ask($other, 'COMMIT;');
vacuum();
is(tombstones(), 0, 'they are gone after the transaction');
finish_ok($other, 'the other session');
check_indexes($node, 'after the repair');

$node->stop;
done_testing();
