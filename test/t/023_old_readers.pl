
# Copyright (c) 2026, diskann contributors

# Rows that are dead leave the index in the VACUUM that finds them, and their
# slots are used again, whatever transactions run that have nothing to do with
# them: in another database, or reading with a snapshot for which the rows were
# dead already, on this server or on a standby.  And a cursor that is half read
# meanwhile goes on as if nothing had happened.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The first rows share a page of the table, and are never deleted.
use constant { ROWS => 3000, STAYING => 40 };

my $node = new_node('main', q(
wal_consistency_checking = 'generic'
# Replay waits for queries of the standby.
max_standby_streaming_delay = -1
wal_receiver_status_interval = 1
), allows_streaming => 1);

$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

$node->safe_psql('postgres', q(
CREATE DATABASE other;
CREATE TABLE t (id int, v real[]);
CREATE SEQUENCE ids START 100000;
));
load_vectors($node, 't', clustered(ROWS, 32, 5));
$node->safe_psql('postgres', 'CREATE INDEX t_v ON t USING diskann (v)');

my $query = '{' . join(',', (0.2) x 32) . '}';

sub index_size
{
	return $node->safe_psql('postgres', "SELECT pg_relation_size('t_v')");
}

sub tombstones
{
	return $node->safe_psql('postgres', q(
SELECT value FROM diskann_index_info('t_v') WHERE property = 'tombstones'));
}

sub sorted
{
	return join ' ', sort { $a <=> $b } split /\s+/, shift;
}

sub delete_third
{
	$node->safe_psql('postgres', q(
DELETE FROM t WHERE id IN (SELECT id FROM t WHERE id > 100
	ORDER BY id % 17, id LIMIT (SELECT count(*) / 3 FROM t))));
	return;
}

# A transaction with a cursor that has returned some of the rows, and these.  The
# cursor stops at a row that stays: the executor pins its page, and where that
# had dead rows VACUUM would leave it out, and replay wait for it.
sub open_cursor
{
	my $server = shift;
	my $session = session_start($server, qq(
SET enable_seqscan = off;
SET enable_sort = off;
BEGIN ISOLATION LEVEL REPEATABLE READ;
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM t ORDER BY v <-> '$query';));

	my $rows = session_ask($session, 'FETCH 300 FROM c;');
	my $last;
	do
	{
		$last = session_ask($session, 'FETCH 1 FROM c;');
		$rows .= $last;
	} while ($last > STAYING);

	return ($session, $rows);
}

# The cursor's rows are those that its snapshot sees, once each and in order.
sub cursor_ok
{
	my ($session, $first, $what) = @_;
	my $all = $first . session_ask($session, 'FETCH ALL FROM c;');
	my $seen = session_ask($session, 'SELECT id FROM t;');
	my $distances = session_ask($session, qq(
SELECT count(*) FROM (
	SELECT d < lag(d) OVER (ORDER BY place) AS falls
	FROM unnest('{@{[ join ',', (split /\n/, $all)[ 0 .. 999 ] ]}}'::int[])
		WITH ORDINALITY u(id, place)
	JOIN (SELECT id, v <-> '$query' AS d FROM t) s USING (id)) r
WHERE falls;));

	is(sorted($all), sorted($seen), "$what: the rows of its snapshot");
	is($distances, "0\n", "$what: in order");
	session_ask($session, 'COMMIT;');
	finish_ok($session, $what);
	return;
}

# VACUUM takes the dead rows out, and others take their places.
sub turn_over
{
	my $what = shift;
	my $size = index_size();

	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on, TRUNCATE off) t');
	is(tombstones(), 0, "$what: tombstones leave at once");
	$node->safe_psql('postgres', q(
INSERT INTO t SELECT nextval('ids'), noisy(v, 0.1) FROM t
	ORDER BY id DESC LIMIT ) . ROWS . q( - (SELECT count(*) FROM t)));
	is(index_size(), $size, "$what: their slots are used again");
	return;
}

# ---------- a transaction in another database ----------

delete_third();
my $other = session_start($node, "\\c other\nBEGIN;");
session_ask($other, 'SELECT pg_current_xact_id();');
turn_over('another database');
session_ask($other, 'COMMIT;');
finish_ok($other, 'the other session');
check_indexes($node, 'another database');

# ---------- readers for whom the rows were dead already ----------

delete_third();
my ($reader, $first) = open_cursor($node);
turn_over('a cursor');
cursor_ok($reader, $first, 'a cursor');
check_indexes($node, 'a cursor');

for my $feedback ('on', 'off')
{
	my $what = "a cursor on a standby, feedback $feedback";

	$standby->append_conf('postgresql.conf', "hot_standby_feedback = $feedback");
	$standby->reload;
	delete_third();
	$node->wait_for_catchup($standby);
	my ($far, $begun) = open_cursor($standby);

	# The primary has to know of this snapshot, or of none.
	my $next = $node->safe_psql('postgres',
		'SELECT pg_snapshot_xmax(pg_current_snapshot())');
	poll_until($node, 'SELECT bool_and(' . ($feedback eq 'on'
			? "backend_xmin::text::int8 >= $next" : 'backend_xmin IS NULL')
		  . ') FROM pg_stat_replication');
	turn_over($what);
	$node->wait_for_catchup($standby);
	cursor_ok($far, $begun, $what);
	check_indexes($node, $what);
	check_indexes($standby, "$what, there");
}

# ---------- nothing to do ----------

# Tombstones that are too few for a repair cost the next VACUUM nothing: it does
# not read the index to find that out again.
SKIP:
{
	skip 'VACUUM tells of buffers from PostgreSQL 15 on', 3
	  if $node->safe_psql('postgres', 'SHOW server_version_num') < 150000;

	# Buffers that a VACUUM looks at, with those of the table.
	my $buffers = sub {
		my ($status, $out, $err) =
		  $node->psql('postgres', 'VACUUM (VERBOSE, INDEX_CLEANUP on) t');
		my ($hits, $misses) =
		  $err =~ /buffer usage: (\d+) hits, (\d+) (?:misses|reads)/
		  or die "no buffer usage in: $err";
		return $hits + $misses;
	};
	my $pages = index_size() / 8192;

	$node->safe_psql('postgres', 'VACUUM t');
	$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 100 = 1');
	my $pass = $buffers->();
	cmp_ok($pass, '>=', $pages, "a pass over $pages pages takes $pass buffers");
	cmp_ok(tombstones(), '>', 10, 'tombstones stay');
	my $second = $buffers->();
	cmp_ok($second, '<', $pages / 2, "then a VACUUM takes $second");
}

full_scan_ok($node, 't', '<->', $query, 'at last');
no_crash_in_log($node, 'primary');
no_crash_in_log($standby, 'standby');
$standby->stop;
$node->stop;
done_testing();
