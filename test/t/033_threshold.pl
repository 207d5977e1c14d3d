
# Copyright (c) 2026, diskann contributors

# A bound on the distance ends a scan no earlier than its rows allow: of the
# rows within it as many are found as a LIMIT alone finds.

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

$node->safe_psql(
	'postgres', q(
CREATE TABLE t (id int, v real[]);
CREATE TABLE queries (id int, v real[]);
));
load_vectors($node, 't', sift('base'));
load_vectors($node, 'queries', sift('query', 100));

# What is asked, with the bound of the 100th and a way to find it, exact or not.
$node->safe_psql(
	'postgres', q(
CREATE INDEX t_v ON t USING diskann (v real_l2_ops);
SET enable_indexscan = off;
CREATE TABLE exact AS
	SELECT q.id AS query, n.id, n.d, max(n.d) OVER (PARTITION BY q.id) AS r
	FROM queries q, LATERAL
		(SELECT t.id, t.v <-> q.v AS d FROM t ORDER BY t.v <-> q.v LIMIT 100) n;
CREATE FUNCTION found(asked text, list_size int) RETURNS float8
	LANGUAGE plpgsql AS $$
DECLARE
	q record;
	found int;
	sum int := 0;
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true);
	PERFORM set_config('enable_sort', 'off', true);
	PERFORM set_config('diskann.search_list_size', list_size::text, true);
	FOR q IN SELECT queries.id, v, r FROM queries JOIN exact ON query = queries.id
		GROUP BY 1, 2, 3
	LOOP
		EXECUTE format('SELECT count(*) FROM (%s) f JOIN exact e
			ON e.query = $3 AND e.id = f.id', asked)
		INTO found USING q.v, q.r, q.id;
		sum := sum + found;
	END LOOP;
	RETURN sum / (SELECT count(*) FROM exact)::float8;
END$$;
));

my %asked = (
	'a LIMIT' => 'SELECT id FROM t ORDER BY v <-> $1 LIMIT 100',
	'a bound and a LIMIT' =>
	  'SELECT id FROM t WHERE v <-> $1 <= $2 ORDER BY v <-> $1 LIMIT 100',
	'a bound and a LIMIT beyond it' =>
	  'SELECT id FROM t WHERE v <-> $1 <= $2 ORDER BY v <-> $1 LIMIT 200',
	'a bound' => 'SELECT id FROM t WHERE v <-> $1 <= $2 ORDER BY v <-> $1',
);

for my $list_size (20, 64)
{
	my %found;

	$found{$_} = $node->safe_psql('postgres',
		"SELECT found('$asked{$_}', $list_size)")
	  for sort keys %asked;
	for my $asked (grep { /bound/ } sort keys %asked)
	{
		cmp_ok($found{$asked}, '>=', $found{'a LIMIT'} - .002,
			"list of $list_size: $asked finds $found{$asked}, "
			  . "the LIMIT alone $found{'a LIMIT'}");
	}
}

no_crash_in_log($node, 'server');
done_testing();
