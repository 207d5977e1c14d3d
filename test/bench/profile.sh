#!/bin/bash
#
# Where time and memory go: flame graphs of a build and of searches, binary
# sizes, instructions and simulated cache misses, heap peaks.  See README.md.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

start=$PWD
data=${DISKANN_BENCH_DATA:-$top/test/data}
set=mnist-784 limit=20000 value=40 out=build/profile opclass=real_l2_ops op='<->'
bench=$top/test/bench/bench

usage()
{
	cat <<'END'
Usage: test/bench/profile.sh [OPTION]...

  --set NAME      of the directory DISKANN_BENCH_DATA (default mnist-784 of test/data)
  --limit N       rows (default 20000)
  --value N       diskann.query_search_list_size (default 40)
  --opclass NAME  (default real_l2_ops)
  --op OP         (default <->)
  --out DIR       (default build/profile)
END
}

parse_options()
{
	while [ $# -gt 0 ]; do
		[ "$1" != --help ] || { usage; exit 0; }
		[ $# -gt 1 ] || die "$1 needs a value"
		case $1 in
			--set) set=$2 ;;
			--limit) limit=$2 ;;
			--value) value=$2 ;;
			--opclass) opclass=$2 ;;
			--op) op=$2 ;;
			--out) out=$2 ;;
			*) usage >&2; die "no such option: $1" ;;
		esac
		shift 2
	done
	data=$(realpath "$data")
	mkdir -p "$out"
	out=$(realpath "$out")
}

prepare()
{
	install_packages python3
	try_packages valgrind binutils || true
	command -v perf >/dev/null || try_packages linux-perf || true
	find_programs
	make_work
	forget_servers
	copy_sources
	build_module OPTFLAGS="-O3 -g -fno-omit-frame-pointer" ||
		die "the extension could not be built"
	make -s -C "$top/test/bench" "PG_CONFIG=$PG_CONFIG" "OUT=$work" all ||
		die "the driver could not be built"
	init_server
	start_server 'shared_buffers = 1GB' 'maintenance_work_mem = 1GB' \
		'max_wal_size = 8GB' 'fsync = off' 'autovacuum = off' 'jit = off' \
		"max_parallel_maintenance_workers = $(jobs)"
	sql "CREATE EXTENSION diskann"
	"$work/diskann_bench" load --table t --file "$(base_file base)" \
		--limit "$limit"
	"$work/diskann_bench" load --table q --file "$(base_file query)"
}

base_file()
{
	compgen -G "$data/$set.$1.*[!s].gz" || compgen -G "$data/$set.$1.*bin" ||
		die "no $set.$1.* in $data"
}

can_profile()
{
	command -v perf >/dev/null && perf record -q -o "$work/try" true 2>/dev/null
}

# Arguments: name, then a command; what the server does meanwhile is recorded.
# New sessions are children of the postmaster, and are followed.
record()
{
	local name=$1 perf_pid
	shift

	if ! can_profile; then
		say "$name: no flame graph: perf is not there or not allowed"
		"$@"
		return
	fi
	say "recording: $name"
	perf record -q -F 997 --call-graph fp -o "$work/$name.data" \
		-p "$(head -n 1 "$work/data/postmaster.pid")" &
	perf_pid=$!
	sleep 0.5
	"$@"
	kill -INT "$perf_pid"
	wait "$perf_pid" || true
	perf script -i "$work/$name.data" 2>/dev/null >"$work/$name.txt"
	python3 "$bench" flame --title "$name: $set" <"$work/$name.txt" \
		>"$out/$name.svg"
}

# Arguments: about how long, in seconds.
search()
{
	"$work/diskann_bench" query --table t --op "$op" --values "$value" \
		--file "$(base_file query)" --truth-cache "$work/truth" \
		--seconds "$1"
}

profile_server()
{
	record build "$work/diskann_bench" build \
		--sql "CREATE INDEX t_idx ON t USING diskann (v $opclass)"
	search 0 >/dev/null	# finds the exact answers, which are not to be recorded
	record search search 5
}

sizes()
{
	local module
	module=$(find "$work/inst" -name diskann.so)

	command -v size >/dev/null || { say "no sizes: binutils is not there"; return; }
	say "sizes of diskann.so"
	{
		size "$module"
		printf '\nlargest functions and tables, in bytes:\n'
		nm -S --size-sort -t d "$module" | tail -n 25 | sort -k2,2nr |
			awk '{ printf "%8d %s\n", $2, $4 }'
	} | tee "$out/sizes.txt"
}

# A single-user backend under valgrind.  Arguments: valgrind's, then stdin's
# statements.  Its kernels use AVX2 at most, for valgrind knows no more.
single_user()
{
	run_single valgrind "$@" "$bindir/postgres" --single -D "$work/data" postgres \
		>"$work/single.log" 2>&1 || {
		tail -n 5 "$work/single.log"
		die "valgrind failed"
	}
}

run_single()
{
	as_server env -C "$work" "$@"
}

count_search()
{
	say "instructions and cache misses of 50 searches (callgrind)"
	{
		echo "SET enable_seqscan = off"
		echo "SET diskann.query_search_list_size = $value"
		for i in $(seq 0 49); do
			echo "SELECT id FROM t ORDER BY v $op (SELECT v FROM q WHERE id = $i) LIMIT 10"
		done
	} | single_user --tool=callgrind --cache-sim=yes \
		--toggle-collect=index_getnext_tid --callgrind-out-file=callgrind.out
	callgrind_annotate "$work/callgrind.out" >"$out/callgrind.txt"
	cp "$work/callgrind.out" "$out/callgrind.out"
	awk '/Ir.*file:function/ { n = 15 } n-- > 0' "$out/callgrind.txt"
}

heap_of_build()
{
	say "heap of a build (massif)"
	{
		echo "DROP INDEX t_idx"
		echo "SET maintenance_work_mem = '1GB'"
		echo "CREATE INDEX t_idx ON t USING diskann (v $opclass)"
	} | single_user --tool=massif --massif-out-file=massif.out
	ms_print "$work/massif.out" >"$out/massif.txt"
	cp "$work/massif.out" "$out/massif.out"
	awk -F= '/^mem_heap_B/ && $2 > peak { peak = $2 }
		END { printf "heap peak: %.1f MB\n", peak / 1048576 }' "$work/massif.out" |
		tee "$out/heap.txt"
}

parse_options "$@"
prepare
profile_server
sizes
if command -v valgrind >/dev/null; then
	as_server "$bindir/pg_ctl" -s -w -D "$work/data" -m fast stop
	count_search
	heap_of_build
else
	say "no instructions, no heap: valgrind is not there"
fi
cd "$start"
say "written to $out"
