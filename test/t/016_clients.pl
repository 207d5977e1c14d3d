
# Copyright (c) 2026, diskann contributors

# The clients people use, with lists of numbers and with pgvector's classes:
# libpq, psycopg 3 with pgvector-python, psycopg2, node-postgres with pgvector-node.
# Where the latter are is told by DISKANN_CLIENTS, a directory with "python" and
# "node"; otherwise they are used if they are installed.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main');
my $clients = $ENV{DISKANN_CLIENTS} // '/nonexistent';
my $source = "$FindBin::RealBin/../clients";
my $work = PostgreSQL::Test::Utils::tempdir();
my $pgvector = has_extension($node, 'vector');

$node->safe_psql('postgres', 'CREATE EXTENSION diskann_pgvector CASCADE')
  if $pgvector;
note('no pgvector here: real[] columns only') unless $pgvector;

# Run a client; each line "ok - what" or "not ok - what" of it is a test, of which
# there are that many at least.
sub client_ok
{
	my ($name, $tests, @command) = @_;
	my ($out, $err) = run_command(\@command);
	my $seen = 0;

	for (split /\n/, $out)
	{
		if (/^(not )?ok - (.*)/)
		{
			ok(!$1, "$name: $2");
			$seen++;
		}
		else
		{
			note($_);
		}
	}
	is($err, '', "$name has nothing to complain about");
	cmp_ok($seen, '>=', $tests, "$name has done its work");
	return;
}

my $tests = $pgvector ? 15 : 8;

# The first of some interpreters that can do this.
sub interpreter
{
	my ($try, @names) = @_;

	for my $name (@names)
	{
		my ($out, $err) = run_command([ 'sh', '-c', "exec $name $try" ]);
		return $name if $out =~ /^works/;
	}
	return;
}

# ---------- libpq ----------

my $config = sub { $node->config_data("--$_[0]") };
command_ok(
	[
		$ENV{CC} // 'cc', '-Wall', '-Wextra', '-o', "$work/libpq_test",
		'-I', $config->('includedir'), "$source/libpq_test.c",
		'-L', $config->('libdir'), '-lpq', '-lm' ],
	'libpq: compiling');
client_ok('libpq', $tests, "$work/libpq_test", $node->connstr('postgres'));

# ---------- psycopg ----------

{
	local $ENV{PYTHONPATH} = "$clients/python";
	local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
	my $modules = $pgvector ? 'psycopg, pgvector.psycopg' : 'psycopg';
	my $python = python_with($modules);

  SKIP:
	{
		skip "no python3 with $modules", 1 unless defined $python;
		client_ok('psycopg', $tests, $python, "$source/psycopg_test.py",
			$node->connstr('postgres'));
	}
}

# ---------- psycopg2 ----------

{
	local $ENV{PYTHONPATH} = "$clients/python";
	local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
	my $python = python_with('psycopg2');

  SKIP:
	{
		skip 'no python3 with psycopg2', 1 unless defined $python;
		client_ok('psycopg2', 14, $python, "$source/psycopg2_test.py",
			$node->connstr('postgres'));
	}
}

# ---------- node-postgres ----------

{
	local $ENV{DISKANN_NODE} = "$clients/node";
	# It may name a file that is not here, about which node would complain.
	delete local $ENV{NODE_EXTRA_CA_CERTS};
	my $modules = $pgvector ? '"pg", "pgvector/pg"' : '"pg"';
	my $nodejs = interpreter(
		"-e 'for (const m of [$modules])
			require(\"module\").createRequire(process.env.DISKANN_NODE + \"/\").resolve(m);
			console.log(\"works\")'",
		'node', 'nodejs');

  SKIP:
	{
		skip "no node with $modules", 1 unless defined $nodejs;
		client_ok('node-postgres', $tests, $nodejs, "$source/node_postgres_test.mjs",
			$node->host, $node->port, 'postgres');
	}
}

no_crash_in_log($node, 'server');

done_testing();
