
# Copyright (c) 2026, diskann contributors

# Ways to scan: in other orders, with little memory, with cursors, again and
# again in a join, for queries and rows that have no place in the index.

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

my $vectors = clustered(2100, 60, 13);
$node->safe_psql(
	'postgres', q(
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
	is( $node->safe_psql(
			'postgres', q(
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
order_ok($node, 't', '<->', 'queries', 'little memory');
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
DECLARE bits NO SCROLL CURSOR FOR
	SELECT v <-> '$vectors->[5]' FROM t ORDER BY v <-> '$vectors->[5]';
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
CREATE VIEW used AS SELECT sum(total_bytes) FROM pg_backend_memory_contexts
	WHERE name LIKE 'diskann scan%';
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
