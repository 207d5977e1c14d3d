#!/bin/bash
#
# Side by side with pgvector: "bench run" inside a root of Debian 13, whose
# packages of PostgreSQL and pgvector it uses.  See README.md.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

suite=trixie
root=${DISKANN_BENCH_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/diskann-bench/$suite}
data=$(realpath "${DISKANN_BENCH_DATA:-$top/test/data}")
out=bench-report

usage()
{
	cat <<'END'
Usage: test/bench/peers.sh [--out DIR] [OPTION]...

Runs test/bench/run.sh, with these options, inside a Debian 13 root: the one
named by DISKANN_BENCH_ROOT, else one that is made in the cache directory.  Data
come from the directory DISKANN_BENCH_DATA (default: test/data); --data takes
no files here.  Without --contender: diskann, hnsw, ivfflat.  Needs root.
END
}

make_root()
{
	[ ! -e "$root/etc/debian_version" ] || return 0
	say "making a root of Debian $suite in $root"
	mkdir -p "$root"
	try_packages debootstrap || die "debootstrap is needed"
	debootstrap --variant=minbase "$suite" "$root" >"$root.log" 2>&1 || {
		tail -n 5 "$root.log"
		die "debootstrap failed"
	}
}

# The sources, as files of the root: nothing inside can change those outside.
copy_into_root()
{
	inside=$(mktemp -d "$root/var/tmp/diskann-bench.XXXXXX")
	chmod 755 "$inside"
	trap 'rm -rf "$inside"' EXIT
	mkdir "$inside/src" "$inside/data" "$inside/out" "$inside/tmp"
	chmod 1777 "$inside/tmp"
	tar -C "$top" -c --exclude=./.git --exclude=./build --exclude='*.o' \
		--exclude='*.so' --exclude=./test/bench/diskann_bench . |
		tar -C "$inside/src" -x --no-same-owner
}

# Mounts are made in a name space of their own, and end with it.
run_in_root()
{
	local there=${inside#"$root"}

	# shellcheck disable=SC2016 # the inner shell's variables
	unshare --mount --propagation private bash -euc '
		root=$1 inside=$2 there=$3 data=$4 out=$5
		shift 5
		mount -t proc proc "$root/proc"
		mount -t sysfs -o ro sysfs "$root/sys"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/dev/shm"
		mount --bind "$data" "$inside/data"
		mount --bind "$out" "$inside/out"
		exec chroot "$root" env -i LANG=C.UTF-8 HOME=/root \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			TMPDIR="$there/tmp" DISKANN_BENCH_DATA="$there/data" \
			bash "$there/src/test/bench/run.sh" --install \
			--package postgresql-MAJOR-pgvector --out "$there/out" "$@"
	' bash "$root" "$inside" "$there" "$data" "$out" "$@"
}

passed=() chosen=''
while [ $# -gt 0 ]; do
	case $1 in
		--help) usage; exit 0 ;;
		--out) [ $# -gt 1 ] || die "--out needs a value"; out=$2; shift ;;
		--contender) chosen=yes; passed+=("$1") ;;
		*) passed+=("$1") ;;
	esac
	shift
done
[ -n "$chosen" ] ||
	passed+=(--contender ours --contender hnsw --contender ivfflat)
[ "$(id -u)" = 0 ] || die "a root of its own needs root: sudo make bench-peers"
mkdir -p "$out"
out=$(realpath "$out")
make_root
copy_into_root
run_in_root ${passed[@]+"${passed[@]}"}
say "report: $out/report.md"
