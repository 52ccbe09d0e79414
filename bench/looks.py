"""What looking costs: twenty more read-only checks on the same stacks, and the grader's own CPU.

usage: looks.py RUNS GRADER SUBMISSION
Called by bench/run.sh from the course's folder.
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

RUNS, GRADER, SUBMISSION = int(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
LESSON = "exercises/lesson36-dev-vs-prod/lesson.toml"
TICKS = os.sysconf("SC_CLK_TCK")

# Five looks, four times each, at stacks that lesson 36 has started anyway.
LOOKS = [
    ("runs-as-non-root", 'stack = "prod", service = "payments", port = 3000, path = "/receipt", image = "production"'),
    ("limits-in-force", 'stack = "prod", service = "payments", memory_bytes = 536_870_912, cpus = 1.5'),
    ("log-rotation", 'stack = "prod", services = ["payments"]'),
    ("read-only-root", 'stack = "prod", service = "payments", refuse = ["/", "/etc"], allow = ["/tmp"]'),
    ("mount-keeps", 'stack = "dev", service = "payments", folder = "node_modules"'),
]


def course_with_more(folder):
    """A copy of the course whose lesson 36 has twenty more checks."""
    for name in ("exercises", "images", "book", "scripts"):
        shutil.copytree(name, folder / name)
    text = "\n".join(
        f'[[check]]\nid = "more-{kind}-{number}"\ntitle = "t"\nkind = "{kind}"\npoints = 1\nwhy = "w"\n'
        f'hints = ["1", "2", "3"]\nwith = {{ {parameters} }}\n'
        for number in range(4) for kind, parameters in LOOKS
    )
    with open(folder / LESSON, "a") as lesson:
        lesson.write("\n" + text)


def own_cpu(pid):
    """CPU seconds of the process itself, without the commands that it starts."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def graded(course):
    """Wall seconds, the grader's own CPU seconds, and how many checks passed."""
    command = [GRADER, "check", "lesson36", "--fresh", "--offline", "--dir", SUBMISSION, "--format", "json"]
    begun = time.monotonic()
    cpu = 0.0
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL,
                                   env={**os.environ, "GRADER_COURSE": str(course)})
        while process.poll() is None:
            try:
                cpu = own_cpu(process.pid)
            except (FileNotFoundError, ProcessLookupError, IndexError):
                pass
            time.sleep(0.02)
        wall = time.monotonic() - begun
        out.seek(0)
        report = json.load(out)
    not_passed = [check["id"] for check in report["checks"] if check.get("verdict", {}).get("result") != "pass"]
    if not_passed:
        sys.exit(f"these checks did not pass: {', '.join(not_passed)}")
    return wall, cpu, len(report["checks"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        more = pathlib.Path(folder) / "course"
        course_with_more(more)
        plain_course = os.getcwd()
        graded(more)
        plain, extra = [], []
        for _ in range(RUNS):
            plain.append(graded(plain_course))
            extra.append(graded(more))
    ratios = [b[0] / a[0] for a, b in zip(plain, extra)]
    shares = [cpu / wall * 100 for wall, cpu, _ in plain]
    print(f"\nlooking ({RUNS} pairs, in turn, medians)")
    print(f"  {plain[0][2]} checks of lesson 36                       {statistics.median(p[0] for p in plain):8.3f} s")
    print(f"  with {extra[0][2] - plain[0][2]} more read-only checks                {statistics.median(e[0] for e in extra):8.3f} s")
    print(f"  ratio, pair by pair (goal: under 1.10)      {statistics.median(ratios):8.3f}   ({min(ratios):.3f} to {max(ratios):.3f})")
    print(f"  the grader's own CPU, share of the wall time (goal: under 5 %) {statistics.median(shares):6.2f} %")


main()
