"""How much faster one core makes views than torchvision with Pillow.

    bazel run --config=parity //benchmarks:compare_loaders -- --data=FOLDER

Both sides read and decode the same images and make two MoCo v2 views of each. They take turns in one run; a ratio is
of two neighbouring turns, in CPU time, and the median, smallest and largest are told.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

import PIL
import torch
import torchvision
from PIL import Image, ImageFilter
from torchvision import transforms as T

TOTAL = "read, decode and two MoCo v2 views"  # loader_benchmark's line


def blur(image):
    """As moco/loader.py: a Gaussian of a deviation between 0.1 and 2."""
    return image.filter(ImageFilter.GaussianBlur(radius=torch.empty(1).uniform_(0.1, 2.0).item()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="loader_benchmark")
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--size", type=int, default=224, help="rows and columns of a view")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()

    torch.set_num_threads(1)
    view = T.Compose([
        T.RandomResizedCrop(args.size, scale=(0.2, 1.0)),
        T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8), T.RandomGrayscale(p=0.2),
        T.RandomApply([T.Lambda(blur)], p=0.5), T.RandomHorizontalFlip(), T.ToTensor(),
        T.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])])
    folder = os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", ""), args.data)
    paths = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    count = min(args.images, len(paths))
    paths = [paths[i * len(paths) // count] for i in range(count)]

    def theirs():
        begin = time.process_time()
        for path in paths:
            with open(path, "rb") as file:
                image = Image.open(file).convert("RGB")
            view(image), view(image)
        return count / (time.process_time() - begin)

    def ours():
        out = subprocess.run([args.program, f"--data={folder}", f"--size={args.size}", f"--images={count}",
                              "--seconds=0.2"], check=True, capture_output=True, text=True).stdout
        [rate] = [line.split()[0] for line in out.splitlines() if line.endswith(TOTAL)]
        return float(rate)

    theirs()  # what is loaded at first use
    pairs = [(ours(), theirs()) for _ in range(args.turns)]
    ratios = [a / b for a, b in pairs]
    print(f"{count} images to {args.size} px, one core: ours {statistics.median(a for a, _ in pairs):.0f} images/s; "
          f"torchvision {torchvision.__version__} with Pillow {PIL.__version__} "
          f"{statistics.median(b for _, b in pairs):.0f} images/s; ratio {statistics.median(ratios):.1f} "
          f"({min(ratios):.1f} to {max(ratios):.1f}, {args.turns} turns)")


if __name__ == "__main__":
    sys.exit(main())
