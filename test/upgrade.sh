#!/bin/bash
#
# pg_upgrade from one major version to the next, as far as versions are given:
# the files of an index are taken as they are.  Run by matrix.sh, in a root where
# the programs of all versions work.
#
# Arguments: versions, oldest first.  $DISKANN_INST-<version> is where diskann
# was installed for it, with DESTDIR.  The last line is "N passed, N failed".

set -uo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

passed=0
failed=0
answers=

check()
{
	local what=$1
	shift

	if "$@"; then
		echo "ok - $what"
		passed=$((passed + 1))
	else
		echo "not ok - $what"
		failed=$((failed + 1))
	fi
}

# Goes to the directory of a version, of which start_server knows as $work, and
# puts its programs there, with diskann among their libraries: pg_upgrade looks
# for these nowhere else.
enter()
{
	local programs=usr/lib/postgresql/$1 files=usr/share/postgresql/$1

	version=$1
	PG_CONFIG=/$programs/bin/pg_config
	work=$base/$1
	bindir=$work/inst/$programs/bin
	as_server mkdir -p "$work/inst/$programs" "$work/inst/$files"
	as_server cp -r "/$programs/bin" "/$programs/lib" "$work/inst/$programs"
	as_server cp -r "/$files/." "$work/inst/$files"
	as_server cp -r "$DISKANN_INST-$1/usr" "$work/inst"
}

# initdb from 18 on turns on what the versions before did not.
init_version()
{
	local options=()

	[ "$version" -lt 18 ] || options=(--no-data-checksums)
	run_as_server "$bindir/initdb" -D "$work/data" -A trust -U postgres -N \
		-E UTF8 --locale=C "${options[@]}" >"$work/initdb.log"
}

# A minor release may note things in columns' options that an older minor release
# of the next version does not know, and then that cannot be upgraded to.  Which
# releases meet here is up to the distribution, so our tables go without.
forget_column_options()
{
	sql "SET allow_system_table_mods = on;
		UPDATE pg_attribute SET attoptions = NULL
			WHERE attoptions IS NOT NULL AND attrelid IN
			(SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
}

stop_server()
{
	run_as_server "$bindir/pg_ctl" -s -w -D "$work/data" stop
}

all_answers()
{
	local op

	for op in '<->' '<=>' '<#>'; do
		sql "SET enable_seqscan = off; SET enable_sort = off;
			EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v $op (SELECT q FROM q);
			SELECT id, v $op q FROM t, q ORDER BY v $op (SELECT q FROM q) LIMIT 50;" |
			grep -Ev 'InitPlan|Order By|Disabled'
	done
	sql "SET enable_seqscan = off;
		SELECT id FROM late ORDER BY v <-> (SELECT q FROM q) LIMIT 50;"
	if [ "$(sql "SELECT count(*) FROM pg_class WHERE relname = 'vectors'")" = 1 ]; then
		sql "SET enable_seqscan = off;
			SELECT id FROM vectors ORDER BY v <=> (SELECT q::vector FROM q) LIMIT 50;
			SELECT id FROM vectors ORDER BY h <-> (SELECT q::halfvec FROM q) LIMIT 50;"
	fi
}

sound()
{
	sql "SELECT count(diskann_index_check(c.oid, true)) FROM pg_class c
		JOIN pg_am a ON a.oid = c.relam WHERE amname = 'diskann'" >"$work/sound"
	[ "$(cat "$work/sound")" -ge 4 ]
}

# Searches of pages that come from a disk may visit other nodes than searches of
# pages in memory: the second time all are there.
warm_answers()
{
	all_answers >/dev/null
	all_answers
}

same_answers()
{
	warm_answers >"$work/answers"
	grep 'Index Scan using' "$work/answers" >/dev/null &&
		diff "$answers" "$work/answers"
}

create_tables()
{
	sql "CREATE EXTENSION diskann;
		CREATE TABLE t (id int, v real[]);
		SELECT setseed(0.5);
		INSERT INTO t SELECT i, array_agg(random() - 0.5)
			FROM generate_series(1, 3000) i, generate_series(1, 40) GROUP BY i;
		CREATE TABLE q AS SELECT array_agg(random() - 0.5)::real[] AS q
			FROM generate_series(1, 40);
		CREATE INDEX ON t USING diskann (v);
		CREATE INDEX ON t USING diskann (v real_cosine_ops)
			WITH (vector_storage = int8);
		CREATE INDEX ON t USING diskann (v real_ip_ops);
		CREATE TABLE late (id int, v real[]);
		CREATE INDEX ON late USING diskann (v) WITH (num_neighbors = 64);
		INSERT INTO late SELECT id, v[1:40] FROM t WHERE id < 1000;
		INSERT INTO late SELECT 1, v FROM t, generate_series(1, 100) WHERE id = 1;
		DELETE FROM t WHERE id % 5 = 0" >/dev/null
	sql "VACUUM t"
}

# New work on the old files.
write()
{
	sql "INSERT INTO t SELECT id + 10000, v FROM late WHERE id < 500;
		DELETE FROM t WHERE id % 7 = 0;
		UPDATE late SET v[1] = v[1] + 0.5 WHERE id % 3 = 0" &&
		sql "VACUUM t" && sql "VACUUM late"
}

create_vectors()
{
	sql "CREATE EXTENSION diskann_pgvector CASCADE;
		CREATE TABLE vectors (id int, v vector(40), h halfvec(40));
		INSERT INTO vectors SELECT id, v, v::vector FROM t WHERE id < 2000;
		CREATE INDEX ON vectors USING diskann (v) WITH (num_neighbors = 50);
		CREATE INDEX ON vectors USING diskann (h halfvec_l2_ops);" 2>/dev/null
}

upgrade()
{
	local from=$1

	cd "$work" || return 1
	run_as_server "$bindir/pg_upgrade" --no-sync \
		-b "$base/$from/inst/usr/lib/postgresql/$from/bin" -B "$bindir" \
		-d "$base/$from/data" -D "$work/data" -s "$work" -p 5600 -P 5601 \
		-U postgres >"$work/upgrade.log" 2>&1 && return
	cat "$work/upgrade.log"
	find "$work/data/pg_upgrade_output.d" -name '*.log' -exec tail -n 20 {} +
	return 1
}

visit()
{
	local previous=$1

	enter "$2"
	say "PostgreSQL $version"
	check "$version: initdb" init_version
	start_server "jit = off" "autovacuum = off" "fsync = off"
	if [ -n "$previous" ]; then
		stop_server
		check "$version: pg_upgrade from $previous" upgrade "$previous"
		start_server "jit = off" "autovacuum = off" "fsync = off"
		check "$version: same answers" same_answers
		check "$version: indexes are sound" sound
		check "$version: writing" write
	else
		create_tables
	fi
	if [ -f "$("$PG_CONFIG" --sharedir)/extension/vector.control" ] &&
		[ "$(sql "SELECT count(*) FROM pg_extension WHERE extname = 'vector'")" = 0 ]; then
		check "$version: with pgvector" create_vectors
	fi
	check "$version: indexes are sound in the end" sound
	answers=$work/answers
	warm_answers >"$answers"
	forget_column_options
	stop_server
}

# $work is the directory of a version in turn; all of it is in this one.
base=
make_work
base=$work
forget_servers
previous=
for next; do
	visit "$previous" "$next"
	previous=$next
done
work=$base
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
