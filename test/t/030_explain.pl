
# Copyright (c) 2026, diskann contributors

# EXPLAIN ANALYZE tells of a scan what diskann_last_scan() does, from PostgreSQL
# 18 on; before, it shows nothing of it, and no less than it did.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', "max_parallel_workers_per_gather = 0\n");

$node->safe_psql('postgres', 'CREATE TABLE t (id int, v real[])');
load_vectors($node, 't', clustered(2000, 16, 30));
$node->safe_psql('postgres', 'CREATE INDEX ON t USING diskann (v); ANALYZE t');

my $query = "'" . $node->safe_psql('postgres', 'SELECT v FROM t WHERE id = 7')
  . "'::real[]";
my $nearest = "SELECT id FROM t ORDER BY v <-> $query LIMIT 10";

# What EXPLAIN shows for a statement, and, behind it, what the last scan was.
sub explained
{
	my ($options, $statement) = @_;

	return $node->safe_psql('postgres', qq(
SET enable_seqscan = off;
SET diskann.query_search_list_size = 50;
EXPLAIN ($options) $statement;
SELECT 'last', visits, estimates, rescored, wanted, list_size, way
FROM diskann_last_scan()));
}

my $analyze = 'ANALYZE, COSTS off, TIMING off, SUMMARY off';
my $shown = explained($analyze, $nearest);
my ($visits, $estimates, $compared, $wanted, $list, $way) =
  $shown =~ /^last\|(\d+)\|(\d+)\|(\d+)\|(\w+)\|(\d+)\|(.*)$/m;

is($list, 50, 'the scan ran');
if ($node->pg_version < 18)
{
	unlike($shown, qr/Nodes Visited/, 'a server that does not ask is told nothing');
	like($shown, qr/Index Scan using t_v_idx/, 'and shows the plan');
}
else
{
	my $expected = join "\n", map { "\\s+$_" } "Nodes Visited: $visits",
	  "Distances Estimated: $estimates", "Rows Compared: $compared",
	  "Rows Wanted: $wanted", "Search List: $list", "Ended With: \Q$way\E\n";

	like($shown, qr/$expected/, 'ANALYZE tells of the scan');
	unlike(explained('COSTS off', $nearest), qr/Nodes Visited/,
		'a plan that is not executed has nothing to tell');

	# Four loops, each of which visits as many nodes as its own scan would.
	my $loops = explained($analyze, "SELECT z.id FROM (VALUES (1), (2), (3), (4)) q (id),
LATERAL (SELECT t.id FROM t ORDER BY v <-> (SELECT v FROM t o WHERE o.id = q.id)
LIMIT 10) z");
	my $sum = 0;

	for my $id (1 .. 4)
	{
		my $one = $nearest =~ s/\Q$query\E/(SELECT v FROM t o WHERE o.id = $id)/r;

		$sum += (explained($analyze, $one) =~ /^last\|(\d+)/m)[0];
	}
	like($loops, qr/Nodes Visited: $sum\n/, 'counts are of all loops');

	like(explained("$analyze, FORMAT json", $nearest),
		qr/"Late Nodes": \d+,\s+"Rows Wanted": "10",\s+"Search List": 50,/,
		'in other formats, too');
	like(explained($analyze, "SELECT id FROM t WHERE v <-> $query < 1.5 ORDER BY v <-> $query LIMIT 10"),
		qr/Distance Bound: 1\.5/, 'a bound is shown');
	unlike(explained($analyze, 'SELECT id FROM t WHERE id = 3'), qr/Nodes Visited/,
		'other scans are left as they are');
}
no_crash_in_log($node, 'server');
done_testing();
