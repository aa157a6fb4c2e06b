# SPDX-License-Identifier: GPL-2.0-only
# Builds what the emulated host boots into: one cpio per kernel release that
# holds busybox, QEMU with its libraries and ROMs, and the stock modules. It is
# kept in the cache, and built anew when a package it comes from changes. Knows
# nothing of a single run: that is a second, small cpio (run). Sourced by bash.

# Files that the image takes from this machine, besides those programs' libraries.
IMAGE_PROGRAMS="/usr/bin/qemu-system-x86_64"
IMAGE_FILES="/usr/share/seabios /usr/lib/ipxe/qemu/*.rom
	/usr/share/qemu/*.bin /usr/share/qemu/*.rom /usr/share/qemu/*.dtb
	/usr/share/qemu/keymaps/en-us
	/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so"
IMAGE_PACKAGES="qemu-system-x86 qemu-system-common qemu-system-data seabios
	ipxe-qemu busybox-static libc6 libglib2.0-0"

# image_libraries PROGRAM...: the shared libraries they need, as real paths
# below the names that the loader asks for.
image_libraries() {
	ldd "$@" | awk '$2 == "=>" { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' | sort -u
}

# i386_root: where the programs of i386 are: packages of this machine's suite,
# unpacked, and not run here.
unpack_i386() {
	local debs
	debs=$(archive_all_debs bookworm i386 qemu-system-x86 busybox-static) || return 1
	archive_unpack "$CACHE/roots/lab-i386" $debs
}
i386_root() {
	locked root-lab-i386 unpack_i386 >&2 || die "what an i386 host runs is not to be had"
	echo "$CACHE/roots/lab-i386"
}

# image_libraries_in ROOT PROGRAM...: the same of programs that are not run.
image_libraries_in() {
	local from=$1 path name seen=" "
	local -a todo
	shift
	todo=("$@")
	while [ ${#todo[@]} -gt 0 ]; do
		path=${todo[0]} todo=("${todo[@]:1}")
		for name in $(readelf -d "$from$path" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
			[[ $seen != *" $name "* ]] || continue
			seen+="$name "
			for path in {,/usr}/lib{/i386-linux-gnu,}{,/pulseaudio}/"$name"; do
				[ -e "$from$path" ] || continue
				echo "$path"
				todo+=("$path")
				break
			done
		done
	done
}

# put [-f ROOT] FILE...: copies files to the same path below $root, links followed.
put() {
	local file from=
	if [ "$1" = -f ]; then from=$2; shift 2; fi
	for file in "$@"; do
		[ -e "$from$file" ] || continue
		mkdir -p "$root${file%/*}"
		cp -rL "$from$file" "$root${file%/*}/"
	done
}

# pack DIR: everything below DIR as an uncompressed cpio, owned by root.
pack() { (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0); }

build_image() {
	local release=$1 image=$2 root dir from= busybox
	busybox=$(command -v busybox)
	if [ "$(arch_of "$release")" = i386 ]; then
		from=$(i386_root)
		busybox=$from/bin/busybox
	fi
	root=$(mktemp -d "$CACHE/image.XXXXXX")
	mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,root,etc/modprobe.d,usr/bin,usr/sbin,usr/lib,usr/lib64,var/tmp}
	for dir in lib lib64; do ln -s "usr/$dir" "$root/$dir"; done
	ln -s bin "$root/sbin"
	cp "$busybox" "$root/bin/busybox"
	busybox --list | while read -r applet; do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	put $IMAGE_FILES
	if [ -n "$from" ]; then
		put -f "$from" $IMAGE_PROGRAMS /lib/ld-linux.so.2 $(image_libraries_in "$from" $IMAGE_PROGRAMS)
	else
		put $IMAGE_PROGRAMS $(image_libraries $IMAGE_PROGRAMS)
	fi
	# The loader's cache, so that libraries are found without a search.
	cp -r "$CACHE/kernels/$release/lib/modules" "$root/lib/"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nkvm:x:106:\n' >"$root/etc/group"
	printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
	cp "$LAB/init" "$root/init"
	chmod 755 "$root/init"
	mkdir -p "${image%/*}"
	pack "$root" >"$image.new"
	mv "$image.new" "$image"
	rm -rf "$root"
}

# image_for RELEASE: the path of its image, built if need be. Older images of
# the same release are removed.
image_for() {
	local release=$1 key image old
	key=$({ dpkg-query -W $IMAGE_PACKAGES 2>/dev/null
		cat "$LAB/image.sh" "$LAB/init" "$CACHE/kernels/$release/stamp"; } | cksum | cut -d' ' -f1)
	image=$CACHE/images/$release-$key.cpio
	if [ ! -s "$image" ]; then
		for old in "$CACHE/images/$release"-*.cpio; do rm -f "$old"; done
		locked "image-$release" build_image "$release" "$image"
	fi
	echo "$image"
}
