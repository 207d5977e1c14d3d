
# Copyright (c) 2026, diskann contributors

# Rows that come and go in clusters.  A window moves over clusters whose centres
# drift: after some turns of it no row is left that CREATE INDEX has linked, nor
# any edge between clusters that it made.  The index must stay about as good as
# one built anew, and no search may end in a wrong cluster.  And what a crash in
# the middle of a change of the roster leaves does not stay for ever.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	DIMS => 24,
	CLUSTERS => 120,
	ROWS => 6000,
	STEP => 600,
	CYCLES => 12,
	QUERIES => 120,
	SPREAD => 0.35
};

# Places in the metapage and in a slot, see src/store/format.h.
use constant {
	PAGE_HEADER => 24,
	SELF_SEARCHED => 116,
	SELF_MISSED => 136,
	NEXT => 8,
	SEQUENCE => 36
};

my $node = new_node('main', "autovacuum = off\nwal_consistency_checking = ''\n",
	no_data_checksums => 1);

$node->safe_psql('postgres', q(
CREATE TABLE w (id int, v real[]);
CREATE TABLE q (id int, v real[]);

-- Recall@10, and how many queries find at most one of their ten.
CREATE FUNCTION found(OUT recall float8, OUT lost int8) LANGUAGE sql AS
$$
SELECT avg(n) / 10, count(*) FILTER (WHERE n <= 1) FROM (
	SELECT (SELECT count(*) FROM nearest('w', '<->', q.v, 10, true) got
		WHERE got.dist <= (SELECT max(dist)
			FROM nearest('w', '<->', q.v, 10, false))) AS n
	FROM q) s
$$;
));

# ---------- rows, always the same ----------

srand(24);

sub gauss
{
	return sqrt(-2 * log(1 - rand)) * cos(6.283185307 * rand);
}

sub direction
{
	my $length = shift;
	my @x = map { gauss() } 1 .. DIMS;
	my $norm = 0;

	$norm += $_ * $_ for @x;
	return map { $_ * $length / sqrt($norm) } @x;
}

my @centres = map { [ map { gauss() } 1 .. DIMS ] } 1 .. CLUSTERS;
my @wind = direction(0.35);
my @moves = map {
	my @own = direction(0.7);
	[ map { $own[$_] + $wind[$_] } 0 .. DIMS - 1 ]
} 1 .. CLUSTERS;

sub draw
{
	my $count = shift;
	return map {
		my $centre = $centres[ rand @centres ];
		[ map { $_ + SPREAD * gauss() } @$centre ]
	} 1 .. $count;
}

