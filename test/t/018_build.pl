
# Copyright (c) 2026, diskann contributors

# CREATE INDEX: by several processes, with little memory, of parts of a table;
# what it reports, logs and leaves behind.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node(
	'main', q(
max_worker_processes = 16
max_parallel_workers = 8
wal_consistency_checking = ''
log_temp_files = -1
));
$node->safe_psql('postgres', 'CREATE TABLE data (id int, v real[])');
$node->safe_psql('postgres', 'CREATE TABLE queries (id int, v real[])');
load_vectors($node, 'data', sift('base', 4000));
load_vectors($node, 'queries', sift('query', 50));

# Enough rows for several balls, many of them equal, some NULL.
$node->safe_psql(
	'postgres', q(
CREATE TABLE t (id int, v real[]);
INSERT INTO t SELECT d.id + 4000 * i,
	ARRAY(SELECT x + i * (1 + (o * 7 + d.id) % 5) FROM unnest(v) WITH ORDINALITY u(x, o))
	FROM data d, generate_series(0, 5) i;
INSERT INTO t SELECT 100000 + id, v FROM data WHERE id < 300;
INSERT INTO t SELECT 200000 + i, NULL FROM generate_series(1, 500) i;
ANALYZE t;
));
my $rows = $node->safe_psql('postgres', 'SELECT count(v) FROM t');
my $create = 'CREATE INDEX t_v ON t USING diskann (v)';

# Builds; returns what the build says of itself.
sub build
{
	my ($workers, $settings) = @_;
	my ($status, $out, $err) = $node->psql(
		'postgres', qq(
DROP INDEX IF EXISTS t_v;
ALTER TABLE t SET (parallel_workers = $workers);
SET max_parallel_maintenance_workers = 8;
$settings
SET client_min_messages = debug1;
$create;
));

	is($status, 0, "built with $workers workers") or diag($err);
	return $err;
}

# What a graph answers tells one from another, and how it searched.
sub answers
{
	return $node->safe_psql(
		'postgres', q(
SET enable_seqscan = off;
SET diskann.query_search_list_size = 12;
SELECT md5(string_agg(n.ids::text, ',' ORDER BY q.id))
FROM queries q, LATERAL (SELECT ARRAY(SELECT id FROM t ORDER BY v <-> q.v LIMIT 30) ids) n;
SELECT nodes, tids, edges, unreachable FROM diskann_index_check('t_v', true);
));
}

# ---------- one process, much memory and little ----------

like(build(0, ''), qr/nodes by 1 processes/, 'serial');
check_indexes($node, 'serial');
my $serial = answers();
my $recall = recall($node, 't', '<->', 'queries');
cmp_ok($recall, '>=', 0.95, sprintf 'serial: recall %.4f', $recall);
build(0, '');
is(answers(), $serial, 'the same again');

# Rows do not fit into the cache while they are compared, but what edges are
# chosen by does: then each is read once, and not whenever it is a candidate.
my $said = build(0, "SET maintenance_work_mem = '1MB';");
my %reads = $said =~ /diskann build: ([a-z ]+), (\d+) reads of rows so far/g;
is(answers(), $serial, 'the same with little memory');
cmp_ok($reads{'choosing edges'}, '>', 1.2 * $rows, 'rows were read several times');
cmp_ok($reads{'connecting graph'} - $reads{'choosing edges'}, '<=', $rows,
	'but not to choose edges');

# ---------- several ----------

for my $workers (1, 3)
{
	my $processes = $workers + 1;

	like(build($workers, ''), qr/nodes by $processes processes/, "$workers workers take part");
	check_indexes($node, "$workers workers");
	my $parallel = recall($node, 't', '<->', 'queries');
	cmp_ok($parallel, '>=', $recall - 0.02, sprintf '%d workers: recall %.4f', $workers, $parallel);
	is( $node->safe_psql('postgres', q(
SELECT reltuples FROM pg_class WHERE relname = 't_v')),
		$rows, 'reltuples of the index');
	is( $node->safe_psql('postgres', q(
SELECT reltuples FROM pg_class WHERE relname = 't')),
		$rows + 500, 'reltuples of the table');
}
like(build(3, "SET max_parallel_workers = 0;"), qr/nodes by 1 processes/,
	'no worker is to be had');
$node->safe_psql('postgres', "DROP INDEX t_v; CREATE INDEX CONCURRENTLY t_v ON t USING diskann (v)");
check_indexes($node, 'CONCURRENTLY, 3 workers');
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY t_v');
check_indexes($node, 'REINDEX CONCURRENTLY');

