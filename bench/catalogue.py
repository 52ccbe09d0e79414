"""What each kind of check costs: the time from "its images and stacks are there" to its verdict.

usage: catalogue.py RUNS GRADER
Called by bench/run.sh from the course's folder. A kind is measured on the first solution of its
own small exercise in tests/checks; its opening checks (builds, starts) are not counted.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

RUNS, GRADER = int(sys.argv[1]), os.path.abspath(sys.argv[2])
OPENING = {"builds", "stack-starts"}


def course_of(kind, folder):
    """A course with the kind's exercise as its only lesson, and a learner's solution of it."""
    exercise = folder / "course/exercises/lesson01-proof"
    shutil.copytree(kind, exercise)
    shutil.copytree("images", folder / "course/images")
    shutil.copytree("scripts", folder / "course/scripts")
    (folder / "course/book/src").mkdir(parents=True)
    submission = folder / "submission"
    shutil.copytree(exercise / "starter", submission)
    solution = sorted(path for path in (exercise / "solutions").iterdir() if path.is_dir())[0]
    shutil.copytree(solution, submission, dirs_exist_ok=True)
    return folder / "course", submission


def cost(kind, course, submission):
    """Milliseconds of the check that is named like its kind, after those that open its resources."""
    command = [GRADER, "check", "lesson01", "--fresh", "--offline", "--dir", str(submission), "--format", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "GRADER_COURSE": str(course)})
    checks = json.loads(ended.stdout)["checks"]
    own = next(check for check in checks if check["id"] == kind)
    before = [check["millis"] for check in checks if check["kind"] in OPENING and check["id"] != kind]
    return max(0, own["millis"] - max(before, default=0))


def main():
    print(f"\nthe catalogue: milliseconds per kind, medians of {RUNS}")
    rows = []
    for folder in sorted(path for path in pathlib.Path("tests/checks").iterdir() if path.is_dir()):
        # What a learner makes by hand first is not part of a submission's files.
        if list(folder.glob("solutions/*/by-hand.sh")):
            continue
        with tempfile.TemporaryDirectory() as place:
            course, submission = course_of(folder, pathlib.Path(place))
            rows.append((folder.name, statistics.median(cost(folder.name, course, submission) for _ in range(RUNS))))
    for name, millis in sorted(rows, key=lambda row: -row[1]):
        print(f"  {name:<24} {millis:8.0f}")


main()
