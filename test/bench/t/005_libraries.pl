
# Copyright (c) 2026, diskann contributors

# libraries.py measures what a library finds, not what it says, and puts a report
# beside it: shown with a library of ours that searches exactly, or leaves out
# one row in two where its list is short.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/../../t";
use DiskannTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $bench = "$FindBin::RealBin/..";
my $base = "$FindBin::RealBin/../../data/sift-5k.base.u8bin.gz";
my $dir = PostgreSQL::Test::Utils::tempdir;

my $python = python_with('numpy');

plan skip_all => 'no numpy' unless defined $python;

# The other libraries must not be found, whatever is installed.
mkdir "$dir/modules" or die $!;
append_to_file("$dir/modules/$_.py", "raise ImportError('none here')\n")
  for qw(faiss usearch);
append_to_file("$dir/modules/hnswlib.py", <<'END');
import numpy

class Index:
    def __init__(self, metric, dims):
        assert metric == 'l2' and dims == 128

    def init_index(self, n, ef_construction, M):
        assert n == 1000 and ef_construction > 0 and M > 0

    def add_items(self, base, num_threads):
        self.base = base

    def set_ef(self, size):
        self.size = size

    def knn_query(self, queries, k, num_threads):
        ids = numpy.array([numpy.argsort(((self.base - q) ** 2).sum(axis=1))[:k]
                           for q in queries])
        if self.size < 40:
            ids[:, ::2] = -1
        return ids, None
END
append_to_file("$dir/report.json", <<'END');
{"sets": {"sift-5k-1000": {"contenders": {"ours": {
  "build": {"seconds": {"value": 2.5, "repeats": [2.5]}},
  "curve": [
    {"setting": "10", "recall": 0.9, "p50_ms": {"value": 0.25, "repeats": [0.25]}},
    {"setting": "20", "recall": 0.999, "p50_ms": {"value": 1, "repeats": [1]}}]
}}}}}
END

local $ENV{PYTHONPATH} = "$dir/modules";
my @command = (
	$python, "$bench/libraries.py", $base, '--limit', '1000',
	'--queries', '20', '--repeat', '1');
my ($out, $err);

IPC::Run::run([ @command, '--report', "$dir/report.json", '--picture', "$dir/p.svg" ],
	'>', \$out, '2>', \$err);
is($?, 0, 'it runs') or diag($err);
like($out, qr/^\| ours \| 2\.5 \| 19\d\d at 0\.950 \(1\.00\) \| 1\d\d\d at 0\.990 /m,
	'the report, between its settings');
like($out, qr/^\| hnswlib \| \d+\.\d \| \d+ at 0\.950 \(\d+\.\d\d\) \|/m,
	'the library, at the recall of what it found');
like($err, qr/^faiss: left out: none here$/m, 'what is missing is told');

my $picture = slurp_file("$dir/p.svg");
like($picture, qr/<title>hnswlib: recall 0\.5000, /, 'rows not found are missed');
like($picture, qr/<title>hnswlib: recall 1\.0000, /, 'rows found are not');
like($picture, qr/<title>ours: recall 0\.9990, 1000</, 'the report is drawn, too');

unlink "$dir/modules/hnswlib.py" or die $!;
append_to_file("$dir/modules/hnswlib.py", "raise ImportError('none here')\n");
command_fails_like(\@command, qr/there is no library/, 'without any it fails');

done_testing();
