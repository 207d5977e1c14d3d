
# Copyright (c) 2026, diskann contributors

# Recall at the default settings, against exact answers: of an index built on
# rows, of one that saw its rows come one by one, and after much of it was
# deleted and filled again.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node(
	'main', q(
work_mem = 64MB
wal_consistency_checking = ''
));
my %opclass = ('<->' => 'l2', '<=>' => 'cosine', '<#>' => 'ip');

sub measure
{
	my ($op, $least, $what) = @_;
	my $recall = recall($node, 't', $op, 'queries');

	cmp_ok($recall, '>=', $least, sprintf "%s: recall %.4f", $what, $recall);
	return $recall;
}

sub run_dataset
{
	my ($name, $type, $ops, $base, $queries) = @_;
	my $short = $type eq 'real' ? 'real' : 'double';

	$node->safe_psql(
		'postgres', qq(
DROP TABLE IF EXISTS data, queries;
CREATE TABLE data (id int, v $type\[]);
CREATE TABLE queries (id int, v $type\[]);
));
	load_vectors($node, 'data', $base);
	load_vectors($node, 'queries', $queries);
	for my $op (@$ops)
	{
		my $what = "$name $type $opclass{$op}";
		my $create =
		  "CREATE INDEX t_v ON t USING diskann (v ${short}_$opclass{$op}_ops)";

		$node->safe_psql(
			'postgres', qq(
DROP TABLE IF EXISTS t;
CREATE TABLE t AS TABLE data;
$create;
));
		my $built = measure($op, 0.95, "$what, built");
		check_indexes($node, "$what, built");

		# The same rows into an empty index, which knows nothing beforehand.
		$node->safe_psql(
			'postgres', qq(
DROP TABLE t;
CREATE TABLE t (id int, v $type\[]);
$create;
INSERT INTO t SELECT * FROM data;
));
		measure($op, $built - 0.02, "$what, inserted");

		# VACUUM twice: slots are free only when no transaction may know them.
		$node->safe_psql('postgres', $_)
		  for (
			'DELETE FROM t WHERE id % 10 IN (1, 4, 7)',
			'VACUUM t', 'CREATE TABLE IF NOT EXISTS later ()', 'VACUUM t');
		measure($op, 0.95, "$what, 30 % deleted");
		$node->safe_psql('postgres',
			'INSERT INTO t SELECT * FROM data WHERE id % 10 IN (1, 4, 7)');
		measure($op, $built - 0.03, "$what, 30 % replaced");
		check_indexes($node, "$what, 30 % replaced");
	}
	return;
}

# Clustered vectors: the last ones are the queries.
sub run_clustered
{
	my ($type, $ops, $count, $dims) = @_;
	my $vectors = clustered($count + 100, $dims, $dims);
	my @queries = splice @$vectors, $count;

	run_dataset("clustered $dims", $type, $ops, $vectors, \@queries);
	return;
}

run_dataset('sift', 'real', [ '<->', '<=>', '<#>' ],
	sift('base'), sift('query', 100));
run_clustered('double precision', [ '<->', '<#>' ], 3000, 64);
run_clustered('real', ['<=>'], 2500, 200);
run_clustered('real', ['<#>'], 2000, 300);
run_clustered('double precision', [ '<->', '<=>' ], 1000, 784);

no_crash_in_log($node, 'server');
done_testing();
