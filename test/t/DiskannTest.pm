
# Copyright (c) 2026, diskann contributors

=pod

=head1 NAME

DiskannTest - what the tests of diskann share

=head1 DESCRIPTION

Servers with the extension, vectors to put into them, work in the background,
and the questions every test asks in the end: is the index what it should be,
does a scan of it return every row once and in order, and how many of the
nearest neighbours does it find?

Some environment variables make tests larger: DISKANN_TEST_SECONDS (how long
005_concurrent.pl runs), DISKANN_TEST_RANDOM and DISKANN_TEST_SEED (number and
kind of random damages in 008_corruption.pl).

=cut

package DiskannTest;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  new_node install_helpers has_extension python_with
  sift clustered load_vectors
  check_indexes full_scan_ok order_ok recall
  pgbench_start session_start session_ask finish_ok
  no_crash_in_log poll_until wait_for_clients
  pause_at can_pause crash_at index_file read_bytes
);

# A started server with the extension.  Everything that is not the test's own
# doing is off: what VACUUM does, and when, is what is tested.
sub new_node
{
	my ($name, $conf, %init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%init);
	$node->append_conf(
		'postgresql.conf', qq(
autovacuum = off
log_statement = none
shared_buffers = 64MB
max_wal_size = 2GB
statement_timeout = 120s
));
	$node->append_conf('postgresql.conf', $conf) if defined $conf;
	$node->start;
	install_helpers($node);
	return $node;
}

