#!/usr/bin/env bash
# Stand-in for debian:bookworm-slim: writes its root file system to stdout as a tar archive.
#
#   images/debian-bookworm-slim/rootfs.sh | docker import --change 'CMD ["bash"]' - debian:bookworm-slim
#
# What must be as in the official image: Debian 12, the required packages and apt, merged /usr, root as the user,
# no documentation, translations or package lists, and `apt-get update && apt-get install` works and leaves no
# package files behind. Left out on purpose: nothing that a Dockerfile can see, except package versions (today's).
# Check it:  docker run --rm debian:bookworm-slim sh -c '. /etc/os-release && echo $PRETTY_NAME && dpkg -l | wc -l'
set -euo pipefail

readonly SUITE=bookworm
LOG=$(mktemp "${TMPDIR:-/tmp}/stand-in-debian.XXXXXX.log")
readonly LOG
SUDO=()

# shellcheck source=scripts/lib/debian-mirror.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/debian-mirror.sh"

# Ends with a message on stderr; 3 means that the environment, not the recipe, is at fault.
fail() {
  printf '%s\n' "$@" >&2
  exit 3
}

# Removes the log unless it is needed to understand a failure.
finish() {
  local status=$?
  if [ "$status" = 0 ]; then rm -f "$LOG"; fi
}

# Root needs no sudo; others use it where it asks for no password.
find_root() {
  if [ "$(id -u)" != 0 ] && sudo -n true 2>>"$LOG"; then SUDO=(sudo -n); fi
}

# Installs mmdebstrap (and, where the machine is not Debian, Debian's signing keys) if it is missing.
need_mmdebstrap() {
  if command -v mmdebstrap >/dev/null && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then return; fi
  local hint='mmdebstrap is needed to make debian:bookworm-slim without an image registry.'
  command -v apt-get >/dev/null || fail "$hint" 'It exists on Debian and Ubuntu. Elsewhere: docker pull debian:bookworm-slim'
  if [ "$(id -u)" != 0 ] && [ "${#SUDO[@]}" = 0 ]; then
    fail "$hint" 'Install it: sudo apt-get install mmdebstrap debian-archive-keyring'
  fi
  # A vendor's unreachable package source must not stop this: only the installation itself counts.
  "${SUDO[@]}" apt-get update -q >>"$LOG" 2>&1 || true
  "${SUDO[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends mmdebstrap debian-archive-keyring >>"$LOG" 2>&1 ||
    fail "$hint" "Its installation failed; apt's output is in $LOG"
}

# Prints the package sources for the image, one per line: the archives that this machine uses, where it is a Debian. On any
# other system it prints nothing, and mmdebstrap takes its own default.
sources() {
  local id codename archive security
  # shellcheck source=/dev/null
  read -r id codename < <(. /etc/os-release && echo "${ID:-}" "${VERSION_CODENAME:-}")
  if [ "$id" != debian ] || ! archive=$(debian_mirror "$codename"); then return; fi
  echo "deb $archive $SUITE main"
  if security=$(debian_mirror "$codename-security"); then echo "deb $security $SUITE-security main"; fi
}

# Runs mmdebstrap; everything that it says goes to the log.
bootstrap() {
  local exclude options=() mirrors=()
  for exclude in doc man info locale lintian linda groff; do
    options+=("--dpkgopt=path-exclude=/usr/share/$exclude/*")
  done
  mapfile -t mirrors < <(sources)
  # The setup hook merges /usr and forbids the package usrmerge, which would bring perl, in favour of usr-is-merged.
  # The customize hooks leave apt as the official image has it: after an installation no package files are kept.
  # shellcheck disable=SC2016  # $1 belongs to the hooks
  "${SUDO[@]}" mmdebstrap --variant=minbase --include=usr-is-merged "${options[@]}" \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt=force-unsafe-io \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::AutoRemove::SuggestsImportant "false"' \
    --setup-hook='for d in bin sbin lib $([ "$(dpkg --print-architecture)" != amd64 ] || echo lib64); do
        mkdir -p "$1/usr/$d" && ln -s "usr/$d" "$1/$d"; done
      printf "Package: usrmerge\nPin: version *\nPin-Priority: -1\n" >"$1/etc/apt/preferences.d/no-usrmerge"' \
    --customize-hook='echo "DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin\"; };
        Dir::Cache::pkgcache \"\"; Dir::Cache::srcpkgcache \"\";" >"$1/etc/apt/apt.conf.d/docker-clean"' \
    --customize-hook='rm -f "$1"/etc/apt/preferences.d/no-usrmerge "$1"/var/cache/apt/*.bin "$1"/var/cache/debconf/*-old \
        "$1"/var/lib/dpkg/*-old "$1"/etc/hostname "$1"/etc/resolv.conf' \
    "$SUITE" - "${mirrors[@]}" 2>>"$LOG" || fail "mmdebstrap failed; its output is in $LOG"
}

if [ -t 1 ]; then fail "This writes a tar archive to stdout: $0 | docker import - debian:bookworm-slim"; fi
trap finish EXIT
find_root
need_mmdebstrap
bootstrap
