# shellcheck shell=bash
# shellcheck disable=SC2034 # variables are for those who read this file
#
# What the demo, the test runner and the benchmark share: packages, a copy of
# the tree to build in, private servers, and cleaning up after all of it.
#
# Everything happens in one temporary directory, $work, as an ordinary user:
# PostgreSQL refuses to run as root.  When started by root, that user is
# "postgres", who needs no access to the checkout.  Nothing is installed into
# the system but Debian packages that are missing.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=
child=
server_user=postgres
keep_work=
keep_server=

say()
{
	printf '== %s\n' "$*"
}

die()
{
	printf '%s\n' "$*" >&2
	exit 1
}

# Runs a command as the user who owns the servers.
as_server()
{
	if [ "$(id -u)" = 0 ]; then
		runuser -u "$server_user" -- "$@"
	else
		"$@"
	fi
}

# Runs a command in a process group of its own and waits for it, so that a
# signal is acted upon at once, and everything the command started can be ended.
run()
{
	local status=0

	setsid "$@" </dev/null &
	child=$!
	wait "$child" || status=$?
	child=
	return "$status"
}

# run, as the user who owns the servers.
run_as_server()
{
	if [ "$(id -u)" = 0 ]; then
		run runuser -u "$server_user" -- "$@"
	else
		run "$@"
	fi
}

#
# Packages
#

apt_updated=

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		return 1
	fi
}

apt()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold "$@"
}

apt_update()
{
	[ -z "$apt_updated" ] || return 0
	apt update || return 1
	apt_updated=yes
}

package_installed()
{
	local status

	status=$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) || return 1
	[ "$status" = installed ]
}

# Those of the named packages that are not installed.
missing_packages()
{
	local package

	for package; do
		package_installed "$package" || printf '%s ' "$package"
	done
}

# Packages of the major version that are installed already.  Those of one minor
# version depend on each other, so they are brought up to date together.
installed_siblings()
{
	{ dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
		"postgresql*-$1" "postgresql*-$1-*" 'libpq*' 2>/dev/null || true; } |
		sed -n 's/^installed //p' | tr '\n' ' '
}

# The packaged server would create and start a cluster on its first
# installation: nobody asked for that.
without_default_cluster()
{
	local dir=/etc/postgresql-common/createcluster.d
	local file=$dir/zz-diskann.conf
	local status=0

	as_root mkdir -p "$dir" || return 1
	echo 'create_main_cluster = false' | as_root tee "$file" >/dev/null
	"$@" || status=$?
	as_root rm -f "$file"
	as_root rmdir "$dir" 2>/dev/null || true
	return "$status"
}

# The version the distribution's metapackage stands for, if lists are there.
packaged_major()
{
	{ apt-cache policy postgresql 2>/dev/null || true; } |
		sed -n 's/^ *Candidate: *\([0-9][0-9]*\).*/\1/p'
}

