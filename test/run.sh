#!/bin/bash
#
# Every test there is: "make test".
#
# Installs what is missing, telling before what that is, builds a copy of the
# sources with assertions and with warnings as errors, and runs the suites
# against private servers in a temporary directory.  Goes on after a failure;
# the last line is "N passed, N failed".
#
# SUITES="..." runs some of the suites only, and PROVE_TESTS, REGRESS and
# ISOLATION name some of their tests.  KEEP=1 keeps the directory.

set -uo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

keep_work=${KEEP:-}
: "${SUITES:=unit unit-aarch64 regress isolation tap pgvector}"
total_passed=0
total_failed=0
total_skipped=0
summary=

# Takes down one suite's result.  Running nothing is a failure, too.
record()
{
	local suite=$1 passed=$2 failed=$3

	if [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
		echo "$suite: no test was run"
		failed=1
	fi
	total_passed=$((total_passed + passed))
	total_failed=$((total_failed + failed))
	summary+=$(printf '%-18s %6d passed %4d failed' "$suite" "$passed" "$failed")$'\n'
}

wanted()
{
	[[ " $SUITES " == *" $1 "* ]]
}

record_skip()
{
	say "$1: skipped: $2"
	total_skipped=$((total_skipped + 1))
	summary+=$(printf '%-18s skipped: %s' "$1" "$2")$'\n'
}

# Runs a command as the servers' user; its output is kept in a file, and shown
# indented, so that no line of it looks like the one this script ends with.
logged()
{
	local log=$1 status=0 tee_pid
	shift

	exec 3> >(tee "$log" | sed -u 's/^/    /')
	tee_pid=$!
	run_as_server "$@" >&3 2>&1 3>&- || status=$?
	exec 3>&-
	wait "$tee_pid"
	return "$status"
}

suite_make()
{
	local log=$1
	shift

	logged "$log" make --no-print-directory -C "$work/src" \
		"PG_CONFIG=$PG_CONFIG" "$@"
}

#
# Unit tests: plain programs, no server.  A program is one test here, however
# many thousand values it compares; it ends by telling how many of them failed.
#

run_unit()
{
	local suite=$1 target=$2 log=$work/log/$1 status=0 programs good failed

	say "$suite"
	logged "$log" make --no-print-directory -C "$work/src/test/unit" "$target" ||
		status=$?
	programs=$(grep -c '^== ' "$log")
	good=$(grep -Ec '^[0-9]+ passed, 0 failed$' "$log")
	failed=$((programs - good))
	if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	record "$suite" "$good" "$failed"
}

cross_packages=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)

unit_aarch64()
{
	local suite=unit-aarch64

	if [ "$(uname -m)" = aarch64 ]; then
		record_skip "$suite" "this machine is one"
	elif { command -v aarch64-linux-gnu-gcc && command -v qemu-aarch64; } >/dev/null; then
		run_unit "$suite" check-aarch64
	else
		record_skip "$suite" "no cross compiler (${cross_packages[*]})"
	fi
}

#
# pg_regress and pg_isolation_regress
#

# Their closing line, which has changed over the versions.
count_regress()
{
	local log=$1 status=$2 good=0 bad=0 line

	line=$(grep -E '(All [0-9]+ tests? passed|[0-9]+ of [0-9]+ tests? (passed|failed))' "$log" |
		tail -n 1)
	if [[ $line =~ All\ ([0-9]+)\ test ]]; then
		good=${BASH_REMATCH[1]}
	elif [[ $line =~ ([0-9]+)\ of\ ([0-9]+)\ tests?\ failed ]]; then
		bad=${BASH_REMATCH[1]}
		good=$((BASH_REMATCH[2] - bad))
	elif [[ $line =~ ([0-9]+)\ of\ ([0-9]+)\ tests?\ passed ]]; then
		good=${BASH_REMATCH[1]}
		bad=$((BASH_REMATCH[2] - good))
	fi
	if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		bad=1
	fi
	echo "$good $bad"
}

# Arguments: suite, directory of its output, variables for make.
run_regress()
{
	local suite=$1 output=$2 log=$work/log/$1 status=0 good bad
	shift 2

	say "$suite"
	suite_make "$log" installcheck TAP_TESTS= "$@" \
		"EXTRA_REGRESS_OPTS=--temp-instance=$work/$suite --temp-config=$work/test.conf" ||
		status=$?
	read -r good bad <<<"$(count_regress "$log" "$status")"
	if [ "$bad" != 0 ]; then
		show_file "$output/regression.diffs" 400
		show_file "$output/log/postmaster.log" 100
	fi
	record "$suite" "$good" "$bad"
}

# The end of a log, for those who will see nothing but our output.
show_file()
{
	local file=$1 lines=$2

	[ -s "$file" ] || return 0
	printf -- '---- %s (last %d lines)\n' "${file#"$work"/}" "$lines"
	tail -n "$lines" "$file"
	printf -- '----\n'
}

#
# TAP tests
#

