"""Building the book beside plain mdBook on the same sources, in turn.

usage: book.py RUNS GRADER PLAIN
Called by bench/run.sh from the course's folder. Whole processes; both use the same mdBook crates.
"""

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

RUNS, GRADER, PLAIN = int(sys.argv[1]), os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])


def cost(command):
    """Wall seconds and CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def served():
    """Wall seconds until `grader serve` has built the book and says where it is."""
    begun = time.monotonic()
    server = subprocess.Popen([GRADER, "serve", "--no-open", "--port", "0"], stdout=subprocess.PIPE)
    for line in server.stdout:
        if b"http://" in line:
            break
    wall = time.monotonic() - begun
    server.send_signal(signal.SIGINT)
    server.communicate()
    return wall


def row(name, pairs, unit):
    ours, plain = (statistics.median(values) for values in zip(*pairs))
    ratios = [a / b for a, b in pairs]
    print(f"  {name:<44} {ours:8.3f} {plain:8.3f} {statistics.median(ratios):8.3f}   ({min(ratios):.3f} to {max(ratios):.3f})  {unit}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        ours = [GRADER, "book", "build", "--out", f"{folder}/ours"]
        plain = [PLAIN, ".", f"{folder}/plain"]
        cost(ours)
        cost(plain)
        served()
        rounds = [(cost(ours), served(), cost(plain)) for _ in range(max(RUNS, 20))]
    print(f"\nbuilding the book ({len(rounds)} rounds, in turn, medians)  {'':>5}{'ours':>8} {'plain':>8} {'ratio':>8}   (goal: at most 1.2)")
    row("grader book build: wall time", [(ours[0], plain[0]) for ours, _, plain in rounds], "s")
    row("grader book build: CPU time", [(ours[1], plain[1]) for ours, _, plain in rounds], "s")
    row("grader serve, until it says where: wall time", [(served, plain[0]) for _, served, plain in rounds], "s")


main()
