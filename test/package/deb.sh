#!/bin/bash
#
# Debian packages: "make deb".
#
# Installs what is missing, telling before what that is, and builds the source
# package and a binary package for each version of PostgreSQL that this release of
# Debian has (or apt.postgresql.org, where its packages are used).  They lie in
# build/deb then, or in the directory named by DEB_OUT.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

: "${DEB_OUT:=$top/build/deb}"

# What debian/control asks for, which is yet to be made; the last is for its look
# at the result.
prepare()
{
	say "looking for what is needed"
	if ! command -v dpkg-query >/dev/null; then
		die "not a Debian system"
	fi
	install_packages build-essential dpkg-dev debhelper fakeroot postgresql-all lintian
	make_work
	forget_servers
}

# The sources as their archive has them, and beside them that archive.
unpack()
{
	local version

	version=$(sed -n 's/^diskann (\(.*\)-[^-]*) .*/\1/p;q' "$top/debian/changelog")
	copy_sources
	as_server mv "$work/src" "$work/diskann-$version"
	as_server tar -C "$work" --exclude=./debian --exclude="diskann-$version/debian" \
		--sort=name --owner=0 --group=0 -czf "$work/diskann_$version.orig.tar.gz" \
		"diskann-$version"
	cd "$work/diskann-$version"
}

# debian/control names each version, so it depends on where it is made.
build()
{
	as_server pg_buildext updatecontrol
	say "building for PostgreSQL $(/usr/share/postgresql-common/supported-versions | tr '\n' ' ')"
	narrated "building and testing" run_as_server env \
		"DEB_BUILD_OPTIONS=parallel=$(jobs)" dpkg-buildpackage -us -uc ||
		die "the packages could not be built (see above)"
}

# A first package is to close a bug of Debian's, where it is meant for Debian.
inspect()
{
	say "lintian"
	as_server lintian --fail-on error,warning --info \
		--suppress-tags initial-upload-closes-no-bugs "$work"/*.changes ||
		die "lintian has complaints (see above)"
}

deliver()
{
	mkdir -p "$DEB_OUT"
	rm -f "$DEB_OUT"/*diskann*
	cp "$work"/*diskann*.deb "$work"/diskann_*.* "$DEB_OUT"
	say "in $DEB_OUT"
	(cd "$DEB_OUT" && ls -s --human-readable -- *diskann*)
}

prepare
unpack
build
inspect
deliver
