#!/bin/bash
#
# See diskann work, from an empty machine: "make demo".
#
# Installs the packages that are missing, builds a copy of the sources, starts
# a private server without a network address in a temporary directory, indexes
# the 60,000 images of MNIST, and compares the index with the exact answers.
# Stops and removes all that (but the packages) in the end.  Tells before what it
# fetches and how long it takes, and something every few seconds while it does.
#
# Leaves a picture of recall and queries a second in build/demo.svg.
#
#	DATA=file	vectors of your own instead, .u8bin, .f16bin, .fbin or .fvecs,
#			gzip'ed or not: test/data/README.md tells how they are laid out
#	QUERIES=file	what to ask with; or else the first 1,000 rows of DATA, which are
#			then left out of the table
#	OPERATOR=<=>	by cosine, or <#> by inner product, instead of <->

# shellcheck disable=SC2119 # functions called without arguments on purpose
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

exact_queries=100
: "${DATA:=}"
: "${QUERIES:=}"
: "${OPERATOR:=<->}"
table=mnist
base=$top/test/data/mnist-784.base.u8bin.gz
queries=$top/test/data/mnist-784.query.u8bin.gz
base_part=()
queries_part=()
picture=$top/build/demo.svg

# Which vectors, and which operator class.
choose()
{
	case $OPERATOR in
		'<->') class=real_l2_ops ;;
		'<=>') class=real_cosine_ops ;;
		'<#>') class=real_ip_ops ;;
		*) die "OPERATOR is none of <-> <=> <#>" ;;
	esac
	[ -n "$DATA" ] || return 0
	table=docs
	base=$(realpath -e -- "$DATA") || die "there is no file $DATA"
	if [ -n "$QUERIES" ]; then
		queries=$(realpath -e -- "$QUERIES") || die "there is no file $QUERIES"
	else
		queries=$base
		base_part=(--offset 1000)
		queries_part=(--limit 1000)
	fi
}

# What an empty machine has to fetch, and the time, README.md tells as well.
introduce()
{
	cat <<'END'
== installs what is missing, builds, starts a private server, indexes, measures
  fetches   what is told below before it begins: about 220 MB on an empty Debian 12,
            240 MB on 13, nothing where PostgreSQL and its headers are
  takes     about two minutes on two processors, and the time to fetch and install
  leaves    the packages, a picture in build, and nothing else
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
	if [ -n "$DATA" ]; then
		say "loading vectors of $base as real[] STORAGE PLAIN, and queries"
	else
		say "loading 60,000 images of 28 x 28 pixels as real[784] STORAGE PLAIN, and 1,000 queries"
	fi
	narrated "loading" "$bench" load --table "$table" --storage plain \
		--file "$base" "${base_part[@]}"
	narrated "loading" "$bench" load --table "${table}_query" --storage plain \
		--file "$queries" "${queries_part[@]}"
}

build()
{
	local statement="CREATE INDEX ${table}_idx ON $table USING diskann (v $class)"

	say "$statement"
	narrated "creating the index" "$bench" build --sql "$statement"
}

show_plan()
{
	say "the plan of one query"
	sql "EXPLAIN (ANALYZE, BUFFERS)
		SELECT id FROM $table
		ORDER BY v $OPERATOR (SELECT v FROM ${table}_query ORDER BY id LIMIT 1) LIMIT 10"
}

measure()
{
	say "queries ORDER BY v $OPERATOR \$1 LIMIT 10 at several list sizes; exact scan: $exact_queries of them"
	narrated "measuring" "$bench" query --table "$table" --op "$OPERATOR" \
		--file "$queries" "${queries_part[@]}" \
		--values default,10,20,50,100 --check "$exact_queries" \
		--exact "$exact_queries" --baseline --json "$work/demo.json"
	cat <<'END'

recall    share of the exact 10 nearest that the index returns, ties counted
p50..p99  latency of one query in ms: half, 90 %, 95 %, 99 % are faster
ix pages  of the index, per query; heap and toast: of the table
exact     compares all rows with the query, in one process and with the same
          kernels; the rows are in shared buffers ("read" tells what is not), and
          stored plain, so that it pays for neither decompression nor TOAST
key look- what any query with such a parameter costs: protocol, parsing the
up        numbers, and one row by its primary key
END
}

draw()
{
	if mkdir -p "${picture%/*}" &&
		python3 "$top/test/bench/demo_picture.py" "$work/demo.json" "$picture"; then
		say "recall and queries a second, as a picture: $picture"
	else
		say "no picture: python3 could not draw it"
	fi
}

go_on()
{
	say "going on, in a database of your own, after \"make install\" or with the package"
	cat <<END
  CREATE EXTENSION diskann; CREATE INDEX ON docs USING diskann (embedding $class);
  SELECT id FROM docs ORDER BY embedding $OPERATOR '{0.1, 0.2, 0.3}' LIMIT 10;
  (docs and embedding being a table and its column of type real[])
END
}

choose
introduce
prepare
start
load
build
show_plan
measure
draw
go_on
say "done in $SECONDS s: the server stops, and everything but the packages and the picture is removed"
