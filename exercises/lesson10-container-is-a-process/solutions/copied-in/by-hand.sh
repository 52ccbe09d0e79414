# Nothing is mounted, the display joins the network of the watch instead of the other way round, and
# what can be read from inside is read from inside.
docker create --name watch-{learner} node:22-bookworm-slim node /watch.js >/dev/null
docker cp watch.js watch-{learner}:/watch.js >/dev/null 2>&1
docker start watch-{learner} >/dev/null
docker create --name display-{learner} --memory 67108864 --memory-swap 67108864 --pids-limit 20 --network container:watch-{learner} \
    node:22-bookworm-slim node /display.js >/dev/null
docker cp display.js display-{learner}:/display.js >/dev/null 2>&1
docker start display-{learner} >/dev/null

signal() {
    docker run --rm --pid host node:22-bookworm-slim \
        node --eval "process.kill($(docker inspect --format '{{.State.Pid}}' "$1"), 'SIGKILL')"
}
docker run --detach --init --name oven-{learner} --restart on-failure:1 node:22-bookworm-slim \
    node --eval 'setInterval(() => {}, 1000)' >/dev/null
signal oven-{learner}
timeout 20 sh -c "until [ \"\$(docker inspect --format '{{.RestartCount}} {{.State.Status}}' oven-{learner})\" = '1 running' ]; do sleep 0.1; done"
signal oven-{learner}
docker wait oven-{learner} >/dev/null

inode() { docker exec "$1" readlink "/proc/1/ns/$2" | tr -dc 0-9; }
pid=$(docker top display-{learner} -o pid | tail -n 1 | tr -d ' ')
cat > answers.toml <<END
oven_exit_code = "137"
watch_pid_namespace = "$(inode watch-{learner} pid)"
network_namespace = "$(inode watch-{learner} net)"
display_pid = "$pid"
display_pid_namespace = "$(inode display-{learner} pid)"
display_cgroup = "$(docker run --rm --pid host --cgroupns host debian:bookworm-slim \
    sed -n -e 's/^[0-9]*:memory://p' -e 's/^0:://p' "/proc/$pid/cgroup" | head -n 1)"
END
