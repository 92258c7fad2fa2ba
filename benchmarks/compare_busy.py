"""How much slower a program of this repository becomes beside a program that keeps cores busy.

    python3 benchmarks/compare_busy.py bazel-bin/moco/pretrain -- --epochs=2

Runs the program with the arguments behind `--` alone and beside --busy loops in Python, in turns, each time with
--run-dir=FOLDER, which is new and removed. Prints, for each --environment, the median of the seconds of both and of the
ratio of neighbouring runs, with the least and the most: first as the user starts it, then with OMP_WAIT_POLICY=passive and
with GOMP_SPINCOUNT=300000, GCC's own setting, either of which ends base/short_spins.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time

ENVIRONMENTS = ["", "OMP_WAIT_POLICY=passive", "GOMP_SPINCOUNT=300000"]


@contextlib.contextmanager
def busy_cores(count):
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def seconds(command, setting, busy):
    with tempfile.TemporaryDirectory() as folder, busy_cores(busy):
        environment = dict(os.environ)
        if setting:
            name, value = setting.split("=")
            environment[name] = value
        start = time.monotonic()
        subprocess.run([*command, f"--run-dir={folder}/run"], check=True, stdout=subprocess.DEVNULL, env=environment)
        return time.monotonic() - start


def told(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--busy", type=int, default=1, help="cores that the other program keeps busy")
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args, arguments = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1:]
    command = [os.path.abspath(args.program), *arguments]

    times = {setting: [] for setting in ENVIRONMENTS}
    for _ in range(args.turns):
        for setting, pairs in times.items():
            pairs.append([seconds(command, setting, busy) for busy in (0, args.busy)])
    for setting, pairs in times.items():
        alone, beside = zip(*pairs)
        print(f"{setting or 'as it is':26} alone {told(alone, 1)} s, beside {told(beside, 1)} s, ratio "
              f"{told([b / a for a, b in pairs], 2)}")
    print(f"{args.turns} turns")


if __name__ == "__main__":
    main()
