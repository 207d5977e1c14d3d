# shellcheck shell=bash
#
# Other releases of Debian, each unpacked into a directory of its own, to test
# and to measure in.  After lib.sh.
#
# The directories are kept below $DISKANN_ROOTS, /var/cache/diskann unless set.

roots=${DISKANN_ROOTS:-/var/cache/diskann}

# Says why there is no way to run anything in a root, if there is none.
root_obstacle()
{
	if [ "$(id -u)" != 0 ]; then
		echo "must be root to change the root directory"
	elif ! try_packages debootstrap >&2 && ! command -v debootstrap >/dev/null; then
		echo "no debootstrap"
	elif ! unshare --mount --pid --fork true 2>/dev/null; then
		echo "mounting is not permitted"
	fi
}

unpack_root()
{
	debootstrap --variant=minbase --include="$3" "$1" "$2" >"$roots/$1.log" 2>&1
}

# Unpacks a release, with PostgreSQL and pgvector, unless that was done before.
make_root()
{
	local release=$1 major=$2 root=$roots/$1 packages

	[ ! -x "$root/usr/lib/postgresql/$major/bin/postgres" ] || return 0
	packages=gcc,libc6-dev,make,gzip,perl,libipc-run-perl,libpq-dev,python3,nodejs
	packages+=,python3-psycopg2
	packages+=,postgresql-$major,postgresql-server-dev-$major,postgresql-$major-pgvector
	say "unpacking Debian $release into $root: fetches 400 MB, takes minutes"
	mkdir -p "$roots" && rm -rf --one-file-system "$root.part" || return 1
	narrated "unpacking" unpack_root "$release" "$root.part" "$packages" &&
		rm -rf --one-file-system "$root" && mv "$root.part" "$root"
}

# Runs a command in a root, in name spaces of its own: what it mounts and what
# it starts ends with it.  Arguments: the root; PLACE=DIRECTORY for each directory
# the command is to see, at that place; "--" and the command.
in_root()
{
	# shellcheck disable=SC2016 # for the shell inside
	unshare --mount --pid --fork --kill-child bash -euc '
		root=$1
		shift
		mount --make-rprivate /
		mount -t tmpfs tmpfs "$root/mnt"
		while [ "$1" != -- ]; do
			mkdir -p "$root${1%%=*}"
			mount --bind "${1#*=}" "$root${1%%=*}"
			shift
		done
		shift
		mount -t proc proc "$root/proc"
		mount -t sysfs -o ro sysfs "$root/sys"
		mount --rbind /dev "$root/dev"
		mkdir -p "$root/dev/shm"
		mount -t tmpfs tmpfs "$root/dev/shm"
		cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
		exec chroot "$root" "$@"' bash "$@"
}
