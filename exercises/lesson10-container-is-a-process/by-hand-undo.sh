docker rm --force --volumes display-{learner} watch-{learner} oven-{learner} display_{learner} display-1{learner} watch-1{learner} >/dev/null 2>&1 || true
docker image rm --force kitchen-display-{learner} >/dev/null 2>&1 || true