sub drift
{
	for my $i (0 .. $#centres)
	{
		$centres[$i][$_] += $moves[$i][$_] for 0 .. DIMS - 1;
	}
	return;
}

sub as_text
{
	return [ map { '{' . join(',', map { sprintf '%.4f', $_ } @$_) . '}' } @_ ];
}

# ---------- the window moves ----------

my @rows;
for (1 .. ROWS / STEP)
{
	push @rows, draw(STEP);
	drift();
}
load_vectors($node, 'w', as_text(@rows));
$node->safe_psql('postgres', 'CREATE INDEX w_v ON w USING diskann (v)');
my $next = ROWS + 1;

for my $cycle (1 .. CYCLES)
{
	my @new = draw(STEP);
	my $from = $next - ROWS + STEP;

	$node->safe_psql('postgres', "DELETE FROM w WHERE id < $from");
	load_vectors($node, 'w', as_text(@new), $next);
	$node->safe_psql('postgres', 'VACUUM w');
	splice @rows, 0, STEP;
	push @rows, @new;
	$next += STEP;
	drift() if $cycle < CYCLES;
}

# Half of the queries are near rows there are, half where new rows come.
my @near = map { [ map { $_ + 0.1 * gauss() } @{ $rows[ rand @rows ] } ] }
  1 .. QUERIES / 2;
load_vectors($node, 'q', as_text(@near, draw(QUERIES / 2)));

sub found
{
	return split /\|/, $node->safe_psql('postgres', 'SELECT * FROM found()');
}

check_indexes($node, 'after the last turn');
my ($recall, $lost) = found();
my $self = $node->safe_psql('postgres', q(
SELECT value FROM diskann_index_info('w_v') WHERE property = 'self_recall'));
$node->safe_psql('postgres', 'REINDEX INDEX w_v');
my ($rebuilt, $rebuilt_lost) = found();
cmp_ok($recall, '>=', $rebuilt - 0.02, "recall $recall, of a new index $rebuilt");
is($lost, 0, 'no query ends in a wrong cluster');
cmp_ok($rebuilt, '>=', 0.98, 'the new index is good');
is($rebuilt_lost, 0, 'nor does it with the new index');
like($self, qr/^(0\.9[5-9]|1\.00)\d of \d{3,} at the last repair$/,
	"self-recall $self");

# ---------- a repair that did not find what it searched for ----------

# Change 32-bit numbers in a file while the server is down.
sub change
{
	my ($index, %numbers) = @_;
	my $file = $node->data_dir . '/'
	  . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$index')");

	$node->stop;
	open my $fh, '+<:raw', $file or die "could not open $file: $!";
	for (keys %numbers)
	{
		seek $fh, $_, 0;
		print $fh pack 'V', $numbers{$_};
	}
	close $fh or die "could not write $file: $!";
	$node->start;
	return;
}

change('w_v', PAGE_HEADER + SELF_SEARCHED, 1000, PAGE_HEADER + SELF_MISSED, 60);
like( $node->safe_psql('postgres', q(
SELECT string_agg(value, '; ') FROM diskann_index_info('w_v')
WHERE property IN ('self_recall', 'advice'))),
	qr/^0\.940 of 1000 at the last repair; REINDEX/, 'advice to REINDEX');

# ---------- a damaged roster ----------

sub check
{
	my ($status, $out, $err) = $node->psql('postgres',
		"SELECT orphans FROM diskann_index_check('w_v', true)");
	return "$out $err";
}

my $entry = 2 * 8192 + PAGE_HEADER;
change('w_v', $entry + SEQUENCE, 0);
like(check(), qr/ERROR:.*its chain of entry nodes has no number/,
	'a chain that backends would not read');
change('w_v', $entry + NEXT, 0xFFFFFFFF);
like(check(), qr/^1\d .*WARNING:.*start from only 32 nodes, not 375\n/,
	'entry nodes that nothing leads to');
$node->safe_psql('postgres', 'REINDEX INDEX w_v');
is(check(), '0 ', 'REINDEX makes them anew');

no_crash_in_log($node, 'server');

# ---------- an entry node that never came into the chain ----------

my $insert = q(
INSERT INTO e SELECT i, ARRAY[i % 41, i % 43, i % 47, i % 53]
	FROM generate_series(1, 2500) i);

sub orphans
{
	return $node->safe_psql('postgres',
		"SELECT orphans FROM diskann_index_check('e_v', true)");
}

SKIP:
{
	skip 'the library has no pause points', 6 unless can_pause($node);
	$node->safe_psql('postgres', q(
CREATE TABLE e (id int, v real[]);
CREATE INDEX e_v ON e USING diskann (v);));
	my ($status, $out, $err) = $node->psql('postgres',
		pause_at('entry-written error') . $insert);
	like($err, qr/stopped at "entry-written"/, 'an INSERT fails');
	is(orphans(), 1, 'and leaves an entry node in no chain');
	$node->safe_psql('postgres', $insert);
	is(orphans(), 1, 'which stays there');
	$node->safe_psql('postgres', 'DELETE FROM e WHERE id % 3 = 0');
	$node->safe_psql('postgres', 'VACUUM e');
	is(orphans(), 0, 'until VACUUM has repaired the graph');

	$node->safe_psql('postgres', 'TRUNCATE e');
	crash_at($node, 'entry-written', $insert);
	$node->safe_psql('postgres', $insert);
	check_indexes($node, 'after a crash at the same place');
	full_scan_ok($node, 'e', '<->', '{1,2,3,4}', 'and then');
}

$node->stop;
done_testing();
