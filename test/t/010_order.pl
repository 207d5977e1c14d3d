
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

# Of queries with LIMITs of 1 to 100: how many were there, how many rows came
# too early, and how many queries did not get all they should?
$node->safe_psql(
	'postgres', q(
CREATE FUNCTION order_errors(tab regclass, op text, queries regclass,
	OUT asked int8, OUT inversions int8, OUT short int8) LANGUAGE plpgsql AS
$$
DECLARE
	total int8;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s', tab) INTO total;
	EXECUTE format('
SELECT count(*), sum(inversions), count(*) FILTER (WHERE found <> least(wanted, %s))
FROM (SELECT id, wanted, count(*) FILTER (WHERE dist < before) AS inversions,
		count(*) AS found
	FROM (SELECT q.id, wanted, dist,
			lag(dist) OVER (PARTITION BY q.id ORDER BY place) AS before
		FROM (SELECT id, v, id %% 100 + 1 AS wanted FROM %s) q,
			LATERAL nearest(%L, %L, q.v, wanted, true)) r
	GROUP BY id, wanted) s', total, queries, tab, op)
	INTO asked, inversions, short;
END
$$));

sub order_ok
{
	my ($table, $op, $what) = @_;
	my ($asked, $inversions, $short) = split /\|/,
	  $node->safe_psql('postgres',
		"SELECT * FROM order_errors('$table', '$op', 'queries')");

	is("$inversions, $short", '0, 0', "$what: $asked queries are in order");
	$nqueries += $asked;
	return;
}

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
		order_ok('t', $op, $what);
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
		order_ok('t', $op, "$what, changed");
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

# The other orders, and what sets the limits.
my $vectors = clustered(2100, 60, 13);
$node->safe_psql(
	'postgres', q(
DROP TABLE queries, t;
CREATE TABLE queries (id int, v real[]);
CREATE TABLE t (id int, v real[]);
));
load_vectors($node, 'queries', [ splice @$vectors, 0, 100 ]);
load_vectors($node, 't', $vectors);
$node->safe_psql(
	'postgres', q(
INSERT INTO t SELECT id + 10000, v FROM t, generate_series(1, 100) WHERE id <= 3;
CREATE INDEX t_v ON t USING diskann (v real_l2_ops);
));

for my $order ('relaxed_order', 'off')
{
	$node->append_conf('postgresql.conf', "diskann.iterative_search = $order");
	$node->restart;

	my $recall = recall($node, 't', '<->', 'queries');
	cmp_ok($recall, '>=', 0.95, "$order: recall $recall");
	is( $node->safe_psql('postgres', q(
SELECT count(*) FROM queries q, LATERAL nearest('t', '<->', q.v, 50, true))),
		5000,
		"$order: queries get all they want");
	full_scan_ok($node, 't', '<->', $vectors->[0], $order)
	  if $order ne 'off';
}
$node->append_conf(
	'postgresql.conf', q(
diskann.iterative_search = strict_order
work_mem = 64kB
));
$node->restart;

# With little memory the walk soon gives way to a sort of all pages.
order_ok('t', '<->', 'little memory');
full_scan_ok($node, 't', '<->', $_, 'little memory')
  for (@$vectors[ 0, 700, 1400 ]);

# A query that has no place in the index: NULL, known only when executed.
is( $node->safe_psql('postgres', q(
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_sort = off;
PREPARE ask(real[]) AS SELECT count(*), count(DISTINCT id * 1000 + n) FROM
	(SELECT id, row_number() OVER (PARTITION BY id) AS n
	 FROM (SELECT id FROM t ORDER BY v <-> $1 LIMIT 1000000) s) r;
EXECUTE ask(NULL))),
	'2300|2300', 'NULL is as far from every row');

# Cursors: one that is closed half-way, and one that is read bit by bit.
my @bits = split /\n/,
  $node->safe_psql('postgres', qq(
SET enable_seqscan = off;
BEGIN;
DECLARE half NO SCROLL CURSOR FOR SELECT id FROM t ORDER BY v <-> '$vectors->[5]';
MOVE 500 FROM half;
DECLARE bits NO SCROLL CURSOR FOR SELECT v <-> '$vectors->[5]' FROM t ORDER BY v <-> '$vectors->[5]';
CLOSE half;
FETCH 7 FROM bits;
MOVE 400 FROM bits;
FETCH 100 FROM bits;
COMMIT;
));
is(scalar @bits, 107, 'a cursor returns what is fetched');
is("@bits", join(' ', sort { $a <=> $b } @bits), 'and does so in order');

# Rescans: a join gives what single statements give, in no more memory.
my @memory = split /\n/,
  $node->safe_psql('postgres', q(
SET work_mem = '4MB';
SET enable_seqscan = off;
SET enable_sort = off;
CREATE TEMP TABLE q3 AS SELECT id, v FROM t WHERE id <= 300 ORDER BY id;
ANALYZE q3;
CREATE TEMP TABLE single AS SELECT q.id, n.id AS near, n.dist
	FROM q3 q, LATERAL nearest('t', '<->', q.v, 10, true) n;
BEGIN;
DECLARE joined CURSOR FOR SELECT q.id, n.id AS near, n.dist FROM q3 q,
	LATERAL (SELECT id, t.v <-> q.v AS dist FROM t ORDER BY t.v <-> q.v LIMIT 10) n;
MOVE 200 FROM joined;
CREATE VIEW used AS SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'diskann scan%';
TABLE used;
MOVE 2750 FROM joined;
TABLE used;
COMMIT;
CREATE TEMP TABLE joined AS SELECT q.id, n.id AS near, n.dist FROM q3 q,
	LATERAL (SELECT id, t.v <-> q.v AS dist FROM t ORDER BY t.v <-> q.v LIMIT 10) n;
SELECT (SELECT count(*) FROM joined) || ' '
	|| (SELECT count(*) FROM (TABLE joined EXCEPT ALL TABLE single) d);
));
cmp_ok($memory[0], '>', 0, 'the index is scanned in the join');
cmp_ok($memory[1], '<=', 1.2 * $memory[0],
	"memory of rescans does not grow: @memory[0, 1]");
is($memory[2], '3000 0', 'rescans return what single statements do');

# A vector of zeroes has no direction: that index does without it.
$node->safe_psql(
	'postgres', qq(
CREATE TABLE directions (id int, v real[]);
INSERT INTO directions SELECT id, v FROM t WHERE id <= 100;
INSERT INTO directions SELECT 200, array_fill(0, ARRAY[60]);
CREATE INDEX directions_v ON directions USING diskann (v real_cosine_ops);
INSERT INTO directions SELECT 201, array_fill(0, ARRAY[60]);
));
is( $node->safe_psql('postgres', qq(
SELECT count(*), max(id) FROM nearest('directions', '<=>', '$vectors->[7]'::real[], 1000, true))),
	'100|100',
	'zero vectors are not in an index for cosine distance');

check_indexes($node, 'at last');
no_crash_in_log($node, 'server');
done_testing();
