# SPDX-License-Identifier: GPL-2.0-only
# What scripts/demo and scripts/check do before anything else: look at the
# machine, say what will be downloaded, install it, and build the modules for a
# kernel. Sourced by bash; TOOL is set by the caller.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$TOP/test/lab/common.sh"

BUILD_PACKAGES="autoconf automake make gcc libc6-dev binutils kmod cpio xz-utils
	zstd lz4 busybox-static qemu-system-x86 seabios ipxe-qemu util-linux
	e2fsprogs bc libzydis-dev"

# Stops where the packages that we need don't come from Debian 12.
need_bookworm() {
	local ID= VERSION_ID= PRETTY_NAME="this system"
	[ ! -r /etc/os-release ] || . /etc/os-release
	[ "$ID" != debian ] || [ "$VERSION_ID" != 12 ] || return 0
	die "$PRETTY_NAME is not Debian 12, whose kernels, headers and QEMU this runs: use a container, for example 'podman run -it -v $TOP:/kvm-kmod debian:12 /kvm-kmod/scripts/${0##*/}'"
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# The image package of a release, if it isn't in the lab's cache yet.
image_to_fetch() {
	[ -s "$CACHE/kernels/$1/vmlinux" ] || ls "$CACHE/debs/linux-image-$1_"*.deb >/dev/null 2>&1 ||
		echo "linux-image-$1"
}

# quietly COMMAND...: its output only if it fails.
quietly() {
	local output status=0
	output=$("$@" 2>&1) || status=$?
	[ "$status" = 0 ] || { printf '%s\n' "$output" >&2; die "failed: $*"; }
}

# install_all SERIES...: the tools, and headers and images for these series. What
# else test/lab/fetch shall get is in LAB_FETCH.
install_all() {
	local series release want= images= package size
	# Old lists name packages that the archive has dropped.
	if [ -z "$(find "$CACHE/apt-updated" -mtime -1 2>/dev/null)" ]; then
		say "refreshing apt's package lists (some 10 MB)"
		mkdir -p "$CACHE"
		if as_root apt-get -qq update; then touch "$CACHE/apt-updated"
		else say "that failed: going on with the lists as they are"
		fi
	fi
	for series in "$@"; do
		release=$(kernel_release "$series") || die "apt offers no stock amd64 kernel of series $series"
		installed "linux-headers-$release" || want+=" linux-headers-$release"
		images+=" $(image_to_fetch "$release")"
	done
	for package in $BUILD_PACKAGES; do
		installed "$package" || want+=" $package"
	done
	if [ -n "${want// }" ]; then
		size=$(LC_ALL=C apt-get install --assume-no --no-install-recommends $want 2>/dev/null |
			sed -n 's/^Need to get \(.*\) of archives.*/\1/p') || true
		say "installing with apt, ${size:-size unknown} to download:$want"
	fi
	for package in $images; do
		size=$(apt-cache show "$package" | awk '$1 == "Size:" { printf "%.0f MB", $2 / 1e6; exit }')
		say "downloading, for virtual machines only: $package, $size"
	done
	[ -z "${want// }" ] || quietly as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq -y --no-install-recommends $want
	"$LAB/fetch" ${LAB_FETCH:-} "$@"
}

# build_modules SERIES [CONFIGURE-OPTION...]: our modules, in build/RELEASE/;
# what make said is in make.log there. BUILD_WITHOUT: AMD or INTEL, a vendor not to build.
build_modules() {
	local series=$1 release dir headers
	shift
	release=$(kernel_release "$series")
	headers=$release
	[ ! -e "$CACHE/kernels/$release/build" ] || headers=$CACHE/kernels/$release/build
	dir=$TOP/build/$release
	mkdir -p "$dir"
	(
		set -e
		cd "$TOP"
		if [ ! -x configure ] || [ -n "$(find configure.ac compat -name '*.[am][c4]' -newer configure)" ]; then
			autoreconf -fi
		fi
		cd "$dir"
		if [ ! -e Makefile ] || [ ../../configure -nt Makefile ] || [ $# -gt 0 ]; then
			../../configure --with-kernel="$headers" "$@"
		fi
		make -j"$(getconf _NPROCESSORS_ONLN)" ${BUILD_WITHOUT:+"CONFIG_KVM_$BUILD_WITHOUT="}
	) >"$dir/make.log" 2>&1
}
