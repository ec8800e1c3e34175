#!/bin/sh
# bootstrap.sh: makes a Debian 12 machine ready, or says what is missing.
#
#   integration/bootstrap.sh        all that tests, lab, lint and benchmarks need
#   integration/bootstrap.sh demo   only what the demo needs: Go, git, make and a
#                                   way to mount; no C compiler, and any Linux
#
# What it can install, it installs with apt, as root or with sudo; what is there
# already is left alone, and when all is there it ends in well under a second.
# It never removes, never upgrades but Debian's keyring, and changes no setting.
# Exit status: 0 ready, 1 something is missing that it cannot install.
set -eu

missing=
lack() {
	missing=yes
	echo "missing: $1" >&2
	echo "  hint: $2" >&2
}

have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND...: by ourselves, or through a sudo that does not ask.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
can_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

# A Go older than go.mod's may fetch its toolchain; whether it can, Go itself
# says better than we could.
check_go() {
	if ! have go; then
		lack "go" "install Go 1.26 from https://go.dev/dl/ and put its bin folder into PATH"
	elif ! out=$(cd "$(dirname "$0")/.." && go env GOVERSION 2>&1); then
		lack "a Go that can use this module" "go says: $out"
	fi
}

# What the Makefile itself runs.
check_basics() {
	have git || want git
	have make || want make
}

# Root mounts by itself; others need the setuid fusermount3.
check_fuse() {
	[ -c /dev/fuse ] || lack "/dev/fuse" "modprobe fuse; in a container start it with --device /dev/fuse --cap-add SYS_ADMIN"
	if [ "$(id -u)" != 0 ] && ! have fusermount3; then
		if [ "$1" = demo ] && ! can_root; then
			lack "fusermount3" "as root: apt-get install fuse3"
		else
			want fuse3
		fi
	fi
}

# want PACKAGE: install it, unless dpkg knows it as installed.
packages=
want() { packages="$packages $1"; }
want_unless_installed() {
	for p; do
		case "$installed" in *" $p "*) ;; *) want "$p" ;; esac
	done
}

check_debian() {
	id=unknown version=
	if [ -r /etc/os-release ]; then
		# shellcheck disable=SC1091
		id=$(. /etc/os-release && echo "${ID-}") version=$(. /etc/os-release && echo "${VERSION_ID-}")
	fi
	[ "$id" = debian ] || lack "Debian" "this is '$id'; tests and lab are made for Debian 12 and newer; make build and make demo work elsewhere"
	[ "$id" != debian ] || [ "${version:-99}" -ge 12 ] || lack "Debian 12" "this is Debian $version"
}

# The lab's packages, and what the scenarios run as people would. The names are
# looked up in one call.
check_packages() {
	have apt-get || return 0
	# shellcheck disable=SC2016
	installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | tr '\n' ' ') "
	want_unless_installed gcc libc6-dev fuse3 mmdebstrap gpgv xz-utils debian-archive-keyring \
		util-linux mount rsync vim rclone python3-dropbox
	if ! knows_trixie; then want debian-archive-keyring; fi
}

# Keyrings before 2023.3+deb12u2 do not know trixie's keys; those that do have
# them in files of their own too (.gpg, later .pgp).
knows_trixie() {
	[ -e /usr/share/keyrings/debian-archive-trixie-stable.gpg ] || [ -e /usr/share/keyrings/debian-archive-trixie-stable.pgp ]
}

install_packages() {
	[ -n "$packages" ] || return 0
	if ! have apt-get; then
		lack "packages:$packages" "install them with this system's package manager; there is no apt-get here"
		return 0
	fi
	if ! can_root; then
		lack "packages:$packages" "as root: apt-get install$packages (or let sudo work without a question)"
		return 0
	fi
	echo "installing:$packages"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $packages
}

check_go
check_basics
if [ "${1-}" = demo ]; then
	check_fuse demo
	install_packages
else
	check_debian
	check_fuse all
	can_root || lack "root" "the lab runs Odoo in chroots: run as root, or let sudo work without a question"
	check_packages
	[ -n "$missing" ] || install_packages
	[ -n "$missing" ] || knows_trixie || lack "a debian-archive-keyring that knows trixie" "apt-get install debian-archive-keyring from a current Debian mirror"
fi
[ -z "$missing" ]
