#!/bin/bash
#
# Side by side with pgvector: "bench run" inside a root of Debian 13, whose
# packages of PostgreSQL and pgvector it uses.  See README.md.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../root.sh
. "$(dirname "$0")/../root.sh"

release=trixie major=17
data=${DISKANN_BENCH_DATA:-$top/test/data}
out=bench-report chosen='' report=yes
passed=()

usage()
{
	cat <<'END'
Usage: test/bench/peers.sh [--out DIR] [OPTION]...

Runs test/bench/run.sh, with these options, inside a Debian 13 root: the one
named by DISKANN_BENCH_ROOT, else one that is made in /var/cache/diskann.  Data
come from the directory DISKANN_BENCH_DATA (default: test/data); --data takes
no files here.  Without --contender: ours, hnsw, ivfflat.  Needs root.

The arguments of --churn and --ingest name files as they are within the root:
data in /mnt/data, and what they write in /mnt/out, which is --out.
END
}

while [ $# -gt 0 ]; do
	case $1 in
		--help) usage; exit 0 ;;
		--out)
			[ $# -gt 1 ] || die "--out needs a value"
			out=$2
			shift
			;;
		--contender) chosen=yes; passed+=("$1") ;;
		--churn | --ingest) report=''; passed+=("$1") ;;
		*) passed+=("$1") ;;
	esac
	shift
done
[ -n "$chosen" ] ||
	passed+=(--contender ours --contender hnsw --contender ivfflat)
obstacle=$(root_obstacle)
[ -z "$obstacle" ] || die "$obstacle"
if [ -z "${DISKANN_BENCH_ROOT:-}" ]; then
	make_root "$release" "$major" || die "debootstrap failed, see $roots/$release.log"
fi
mkdir -p "$out"
in_root "${DISKANN_BENCH_ROOT:-$roots/$release}" \
	"/mnt/tree=$top" "/mnt/data=$(realpath "$data")" \
	"/mnt/out=$(realpath "$out")" -- \
	env -i LANG=C.UTF-8 HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	DISKANN_BENCH_DATA=/mnt/data PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config" \
	bash /mnt/tree/test/bench/run.sh --install \
	--package "postgresql-$major-pgvector" --out /mnt/out "${passed[@]}"
[ -z "$report" ] || say "report: $out/report.md"
