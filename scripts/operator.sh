# SPDX-License-Identifier: GPL-2.0-only
# What kvm-kmod-status, -reload and -rollback share: which kernels are installed,
# which modules each would load, and who uses them. Changes nothing. Sourced by
# bash; TOOL is set by the caller.

STATE=/var/lib/kvm-kmod			# why a build failed, and the previous builds
PIN=/etc/depmod.d/kvm-kmod-rollback.conf	# what kvm-kmod-rollback chose
PREVIOUS=kvm-kmod-previous		# below /lib/modules/RELEASE
AUTHOR="The kvm-kmod authors"
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s: %s\n' "$TOOL" "$*" >&2; }
die() { say "$@"; exit 1; }

# Installed kernels, oldest first. (Headers alone leave a folder there, too.)
kernels() {
	local dir
	for dir in /lib/modules/*/kernel; do
		[ ! -d "$dir" ] || basename "${dir%/kernel}"
	done | sort -V
}

# The vendor's module for this processor; empty where there is neither.
vendor_module() {
	if grep -qw svm /proc/cpuinfo; then echo kvm-amd
	elif grep -qw vmx /proc/cpuinfo; then echo kvm-intel
	fi
}

# file_of RELEASE MODULE: what modprobe would load there; empty for none.
file_of() { modinfo -k "$1" -n "$2" 2>/dev/null; }

# is_ours FILE
is_ours() {
	[ -f "$1" ] && { modinfo -F author "$1" | grep -qxF "$AUTHOR" ||
		modinfo -F description "$1" | grep -qF '(kvm-kmod)'; }
}

loaded() { [ -d "/sys/module/${1//-/_}" ] && [ -e "/sys/module/${1//-/_}/initstate" ]; }
loaded_version() { cat "/sys/module/${1//-/_}/version" 2>/dev/null; }

unpacked() {
	case $1 in
	*.xz)  xz -dc "$1" ;;
	*.zst) zstd -dcq "$1" ;;
	*.gz)  gzip -dc "$1" ;;
	*)     cat "$1" ;;
	esac
}
hex() { od -An -v -tx1 | tr -d ' \n'; }

# is_loaded MODULE FILE: is the loaded module the one in that file? By the
# linker's build ID, else by version and source checksum.
is_loaded() {
	local sys=/sys/module/${1//-/_} id
	id=$(hex 2>/dev/null <"$sys/notes/.note.gnu.build-id")
	if [ -n "$id" ]; then
		unpacked "$2" | hex | grep -q "$id"
	else
		[ "$(cat "$sys/srcversion" 2>/dev/null)" = "$(modinfo -F srcversion "$2")" ] &&
			[ "$(cat "$sys/version" 2>/dev/null)" = "$(modinfo -F version "$2")" ]
	fi
}

# Processes that have /dev/kvm, a VM or a vCPU open, "PID NAME" each; for other
# people's processes only root sees it.
users() {
	local pid
	find /proc/[0-9]*/fd -mindepth 1 -maxdepth 1 \
		\( -lname /dev/kvm -o -lname 'anon_inode:kvm-*' -o -lname 'anon_inode:\[kvm-*' \) 2>/dev/null |
		cut -d/ -f3 | sort -un | while read -r pid; do
			echo "$pid $(cat "/proc/$pid/comm" 2>/dev/null)"
		done
}

# on, off, or empty where this machine has no UEFI.
secure_boot() {
	local var
	for var in /sys/firmware/efi/efivars/SecureBoot-*; do
		[ -r "$var" ] || continue
		case $(tail -c 1 "$var" | hex) in 01) echo on ;; *) echo off ;; esac
		return
	done
}

# sources: the folder that DKMS builds from, the newest.
sources() { ls -d /usr/src/kvm-kmod-*/ 2>/dev/null | sort -V | tail -n 1; }

# would_be_refused FILE: under Secure Boot, why the kernel would not load it.
would_be_refused() {
	local key=/var/lib/dkms/mok.pub
	[ "$(secure_boot)" = on ] || return 1
	if [ -z "$(modinfo -F signer "$1")" ]; then
		echo "Secure Boot is on, and the module is not signed"
	elif [ -r $key ] && ! command -v mokutil >/dev/null; then
		echo "Secure Boot is on, and without mokutil nobody can tell whether the key that signed the module ($key) is enrolled"
	elif [ -r $key ] && ! mokutil --test-key $key 2>/dev/null | grep -q 'is already enrolled'; then
		echo "Secure Boot is on, and mokutil does not know the key that signed the module ($key) as enrolled"
	else
		return 1
	fi
}

# why_not RELEASE: why that kernel would not load ours.
why_not() {
	local source why
	source=$(sources)
	if [ -r $PIN ] && grep -q '^override kvm \* ' $PIN; then
		sed -n 's/^# why: //p' $PIN
	elif [ -z "$source" ]; then
		echo "kvm-kmod is not installed"
	elif [ ! -r "/lib/modules/$1/build/include/config/auto.conf" ]; then
		echo "its headers are not installed (linux-headers-$1 on Debian, kernel-devel on Fedora)"
	elif [ "$(id -u)" = 0 ] && [ ! -w "/lib/modules/$1" ]; then
		echo "/lib/modules/$1 is read-only, so nothing can be installed there; once it is not: dkms autoinstall -k $1"
	elif ! why=$(sh "$source/build-aux/fit" "$1" "/lib/modules/$1/build"); then
		echo "$why"
	elif [ -s "$STATE/$1.why" ]; then
		cat "$STATE/$1.why"
	elif [ "$(vendor_module)" = kvm-intel ] && [ ! -d "$source/vendor-vmx" ]; then
		echo "this processor is Intel's, for which kvm-kmod has no module yet"
	else
		echo "DKMS has not built it yet: dkms autoinstall -k $1"
	fi
}
