"""How much faster an epoch of the linear classifier is than the official code's.

    bazel run --config=parity //benchmarks:compare_lincls -- --moco=CLONE --data=FOLDER

FOLDER has train/CLASS/* and val/CLASS/*. Both programs run as a user starts them, with the same images and a checkpoint of
the same untrained encoder, first for one epoch and then for three; half of the difference is the time of an epoch with its
validation, without the start. They take turns. A ratio is that of two neighbouring turns; the median, the least and the
most are told. The official main_lincls.py (3402035) runs unchanged, except that it stays on the CPU, that its crops have
--size pixels instead of 224 and its images for validation 8/7 of it, and that its accuracy reshapes what current PyTorch
refuses to view.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import torch
import torchvision

EPOCHS = (1, 3)
NORMALIZE = "to_tensor|normalize:mean=0.485 0.456 0.406,std=0.229 0.224 0.225"


def official_code(clone, size):
    code = subprocess.run(["git", "-C", clone, "show", "3402035:main_lincls.py"], check=True, capture_output=True,
                          text=True).stdout
    code = re.sub(r"\.cuda\([^()]*\)", "", code).replace("[:k].view(-1)", "[:k].reshape(-1)")
    return code.replace("Resize(256)", f"Resize({round(size * 8 / 7)})").replace("(224)", f"({size})")


def checkpoint(arch):
    """A file as main_moco.py writes it, as far as main_lincls.py reads it."""
    torch.manual_seed(0)
    encoder = torchvision.models.__dict__[arch](num_classes=128)
    return {"epoch": 0, "arch": arch,
            "state_dict": {f"module.encoder_q.{name}": value for name, value in encoder.state_dict().items()}}


def told(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="lincls")
    parser.add_argument("python", help="with torch and torchvision")
    parser.add_argument("--moco", required=True, help="a clone of facebookresearch/moco with its commit 3402035")
    parser.add_argument("--data", required=True)
    parser.add_argument("--arch", default="resnet50")
    parser.add_argument("--size", type=int, default=96, help="rows and columns of a crop")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    here = os.environ.get("BUILD_WORKING_DIRECTORY", "")
    data = os.path.realpath(os.path.join(here, args.data))

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "main_lincls.py").write_text(official_code(os.path.join(here, args.moco), args.size))
        torch.save(checkpoint(args.arch), folder / "pretrained.pth.tar")
        common = ["-a", args.arch, "--lr", "30", "--batch-size", str(args.batch_size), "--pretrained",
                  f"{folder}/pretrained.pth.tar", "--workers", str(args.workers)]
        views = f"--eval-views=resize:size={round(args.size * 8 / 7)}|center_crop:size={args.size}|{NORMALIZE}"
        sides = [[os.path.realpath(args.program), *common, views, "--run-dir"],
                 [os.path.realpath(args.python), "main_lincls.py", *common]]

        def epoch(side):
            seconds = []
            for epochs in EPOCHS:
                new = [f"{folder}/run{time.monotonic_ns()}"] if side == 0 else []
                start = time.monotonic()
                subprocess.run([*sides[side], *new, "--epochs", str(epochs), data], check=True, cwd=folder,
                               stdout=subprocess.DEVNULL)
                seconds.append(time.monotonic() - start)
            return (seconds[1] - seconds[0]) / (EPOCHS[1] - EPOCHS[0])

        times = [(epoch(0), epoch(1)) for _ in range(args.turns)]
    ours, theirs = zip(*times)
    print(f"{args.arch}, {args.size} px, batch {args.batch_size}, {args.workers} workers, an epoch with its validation: ours "
          f"{told(ours, 1)} s, official {told(theirs, 1)} s, ratio {told([b / a for a, b in times], 2)}, {args.turns} turns")


if __name__ == "__main__":
    main()
