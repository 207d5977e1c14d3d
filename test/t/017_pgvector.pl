
# Copyright (c) 2026, diskann contributors

# An index does as well on pgvector's types as on real[]: recall and pages read
# are the same for the same vectors, halves take no more room, and the order is
# the operator's.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main');

plan skip_all => 'no pgvector here' unless has_extension($node, 'vector');

$node->safe_psql(
	'postgres', q(
CREATE EXTENSION diskann_pgvector CASCADE;
CREATE TABLE r (id int, v real[]);
CREATE TABLE rq (id int, v real[]);
));
load_vectors($node, 'r', sift('base'));
load_vectors($node, 'rq', sift('query', 200));

# The same values in all: SIFT's are small integers, exact as halves, too.
for ([ 'v', 'vector' ], [ 'h', 'halfvec' ])
{
	my ($table, $type) = @$_;

	$node->safe_psql('postgres',
		"CREATE TABLE $table AS SELECT id, v::$type(128) FROM r ORDER BY id;
		 CREATE TABLE ${table}q AS SELECT id, v::$type(128) FROM rq");
}
$node->safe_psql('postgres', 'VACUUM ANALYZE');

# Recall@10, inversions, pages read and the size of an index.
sub measure
{
	my ($table, $class, $op) = @_;
	my $nearest = "LATERAL (SELECT row_number() OVER () AS n, d FROM
		(SELECT t.v $op q.v AS d FROM $table t ORDER BY t.v $op q.v LIMIT 10) s)";
	my $by_index = 'SET enable_seqscan = off; SET enable_sort = off;
		SET diskann.query_search_list_size = 15';

	$node->safe_psql('postgres',
		"CREATE INDEX i ON $table USING diskann (v ${class})");
	my $found = $node->safe_psql('postgres', "$by_index;
		SELECT q.id, array_agg(d ORDER BY n) FROM ${table}q q, $nearest s
		GROUP BY 1 ORDER BY 1");
	my ($pages) = $node->safe_psql('postgres', "$by_index;
		EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, FORMAT JSON)
		SELECT count(*) FROM ${table}q q, $nearest s") =~
	  /"Node Type": "Index Scan".*?"Shared Hit Blocks": (\d+)/s;
	my $size = $node->safe_psql('postgres', "SELECT pg_relation_size('i')");
	check_indexes($node, $class);
	$node->safe_psql('postgres', 'DROP INDEX i');
	my $exact = $node->safe_psql('postgres',
		"SELECT q.id, array_agg(d ORDER BY n) FROM ${table}q q, $nearest s
		GROUP BY 1 ORDER BY 1");

	my ($good, $inversions) = (0, 0);
	my @exact = map { [ split /,/, s/.*\{(.*)\}/$1/r ] } split /\n/, $exact;
	for my $query (map { [ split /,/, s/.*\{(.*)\}/$1/r ] } split /\n/, $found)
	{
		my $worst = (shift @exact)->[-1];

		$good += grep { $_ <= $worst } @$query;
		$inversions += grep { $query->[$_] < $query->[ $_ - 1 ] } 1 .. $#$query;
	}
	my %result = (
		recall => $good / 2000,
		inversions => $inversions,
		pages => $pages,
		size => $size);
	note("$class: " . join ', ', map { "$_ $result{$_}" } sort keys %result);
	return \%result;
}

for ([ 'l2', '<->' ], [ 'cosine', '<=>' ], [ 'ip', '<#>' ])
{
	my ($metric, $op) = @$_;
	my $real = measure('r', "real_${metric}_ops", $op);

	cmp_ok($real->{recall}, '>=', 0.9, "real_${metric}_ops: recall");
	for ([ 'v', 'vector' ], [ 'h', 'halfvec' ])
	{
		my ($table, $type) = @$_;
		my $class = "${type}_${metric}_ops";
		my $other = measure($table, $class, $op);

		# Two builds need not make the same graph: 2,000 rows, three times their
		# standard deviation.
		cmp_ok(abs($other->{recall} - $real->{recall}), '<=', 0.02,
			"$class: recall of real[]");
		cmp_ok($other->{pages}, '<=', 1.05 * $real->{pages},
			"$class: pages of real[]");
		cmp_ok($other->{size}, '<=', $real->{size}, "$class: size of real[]");
		is($other->{inversions}, 0, "$class: in order");
	}
}

done_testing();
