#!/bin/bash
#
# What tools can tell of the sources without running them: "make lint".
#
# Installs the tools that are missing, works on a copy of the sources, and goes
# on after a failure; the last line is "N passed, N failed".

set -uo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

passed=0
failed=0

# Runs a check, and shows what it has to say if it fails.
check()
{
	local name=$1 log
	shift

	log=$("$@" 2>&1)
	if [ $? = 0 ]; then
		passed=$((passed + 1))
		printf '%-44s ok\n' "$name"
	else
		failed=$((failed + 1))
		printf '%-44s FAILED\n%s\n' "$name" "$(head -n 60 <<<"$log")"
	fi
}

# Runs a command for each of some files; true if it was for all.
for_each()
{
	local command=$1 status=0 file
	shift

	for file; do
		"$command" "$file" || status=1
	done
	return "$status"
}

#
# Formatting
#

# Names of types, without which pg_bsd_indent takes declarations for products:
# ours, PostgreSQL's, and those of C.
find_typedefs()
{
	local server

	server=$("$PG_CONFIG" --includedir-server)
	{
		find src "$server" -name '*.h' -print0 -o -path 'src/*.c' -print0 |
			xargs -0 ctags -f - --langmap=C:.c.h --languages=C --kinds-C=t 2>/dev/null | cut -f1
		printf '%s\n' bool size_t off_t FILE \
			{,u}int{8,16,32,64}_t {,u}intptr_t __m128i __m256i __m512i \
			__m128 __m256 __m512 __mmask16 __mmask32 __mmask64
	} | sort -u
}

# pgindent's options for pg_bsd_indent.
indent_options=(-bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 -nfc1
	-i4 -l79 -lp -lpl -nip -npro -sac -tpg -ts4)

# It takes vector types, macros before a loop and hexadecimal floats for something
# else, so that it would spoil these.
not_indented='^src/kernels/(amx|avx512|neon|half|scalar)\.c$'

# pgindent hides what pg_bsd_indent does not understand, and so do we: the
# attribute before a declaration, and pointers returned by a function.
is_indented()
{
	local file=$1

	sed -E 's/^pg_noreturn (extern|static)/\1_pg_noreturn/' "$file" >"$work/in.c"
	pg_bsd_indent "${indent_options[@]}" "-U$work/typedefs" \
		"$work/in.c" "$work/out.c" || return 1
	sed -E -i -e 's/^(extern|static)_pg_noreturn/pg_noreturn \1/' \
		-e 's/^([A-Za-z_][^[:space:]]*)[ \t]+\*$/\1 */' "$work/out.c"
	diff -u --label "$file" --label "$file, indented" "$file" "$work/out.c"
}

#
# Compiling
#

# Arguments: compiler, options.  PostgreSQL's makefiles have options for the
# compiler it was built with, which another may not know.
compile_with()
{
	make -s -C "$work/src" clean "PG_CONFIG=$PG_CONFIG" >/dev/null 2>&1
	make -s -C "$work/src" -j "$(jobs)" "PG_CONFIG=$PG_CONFIG" STRICT=1 \
		OPTFLAGS=-O1 "CC=$1" COPT="${2:-}" all
}

# vector/ and kernels/ know nothing of PostgreSQL.
header_alone()
{
	local header=$1 first='#include "postgres.h"'

	case $header in
		src/vector/* | src/kernels/*) first= ;;
	esac
	printf '%s\n#include "%s"\n' "$first" "${header#src/}" |
		gcc -fsyntax-only -Wall -Wextra -Wno-unused-parameter -Werror -Isrc \
			-I"$("$PG_CONFIG" --includedir-server)" -x c -
}

#
# Scripts
#

shell_is_sound()
{
	bash -n "$1" && shellcheck -x -P SCRIPTDIR -S warning "$1"
}

# The modules of PostgreSQL's own tests are beside its makefiles.
perl_compiles()
{
	local modules

	modules=$(dirname "$("$PG_CONFIG" --pgxs)")/../test/perl
	perl -I "$modules" -I test/t -c "$1"
}

python_compiles()
{
	python3 -m py_compile "$1"
}

say "preparing"
install_packages perl libipc-run-perl python3 clang pg-bsd-indent \
	universal-ctags shellcheck
find_programs
make_work
copy_sources
chmod -R a+rwX "$work"
cd "$work/src" || exit 1
export PYTHONDONTWRITEBYTECODE=1
find_typedefs >"$work/typedefs"

say "checking"
mapfile -t shell < <(find . -name '*.sh' -o -path './.ci/run' | sort)
mapfile -t perl < <(find . -name '*.pl' -o -name '*.pm' | sort)
mapfile -t python < <(find . -name '*.py' | sort)

for rule in arrows circles versions width size; do
	check "structure: $rule" python3 test/lint/structure.py "$rule"
done
mapfile -t indented < <(printf '%s\n' src/*.[ch] src/*/*.[ch] |
	grep -Ev "$not_indented")
check "format (pg_bsd_indent)" for_each is_indented "${indented[@]}"
check "headers compile alone" for_each header_alone src/*.h src/*/*.h
check "gcc, no warnings" compile_with gcc
check "clang, no warnings" compile_with clang -Wno-ignored-optimization-argument
check "shell scripts" for_each shell_is_sound "${shell[@]}"
check "Perl scripts" for_each perl_compiles "${perl[@]}"
check "Python scripts" for_each python_compiles "${python[@]}"

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
