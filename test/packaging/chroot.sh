# SPDX-License-Identifier: GPL-2.0-only
# The Debians that test/packaging/run works in: a base system of a suite, made once
# by debootstrap and kept in the cache, and copies of it in memory. Knows nothing of
# our packages. Sourced by bash, after test/lab/common.sh; needs root.

BASE=${CACHE%/lab}/packaging

# site SUITE: where this machine gets that suite from; its security archive with
# SUITE-security. A Debian that is not in its lists comes from the mirror of one that is.
site() {
	local kind=main
	[[ $1 != *-security ]] || kind=security
	apt-get indextargets --format '$(SITE) $(RELEASE)' 'Identifier: Packages' |
		awk -v kind=$kind '$2 ~ /^(bullseye|bookworm|trixie|forky|sid)/ &&
			(kind == "security") == ($2 ~ /-security$/) { print $1; exit }'
}

mounted() { mount -t proc proc "$1/proc" && mount -t sysfs -o ro sys "$1/sys" && mount --bind /dev/pts "$1/dev/pts" 2>/dev/null; :; }
unmounted() { umount "$1/dev/pts" "$1/sys" "$1/proc" 2>/dev/null; :; }

# in_dir DIR COMMAND...: in that Debian
in_dir() {
	local dir=$1
	shift
	chroot "$dir" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
get() { in_dir "$1" apt-get install -y -qq --no-install-recommends "${@:2}"; }

# releases_in DIR SERIES: the amd64 kernels of a series that apt has there, oldest first
releases_in() {
	in_dir "$1" apt-cache pkgnames "linux-image-$2." |
		grep -E "^linux-image-$2\.[0-9]+([-+][0-9a-z+]+)?-amd64\$" | sed 's/^linux-image-//' |
		grep -vE -- '-(rt|cloud)-' | sort -V
}

# make_base SUITE SERIES: DKMS, and of that series the kernel before the newest.
make_base() {
	local suite=$1 series=$2 from security release status=0
	local new=$BASE/$suite.new log=$BASE/$suite.log
	[ ! -d "$BASE/$suite" ] || return 0
	from=$(site "$suite") security=$(site "$suite-security")
	[ -n "$from" ] || die "this machine's apt has no Debian"
	section "making a $suite in $BASE (several minutes, once)"
	mkdir -p "$BASE"
	rm -rf --one-file-system "$new"
	debootstrap --variant=minbase --include=ca-certificates,udev,systemd-sysv,kmod,initramfs-tools,xz-utils,zstd \
		"$suite" "$new" "$from" >"$log" 2>&1 || die "debootstrap failed: see $log"
	{
		echo "deb $from $suite main"
		[ -z "$security" ] || echo "deb $security $suite-security main"
	} >"$new/etc/apt/sources.list"
	cp /etc/resolv.conf "$new/etc/"
	# how this machine reaches its mirror
	grep -lE '^Acquire::' /etc/apt/apt.conf.d/* | xargs -r cp -t "$new/etc/apt/apt.conf.d/"
	echo force-unsafe-io >"$new/etc/dpkg/dpkg.cfg.d/fast"
	printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
	chmod +x "$new/usr/sbin/policy-rc.d"
	mounted "$new"
	{
		in_dir "$new" apt-get update -qq &&
			release=$(releases_in "$new" "$series" | tail -n 2 | head -n 1) &&
			get "$new" dkms gcc make libc6-dev "linux-headers-$release" "linux-image-$release" &&
			case $suite in
			bookworm) get "$new" rpm autopkgtest autodep8 qemu-system-x86 seabios ipxe-qemu busybox-static ;;
			esac
	} >>"$log" 2>&1 || status=$?
	unmounted "$new"
	[ $status = 0 ] || die "the base system could not be made: see $log"
	mv "$new" "$BASE/$suite"
}

# start SUITE DIR: a copy of that base system in DIR/root, in memory; end DIR.
start() {
	mount -t tmpfs -o size=9G packaging "$2" || die "no tmpfs"
	mkdir "$2"/{over,tmp,root}
	mount -t overlay overlay -o "lowerdir=$BASE/$1,upperdir=$2/over,workdir=$2/tmp" "$2/root" || die "no overlayfs"
	mounted "$2/root"
}
end() {
	unmounted "$1/root"
	umount "$1/root" && umount "$1"
}
