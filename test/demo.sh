#!/bin/bash
#
# See diskann work, from an empty machine: "make demo".
#
# Installs the packages that are missing, builds a copy of the sources, starts
# a private server without a network address in a temporary directory, indexes
# the 60,000 images of MNIST, and compares the index with the exact answers.
# Stops and removes all that (but the packages) in the end.

# shellcheck disable=SC2119 # functions called without arguments on purpose
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

exact_queries=100
data=$top/test/data

prepare()
{
	say "looking for what is needed: compiler, PostgreSQL, headers"
	install_packages
	find_programs
	make_work
	forget_servers
	say "building for PostgreSQL $("$PG_CONFIG" --version | sed 's/^PostgreSQL //')"
	copy_sources
	build_module || die "the extension could not be built"
	run_as_server make -s -C "$work/src/test/bench" "PG_CONFIG=$PG_CONFIG" all ||
		die "the benchmark driver could not be built"
	bench=$work/src/test/bench/diskann_bench
}

start()
{
	say "starting a private server in $work"
	init_server
	start_server 'shared_buffers = 512MB' 'maintenance_work_mem = 512MB' \
		'max_wal_size = 4GB' 'autovacuum = off' 'jit = off' \
		"max_parallel_maintenance_workers = $(jobs)"
	sql "CREATE EXTENSION diskann"
	echo "  distance kernels: $(sql "SELECT diskann_simd()")"
}

load()
{
	say "loading 60,000 images of 28 x 28 pixels as real[784], and 1,000 queries"
	"$bench" load --table mnist --file "$data/mnist-784.base.u8bin.gz"
	"$bench" load --table mnist_query --file "$data/mnist-784.query.u8bin.gz"
}

build()
{
	local statement="CREATE INDEX mnist_idx ON mnist USING diskann (v real_l2_ops)"

	say "$statement"
	"$bench" build --sql "$statement"
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
	"$bench" query --table mnist --file "$data/mnist-784.query.u8bin.gz" \
		--values default,10,20,50,100 --check "$exact_queries" \
		--exact "$exact_queries" --baseline
	cat <<'END'

recall    share of the exact 10 nearest that the index returns, ties counted
p50..p99  latency of one query in ms: half, 90 %, 95 %, 99 % are faster
pages     of index, table and its TOAST table, per query
END
}

prepare
start
load
build
show_plan
measure
say "done: the server stops, and everything but the packages is removed"
