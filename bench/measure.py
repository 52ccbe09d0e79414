"""Times whole processes in turn and prints medians. Called by bench/run.sh.

usage: measure.py RUNS GRADER SUBMISSION
"""

import json
import resource
import statistics
import subprocess
import sys
import time

RUNS, GRADER, SUBMISSION = int(sys.argv[1]), sys.argv[2], sys.argv[3]
WARM = [GRADER, "check", "lesson36", "--offline", "--dir", SUBMISSION, "--format", "json"]
CHECK = [*WARM, "--fresh"]
LEAN = ["bench/lean36.sh", SUBMISSION]


def timed(command):
    """Seconds, CPU seconds of it and its children, and what it wrote. It must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    ended = subprocess.run(command, capture_output=True, text=True)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stdout}\n{ended.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, ended.stdout


def peak_memory(command):
    """The peak memory of the grader's own process in MB, without the docker commands that it starts:
    all of it, and what is not the program file, which Linux shares and can drop."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = {"VmRSS": 0.0, "RssAnon": 0.0}
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as status:
                for name, value in (line.split(":", 1) for line in status):
                    if name in peak:
                        peak[name] = max(peak[name], int(value.split()[0]) * 1024 / 1e6)
        except (FileNotFoundError, ProcessLookupError):
            break
        time.sleep(0.01)
    return peak["VmRSS"], peak["RssAnon"]


def median(values):
    return statistics.median(values)


def row(name, values, unit="s"):
    print(f"  {name:<44} {min(values):8.3f} {median(values):8.3f} {max(values):8.3f}  {unit}")


def main():
    # Once without counting: fills the build cache and the grader's memory of layers.
    timed(CHECK)
    timed(LEAN)
    pairs, first = [], []
    for number in range(RUNS):
        print(f"  pair {number + 1} of {RUNS}", file=sys.stderr)
        wall, cpu, report = timed(CHECK)
        checks = json.loads(report)["checks"]
        first.append(min(check["millis"] for check in checks if check["kind"] != "quiz") / 1000)
        pairs.append((wall, cpu, timed(LEAN)[0]))
    small = {name: [timed([GRADER, *words])[0] * 1000 for _ in range(max(RUNS, 20))] for name, words in
             {"grader --version": ["--version"], "grader list": ["list"]}.items()}
    warm = [timed(WARM)[0] * 1000 for _ in range(max(RUNS, 20))]
    peak, own = peak_memory(CHECK)
    print(f"\nmedians of {RUNS} pairs, in turn          {'':<2} {'min':>8} {'median':>8} {'max':>8}")
    row("grader check lesson36 (everything cached)", [wall for wall, _, _ in pairs])
    row("bench/lean36.sh, the same work", [lean for _, _, lean in pairs])
    row("ratio, pair by pair (goal: at most 0.7)", [wall / lean for wall, _, lean in pairs], "")
    row("time to the first verdict on a build", first)
    row("warm check, nothing changed (goal: under 100)", warm, "ms")
    row("CPU of grader and its docker commands", [cpu for _, cpu, _ in pairs])
    for name, values in small.items():
        row(f"{name} (goal: under 10)", values, "ms")
    print(f"  {'peak memory of grader check (goal: under 40)':<44} {'':>8} {peak:8.1f} {'':>8}  MB")
    print(f"  {'of that without the program file':<44} {'':>8} {own:8.1f} {'':>8}  MB")


main()
