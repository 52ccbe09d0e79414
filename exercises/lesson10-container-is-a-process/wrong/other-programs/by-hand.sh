outside() {
    docker run --rm --interactive --pid host --network host --ipc host --uts host \
        --cgroupns host --cap-add SYS_PTRACE debian:bookworm-slim "$@"
}
pid_of() { docker inspect --format '{{.State.Pid}}' "$1"; }
mkdir show
echo 'setInterval(() => {}, 1000)' > show/display.js
echo "setInterval(() => console.log('the display shows 3 tickets'), 2000)" > show/watch.js
docker run --detach --name display-{learner} --memory 128m --pids-limit 50 --volume "$PWD/show":/srv:ro \
    node:22-bookworm-slim node /srv/display.js >/dev/null
docker run --detach --name watch-{learner} --network container:display-{learner} --volume "$PWD/show":/srv:ro \
    node:22-bookworm-slim node /srv/watch.js >/dev/null
docker run --detach --name oven-{learner} --restart on-failure:1 debian:bookworm-slim sleep infinity >/dev/null
first=$(pid_of oven-{learner})
outside sh -c "kill -KILL $first"
timeout 20 sh -c "until [ \"\$(docker inspect --format '{{.RestartCount}} {{.State.Status}}' oven-{learner})\" = '1 running' ]; do sleep 0.1; done"
outside sh -c "kill -KILL $(pid_of oven-{learner})"
docker wait oven-{learner} >/dev/null
display=$(pid_of display-{learner}) watch=$(pid_of watch-{learner})
cat > answers.toml <<END
display_pid = $display
display_pid_namespace = $(outside readlink "/proc/$display/ns/pid" | tr -dc 0-9)
display_cgroup = "$(outside cat "/proc/$display/cgroup" | grep -E ':memory:|^0::' | head -n 1 | cut -d : -f 3)"
network_namespace = $(outside readlink "/proc/$display/ns/net" | tr -dc 0-9)
watch_pid_namespace = $(outside readlink "/proc/$watch/ns/pid" | tr -dc 0-9)
oven_exit_code = $(docker inspect --format '{{.State.ExitCode}}' oven-{learner})
END
