
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

plan skip_all => "cannot write to $dir" unless -w $dir;

# For each extension: what the made-up version lacks, which its update script
# creates, what it needs, and a column to index.
my %extensions = (
	diskann => {
		lacks => [
			qr/CREATE OPERATOR CLASS double_ip_ops\b.*?;\n/s,
			qr/CREATE FUNCTION diskann_simd\(\).*?;\n/s,
			qr/COMMENT ON FUNCTION diskann_simd\(\).*?;\n/s ],
		needs => '',
		type => 'real[]',
		class => 'real_l2_ops' });
$extensions{diskann_pgvector} = {
	lacks => [
		qr/CREATE FUNCTION diskann_halfvec_ip_support\(.*?;\n/s,
		qr/CREATE OPERATOR CLASS halfvec_ip_ops\b.*?;\n/s ],
	needs => 'CREATE EXTENSION diskann; CREATE EXTENSION vector;',
	type => 'vector(24)',
	class => 'vector_l2_ops' }
  if has_extension($node, 'vector');

sub make_oldest
{
	my $name = shift;
	my ($default) =
	  slurp_file("$dir/$name.control") =~ /^default_version = '(.*)'/m;
	my $script = slurp_file("$dir/$name--$default.sql");
	my $update = "/* made for a test */\n";

	for my $lacking (@{ $extensions{$name}{lacks} })
	{
		$script =~ s/($lacking)// or die "the script does not have $lacking";
		$update .= $1;
	}
	for ([ "$name--$oldest.sql", $script ],
		[ "$name--$oldest--$default.sql", $update ])
	{
		push @made, "$dir/$_->[0]";
		append_to_file($made[-1], $_->[1]);
	}
	return $default;
}
END { unlink @made; }

# Every object of an extension, with what can be told of it.
sub objects
{
	my ($db, $name) = @_;

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
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = :'name')
	ORDER BY x.description COLLATE "C";
SELECT x.description FROM pg_depend,
		pg_describe_object(classid, objid, objsubid) x(description)
	WHERE refclassid IN ('pg_opfamily'::regclass, 'pg_opclass'::regclass)
	AND classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass) AND refobjid >= 16384
	ORDER BY x.description COLLATE "C") =~ s/:'name'/'$name'/r);
}

# From one version of one extension to the newest.
sub test_update
{
	my ($name, $version, $fresh) = @_;
	my %extension = %{ $extensions{$name} };
	my $what = "$name $version";
	my $db = "from_$what" =~ tr/ .-/_/r;
	my $query = '{' . join(',', (0.1) x 24) . '}';
	my $answer = "SET enable_seqscan = off;
		SELECT id FROM t ORDER BY v <-> '$query'::real[] LIMIT 20";

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db,
		"$extension{needs} CREATE EXTENSION $name VERSION '$version';
		 CREATE TABLE data (id int, v real[]);
		 CREATE TABLE t (id int, v $extension{type});
		 CREATE INDEX t_v ON t USING diskann (v $extension{class})");
	my $id = 0;
	$node->safe_psql($db,
		"COPY data FROM stdin;\n"
		  . join('', map { $id++ . "\t$_\n" } @{ clustered(300, 24, 3) })
		  . "\\.\nINSERT INTO t TABLE data");
	my $before = $node->safe_psql($db, $answer);

	isnt(objects($db, $name), $fresh, "$what is another version")
	  if $version eq $oldest;

	# A session goes on with what it knows.
	my $session = session_start($node, "\\c $db\n");
	is(session_ask($session, $answer . ';'), "$before\n", "$what: another session");
	$node->safe_psql($db, "ALTER EXTENSION $name UPDATE");
	is(session_ask($session, $answer . ';'), "$before\n",
		"$what: another session after the update");
	$session->{in} .= "\\q\n";
	finish_ok($session, "$what: session");

	is(objects($db, $name), $fresh, "$what: same objects after the update");
	is($node->safe_psql($db, $answer), $before, "$what: same answers");
	$node->safe_psql($db,
		"INSERT INTO t SELECT id + 1000, v FROM t;
		 DELETE FROM t WHERE id < 200; VACUUM t");
	is($node->safe_psql($db, "SELECT tids FROM diskann_index_check('t_v', true)"),
		400, "$what: the index lives on");
	return;
}

for my $name (sort keys %extensions)
{
	my $default = make_oldest($name);

	$node->safe_psql('postgres', "CREATE DATABASE fresh_$name");
	$node->safe_psql("fresh_$name", "$extensions{$name}{needs} CREATE EXTENSION $name");
	my $fresh = objects("fresh_$name", $name);
	cmp_ok(scalar(split /\n/, $fresh), '>', 50, "$name: there is something to compare");

	my @versions = split /\n/, $node->safe_psql('postgres',
		"SELECT source FROM pg_extension_update_paths('$name')
			WHERE target = '$default' AND path IS NOT NULL ORDER BY 1");
	ok((grep { $_ eq $oldest } @versions), "$name: there are versions to come from");
	test_update($name, $_, $fresh) for @versions;
}

my ($status, $out, $err) =
  $node->psql('fresh_diskann', 'CREATE TABLE t (v real[]);
	CREATE INDEX ON t USING diskann (v); DROP EXTENSION diskann');
like($err, qr/cannot drop extension diskann because other objects depend on it/,
	'DROP EXTENSION is refused while there is an index');
no_crash_in_log($node, 'server');

done_testing();
