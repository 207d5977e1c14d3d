
# Copyright (c) 2026, diskann contributors

# Statements that are cancelled, sessions that are terminated, transactions that
# are rolled back: in the middle of whatever an index does.  Nothing is left
# behind, and the next statement works.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', q(wal_consistency_checking = ''));

$node->safe_psql(
	'postgres', q(
CREATE TABLE data (id int, v real[]);
CREATE SEQUENCE ids START 100000;
CREATE TABLE t (id int, v real[]);

-- Files of the database that belong to nothing.
CREATE VIEW strays AS SELECT f FROM
	pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = current_database())) f
WHERE f ~ '^\d' AND pg_filenode_relation(0, substring(f, '^\d+')::oid) IS NULL;

-- Call a function on a session's process, once that says it is in a phase of
-- CREATE INDEX or VACUUM.  False if it ended before.
CREATE FUNCTION strike(weapon text, wanted text) RETURNS bool LANGUAGE plpgsql AS
$$
DECLARE
	victim int;
	started bool := false;
BEGIN
	FOR attempt IN 1 .. 100000 LOOP
		PERFORM pg_stat_clear_snapshot();
		SELECT pid INTO victim FROM
			(SELECT pid, phase FROM pg_stat_progress_create_index
			 UNION ALL SELECT pid, phase FROM pg_stat_progress_vacuum) p
			WHERE phase LIKE '%' || wanted;
		IF victim IS NOT NULL THEN
			EXECUTE format('SELECT %I($1)', weapon) USING victim;
			RETURN true;
		END IF;
		started := started OR EXISTS (SELECT FROM pg_stat_progress_create_index)
			OR EXISTS (SELECT FROM pg_stat_progress_vacuum);
		EXIT WHEN started AND NOT EXISTS (SELECT FROM pg_stat_activity
			WHERE backend_type = 'client backend' AND state = 'active'
			AND pid <> pg_backend_pid());
	END LOOP;
	RETURN false;
END
$$;
));
load_vectors($node, 'data', sift('base'));
my $query = sift('query', 1)->[0];
my $create = 'CREATE INDEX t_v ON t USING diskann (v real_l2_ops)';

# The statement succeeds or is cancelled; nothing else can happen.
sub run_with_timeout
{
	my ($ms, $sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nSET statement_timeout = $ms;\n$sql");

	return 1 if $status == 0;
	die "unexpected error: $err" if $err !~ /57014/;
	return 0;
}

# The same with several timeouts; tells how many were cancelled.
sub cancel_often
{
	my ($sql, @ms) = @_;

	return scalar grep { !run_with_timeout($_, $sql) } @ms;
}

sub nothing_left
{
	my $what = shift;

	# Files of dropped relations are removed by the next checkpoint.
	$node->safe_psql('postgres', 'CHECKPOINT');
	is($node->safe_psql('postgres', 'TABLE strays'), '', "$what: no stray files");
	return;
}

# ---------- CREATE INDEX ----------

$node->safe_psql('postgres', 'INSERT INTO t TABLE data');
my $cancelled = cancel_often("BEGIN; $create; ROLLBACK",
	5, 15, 30, 60, 100, 150, 200, 300);
cmp_ok($cancelled, '>=', 2, "CREATE INDEX: cancelled $cancelled times");
nothing_left('CREATE INDEX');

for my $weapon ('pg_cancel_backend', 'pg_terminate_backend')
{
	for my $phase (
		'loading vectors', 'comparing vectors', 'choosing edges',
		'writing pages')
	{
		# By this process alone, and with workers.
		my $workers = $weapon eq 'pg_cancel_backend' || $phase =~ /vectors/ ? 2 : 0;
		my $session = session_start(
			$node, qq(
SET client_min_messages = error;
ALTER TABLE t SET (parallel_workers = $workers);
$create;
DROP INDEX t_v;
));

		my $hit = $node->safe_psql('postgres', "SELECT strike('$weapon', '$phase')");
		eval { $session->{handle}->finish };
		note("$weapon while $phase: " . ($hit eq 't' ? 'hit' : 'missed'));
		like($session->{err}, $hit eq 't' ? qr/^(|.*(canceling|terminating).*)$/s : qr/^$/,
			"CREATE INDEX: $weapon while $phase");
		is($node->safe_psql('postgres', q(SELECT to_regclass('t_v') IS NULL)),
			't', 'there is no index');
	}
}
nothing_left('CREATE INDEX, killed');
poll_until($node, q(SELECT count(*) = 0 FROM pg_stat_activity
	WHERE backend_type = 'parallel worker'));
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'),
	'0', 'no temporary files');

# ---------- rolled back ----------

