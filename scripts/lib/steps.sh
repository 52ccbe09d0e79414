# shellcheck shell=bash
# What the set-up scripts have in common: messages, versions, root rights, steps with their time, packages. Sourced by
# scripts/setup.sh and scripts/setup-tests.sh.

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

# Removes the log of the steps; what went well needs none.
forget_log() {
  if [ -n "$LOG" ]; then rm -f "$LOG"; fi
}
