"""How much faster features are computed than by PyTorch in Python, or by an earlier build.

    bazel run --config=parity //benchmarks:compare_features -- --data=FOLDER
    bazel run --config=parity //benchmarks:compare_features -- --data=FOLDER --earlier=CLONE/bazel-bin/lincls/features

FOLDER has train/CLASS/* and val/CLASS/*, where train has more images. `features` runs as a user starts it; the Python side
is torchvision's network in evaluation mode without gradients, behind a DataLoader; with the same images, crops and untrained
encoder. Both write a .npy file of each part, and the features of val must agree within 1e-4 of their largest. The time of an
image is the difference between the two parts' times over that of their sizes, without the start. The sides take turns. A
ratio is that of two neighbouring turns; the median, the least and the most are told. --channels-last is the Python side
tuned; with --earlier the other side is that program, in float32, instead. --precision is that of our side; with bf16 the
features may differ by 0.1 of the largest.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torchvision
from torchvision import transforms as T

import compare_lincls
from compare_lincls import checkpoint, told

BATCH = 256
NORMALIZE = T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
PARTS = {"training": "train", "validation": "val"}  # of features --split


def extract(path, data, out, size, workers, channels_last):
    """The Python side, in a process of its own."""
    size, workers, channels_last = int(size), int(workers), channels_last == "True"
    saved = torch.load(path)
    model = torchvision.models.__dict__[saved["arch"]](num_classes=128)
    model.load_state_dict({name.removeprefix("module.encoder_q."): value for name, value in saved["state_dict"].items()})
    model.fc = torch.nn.Identity()
    model.eval()
    if channels_last:
        model.to(memory_format=torch.channels_last)
    views = T.Compose([T.Resize(size), T.CenterCrop(size), T.ToTensor(), NORMALIZE])
    loader = torch.utils.data.DataLoader(torchvision.datasets.ImageFolder(data, views), BATCH, num_workers=workers)
    with torch.no_grad():
        features = [model(x.to(memory_format=torch.channels_last) if channels_last else x) for x, _ in loader]
    np.save(out, torch.cat(features).numpy())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="features")
    parser.add_argument("python", help="with torch and torchvision")
    parser.add_argument("--data", required=True)
    parser.add_argument("--arch", default="resnet50", help="of torchvision")
    parser.add_argument("--size", type=int, default=96, help="rows and columns of a crop")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--earlier", help="`features` of an earlier build")
    parser.add_argument("--pretrained", help="checkpoint; default: an untrained network of --arch; only with --earlier")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    data = os.path.realpath(os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", ""), args.data))
    if args.pretrained and not args.earlier:
        sys.exit("--pretrained needs --earlier: the Python side knows torchvision's networks only")
    counts = [sum(len(files) for _, _, files in os.walk(f"{data}/{part}")) for part in PARTS.values()]
    if counts[0] <= counts[1]:
        sys.exit(f"{data}/train has {counts[0]} images, which are not more than the {counts[1]} of val")

    with tempfile.TemporaryDirectory() as folder:
        pretrained = args.pretrained and os.path.realpath(args.pretrained)
        if pretrained is None:
            pretrained = f"{folder}/pretrained.pth.tar"
            torch.save(checkpoint(args.arch), pretrained)
        views = f"resize:size={args.size}|center_crop:size={args.size}|{compare_lincls.NORMALIZE}"

        def run(side, split, out):
            command = [os.path.realpath(args.earlier if side else args.program), data, f"--pretrained={pretrained}",
                       f"--split={split}", f"--eval-views={views}", f"--workers={args.workers}", f"--out={out}"]
            if side == 0 and args.precision != "fp32":
                command.append(f"--precision={args.precision}")
            if side == 1 and not args.earlier:
                command = [os.path.realpath(args.python), __file__, "--extract", pretrained, f"{data}/{PARTS[split]}",
                           f"{out}.npy", str(args.size), str(args.workers), str(args.channels_last)]
            start = time.monotonic()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            return time.monotonic() - start

        def seconds(side):
            times = [run(side, split, f"{folder}/{side}-{split}-{time.monotonic_ns()}") for split in PARTS]
            return (times[0] - times[1]) / (counts[0] - counts[1])

        times = [(seconds(0), seconds(1)) for _ in range(args.turns)]
        patterns = ("0-validation-*/backbone*.npy", "1-validation-*/backbone*.npy" if args.earlier else "1-validation-*.npy")
        (ours, theirs) = (np.load(next(pathlib.Path(folder).glob(pattern))) for pattern in patterns)
        difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
        if not difference < (1e-4 if args.precision == "fp32" else 0.1):
            sys.exit(f"the features differ by {difference:.1e} of the largest")
    ratios = [b / a for a, b in times]
    a, b = ([1 / pair[side] for pair in times] for side in (0, 1))
    other = "the earlier build" if args.earlier else "Python in channels_last" if args.channels_last else "Python"
    print(f"{args.pretrained or args.arch}, {args.size} px, {args.workers} workers: ours in {args.precision} {told(a, 1)} images/s, {other} "
          f"{told(b, 1)}, ratio {told(ratios, 2)}, {args.turns} turns; "
          f"features differ by at most {difference:.1e} of the largest")


if __name__ == "__main__":
    extract(*sys.argv[2:]) if sys.argv[1] == "--extract" else main()
