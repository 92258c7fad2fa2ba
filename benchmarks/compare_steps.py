"""How much faster a training step is than the official code's.

    bazel run --config=parity //benchmarks:compare_steps -- --moco=CLONE

The same LibTorch, the same batches, the same initial values. Before anything is timed the mathematics must agree: the
first 20 losses in float64, the first loss in the precision that is timed. Then both sides take turns in one run; a
ratio is of the median step of two neighbouring turns, and its median, smallest and largest are told.
"""

import argparse
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

# What the reference runs: as it is, but on a CPU; tuned by hand; compiled.
REFERENCES = {"official": [], "tuned": ["--channels_last"], "compiled": ["--channels_last", "--compile"]}


class Side:
    """A process that does steps when told to."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def steps(self, count):
        print(count, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.process.args[0]} stopped with exit code {self.process.wait()}")
        return json.loads(answer)

    def peak_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def largest_difference(ours, theirs):
    return max(abs(a - b) / abs(b) for a, b in zip(ours["losses"], theirs["losses"], strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="step_benchmark")
    parser.add_argument("official_step", help="official_step.py")
    parser.add_argument("python", help="with torch and torchvision")
    parser.add_argument("reference", help="reference.py of tests/parity")
    parser.add_argument("--moco", required=True, help="a clone of facebookresearch/moco with its commit 3402035")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--size", type=int, default=32, help="rows and columns of an image")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--moco-k", type=int, default=65536)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"),
                        help="of our side and of the tuned ones")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--references", nargs="+", default=["official", "tuned"], choices=REFERENCES)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--steps", type=int, default=6, help="of a turn")
    args = parser.parse_args()

    clone = os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", ""), args.moco)
    with tempfile.TemporaryDirectory() as code:
        builder = subprocess.run(["git", "-C", clone, "show", "3402035:moco/builder.py"], check=True,
                                 capture_output=True, text=True).stdout
        pathlib.Path(code, "official_builder.py").write_text(builder.replace(".cuda()", ""))
        common = ["--arch", args.arch, "--size", str(args.size), "--moco_k", str(args.moco_k), "--threads",
                  str(args.threads)]

        def ours(precision, batch_size):
            return Side([args.program, *common, "--precision", precision, "--batch_size", str(batch_size)])

        def theirs(precision, batch_size, options):
            folders = f"{code}:{pathlib.Path(args.reference).parent}"
            return Side([args.python, args.official_step, "--code", folders, *common, "--precision", precision,
                         "--batch_size", str(batch_size), *options])

        libraries = {sha256(os.path.realpath(line.split()[-1]))
                     for side in (ours("fp32", 2), theirs("fp32", 2, []))
                     for _ in [side.steps(1)]
                     for line in pathlib.Path(f"/proc/{side.process.pid}/maps").read_text().splitlines()
                     if line.endswith("/libtorch_cpu.so") and " r-xp " in line}
        if len(libraries) != 1:
            sys.exit(f"the two sides have different LibTorch: {libraries}")
        print(f"libtorch_cpu.so {libraries.pop()}; {args.threads} threads; load {os.getloadavg()[0]:.1f}")

        # Equal mathematics first. Small batches, which float64 makes slow.
        a, b = ours("fp64", 16), theirs("fp64", 16, [])
        difference = largest_difference(a.steps(20), b.steps(20))
        a.close(), b.close()
        print(f"20 losses in float64, batch 16: largest relative difference {difference:.1e}")
        if not difference < 1e-9:
            sys.exit("the two sides do not compute the same thing")

        for name in args.references:
            precision = "fp32" if name == "official" else args.precision
            a = ours(args.precision, args.batch_size)
            b = theirs(precision, args.batch_size, REFERENCES[name])
            first = largest_difference(a.steps(1), b.steps(1))
            if not first < (1e-5 if args.precision == "fp32" else 1e-2):
                sys.exit(f"{name}: the first losses differ by {first:.1e}")
            a.steps(3), b.steps(3)
            times = {a: [], b: []}
            for _ in range(args.turns):
                for side in (a, b):
                    times[side].append(statistics.median(side.steps(args.steps)["seconds"]))
            ratios = [y / x for x, y in zip(times[a], times[b])]
            rate = {side: args.batch_size / statistics.median(times[side]) for side in (a, b)}
            print(f"{args.arch}, {args.size} px, batch {args.batch_size}, K {args.moco_k}: ours {args.precision} "
                  f"{rate[a]:.1f} pairs/s, {a.peak_mb():.0f} MB; {name} {precision} {rate[b]:.1f} pairs/s, "
                  f"{b.peak_mb():.0f} MB; ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to "
                  f"{max(ratios):.2f}, {args.turns} turns of {args.steps} steps); first loss differs by {first:.1e}",
                  flush=True)
            a.close(), b.close()


if __name__ == "__main__":
    main()
