# SPDX-License-Identifier: GPL-2.0-only
# What every tool of the lab shares: where things are kept, how it speaks,
# and which kernel release a name such as "6.1" means. Sourced by bash.

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LAB/../.." && pwd)
CACHE=${KVM_KMOD_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/kvm-kmod}/lab
TOOL=${TOOL:-lab}

say() { printf '%s: %s\n' "$TOOL" "$*" >&2; }
die() { say "$@"; exit "${DIE:-2}"; }

# as_root COMMAND...: run it as root, with sudo where we are not.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null; then sudo "$@"
	else die "this needs root, and there is no sudo: $*"
	fi
}

# locked NAME COMMAND...: one builder of that cache entry at a time.
locked() {
	local name=$1 fd status
	shift
	mkdir -p "$CACHE"
	exec {fd}>"$CACHE/.$name.lock"
	flock "$fd"
	"$@" && status=0 || status=$?
	exec {fd}>&-
	return "$status"
}

# any_release SERIES FLAVOUR: the regular expression of its releases. ABI names rotate
# with every update; amd64 is one without -rt and -cloud, none ends in -unsigned or -dbg.
any_release() { echo "${1//./\\.}\.[0-9]+([-+]([0-9]+|deb[0-9.]+))?-$2"; }
plain_of() { grep -xE "$(any_release "$1" amd64)" | sort -V | tail -n 1; }

# Releases of a series that apt offers.
apt_releases() {
	command -v apt-cache >/dev/null || return 0
	apt-cache pkgnames "linux-image-$1." 2>/dev/null | sed 's/^linux-image-//'
}

# suite_of RELEASE|SERIES: the Debian suite that has it.
suite_of() {
	case $1 in
	5.10|5.10.*) echo bullseye ;;
	6.1|6.1.*|6.12|*+deb12*) echo bookworm ;;
	*+deb14*) echo sid ;;
	*) echo trixie ;;
	esac
}
arch_of() { case $1 in *-686|*-686-pae) echo i386 ;; *) echo amd64 ;; esac; }

# kernel_release NAME: the release for a series (6.1), newest that apt offers,
# else newest in the cache; a full release (6.1.0-56-amd64) stands for itself, a series
# and a flavour (6.1-686-pae) for what test/lab/fetch found, and "debug" and "debug-rt"
# for what test/lab/debug-kernel built. apt's answer is kept until its package lists change.
kernel_release() {
	local name=$1 memo="$CACHE/series/$1" release
	case $name in
	*.*.*) echo "$name"; return ;;
	debug*|*-*) cat "$memo" 2>/dev/null; return ;;
	esac
	if [ -s "$memo" ] && [ "$memo" -nt /var/lib/apt/lists ]; then
		cat "$memo"
		return
	fi
	release=$(apt_releases "$name" | plain_of "$name") || true
	if [ -n "$release" ]; then
		mkdir -p "$CACHE/series"
		echo "$release" >"$memo.$$" && mv "$memo.$$" "$memo"
	else
		release=$(ls "$CACHE/kernels" 2>/dev/null | plain_of "$name") || true
	fi
	[ -n "$release" ] || return 1
	echo "$release"
}

# debian_mirror: where this machine's Debian 12 comes from.
debian_mirror() {
	apt-get indextargets --format '$(SITE) $(RELEASE)' 'Identifier: Packages' |
		awk '$2 == "bookworm" { print $1; exit }'
}
