#!/usr/bin/env bash
# The same Docker work and the same facts as `grader check lesson36`, one after another, with
# nothing but the docker command, curl and coreutils. It is what a careful person would write by hand,
# and the measure for the grader's speed (bench/run.sh).
#
# usage: bench/lean36.sh SUBMISSION      exit code 0: every fact holds
set -euo pipefail

submission=$1
run=lean-$$
tag=run-$run
work=$(mktemp -d)
key=planted-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
fingerprint=$(printf %s "$key" | sha256sum | cut -c1-12)
probe=

fail() { echo "lean36: $*" >&2; exit 1; }
have() { case "$1" in *"$2"*) ;; *) fail "$3: $1" ;; esac; }

clean() {
    docker ps --all --quiet --filter "label=lean=$run" | xargs -r docker rm --force --volumes >/dev/null 2>&1 || true
    for stack in dev prod; do
        docker compose -p "$run-$stack" down --volumes --timeout 0 >/dev/null 2>&1 || true
    done
    docker image rm --force "$run:dev" "$run:$tag" "$run:edited" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean EXIT

# --- copies, with the planted secret and a host's node_modules ----------------------------------
for copy in build rebuild dev prod; do
    cp -r "$submission" "$work/$copy"
    sed -i "s|^PAYMENT_PROVIDER_KEY=.*|PAYMENT_PROVIDER_KEY=$key|" "$work/$copy/.env.production"
    mkdir -p "$work/$copy/node_modules"
    touch "$work/$copy/node_modules/.from-the-host"
done

# --- images ---------------------------------------------------------------------------------------
build() { docker buildx build --builder default --network none --progress plain --target "$1" --tag "$2" "$3" 2>&1; }
build development "$run:dev" "$work/build" >/dev/null || fail "development does not build"
build production "$run:$tag" "$work/build" >/dev/null || fail "production does not build"
sed -i "s|Thank you for dining with us|Edited in $run|" "$work/rebuild/src/receipt.js"
again=$(build production "$run:edited" "$work/rebuild") || fail "production does not build after an edit"
step=$(grep -oE '^#[0-9]+ \[[^]]*\] RUN .*npm (ci|install)' <<<"$again" | cut -d' ' -f1 | head -n 1)
grep -qE "^$step CACHED" <<<"$again" || fail "the dependency step is not cached"

layers() { docker image inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}' "$1"; }
base=$(layers node:22-bookworm-slim)
have "$(layers "$run:dev")" "$base" "development has another base"
have "$(layers "$run:$tag")" "$base" "production has another base"
added() {
    docker history --no-trunc --human=false --format '{{.Size}}' "$1" |
        head -n -"$(docker history --quiet node:22-bookworm-slim | wc -l)" | paste -sd+ | bc
}
dev_added=$(added "$run:dev")
prod_added=$(added "$run:$tag")
{ [ "$prod_added" -le 12000000 ] && [ $((prod_added * 100)) -le $((dev_added * 60)) ]; } || fail "production adds $prod_added"

inside() { docker run --rm --label "lean=$run" --network none --user 0 --entrypoint sh "$1" -c "$2"; }
inside "$run:$tag" 'test -e src/server.js && test -e node_modules/express && ! test -e node_modules/nodemon &&
    ! test -e node_modules/eslint && ! ls -d .env* .git docker-compose* 2>/dev/null' || fail "production holds the wrong files"
inside "$run:dev" 'test -e node_modules/nodemon && test -e node_modules/eslint && ! test -e src/server.js' ||
    fail "development holds the wrong files"
for image in "$run:$tag" "$run:dev"; do
    ! docker image inspect "$image" | grep -qF "$key" || fail "the secret is in the configuration"
    ! docker history --no-trunc "$image" | grep -qF "$key" || fail "the secret is in the history"
    ! inside "$image" "grep -rqF '$key' . 2>/dev/null" || fail "the secret is in a file"
done

# --- stacks: ephemeral ports, the built images ---------------------------------------------------------
up() {
    local stack=$1; shift
    docker compose -p "$run-$stack" "$@" -f "$work/$stack.override.yml" up --detach --no-build --pull never >/dev/null 2>&1 ||
        fail "$stack does not start"
}
cat >"$work/dev.override.yml" <<YAML
services:
  payments: { image: "$run:dev", build: !reset null, ports: !override ["127.0.0.1::3000", "127.0.0.1::9229"] }
  db: { ports: !override ["127.0.0.1::5432"] }
YAML
cat >"$work/prod.override.yml" <<YAML
services:
  payments: { image: "$run:$tag", ports: !override ["127.0.0.1::3000"] }
YAML
name() { echo "$run-$1-$2-1"; }
port() { docker port "$(name "$1" "$2")" "$3/tcp" | head -n 1; }
until_true() {
    local tries=$1; shift
    until "$@"; do tries=$((tries - 1)); [ "$tries" -gt 0 ] || return 1; sleep 0.02; done
}
answers() { curl -fsS --max-time 2 "http://$1" 2>/dev/null | grep -qF "$2"; }
pays() {
    local at id
    at=$(port "$1" payments 3000)
    id=$(curl -fsS --max-time 10 -H 'Content-Type: application/json' -d '{"table":7,"cents":4250}' "http://$at/payments" \
        2>/dev/null | grep -oE '"id":[0-9]+' | cut -d: -f2) || return 1
    answers "$at/payments/$id" 4250
}

cd "$work/dev"
up dev -f "$work/dev/docker-compose.yml" -f "$work/dev/docker-compose.dev.yml"
folder=$(docker inspect --format '{{.Config.WorkingDir}}' "$(name dev payments)")
! docker exec "$(name dev payments)" test -e "$folder/node_modules/.from-the-host" || fail "node_modules are hidden"
until_true 500 pays dev || fail "no payment in dev"
answers "$(port dev payments 9229)/json/version" Debugger || answers "$(port dev payments 9229)/json/version" node || fail "no debugger"
database=$(port dev db 5432)
exec 3<>"/dev/tcp/127.0.0.1/${database##*:}"
printf '\0\0\0\10\4\322\26\57' >&3
case "$(timeout 2 head -c 1 <&3)" in N|S) ;; *) fail "the database is closed in dev" ;; esac
exec 3>&-
before=$(docker inspect --format '{{.Id}}{{.Image}}' "$(name dev payments)")
# Saved in place, under a new file's name, and in place again: editors differ.
saved() { sed "s|Thank you for dining with us|$1 in $run|" "$work/build/src/receipt.js" >"$work/saved"; }
shows() { until_true 300 answers "$(port dev payments 3000)/receipt" "$1 in $run" || fail "no hot reload: $1"; }
saved First; cat "$work/saved" >"$work/dev/src/receipt.js"; shows First
saved Second; mv "$work/saved" "$work/dev/src/receipt.js"; shows Second
saved Third; cat "$work/saved" >"$work/dev/src/receipt.js"; shows Third
[ "$before" = "$(docker inspect --format '{{.Id}}{{.Image}}' "$(name dev payments)")" ] || fail "another container"

