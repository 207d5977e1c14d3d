
# Copyright (c) 2026, diskann contributors

# An index filled cluster by cluster, without any VACUUM: rows of clusters that
# came early must still be found when many others have come, although edges that
# led to them have been displaced and the roster has lost its members of them.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant { CLUSTERS => 160, SIZE => 25, DIMS => 96, SPREAD => 0.35 };

my $node = new_node('main', "autovacuum = off\n");

# Rows, always the same.
srand(10);

sub gauss
{
	return sqrt(-2 * log(1 - rand)) * cos(6.283185307 * rand);
}

sub cluster
{
	my @centre = map { gauss() } 1 .. DIMS;

	return map {
		'{' . join(',', map { sprintf '%.4f', $_ + SPREAD * gauss() } @centre) . '}'
	} 1 .. SIZE;
}

$node->safe_psql('postgres', q(
CREATE TABLE t (id int, v real[]);
CREATE INDEX t_v ON t USING diskann (v)));
load_vectors($node, 't', [ map { cluster() } 1 .. CLUSTERS ]);

# How many rows does a search with a short list not find by their own vectors?
# 15 when nothing looked for what new rows hide, 1 since.
my $lost = $node->safe_psql('postgres', q(
SET diskann.query_search_list_size = 20;
SET diskann.iterative_search = off;
SET enable_seqscan = off;
SELECT count(*) FROM t WHERE t.id <> coalesce(
	(SELECT o.id FROM t o ORDER BY o.v <-> t.v LIMIT 1), 0)));

cmp_ok($lost, '<=', 6, "of 4,000 rows $lost are not found");
check_indexes($node, 'filled by cluster');
no_crash_in_log($node, 'server');
$node->stop;
done_testing();
