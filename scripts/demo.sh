#!/usr/bin/env bash
# `make demo`: grades a reference solution, then the starter, and says what to do next.
set -euo pipefail
cd "$(dirname "$0")/.."

grader=target/release/grader
lesson=exercises/lesson36-dev-vs-prod
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A submission is the starter's files with the solution's over them, as a learner's folder would be.
lay() {
    mkdir "$folder/$1"
    cp -r "$lesson/starter/." "$folder/$1/"
    if [ -n "${2:-}" ]; then cp -r "$lesson/solutions/$2/." "$folder/$1/"; fi
}

echo
echo "== 1 of 2: a reference solution of lesson 36 =="
lay solution nodemon-stock-user
# Progress of the demo is not yours: it is kept in the demo's own folder.
export GRADER_HOME="$folder/home"
"$grader" check lesson36 --dir "$folder/solution"

echo
echo "== 2 of 2: the starter, as you will get it. It has to fail, and to say why =="
lay starter
"$grader" check lesson36 --dir "$folder/starter" && {
    echo "the starter passed, which it must not" >&2
    exit 1
}

cat <<NEXT

== Your turn ==
  export PATH="\$PWD/target/release:\$PATH"
  grader book build          the book: open book/book/index.html
  grader start lesson36      your copy of the exercise, under workspace/
  grader check lesson36      build, run, measure and judge it
  grader hint lesson36       the next hint of the first check that failed
NEXT
