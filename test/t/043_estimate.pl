
# Copyright (c) 2026, diskann contributors

# diskann_estimate() tells what an index takes: its bytes, the temporary files of
# its build, and the pages that a query reads.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use Test::More;

use constant QUERIES => 50;

my $node = new_node(
	'main', q(
wal_consistency_checking = ''
log_temp_files = 0
));

# Is one number that much of another, but for a share of it?
sub within
{
	my ($estimated, $measured, $share, $what) = @_;

	cmp_ok(abs($estimated / $measured - 1), '<=', $share,
		"$what: $estimated estimated, $measured measured");
	return;
}

# Bytes of temporary files that the server has deleted since it was asked last.
my $log_seen = 0;

sub temporary_bytes
{
	my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile, $log_seen);
	my $bytes = 0;

	$log_seen = -s $node->logfile;
	$bytes += $1 while $log =~ /temporary file: .* size (\d+)/g;
	return $bytes;
}

# Pages of an index that all sessions that have ended have touched.
sub index_pages
{
	return $node->safe_psql('postgres',
		"SELECT idx_blks_hit + idx_blks_read FROM pg_statio_user_indexes WHERE indexrelname = 't_v'");
}

# Pages of the index a query, with a list of this size.
sub query_pages
{
	my ($list, $op) = @_;
	my $before = index_pages();
	my $queries = QUERIES;

	$node->safe_psql(
		'postgres', qq(
SET enable_seqscan = off;
SET diskann.query_search_list_size = $list;
SELECT count(n.id) FROM (SELECT v FROM q LIMIT $queries) q,
	LATERAL (SELECT id FROM t ORDER BY t.v $op q.v LIMIT 10) n));
	poll_until($node, "SELECT idx_blks_hit + idx_blks_read > $before FROM pg_statio_user_indexes WHERE indexrelname = 't_v'");
	return (index_pages() - $before) / QUERIES;
}

# Builds an index of vectors with some columns beside, and compares.  Vectors are
# those of the sample, repeated in each row to have more dimensions.
sub compare
{
	my ($what, $op, $times, $columns, $with, $arguments) = @_;
	my $dims = 128 * $times;
	my $repeated = join ' || ', ('v') x $times;

	$node->safe_psql(
		'postgres', qq(
DROP TABLE IF EXISTS t, q;
CREATE TABLE t AS SELECT id, id % 100 AS a, id::text AS b, $repeated AS v FROM data;
CREATE TABLE q AS SELECT $repeated AS v FROM queries;
ANALYZE t;
));
	temporary_bytes();
	$node->safe_psql('postgres',
		"CREATE INDEX t_v ON t USING diskann (v$columns) $with");

	my ($bytes, $disk) = split /\|/,
	  $node->safe_psql('postgres',
		"SELECT index_bytes, build_disk_bytes FROM diskann_estimate(4800, $dims, workers => 0 $arguments)");

	within($bytes, $node->safe_psql('postgres', "SELECT pg_relation_size('t_v')"),
		0.05, "$what: bytes of the index");

	# Some files are made empty before they are deleted, but not the largest.
	my $measured = temporary_bytes();
	cmp_ok($measured, '<=', 1.1 * $disk, "$what: $measured bytes of temporary files, $disk estimated");
	cmp_ok($measured, '>=', 0.5 * $disk, "$what: and not much less");
	foreach my $list (40, 100)
	{
		my $pages = $node->safe_psql('postgres',
			"SELECT query_pages FROM diskann_estimate(4800, $dims, search_list => $list $arguments)");

		within($pages, query_pages($list, $op), 0.25, "$what: pages with a list of $list");
	}
	return;
}

$node->safe_psql('postgres',
	'CREATE TABLE data (id int, v real[]); CREATE TABLE queries (id int, v real[])');
load_vectors($node, 'data', sift('base', 4800));
load_vectors($node, 'queries', sift('query', QUERIES));

compare('sift', '<->', 1, '', '', '');
compare('filters', '<=>', 1, ' real_cosine_ops, a, b', '',
	", opclass => 'real_cosine_ops', filters => '{int,text}'");
compare('two pages a node', '<->', 9, '',
	'WITH (num_neighbors = 64, vector_storage = float32)',
	", num_neighbors => 64, vector_storage => 'float32'");

done_testing();
