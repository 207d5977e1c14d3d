
# Copyright (c) 2026, diskann contributors

# Recall is measured, and a calibration used, on a standby too; whoever measures
# can be cancelled, and damage is an error; a calibration is logged, and gone by
# no crash.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Where the calibration begins in a metapage, and a list size in that.
use constant CALIBRATION => 24 + 144 + 8 * 16 + 31 * 24;
use constant QUERIES => CALIBRATION + 8;
use constant SIZES => CALIBRATION + 24;

my $primary = new_node(
	'primary', q(
wal_consistency_checking = 'generic'
max_standby_streaming_delay = -1
),
	allows_streaming => 1, no_data_checksums => 1);

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

$primary->safe_psql(
	'postgres', q(
CREATE TABLE rows (id int, v real[]);
CREATE TABLE queries (id int, v real[]);
));
my $vectors = clustered(3200, 32, 3);
load_vectors($primary, 'queries', [ splice @$vectors, 0, 200 ]);
load_vectors($primary, 'rows', $vectors);
$primary->safe_psql('postgres', 'CREATE INDEX rows_v ON rows USING diskann (v)');

# The list that a session with a target gets.
my $list =
  "SET diskann.recall_target = 0.99; SELECT list_size FROM diskann_index_recall('rows_v', 1, 10)";
my $measure =
  q(SELECT round(recall::numeric, 2), queries, nodes FROM diskann_index_recall('rows_v', 'SELECT v FROM queries', 10, 20));

$primary->wait_for_catchup($standby);
my $session = session_start($standby, 'SET diskann.recall_target = 0;');
is(session_ask($session, "$list;"), "100\n", 'standby: nothing is calibrated yet');
$primary->safe_psql('postgres', "SELECT diskann_calibrate('rows_v')");
my $calibrated = $primary->safe_psql('postgres', $list);
cmp_ok($calibrated, '<', 100, "list $calibrated on the primary");
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $list), $calibrated, 'and on the standby');
is(session_ask($session, "$list;"), "$calibrated\n",
	'and in a session of the standby that knew nothing of it');
is($standby->safe_psql('postgres', $measure),
	$primary->safe_psql('postgres', $measure),
	'the standby measures what the primary does');
my ($status, $out, $err) =
  $standby->psql('postgres', "SELECT diskann_calibrate('rows_v')");
like($err, qr/cannot calibrate an index during recovery/,
	'a standby is not calibrated');
finish_ok($session, 'standby');
$standby->stop;

# Who locks a table and then drops its index waits for nobody who has the index
# and wants the table.
for my $function ('diskann_index_recall', 'diskann_calibrate')
{
	my $owner = session_start($primary, 'BEGIN; LOCK TABLE rows;');
	my $other;

	is(session_ask($owner, "SELECT 'locked';"), "locked\n", 'the table is locked');
	$other = session_start($primary,
		"SELECT $function('rows_v', 'SELECT v FROM rows WHERE id < 10');");
	poll_until($primary, q(
SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND relation = 'rows'::regclass));
	is(session_ask($owner, "DROP INDEX rows_v; SELECT 'dropped';"),
		"dropped\n", "$function has no lock on the index yet");
	session_ask($owner, "ROLLBACK; SELECT 'over';");
	finish_ok($owner, 'who locked the table');
	finish_ok($other, $function);
}

$primary->safe_psql('postgres', "SELECT diskann_calibrate('rows_v')");
$calibrated = $primary->safe_psql('postgres', $list);

# Cancelled before it ends, whichever part of it is under way.
for my $function (
	"diskann_index_recall('rows_v', 3000, 1000, 2000)",
	"diskann_calibrate('rows_v', 3000)")
{
	($status, $out, $err) = $primary->psql('postgres',
		"SET statement_timeout = 30; SELECT $function");
	like($err, qr/canceling statement due to statement timeout/,
		"$function is cancelled");
}
is($primary->safe_psql('postgres', $list),
	$calibrated, 'the calibration is what it was');
$primary->stop('immediate');
$primary->start;
is($primary->safe_psql('postgres', $list),
	$calibrated, 'and after a crash, too');
check_indexes($primary, 'after a crash');

# Write a number into the metapage.
sub damage
{
	my ($at, $bytes) = @_;
	my $file = index_file($primary, 'rows_v');

	$primary->stop;
	open my $fh, '+<:raw', $file or die "$file: $!";
	seek $fh, $at, 0;
	read $fh, my $old, length $bytes;
	seek $fh, $at, 0;
	print $fh $bytes;
	close $fh;
	$primary->start;
	return $old;
}

is(unpack('V', damage(QUERIES, pack 'V', 500)),
	500, 'this is where the number of queries is');
my $old = damage(SIZES, pack 'v', 60000);
for my $statement (
	"SELECT diskann_index_check('rows_v')",
	"SELECT diskann_index_recall('rows_v')",
	"SELECT diskann_calibrate('rows_v')",
	"SET enable_seqscan = off; SELECT id FROM rows ORDER BY v <-> (SELECT v FROM queries LIMIT 1) LIMIT 1")
{
	($status, $out, $err) = $primary->psql('postgres', $statement);
	like($err, qr/index "rows_v" is corrupted/, "damage is an error: $statement");
}
damage(SIZES, $old);
check_indexes($primary, 'mended');
no_crash_in_log($primary, 'recall');
done_testing();
