docker rm --force --volumes lesson12-spoilt-{learner} lesson12-fresh-{learner} >/dev/null 2>&1 || true
docker image rm --force lesson12-{learner}/menu:1 lesson12-{learner}/orders:1 >/dev/null 2>&1 || true
