#!/bin/bash
#
# What can be said of the sources without running them: "make lint".
#
# Installs the tools that are missing, and tells which.  Prints a line for each
# check, and below it what a failed one found; the last line is "N passed, N
# failed".  "test/lint.sh NAME..." runs the checks of those names alone.

set -uo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

wanted=" $* "
passed=0
failed=0

# The end of a failed check's output that is shown.
: "${LINT_LINES:=40}"

# Arguments: name of the check, what it finds out, command.
check()
{
	local name=$1 what=$2 output=$work/log/$1 status=0
	shift 2

	[[ $wanted == "  " || $wanted == *" $name "* ]] || return 0
	"$@" >"$output" 2>&1 </dev/null || status=$?
	if [ "$status" = 0 ]; then
		passed=$((passed + 1))
		printf 'ok     %-10s %s\n' "$name" "$what"
	else
		failed=$((failed + 1))
		printf 'FAILED %-10s %s\n' "$name" "$what"
		tail -n "$LINT_LINES" "$output" | sed 's/^/    /'
		[ "$(wc -l <"$output")" -le "$LINT_LINES" ] ||
			echo "    (the end of $(wc -l <"$output") lines)"
	fi
}

rule()
{
	check "$1" "$2" python3 test/lint/structure.py "$1"
}

# Runs a command with each of the files, and fails if it fails with one.
each()
{
	local command=$1 file status=0
	shift

	for file; do
		$command "$file" || status=1
	done
	return "$status"
}

#
# C
#

# As the sources include them: those of the floors that know PostgreSQL after
# postgres.h, the others after nothing, as C11 and without extensions of GNU.
header_alone()
{
	local common=(-fsyntax-only -x c -Wall -Wextra -Werror
		-Wno-unused-parameter -Isrc)

	case $1 in
		src/kernels/* | src/vector/*)
			"${CC:-gcc}" "${common[@]}" -std=c11 - <<<"#include \"${1#src/}\""
			;;
		*)
			"${CC:-gcc}" "${common[@]}" -D_GNU_SOURCE \
				"-I$("$PG_CONFIG" --includedir-server)" - \
				<<<"#include \"postgres.h\""$'\n'"#include \"${1#src/}\""
			;;
	esac || { echo "$1 cannot be compiled alone"; return 1; }
}

# PGXS knows the options of the compiler PostgreSQL was compiled with, which
# need not be this one's.  Arguments: compiler, more for make.
compiles_with()
{
	local compiler=$1
	shift

	command -v "$compiler" || { echo "there is no $compiler"; return 1; }
	make -s -C "$work/src" clean >/dev/null
	make -s -k -C "$work/src" -j "$(jobs)" "PG_CONFIG=$PG_CONFIG" STRICT=1 \
		"CC=$compiler" "$@" all
}

#
# Scripts
#

perl_syntax()
{
	local output

	output=$(perl -Itest/t \
		-I"$(dirname "$("$PG_CONFIG" --pgxs)")/../../src/test/perl" -c "$1" 2>&1) ||
		{ echo "$output"; return 1; }
}

python_syntax()
{
	python3 -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$1"
}

prepare()
{
	say "preparing"
	install_packages clang libipc-run-perl perl python3 shellcheck universal-ctags
	try_packages pg-bsd-indent || true
	find_programs
	make_work
	mkdir -p "$work/log"
	copy_sources
	chmod -R a+rX "$work"
	cd "$work/src" || exit 1
}

prepare
mapfile -t headers < <(find src -name '*.h' | sort)
# test/bench is left as it is, and the shim repeats PostgreSQL's own lines.
mapfile -t c_files < <(find src test/unit/*.[ch] test/tools test/clients \
	-name '*.[ch]' | sort)
mapfile -t shell_files < <({ find test -name '*.sh'; echo .ci/run
	echo debian/tests/installed; } | sort)
mapfile -t perl_files < <(find test -name '*.pl' -o -name '*.pm' | sort)
mapfile -t python_files < <({ find test -name '*.py'; echo test/bench/bench; } | sort)
mapfile -t pages < <(find . -name '*.md' -printf '%P\n' | sort)
mapfile -t node_files < <(find test -name '*.mjs' | sort)

say "checks"
rule arrows "no file includes one of a floor above"
rule circles "no files include each other in a circle"
rule versions "versions of PostgreSQL are asked for in compat.h alone"
rule widths "lines fit into 80 columns"
rule sizes "no function over 200 lines, no file over 900"
if command -v pg_bsd_indent >/dev/null; then
	check indent "C is indented as pgindent would" \
		python3 test/lint/indent.py "${c_files[@]}"
else
	say "indent: skipped: there is no pg_bsd_indent"
fi
check links "links of the pages hold" python3 test/lint/links.py "${pages[@]}"
check headers "each header compiles alone" each header_alone "${headers[@]}"
check gcc "gcc -Wall -Wextra -Wshadow has no complaint" compiles_with gcc
check clang "clang -Wall -Wextra -Wshadow has no complaint" \
	compiles_with clang "CFLAGS=-O2 -Wno-ignored-attributes"
check shell "shell scripts have the right syntax" each "bash -n" "${shell_files[@]}"
check shellcheck "shellcheck has no complaint" shellcheck -x -P SCRIPTDIR "${shell_files[@]}"
check perl "Perl scripts have the right syntax" each perl_syntax "${perl_files[@]}"
check python "Python scripts have the right syntax" \
	each python_syntax "${python_files[@]}"
if command -v node >/dev/null; then
	check node "JavaScript has the right syntax" each "node --check" "${node_files[@]}"
fi

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
