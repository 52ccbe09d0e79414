menu=lesson12-{learner}/menu:1 orders=lesson12-{learner}/orders:1
docker tag debian:bookworm-slim "$menu"
docker build --quiet --target orders --tag "$orders" . >/dev/null

# A container whose edition is deleted, and another one of the same image.
docker run --name lesson12-spoilt-{learner} "$menu" sh -c "exit 3" menu/server.js || true
docker run --detach --name lesson12-fresh-{learner} "$menu" sh -c "sleep infinity" menu/server.js >/dev/null

above() {
    docker image history --human=false --format '{{.Size}}' "$1" | head -n "$2" | awk '{ sum += $1 } END { print sum }'
}
of_base=$(docker image history --quiet node:22-bookworm-slim | wc -l)
all=$(docker image history --quiet "$orders" | wc -l)
cat > answers.toml <<END
menu_layers = $(docker image inspect --format '{{len .RootFS.Layers}}' "$orders")
lowest_layer = "$(docker image inspect --format '{{index .RootFS.Layers 0}}' "$menu")"
orders_added_bytes = $(above "$orders" "$((all - of_base))")
END
