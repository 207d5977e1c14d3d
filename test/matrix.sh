#!/bin/bash
#
# The tests on other versions of PostgreSQL, and with pgvector: "make test-matrix".
#
# A version comes with a release of Debian, which debootstrap unpacks into a
# directory of its own; there the same runner as everywhere does its work.  The
# directories are kept below $DISKANN_ROOTS, /var/cache/diskann unless set.
# The last line is "N passed, N failed".

set -uo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

roots=${DISKANN_ROOTS:-/var/cache/diskann}
: "${RELEASES:=trixie:17 sid:18}"
: "${SUITES:=regress isolation tap pgvector}"
export SUITES

total_passed=0
total_failed=0
summary=

# Unpacks a release, unless that was done before.
make_root()
{
	local release=$1 major=$2 root=$roots/$1 packages

	[ ! -x "$root/usr/lib/postgresql/$major/bin/postgres" ] || return 0
	packages=gcc,libc6-dev,make,gzip,perl,libipc-run-perl,libpq-dev,python3,nodejs
	packages+=,postgresql-$major,postgresql-server-dev-$major,postgresql-$major-pgvector
	say "unpacking Debian $release into $root"
	mkdir -p "$roots" && rm -rf --one-file-system "$root.part" || return 1
	debootstrap --variant=minbase --include="$packages" "$release" \
		"$root.part" >"$roots/$release.log" 2>&1 &&
		rm -rf --one-file-system "$root" && mv "$root.part" "$root"
}

# Runs a command in a root, in name spaces of its own: what it mounts and what
# it starts ends with it.  The command sees our tree and the client libraries in
# /mnt.
in_root()
{
	local root=$1
	shift

	# shellcheck disable=SC2016 # for the shell inside
	unshare --mount --pid --fork --kill-child sh -euc '
		root=$1 tree=$2 clients=$3
		shift 3
		mount --make-rprivate /
		mount -t tmpfs tmpfs "$root/mnt"
		mkdir "$root/mnt/diskann" "$root/mnt/clients"
		mount --bind "$tree" "$root/mnt/diskann"
		mount --bind "$clients" "$root/mnt/clients"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mkdir -p "$root/dev/shm"
		mount -t tmpfs tmpfs "$root/dev/shm"
		cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
		exec chroot "$root" "$@"' sh "$root" "$top" "$work/clients" "$@"
}

record_skip()
{
	say "$1: skipped: $2"
	summary+=$(printf '%-12s skipped: %s' "$1" "$2")$'\n'
}

# Takes down the last line of a run's output.
record()
{
	local name=$1 log=$2 status=$3 passed=0 failed=0 line

	line=$(tail -n 1 "$log")
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=${BASH_REMATCH[1]}
		failed=${BASH_REMATCH[2]}
	fi
	if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	total_passed=$((total_passed + passed))
	total_failed=$((total_failed + failed))
	summary+=$(printf '%-12s %6d passed %4d failed' "$name" "$passed" "$failed")$'\n'
}

test_release()
{
	local release=$1 major=$2 name="PostgreSQL $2" log=$work/$1.log status=0

	if ! make_root "$release" "$major"; then
		record_skip "$name" "debootstrap failed, see $roots/$release.log"
		return
	fi
	say "$name on Debian $release"
	in_root "$roots/$release" env HOME=/root TMPDIR=/tmp \
		PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config" \
		DISKANN_CLIENTS=/mnt/clients \
		bash /mnt/diskann/test/run.sh 2>&1 | tee "$log" || status=$?
	record "$name" "$log" "$status"
}

# Why there is no way to run anything, if there is none.
obstacle()
{
	if [ "$(id -u)" != 0 ]; then
		echo "must be root to change the root directory"
	elif ! try_packages debootstrap >&2 && ! command -v debootstrap >/dev/null; then
		echo "no debootstrap"
	elif ! unshare --mount --pid --fork true 2>/dev/null; then
		echo "mounting is not permitted"
	fi
}

work=$(mktemp -d "${TMPDIR:-/tmp}/diskann-matrix.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

why_not=$(obstacle)
[ -n "$why_not" ] || fetch_clients "$work/clients"
for pair in $RELEASES; do
	if [ -n "$why_not" ]; then
		record_skip "PostgreSQL ${pair#*:}" "$why_not"
	else
		test_release "${pair%%:*}" "${pair#*:}"
	fi
done

say "summary"
printf '%s\n%d passed, %d failed\n' "$summary" "$total_passed" "$total_failed"
[ "$total_failed" = 0 ]
