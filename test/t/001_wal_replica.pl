
# Copyright (c) 2026, diskann contributors

# A standby gives the same answers as its primary: every change is logged, and
# replay (which compares each page with an image of the original) repeats it.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $conf = q(
wal_consistency_checking = 'generic'
# Replay waits for queries of the standby.
max_standby_streaming_delay = -1
);
my $primary = new_node('primary', $conf, allows_streaming => 1);

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# "few" has chains of duplicates, "wide" nodes of several pages each.
my %tables = (many => '<->', few => '<=>', wide => '<#>', late => '<->');

$primary->safe_psql(
	'postgres', q(
CREATE TABLE data (id int, v real[]);
CREATE TABLE wide_data (id int, v real[]);
CREATE TABLE many (id int, v real[]);
CREATE TABLE few (id int, v real[]);
CREATE TABLE wide (id int, v real[]);
CREATE TABLE late (id int, v real[]);
CREATE SEQUENCE ids START 100000;
));
load_vectors($primary, 'data', clustered(900, 48, 1));
load_vectors($primary, 'wide_data', clustered(150, 3000, 2));
$primary->safe_psql(
	'postgres', q(
INSERT INTO many TABLE data;
INSERT INTO few SELECT id, (SELECT v FROM data d WHERE d.id = f.id % 7 + 1)
	FROM data f;
INSERT INTO wide TABLE wide_data;
CREATE INDEX many_l2 ON many USING diskann (v real_l2_ops);
CREATE INDEX many_cosine ON many USING diskann (v real_cosine_ops);
CREATE INDEX many_ip ON many USING diskann (v real_ip_ops);
CREATE INDEX few_cosine ON few USING diskann (v real_cosine_ops);
CREATE INDEX wide_ip ON wide USING diskann (v real_ip_ops);
CREATE INDEX late_l2 ON late USING diskann (v real_l2_ops);
));

# Ids and distances in order, of some queries.
sub answers
{
	my ($node, $table, $op, $limit) = @_;
	my $data = $table eq 'wide' ? 'wide_data' : 'data';

	my $query = qq(
SELECT q.id, n.place, n.id, n.dist
FROM (SELECT * FROM $data WHERE id % 37 = 5 LIMIT 6) q,
	nearest('$table', '$op', q.v, $limit, true) n);

	# Searches of pages that come from a disk may visit other nodes.
	$node->safe_psql('postgres', $query);
	return $node->safe_psql('postgres', $query);
}

sub compare
{
	my $when = shift;

	$primary->wait_for_catchup($standby);
	for my $table (sort keys %tables)
	{
		my @ops = $table eq 'many' ? ('<->', '<=>', '<#>') : $tables{$table};

		for my $op (@ops)
		{
			is( answers($standby, $table, $op, 100),
				answers($primary, $table, $op, 100),
				"$when: $table $op: same answers on both");
		}
	}
	check_indexes($primary, "$when, primary");
	check_indexes($standby, "$when, standby");
	return;
}

compare('after build');

# The standby answers queries while all of this is replayed.
my $reader = pgbench_start(
	$standby, 1, 8,
	many => q(
\set id random(1, 900)
SELECT * FROM nearest('many', '<->', (SELECT v FROM data WHERE id = :id), 30, true);
),
	few => q(
\set id random(1, 900)
SELECT * FROM nearest('few', '<=>', (SELECT v FROM data WHERE id = :id), 300, true);
));

for my $round (1 .. 3)
{
	for my $table (sort keys %tables)
	{
		my $data = $table eq 'wide' ? 'wide_data' : 'data';
		my $third = "id % 3 = $round % 3";

		# An update to another vector goes to another node, one to the same
		# vector adds a row to its node; with an index on it, neither is HOT.
		$primary->safe_psql(
			'postgres', qq(
DELETE FROM $table WHERE $third;
UPDATE $table SET v = noisy(v, 0.1) WHERE id % 5 = $round;
UPDATE $table SET v = v WHERE id % 5 = $round + 1;
));
		$primary->safe_psql('postgres',
			"VACUUM (INDEX_CLEANUP on) $table");
		$primary->safe_psql(
			'postgres', qq(
INSERT INTO $table SELECT nextval('ids'), v FROM $data
	WHERE $third AND id <= 300;
INSERT INTO $table SELECT nextval('ids'), noisy(v, 0.2) FROM $data
	WHERE $third AND id <= 300;
));
	}
	compare("round $round");
}
finish_ok($reader, 'reads during replay');

# A scan that began before a slot of a chain was taken out, and goes on after
# another row took the slot, still sees the rest of the chain.  The rows of that
# slot were dead before the scan, so that there is no conflict to wait for.
$primary->safe_psql(
	'postgres', q(
CREATE TABLE chain (id int, v real[]);
CREATE INDEX chain_l2 ON chain USING diskann (v real_l2_ops);
INSERT INTO chain SELECT g, ARRAY[g, g + 1, 2 * g, 0] FROM generate_series(1, 100) g;
INSERT INTO chain SELECT 1000 + g, '{0,0,0,0}' FROM generate_series(1, 200) g;
DELETE FROM chain WHERE id > 1144;
));
$primary->wait_for_catchup($standby);

my $session = session_start($standby, 'SET enable_seqscan = off; BEGIN;');
session_ask($session,
	q(DECLARE c CURSOR FOR SELECT id FROM chain ORDER BY v <-> '{0,0,0,0}'; FETCH 1 FROM c;)
);
$primary->safe_psql('postgres', $_)
  for ('VACUUM (INDEX_CLEANUP on) chain',
	'CREATE TABLE another_transaction ()',
	'INSERT INTO chain SELECT 3000 + g, ARRAY[g, -5, -g, -g] FROM generate_series(1, 50) g'
  );
$primary->wait_for_catchup($standby);
is(scalar(split /\n/, session_ask($session, 'FETCH ALL FROM c;')),
	243, 'a scan on the standby loses no rows of a chain');
finish_ok($session, 'such a scan');

# The standby takes over.
$standby->promote;
poll_until($standby, 'SELECT NOT pg_is_in_recovery()');
$standby->safe_psql(
	'postgres', q(
DELETE FROM many WHERE id % 4 = 0;
VACUUM many;
INSERT INTO many SELECT nextval('ids'), noisy(v, 0.2) FROM data WHERE id <= 200;
INSERT INTO late SELECT nextval('ids'), v FROM data WHERE id <= 200;
INSERT INTO wide SELECT nextval('ids'), noisy(v, 0.2) FROM wide_data WHERE id <= 20;
));
my $query = '{' . join(',', (0.1) x 48) . '}';
full_scan_ok($standby, $_, '<->', $query, "promoted, $_") for ('many', 'late');
check_indexes($standby, 'promoted');
no_crash_in_log($primary, 'primary');
no_crash_in_log($standby, 'standby');

done_testing();
