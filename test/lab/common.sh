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

# Releases of a series that apt offers, oldest first. ABI names rotate with
# every update, so a series is matched by pattern: amd64 only, no -rt, -cloud,
# -unsigned or -dbg.
apt_releases() {
	local series=${1//./\\.}
	command -v apt-cache >/dev/null || return 0
	apt-cache pkgnames "linux-image-$1." 2>/dev/null |
		grep -E "^linux-image-$series\.[0-9]+([-+][0-9a-z+]+)?-amd64\$" |
		sed 's/^linux-image-//' | grep -vE -- '-(rt|cloud)-' | sort -V || true
}

# kernel_release NAME: the release for a series (6.1), newest that apt offers,
# else newest in the cache; a full release (6.1.0-56-amd64) stands for itself,
# and "debug" for the kernel that test/lab/debug-kernel built. apt's answer is kept until its package lists change.
kernel_release() {
	local name=$1 memo="$CACHE/series/$1" release
	case $name in
	*.*.*) echo "$name"; return ;;
	debug) cat "$memo" 2>/dev/null; return ;;
	esac
	if [ -s "$memo" ] && [ "$memo" -nt /var/lib/apt/lists ]; then
		cat "$memo"
		return
	fi
	release=$(apt_releases "$name" | tail -n 1)
	if [ -n "$release" ]; then
		mkdir -p "$CACHE/series"
		echo "$release" >"$memo.$$" && mv "$memo.$$" "$memo"
	else
		release=$(cd "$CACHE/kernels" 2>/dev/null &&
			ls -d "$name".*-amd64 2>/dev/null | sort -V | tail -n 1) || true
	fi
	[ -n "$release" ] || return 1
	echo "$release"
}

# debian_mirror: where this machine's Debian 12 comes from.
debian_mirror() {
	apt-get indextargets --format '$(SITE) $(RELEASE)' 'Identifier: Packages' |
		awk '$2 == "bookworm" { print $1; exit }'
}
