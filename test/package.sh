#!/bin/bash
#
# The packages: "make test-package".
#
# META.json and the archive for PGXN, Debian's packages, each installed and tried
# in a root in which nothing but Debian's minimal system is, the Dockerfile, and
# the demo.
# The last line is "N passed, N failed".
#
# PACKAGE_RELEASES names the releases of Debian, this machine's and 13 ("trixie")
# unless set.  Roots are kept below $DISKANN_ROOTS, those of others than this
# machine's release as "make test-matrix" unpacks them.

set -uo pipefail
umask 022						# the servers' user reads what we make
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=root.sh
. "$(dirname "$0")/root.sh"

passed=0
failed=0
skipped=0

# Arguments: what must hold; the command that shows it.  Its output is shown if it
# fails.
check()
{
	local what=$1 status=0
	shift

	narrated "$what" logged "$@" || status=$?
	if [ "$status" = 0 ]; then
		passed=$((passed + 1))
		echo "ok     $what"
	else
		failed=$((failed + 1))
		echo "FAILED $what"
		tail -n 60 "$work/log" | sed 's/^/    /'
	fi
	return "$status"
}

logged()
{
	"$@" >"$work/log" 2>&1 </dev/null
}

skip()
{
	skipped=$((skipped + 1))
	say "$1: skipped: $2"
}

#
# PGXN
#

dist()
{
	DIST_OUT=$work/dist bash "$top/test/package/dist.sh"
}

# Copies of META.json with one thing wrong each.
meta_refuses()
{
	local edit

	cd "$top" || return 1
	for edit in 's/"name": "diskann"/"name": "disk\/ann"/' \
		's/"version": "0.1.0"/"version": "0.1"/' \
		's/"license": "postgresql"/"license": "own"/' \
		's/"version": "1.0.0"/"version": "2.0.0"/' \
		's/"abstract": "Approx.*/"abstract": "",/' \
		's/"runtime"/"running"/' \
		's/sql\/diskann--0.1.0.sql/sql\/diskann--9.sql/'; do
		sed "$edit" META.json >"$work/META.json"
		! cmp -s META.json "$work/META.json" || { echo "no effect: $edit"; return 1; }
		! python3 test/package/meta.py "$work/META.json" ||
			{ echo "accepted: $edit"; return 1; }
	done
}

# What make install of the archive puts into a directory.
dist_installs()
{
	local missing=0 file dir

	python3 -m zipfile -e "$work"/dist/*.zip "$work/dist" &&
		make -s -C "$work"/dist/diskann-* -j "$(jobs)" "PG_CONFIG=$PG_CONFIG" all install \
			"DESTDIR=$work/dist/inst" || return 1
	dir=$work/dist/inst$("$PG_CONFIG" --sharedir)/extension
	for file in "$dir/diskann.control" "$dir/diskann--0.1.0.sql" \
		"$dir/diskann_pgvector.control" "$dir/diskann_pgvector--0.1.0.sql" \
		"$work/dist/inst$("$PG_CONFIG" --pkglibdir)/diskann.so"; do
		[ -s "$file" ] || { echo "not there: $file"; missing=1; }
	done
	return "$missing"
}

test_dist()
{
	say "archive for PGXN"
	check "META.json is valid, and the archive is made" dist || return
	check "META.json with mistakes is refused" meta_refuses
	check "the archive builds and installs all files" dist_installs
}

#
# Debian packages
#

# Unpacks a release's minimal system, unless that was done before.
make_clean_root()
{
	local release=$1 root=$roots/clean-$1

	[ ! -d "$root" ] || return 0
	mkdir -p "$roots" && rm -rf --one-file-system "$root.part" || return 1
	narrated "unpacking a minimal Debian $release" debootstrap --variant=minbase \
		"$release" "$root.part" >"$roots/clean-$release.log" 2>&1 &&
		mv "$root.part" "$root"
}

# Where a system of this machine's release gets its packages from: those that were
# built here need the updates that are installed here.
own_sources()
{
	# shellcheck disable=SC2016 # for apt
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' | sort -u
}

# A copy of a minimal system, to be thrown away.  Nobody starts its services.
fresh_root()
{
	rm -rf --one-file-system "$work/root"
	cp -a "$roots/clean-$1" "$work/root" &&
		printf '#!/bin/sh\nexit 101\n' >"$work/root/usr/sbin/policy-rc.d" &&
		chmod +x "$work/root/usr/sbin/policy-rc.d" || return 1
	[ "$1" != "$own_release" ] ||
		own_sources >"$work/root/etc/apt/sources.list.d/own.list"
}

in_fresh_root()
{
	in_root "$work/root" "/mnt/diskann=$top" "/mnt/made=$work/made" -- \
		env DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C.UTF-8 \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

deb_builds()
{
	local release=$1

	if [ "$release" = "$own_release" ]; then
		DEB_OUT=$work/made/$release bash "$top/test/package/deb.sh"
	else
		in_root "$roots/$release" "/mnt/diskann=$top" "/mnt/made=$work/made" -- \
			env -u PG_CONFIG HOME=/root TMPDIR=/tmp \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			"DEB_OUT=/mnt/made/$release" bash /mnt/diskann/test/package/deb.sh
	fi
}

# From a minimal system to the first answer.
deb_installs()
{
	local release=$1 start=$SECONDS

	fresh_root "$release" || return 1
	# shellcheck disable=SC2016 # for the shell inside
	in_fresh_root sh -euc '
		apt-get -q update
		apt-get -q install -y --no-install-recommends $(find "/mnt/made/$1" \
			-name "postgresql-*-diskann_*.deb")
		sh /mnt/diskann/debian/tests/installed' sh "$release" || return 1
	echo "$((SECONDS - start))" >"$work/seconds"
}

deb_leaves_nothing()
{
	# shellcheck disable=SC2016 # for the shell inside
	in_fresh_root sh -euc '
		apt-get -q purge -y "postgresql-*-diskann"
		! find /usr /etc /var/lib/dpkg/info -name "*diskann*" | grep .'
}

test_deb()
{
	local release=$1

	say "Debian packages for $release"
	if [ "$release" != "$own_release" ] && [ ! -d "$roots/$release" ]; then
		skip "packages for $release" "there is no $roots/$release (make test-matrix unpacks it)"
		return
	elif ! make_clean_root "$release"; then
		skip "packages for $release" "debootstrap failed, see $roots/clean-$release.log"
		return
	fi
	check "$release: packages build, their tests pass, lintian is content" \
		deb_builds "$release" || return
	check "$release: installed on a minimal system, an index answers" \
		deb_installs "$release" || return
	echo "       from a minimal system to the first answer: $(cat "$work/seconds") s"
	check "$release: once purged, nothing is left" deb_leaves_nothing
}

#
# The Dockerfile.  Its image is built where there are Docker and the base image;
# else its instructions are followed in roots of that layout.
#

dockerfile()
{
	# shellcheck disable=SC2016 # for the Perl inside
	perl -0777 -ne "$1" "$top/Dockerfile"
}

# COPY . and RUN, with the release of PostgreSQL that the root has.
dockerfile_builds()
{
	local script

	# shellcheck disable=SC2016 # for the Perl inside
	script=$(dockerfile 's/\\\n//g; print $1 if /^RUN (.*)$/m')
	[ -n "$script" ] || return 1
	mkdir -p "$work/made/tree" "$work/made/out"
	tar -C "$top" -c --exclude=./.git --exclude=./build --exclude=./test \
		--exclude='*.o' --exclude='*.so' . | tar -C "$work/made/tree" -x
	in_root "$roots/trixie" "/usr/src/diskann=$work/made/tree" "/out=$work/made/out" -- \
		env DEBIAN_FRONTEND=noninteractive PG_MAJOR=17 \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "$script"
}

# The second stage: what was made is copied over a system with PostgreSQL.
dockerfile_runs()
{
	fresh_root trixie || return 1
	in_fresh_root sh -euc '
		apt-get -q update
		apt-get -q install -y --no-install-recommends postgresql-17
		cp -a /mnt/made/out/. /
		sh /mnt/diskann/debian/tests/installed'
}

docker_image()
{
	docker build -t diskann-test "$top" &&
		docker run --rm -v "$top/debian/tests:/tests:ro" diskann-test sh -c \
			'ls /usr/share/postgresql/*/extension/diskann.control' &&
		docker rmi diskann-test
}

