docker tag debian:bookworm-slim grader-hand-{learner}/debian:latest
