
# Copyright (c) 2026, diskann contributors

# The view diskann_indexes neither waits nor fails, whatever state an index is in,
# and says so; on a standby it tells what it does on the primary.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Places in the metapage, see src/store/format.h.
use constant { PAGE_HEADER => 24, SELF_SEARCHED => 116, SELF_MISSED => 136 };
use constant CALIBRATION => 144 + 8 * 16 + 31 * 24;
use constant REPAIRED => CALIBRATION + 360;

my $primary = new_node(
	'primary', q(
autovacuum = off
wal_consistency_checking = 'generic'
), allows_streaming => 1, no_data_checksums => 1);

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

sub advice
{
	my ($node, $index) = @_;

	return $node->safe_psql('postgres', qq(
SET statement_timeout = '60s';
SELECT advice FROM diskann_indexes WHERE index = '$index'::regclass));
}

$primary->safe_psql(
	'postgres', q(
CREATE TABLE rows (id int, v real[]);
CREATE UNLOGGED TABLE u (id int, v real[]);
CREATE INDEX u_v ON u USING diskann (v);
));
load_vectors($primary, 'rows', clustered(1000, 16, 42));
$primary->safe_psql('postgres', $_)
  for (
	'CREATE INDEX rows_v ON rows USING diskann (v)',
	"SELECT diskann_calibrate('rows_v', 50)",
	'DELETE FROM rows WHERE id % 10 = 0',
	'VACUUM (INDEX_CLEANUP on) rows',
	'INSERT INTO rows SELECT 5001, array_agg(x + 1) FROM rows, unnest(v) x WHERE id = 1');

# ---------- a standby ----------

# But how often it is used, which each server counts for itself.
my $all = q(SELECT to_jsonb(s) - '{scans,visits_a_scan,compared_a_scan,inserts,linked,counted_since}'::text[]
FROM diskann_indexes s WHERE index = 'rows_v'::regclass);
my $told = $primary->safe_psql('postgres', $all);
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $all), $told, "the standby tells the same: $told");
is($primary->safe_psql('postgres', q(
SELECT nodes, dead, pending, calibrated <= last_repair, last_repair <= now(), advice IS NULL
FROM diskann_indexes WHERE index = 'rows_v'::regclass)),
	'900|0|1|t|t|t', 'and that is right');

# ---------- how often it is used ----------

# A session of its own each time, with some queries of an index before.
sub usage
{
	my ($node, $queries) = @_;

	return $node->safe_psql('postgres', qq(
SET enable_seqscan = off;
SELECT count(*) FROM generate_series(1, $queries) i,
    LATERAL (SELECT id FROM rows ORDER BY v <-> ARRAY[i,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] LIMIT 1) s;
SELECT scans, round(visits_a_scan) > 0, inserts FROM diskann_indexes
WHERE index = 'rows_v'::regclass));
}

my $version = $primary->safe_psql('postgres', 'SHOW server_version_num');
my $shared = $version >= 170000;
my $counted_in = "SELECT DISTINCT counted_in FROM diskann_indexes WHERE counted_in IS NOT NULL";
for my $node ($primary, $standby)
{
	my $name = $node->name;
	my $inserts = $shared && $node == $primary ? 1 : 0;

	is($node->safe_psql('postgres', $counted_in),
		$shared ? 'all sessions' : 'this session', "$name: whose use is counted is told");
	is(usage($node, 3), "3\n3|t|$inserts", "$name: a session's");
	is(usage($node, 2), $shared ? "2\n5|t|$inserts" : "2\n2|t|$inserts",
		$shared ? "$name: and another's, too" : "$name: another's alone");
}
$primary->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE postgres');
is($primary->safe_psql('copy', q(
SELECT scans, inserts, counted_since FROM diskann_indexes WHERE index = 'rows_v'::regclass)),
	'0|0|', 'a database with the same oids has an index of its own');
$primary->safe_psql('postgres', 'DROP DATABASE copy');

# More indexes than there are places: old ones make room.
is($primary->safe_psql('postgres', q(
SET enable_seqscan = off;
CREATE TEMP TABLE many (v real[]);
DO $$BEGIN
	FOR i IN 1 .. 1000 LOOP
		CREATE INDEX many_v ON many USING diskann (v);
		PERFORM 1 FROM (SELECT FROM many ORDER BY v <-> '{1,2}' LIMIT 1) s;
		DROP INDEX many_v;
	END LOOP;
END$$;
CREATE INDEX many_v ON many USING diskann (v);
INSERT INTO many VALUES ('{1,2}');
SELECT inserts FROM diskann_indexes WHERE index = 'many_v'::regclass)),
	1, 'the last index is counted, however many there were');
