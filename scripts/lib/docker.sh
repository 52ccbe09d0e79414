# shellcheck shell=bash
# Finds, installs and starts Docker. Sourced by scripts/setup.sh after steps.sh, whose functions it uses.

readonly COMPOSE_MIN=2.20 BUILDX_MIN=0.13 START_DEADLINE=60
readonly TRIXIE_SOURCES=/etc/apt/sources.list.d/course-trixie.sources
readonly TRIXIE_PREFERENCES=/etc/apt/preferences.d/course-docker
readonly DAEMON_LOG=/var/log/dockerd.log
readonly -a TRIXIE_PACKAGES=(docker.io docker-cli docker-compose docker-buildx containerd)

# Prints the versions of the engine, Compose and buildx, as three words; `-` stands for what is missing.
docker_versions() {
  local engine compose buildx
  engine=$(version_of timeout 10 docker version --format '{{.Server.Version}}')
  compose=$(version_of docker compose version --short)
  buildx=$(version_of docker buildx version)
  printf '%s %s %s\n' "$engine" "$compose" "$buildx"
}

# Succeeds if the Compose version $1 and the buildx version $2 are new enough.
plugins_suffice() {
  at_least "$1" "$COMPOSE_MIN" && at_least "$2" "$BUILDX_MIN"
}

# Ends with the fix if there is an engine that this user may not talk to, or that is elsewhere and does not answer.
refuse_unreachable() {
  local message context
  if message=$(timeout 10 docker version 2>&1 >/dev/null); then return; fi
  case "$message" in
    *'permission denied'*)
      fail 'A Docker engine runs, but you may not use it. Members of the group docker may (this equals root rights):' \
        "  sudo usermod -aG docker $(id -un)    then log out and in again"
      ;;
  esac
  if [ -n "${DOCKER_HOST-}" ]; then
    fail "DOCKER_HOST is $DOCKER_HOST and no engine answers there. Start it, or: unset DOCKER_HOST"
  fi
  context=$(docker context show 2>/dev/null) || context=default
  if [ "$context" != default ]; then
    fail "The engine of your Docker context $context does not answer. Start it, or: docker context use default"
  fi
}

# Prints the distribution as `debian 12`, or what else there is.
distribution() {
  if [ ! -r /etc/os-release ]; then
    uname -s
    return
  fi
  # shellcheck source=/dev/null
  (. /etc/os-release && echo "${ID:-unknown}" "${VERSION_ID:-99}")
}

# Succeeds if Docker can be installed here by this script.
installable() {
  local id release
  read -r id release < <(distribution)
  case "$id" in
    debian) at_least "${release:-0}" 12 ;;
    ubuntu) at_least "${release:-0}" 22.04 ;;
    *) false ;;
  esac
}

# Ends by saying what to install where this script cannot, or must not, do it.
refuse_foreign() {
  local packages
  if dpkg -s docker-ce >/dev/null 2>&1; then
    fail "Docker's own packages are installed, with Compose or buildx missing or too old:" \
      '  sudo apt-get install docker-ce docker-compose-plugin docker-buildx-plugin'
  fi
  if installable; then return; fi
  case "$(distribution)" in
    Darwin*) packages='Docker Desktop, OrbStack or colima (with the docker, docker-compose and docker-buildx formulae)' ;;
    *) packages='a Docker engine, the command docker, and its plugins compose and buildx' ;;
  esac
  fail "This script installs Docker on Debian 12 and newer and on Ubuntu 22.04 and newer; here: $(distribution)." \
    "Install $packages: Compose >= $COMPOSE_MIN, buildx >= $BUILDX_MIN. Then run this again."
}

# Debian 12's own Docker is too old: adds Debian 13's suite of mirror $1, from which only Docker may come.
add_trixie() {
  as_root tee "$TRIXIE_SOURCES" >/dev/null <<EOF
# Written by the course's scripts/setup.sh, only for Docker; see $TRIXIE_PREFERENCES
Types: deb
URIs: $1
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
  as_root tee "$TRIXIE_PREFERENCES" >/dev/null <<EOF
# Written by the course's scripts/setup.sh: nothing but Docker comes from Debian 13.
Package: *
Pin: release n=trixie
Pin-Priority: 50

Package: ${TRIXIE_PACKAGES[*]}
Pin: release n=trixie
Pin-Priority: 600
EOF
}

# Installs the engine, Compose and buildx by the distribution's means.
install_docker() {
  local id release mirror
  local -a packages
  read -r id release < <(distribution)
  case "$id" in
    ubuntu) packages=(docker.io docker-buildx docker-compose-v2) ;;
    *) packages=("${TRIXIE_PACKAGES[@]}") ;;
  esac
  # A kernel with AppArmor needs the tool that loads the containers' profile.
  if [ -d /sys/kernel/security/apparmor ] && ! command -v apparmor_parser >/dev/null; then packages+=(apparmor); fi
  if [ "$id" = debian ] && ! at_least "$release" 13; then
    mirror=$(debian_mirror bookworm) || fail 'No source of Debian 12 packages in /etc/apt: add one, then run this again.'
    need_root
    step "adding Debian 13's suite, for Docker only ($TRIXIE_SOURCES)" add_trixie "$mirror"
    # shellcheck disable=SC2034  # read by apt_install
    APT_UPDATED=no
  fi
  apt_install "${packages[@]}"
}

# Succeeds as soon as the engine answers root; fails, with the end of its log, when the deadline has passed or it has died.
wait_for_engine() {
  local begin=$SECONDS
  until as_root docker version >/dev/null 2>&1; do
    if [ $((SECONDS - begin)) -ge "$START_DEADLINE" ] || { [ $((SECONDS - begin)) -ge 3 ] && ! pidof dockerd >/dev/null; }; then
      if [ -d /run/systemd/system ]; then as_root journalctl -n 5 --no-pager -u docker; else tail -n 5 "$DAEMON_LOG"; fi
      return 1
    fi
    sleep 0.1
  done
}

# Starts the installed engine: through systemd where that runs, else as a process of its own session.
start_engine() {
  need_root
  if [ -d /run/systemd/system ]; then
    step 'starting Docker (systemctl enable --now docker)' as_root systemctl enable --now docker
  elif ! pidof dockerd >/dev/null; then
    step "starting Docker (setsid dockerd, output in $DAEMON_LOG)" \
      as_root sh -c "setsid dockerd </dev/null >>$DAEMON_LOG 2>&1 &"
  fi
  step 'waiting for Docker to answer' wait_for_engine
}
