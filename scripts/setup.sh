#!/usr/bin/env bash
# Prepares this machine for the course: a Docker engine with Compose and buildx that runs and may be used, and a C compiler.
# Run it as often as you like: what is there is left alone.
#
#   scripts/setup.sh            installs and starts what is missing (as root, or with sudo)
#   scripts/setup.sh --check    only says what is there and what is not
#
# Exit codes: 0 all is there, 2 wrong use, 3 this machine needs something that the message names.
set -euo pipefail

LOG=''
APT_UPDATED=no

# Ends with a message that says what to do.
fail() {
  printf '%s\n' "$@" >&2
  exit 3
}

# Prints the first version number that a command prints, without what the distribution adds to it; `-` if there is none.
version_of() {
  local found
  found=$({ "$@" 2>/dev/null || true; } | grep -oE '[0-9]+(\.[0-9]+)+' | head -n1) || true
  printf '%s\n' "${found:--}"
}

# Succeeds if version $1 is $2 or newer; `-` is no version.
at_least() {
  [ "$1" != - ] && [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]
}

# Runs a command as root; need_root has to come first.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Makes sure that as_root works: asks for the password before anything else is written on the line.
need_root() {
  if [ "$(id -u)" = 0 ]; then return; fi
  if ! command -v sudo >/dev/null; then fail 'Root rights are needed and there is no sudo: run this script as root.'; fi
  if sudo -n true 2>/dev/null; then return; fi
  echo 'sudo is needed to install packages and to start Docker.'
  sudo -v || fail 'sudo was refused: run this script as root, or ask somebody who may.'
}

# Runs the command $2... as one line of progress, named $1, with the time it took. Its output goes to the log.
step() {
  local name=$1 begin=$SECONDS
  shift
  if [ -z "$LOG" ]; then LOG=$(mktemp "${TMPDIR:-/tmp}/course-setup.XXXXXX.log"); fi
  printf '%s ... ' "$name"
  if ! "$@" >>"$LOG" 2>&1; then
    printf 'failed\n'
    tail -n 5 "$LOG" >&2
    fail "Failed: $name. The whole output is in $LOG"
  fi
  printf '%s s\n' $((SECONDS - begin))
}

# Refreshes the package lists. Another vendor's unreachable source is no fault: the installation will show.
apt_update() {
  as_root apt-get -q -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 update || true
}

# Installs packages without their recommendations.
apt_install() {
  need_root
  if [ "$APT_UPDATED" = no ]; then
    step 'refreshing the package lists (apt-get update)' apt_update
    APT_UPDATED=yes
  fi
  step "installing $*" as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a \
    apt-get install -y -q -o DPkg::Lock::Timeout=120 --no-install-recommends "$@"
}

# Makes sure that there is a C compiler, which the grader's SQLite is built with.
need_compiler() {
  if command -v cc >/dev/null; then return; fi
  if ! command -v apt-get >/dev/null; then fail 'A C compiler is missing: install gcc or clang (on macOS: xcode-select --install).'; fi
  apt_install gcc libc6-dev
}

# Makes sure that there is an engine that answers, with plugins that are new enough.
need_docker() {
  local engine compose buildx
  read -r engine compose buildx < <(docker_versions)
  if [ "$engine" != - ] && plugins_suffice "$compose" "$buildx"; then return; fi
  if command -v docker >/dev/null; then refuse_unreachable; fi
  if ! command -v dockerd >/dev/null || ! plugins_suffice "$compose" "$buildx"; then
    refuse_foreign
    install_docker
  fi
  read -r engine compose buildx < <(docker_versions)
  if [ "$engine" = - ]; then start_engine; fi
  refuse_unreachable
}

# Prints what is there on one line; fails, with a line for each thing, if something is missing.
report() {
  local engine compose buildx cargo missing=0
  read -r engine compose buildx < <(docker_versions)
  cargo=$(version_of cargo --version)
  # Prints one missing thing.
  lacks() {
    printf 'missing: %s\n' "$*" >&2
    missing=1
  }
  if [ "$cargo" = - ]; then lacks 'cargo (install Rust)'; fi
  if ! command -v cc >/dev/null; then lacks 'a C compiler (cc)'; fi
  if [ "$engine" = - ]; then lacks 'a Docker engine that answers'; fi
  if ! at_least "$compose" "$COMPOSE_MIN"; then lacks "docker compose >= $COMPOSE_MIN (here: $compose)"; fi
  if ! at_least "$buildx" "$BUILDX_MIN"; then lacks "docker buildx >= $BUILDX_MIN (here: $buildx)"; fi
  if [ "$missing" = 1 ]; then return 3; fi
  echo "Ready: Docker engine $engine, Compose $compose, buildx $buildx, cargo $cargo."
}

# shellcheck source=scripts/lib/debian-mirror.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/debian-mirror.sh"
# shellcheck source=scripts/lib/docker.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/docker.sh"

case "${1-}" in
  '') ;;
  --check)
    if report; then exit; fi
    refuse_unreachable
    exit 3
    ;;
  *)
    echo "usage: $0 [--check]" >&2
    exit 2
    ;;
esac

if ! command -v cargo >/dev/null; then
  fail 'cargo is missing: install Rust (the package rustup or cargo of your system, or the installer on the site of Rust).'
fi
need_compiler
need_docker
report
if [ -n "$LOG" ]; then rm -f "$LOG"; fi
