"""The grader beside container-structure-test, dive and hadolint: the same image, the same facts.

usage: peers.py RUNS GRADER
Called by bench/run.sh from the course's folder. A peer that is not on PATH is skipped with a
message; nothing is installed. The facts: which files are in the image and which are not, its user,
command and environment (container-structure-test); bytes that later layers waste (dive); pinned
base and form of instructions (hadolint).
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RUNS, GRADER = int(sys.argv[1]), os.path.abspath(sys.argv[2])
IMAGE = "grader-bench-peers:1"
DOCKERFILE = """FROM node:22-bookworm-slim
WORKDIR /app
COPY package.json ./
RUN head -c 3000000 /dev/zero > /tmp/left && npm --version
COPY server.js ./
USER node
ENV NODE_ENV=production
CMD ["node", "server.js"]
"""
STRUCTURE = {
    "schemaVersion": "2.0.0",
    "fileExistenceTests": [
        {"name": "server", "path": "/app/server.js", "shouldExist": True},
        {"name": "secret", "path": "/app/.env", "shouldExist": False},
    ],
    "metadataTest": {"user": "node", "workdir": "/app", "cmd": ["node", "server.js"],
                     "envVars": [{"key": "NODE_ENV", "value": "production"}]},
}
CHECKS = [
    ("files", "contains", 'image = "app", present = ["server.js"], absent = [".env"]'),
    ("config", "image-config", 'image = "app", user = "node", workdir = "/app", cmd = ["node", "server.js"], '
                               'env = { NODE_ENV = "production" }'),
    ("waste", "wasted-space", 'image = "app", most_bytes = 5_000_000'),
    ("base", "base-image", 'image = "app", families = ["node"]'),
]


def lesson():
    head = ('id = "lesson01"\nslug = "peers"\ntitle = "Peers"\nminutes = 1\nimages = ["node:22-bookworm-slim"]\n'
            'deliver = ["Dockerfile"]\n[[image]]\nname = "app"\ntarget = ""\n')
    common = 'title = "t"\npoints = 1\nwhy = "w"\nhints = ["1", "2", "3"]\n'
    checks = [("builds", "builds", 'images = ["app"]'), *CHECKS]
    return head + "".join(f'[[check]]\nid = "{name}"\nkind = "{kind}"\n{common}with = {{ {rest} }}\n'
                          for name, kind, rest in checks)


def prepared(folder):
    """A course with one lesson, and the submission; the image is built for the peers, too."""
    exercise = folder / "course/exercises/lesson01-peers"
    (exercise / "starter").mkdir(parents=True)
    (exercise / "lesson.toml").write_text(lesson())
    shutil.copytree("images", folder / "course/images")
    shutil.copytree("scripts", folder / "course/scripts")
    (folder / "course/book/src").mkdir(parents=True)
    submission = folder / "submission"
    submission.mkdir()
    (submission / "Dockerfile").write_text(DOCKERFILE)
    (submission / "package.json").write_text("{}\n")
    (submission / "server.js").write_text("require('http').createServer((q, a) => a.end('ok')).listen(3000)\n")
    (folder / "structure.json").write_text(json.dumps(STRUCTURE))
    subprocess.run(["docker", "build", "--quiet", "--tag", IMAGE, str(submission)], check=True, capture_output=True)
    return submission


def seconds(command, environment=None, may_fail=False):
    begun = time.monotonic()
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    wall = time.monotonic() - begun
    if ended.returncode != 0 and not may_fail:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stdout}\n{ended.stderr}")
    return wall


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        submission = prepared(folder)
        ours = [GRADER, "check", "lesson01", "--fresh", "--offline", "--dir", str(submission), "--format", "json"]
        course = {"GRADER_COURSE": str(folder / "course")}
        peers = {
            "container-structure-test": ["container-structure-test", "test", "--image", IMAGE, "--config",
                                         str(folder / "structure.json")],
            "dive": ["dive", "--ci", IMAGE],
            "hadolint": ["hadolint", str(submission / "Dockerfile")],
        }
        print(f"\nbeside peers on the same image ({RUNS} rounds, in turn, medians)")
        for name in [name for name in peers if not shutil.which(name)]:
            print(f"  {name:<28} skipped: it is not on PATH")
            del peers[name]
        try:
            seconds(ours, course)
            times = {name: [] for name in ["grader", *peers]}
            for _ in range(RUNS):
                times["grader"].append(seconds(ours, course))
                for name, command in peers.items():
                    # Their verdicts are their own; only their time counts here.
                    times[name].append(seconds(command, may_fail=True))
        finally:
            subprocess.run(["docker", "image", "rm", "--force", IMAGE], capture_output=True)
        for name, values in times.items():
            print(f"  {name:<28} {statistics.median(values):8.3f} s")
        if peers:
            total = sum(statistics.median(times[name]) for name in peers)
            ratio = total / statistics.median(times["grader"])
            print(f"  sum of the peers over the grader (goal: at least 5, with all three): {ratio:.1f}")


main()