cd "$work/prod"
up_prod() {
    TAG=$tag up prod --env-file "$work/prod/.env.production" -f "$work/prod/docker-compose.yml" \
        -f "$work/prod/docker-compose.prod.yml"
}
up_prod
app=$(name prod payments)
until_true 500 pays prod || fail "no payment in prod"
for _ in $(seq 19); do
    pays prod || fail "a later payment failed"
    answers "$(port prod payments 3000)/provider" "$fingerprint" || fail "the key did not arrive each time"
done
[ "$(docker inspect --format '{{.Image}}' "$app")" = "$(docker image inspect --format '{{.Id}}' "$run:$tag")" ] || fail "another image runs"
answers "$(port prod payments 3000)/provider" "$fingerprint" || fail "the key did not arrive"
{ [ "$(docker port "$app" | wc -l)" -eq 1 ] && [ -z "$(docker port "$(name prod db)")" ]; } || fail "more ports are open"
uids() { docker top "$app" -eo pid,uid,args | tail -n +2 | awk '{print $2}'; }
! uids | grep -qx 0 || fail "a process is root"
answers "$(port prod payments 3000)/receipt" Thank || fail "no receipt"
! uids | grep -qx 0 || fail "a process is root after a request"

probe=$(docker run --detach --rm --label "lean=$run" --pid host --network none --user 0 --cap-add SYS_PTRACE \
    --security-opt apparmor=unconfined --entrypoint sleep node:22-bookworm-slim infinity)
pid() { docker inspect --format '{{.State.Pid}}' "$app"; }
look() { docker exec "$probe" sh -c "$1"; }
root=/proc/$(pid)/root
! look "cat /proc/$(pid)/net/tcp /proc/$(pid)/net/tcp6" | grep -qi ':240D .* 0A ' || fail "a debugger listens"
workdir=$(docker inspect --format '{{.Config.WorkingDir}}' "$app")
for dir in / /etc /usr "$workdir"; do
    said=$(look ": > $root$dir/.write-test" 2>&1 || true)
    have "$said" "Read-only file system" "$dir can be written"