# Functions on the server.  Plans must not depend on costs here: those who want
# the index, or not, say so.
sub install_helpers
{
	my $node = shift;

	$node->safe_psql(
		'postgres', q(
CREATE EXTENSION diskann;

-- A copy of a vector with a little noise, so that it becomes another one.
CREATE FUNCTION noisy(v real[], amount float8) RETURNS real[]
LANGUAGE sql VOLATILE AS
$$ SELECT array_agg((e + amount * (random() - 0.5))::real ORDER BY n)
   FROM unnest(v) WITH ORDINALITY u(e, n) $$;

-- The k nearest rows, by the index or without it.
CREATE FUNCTION nearest(tab regclass, op text, q anyarray, k int, by_index bool)
RETURNS TABLE (place int8, id int, dist float8) LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM set_config('enable_seqscan', (NOT by_index)::text, true),
		set_config('enable_indexscan', by_index::text, true),
		set_config('enable_sort', (NOT by_index)::text, true),
		set_config('max_parallel_workers_per_gather', '0', true);
	RETURN QUERY EXECUTE format(
		'SELECT row_number() OVER (), id, dist FROM
		 (SELECT id, v %1$s $1 AS dist FROM %2$s ORDER BY v %1$s $1 LIMIT $2) s',
		op, tab) USING q, k;
END
$$;

-- How many of the exact k nearest an index scan finds, over all queries of a
-- table (id, v).  Ties count as found.
CREATE FUNCTION recall(tab regclass, op text, queries regclass, k int)
RETURNS float8 LANGUAGE plpgsql AS
$$
DECLARE
	query record;
	worst float8;
	n int8;
	found int8 := 0;
	wanted int8 := 0;
BEGIN
	FOR query IN EXECUTE format('SELECT v FROM %s', queries) LOOP
		SELECT max(dist), count(*) INTO worst, n
			FROM nearest(tab, op, query.v, k, false);
		wanted := wanted + n;
		found := found + (SELECT count(*)
			FROM nearest(tab, op, query.v, k, true) WHERE dist <= worst);
	END LOOP;
	RETURN found::float8 / wanted;
END
$$;

-- Of queries with LIMITs of 1 to 100: how many were there, how many rows came
-- too early, and how many queries did not get all they should?
CREATE FUNCTION order_errors(tab regclass, op text, queries regclass,
	OUT asked int8, OUT inversions int8, OUT short int8) LANGUAGE plpgsql AS
$$
DECLARE
	total int8;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s', tab) INTO total;
	EXECUTE format('
SELECT count(*), sum(inversions),
	count(*) FILTER (WHERE found <> least(wanted, %s))
FROM (SELECT id, wanted, count(*) FILTER (WHERE dist < before) AS inversions,
		count(*) AS found
	FROM (SELECT q.id, wanted, dist,
			lag(dist) OVER (PARTITION BY q.id ORDER BY place) AS before
		FROM (SELECT id, v, id %% 100 + 1 AS wanted FROM %s) q,
			LATERAL nearest(%L, %L, q.v, wanted, true)) r
	GROUP BY id, wanted) s', total, queries, tab, op)
	INTO asked, inversions, short;
END
$$;
));
	return;
}

# Could this extension be created?
sub has_extension
{
	my ($node, $name) = @_;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extensions WHERE name = '$name'");
}

# The first Python that has all of these modules.  Debian's packages are found by
# Debian's own alone, which another one may hide.
sub python_with
{
	my ($modules) = @_;

	for my $python ('python3', '/usr/bin/python3')
	{
		my ($out) = run_command([ $python, '-c', "import $modules; print('works')" ]);
		return $python if $out =~ /^works/;
	}
	return;
}

# Vectors of the SIFT sample, as text: 'base' or 'query'.
sub sift
{
	my ($part, $count) = @_;
	my $file = "$FindBin::RealBin/../data/sift-5k.$part.u8bin.gz";
	my ($head, $row, @vectors);

	open my $pipe, '-|', 'gzip', '-dc', $file or die "could not read $file: $!";
	binmode $pipe;
	read($pipe, $head, 8) == 8 or die "$file is too short";
	my ($rows, $dims) = unpack 'V2', $head;
	$rows = $count if defined $count && $count < $rows;
	for (1 .. $rows)
	{
		read($pipe, $row, $dims) == $dims or die "$file is too short";
		push @vectors, '{' . join(',', unpack('C*', $row)) . '}';
	}
	close $pipe;
	return \@vectors;
}

# Vectors around common centres, as text, always the same for the same seed.
# The lengths vary, which matters to inner product alone.
sub clustered
{
	my ($count, $dims, $seed, $clusters) = @_;
	my (@centres, @vectors);

	srand($seed);
	for (1 .. $clusters // 40)
	{
		push @centres, [ map { rand(2) - 1 } 1 .. $dims ];
	}
	for (1 .. $count)
	{
		my $centre = $centres[ rand @centres ];
		my $length = 0.5 + rand;

		push @vectors,
		  '{' . join(
			',',
			map {
				sprintf '%.4f', $length * ($_ + 0.6 * (rand() + rand() - 1))
			} @$centre) . '}';
	}
	return \@vectors;
}

# Append vectors to a table (id int, v ...), ids counting from $first.
sub load_vectors
{
	my ($node, $table, $vectors, $first) = @_;
	my $id = $first // 1;

	$node->safe_psql('postgres',
		"COPY $table (id, v) FROM stdin;\n"
		  . join('', map { $id++ . "\t$_\n" } @$vectors) . "\\.\n");
	return;
}

# Every invariant of every valid index, and every row in its place.
sub check_indexes
{
	my ($node, $what, $heapallindexed) = @_;
	my $all = $heapallindexed // 'true';
	my $indexes = $node->safe_psql(
		'postgres', q(
SELECT c.oid::regclass FROM pg_class c JOIN pg_am a ON a.oid = c.relam
	JOIN pg_index i ON i.indexrelid = c.oid
WHERE a.amname = 'diskann' AND c.relkind = 'i' AND i.indisvalid
	AND c.relpersistence <> 't' AND NOT
	(c.relpersistence = 'u' AND pg_is_in_recovery())
ORDER BY 1));

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	for my $index (split /\n/, $indexes)
	{
		my ($status, $out, $err) = $node->psql('postgres',
			"SELECT diskann_index_check('$index', $all)");

		ok($status == 0, "$what: check of $index") or diag($err);
	}
	ok($indexes ne '', "$what: there is an index") if $indexes eq '';
	return;
}

# A scan of the whole index returns every row once.
sub full_scan_ok
{
	my ($node, $table, $op, $query, $what) = @_;
	my $result = $node->safe_psql(
		'postgres', qq(
SET enable_seqscan = off;
SET enable_sort = off;
CREATE TEMP TABLE seen AS SELECT id FROM $table ORDER BY v $op '$query';
RESET enable_seqscan;
RESET enable_sort;
SET enable_indexscan = off;
CREATE TEMP TABLE expected AS SELECT id FROM $table WHERE v IS NOT NULL;
SELECT 'missing ' || id FROM (TABLE expected EXCEPT ALL TABLE seen) m
UNION ALL
SELECT 'unexpected ' || id FROM (TABLE seen EXCEPT ALL TABLE expected) u
LIMIT 10;
));

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($result, '', "$what: a full scan returns every row once");
	return;
}

# Queries for 1 to 100 rows get these in order.  Returns the number of queries.
sub order_ok
{
	my ($node, $table, $op, $queries, $what) = @_;
	my ($asked, $inversions, $short) = split /\|/,
	  $node->safe_psql('postgres',
		"SELECT * FROM order_errors('$table', '$op', '$queries')");

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$inversions, $short", '0, 0', "$what: $asked queries are in order");
	return $asked;
}

# Mean recall@10 of the vectors in a table of queries.
sub recall
{
	my ($node, $table, $op, $queries) = @_;

	return $node->safe_psql('postgres',
		"SELECT recall('$table', '$op', '$queries', 10)");
}

# Run pgbench in the background on scripts given as text.
sub pgbench_start
{
	my ($node, $clients, $seconds, %scripts) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my %run = (out => '', err => '', name => 'pgbench');
	my @command = (
		'pgbench', '-n', '-h', $node->host, '-p', $node->port,
		'-c', $clients, '-j', 2, '-T', $seconds);

	for my $name (sort keys %scripts)
	{
		my $weight = $name =~ /@(\d+)$/ ? $1 : 1;
		my $file = "$dir/" . $name =~ s/@\d+$//r . '.sql';

		append_to_file($file, $scripts{$name});
		push @command, '-f', "$file\@$weight";
	}
	$run{handle} = IPC::Run::start([ @command, 'postgres' ],
		'<', \undef, '>', \$run{out}, '2>', \$run{err});
	return \%run;
}

# A psql in the background, given statements to start with.
sub session_start
{
	my ($node, $sql) = @_;
	my %run = (in => "$sql\n", out => '', err => '', name => 'psql');

	$run{handle} = IPC::Run::start(
		[
			'psql', '-XAtq', '-h', $node->host, '-p', $node->port,
			'-v', 'ON_ERROR_STOP=1', '-f', '-', 'postgres'
		],
		'<', \$run{in}, '>', \$run{out}, '2>', \$run{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$run{handle}->pump_nb while length $run{in};
	return \%run;
}

# Send it more, and wait for the answer.
sub session_ask
{
	my ($run, $sql) = @_;

	$run->{in} .= "$sql\n\\echo <answered>\n";
	$run->{handle}->pump until $run->{out} =~ s/^(.*?)<answered>\n//s;
	return $1;
}

# Wait for a background program: it must have succeeded, without a word.
sub finish_ok
{
	my ($run, $what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	IPC::Run::finish($run->{handle});
	is($run->{handle}->result(0), 0, "$what: $run->{name} succeeds");
	is($run->{err}, '', "$what: $run->{name} has nothing to complain about");
	return;
}

# Wait until so many other clients are connected.
sub wait_for_clients
{
	my ($node, $count) = @_;

	poll_until($node, qq(SELECT count(*) >= $count FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()));
	return;
}

# Wait until a query gives t.
sub poll_until
{
	my ($node, $query) = @_;

	$node->poll_query_until('postgres', $query)
	  or die "timed out waiting for: $query";
	return;
}

sub no_crash_in_log
{
	my ($node, $what) = @_;
	my $log = slurp_file($node->logfile);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	unlike($log, qr/terminated by signal|TRAP:|PANIC:/,
		"$what: no process crashed");
	return;
}

# Where the main fork of an index is.
sub index_file
{
	my ($node, $index) = @_;

	return $node->data_dir . '/'
	  . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$index')");
}

sub read_bytes
{
	my $path = shift;

	open my $fh, '<:raw', $path or die "$path: $!";
	local $/;
	return <$fh>;
}

# Statements that load the library and name a place of src/store/pause.h.
sub pause_at
{
	my $place = shift;

	return "DO \$\$ BEGIN PERFORM diskann_simd(); END \$\$;\n"
	  . "SET diskann.pause_at = '$place';\n";
}

# Has the library places to stop at?  Only one built with STRICT=1 has.
sub can_pause
{
	my $node = shift;

	return $node->safe_psql('postgres', pause_at('nowhere')
		  . "SELECT current_setting('diskann.pause_at', true) = 'nowhere'") eq 't';
}

# Run statements that take the server down at a place, and wait until it has
# recovered.
sub crash_at
{
	my ($node, $place, $statements) = @_;

	$node->safe_psql('postgres', 'ALTER SYSTEM SET restart_after_crash = on');
	$node->reload;
	my ($status) = $node->psql('postgres', pause_at("$place crash") . $statements);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	isnt($status, 0, "crash at $place");
	$node->poll_query_until('postgres', 'SELECT true')
	  or die 'the server did not recover';
	return;
}

1;
