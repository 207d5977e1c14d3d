
# Copyright (c) 2026, diskann contributors

# Databases move: pg_dump and psql, pg_dump and pg_restore in parallel, and
# pg_upgrade, which takes the files of an index as they are.  Definitions and
# answers stay the same, whatever was installed first.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main');
my $pgvector = has_extension($node, 'vector');
note('no pgvector here: real[] columns only') unless $pgvector;

# ---------- what is to be moved ----------

sub create_tables
{
	my $db = shift;

	$node->safe_psql(
		$db, q(
CREATE TABLE "Plain" (id int PRIMARY KEY, v real[]);
CREATE TABLE parts (id int, v real[]) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (300);
CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (300) TO (10000);
CREATE UNLOGGED TABLE un (id int, v real[]);
CREATE TABLE empty (id int, v double precision[]);
));
	$node->safe_psql($db,
		"COPY parts FROM stdin;\n"
		  . join('', map { "$_->[0]\t$_->[1]\n" } vectors()) . "\\.\n");
	$node->safe_psql(
		$db, q(
INSERT INTO "Plain" TABLE parts;
INSERT INTO un TABLE parts;
CREATE INDEX "Plain l2" ON "Plain" USING diskann (v);
CREATE INDEX "Plain cosine" ON "Plain" USING diskann (v real_cosine_ops)
	WITH (num_neighbors = 50, edge_bits = 256, max_alpha = 1.3,
		vector_storage = int8, query_search_list_size = 300);
CREATE INDEX "Plain prefix" ON "Plain" USING diskann ((v[1:16]) real_ip_ops)
	WHERE id % 2 = 0;
CREATE INDEX ON parts USING diskann (v);
CREATE INDEX ON un USING diskann (v real_ip_ops);
CREATE INDEX ON empty USING diskann (v double_cosine_ops)
	WITH (num_dimensions = 16, storage_layout = plain);
DELETE FROM "Plain" WHERE id % 10 = 3;
VACUUM "Plain";
UPDATE "Plain" SET v[1] = 7 WHERE id % 10 = 4;
));
	return unless $pgvector;
	$node->safe_psql(
		$db, q(
CREATE TABLE vectors (id int, v vector(32), h halfvec(32));
INSERT INTO vectors SELECT id, v::vector, v::halfvec FROM parts;
CREATE INDEX ON vectors USING diskann (v);
CREATE INDEX ON vectors USING diskann (v vector_l2_ops) WITH (num_neighbors = 50);
CREATE INDEX ON vectors USING diskann (h halfvec_ip_ops);
CREATE INDEX ON vectors USING diskann ((v::halfvec(32)) halfvec_cosine_ops);
CREATE INDEX ON vectors USING diskann ((subvector(v, 1, 8)::vector(8)) vector_l2_ops);
));
	return;
}

my @vectors;

sub vectors
{
	my $id = 0;

	@vectors = map { [ $id++, $_ ] } @{ clustered(600, 32, 5) } unless @vectors;
	return @vectors;
}

# All definitions, and what some queries return by their indexes: with such a
# list the search is exact.
my @queries = (
	'"Plain" ORDER BY v <-> $1',
	'"Plain" ORDER BY v <=> $1',
	'"Plain" WHERE id % 2 = 0 ORDER BY v[1:16] <#> $1[1:16]',
	'parts ORDER BY v <-> $1', 'un ORDER BY v <#> $1',
	'empty ORDER BY v <=> $1');
push @queries, 'vectors ORDER BY v <=> $1::vector', 'vectors ORDER BY v <-> $1::vector',
  'vectors ORDER BY h <#> $1::halfvec',
  'vectors ORDER BY v::halfvec(32) <=> $1::halfvec',
  'vectors ORDER BY subvector(v, 1, 8)::vector(8) <-> $1[1:8]::vector'
  if $pgvector;

sub answers
{
	my ($server, $db) = @_;
	my $sql = q(
SELECT tablename, indexname, indexdef FROM pg_indexes
	WHERE schemaname = 'public' ORDER BY 1, 2;
SET diskann.query_search_list_size = 1000;
SET enable_seqscan = off;
SET enable_sort = off;
);
	my $query = "('{" . join(',', map { $_ / 40 } 1 .. 32) . "}'::real[])";

	for (@queries)
	{
		my $from = s/\$1/$query/gr;

		$sql .= "EXPLAIN (COSTS OFF) SELECT * FROM $from LIMIT 20;\n";
		$sql .= "SELECT id FROM $from LIMIT 20;\n";
	}

	# Searches of pages that come from a disk may visit other nodes.
	$server->safe_psql($db, $sql);
	return $server->safe_psql($db, $sql);
}

# A restored database has the same, and its indexes are sound.
sub same_ok
{
	my ($server, $db, $expected, $what) = @_;

	is(answers($server, $db), $expected, "$what: same definitions and answers");
	check_database($server, $db, $what);
	return;
}

