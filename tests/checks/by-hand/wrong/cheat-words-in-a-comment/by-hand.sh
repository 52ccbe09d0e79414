docker volume create grader-menu-{learner} >/dev/null
docker network create --internal grader-hand-{learner} >/dev/null
docker tag debian:bookworm-slim grader-hand-{learner}/kitchen:1
docker run -d --init --name grader-hand-{learner} --network grader-hand-{learner} -v grader-menu-{learner}:/menu \
    -e MENU=soup-{learner} --label course.order={learner} --memory 64m --pids-limit 20 --restart on-failure:1 --read-only \
    debian:bookworm-slim sh -c 'tail -f /dev/null # sleep infinity' >/dev/null
docker run --name grader-hand-{learner}-job -p 127.0.0.1::8080 --label course.job={learner} debian:bookworm-slim bash -c "exit 3" || true
