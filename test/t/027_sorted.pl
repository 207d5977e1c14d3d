
# Copyright (c) 2026, diskann contributors

# Strict order is order, whatever is above the scan: statements of many shapes,
# with and without LIMIT, give what they give without the index.

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
max_parallel_workers_per_gather = 0
wal_consistency_checking = ''
));

# Few directions and a short list: much is found late, and many rows are as far
# as others.
my $vectors = clustered(3000, 24, 27);
push @$vectors, @$vectors[ 0 .. 99 ];
$node->safe_psql(
	'postgres', q(
CREATE TABLE t (id int, v real[]);
CREATE TABLE u (id int, v real[]) PARTITION BY HASH (id);
CREATE TABLE u0 PARTITION OF u FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE u1 PARTITION OF u FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE u2 PARTITION OF u FOR VALUES WITH (MODULUS 3, REMAINDER 2);
));
load_vectors($node, 't', $vectors);
$node->safe_psql(
	'postgres', q(
INSERT INTO u SELECT * FROM t;
CREATE INDEX t_v ON t USING diskann (v);
CREATE INDEX ON u USING diskann (v);
ANALYZE t, u;
));

# What an index scan is asked for, and whether it is read to its end.  The query
# is Q, the table T, LIMIT and OFFSET as they come.
my %shapes = (
	'all' => 'SELECT v <-> Q AS d FROM T ORDER BY v <-> Q',
	'distinct' => 'SELECT DISTINCT v <-> Q AS d FROM T ORDER BY 1',
	'group' =>
	  'SELECT v <-> Q AS d, count(*) FROM T GROUP BY v <-> Q ORDER BY 1',
	'rank' =>
	  'SELECT v <-> Q AS d, rank() OVER (ORDER BY v <-> Q) FROM T ORDER BY 1',
	'running sum' =>
	  'SELECT v <-> Q AS d, sum(1) OVER (ORDER BY v <-> Q) FROM T ORDER BY 1',
	'merge join' =>
	  'SELECT a.d FROM (SELECT v <-> Q AS d FROM T ORDER BY v <-> Q) a
		JOIN (SELECT v <-> Q AS d FROM T ORDER BY v <-> Q) b USING (d) ORDER BY 1',
	'filter' =>
	  'SELECT v <-> Q AS d FROM T WHERE id % 3 = 1 ORDER BY v <-> Q',
	'opaque filter' =>
	  'SELECT v <-> Q AS d FROM T WHERE random() >= 0 ORDER BY v <-> Q',
	'common table expression' =>
	  'WITH c AS MATERIALIZED (SELECT v <-> Q AS d FROM T ORDER BY v <-> Q)
		SELECT d FROM c',
);

# The distances of a statement's rows, in the order they come in.
sub answer
{
	my ($statement, $query, $table, $settings) = @_;

	$statement =~ s/\bQ\b/'$query'::real[]/g;
	$statement =~ s/\bT\b/$table/g;
	return $node->safe_psql('postgres', "$settings; $statement");
}

my $index = q(SET enable_seqscan = off; SET enable_sort = off;
	SET enable_incremental_sort = off; SET enable_hashagg = off;
	SET enable_hashjoin = off; SET enable_nestloop = off;
	SET enable_material = off);
my $exact = q(SET enable_indexscan = off);
my $asked = 0;

# Rows in order: those of an answer without the index, but that some may lack.
sub in_order
{
	my ($what, $got, $all) = @_;
	my %left;

	$left{$_}++ for split /\n/, $all;
	my @rows = split /\n/, $got;
	my @distances = map { (split /\|/, $_)[0] } @rows;
	my $unsorted = grep { $distances[$_] < $distances[ $_ - 1 ] } 1 .. $#rows;
	is($unsorted, 0, "$what: in order");
	return scalar @rows;
}

for my $table ('t', 'u')
{
	for my $work_mem ('64kB', '16MB')
	{
		for my $name (sort keys %shapes)
		{
			for my $query (@$vectors[ 10, 1500 ], zeroes())
			{
				my $what = "$name, $table, $work_mem";
				my $all = answer($shapes{$name}, $query, $table, $exact);
				my $settings =
				  "$index; SET work_mem = '$work_mem'; SET diskann.query_search_list_size = 10";

				is(answer($shapes{$name}, $query, $table, $settings),
					$all, "$what: all rows, in order");
				for my $limit (1, 30, 700, 5000)
				{
					my $limited = answer("$shapes{$name} LIMIT $limit",
						$query, $table, $settings);

					in_order("$what, LIMIT $limit", $limited, $all);
					$asked++;
				}
				$asked++;
			}
		}
	}
}
cmp_ok($asked, '>=', 500, "$asked statements were asked");

sub zeroes
{
	return '{' . join(',', (0) x 24) . '}';
}

no_crash_in_log($node, 'server');
done_testing();