# "passed failed" from prove's report.  A file that died without a failed test
# point counts as one.
count_tap()
{
	awk '
		/^Files=[0-9]+, Tests=[0-9]+/ { split($2, t, "[=,]"); total = t[2] }
		match($0, /\(Wstat: [0-9]+/) {
			wstat = substr($0, RSTART + 8, RLENGTH - 8) + 0
			n = 0
			if (match($0, /Failed: [0-9]+/))
				n = substr($0, RSTART + 8, RLENGTH - 8) + 0
			points += n
			pending = (n == 0)
			if (pending && wstat != 0) { extra++; pending = 0 }
		}
		/^ *Parse errors:/ && pending { extra++; pending = 0 }
		END { print total - points, points + extra }' "$1"
}

show_failed_tap()
{
	local file log

	sed -n 's,^[^ ]*/\([^/ ]*\)\.pl *(Wstat:.*,\1,p' "$1" | sort -u |
		while read -r file; do
			find "$work/src/tmp_check/log" \( -name "regress_log_$file" -o \
				-name "${file}_*.log" \) | sort |
				while read -r log; do show_file "$log" 80; done
		done
}

# A PostgreSQL configured without TAP tests comes without their Perl modules.
# Those of a later version know it as well.
tap_options=()
borrow_tap_modules()
{
	local modules

	[ ! -d "$("$PG_CONFIG" --pgxs | sed 's,/makefiles/.*,,')/test/perl" ] || return 0
	modules=$(find /usr/lib/postgresql -path '*/pgxs/src/test/perl' 2>/dev/null |
		sort -V | tail -n 1)
	[ -n "$modules" ] || return 1
	# Each version's modules look for one or two of these.
	export PERL5LIB=$modules TESTDIR=$work/src
	export TESTDATADIR=$TESTDIR/tmp_check TESTLOGDIR=$TESTDIR/tmp_check/log
	tap_options=(enable_tap_tests=yes PROVE=prove)
}

run_tap()
{
	local log=$work/log/tap status=0 good bad reason

	say tap
	export TEMP_CONFIG=$work/test.conf
	suite_make "$log" installcheck REGRESS= ISOLATION= \
		PROVE_FLAGS="--timer --verbose -j2" "${tap_options[@]}" || status=$?
	read -r good bad <<<"$(count_tap "$log")"
	# What was skipped counts as good there.
	good=$((good - $(grep -c '^ok [0-9]* # skip' "$log")))
	if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		bad=1
	fi
	[ "$bad" = 0 ] || show_failed_tap "$log"
	record tap "$good" "$bad"
	while read -r reason; do
		record_skip tap "$reason"
	done < <(sed -n -e 's/^ok [0-9]* # skip *//p' \
		-e 's/^.*\.pl \.* skipped: *//p' "$log" | sort -u)
}

#
# All of them
#

has_files()
{
	compgen -G "$1" >/dev/null
}

server_suites()
{
	{
		cat "$work/src/test/regress.conf"
		extension_conf
	} | as_server tee "$work/test.conf" >/dev/null

	! wanted regress || run_regress regress "$work/src" ISOLATION=
	! wanted isolation || run_regress isolation "$work/src/output_iso" REGRESS=
	! wanted pgvector || pgvector_suite
	if wanted tap && borrow_tap_modules; then
		run_tap
	elif wanted tap; then
		record_skip tap "no Perl modules of PostgreSQL's tests"
	fi
}

# Regression tests of what needs pgvector, where it is installed.
pgvector_suite()
{
	local control

	control=$("$PG_CONFIG" --sharedir)/extension/vector.control
	if [ ! -f "$control" ]; then
		record_skip pgvector "PostgreSQL $pg_major has no pgvector here"
		return
	fi
	say "pgvector $(sed -n "s/^default_version = '\(.*\)'/\1/p" "$control")"
	run_regress pgvector "$work/src/output_pgvector" ISOLATION= \
		PGVECTOR_TESTS=yes
}

# Everything that is to be fetched is fetched before the first test.
get_everything()
{
	install_packages perl libipc-run-perl python3
	find_programs
	make_work
	own_server
	if wanted unit-aarch64 && [ "$(uname -m)" != aarch64 ]; then
		try_packages "${cross_packages[@]}"
	fi
	if wanted tap && [ -z "${DISKANN_CLIENTS:-}" ]; then
		export DISKANN_CLIENTS=$work/clients
		get_clients "$DISKANN_CLIENTS"
	fi
}

say "preparing"
get_everything
forget_servers
as_server mkdir -p "$work/log"
copy_sources
say "PostgreSQL $("$PG_CONFIG" --version | sed 's/^PostgreSQL //'), building with assertions"

! wanted unit || run_unit unit check
! wanted unit-aarch64 || unit_aarch64
if build_module STRICT=1; then
	server_suites
else
	record build 0 1		# and no suite that needs it
fi

say "summary"
[ -z "$keep_work" ] || summary+="kept in $work"$'\n'
[ "$total_skipped" = 0 ] || summary+="$total_skipped skipped, for the reasons above"$'\n'
printf '%s\n%d passed, %d failed\n' "$summary" "$total_passed" "$total_failed"
[ "$total_failed" = 0 ]
