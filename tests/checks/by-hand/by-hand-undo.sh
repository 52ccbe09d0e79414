docker rm --force --volumes grader-hand-{learner} grader-hand_{learner} grader-hand-{learner}-old grader-hand-{learner}-job >/dev/null 2>&1 || true
docker volume rm grader-menu-{learner} >/dev/null 2>&1 || true
docker network rm grader-hand-{learner} >/dev/null 2>&1 || true
docker image rm grader-hand-{learner}/kitchen:1 >/dev/null 2>&1 || true
