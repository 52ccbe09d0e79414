#!/usr/bin/env bash
# `make bench`: the grader beside a plain shell script that does the same work, in one run on one
# machine, in turn. Prints medians and ratios; asserts nothing, because machines are noisy.
#
# RUNS=7 by default. Needs curl, bc and python3 for the script beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-7}
grader=target/release/grader
lesson=exercises/lesson36-dev-vs-prod
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GRADER_HOME="$folder/home"

for tool in curl bc python3; do
    command -v "$tool" >/dev/null || { echo "make bench needs $tool" >&2; exit 3; }
done
mkdir "$folder/solution"
cp -r "$lesson/starter/." "$lesson/solutions/nodemon-stock-user/." "$folder/solution/"
rm -f "$folder/solution/quiz.toml.bak"

python3 bench/measure.py "$runs" "$grader" "$folder/solution"
python3 bench/looks.py "$runs" "$grader" "$folder/solution"
python3 bench/catalogue.py 3 "$grader"
python3 bench/peers.py "$runs" "$grader"
python3 bench/book.py "$runs" "$grader" target/release/plain_book
target/release/measure_pages "$runs"
