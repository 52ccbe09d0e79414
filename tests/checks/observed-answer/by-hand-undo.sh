docker rm --force --volumes grader-hand-{learner} grader-hand-{learner}-job >/dev/null 2>&1 || true
docker volume rm grader-menu-{learner} >/dev/null 2>&1 || true
docker network rm grader-hand-{learner} >/dev/null 2>&1 || true
