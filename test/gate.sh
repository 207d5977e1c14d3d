#!/bin/bash
#
# Has anything become worse that can be counted?  "make gate".
#
# Builds indexes of small fixed sets, counts what they and their queries cost, and
# compares that with test/gate/baseline.tsv.  Counts, unlike times, are the same
# however busy the machine is.  What is worse by more than 5 % fails.  UPDATE=1
# writes the baseline anew; test/README.md tells more.  The last line is "N
# passed, N failed".

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

baseline=$top/test/gate/baseline.tsv
: "${UPDATE:=}"

# Rows of a set of which instructions are counted.
counted_queries=50
counted_rows=50

run_psql()
{
	"$bindir/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# Arguments: table, set in test/data, part of it, number of rows.
load()
{
	sql "CREATE TABLE $1 (id int, v real[])"
	"$work/tools/vec2copy" --limit "$4" "$top/test/data/$2.$3.u8bin.gz" |
		run_psql -c "COPY $1 (id, v) FROM STDIN (FORMAT binary)"
	[ "$(sql "SELECT count(*) FROM $1")" = "$4" ] || die "$1 has not $4 rows"
}

load_sets()
{
	load sift sift-5k base 4800
	load sift_query sift-5k query 200
	load mnist mnist-784 base 3000
	load mnist_query mnist-784 query 200
	sql "CREATE EXTENSION diskann"
	run_psql -f "$top/test/gate/tables.sql"
}

prepare()
{
	say "preparing"
	install_packages perl valgrind
	find_programs
	make_work
	forget_servers
	copy_sources
	build_module OPTFLAGS="-O3 -g" || die "the module cannot be built"
	run_as_server make -s -C "$work/src/test/tools" "OUT=$work/tools" all ||
		die "the tools cannot be built"
	init_server
	# With page images WAL would depend on when the last checkpoint was.  Rows
	# that wait cost an insert nothing but what is counted of a later one.
	start_server 'shared_buffers = 256MB' 'maintenance_work_mem = 256MB' \
		'max_wal_size = 4GB' 'checkpoint_timeout = 1h' 'full_page_writes = off' \
		'fsync = off' 'autovacuum = off' 'jit = off' \
		'max_parallel_workers_per_gather = 0' \
		'max_parallel_maintenance_workers = 0' 'diskann.simd = avx2' \
		'diskann.pending_limit = 0'
	load_sets
}

#
# Instructions: a single-user backend under valgrind, which collects within the
# access method's functions alone.  The backend calls diskann_simd() between
# what is to be counted, and valgrind writes down and forgets what it has.
#

# Each line is one statement.  What is before the first mark is not counted: it
# brings pages into memory.
instruction_statements()
{
	local set

	echo "SELECT count(ask(name, $counted_queries)) FROM sets"
	for set in sift mnist clusters; do
		echo "SELECT diskann_simd()"
		echo "SELECT ask('$set', $counted_queries)"
	done
	for set in sift mnist clusters; do
		echo "SELECT diskann_simd()"
		echo "INSERT INTO $set SELECT id, v FROM ${set}_query WHERE id < $counted_rows ORDER BY id"
	done
	for set in sift clusters; do
		echo "DROP INDEX ${set}_idx"
		echo "SELECT diskann_simd()"
		echo "CALL measure_build('$set')"
	done
	echo "SELECT diskann_simd()"
}

# Instructions of the part with a number, by set and measure and how often.
put_instructions()
{
	local total

	total=$(sed -n 's/^totals: *//p' "$work/callgrind.out.$1")
	[ "${total:-0}" -gt 0 ] || die "part $1 counted no instructions"
	printf '%s\t%s\t%d\n' "$2" "$3" $((total / $4)) >>"$work/figures"
}

count_instructions()
{
	local set part=1

	instruction_statements | as_server tee "$work/statements" >/dev/null
	run_as_server sh -c "cd '$work' && exec valgrind --tool=callgrind \
		--toggle-collect=diskanngettuple --toggle-collect=diskanninsert \
		--toggle-collect=diskannbuild --dump-before=diskann_simd \
		--callgrind-out-file=callgrind.out '$bindir/postgres' --single \
		-D '$work/data' postgres <'$work/statements' >'$work/single.log' 2>&1" ||
		{ tail -n 20 "$work/single.log"; die "valgrind failed"; }
	if grep -E 'ERROR|FATAL|PANIC' "$work/single.log"; then
		die "a statement failed"
	fi
	for set in sift mnist clusters; do
		part=$((part + 1))
		put_instructions $part $set "instructions a query" $counted_queries
	done
	for set in sift mnist clusters; do
		part=$((part + 1))
		put_instructions $part $set "instructions a row inserted" $counted_rows
	done
	for set in sift clusters; do
		part=$((part + 1))
		put_instructions $part $set "instructions of the build" 1
	done
}

#
# Comparing
#

# What instructions depend on besides the sources.
made_with()
{
	printf '# made with PostgreSQL %s, gcc %s\n' "$pg_major" "$(gcc -dumpversion)"
}

# Arguments: what was found, baseline.  A line a figure; fails if one is worse.
compare()
{
	awk -F '\t' -v made_with="$(made_with)" '
		NR == FNR {
			if ($0 == made_with) same = 1
			if ($0 !~ /^#/ && NF == 3) { old[$1 "\t" $2] = $3; n++ }
			next
		}
		FNR == 1 {
			printf "%-10s %-28s %12s %12s %8s\n", "set", "measure", "baseline", "now", "change"
		}
		{
			key = $1 "\t" $2
			if (!(key in old)) {
				verdict = "NEW: no baseline"; before = ""; change = ""; failed++
			} else {
				n--
				before = old[key]
				change = before != 0 ? ($3 - before) / before : $3 != 0
				worse = $2 ~ /^recall/ ? before - $3 - 0.005 : $3 - before * 1.05
				better = $2 ~ /^recall/ ? $3 - before - 0.005 : before * 0.95 - $3
				verdict = worse > 1e-9 ? "WORSE" : better > 1e-9 ? "better" : ""
				if ($2 ~ /^instructions/ && !same)
					{ verdict = "(not judged)"; skipped++ }
				else if (verdict == "WORSE") failed++
				else passed++
				change = sprintf("%+.1f %%", 100 * change)
			}
			printf "%-10s %-28s %12s %12s %8s %s\n", $1, $2, before, $3, change, verdict
		}
		END {
			if (skipped)
				print "\n" skipped " counts of instructions are not judged: the baseline has another line" \
					"\n    " made_with
			if (n > 0) { print n " figures of the baseline were not measured"; failed += n }
			printf "\n%d passed, %d failed\n", passed, failed
			exit failed > 0
		}' "$2" "$1"
}

write_baseline()
{
	{
		echo '# What "make gate" compares with; written by "make gate UPDATE=1".'
		made_with
		cat "$work/figures"
	} >"$baseline"
	say "wrote $baseline: commit it, and say why"
}

# Everything was measured with the kernels of one instruction set.
if [ "$(uname -m)" != x86_64 ] || ! grep -qw avx2 /proc/cpuinfo; then
	say "gate: skipped: the baseline is of AVX2, which this processor lacks"
	printf '\n0 passed, 0 failed\n'
	exit 0
fi
prepare
say "counting what a server counts"
run_psql -f "$top/test/gate/measure.sql" >"$work/measure.log"
[ "$(cat "$work/measure.log")" = t ] || die "an index is not sound"
run_psql -F $'\t' -c "SELECT set_name, measure, trim_scale(value) FROM figures ORDER BY place" \
	>"$work/figures"
stop_servers
say "counting instructions (about a minute)"
count_instructions
[ -z "$UPDATE" ] || write_baseline
say "compared with test/gate/baseline.tsv"
compare "$work/figures" "$baseline"
