#!/usr/bin/env bash
# Entrypoint of the stand-in for the postgres image. As the official one does:
# - arguments that start with `-` are for postgres; any other command is run as it stands
# - started as root it gives the folders to the user postgres and becomes that user; `user:` is respected
# - on an empty PGDATA it makes a cluster from POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS,
#   POSTGRES_INITDB_WALDIR, POSTGRES_HOST_AUTH_METHOD (each also as NAME_FILE), then runs /docker-entrypoint-initdb.d
#   against a temporary server that does not listen on TCP
# - an existing cluster is left alone
# What is different, for a fast first start:
# - with default settings the cluster is a copy of one that initdb made when the image was built, with the superuser's name
#   and password set afterwards; so all such clusters have the same system identifier
# - the new files are not forced to the disk: a power failure in the first seconds needs a fresh volume
# - without files in /docker-entrypoint-initdb.d there is no temporary server; single-user mode does its work
set -euo pipefail

readonly TEMPLATE=/usr/share/postgresql/15/cluster
readonly SCRIPTS=/docker-entrypoint-initdb.d

# Ends with a message on stderr.
fail() {
  printf 'error: %s\n' "$@" >&2
  exit 1
}

# Sets variable $1 from the file that $1_FILE names, or else to $2.
from_file() {
  local name=$1 file=${1}_FILE value=${2-}
  if [ -n "${!name-}" ] && [ -n "${!file-}" ]; then fail "$name and $file are both set; set one of them"; fi
  if [ -n "${!name-}" ]; then
    value=${!name}
  elif [ -n "${!file-}" ]; then
    value=$(<"${!file}")
  fi
  unset "$file"
  export "$name=$value"
}

# Succeeds if the arguments only ask postgres for information.
asks_for_help() {
  local argument
  for argument in "$@"; do
    case "$argument" in -'?' | --help | --describe-config | -V | --version) return 0 ;; esac
  done
  return 1
}

# Makes the folders; as root, gives them to the user postgres.
make_folders() {
  mkdir -p "$PGDATA" /var/run/postgresql 2>/dev/null || true
  chmod 0700 "$PGDATA" 2>/dev/null || true
  chmod 3775 /var/run/postgresql 2>/dev/null || true
  if [ -n "${POSTGRES_INITDB_WALDIR-}" ]; then mkdir -p "$POSTGRES_INITDB_WALDIR" && chmod 0700 "$POSTGRES_INITDB_WALDIR"; fi
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" /var/run/postgresql ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} \
      ! -user postgres -exec chown postgres '{}' +
  fi
}

# Reads the settings of the first start and refuses one that would leave the database open to anybody.
read_settings() {
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
  if [ "$POSTGRES_HOST_AUTH_METHOD" = trust ]; then
    echo 'warning: POSTGRES_HOST_AUTH_METHOD=trust lets anybody who reaches the port in without a password' >&2
  elif [ -z "$POSTGRES_PASSWORD" ]; then
    fail 'the database is new and has no superuser password: set POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE)' \
      'for experiments only: POSTGRES_HOST_AUTH_METHOD=trust accepts every connection without a password'
  fi
}

# Runs a command that wants to know its user's name, also where the user id (`user: 1234`) has none.
with_name() (
  if ! getent passwd "$(id -u)" >/dev/null; then
    NSS_WRAPPER_PASSWD=$(mktemp) NSS_WRAPPER_GROUP=$(mktemp)
    LD_PRELOAD=$(find /usr/lib -name libnss_wrapper.so -print -quit)
    export LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
    echo "postgres:x:$(id -g):" >"$NSS_WRAPPER_GROUP"
  fi
  "$@"
)

# Runs the SQL on stdin without a server; statements end with a semicolon and an empty line.
single_user() {
  with_name postgres --single -j -D "$PGDATA" -c exit_on_error=on -c log_min_messages=error -c log_checkpoints=off \
    postgres >/dev/null
}

# Prints $2 quoted for SQL with the quote character $1.
quoted() {
  printf '%s%s%s' "$1" "${2//"$1"/$1$1}" "$1"
}

# Makes the cluster: superuser, password, database, and the rule for connections from other machines.
make_cluster() {
  if [ -z "$POSTGRES_INITDB_ARGS${POSTGRES_INITDB_WALDIR-}${TZ-}${LC_ALL-}" ] && [ "${LANG-}" = en_US.utf8 ]; then
    (umask 077 && cp -r "$TEMPLATE/." "$PGDATA/")
    echo 'cluster copied from the image'
  else
    # The arguments come as one string, as for the official image.
    eval 'with_name initdb --no-sync --username=postgres -D "$PGDATA"' \
      "${POSTGRES_INITDB_WALDIR:+--waldir=$(printf %q "$POSTGRES_INITDB_WALDIR")} $POSTGRES_INITDB_ARGS"
  fi
  {
    # The catalogue is changed directly, because ALTER ROLE refuses to rename the role that it runs as.
    printf 'UPDATE pg_authid SET rolname = %s WHERE oid = 10;\n\n' "$(quoted "'" "$POSTGRES_USER")"
    if [ -n "$POSTGRES_PASSWORD" ]; then
      printf 'ALTER ROLE %s PASSWORD %s;\n\n' "$(quoted '"' "$POSTGRES_USER")" "$(quoted "'" "$POSTGRES_PASSWORD")"
    fi
    if [ "$POSTGRES_DB" != postgres ]; then printf 'CREATE DATABASE %s;\n\n' "$(quoted '"' "$POSTGRES_DB")"; fi
  } | single_user
  printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
}

# psql as the superuser in the new database, through the socket, ending at the first error.
sql() {
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" \
    --dbname "$POSTGRES_DB" "$@"
}

# Runs the files of /docker-entrypoint-initdb.d by name; a script that is not executable is read into this shell.
run_scripts() {
  local file
  for file in "$SCRIPTS"/*; do
    echo "running $file"
    case "$file" in
      *.sh)
        if [ -x "$file" ]; then
          "$file"
        else
          # shellcheck source=/dev/null
          . "$file"
        fi
        ;;
      *.sql) sql -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | sql ;;
      *) echo "ignoring $file" ;;
    esac
  done
}

# Starts a server that only listens on the socket, runs the learner's files, stops it.
initialise() {
  if [ "$1" = postgres ]; then shift; fi
  export PGPASSWORD=$POSTGRES_PASSWORD
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -w start -o "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")"
  run_scripts
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
}

# The way from an empty container to a cluster that postgres can be started on.
prepare() {
  make_folders
  if [ "$(id -u)" = 0 ]; then
    export HOME=/var/lib/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "${BASH_SOURCE[0]}" "$@"
  fi
  if [ -s "$PGDATA/PG_VERSION" ]; then
    echo 'PGDATA holds a cluster already; it is used as it is'
    return
  fi
  read_settings
  ls "$SCRIPTS" >/dev/null
  make_cluster
  if [ -n "$(ls -A "$SCRIPTS")" ]; then initialise "$@"; fi
  echo 'PostgreSQL init process complete; ready for start up.'
}

case "${1-}" in -*) set -- postgres "$@" ;; esac
if [ "${1-}" = postgres ] && ! asks_for_help "$@"; then prepare "$@"; fi
exec "$@"
