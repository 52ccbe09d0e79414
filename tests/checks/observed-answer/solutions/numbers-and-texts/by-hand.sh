network=grader-hand-{learner} name=grader-hand-{learner} volume=grader-menu-{learner}
docker network create "$network" >/dev/null
docker run -d --init --name "$name" --network "$network" -v "$volume:/menu" node:22-bookworm-slim sleep infinity >/dev/null
docker run --name "$name-job" --network none node:22-bookworm-slim bash -c "exit 3" || true
pid=$(docker inspect -f '{{.State.Pid}}' "$name")
{
    echo "pid = $pid"
    echo "address = \"$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$name")\""
    echo "net = $(readlink "/proc/$pid/ns/net" | tr -dc 0-9)"
    echo "cgroup = \"$(grep -E ':memory:|^0::' "/proc/$pid/cgroup" | head -n 1 | cut -d : -f 3)\""
    echo "volume = \"$volume\""
    echo "layers = $(docker image inspect -f '{{len .RootFS.Layers}}' node:22-bookworm-slim)"
    echo "lowest = \"$(docker image inspect -f '{{index .RootFS.Layers 0}}' node:22-bookworm-slim)\""
    echo "size = $(docker image inspect -f '{{.Size}}' node:22-bookworm-slim)"
} >> answers.toml
