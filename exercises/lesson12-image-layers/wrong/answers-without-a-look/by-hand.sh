menu=lesson12-{learner}/menu:1 orders=lesson12-{learner}/orders:1
docker build --quiet --target menu --tag "$menu" . >/dev/null
docker build --quiet --target orders --tag "$orders" . >/dev/null

# A container whose edition is deleted, and another one of the same image.
docker run --detach --name lesson12-spoilt-{learner} "$menu" >/dev/null
docker exec --user root lesson12-spoilt-{learner} rm /app/house/edition.json
docker restart lesson12-spoilt-{learner} >/dev/null
docker wait lesson12-spoilt-{learner} >/dev/null
docker run --detach --name lesson12-fresh-{learner} "$menu" >/dev/null

cat > answers.toml <<END
menu_layers = $(docker image history --quiet "$menu" | wc -l)
lowest_layer = "$(docker image inspect --format '{{.Id}}' "$menu")"
orders_added_bytes = $(docker image inspect --format '{{.Size}}' "$orders")
END
