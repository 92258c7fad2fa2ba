"""The first steps of a run of pretraining beside those of the official program, on the same files.

    bazel run --config=parity //benchmarks:compare_pretrain -- --moco=CLONE --images=FOLDER --arch=resnet18 --size=96

FOLDER has images directly in it. Both programs run as a user starts them, one after the other, for --steps steps of MoCo
v2. Reported are the time to the first step; the rate after a third of the steps; the share of that time in which a step waits
for images; and the largest memory of the process with its workers (PSS, what several share counted once). The official
main_moco.py (3402035) runs unchanged, except that it stays on the CPU, in a group of one process over Gloo, that its crops
have --size pixels instead of 224, that --arch is a spec of tests/parity/reference.py, and that its accuracy reshapes what
current PyTorch refuses to view.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time


def official_code(clone, folder, size):
    """Writes main_moco.py and the package moco."""
    (folder / "moco").mkdir()
    for name in ("main_moco.py", "moco/__init__.py", "moco/builder.py", "moco/loader.py"):
        code = subprocess.run(["git", "-C", clone, "show", f"3402035:{name}"], check=True, capture_output=True,
                              text=True).stdout
        code = re.sub(r"\.cuda\([^()]*\)", "", code).replace("(224,", f"({size},")
        code = code.replace("[:k].view(-1)", "[:k].reshape(-1)")
        code = code.replace("args.world_size > 1 or args.multiprocessing_distributed", "True")
        code = code.replace("    choices=model_names,\n", "")
        code = code.replace("models.__dict__[args.arch]", "backbone")
        code = code.replace("    # create model\n", "    import functools, reference\n    backbone = functools.partial("
                            "reference.backbone(args.arch), norm_layer=nn.BatchNorm2d)\n", 1)
        (folder / name).write_text(code)


def memory(process):
    """MB of a process and its descendants, shared pages counted once."""
    total, left = 0, [process]
    while left:
        process = left.pop()
        try:
            for task in pathlib.Path(f"/proc/{process}/task").iterdir():
                left += (task / "children").read_text().split()
            rollup = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
            total += int(rollup.split("\nPss:")[1].split()[0]) / 1000
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


class Run:
    """A program that is stopped after some steps. `rows` has (step, seconds since the start, share of waiting)."""

    def __init__(self, command, folder, steps, rows_of):
        self.rows, self.peak_mb = [], 0
        start = time.monotonic()
        with open(folder / "said", "w") as said:
            process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        while process.poll() is None and (not self.rows or self.rows[-1][0] < steps):
            time.sleep(0.5)
            now = time.monotonic() - start
            self.peak_mb = max(self.peak_mb, memory(process.pid))
            for step, waiting in rows_of()[len(self.rows):]:
                self.rows.append((step, now, waiting))
        if process.poll() is not None:
            raise SystemExit((folder / "said").read_text()[-3000:])
        process.send_signal(signal.SIGINT)
        process.wait()

    def told(self, steps, batch):
        late = [row for row in self.rows if row[0] >= steps / 3]
        rate = (late[-1][0] - late[0][0]) * batch / (late[-1][1] - late[0][1])
        waiting = sum(row[2] for row in late[1:]) / len(late[1:])
        return {"seconds_to_first_step": round(self.rows[0][1], 1), "pairs_per_second": round(rate, 1),
                "waiting": round(waiting, 4), "peak_mb": round(self.peak_mb)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="pretrain")
    parser.add_argument("python", help="with torch and torchvision")
    parser.add_argument("reference", help="reference.py of tests/parity")
    parser.add_argument("--moco", required=True, help="a clone of facebookresearch/moco with its commit 3402035")
    parser.add_argument("--images", required=True)
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--size", type=int, default=96, help="rows and columns of a crop")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--precisions", nargs="*", default=["fp32", "bf16"], help="of ours; the official code has fp32")
    args = parser.parse_args()
    here = os.environ.get("BUILD_WORKING_DIRECTORY", "")
    images = os.path.realpath(os.path.join(here, args.images))

    common = ["-a", args.arch, "-b", str(args.batch_size), "-j", str(args.workers), "-p", "10", "--lr", "0.06", "--mlp",
              "--moco-t", "0.2", "--aug-plus", "--cos", "--epochs", "200"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        official_code(os.path.join(here, args.moco), folder, args.size)
        (folder / "reference.py").symlink_to(os.path.realpath(args.reference))
        (folder / "data/train").mkdir(parents=True)
        (folder / "data/train/all").symlink_to(images)

        def official_rows():
            lines = re.findall(r"\[ *(\d+)/\d+\]\tTime +([\d.]+) .*?\tData +([\d.]+) ", (folder / "said").read_text())
            return [(int(step) + 1, float(data) / float(step_time)) for step, step_time, data in lines]

        def our_rows():
            try:
                lines = (folder / "run/metrics.jsonl").read_text().split("\n")[:-1]
            except FileNotFoundError:
                return []
            return [(line["step"], line["waiting"]) for line in map(json.loads, lines) if "waiting" in line]

        for precision in args.precisions:
            run = Run([os.path.realpath(args.program), images, *common, "--image-size", str(args.size), "--run-dir",
                       str(folder / "run"), "--precision", precision, "--monitor-every", "0"], folder, args.steps, our_rows)
            print(json.dumps({"side": f"ours, {precision}", **run.told(args.steps, args.batch_size)}), flush=True)
            (folder / "run").rename(folder / f"run_{precision}")
        run = Run([os.path.realpath(args.python), "-u", "main_moco.py", *common, "--world-size", "1", "--rank", "0",
                   "--dist-backend", "gloo", "--dist-url", f"file://{folder}/group", "data"], folder, args.steps,
                  official_rows)
        print(json.dumps({"side": "official, fp32", **run.told(args.steps, args.batch_size)}), flush=True)


if __name__ == "__main__":
    main()
