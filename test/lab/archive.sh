# SPDX-License-Identifier: GPL-2.0-only
# Packages of Debian's suites, whichever this machine runs: from its own mirror, by an
# apt of their own for each suite, so that its sources and packages stay as they are.
# A package is kept in CACHE/debs, and checked against the archive's checksum
# whenever it is used. Knows nothing of what the packages are for. Sourced by bash,
# after common.sh. A function that can't do its work says why and returns 1.

archive_keys=/usr/share/keyrings/debian-archive-keyring.gpg

# archive_sources SUITE ARCH: sources.list. Mirrors are this machine's; one that lags
# behind is better than none.
archive_sources() {
	local main security part
	# shellcheck disable=SC2016
	main=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Identifier: Packages' 2>/dev/null |
		awk '$2 ~ /^(bullseye|bookworm|trixie|forky|sid)$/ { print $1; exit }')
	# shellcheck disable=SC2016
	security=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Identifier: Packages' 2>/dev/null |
		awk '$2 ~ /-security$/ { print $1; exit }')
	[ -n "$main" ] || { echo "no Debian mirror is set up on this machine"; return 1; }
	for part in "$main $1" ${security:+"$security $1-security"} "$main $1-backports" "$main experimental"; do
		case $1,$part in
		sid,*-security|sid,*-backports|bullseye,*-backports|bookworm,*-backports) continue ;;
		sid,*) ;;
		*experimental) continue ;;
		esac
		echo "deb [arch=$2 signed-by=$archive_keys check-valid-until=no] $part main"
	done
}

# archive_open SUITE ARCH: its lists, a day old at most; or older ones, if there is
# no getting newer.
archive_open() {
	local dir=$CACHE/archive/$1-$2 conf=$CACHE/archive/$1-$2/apt.conf.$BASHPID
	mkdir -p "$CACHE/debs" "$dir"/{lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d}
	cat >"$conf" <<-END
	Dir::State "$dir"; Dir::State::lists "$dir/lists"; Dir::State::status "$dir/status";
	Dir::Cache "$dir/cache"; Dir::Etc "$dir/etc"; Dir::Etc::sourcelist "$dir/etc/sources.list";
	Dir::Etc::sourceparts "/dev/null"; APT::Architecture "$2"; APT::Architectures { "$2"; };
	APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::ForceHash "SHA256"; Acquire::Retries "2";
	END
	mv "$conf" "$dir/apt.conf"
	[ -z "$(find "$dir/fresh" -mtime -1 2>/dev/null)" ] || return 0
	: >"$dir/status"
	archive_sources "$1" "$2" >"$dir/sources" || { cat "$dir/sources"; return 1; }
	mv "$dir/sources" "$dir/etc/sources.list"
	if archive_apt "$1" "$2" apt-get -qq update >"$dir/log" 2>&1; then touch "$dir/fresh"; return; fi
	ls "$dir"/lists/*_Packages >/dev/null 2>&1 ||
		{ echo "$1's lists for $2 cannot be read: $(tail -n 1 "$dir/log")"; return 1; }
	touch -d '23 hours ago' "$dir/fresh"
}

archive_apt() { # SUITE ARCH COMMAND...
	local conf=$CACHE/archive/$1-$2/apt.conf
	shift 2
	APT_CONFIG=$conf "$@"
}

# archive_names SUITE ARCH REGEXP: the packages whose whole names match, newest first.
archive_names() {
	archive_open "$1" "$2" >&2 || return 1
	archive_apt "$1" "$2" apt-cache pkgnames linux- | grep -xE "$3" | sort -rV | grep .
}

# archive_get: reads apt-get --print-uris from its input; the paths of the packages.
archive_get() {
	local uri name size hash path
	while read -r uri name size hash; do
		uri=${uri#\'} uri=${uri%\'} path=$CACHE/debs/$name
		case $hash in
		SHA256:*) hash=${hash#SHA256:} ;;
		*) echo "no SHA256 for $name" >&2; return 1 ;;
		esac
		if ! echo "$hash  $path" | sha256sum -c --status 2>/dev/null; then
			[ "$size" -lt 5000000 ] || say "downloading ${name%%_*}, $((size / 1000000)) MB" </dev/null
			/usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::Retries=2 \
				download-file "$uri" "$path.$$" "SHA256:$hash" </dev/null >"$CACHE/debs/log" 2>&1 ||
				{ echo "$name cannot be downloaded: $(grep -m 1 -E '^(E: Failed|E:)' "$CACHE/debs/log")" >&2; rm -f "$path.$$"; return 1; }
			mv "$path.$$" "$path"
		fi
		echo "$path"
	done
}

# archive_debs SUITE ARCH PACKAGE...: the paths of just these.
archive_debs() {
	local suite=$1 arch=$2 uris
	shift 2
	archive_open "$suite" "$arch" >&2 || return 1
	uris=$(archive_apt "$suite" "$arch" apt-get -qq --print-uris download "$@") || return 1
	archive_get <<<"$uris"
}

# archive_all_debs SUITE ARCH PACKAGE...: and of all that they depend on.
archive_all_debs() {
	local suite=$1 arch=$2 uris
	shift 2
	archive_open "$suite" "$arch" >&2 || return 1
	uris=$(archive_apt "$suite" "$arch" apt-get -qq -y --no-install-recommends --print-uris install "$@") || return 1
	archive_get < <(grep "^'" <<<"$uris")
}

# archive_unpack ROOT DEB...: those not yet there. No script of theirs is run.
archive_unpack() {
	local root=$1 deb
	shift
	mkdir -p "$root/.unpacked"
	for deb in "$@"; do
		[ ! -e "$root/.unpacked/${deb##*/}" ] || continue
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x --keep-directory-symlink --no-same-owner -C "$root" || return 1
		touch "$root/.unpacked/${deb##*/}"
	done
}
