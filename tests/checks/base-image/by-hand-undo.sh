docker image rm grader-hand-{learner}/debian:latest >/dev/null 2>&1 || true
