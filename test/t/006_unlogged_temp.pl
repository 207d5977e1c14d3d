
# Copyright (c) 2026, diskann contributors

# Indexes that are not logged: unlogged ones, which a clean restart keeps and a
# crash empties, temporary ones, and changes between logged and unlogged.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q(wal_consistency_checking = 'generic'));
my $query = '{' . join(',', (0.1) x 40) . '}';

$node->safe_psql(
	'postgres', q(
CREATE UNLOGGED TABLE data (id int, v real[]);
CREATE TABLE keep (id int, v real[]);
CREATE UNLOGGED TABLE u (id int, v real[]);
CREATE UNLOGGED TABLE u_first (id int, v real[]);
CREATE INDEX u_first_cosine ON u_first USING diskann (v real_cosine_ops);
));
load_vectors($node, 'keep', clustered(600, 40, 15));
$node->safe_psql(
	'postgres', q(
INSERT INTO u TABLE keep;
CREATE INDEX u_l2 ON u USING diskann (v real_l2_ops) WITH (num_neighbors = 64);
INSERT INTO u SELECT id + 1000, noisy(v, 0.1) FROM keep;
INSERT INTO u_first TABLE keep;
));

sub fork_size
{
	my ($index, $fork) = @_;

	return $node->safe_psql('postgres',
		"SELECT pg_relation_size('$index', '$fork')");
}

sub rows_ok
{
	my ($table, $rows, $what) = @_;

	is($node->safe_psql('postgres', "SELECT count(*) FROM $table"),
		$rows, "$what: $table has $rows rows");
	full_scan_ok($node, $table, $table eq 'u_first' ? '<=>' : '<->', $query, "$what, $table");
	return;
}

is(fork_size($_, 'init'), 8192, "$_ has an init fork of one page")
  for ('u_l2', 'u_first_cosine');

# Nothing of an unlogged index goes to WAL.
my $lsn = $node->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
$node->safe_psql('postgres',
	'INSERT INTO u SELECT id + 2000, noisy(v, 0.1) FROM keep');
cmp_ok(
	$node->safe_psql('postgres',
		"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$lsn')"),
	'<', 50_000,
	'inserts into an unlogged index write no WAL');

$node->restart;
rows_ok('u', 1800, 'clean restart');
rows_ok('u_first', 600, 'clean restart');
check_indexes($node, 'clean restart');

for my $round (1 .. 2)
{
	$node->stop('immediate');
	$node->start;
	is(fork_size($_, 'main'), 8192, "crash $round: $_ is as in its init fork")
	  for ('u_l2', 'u_first_cosine');
	rows_ok($_, 0, "crash $round") for ('u', 'u_first');
	check_indexes($node, "crash $round, empty");
	$node->safe_psql(
		'postgres', q(
VACUUM u;
INSERT INTO u TABLE keep;
INSERT INTO u_first TABLE keep;
DELETE FROM u WHERE id % 3 = 0;
VACUUM (INDEX_CLEANUP on) u;
));
	rows_ok('u', 400, "crash $round, filled again");
	rows_ok('u_first', 600, "crash $round, filled again");
	check_indexes($node, "crash $round, filled again");
}
is( $node->safe_psql('postgres',
		q(SELECT value FROM diskann_index_info('u_l2') WHERE property = 'max_degree')),
	64,
	'the settings are still those of CREATE INDEX');

# From unlogged to logged, which is then safe; and back.
$node->safe_psql('postgres', 'ALTER TABLE u SET LOGGED');
$node->safe_psql('postgres', 'INSERT INTO u SELECT id + 1000, v FROM keep');
$node->stop('immediate');
$node->start;
rows_ok('u', 1000, 'logged, after a crash');
check_indexes($node, 'logged, after a crash');

$node->safe_psql('postgres', 'ALTER TABLE u SET UNLOGGED');
is(fork_size('u_l2', 'init'), 8192, 'unlogged again: there is an init fork');
rows_ok('u', 1000, 'unlogged again');
$node->stop('immediate');
$node->start;
rows_ok('u', 0, 'unlogged again, after a crash');
check_indexes($node, 'unlogged again, after a crash');

# TRUNCATE of an unlogged table makes new forks.
$node->safe_psql(
	'postgres', q(
INSERT INTO u TABLE keep;
TRUNCATE u;
INSERT INTO u SELECT * FROM keep WHERE id <= 100;
));
is(fork_size('u_l2', 'init'), 8192, 'TRUNCATE: there is an init fork');
rows_ok('u', 100, 'TRUNCATE');
$node->safe_psql('postgres', 'REINDEX INDEX u_l2');
is(fork_size('u_l2', 'init'), 8192, 'REINDEX: there is an init fork');
rows_ok('u', 100, 'REINDEX');

# Temporary tables: build, insert, delete, VACUUM, scan, all in local buffers,
# with fewer of these than the index has pages.
my $result = $node->safe_psql(
	'postgres', qq(
SET temp_buffers = '800kB';
CREATE TEMP TABLE tmp AS SELECT * FROM keep;
CREATE INDEX tmp_l2 ON tmp USING diskann (v real_l2_ops);
INSERT INTO tmp SELECT id + 1000, noisy(v, 0.1) FROM keep;
CREATE TEMP TABLE tmp_first (id int, v real[]) ON COMMIT DELETE ROWS;
CREATE INDEX tmp_first_l2 ON tmp_first USING diskann (v real_l2_ops);
DELETE FROM tmp WHERE id % 4 = 0;
VACUUM (INDEX_CLEANUP on) tmp;
VACUUM (INDEX_CLEANUP on) tmp;
INSERT INTO tmp SELECT id + 2000, noisy(v, 0.1) FROM keep;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM tmp ORDER BY v <-> '$query' OFFSET 0) s;
BEGIN;
INSERT INTO tmp_first TABLE keep;
SELECT count(*) FROM (SELECT id FROM tmp_first ORDER BY v <-> '$query' OFFSET 0) s;
COMMIT;
SELECT count(*) FROM (SELECT id FROM tmp_first ORDER BY v <-> '$query' OFFSET 0) s;
INSERT INTO tmp_first TABLE keep;
SELECT diskann_index_check('tmp_l2', true) IS NOT NULL;
SELECT diskann_index_check('tmp_first_l2', true) IS NOT NULL;
));
is($result, "1500|1500\n600\n0\nt\nt", 'temporary tables');
check_indexes($node, 'at last');
no_crash_in_log($node, 'server');

done_testing();
