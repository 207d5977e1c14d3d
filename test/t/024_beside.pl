
# Copyright (c) 2026, diskann contributors

# Another library that defines settings of our names, as pgvectorscale's does:
# when ours comes second, it says in its own words what is wrong.  The other
# library here is a copy of ours under another name.

use strict;
use warnings FATAL => 'all';

use File::Copy qw(copy);
use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main');
my $refusal = qr/ERROR:  42710: library "diskann" cannot be loaded beside another that defines "diskann\.query_search_list_size"
DETAIL:  .*pgvectorscale.*
HINT:  Use one of the two in a session/;

# Where our library may be, in the order in which the server looks.
my $libdir = $node->config_data('--pkglibdir');
my ($destdir, $path) = split /\|/, $node->safe_psql('postgres',
	q(SELECT current_setting('extension_destdir', true),
		current_setting('dynamic_library_path')));
my ($library) = grep { -f $_ } map { "$_/diskann.so" } "$destdir$libdir",
  map { s/\$libdir/$libdir/r } split /:/, $path;
my $other = PostgreSQL::Test::Utils::tempdir() . '/other.so';

copy($library, $other) or die "could not copy $library: $!";

# By which name the server finds it: where there is no extension_destdir, only
# functions find a library of dynamic_library_path by its name in $libdir.
my $name = $destdir ne '' ? '$libdir/diskann' : 'diskann';
my $load = "LOAD '$name'";

# What statements say on standard error, each after the one before has failed.
sub errors
{
	my $sql = shift;
	my ($status, $out, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\n$sql", on_error_stop => 0);

	return $err;
}

$node->safe_psql('postgres', q(
CREATE EXTENSION IF NOT EXISTS diskann;
CREATE TABLE t (id int, v real[]);
INSERT INTO t VALUES (1, '{1,2}'), (2, '{3,4}');
CREATE INDEX ON t USING diskann (v);
));

my $again = "LOAD '$other'; $load;";
my $err = errors($again);
like($err, qr/^psql:.*$refusal/, 'the second library is refused');
unlike($err, qr/redefine/, 'without a word of how settings are defined');
$err = errors("LOAD '$other';
	SELECT v <-> '{1,2}' FROM t; SELECT id FROM t ORDER BY v <-> '{1,2}';");
is(() = $err =~ /$refusal/g, 2, 'every statement that needs it is told so');

is( $node->safe_psql(
		'postgres', "SET diskann.query_search_list_size = 33; $load;
			SHOW diskann.query_search_list_size"),
	33,
	'a setting made before any library defined it is taken over');
is($node->safe_psql('postgres', "$load; $load; SELECT 1"), 1, 'the same library twice is one');

$node->append_conf('postgresql.conf', "shared_preload_libraries = '$other'");
$node->restart;
like(errors($load),
	$refusal, 'so it is when the other one is always there');
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = '$name'");
$node->restart;
is($node->safe_psql('postgres', q(SELECT id FROM t ORDER BY v <-> '{3,3}' LIMIT 1)),
	2, 'ours may be always there');

no_crash_in_log($node, 'server');

done_testing();