test_docker()
{
	say "Dockerfile"
	if docker image inspect postgres:17 >/dev/null 2>&1; then
		check "the image is built" docker_image
	elif [ ! -d "$roots/trixie" ] || ! make_clean_root trixie; then
		skip Dockerfile "neither the image postgres:17, nor a root of Debian 13"
	else
		check "the Dockerfile's first stage builds" dockerfile_builds &&
			check "its second stage answers from an index" dockerfile_runs
	fi
}

#
# The demo
#

# With vectors of one's own it ends with a picture of all its settings, and with
# statements to go on with.
demo_draws()
{
	local picture=$top/build/demo.svg

	rm -f "$picture"
	DATA=$top/test/data/sift-5k.base.u8bin.gz OPERATOR='<=>' \
		QUERIES=$top/test/data/sift-5k.query.u8bin.gz \
		bash "$top/test/demo.sh" >"$work/demo" || return 1
	cat "$work/demo"
	grep -F "a picture: $picture" "$work/demo" &&
		grep -F 'USING diskann (embedding real_cosine_ops)' "$work/demo" &&
		python3 -c '
import sys, xml.etree.ElementTree as tree
circles = tree.parse(sys.argv[1]).findall(".//{*}circle")
print(len(circles), "points")
sys.exit(len(circles) != 5)' "$picture"
}

prepare()
{
	say "preparing"
	install_packages python3
	find_programs
	work=$(mktemp -d "${TMPDIR:-/tmp}/diskann-package.XXXXXX")
	trap 'rm -rf --one-file-system "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	chmod 755 "$work"
	mkdir -p "$work/made"
	# shellcheck source=/dev/null
	own_release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	: "${PACKAGE_RELEASES=$own_release trixie}"
}

prepare
if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
	test_dist
else
	skip "archive for PGXN" "this is no checkout of git"
fi
why_not=$(root_obstacle)
if [ -n "$why_not" ]; then
	skip "packages in roots" "$why_not"
else
	# shellcheck disable=SC2086 # a list of words
	for release in $(printf '%s\n' $PACKAGE_RELEASES | sort -u); do
		test_deb "$release"
	done
	test_docker
fi

say "the demo"
check "the demo of one's own vectors ends with a picture" demo_draws

say "summary"
[ "$skipped" = 0 ] || echo "$skipped skipped, for the reasons above"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