# The major version to use: that of PG_CONFIG if it is set, else the one whose
# server development files are installed, else the distribution's own.
find_major()
{
	local config=${PG_CONFIG:-} version

	if [ -z "$config" ] && [ -d /usr/lib/postgresql ]; then
		config=$(find /usr/lib/postgresql -path '*/bin/pg_config' |
			sort -V | tail -n 1)
	fi
	if [ -n "$config" ] && version=$("$config" --version 2>/dev/null); then
		version=${version#PostgreSQL }
		pg_major=${version%%[!0-9]*}
		return
	fi
	[ -z "${PG_CONFIG:-}" ] || die "PG_CONFIG=$PG_CONFIG cannot be run"
	version=$(packaged_major)
	if [ -z "$version" ] && command -v apt-get >/dev/null; then
		say "updating the package lists"
		apt_update >/dev/null || die "apt-get update failed (see above)"
		version=$(packaged_major)
	fi
	pg_major=${version:-15}
}

# Installs what is missing of: compiler, server, headers, test tools.
# Arguments: further packages needed.
install_packages()
{
	local needed missing siblings

	if ! command -v dpkg-query >/dev/null; then
		say "not a Debian system: taking it that gcc, PostgreSQL with its server headers, and IPC::Run are there"
		find_major
		return
	fi
	find_major
	needed="gcc libc6-dev make gzip postgresql-$pg_major postgresql-client-$pg_major postgresql-server-dev-$pg_major libpq-dev $*"
	# shellcheck disable=SC2086 # a list of words
	missing=$(missing_packages $needed)
	[ -n "$missing" ] || return 0
	say "installing packages: $missing"
	case $missing in
		*-"$pg_major"*) siblings=$(installed_siblings "$pg_major") ;;
		*) siblings= ;;
	esac
	apt_update || die "cannot install packages without root or sudo: apt-get install $missing"
	# shellcheck disable=SC2086 # lists of words
	without_default_cluster apt install --no-install-recommends \
		$missing $siblings || die "apt-get failed (see above)"
}

# Installs packages that are good to have; false if they cannot be had.
try_packages()
{
	local missing

	command -v dpkg-query >/dev/null || return 1
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	say "installing packages: $missing"
	# shellcheck disable=SC2086 # a list of words
	apt_update && apt install --no-install-recommends $missing
}

# Puts client libraries into a directory, as 016_clients.pl wants them; both are
# free of machine code, so that they serve with other versions of the languages.
# It says what cannot be had; the test skips that.
fetch_clients()
{
	local dir=$1 log=$1/log

	mkdir -p "$dir"
	python3 -m pip --version >/dev/null 2>&1 ||
		try_packages python3 python3-pip >"$log" 2>&1
	python3 -m pip install -q --no-deps --target="$dir/python" \
		psycopg pgvector typing_extensions >"$log" 2>&1 ||
		say "no psycopg: $(tail -n 1 "$log")"
	command -v node >/dev/null || try_packages nodejs >"$log" 2>&1
	if ! command -v npm >/dev/null; then
		say "no node-postgres: there is no npm"
	elif ! npm install --no-audit --no-fund --prefix "$dir/node" pg pgvector \
		>"$log" 2>&1; then
		say "no node-postgres: $(tail -n 1 "$log")"
	fi
	chmod -R a+rX "$dir"
}

find_programs()
{
	PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$pg_major/bin/pg_config}
	[ -x "$(command -v "$PG_CONFIG")" ] || PG_CONFIG=pg_config
	export PG_CONFIG
	bindir=$("$PG_CONFIG" --bindir) || die "no pg_config"
	[ -x "$bindir/initdb" ] || die "no PostgreSQL server in $bindir"
	[ -f "$("$PG_CONFIG" --pgxs)" ] || die "no PostgreSQL server headers"
}

#
# The temporary directory
#

make_work()
{
	local base=${TMPDIR:-/tmp}

	# Names of sockets below must stay under 108 bytes.
	if [ ${#base} -gt 40 ] || ! as_server test -w "$base"; then
		base=/tmp
	fi
	work=$(mktemp -d "$base/diskann.XXXXXX")
	own_work
}

# Makes $work ours, and sees to it that it is cleaned up.
own_work()
{
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	[ "$(id -u)" != 0 ] || chown "$server_user" "$work"
	# The server's user may not be able to read where we were started.
	cd "$work" || exit 1
	# A make that started us shall not steer the ones we start.
	unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
	export LC_ALL=C HOME=$work TMPDIR=$work
}

# The environment may lead clients to another server than ours.
forget_servers()
{
	local name

	for name in ${!PG*}; do
		case $name in
			PG_*) ;;
			*) unset "$name" ;;
		esac
	done
}

