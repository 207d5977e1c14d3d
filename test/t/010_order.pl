
# Copyright (c) 2026, diskann contributors

# Rows come in the order of the operator's own value, whatever the index keeps
# of them; and all of them come, once each, if somebody asks for all.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node(
	'main', q(
work_mem = 64MB
wal_consistency_checking = ''
));
my %opclass = ('<->' => 'l2', '<=>' => 'cosine', '<#>' => 'ip');
my $nqueries = 0;

# A table with an index for each operator, asked again after many changes.
sub run_dataset
{
	my ($name, $type, $ops, $vectors, $nq) = @_;
	my $short = $type eq 'real' ? 'real' : 'double';
	my $n = @$vectors;
	my $query = $vectors->[-1];

	$node->safe_psql(
		'postgres', qq(
DROP TABLE IF EXISTS data, queries;
CREATE TABLE data (id int, v $type\[]);
CREATE TABLE queries (id int, v $type\[]);
));
	load_vectors($node, 'data', $vectors);
	$node->safe_psql('postgres',
		"INSERT INTO queries SELECT * FROM data WHERE id > $n - $nq;
		DELETE FROM data WHERE id > $n - $nq / 2");
	for my $op (@$ops)
	{
		my $what = "$name $opclass{$op}";

		# Half is there before the index, half comes after it.
		$node->safe_psql(
			'postgres', qq(
DROP TABLE IF EXISTS t;
CREATE TABLE t AS SELECT * FROM data WHERE id <= $n / 2;
CREATE INDEX t_v ON t USING diskann (v ${short}_$opclass{$op}_ops);
INSERT INTO t SELECT * FROM data WHERE id > $n / 2;
));
		$nqueries += order_ok($node, 't', $op, 'queries', $what);
		full_scan_ok($node, 't', $op, $query, $what);

		# Rows without a vector are none for the index.
		$node->safe_psql('postgres', $_)
		  for (
			q(DELETE FROM t WHERE id % 4 = 0),
			q(UPDATE t SET v = (SELECT v FROM data d WHERE d.id = t.id - 1)
			  WHERE id % 7 = 3),
			q(UPDATE t SET id = id WHERE id % 7 = 4),
			q(VACUUM t),
			q(INSERT INTO t SELECT id + 1000000, v FROM data WHERE id % 6 < 3));
		$nqueries +=
		  order_ok($node, 't', $op, 'queries', "$what, changed");
		$node->safe_psql('postgres',
			'INSERT INTO t SELECT 2000000 + g, NULL FROM generate_series(1, 10) g');
		full_scan_ok($node, 't', $op, $query, "$what, changed");
		check_indexes($node, $what);
	}
	return;
}

# One number for all coordinates, several ways to make numbers.
sub vectors
{
	my ($count, $dims, $number) = @_;

	return [
		map {
			my $row = $_;
			'{' . join(',', map { $number->($row) } 1 .. $dims) . '}'
		} 1 .. $count
	];
}

my @all = ('<->', '<=>', '<#>');

srand(10);
run_dataset('sift', 'real', \@all, [ @{ sift('base', 2000) } ], 200);
run_dataset('clustered', 'double precision',
	\@all, clustered(1500, 100, 11), 200);
run_dataset('grid with ties', 'real', \@all,
	vectors(1000, 3, sub { 1 + int rand 10 }), 100);
run_dataset('far from the origin, close together',
	'double precision', \@all,
	vectors(800, 24, sub { sprintf '%.7f', 1000 + rand 0.01 }), 100);
run_dataset('few directions', 'real', \@all,
	vectors(800, 40, sub { rand() < 0.02 ? 1 : 0.0001 * rand }), 100);
run_dataset('many magnitudes', 'real', \@all,
	vectors(800, 16, sub { sprintf '%.4g', (rand() - 0.5) * 10**($_[0] % 17 - 8) }),
	100);
run_dataset('growing', 'real', \@all,
	vectors(800, 30, sub { $_[0]**2 * (rand() - 0.4) }), 100);
run_dataset('wide', 'real', [ '<->', '<#>' ], clustered(150, 2500, 12), 40);
cmp_ok($nqueries, '>=', 3000, "$nqueries queries were asked");

no_crash_in_log($node, 'server');
done_testing();
