#!/bin/sh
# Entrypoint of the stand-in for the node image: `docker run IMAGE app.js` and `docker run IMAGE --version` are given to
# node, anything that is a command of the system is run as it stands. Replaces itself, so that signals arrive.
set -e

# Succeeds if the first argument is for node: a flag, not a command, or a plain file that cannot be executed
# (dash's `command -v` reports such a file as a command).
is_for_node() {
  case "${1-}" in -*) return 0 ;; esac
  if [ -f "${1-}" ] && [ ! -x "${1-}" ]; then return 0; fi
  ! command -v "${1-}" >/dev/null
}

if is_for_node "$@"; then set -- node "$@"; fi
exec "$@"