# Ends whatever still runs in $work, servers by their lock files.
stop_servers()
{
	local file pid mode

	for mode in INT QUIT; do
		find "$work" -name postmaster.pid 2>/dev/null |
			while read -r file; do
				pid=$(head -n 1 "$file" 2>/dev/null)
				[ -n "$pid" ] && kill "-$mode" "$pid" 2>/dev/null
			done
		for _ in $(seq 100); do
			[ -n "$(find "$work" -name postmaster.pid 2>/dev/null)" ] || return 0
			sleep 0.1
		done
	done
}

end_child()
{
	[ -n "$child" ] || return 0
	kill -TERM -- "-$child" 2>/dev/null || true
	for _ in $(seq 50); do
		kill -0 -- "-$child" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL -- "-$child" 2>/dev/null || true
	child=
}

cleanup()
{
	trap '' INT TERM HUP
	end_child
	if [ -n "$work" ] && [ -d "$work" ]; then
		[ -n "$keep_server" ] || stop_servers
		cd /
		[ -n "$keep_work" ] || rm -rf "$work"
	fi
}

#
# Building
#

# Copies the sources, and nothing built, to $work/src.  Object files of an
# earlier copy stay: make sees by the times of the sources what is stale.
copy_sources()
{
	as_server mkdir -p "$work/src"
	as_server find "$work/src" -type f ! -name '*.o' -delete
	tar -C "$top" -c --exclude=./.git --exclude=./build --exclude='*.o' \
		--exclude='*.so' --exclude='*.bc' --exclude=./results \
		--exclude=./tmp_check --exclude=./output_iso --exclude=./output_pgvector --exclude=./log \
		--exclude=./test/bench/diskann_bench --exclude='./test/unit/*_test' \
		--exclude='./test/unit/*_test_aarch64' . |
		as_server tar -C "$work/src" -x --no-same-owner
}

jobs()
{
	nproc 2>/dev/null || echo 1
}

# Builds the module and installs it below $work/inst.
# Arguments: variables for make.
build_module()
{
	run_as_server make -s -C "$work/src" -j "$(jobs)" "PG_CONFIG=$PG_CONFIG" \
		"$@" all || return 1
	run_as_server make -s -C "$work/src" "PG_CONFIG=$PG_CONFIG" "$@" \
		install "DESTDIR=$work/inst" >/dev/null
}

#
# Servers
#

# Configuration with which a server finds what is below $work/inst.
extension_conf()
{
	local inst=$work/inst

	if "$bindir/postgres" --describe-config | grep '^extension_destdir' >/dev/null; then
		echo "extension_destdir = '$inst'"
	else
		echo "extension_control_path = '$inst$("$PG_CONFIG" --sharedir):\$system'"
		echo "dynamic_library_path = '$inst$("$PG_CONFIG" --pkglibdir):\$libdir'"
	fi
}

# Creates $work/data unless it is there.
init_server()
{
	[ -d "$work/data" ] ||
		run_as_server "$bindir/initdb" -D "$work/data" -A trust -U postgres \
			-N -E UTF8 --locale=C >"$work/initdb.log" 2>&1 || {
		cat "$work/initdb.log"
		die "initdb failed"
	}
}

# Starts a server on $work/data, reachable through the socket in $work alone.
# Arguments: lines of configuration.
start_server()
{
	local line

	{
		extension_conf
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$work'"
		echo "unix_socket_permissions = 0700"
		for line; do
			echo "$line"
		done
	} | as_server tee "$work/server.conf" >/dev/null
	as_server sh -c "grep -q server.conf '$work/data/postgresql.conf' ||
		echo \"include '$work/server.conf'\" >>'$work/data/postgresql.conf'"
	run_as_server "$bindir/pg_ctl" -s -w -t 120 -D "$work/data" \
		-l "$work/server.log" start || {
		tail -n 20 "$work/server.log"
		die "the server did not start"
	}
	export PGHOST=$work PGUSER=postgres PGDATABASE=postgres
}

sql()
{
	"$bindir/psql" -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"
}
