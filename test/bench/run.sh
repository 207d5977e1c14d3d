#!/bin/bash
#
# Builds the extension, starts a private server, loads one data set, builds an
# index and measures queries.  See README.md.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

base='' query='' truth='' limit='' table='' storage='' type='real[]'
opclass=real_l2_ops with='' am=diskann extension=diskann index_sql='' no_build=''
op='' guc='' values='' dir='' existing='' module='' keep=''
conf=() sets=() build_sets=() passed=() make_args=()

usage()
{
	cat <<'END'
Usage: test/bench/run.sh --data FILE [OPTION]...

Data
  --data FILE         base vectors: .u8bin .f16bin .fbin .fvecs, gzip'ed or not
  --query FILE        query vectors (default: FILE with .query. for .base.)
  --truth FILE        .ibin file of row numbers (default: exact answers, kept
                      in the directory of --dir)
  --limit N           load the first N rows alone
  --type TYPE         real[] (default), double precision[], vector, halfvec
  --storage KIND      storage of the column: plain, external, extended
  --table NAME        (default: from the file's name)
Index
  --opclass NAME      (default real_l2_ops)
  --with OPTIONS      WITH (...) of CREATE INDEX
  --am NAME           access method (default diskann)
  --index-sql SQL     the whole statement instead, "TABLE" standing for it
  --no-build          measure the index that is there
  --build-set N=V     SET for the build, such as maintenance_work_mem=64MB
Queries
  --values A,B,...    sweep of the search setting (default 10,15,20,...,400)
  --guc NAME          that setting (default diskann.query_search_list_size)
  --op OP             operator (default: by the opclass)
  --set N=V           SET for the queries
  --k N  --clients N  --repeat N  --queries N  --exact N  --where CONDITION
  --no-baseline       leave out the primary key lookup
  --json FILE         results in JSON
Server
  --dir DIR           work in that directory and leave tables and exact answers
                      there: the next run with it need not load them again
  --keep              leave the server running, and say how to reach it
  --conf 'N = V'      line of its configuration; may be repeated
  --extension LIST    extensions to create (default diskann)
  --existing          use the running server of the PG* environment
  --make VAR=VALUE    for the build, such as OPTFLAGS=-O2
  --module DIR        also build and install the extension whose sources are
                      there, to compare with (add --extension for it)
END
}

parse_options()
{
	local baseline=yes

	while [ $# -gt 0 ]; do
		case $1 in
			--data) base=$2 ;;
			--query) query=$2 ;;
			--truth) truth=$2 ;;
			--limit) limit=$2 ;;
			--type) type=$2 ;;
			--storage) storage=$2 ;;
			--table) table=$2 ;;
			--opclass) opclass=$2 ;;
			--with) with=$2 ;;
			--am) am=$2 ;;
			--index-sql) index_sql=$2 ;;
			--build-set) build_sets+=(--set "$2") ;;
			--values) values=$2 ;;
			--guc) guc=$2 ;;
			--op) op=$2 ;;
			--set) sets+=(--set "$2") ;;
			--k | --clients | --repeat | --exact | --where) passed+=("$1" "$2") ;;
			--queries) passed+=(--limit "$2") ;;
			--json) passed+=(--json "$(realpath -m "$2")") ;;
			--dir) dir=$2 ;;
			--conf) conf+=("$2") ;;
			--extension) extension=$2 ;;
			--make) make_args+=("$2") ;;
			--module) module=$(realpath "$2") ;;
			--no-build) no_build=yes ;;
			--no-baseline) baseline= ;;
			--keep) keep=yes ;;
			--existing) existing=yes ;;
			--help) usage; exit 0 ;;
			*) usage >&2; die "no such option: $1" ;;
		esac
		case $1 in
			--no-build | --no-baseline | --keep | --existing) shift ;;
			*) [ $# -gt 1 ] || die "$1 needs a value"; shift 2 ;;
		esac
	done
	[ -z "$baseline" ] || passed+=(--baseline)
}

# What follows from other options.
fill_in_defaults()
{
	[ -n "$base" ] || { usage >&2; die "--data is needed"; }
	base=$(realpath "$base")
	if [ -z "$query" ]; then
		query=${base/.base./.query.}
		[ "$query" != "$base" ] || die "--query is needed"
	fi
	query=$(realpath "$query")
	[ -z "$truth" ] || truth=$(realpath "$truth")
	if [ -z "$op" ]; then
		case $opclass in
			*cosine*) op='<=>' ;;
			*_ip_*) op='<#>' ;;
			*) op='<->' ;;
		esac
	fi
	if [ -z "$guc" ]; then
		case $am in
			hnsw) guc=hnsw.ef_search ;;
			ivfflat) guc=ivfflat.probes ;;
			*) guc=diskann.query_search_list_size ;;
		esac
	fi
	values=${values:-10,15,20,30,40,60,80,120,160,240,400}
	if [ -z "$table" ]; then
		table=$(basename "$base")
		table=${table%%.*}_${limit:-all}_${type%%[!a-z]*}${storage:+_$storage}
		table=${table//[!a-zA-Z0-9_]/_}
	fi
}