$node->safe_psql('postgres', $create);
my $catalog = q(SELECT pg_relation_filenode('t_v'), count(*) FROM pg_class);
my $before = $node->safe_psql('postgres', $catalog);
for my $sql (
	'REINDEX INDEX t_v', 'DROP INDEX t_v', 'DROP TABLE t', 'TRUNCATE t',
	"DROP INDEX t_v; $create; INSERT INTO t SELECT nextval('ids'), v FROM data LIMIT 10",
	"TRUNCATE t; INSERT INTO t SELECT * FROM data LIMIT 100",
	'CREATE TABLE other AS SELECT * FROM data LIMIT 100; CREATE INDEX ON other USING diskann (v)')
{
	$node->safe_psql('postgres', "BEGIN; $sql; ROLLBACK");
	is($node->safe_psql('postgres', $catalog), $before, "rolled back: $sql");
}
$node->safe_psql(
	'postgres', qq(
SET enable_seqscan = off;
BEGIN;
SAVEPOINT s;
TRUNCATE t;
INSERT INTO t SELECT * FROM data LIMIT 100;
ROLLBACK TO s;
INSERT INTO t SELECT nextval('ids'), noisy(v, 5) FROM data LIMIT 20;
SAVEPOINT s2;
INSERT INTO t SELECT nextval('ids'), v FROM data LIMIT 20;
SELECT id FROM t ORDER BY v <-> '$query' LIMIT 5;
ROLLBACK TO s2;
COMMIT;
));
nothing_left('rolled back');
full_scan_ok($node, 't', '<->', $query, 'rolled back');
check_indexes($node, 'rolled back');

# A session that dies with an index of its own uncommitted.
my $session = session_start($node, 'BEGIN;');
my $pid = session_ask($session, qq(
CREATE TABLE own AS SELECT * FROM data LIMIT 500;
CREATE INDEX own_v ON own USING diskann (v);
INSERT INTO own SELECT id + 10000, v FROM data LIMIT 500;
SELECT pg_backend_pid();
));
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
eval { $session->{handle}->finish };
nothing_left('terminated with an index uncommitted');

# ---------- INSERT, scans, VACUUM ----------

$cancelled = cancel_often(
	"INSERT INTO t SELECT nextval('ids'), noisy(v, 5) FROM data",
	20, 50, 100, 200, 300);
$cancelled += cancel_often(
	"INSERT INTO t SELECT nextval('ids'), v FROM data, generate_series(1, 1000) WHERE id <= 10",
	3, 6, 10, 20, 30);
cmp_ok($cancelled, '>=', 2, "INSERT: cancelled $cancelled times");
full_scan_ok($node, 't', '<->', $query, 'INSERT cancelled');
check_indexes($node, 'INSERT cancelled');

$cancelled = 0;
for my $memory ('64kB', '64MB')
{
	$cancelled += cancel_often(qq(
SET work_mem = '$memory';
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> '$query' OFFSET 0) s), 1 .. 10);
}
cmp_ok($cancelled, '>=', 2, "scans: cancelled $cancelled times");

for my $ms (1, 3, 10, 30, 100, 300, 600)
{
	$node->safe_psql('postgres',
		"DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY random() LIMIT 300)");
	run_with_timeout(
		$ms, q(
SET vacuum_cost_delay = '1ms';
SET vacuum_cost_limit = 30;
SET vacuum_cost_page_miss = 1;
VACUUM (INDEX_CLEANUP on) t));
}
full_scan_ok($node, 't', '<->', $query, 'VACUUM cancelled');
check_indexes($node, 'VACUUM cancelled');

for my $weapon ('pg_cancel_backend', 'pg_terminate_backend')
{
	for my $phase ('vacuuming indexes', 'cleaning up indexes')
	{
		$node->safe_psql('postgres',
			"DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY random() LIMIT 400)");
		my $victim = session_start(
			$node, q(
SET vacuum_cost_delay = '2ms';
SET vacuum_cost_limit = 20;
VACUUM (INDEX_CLEANUP on) t;
));
		my $hit = $node->safe_psql('postgres', "SELECT strike('$weapon', '$phase')");
		eval { $victim->{handle}->finish };
		note("$weapon while $phase: " . ($hit eq 't' ? 'hit' : 'missed'));
		check_indexes($node, "VACUUM: $weapon while $phase");
	}
}
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 3 = 0');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) t') for (1, 2);
full_scan_ok($node, 't', '<->', $query, 'at last');
is($node->safe_psql('postgres', q(SELECT empty, orphans FROM diskann_index_check('t_v', true))),
	'0|0', 'VACUUM leaves nothing behind');
nothing_left('at last');
unlike(slurp_file($node->logfile), qr/WARNING/, 'nothing was leaked');
no_crash_in_log($node, 'server');

done_testing();
