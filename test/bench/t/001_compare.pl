
# Copyright (c) 2026, diskann contributors

# The regression gate of test/bench: what is worse by more than the limit is
# told of by the exit status; times get the room that repeats show they need.

use strict;
use warnings FATAL => 'all';

use FindBin;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $bench = "$FindBin::RealBin/../bench";
my $dir = PostgreSQL::Test::Utils::tempdir;

if (system('python3 -c "import sys; sys.exit(sys.version_info < (3, 8))"') != 0)
{
	plan skip_all => 'no python3 of at least 3.8';
}

sub metric
{
	my @repeats = @_;
	my @sorted = sort { $a <=> $b } @repeats;

	return { value => $sorted[ @sorted / 2 ], repeats => \@repeats };
}

# A report with some metrics of each sort; options replace them by name.
sub report_file
{
	my ($name, %given) = @_;
	my %m = (
		pages => metric(100, 100, 100),
		qps => metric(1000, 1010, 1020),
		p99_ms => metric(2.0, 2.02, 2.01),
		instructions => metric(300000),
		calls => metric(60),
		index_bytes => metric(8192000),
		seconds => metric(10, 10.1, 10.2),
		read => metric(0),
		growth_bytes => metric(0),
		%given);
	my $report = {
		format => 1,
		first => 'diskann',
		sets => {
			mnist => {
				contenders => {
					diskann => {
						curve => [ { pages => metric(1) } ],
						at => {
							'0.95' => $given{at} // {
								recall => 0.95,
								qps => $m{qps},
								p99_ms => $m{p99_ms},
								pages => $m{pages},
								read => $m{read}
							}
						},
						counted => {
							instructions => $m{instructions},
							calls => { visit => $m{calls} }
						},
						lateral => { growth_bytes => $m{growth_bytes} },
						build => {
							index_bytes => $m{index_bytes},
							seconds => $m{seconds}
						}
					},
					hnsw => { at => { '0.95' => { pages => metric(500) } } }
				}
			}
		}
	};
	my $file = "$dir/$name.json";

	append_to_file($file, encode_json($report));
	return $file;
}

# Compares two files; checks status and what the output tells.
sub compare_is
{
	my ($old, $new, $status, $pattern, $name, @options) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run [ 'python3', $bench, 'compare', $old, $new, @options ],
	  '>', \$out, '2>', \$err;
	is($? >> 8, $status, "$name: status") or diag("$out$err");
	like("$out$err", $pattern, "$name: output");
	return;
}

my $old = report_file('old');

compare_is($old, $old, 0, qr/9 metrics compared, 0 regressions/, 'same file');

# Counts: no noise, so just the limit.
compare_is($old, report_file('pages6', pages => metric((106) x 3)),
	1, qr{^REGRESSION mnist/at/0\.95/pages: 100 -> 106, 6\.0 % worse}m,
	'6 % more pages');
compare_is($old, report_file('pages4', pages => metric((104) x 3)),
	0, qr/0 regressions/, '4 % more pages');
compare_is($old, "$dir/pages4.json", 1, qr/REGRESSION/,
	'4 % more pages, limit 3 %',
	'--max-regress', 3);
compare_is("$dir/pages6.json", $old, 0, qr/0 regressions/, 'fewer pages');
compare_is($old, report_file('instr6', instructions => metric(318000)),
	1, qr{REGRESSION mnist/counted/instructions}, '6 % more instructions');
compare_is($old, report_file('calls6', calls => metric(63.6)),
	1, qr{REGRESSION mnist/counted/calls/visit}, '6 % more visits');
compare_is($old, report_file('size6', index_bytes => metric(8683520)),
	1, qr{REGRESSION mnist/build/index_bytes}, '6 % larger index');

# From nothing to next to nothing is no step, to much is one.
my $none = report_file('none', read => metric(0), growth_bytes => metric(-200));
compare_is($none,
	report_file('little', read => metric(0.1), growth_bytes => metric(8000)),
	0, qr/0 regressions/, 'little growth, few pages read');
compare_is($none,
	report_file('leak', read => metric(0), growth_bytes => metric(1e6)),
	1, qr{REGRESSION mnist/lateral/growth_bytes}, 'growth in LATERAL');
compare_is($none,
	report_file('reads', read => metric(9), growth_bytes => metric(0)),
	1, qr{REGRESSION mnist/at/0\.95/read}, 'pages read');

# Times: repeats 2 % apart leave the limit as it is, 20 % apart do not.
compare_is($old, report_file('qps6', qps => metric(940, 950, 955)),
	1, qr{REGRESSION mnist/at/0\.95/qps: 1010 -> 950}, '6 % fewer QPS');
compare_is($old, report_file('qps6n', qps => metric(850, 950, 1040)),
	0, qr/0 regressions/, '6 % fewer QPS among noise');
compare_is($old, report_file('p99', p99_ms => metric(2.2, 2.2, 2.2)),
	1, qr{REGRESSION mnist/at/0\.95/p99_ms}, '10 % higher p99');
compare_is($old, report_file('faster', qps => metric((2000) x 3)),
	0, qr/0 regressions/, 'more QPS');

# Another run of the old version tells that times scatter by 8 % here.
my $same = report_file('same', qps => metric(930, 935, 940));
compare_is($old, "$dir/qps6.json", 0, qr/0 regressions/,
	'6 % fewer QPS, 8 % in an A/A run',
	'--same', $same);
compare_is($old, report_file('qps12', qps => metric(890, 895, 900)),
	1, qr{REGRESSION mnist/at/0\.95/qps}, '12 % fewer QPS, 8 % in an A/A run',
	'--same', $same);

# What is no longer there is worse than anything.
compare_is($old, report_file('gone', at => { recall => 0.9 }),
	1, qr{REGRESSION mnist/at/0\.95/pages: not in the new report},
	'recall no longer reached');
compare_is($old, $old, 0, qr/^hnsw: 1 metrics compared, 0 regressions/m,
	'another contender',
	'--contender', 'hnsw');
compare_is($old, $old, 2, qr/nothing to compare/,
	'no such contender',
	'--contender', 'nobody');

append_to_file("$dir/foreign.json", '{"results": []}');
compare_is($old, "$dir/foreign.json", 1, qr/not a report of this tool/,
	'another file');

done_testing();