done
look ": > $root/tmp/.write-test && rm $root/tmp/.write-test" || fail "/tmp cannot be written"
memory=$(look "cat $root/sys/fs/cgroup/memory.max $root/sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true")
[ "$memory" -le 536870912 ] || fail "memory limit $memory"
quota=$(look "cut -d' ' -f1 $root/sys/fs/cgroup/cpu.max 2>/dev/null || cat $root/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
{ [ "$quota" -gt 0 ] && [ "$quota" -le 150000 ]; } || fail "CPU quota $quota"
answers "$(port prod payments 3000)/receipt?mark=$run" Thank || fail "no receipt"
logged() { docker logs "$app" 2>&1 | grep -qF "mark=$run"; }
until_true 100 logged || fail "the request is not in the log"
[ -z "$(docker diff "$app" | grep -vE ' (/tmp|/run|/usr|/usr/sbin)(/|$)' || true)" ] || fail "files in the container"
case "$(docker inspect --format '{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}' "$app")" in
    local*|*max-size*) ;;
    *) fail "the log is not bounded" ;;
esac
env_of() { docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$1" | grep ^NODE_ENV=; }
[ "$(env_of "$app")" != "$(env_of "$(name dev payments)")" ] || fail "NODE_ENV is the same"
[ "$(docker inspect --format '{{.Image}}' "$(name prod db)")" = "$(docker inspect --format '{{.Image}}' "$(name dev db)")" ] || fail "another database"

# --- disturbing prod ---------------------------------------------------------------------------------------
back() { answers "$(port prod payments 3000)/receipt" Thank; }
healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$app")" = healthy ]; }
until_true 1000 healthy || fail "prod does not become healthy"
mapfile -t health < <(docker inspect --format '{{range .Config.Healthcheck.Test}}{{println .}}{{end}}' "$app" | head -n -1)
if [ "${health[0]}" = CMD ]; then health=("${health[@]:1}"); else health=(sh -c "${health[1]}"); fi
docker exec "$app" "${health[@]}" >/dev/null || fail "the health check fails"
pids() { docker top "$app" -eo pid | tail -n +2 | paste -sd' '; }
# One of them may be a health check that has ended meanwhile.
look "kill -STOP $(pids) 2>/dev/null || true"
! timeout 2.5 docker exec "$app" "${health[@]}" >/dev/null 2>&1 || fail "the health check is fooled"
look "kill -CONT $(pids) 2>/dev/null || true"
# Where nobody listens, and where all is answered with 503.
stand_in=$(docker run --detach --label "lean=$run" --network none node:22-bookworm-slim sleep infinity)
beside() {
    timeout 3 docker run --rm --label "lean=$run" --network "container:$stand_in" --read-only --no-healthcheck \
        --entrypoint "${health[0]}" "$run:$tag" "${health[@]:1}" >/dev/null 2>&1
}
! beside || fail "the health check says yes to nobody"
serve='require("http").createServer((_, answer) => answer.writeHead(503).end()).listen(3000)'
docker exec --detach "$stand_in" node -e "$serve"
sick() { docker exec "$stand_in" sh -c "grep -qi ':0BB8 .* 0A ' /proc/net/tcp /proc/net/tcp6"; }
until_true 100 sick || fail "the stand-in does not listen"
! beside || fail "the health check says yes to 503"
sed -i "s|Thank you for dining with us|Edited in $run|" "$work/prod/src/receipt.js"
docker rm --force "$app" >/dev/null
up_prod
app=$(name prod payments)
until_true 500 back || fail "an edit on the host changed prod"
started=$(docker inspect --format '{{.State.StartedAt}}' "$app")
look "kill -KILL $(pid)"
reborn() { [ "$started" != "$(docker inspect --format '{{.State.StartedAt}}' "$app")" ] && back; }
until_true 500 reborn || fail "prod does not come back"
curl -sS --max-time 10 -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
    -d '{"table":3,"cents":1200,"terminal_ms":800}' "http://$(port prod payments 3000)/payments" >"$work/status" &
slow=$!
in_flight() { look "cat /proc/$(pid)/net/tcp /proc/$(pid)/net/tcp6" | grep -qi ':0BB8 .* 01 00000000:00000000 '; }
until_true 100 in_flight || fail "the request is not in flight"
docker stop "$app" >/dev/null
wait "$slow"
[ "$(cat "$work/status")" = 201 ] || fail "the payment in flight was lost"
[ "$(docker inspect --format '{{.State.ExitCode}}' "$app")" != 137 ] || fail "prod was killed"
echo "lean36: every fact holds"