# A new directory, or the one named, with whatever is in it.
enter_work()
{
	if [ -z "$dir" ]; then
		make_work
		return
	fi
	mkdir -p "$dir"
	work=$(cd "$dir" && pwd)
	[ ${#work} -le 80 ] || die "the name of $work is too long for a socket in it"
	keep_work=yes
	own_work
	as_server test -w "$work" || die "user $server_user cannot write to $work"
}

# Builds in a copy, as ours is.
install_other_module()
{
	[ -n "$module" ] || return 0
	as_server mkdir -p "$work/other"
	tar -C "$module" -c --exclude=.git . |
		as_server tar -C "$work/other" -x --no-same-owner
	run_as_server make -s -C "$work/other" -j "$(jobs)" with_llvm=no \
		"PG_CONFIG=$PG_CONFIG" install "DESTDIR=$work/inst" >/dev/null ||
		die "$module could not be built"
}

start_private_server()
{
	local pid_file=$work/data/postmaster.pid

	init_server
	if [ -e "$pid_file" ]; then
		as_server "$bindir/pg_ctl" -s -w -D "$work/data" -m fast stop ||
			rm -f "$pid_file"
	fi
	start_server 'shared_buffers = 2GB' 'maintenance_work_mem = 2GB' \
		'max_wal_size = 16GB' 'checkpoint_timeout = 1h' 'fsync = off' \
		'autovacuum = off' 'jit = off' \
		"max_parallel_maintenance_workers = $(jobs)" \
		"max_parallel_workers = $(jobs)" ${conf[@]+"${conf[@]}"}
}

prepare_server()
{
	local name

	find_major
	find_programs
	enter_work
	make -s -C "$top/test/bench" "PG_CONFIG=$PG_CONFIG" "OUT=$work" all ||
		die "the driver could not be built"
	[ -z "$existing" ] || return 0
	forget_servers
	if ls "$top"/src/*/*.c >/dev/null 2>&1; then
		copy_sources
		build_module ${make_args[@]+"${make_args[@]}"} ||
			die "the extension could not be built"
	fi
	install_other_module
	start_private_server
	for name in ${extension//,/ }; do
		sql "CREATE EXTENSION IF NOT EXISTS $name CASCADE" 2>/dev/null ||
			sql "CREATE EXTENSION $name CASCADE"
	done
}

load_table()
{
	[ -z "$(sql "SELECT to_regclass('$table')")" ] || return 0
	"$work/diskann_bench" load --table "$table" --file "$base" --type "$type" \
		${limit:+--limit "$limit"} ${storage:+--storage "$storage"}
}

build_index()
{
	local index=${table}_idx column=v

	[ -z "$no_build" ] || return 0
	if [ -z "$index_sql" ]; then
		index_sql="CREATE INDEX $index ON TABLE USING $am ($column $opclass)${with:+ WITH ($with)}"
	fi
	# Any index but the primary key would be in the planner's way.
	sql "SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index WHERE indrelid = '$table'::regclass AND NOT indisprimary" |
		while read -r statement; do sql "$statement"; done
	"$work/diskann_bench" build ${build_sets[@]+"${build_sets[@]}"} \
		--sql "${index_sql//TABLE/$table}"
	sql CHECKPOINT
}

measure()
{
	local answers=(--truth-cache "$work/$table.$(basename "$query").${op//[!<>=#-]/}.truth")

	[ -z "$truth" ] || answers=(--truth "$truth")
	"$work/diskann_bench" query --table "$table" --file "$query" --op "$op" \
		--type "$type" --guc "$guc" --values "$values" "${answers[@]}" \
		${sets[@]+"${sets[@]}"} "${passed[@]}"
}

parse_options "$@"
fill_in_defaults
prepare_server
load_table
build_index
measure
if [ -n "$keep" ] && [ -z "$existing" ]; then
	keep_work=yes keep_server=yes
	printf '\nserver kept: %s/psql -h %s -U postgres postgres\n' "$bindir" "$work"
	printf 'stop it:     %s%s/pg_ctl -D %s/data -m fast stop\n' \
		"$([ "$(id -u)" != 0 ] || echo "runuser -u $server_user -- ")" \
		"$bindir" "$work"
fi