# Part of the table, by an expression; and nothing of it.
$node->safe_psql(
	'postgres', q(
CREATE INDEX t_part ON t USING diskann ((v[1:64])) WHERE id % 10 = 3;
CREATE INDEX t_none ON t USING diskann (v) WHERE id < 0;
));
is( $node->safe_psql('postgres', q(
SELECT tids = (SELECT count(v) FROM t WHERE id % 10 = 3) FROM diskann_index_check('t_part', true))),
	't', 'partial index, 3 workers');
is( $node->safe_psql('postgres', q(SELECT tids FROM diskann_index_check('t_none', true))),
	'0', 'partial index without rows, 3 workers');
$node->safe_psql('postgres', 'DROP INDEX t_part, t_none');

# A function that must not run in workers, and one that fails there.
$node->safe_psql(
	'postgres', q(
CREATE FUNCTION own(real[]) RETURNS real[] LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS
	'BEGIN RETURN $1; END';
CREATE FUNCTION bad(id int, v real[]) RETURNS real[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
	$$ BEGIN IF id = 20000 THEN RAISE 'bad row'; END IF; RETURN v; END $$;
));
my ($status, $out, $err) = $node->psql('postgres',
	'SET client_min_messages = debug1; CREATE INDEX t_own ON t USING diskann (own(v))');
like($err, qr/nodes by 1 processes/, 'an unsafe function keeps it to one process');
$node->safe_psql('postgres', 'DROP INDEX t_own');
($status, $out, $err) = $node->psql('postgres', 'CREATE INDEX t_bad ON t USING diskann (bad(id, v))');
like($err, qr/bad row/, 'an error in a worker is reported');
($status, $out, $err) = $node->psql(
	'postgres', qq(
DROP INDEX t_v;
INSERT INTO t VALUES (300000, '{1,2,3}');
$create;
));
like($err, qr/vector has 3 dimensions, but the index has 128|vector has 128 dimensions, but the index has 3|different numbers of dimensions/,
	'different dimensions, whoever reads them');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id = 300000; VACUUM t');

# ---------- many small clusters ----------

# Searches have to find their way between them: a graph of nearest neighbours
# and their like has no edges for that.
$node->safe_psql(
	'postgres', q(
SELECT setseed(0.25);
CREATE TABLE centre AS SELECT c, j, random() * 10 AS x
	FROM generate_series(1, 300) c, generate_series(1, 16) j;
CREATE FUNCTION near(x float8) RETURNS real LANGUAGE sql
	RETURN (x + (random() + random() + random() + random() - 2) * 0.25)::real;
CREATE TABLE clusters AS SELECT i AS id, array_agg(near(x) ORDER BY j) AS v
	FROM generate_series(1, 20000) i JOIN centre ON c = 1 + i % 300 GROUP BY i;
CREATE TABLE cluster_queries AS SELECT i AS id, array_agg(near(x) ORDER BY j) AS q
	FROM generate_series(1, 200) i JOIN centre ON c = 1 + i * 7 % 300 GROUP BY i;
ALTER TABLE cluster_queries ADD tenth float8;
UPDATE cluster_queries SET tenth = (SELECT max(d) FROM
	(SELECT v <-> q AS d FROM clusters ORDER BY d LIMIT 10) s);
CREATE INDEX ON clusters USING diskann (v);
));
my $between = $node->safe_psql(
	'postgres', q(
SET enable_seqscan = off;
SET diskann.query_search_list_size = 40;
SELECT avg((SELECT count(*) FROM
	(SELECT v <-> q AS d FROM clusters ORDER BY v <-> q LIMIT 10) s
	WHERE d <= tenth)) / 10 FROM cluster_queries));
cmp_ok($between, '>=', 0.97, 'searches find their way between clusters');

# ---------- WAL ----------

my $before = $node->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
$node->safe_psql('postgres', $create);
cmp_ok( $node->safe_psql('postgres', qq(
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$before') / pg_relation_size('t_v'))),
	'<=', 1.1, 'WAL of a build');
$node->safe_psql('postgres', 'DROP INDEX t_v');

# ---------- what is left behind ----------

($status, $out, $err) = $node->psql('postgres', "SET temp_file_limit = '512kB'; $create");
like($err, qr/temporary file size exceeds/, 'temp_file_limit');
poll_until($node, q(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'));
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0',
	'no temporary files are left');
done_testing();
