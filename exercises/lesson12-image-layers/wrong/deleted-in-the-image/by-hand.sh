menu=lesson12-{learner}/menu:1 orders=lesson12-{learner}/orders:1
docker build --quiet --target menu --tag "$menu" . >/dev/null
docker build --quiet --target orders --tag "$orders" . >/dev/null

# A container whose edition is deleted, and another one of the same image.
docker run --detach --name lesson12-spoilt-{learner} "$menu" >/dev/null
docker exec --user root lesson12-spoilt-{learner} rm /app/house/edition.json
docker restart lesson12-spoilt-{learner} >/dev/null
docker wait lesson12-spoilt-{learner} >/dev/null
docker commit lesson12-spoilt-{learner} lesson12-{learner}/menu:2 >/dev/null
docker tag lesson12-{learner}/menu:2 "$menu"
docker image rm lesson12-{learner}/menu:2 >/dev/null
docker run --detach --name lesson12-fresh-{learner} "$menu" >/dev/null
docker wait lesson12-fresh-{learner} >/dev/null

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
