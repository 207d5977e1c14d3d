
# Copyright (c) 2026, diskann contributors

# Every statement of README.md and of docs/ runs.
#
# Each page has a database of its own, and each block of it marked sql or python is
# run where it stands.  Comments of HTML, which readers do not see, tell more:
#
#	<!-- run			statements that are run there, too
#	SELECT 1;
#	-->
#	<!-- $1 = '{1,2,3}' -->		what parameters stand for from there on
#	<!-- needs vector -->		up to the next heading, what needs an extension
#	<!-- needs python module -->	or a module of Python
#	<!-- skip: why -->		the next block is not run

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use DiskannTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my $node = new_node('main', "max_parallel_workers_per_gather = 0\n");

# Roles belong to no database, so that pages cannot each create theirs.
$node->safe_psql('postgres', 'CREATE ROLE watcher');

# The Python that has what was needed last.
my $python;
$ENV{PYTHONPATH} = "$ENV{DISKANN_CLIENTS}/python" if $ENV{DISKANN_CLIENTS};

# What a page has to be run, in order: [kind, line, text].
sub parts_of
{
	my ($file) = @_;
	my ($kind, $start, $text, @parts);

	for my $line (split /^/, slurp_file($file))
	{
		$start++;
		if (defined $kind)
		{
			if ($line =~ ($kind eq 'run' ? qr/^-->/ : qr/^\s*```/))
			{
				push @parts, [ $kind, $start, $text ];
				undef $kind;
			}
			else
			{
				$text .= $line;
			}
		}
		elsif ($line =~ /^\s*```(\w*)/)
		{
			($kind, $text) = ($1 eq '' ? 'text' : $1, '');
		}
		elsif ($line =~ /^<!-- run$/)
		{
			($kind, $text) = ('run', '');
		}
		elsif ($line =~ /^<!-- (?:(\$\d+) =|(needs|skip):?) (.*) -->$/)
		{
			push @parts, [ $1 // $2, $start, $3 ];
		}
		elsif ($line =~ /^#+ /)
		{
			push @parts, [ 'heading', $start, $line ];
		}
	}
	die "$file: a block is not closed" if defined $kind;
	return @parts;
}

# Why this cannot be run here, or nothing.
sub lacking
{
	my ($need) = @_;

	if ($need =~ /^python (.*)/)
	{
		$python = python_with($1);
		return $need unless defined $python;
	}
	elsif (!has_extension($node, $need))
	{
		return $need;
	}
	return;
}

sub run_sql
{
	my ($database, $what, $text) = @_;
	my ($status, $out, $err) =
	  $node->psql($database, $text, on_error_stop => 1);

	ok($status == 0, $what) or diag($err);
	return;
}

sub run_python
{
	my ($database, $what, $text) = @_;
	my ($out, $err);
	local %ENV = (
		%ENV,
		PGHOST => $node->host,
		PGPORT => $node->port,
		PGDATABASE => $database);

	ok(IPC::Run::run([ $python // 'python3', '-' ], '<', \$text, '>', \$out, '2>', \$err),
		$what)
	  or diag($err);
	return;
}

# Returns how many blocks were run, or why they were not.
sub run_page
{
	my ($page) = @_;
	my (%value, $lacks, $skip);
	my $database = lc($page =~ s/\W/_/gr);
	my $seen = 0;

	$node->safe_psql('postgres', qq(CREATE DATABASE "$database"));
	for my $part (parts_of("$top/$page"))
	{
		my ($kind, $line, $text) = @$part;
		my $what = "$page:$line";

		if ($kind =~ /^\$/) { $value{$kind} = $text; }
		elsif ($kind eq 'heading') { undef $lacks; }
		elsif ($kind eq 'needs') { $lacks //= lacking($text); }
		elsif ($kind eq 'skip') { $skip = $text; }
		elsif ($kind =~ /^(run|sql|python)$/)
		{
			my $why = $skip // (defined $lacks ? "needs $lacks" : undef);

			$seen++ if $kind ne 'run';
			undef $skip if $kind ne 'run';
		  SKIP: {
				skip "$what: $why", 1 if defined $why;
				if ($kind eq 'python')
				{
					run_python($database, $what, $text);
				}
				else
				{
					$text =~ s/(\$\d+)/$value{$1} \/\/ $1/ge;
					run_sql($database, $what, $text);
				}
			}
		}
	}
	return $seen;
}

my @pages = map { s/^\Q$top\E\///r } "$top/README.md", sort glob "$top/docs/*.md";
my $blocks = 0;

$blocks += run_page($_) for @pages;
cmp_ok($blocks, '>=', 5, scalar(@pages) . " pages with $blocks blocks");

no_crash_in_log($node, 'server');
done_testing();
