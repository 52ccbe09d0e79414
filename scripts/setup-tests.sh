#!/usr/bin/env bash
# Prepares this machine for the tests that drive a real browser: Chromium, and the rules of axe-core by which they judge how
# accessible a page is. `make test` runs it; learners do not need it. Run it as often as you like: what is there is left alone.
#
#   scripts/setup-tests.sh
#
# Exit codes: 0 all is there, 3 this machine needs something that the message names.
set -euo pipefail

# shellcheck source=scripts/lib/steps.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/steps.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where the rules are put; the tests read them there.
readonly AXE=target/axe

# Succeeds if there is a browser under one of the names that the tests know.
has_browser() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then return; fi
  done
  return 1
}

# Ubuntu's package only fetches a snap, which may not read the tests' folders.
is_ubuntu() {
  [ -r /etc/os-release ] && grep -q '^ID=ubuntu' /etc/os-release
}

need_browser() {
  if has_browser; then return; fi
  if ! command -v apt-get >/dev/null || is_ubuntu; then
    fail 'The tests need Chromium or Google Chrome, and this script cannot install it here.' \
      'Install it so that chromium or google-chrome is on PATH. Then run this again.'
  fi
  # The book brings its letters along, but not the signs between them.
  apt_install chromium fonts-dejavu-core
}

# The browser gets a network of its own, which `ip` sets up.
need_ip() {
  if command -v ip >/dev/null; then return; fi
  if ! command -v apt-get >/dev/null; then fail 'The tests need the command ip (iproute2): install it. Then run this again.'; fi
  apt_install iproute2
}

need_axe() {
  if cmp -s tests/axe/package-lock.json "$AXE/installed-lock.json"; then return; fi
  if ! command -v npm >/dev/null; then
    if ! command -v apt-get >/dev/null; then fail 'The tests need npm, which comes with Node.js: install it. Then run this again.'; fi
    apt_install npm
  fi
  mkdir -p "$AXE"
  cp tests/axe/package.json tests/axe/package-lock.json "$AXE/"
  step 'fetching axe-core (npm ci)' npm ci --prefix "$AXE" --ignore-scripts --no-audit --no-fund
  cp "$AXE/package-lock.json" "$AXE/installed-lock.json"
}

need_browser
need_ip
need_axe
forget_log
