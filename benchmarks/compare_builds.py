"""How much faster a program of this repository is in one build than in another.

    python3 benchmarks/compare_builds.py OLD NEW -- --data=FOLDER --size=96

OLD and NEW are clones in which `bazel build //benchmarks:loader_benchmark` (or --target) has run. Both programs get the
arguments behind `--`, and take turns in one run. Of each line that begins with a rate ("2716 images/s ..."), the ratio
of neighbouring turns, new over old, is told: the median, with the smallest and the largest in brackets.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys

RATE = re.compile(r"^\s*([\d.]+) (\w+/s)\s+(?:[\d.]+ us\s+)?(.*)$")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=pathlib.Path, help="clone with the earlier build")
    parser.add_argument("new", type=pathlib.Path, help="clone with the later build")
    parser.add_argument("--target", default="//benchmarks:loader_benchmark")
    parser.add_argument("--turns", type=int, default=5)
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args, arguments = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1:]
    program = pathlib.Path("bazel-bin", args.target.lstrip("/").replace(":", "/"))

    def rates(clone):
        out = subprocess.run([clone / program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
        found = [match for line in out.splitlines() if (match := RATE.match(line))]
        return {f"{what} ({unit})": float(rate) for rate, unit, what in (match.groups() for match in found)}

    turns = [(rates(args.old), rates(args.new)) for _ in range(args.turns)]
    for what in turns[0][0]:
        if any(what not in side for turn in turns for side in turn):
            continue  # not in both programs
        old, new = ([turn[side][what] for turn in turns] for side in (0, 1))
        ratios = [b / a for a, b in zip(old, new)]
        print(f"{statistics.median(ratios):6.2f} ({min(ratios):.2f} to {max(ratios):.2f})  {statistics.median(old):9.0f} -> "
              f"{statistics.median(new):9.0f}  {what}")
    print(f"{args.turns} turns")


if __name__ == "__main__":
    sys.exit(main())
