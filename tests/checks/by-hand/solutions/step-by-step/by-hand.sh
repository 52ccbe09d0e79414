docker network create --internal --driver bridge grader-hand-{learner} >/dev/null
docker tag debian:bookworm-slim grader-hand-{learner}/kitchen:1
docker create --init --name grader-hand-{learner}-old --mount type=volume,source=grader-menu-{learner},target=/menu \
    --env MENU=soup-{learner} --label course.order={learner} --network none --tmpfs /tmp --read-only grader-hand-{learner}/kitchen:1 sleep infinity >/dev/null
docker rename grader-hand-{learner}-old grader-hand-{learner}
docker update --memory 32m --memory-swap 64m --pids-limit 10 --restart on-failure grader-hand-{learner} >/dev/null
docker network disconnect none grader-hand-{learner}
docker network connect grader-hand-{learner} grader-hand-{learner}
docker start grader-hand-{learner} >/dev/null
docker run --name grader-hand-{learner}-job --label course.job={learner} debian:bookworm-slim bash -c "exit 3" || true
