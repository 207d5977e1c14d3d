#!/bin/bash
#
# Builds the extension, starts a private server, and hands over to "bench run",
# which loads data, builds indexes and measures.  See README.md.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

start=$PWD			# a server's directory becomes the current one
dir='' existing='' module='' keep='' install='' scripts=''
conf=() make_args=() passed=() packages=(python3)

usage()
{
	cat <<'END'
Usage: test/bench/run.sh [OPTION]...

Server
  --dir DIR           work in that directory and leave tables and exact answers
                      there: the next run with it need not load them again
  --keep              leave the server running, and say how to reach it
  --conf 'N = V'      line of its configuration; may be repeated
  --existing          use the running server of the PG* environment
  --make VAR=VALUE    for the build, such as OPTFLAGS=-O2
  --module DIR        also build and install the extension whose sources are
                      there, to compare with
  --install           install the packages that are missing
  --package NAME      and this one
  --churn 'ARGUMENT...'  measure with churn.py, with these arguments, instead;
                      may be repeated
  --planner 'ARGUMENT...'  the same with planner.py
  --ingest 'ARGUMENT...'  or with ingest.py
  --scale 'ARGUMENT...'  or with scale.py

END
	python3 "$top/test/bench/bench" run --help | sed '1,/^options/d; /--help/d'
}

parse_options()
{
	while [ $# -gt 0 ]; do
		case $1 in
			--help) usage; exit 0 ;;
			--keep) keep=yes ;;
			--existing) existing=yes ;;
			--install) install=yes ;;
			--dir | --conf | --make | --module | --package | --churn | \
				--planner | --ingest | --scale)
				[ $# -gt 1 ] || die "$1 needs a value"
				case $1 in
					--dir) dir=$2 ;;
					--conf) conf+=("$2") ;;
					--make) make_args+=("$2") ;;
					--module) module=$(realpath "$2") ;;
					--package) packages+=("$2") ;;
					--churn | --planner | --ingest | --scale)
						scripts+="${1#--}.py $2"$'\n'
						packages+=(python3-numpy python3-psycopg2)
						;;
				esac
				shift
				;;
			*) passed+=("$1") ;;
		esac
		shift
	done
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
	if [ -n "$install" ]; then
		install_packages "${packages[@]}"
		try_packages valgrind || true
	else
		find_major
	fi
	find_programs
	enter_work
	make -s -C "$top/test/bench" "PG_CONFIG=$PG_CONFIG" "OUT=$work" all ||
		die "the driver could not be built"
	[ -z "$existing" ] || return 0
	forget_servers
	copy_sources
	build_module ${make_args[@]+"${make_args[@]}"} ||
		die "the extension could not be built"
	install_other_module
	start_private_server
}

measure()
{
	local data=${DISKANN_BENCH_DATA:-$top/test/data} mode=(--restartable)

	[ -z "$existing" ] || mode=()
	cd "$start"
	python3 "$top/test/bench/bench" run --driver "$work/diskann_bench" \
		--bindir "$bindir" --cache "$work" --data-dir "$data" \
		${mode[@]+"${mode[@]}"} \
		${passed[@]+"${passed[@]}"}
}

# Debian's python3 has Debian's packages; another one in the path may not.
run_scripts()
{
	local words

	cd "$start"
	[ -n "$existing" ] ||
		export "PGHOST=$work" PGUSER=postgres PGDATABASE=postgres
	export "PG_CTL=$bindir/pg_ctl"
	while read -r -a words; do
		/usr/bin/python3 "$top/test/bench/${words[0]}" "${words[@]:1}"
	done <<<"${scripts%$'\n'}"
}

parse_options "$@"
prepare_server
if [ -n "$scripts" ]; then
	run_scripts
else
	measure
fi
if [ -n "$keep" ] && [ -z "$existing" ]; then
	keep_work=yes keep_server=yes
	printf '\nserver kept: %s/psql -h %s -U postgres postgres\n' "$bindir" "$work"
	printf 'stop it:     %s%s/pg_ctl -D %s/data -m fast stop\n' \
		"$([ "$(id -u)" != 0 ] || echo "runuser -u $server_user -- ")" \
		"$bindir" "$work"
fi
