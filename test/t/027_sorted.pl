
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

# Answers of several statements, one after the other in one session: each a
# list of lines.
sub answers
{
	my ($settings, @statements) = @_;
	my @answers = split /^--\n/m,
	  $node->safe_psql('postgres',
		"$settings;\n" . join("\\echo '--'\n", map { "$_;\n" } @statements));

	return map { [ split /\n/ ] } @answers;
}

# A shape filled in.
sub statement
{
	my ($shape, $query, $table) = @_;

	$shape =~ s/\bQ\b/'$query'::real[]/g;
	$shape =~ s/\bT\b/$table/g;
	return $shape;
}

# The distance is the first column.
sub distances
{
	return map { (split /\|/)[0] } @{ $_[0] };
}

my $index = q(SET enable_seqscan = off; SET enable_sort = off;
	SET enable_incremental_sort = off; SET enable_hashagg = off;
	SET enable_hashjoin = off; SET enable_nestloop = off;
	SET diskann.query_search_list_size = 10);
my $exact = q(SET enable_indexscan = off);
my @limits = (1, 30, 700, 5000);
my @queries = (@$vectors[ 10, 1500 ], '{' . join(',', (0) x 24) . '}');
my $asked = 0;

# Are the rows of a LIMIT in order, and all among those that there are?
sub limited_ok
{
	my ($got, $all, $limit, $what) = @_;
	my @got = distances($got);
	my %exists = map { $_ => 1 } distances($all);
	my $unsorted = grep { $got[$_] < $got[ $_ - 1 ] } 1 .. $#got;
	my $unknown = grep { !$exists{$_} } @got;

	ok($unsorted == 0 && $unknown == 0 && @got <= $limit && @got > 0,
		"$what, LIMIT $limit: in order")
	  or diag("$unsorted unsorted, $unknown unknown of " . scalar @got);
	$asked++;
	return;
}

sub shape_ok
{
	my ($name, $table, $work_mem) = @_;
	my $what = "$name, $table, $work_mem";
	my @plain = map { statement($shapes{$name}, $_, $table) } @queries;
	my @all = answers($exact, @plain);
	my $settings = "$index; SET work_mem = '$work_mem'";
	my ($plan) = answers($settings, "EXPLAIN (COSTS OFF) $plain[0]");

	like("@$plan", qr/Index Scan using/, "$what: by the index");
	unlike("@$plan", qr/(^|-> +)(Incremental )?Sort\b/, "$what: no sort");
	my @got = answers($settings, @plain);
	is_deeply($got[$_], $all[$_], "$what, query $_: all rows, in order")
	  for (0 .. $#queries);
	$asked += @queries;
	for my $limit (@limits)
	{
		my @limited = answers($settings, map { "$_ LIMIT $limit" } @plain);

		limited_ok($limited[$_], $all[$_], $limit, "$what, query $_")
		  for (0 .. $#queries);
	}
	return;
}

for my $table ('t', 'u')
{
	for my $work_mem ('64kB', '16MB')
	{
		shape_ok($_, $table, $work_mem) for (sort keys %shapes);
	}
}
cmp_ok($asked, '>=', 500, "$asked statements were asked");

# A cursor does not tell how many rows will be fetched: it is in order.
my ($cursor) = answers("$index; BEGIN", qq(
DECLARE c NO SCROLL CURSOR FOR
	SELECT v <-> '$queries[0]' FROM t ORDER BY v <-> '$queries[0]';
FETCH 2000 FROM c; FETCH ALL FROM c; COMMIT));
my @fetched = grep { /\d/ } @$cursor;
is(scalar(grep { $fetched[$_] < $fetched[ $_ - 1 ] } 1 .. $#fetched),
	0, 'a cursor: in order');
cmp_ok(scalar @fetched, '>=', 2800, 'a cursor: nearly all rows');

# relaxed_order returns all rows.
my ($relaxed) = answers("$index; SET diskann.iterative_search = relaxed_order; BEGIN",
	"DECLARE c NO SCROLL CURSOR FOR SELECT id FROM t ORDER BY v <-> '$queries[0]';
FETCH 2000 FROM c; FETCH ALL FROM c; COMMIT");
my %ids = map { $_ => 1 } grep { /\d/ } @$relaxed;
is(scalar(keys %ids), scalar @$vectors, 'relaxed order: a cursor gets all rows');

no_crash_in_log($node, 'server');
done_testing();
