
# Copyright (c) 2026, diskann contributors

# A subscriber of logical replication keeps an index of its own: the first copy
# of a table, then inserts, updates, deletes and TRUNCATE, one by one.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = new_node('publisher', undef, allows_streaming => 'logical');
my $subscriber = new_node('subscriber', undef, allows_streaming => 'logical');

$publisher->safe_psql('postgres',
	'CREATE TABLE t (id int PRIMARY KEY, v real[]);
	 CREATE TABLE q (id int, v real[])');
load_vectors($publisher, 't', clustered(800, 24, 9));
load_vectors($publisher, 'q', clustered(20, 24, 10));
$subscriber->safe_psql('postgres',
	'CREATE TABLE t (id int PRIMARY KEY, v real[]);
	 CREATE INDEX t_v ON t USING diskann (v)');
$publisher->safe_psql('postgres', 'CREATE PUBLICATION p FOR TABLE t');
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION s CONNECTION '"
	  . $publisher->connstr . ' dbname=postgres'
	  . "' PUBLICATION p");

# The subscriber has what the publisher has, and finds it.
sub same_ok
{
	my ($what, $rows) = @_;

	$publisher->wait_for_catchup('s');
	my $sql = 'SELECT md5(string_agg(t::text, \',\' ORDER BY id)) FROM t';
	is($subscriber->safe_psql('postgres', $sql),
		$publisher->safe_psql('postgres', $sql), "$what: same rows");
	is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM t'),
		$rows, "$what: $rows rows");
	check_indexes($subscriber, $what);
	full_scan_ok($subscriber, 't', '<->', '{' . join(',', (0.1) x 24) . '}', $what);
	return;
}

$subscriber->wait_for_subscription_sync if $subscriber->can('wait_for_subscription_sync');
poll_until($subscriber,
	"SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r'");
same_ok('first copy', 800);

$publisher->safe_psql(
	'postgres', q(
BEGIN;
INSERT INTO t SELECT id + 1000, noisy(v, 0.1) FROM t;
UPDATE t SET v = noisy(v, 0.2) WHERE id % 3 = 0;
DELETE FROM t WHERE id % 5 = 0;
COMMIT;
BEGIN;
INSERT INTO t SELECT id + 5000, v FROM t WHERE id < 100;
ROLLBACK;
UPDATE t SET v = NULL WHERE id = 1;
UPDATE t SET id = id + 10000 WHERE id < 50;
));
same_ok('changes', 1280);

$subscriber->safe_psql('postgres', 'CREATE TABLE q (id int, v real[])');
load_vectors($subscriber, 'q', clustered(20, 24, 10));
my $recall = recall($subscriber, 't', '<->', 'q');
cmp_ok($recall, '>=', 0.97, "recall of the subscriber: $recall");

$subscriber->safe_psql('postgres', 'VACUUM t');
same_ok('vacuumed', 1280);
$publisher->safe_psql('postgres', 'TRUNCATE t');
$publisher->safe_psql('postgres',
	'INSERT INTO t SELECT id, v FROM q');
same_ok('truncated', 20);
no_crash_in_log($_, $_->name) for $publisher, $subscriber;

done_testing();
