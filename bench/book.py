"""Building the book beside plain mdBook on the same sources, in turn.

usage: book.py RUNS GRADER PLAIN
Called by bench/run.sh from the course's folder. Whole processes; both use the same mdBook crates.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS, GRADER, PLAIN = int(sys.argv[1]), os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])


def seconds(command):
    begun = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - begun


def main():
    with tempfile.TemporaryDirectory() as folder:
        ours = [GRADER, "book", "build", "--out", f"{folder}/ours"]
        plain = [PLAIN, ".", f"{folder}/plain"]
        seconds(ours)
        seconds(plain)
        pairs = [(seconds(ours), seconds(plain)) for _ in range(max(RUNS, 10))]
    ratios = [a / b for a, b in pairs]
    print(f"\nbuilding the book ({len(pairs)} pairs, in turn, medians)")
    print(f"  grader book build                             {statistics.median(a for a, _ in pairs):8.3f} s")
    print(f"  plain mdBook                                  {statistics.median(b for _, b in pairs):8.3f} s")
    print(f"  ratio, pair by pair (goal: at most 1.2)       {statistics.median(ratios):8.3f}   ({min(ratios):.3f} to {max(ratios):.3f})")


main()
