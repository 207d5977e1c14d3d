
# Copyright (c) 2026, diskann contributors

# ALTER EXTENSION UPDATE: from every version there is a way from, what comes out
# is what CREATE EXTENSION makes, and indexes live on.  One more version is made
# up here, older than all, which lacks a few things.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main');
my $oldest = '0.0.0';
my @made;

$node->safe_psql('postgres', 'DROP EXTENSION diskann CASCADE');

# Where scripts are looked for: the first of these that is set.
sub script_dir
{
	my $share = $node->config_data('--sharedir');
	my $destdir = $node->safe_psql('postgres',
		"SELECT current_setting('extension_destdir', true)");
	my $path = $node->safe_psql('postgres',
		"SELECT split_part(current_setting('extension_control_path', true), ':', 1)");

	return "$destdir$share/extension" if $destdir ne '';
	return "$path/extension" if $path ne '' && $path ne '$system';
	return "$share/extension";
}

my $dir = script_dir();
my ($default) =
  slurp_file("$dir/diskann.control") =~ /^default_version = '(.*)'/m;
my $script = slurp_file("$dir/diskann--$default.sql");

plan skip_all => "cannot write to $dir" unless -w $dir;

# What the made-up version lacks is what its update script creates.
my $update = "/* made for a test */\n";
for my $lacking (
	qr/CREATE OPERATOR CLASS double_ip_ops\b.*?;\n/s,
	qr/CREATE FUNCTION diskann_simd\(\).*?;\n/s,
	qr/COMMENT ON FUNCTION diskann_simd\(\).*?;\n/s)
{
	$script =~ s/($lacking)// or die "the script does not have $lacking";
	$update .= $1;
}
for ([ "diskann--$oldest.sql", $script ],
	[ "diskann--$oldest--$default.sql", $update ])
{
	push @made, "$dir/$_->[0]";
	append_to_file($made[-1], $_->[1]);
}
END { unlink @made; }

# Every object of an extension, with what can be told of it.
sub objects
{
	my $db = shift;

	return $node->safe_psql(
		$db, q(
SELECT x.description || coalesce(': ' || CASE
		WHEN classid = 'pg_proc'::regclass
			THEN pg_get_functiondef(objid) || coalesce(p.proacl::text, '')
		WHEN classid = 'pg_operator'::regclass
			THEN (SELECT oprcode || ' ' || oprcom::regoperator FROM pg_operator
				WHERE oid = objid) END, '')
		|| coalesce(' ' || obj_description(objid, classid::regclass::name), '')
	FROM pg_depend d LEFT JOIN pg_proc p ON p.oid = d.objid,
		pg_describe_object(classid, objid, objsubid) x(description)
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'diskann')
	ORDER BY x.description COLLATE "C";
SELECT x.description FROM pg_depend,
		pg_describe_object(classid, objid, objsubid) x(description)
	WHERE refclassid IN ('pg_opfamily'::regclass, 'pg_opclass'::regclass)
	AND classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass) AND refobjid >= 16384
	ORDER BY x.description COLLATE "C"));
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION diskann');
my $fresh = objects('fresh');
cmp_ok(scalar(split /\n/, $fresh), '>', 200, 'there is something to compare');

my @versions = split /\n/, $node->safe_psql('postgres',
	"SELECT source FROM pg_extension_update_paths('diskann')
		WHERE target = '$default' AND path IS NOT NULL ORDER BY 1");
ok((grep { $_ eq $oldest } @versions), 'there are versions to come from');

for my $version (@versions)
{
	my $db = 'from_' . ($version =~ tr/.-/__/r);
	my $query = '{' . join(',', (0.1) x 24) . '}';
	my $answer = "SET enable_seqscan = off;
		SELECT id FROM t ORDER BY v <-> '$query' LIMIT 20";

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db,
		"CREATE EXTENSION diskann VERSION '$version';
		 CREATE TABLE t (id int, v real[]);
		 CREATE INDEX t_v ON t USING diskann (v)");
	my $id = 0;
	$node->safe_psql($db,
		"COPY t FROM stdin;\n"
		  . join('', map { $id++ . "\t$_\n" } @{ clustered(300, 24, 3) }) . "\\.\n");
	my $before = $node->safe_psql($db, $answer);

	isnt(objects($db), $fresh, "$version is another version")
	  if $version eq $oldest;

	# A session goes on with what it knows.
	my $session = session_start($node, "\\c $db\n");
	is(session_ask($session, $answer . ';'), "$before\n", "$version: another session");
	$node->safe_psql($db, 'ALTER EXTENSION diskann UPDATE');
	is(session_ask($session, $answer . ';'), "$before\n",
		"$version: another session after the update");
	$session->{in} .= "\\q\n";
	finish_ok($session, "$version: session");

	is(objects($db), $fresh, "$version: same objects after the update");
	is($node->safe_psql($db, $answer), $before, "$version: same answers");
	$node->safe_psql($db,
		"INSERT INTO t SELECT id + 1000, v FROM t;
		 DELETE FROM t WHERE id < 200; VACUUM t");
	is($node->safe_psql($db, "SELECT tids FROM diskann_index_check('t_v', true)"),
		400, "$version: the index lives on");
}

my ($status, $out, $err) =
  $node->psql('fresh', 'CREATE TABLE t (v real[]);
	CREATE INDEX ON t USING diskann (v); DROP EXTENSION diskann');
like($err, qr/cannot drop extension diskann because other objects depend on it/,
	'DROP EXTENSION is refused while there is an index');
no_crash_in_log($node, 'server');

done_testing();
