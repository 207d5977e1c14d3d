#!/bin/bash
#
# Has anything become worse that can be counted?  "make gate".
#
# Recall, pages, visits, rows compared, instructions, bytes and WAL of small
# fixed sets, compared with test/gate/baseline.tsv.  Counts, unlike times, are the
# same however busy the machine is; a change for the worse of more than 5 % (.005
# of recall) fails.  UPDATE=1 writes the baseline anew: the commit then says why.
# The last line is "N passed, N failed".

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

baseline=$top/test/gate/baseline.tsv

# The same kernels everywhere; valgrind knows none beyond these.
kernels=avx2

# Instructions of one query or row are the difference between those of twice so
# many and of so many.
queries=30
inserts=30

put()
{
	printf '%s\t%s\n' "$1" "$2" >>"$work/figures"
}

query()
{
	"$bindir/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

load_set()
{
	local name=$1 file=$2 rows=$3

	sql "CREATE TABLE $name (id int, v real[]);
		ALTER TABLE $name ALTER v SET STORAGE PLAIN"
	"$work/tools/vec2copy" --limit "$rows" "$work/src/test/data/$file" |
		query -c "COPY $name (id, v) FROM STDIN (FORMAT binary)"
}

# What the server counts for one set, whose queries are another file's vectors.
measure_set()
{
	local name=$1 wal size

	wal=$(sql 'SELECT pg_current_wal_insert_lsn()')
	query -c "CREATE INDEX ${name}_v ON $name USING diskann (v)"
	put "$name.build_wal_bytes" "$(sql "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$wal')")"
	size=$(sql "SELECT pg_relation_size('${name}_v')")
	put "$name.index_bytes" "$size"
	query -F $'\t' -v "set=$name" -f "$work/src/test/gate/queries.sql" |
		sed "s/^/$name./" >>"$work/figures"
	wal=$(sql 'SELECT pg_current_wal_insert_lsn()')
	query -c "INSERT INTO $name SELECT id + 100000, v FROM ${name}_more"
	put "$name.insert_wal_bytes" "$(sql "SELECT round(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$wal') / count(*)) FROM ${name}_more")"
}

#
# Instructions
#

# Instructions that a single-user server needs for some statements.
instructions()
{
	local log=$work/callgrind.log

	as_server valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"$bindir/postgres" --single -F -j -D "$work/data" \
		-c max_parallel_maintenance_workers=0 postgres \
		<<<"$1;"$'\n' >"$log" 2>&1 || true
	! grep -q 'ERROR:' "$log" || {
		grep 'ERROR:' "$log" >&2
		return 1
	}
	sed -n 's/.*Collected : *\([0-9]*\).*/\1/p' "$log" | grep .
}

# Instructions of each of n times, as the difference of twice n and n.
each()
{
	local name=$1 n=$2 statement=$3 once twice

	once=$(instructions "${statement//@/$n}")
	twice=$(instructions "${statement//@/$((2 * n))}")
	put "$name" $(((twice - once) / n))
}

count_instructions()
{
	local set="SET diskann.simd = $kernels; SET enable_seqscan = off;"

	each sift.query_instructions "$queries" "DO \$\$
DECLARE q record;
BEGIN
	$set
	FOR q IN SELECT v FROM sift_queries WHERE id < @ LOOP
		PERFORM id FROM sift ORDER BY v <-> q.v LIMIT 10;
	END LOOP;
END \$\$"
	each sift.insert_instructions "$inserts" "DO \$\$
BEGIN
	$set
	INSERT INTO sift SELECT id + 200000, v FROM sift_queries
		WHERE id >= 40 AND id < 40 + @;
END \$\$"
	each sift.build_row_instructions 500 "DO \$\$
BEGIN
	$set
	CREATE TEMP TABLE t AS SELECT id, v FROM sift WHERE id < @;
	CREATE INDEX ON t USING diskann (v);
END \$\$"
}

#
# Comparing
#

# Prints a line each; the exit status is 1 if one of them is worse.
compare()
{
	awk -F '\t' '
		NR == FNR { if ($0 !~ /^#/) { old[$1] = $2; n++ } next }
		{
			limit = 0.05 * old[$1]
			change = $2 - old[$1]
			if ($1 ~ /recall/) { limit = 0.005; change = -change }
			state = "ok"
			if (!($1 in old)) state = "NEW"
			else if (change > limit + 1e-9) state = "WORSE"
			else if (change < -limit - 1e-9) state = "better"
			printf "%-32s %14s %14s  %s\n", $1, old[$1], $2, state
			seen++
			if (state == "WORSE" || state == "NEW") failed++; else passed++
		}
		END {
			if (seen < n) failed += n - seen
			printf "%d passed, %d failed\n", passed, failed
			exit failed > 0
		}' "$baseline" "$work/figures"
}

say "preparing"
install_packages perl valgrind zlib1g-dev
find_programs
make_work
forget_servers
copy_sources
if ! grep -q avx2 /proc/cpuinfo; then
	say "gate: skipped: the baseline is of AVX2 kernels, which this processor lacks"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
build_module || die "the module does not build"
run_as_server make -s -C "$work/src/test/tools" "OUT=$work/tools" all || die "the tools do not build"
init_server
start_server "fsync = off" "full_page_writes = off" "autovacuum = off" \
	"shared_buffers = 256MB" "jit = off" "max_wal_size = 4GB" \
	"max_parallel_maintenance_workers = 0" "diskann.simd = '$kernels'"
: >"$work/figures"

say "counting"
sql "CREATE EXTENSION diskann"
load_set sift sift-5k.base.u8bin.gz 5000
load_set sift_queries sift-5k.query.u8bin.gz 200
load_set mnist mnist-784.base.u8bin.gz 2000
load_set mnist_queries mnist-784.query.u8bin.gz 300
query -f "$work/src/test/gate/clustered.sql"
query -c "CREATE TABLE sift_more AS SELECT * FROM sift_queries WHERE id >= 100;
	CREATE TABLE mnist_more AS SELECT * FROM mnist_queries WHERE id >= 100;"
for name in sift mnist clustered; do
	measure_set "$name"
done
stop_servers
count_instructions

if [ -n "${UPDATE:-}" ]; then
	{
		echo "# Figures of make gate, PostgreSQL $pg_major; UPDATE=1 writes them."
		cat "$work/figures"
	} >"$baseline"
	say "wrote $baseline"
fi
say "figure, baseline, now"
compare
