
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
SELECT count(n.id) FROM (SELECT v FROM t WHERE id % 70 = 3 LIMIT $queries) q,
	LATERAL (SELECT id FROM t ORDER BY t.v $op q.v LIMIT 10) n));
	poll_until($node, "SELECT idx_blks_hit + idx_blks_read > $before FROM pg_statio_user_indexes WHERE indexrelname = 't_v'");
	return (index_pages() - $before) / QUERIES;
}

# Builds an index of vectors with some columns beside, and compares.
sub compare
{
	my ($what, $op, $vectors, $columns, $with, $arguments) = @_;
	my $rows = @$vectors;
	my $dims = 1 + ($vectors->[0] =~ tr/,//);

	$node->safe_psql('postgres', 'DROP TABLE IF EXISTS t');
	$node->safe_psql('postgres', 'CREATE TABLE t (id int, v real[])');
	load_vectors($node, 't', $vectors);
	$node->safe_psql('postgres',
		'ALTER TABLE t ADD a int, ADD b text; UPDATE t SET a = id % 100, b = id; VACUUM FULL t');
	temporary_bytes();
	$node->safe_psql('postgres',
		"CREATE INDEX t_v ON t USING diskann (v$columns) $with");

	my ($bytes, $disk) = split /\|/,
	  $node->safe_psql('postgres',
		"SELECT index_bytes, build_disk_bytes FROM diskann_estimate($rows, $dims, workers => 0 $arguments)");

	within($bytes, $node->safe_psql('postgres', "SELECT pg_relation_size('t_v')"),
		0.05, "$what: bytes of the index");

	# Files are made smaller before they are deleted, but not below a half.
	my $measured = temporary_bytes();
	cmp_ok($measured, '<=', 1.1 * $disk, "$what: $measured bytes of temporary files, $disk estimated");
	cmp_ok($measured, '>=', 0.5 * $disk, "$what: and not much less");
	foreach my $list (40, 100)
	{
		my $pages = $node->safe_psql('postgres',
			"SELECT query_pages FROM diskann_estimate($rows, $dims, search_list => $list $arguments)");

		within($pages, query_pages($list, $op), 0.25, "$what: pages with a list of $list");
	}
	return;
}

compare('sift', '<->', sift('base', 4800), '', '', '');
compare('filters', '<=>', clustered(4000, 300, 7), ' real_cosine_ops, a, b', '',
	", opclass => 'real_cosine_ops', filters => '{int,text}'");
compare('two pages a node', '<->', clustered(1500, 1100, 8), '',
	"WITH (num_neighbors = 64, vector_storage = float32)",
	", num_neighbors => 64, vector_storage => 'float32'");

done_testing();