is(usage($primary, 1), "1\n1|t|0", 'what was not used for long begins anew');

# ---------- what a standby cannot read ----------

is(advice($primary, 'u_v'), '', 'an unlogged index');
like(advice($standby, 'u_v'), qr/cannot access unlogged index "u_v" during recovery/,
	'on a standby there is nothing of it');
$standby->stop;

# ---------- locked ----------

my $session = session_start($primary,
	'BEGIN; REINDEX INDEX rows_v;');
like(session_ask($session, "SELECT 'reindexed';"), qr/reindexed/, 'REINDEX is under way');
is(advice($primary, 'rows_v'),
	'ask again later: another session has locked it', 'nobody waits for it');
session_ask($session, "ROLLBACK; SELECT 'over';");
finish_ok($session, 'REINDEX');
is(advice($primary, 'rows_v'), '', 'and it is as it was');

# ---------- a VACUUM that was stopped ----------

SKIP:
{
	skip 'the library has no pause points', 3 unless can_pause($primary);
	$primary->safe_psql('postgres', 'DELETE FROM rows WHERE id % 10 = 1');
	my ($status, $out, $err) = $primary->psql('postgres',
		pause_at('inserts-ended error') . 'VACUUM (INDEX_CLEANUP on) rows');
	like($err, qr/stopped at "inserts-ended"/, 'VACUUM fails');
	like(advice($primary, 'rows_v'), qr/^VACUUM: 1\d % of nodes are dead$/,
		'and should be done again');
	$primary->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) rows');
	is(advice($primary, 'rows_v'), '', 'as it has been');
}

# ---------- damage, and a graph that is not whole ----------

# Write into the metapage; returns what was there.
sub change
{
	my ($at, $bytes) = @_;
	my $file = index_file($primary, 'rows_v');

	$primary->stop;
	open my $fh, '+<:raw', $file or die "$file: $!";
	seek $fh, PAGE_HEADER + $at, 0;
	read $fh, my $old, length $bytes;
	seek $fh, PAGE_HEADER + $at, 0;
	print $fh $bytes;
	close $fh or die "$file: $!";
	$primary->start;
	return $old;
}

for (
	[ 'no metapage', 0, pack('V', 7), qr/"rows_v" is not a diskann index/ ],
	[ 'another version', 4, pack('V', 99), qr/has format version 99/ ],
	[ 'a time', CALIBRATION, pack('q', -2**62), qr/an impossible calibration/ ],
	[ 'another time', REPAIRED, pack('q', 2**63 - 1), qr/repair at no time/ ])
{
	my ($what, $at, $bytes, $message) = @$_;
	my $old = change($at, $bytes);
	my $advice = advice($primary, 'rows_v');

	like($advice, $message, "$what: told");
	like($advice, $what eq 'another version' ? qr/^it cannot be read: / : qr/^REINDEX: /,
		"$what: what to do");
	is($primary->safe_psql('postgres', 'SELECT count(*) FROM diskann_indexes'),
		2, "$what: all indexes are told of");
	my ($status, $out, $err) =
	  $primary->psql('postgres', "SELECT diskann_index_check('rows_v')");
	like($err, $message, "$what: an error of others");
	change($at, $old);
}

change(SELF_SEARCHED, pack 'V', 100);
change(SELF_MISSED, pack 'V', 20);
is(advice($primary, 'rows_v'),
	'VACUUM: 20 % of nodes were not found by their own vectors', 'the next VACUUM heals');
change(SELF_SEARCHED, pack 'V', 1000);
change(SELF_MISSED, pack 'V', 80);
is(advice($primary, 'rows_v'),
	'REINDEX: 8 % of nodes were not found by their own vectors', 'VACUUM is of no use');

# ---------- cancelled ----------

my ($status, $out, $err) = $primary->psql('postgres', q(
SET statement_timeout = '50ms';
SELECT count(s) FROM generate_series(1, 1000000), LATERAL diskann_index_state('rows_v') s));
like($err, qr/canceling statement due to statement timeout/, 'it can be cancelled');
check_indexes($primary, 'in the end');
no_crash_in_log($primary, 'indexes');
done_testing();
