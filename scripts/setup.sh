#!/usr/bin/env bash
# Prepares this machine for the course: a Docker engine with Compose and buildx that runs and may be used, and a C compiler.
# Run it as often as you like: what is there is left alone.
#
#   scripts/setup.sh            installs and starts what is missing (as root, or with sudo)
#   scripts/setup.sh --check    only says what is there and what is not
#
# Exit codes: 0 all is there, 2 wrong use, 3 this machine needs something that the message names.
set -euo pipefail

# shellcheck source=scripts/lib/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/steps.sh"

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
forget_log
