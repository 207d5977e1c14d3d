#!/bin/bash
#
# See diskann work, from an empty machine: "make demo".
#
# Installs the packages that are missing, builds a copy of the sources, starts
# a private server without a network address in a temporary directory, indexes
# the 60,000 images of MNIST, and compares the index with the exact answers.
# Stops and removes all that (but the packages) in the end.  Tells before what it
# fetches and how long it takes, and something every few seconds while it does.

# shellcheck disable=SC2119 # functions called without arguments on purpose
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

exact_queries=100
data=$top/test/data

# What an empty machine has to fetch, and the time, README.md tells as well.
introduce()
{
	cat <<'END'
== installs what is missing, builds, starts a private server, indexes, measures
  fetches   what is told below before it begins: about 220 MB on an empty Debian 12,
            240 MB on 13, nothing where PostgreSQL and its headers are
  takes     about two minutes on two processors, and the time to fetch and install
  leaves    the packages, and nothing else
END
}

prepare()
{
	say "looking for what is needed: compiler, PostgreSQL, headers"
	install_packages
	find_programs
	make_work
	own_server
	forget_servers
	say "building for PostgreSQL $("$PG_CONFIG" --version | sed 's/^PostgreSQL //')"
	copy_sources
	narrated "building the extension" build_module ||
		die "the extension could not be built"
	narrated "building the benchmark driver" run_as_server make -s \
		-C "$work/src/test/bench" "PG_CONFIG=$PG_CONFIG" all ||
		die "the benchmark driver could not be built"
	bench=$work/src/test/bench/diskann_bench
}

# Scans of a table of more than a quarter of shared_buffers go past them: the
# exact scan shall find the whole table there.
start()
{
	say "starting a private server in $work"
	narrated "creating a cluster" init_server
	narrated "starting" start_server 'shared_buffers = 1GB' \
		'maintenance_work_mem = 512MB' 'max_wal_size = 4GB' 'autovacuum = off' \
		'jit = off' "max_parallel_maintenance_workers = $(jobs)"
	sql "CREATE EXTENSION diskann"
	echo "  distance kernels: $(sql "SELECT diskann_simd()")"
}

# Stored plain, a vector lies in its row as it is: nobody who reads it has to
# decompress it or to fetch it from a TOAST table.
load()
{
	say "loading 60,000 images of 28 x 28 pixels as real[784] STORAGE PLAIN, and 1,000 queries"
	narrated "loading" "$bench" load --table mnist --storage plain \
		--file "$data/mnist-784.base.u8bin.gz"
	narrated "loading" "$bench" load --table mnist_query --storage plain \
		--file "$data/mnist-784.query.u8bin.gz"
}

build()
{
	local statement="CREATE INDEX mnist_idx ON mnist USING diskann (v real_l2_ops)"

	say "$statement"
	narrated "creating the index" "$bench" build --sql "$statement"
}

show_plan()
{
	say "the plan of one query"
	sql "EXPLAIN (ANALYZE, BUFFERS)
		SELECT id FROM mnist
		ORDER BY v <-> (SELECT v FROM mnist_query WHERE id = 0) LIMIT 10"
}

measure()
{
	say "1,000 queries ORDER BY v <-> \$1 LIMIT 10 at several list sizes; exact scan: $exact_queries of them"
	narrated "measuring" "$bench" query --table mnist \
		--file "$data/mnist-784.query.u8bin.gz" \
		--values default,10,20,50,100 --check "$exact_queries" \
		--exact "$exact_queries" --baseline
	cat <<'END'

recall    share of the exact 10 nearest that the index returns, ties counted
p50..p99  latency of one query in ms: half, 90 %, 95 %, 99 % are faster
ix pages  of the index, per query; heap and toast: of the table
exact     compares all rows with the query, in one process and with the same
          kernels; the rows are in shared buffers ("read" tells what is not), and
          stored plain, so that it pays for neither decompression nor TOAST
key look- what any query with such a parameter costs: protocol, parsing 784
up        numbers, and one row by its primary key
END
}

introduce
prepare
start
load
build
show_plan
measure
say "done in $SECONDS s: the server stops, and everything but the packages is removed"
