
# Copyright (c) 2026, diskann contributors

# The first row of an index fixes its layout in several steps, of which marking
# the metapage ready is the last.  A crash before that leaves pages of a layout
# that another first row may not have: they must not be in its way.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use constant BLCKSZ => 8192;

my $node = new_node('main', '');

# Leave behind an index without rows what the first row of another one wrote.
sub leave_pages
{
	my ($empty, $filled) = @_;
	my ($to, $from) = map { index_file($node, $_) } $empty, $filled;

	$node->safe_psql('postgres', 'CHECKPOINT');
	$node->stop;
	my $meta = read_bytes($to);
	is(length($meta), BLCKSZ, "$empty is a metapage alone");
	open my $fh, '>:raw', $to or die "$to: $!";
	print $fh $meta, substr(read_bytes($from), BLCKSZ);
	close $fh;
	$node->start;
}

# Dimensions of the attempt that failed, and of the row that comes then: the
# centre takes more pages, fewer pages, a slot more pages than before.
foreach my $case ([ 3, 2500 ], [ 2500, 3 ], [ 3, 16000 ], [ 16000, 3 ])
{
	my ($before, $after) = @$case;
	my $name = "from $before to $after dimensions";

	$node->safe_psql('postgres', qq(
DROP TABLE IF EXISTS a, b;
CREATE TABLE a (id int, v real[]);
CREATE INDEX a_v ON a USING diskann (v);
CREATE TABLE b (id int, v real[]);
CREATE INDEX b_v ON b USING diskann (v);
INSERT INTO b SELECT i, array_fill(i::real, ARRAY[$before])
FROM generate_series(1, 40) i));
	leave_pages('a_v', 'b_v');
	$node->safe_psql('postgres', qq(
INSERT INTO a SELECT i, array_fill(i::real, ARRAY[$after])
FROM generate_series(1, 40) i));
	is( $node->safe_psql('postgres', qq(
SET enable_seqscan = off;
SELECT string_agg(id::text, ' ') FROM
(SELECT id FROM a ORDER BY v <-> array_fill(7.1::real, ARRAY[$after]) LIMIT 4) s)),
		'7 8 6 9', "$name: nearest rows");
	check_indexes($node, $name);
}

# ---------- a first row that is rolled back ----------

# It has fixed the dimensions of the index, but is no row of it: one of other
# dimensions may come.  As long as somebody uses the index, or may still see a
# row, it may not.
$node->safe_psql('postgres', q(
CREATE TABLE r (id int, v real[]) WITH (autovacuum_enabled = off);
CREATE INDEX r_v ON r USING diskann (v);
BEGIN; INSERT INTO r VALUES (1, '{1,2,3}'); ROLLBACK;
INSERT INTO r SELECT i, ARRAY[i, i, i, i % 7] FROM generate_series(1, 300) i;));
is($node->safe_psql('postgres', q(
SELECT value FROM diskann_index_info('r_v') WHERE property = 'dimensions')),
	4, 'dimensions of rows after a first one rolled back');
check_indexes($node, 'after a first row was rolled back');

my ($status, $out, $err) = $node->psql('postgres',
	"INSERT INTO r VALUES (1000, '{1,2}')");
like($err, qr/has 2 dimensions, but the index has 4/, 'rows are left');

$node->safe_psql('postgres', 'DELETE FROM r');
$node->safe_psql('postgres', q(
BEGIN;
SAVEPOINT s;
INSERT INTO r SELECT i, ARRAY[i, i % 5] FROM generate_series(1, 2000) i;
ROLLBACK TO s;
INSERT INTO r SELECT i, ARRAY[i, i % 5, i % 3] FROM generate_series(1, 200) i;
COMMIT;));
is($node->safe_psql('postgres', q(
SELECT value FROM diskann_index_info('r_v') WHERE property = 'dimensions')),
	3, 'dimensions after all rows were deleted, and a savepoint');
check_indexes($node, 'after a savepoint');

($status, $out, $err) = $node->psql('postgres', q(
DELETE FROM r;
BEGIN;
SET LOCAL enable_seqscan = off;
DECLARE c CURSOR FOR SELECT id FROM r ORDER BY v <-> '{0,0,0}';
FETCH c;
INSERT INTO r VALUES (1, '{1}');
COMMIT;), on_error_stop => 0);
like($err, qr/has 1 dimensions?, but the index has 3/,
	'a cursor of this session is open');

# A crash in the middle, when nothing is ready.
SKIP:
{
	skip 'the library has no pause points', 1 unless can_pause($node);
	crash_at($node, 'rows-forgotten', "INSERT INTO r VALUES (1, '{1}')");
}
$node->safe_psql('postgres',
	"INSERT INTO r SELECT i, ARRAY[i] FROM generate_series(1, 50) i");
check_indexes($node, 'after a crash in the middle');
is($node->safe_psql('postgres', q(
SET enable_seqscan = off;
SELECT id FROM r ORDER BY v <-> '{17.2}' LIMIT 1)), 17, 'and is searched');

$node->stop;
done_testing();
