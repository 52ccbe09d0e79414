# shellcheck shell=bash
# Where this machine gets its Debian packages from. Sourced by scripts/setup.sh and by recipes in images/.

# Prints the URI of the Debian archive that serves suite $1 (for example bookworm or bookworm-security) according to this
# machine's package sources, whichever format they are written in; fails if there is none. Other vendors use the same suite
# names: what says that it is Debian's wins, and before any list was downloaded the folder's name has to do.
debian_mirror() {
  local uri
  # shellcheck disable=SC2016  # the placeholders are apt's own
  uri=$(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(ORIGIN)' 'Created-By: Packages' |
    awk -F'|' -v suite="$1" '
      $2 != suite && $3 != suite          { next }
      $4 == "Debian"                      { known = $1 }
      $1 ~ /\/debian(-security)?\/?$/     { likely = $1 }
      END                                 { print (known ? known : likely) }')
  if [ -z "$uri" ]; then return 1; fi
  printf '%s\n' "$uri"
}
