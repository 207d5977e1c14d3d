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
# Telling what is going on
#

# Passes lines on.  When none has come for some seconds, a line tells what is
# going on and since when.
narrate()
{
	local what=$1 start=$SECONDS line='' part status

	while :; do
		status=0
		IFS= read -r -t 7 part || status=$?
		line+=$part
		if [ "$status" -gt 128 ]; then
			echo "  $what: $((SECONDS - start)) s so far"
		elif [ "$status" = 0 ]; then
			printf '%s\n' "$line"
			line=
		else
			[ -z "$line" ] || printf '%s\n' "$line"
			return 0
		fi
	done
}

# Runs a command whose silences are narrated.  Arguments: what it does; the
# command.  With "set -e" a failure ends the script as it would without this.
narrated()
{
	local what=$1 status pid fd
	shift

	exec {fd}> >(narrate "$what")
	pid=$!
	"$@" >&"$fd" 2>&1 {fd}>&-
	status=$?
	exec {fd}>&-
	wait "$pid" || true
	return "$status"
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
	as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q \
		-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold "$@"
}

apt_update()
{
	[ -z "$apt_updated" ] || return 0
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null || return 1
	say "updating the package lists (up to 20 MB)"
	narrated "updating" apt update || return 1
	apt_updated=yes
}

# Installs packages, telling before what that will fetch, in apt's own words.
apt_install()
{
	say "to be installed, with what they depend on: $*"
	{ apt install --assume-no --no-install-recommends "$@" 2>/dev/null || true; } |
		sed -n -e '/^[0-9]* upgraded, /s/^/  /p' -e '/^Need to get /s/^/  /p' \
			-e '/^After this operation/s/^/  /p'
	narrated "installing" apt install -y --no-install-recommends "$@"
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
		apt_update || die "apt-get update failed (see above)"
		version=$(packaged_major)
	fi
	pg_major=${version:-15}
}

# Installs what is missing of: compiler, server, headers, test tools.  Where
# PG_CONFIG names a PostgreSQL that is none of Debian's, that is taken as it is.
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
	needed="gcc libc6-dev make gzip libpq-dev $*"
	case ${PG_CONFIG:-/usr/} in
		/usr/*) needed+=" postgresql-$pg_major postgresql-client-$pg_major postgresql-server-dev-$pg_major" ;;
	esac
	# shellcheck disable=SC2086 # a list of words
	missing=$(missing_packages $needed)
	[ -n "$missing" ] || return 0
	case $missing in
		*-"$pg_major"*) siblings=$(installed_siblings "$pg_major") ;;
		*) siblings= ;;
	esac
	apt_update || die "cannot install packages without root or sudo: apt-get install $missing"
	# shellcheck disable=SC2086 # lists of words
	without_default_cluster apt_install $missing $siblings ||
		die "apt-get failed (see above)"
}

# Installs packages that are good to have; false if they cannot be had.
try_packages()
{
	local missing

	command -v dpkg-query >/dev/null || return 1
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086 # a list of words
	apt_update && apt_install $missing
}

#
# Client libraries, as 016_clients.pl tests them.  It skips what is not there.
#

python_has()
{
	local name

	for name in python3 /usr/bin/python3; do
		! "$name" -c "import $1" 2>/dev/null || return 0
	done
	return 1
}

node_has()
{
	local name

	for name in node nodejs; do
		! "$name" -e "require.resolve('$1')" 2>/dev/null || return 0
	done
	return 1
}

# Fetches Python modules into a directory, without what they depend on.
fetch_python()
{
	local dir=$1
	shift

	if ! python3 -m pip --version >/dev/null 2>&1; then
		say "no $1: there is no pip"
		return
	fi
	say "fetching with pip, at most 10 MB: $*"
	mkdir -p "$dir"
	narrated "fetching" env PIP_ROOT_USER_ACTION=ignore \
		python3 -m pip install -q --no-deps \
		--target="$dir/python" "$@" || say "no $1: pip failed (see above)"
}

# Fetches Node.js modules into a directory.
fetch_node()
{
	local dir=$1
	shift

	if ! command -v npm >/dev/null; then
		say "no $1 for Node.js: there is no npm"
		return
	fi
	say "fetching with npm, at most 10 MB: $*"
	mkdir -p "$dir"
	narrated "fetching" npm install --silent --no-audit --no-fund \
		--prefix "$dir/node" "$@" || say "no $1 for Node.js: npm failed (see above)"
}

# Sees to it that the clients are there: Debian's, and in a directory what
# cannot be had from there.  Needs neither pip nor npm where Debian has them.
get_clients()
{
	local dir=$1

	python_has psycopg || try_packages python3-psycopg ||
		fetch_python "$dir" psycopg typing_extensions
	python_has psycopg2 || try_packages python3-psycopg2 ||
		fetch_python "$dir" psycopg2-binary
	node_has pg || try_packages nodejs node-pg || fetch_node "$dir" pg
	# For the recipes of docs/, which are skipped without them.
	{ python_has sqlalchemy && python_has django; } ||
		try_packages python3-sqlalchemy python3-django
	[ ! -d "$dir" ] || chmod -R a+rX "$dir"
}

# Puts the clients with pgvector's types into a directory; all are free of machine
# code, so that they serve with other versions of the languages.
fetch_clients()
{
	local dir=$1

	python3 -m pip --version >/dev/null 2>&1 || try_packages python3 python3-pip
	command -v npm >/dev/null || try_packages nodejs npm
	fetch_python "$dir" psycopg typing_extensions pgvector
	fetch_node "$dir" pg pgvector
	[ ! -d "$dir" ] || chmod -R a+rX "$dir"
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

# A server that looks for extensions nowhere but in its own directories has to be
# one of ours: a copy of it, if it works wherever it lies.
own_server()
{
	"$bindir/postgres" --describe-config |
		grep -E '^extension_(destdir|control_path)' >/dev/null && return
	case $("$PG_CONFIG" --sharedir) in
		"${bindir%/bin}"/*) ;;
		*) die "PostgreSQL in $bindir finds extensions only where they need root to be installed" ;;
	esac
	as_server cp -a "${bindir%/bin}/." "$work/postgresql"
	bindir=$work/postgresql/bin
	PG_CONFIG=$bindir/pg_config
}

# Builds the module and installs it below $work/inst, or into a server of ours.
# Arguments: variables for make.
build_module()
{
	local destdir=$work/inst

	case $bindir in
		"$work"/*) destdir= ;;
	esac
	run_as_server make -s -C "$work/src" -j "$(jobs)" "PG_CONFIG=$PG_CONFIG" \
		"$@" all || return 1
	run_as_server make -s -C "$work/src" "PG_CONFIG=$PG_CONFIG" "$@" \
		install "DESTDIR=$destdir" >/dev/null
}

#
# Servers
#

# Configuration with which a server finds what is below $work/inst.
extension_conf()
{
	local inst=$work/inst

	case $bindir in
		"$work"/*) return ;;
	esac
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