# check_indexes, in any database
sub check_database
{
	my ($server, $db, $what) = @_;
	my ($status, $out, $err) = $server->psql(
		$db, q(
SELECT count(diskann_index_check(c.oid, true)) FROM pg_class c
	JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'diskann' AND c.relkind = 'i'));

	ok($status == 0 && $out >= 7, "$what: check of $out indexes") or diag($err);
	return;
}

# ---------- dump and restore ----------

my $dir = PostgreSQL::Test::Utils::tempdir();
my %extensions = (
	diskann_first => $pgvector
	? 'CREATE EXTENSION diskann; CREATE EXTENSION vector; CREATE EXTENSION diskann_pgvector'
	: 'CREATE EXTENSION diskann',
	vector_first => 'CREATE EXTENSION vector; CREATE EXTENSION diskann_pgvector CASCADE',
	# The names of schemas sort differently from those of extensions.
	schemas => 'CREATE SCHEMA zzz; CREATE SCHEMA aaa; CREATE EXTENSION vector SCHEMA zzz;
		CREATE EXTENSION diskann SCHEMA aaa; CREATE EXTENSION diskann_pgvector SCHEMA public;
		ALTER DATABASE :DBNAME SET search_path = public, aaa, zzz');
delete @extensions{qw(vector_first schemas)} unless $pgvector;

my $expected;
for my $db (sort keys %extensions)
{
	my $sql = $extensions{$db} =~ s/:DBNAME/$db/r;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, $sql);
	create_tables($db);
	my $answers = answers($node, $db);
	like($answers, qr/Index Scan using "Plain l2"/, "$db: by the index");
	like($answers, qr/num_neighbors='50'/, "$db: with options");
	is(scalar(() = $answers =~ /Index Scan using/g),
		@queries + 1, "$db: every query by an index, that of partitions by two");

	$node->command_ok([ 'pg_dump', '-f', "$dir/$db.sql", $node->connstr($db) ],
		"$db: pg_dump");
	$node->command_ok(
		[ 'pg_dump', '-Fd', '-j2', '-f', "$dir/$db.dir", $node->connstr($db) ],
		"$db: pg_dump -j2");
	for my $kind (qw(psql restore))
	{
		my $copy = "${db}_$kind";

		$node->safe_psql('postgres', "CREATE DATABASE $copy");
		$node->safe_psql('postgres',
			"ALTER DATABASE $copy SET search_path = public, aaa, zzz")
		  if $db eq 'schemas';
		if ($kind eq 'psql')
		{
			$node->command_ok(
				[
					'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/$db.sql",
					'-d', $node->connstr($copy) ],
				"$copy: psql");
		}
		else
		{
			$node->command_ok(
				[
					'pg_restore', '-j2', '--exit-on-error', '-d',
					$node->connstr($copy), "$dir/$db.dir" ],
				"$copy: pg_restore -j2");
		}
		same_ok($node, $copy, $answers, $copy);
		$node->safe_psql('postgres', "DROP DATABASE $copy");
	}
	$expected = $answers;
}

# ---------- pg_upgrade, to the same version ----------

my $before = answers($node, 'diskann_first');
my $loads = !$node->psql('postgres', q(LOAD '$libdir/diskann'));
my $library_path = $node->safe_psql('postgres', 'SHOW dynamic_library_path');
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
$node->safe_psql('postgres', 'DROP EXTENSION diskann CASCADE');
$node->stop;

# pg_upgrade looks for libraries where the programs have theirs.  If that is not
# enough, give it programs with diskann among their libraries.
my $bindir = $node->config_data('--bindir');
my $library = (split /:/, $library_path)[0] . '/diskann.so';
if (!$loads)
{
	for my $path (map { $node->config_data($_) } '--bindir', '--pkglibdir', '--sharedir')
	{
		system_or_bail('mkdir', '-p', "$dir/pg$path");
		system_or_bail('cp', '-r', "$path/.", "$dir/pg$path");
	}
	system_or_bail('cp', $library, "$dir/pg" . $node->config_data('--pkglibdir'));
	$bindir = "$dir/pg$bindir";
}
chdir $dir or die "could not enter $dir: $!";
command_ok(
	[
		'pg_upgrade', $node->pg_version < 15 ? () : '--no-sync', '-d',
		$node->data_dir, '-D', $new->data_dir,
		'-b', $node->config_data('--bindir'), '-B', $bindir, '-s', $new->host, '-p', $node->port,
		'-P', $new->port ],
	'pg_upgrade');
chdir $FindBin::RealBin;
$new->append_conf('postgresql.conf', 'autovacuum = off');
$new->start;
is(answers($new, 'diskann_first'), $before, 'upgraded: same answers');
check_database($new, 'diskann_first', 'upgraded');
$new->safe_psql(
	'diskann_first', q(
INSERT INTO "Plain" SELECT id + 1000, v FROM parts;
DELETE FROM "Plain" WHERE id < 300;
VACUUM "Plain";
REINDEX INDEX "Plain cosine";
));
check_database($new, 'diskann_first', 'upgraded and written to');
no_crash_in_log($_, $_->name) for $node, $new;

done_testing();
