"""Makes a labelled data set of small PNG images out of photographs, in the form that docs/data.md calls numbered_png.

    python make_images.py PHOTOGRAPHS TARGET [--unlabeled N] [--labelled N] [--processes N]     # Pillow, PyTorch

PHOTOGRAPHS is a folder with at least 40 pictures in colour whose sides have 300 pixels or more, such as
/usr/share/doc/opencv-doc/examples of Debian. The result has 800 classes in a hierarchy:

    class = 20 * picture + 5 * quarter + cast

An image shows a part of its class's quarter of its class's picture in its class's cast of colours, and over up to a
third of it a part of any other picture. The same seed gives the same images, whatever the number of processes. If it was interrupted, the same command continues.

    TARGET/unlabeled/0.png, 1.png, ...      96 x 96 pixels, classes at random
    TARGET/{train,val}/0.png, 1.png, ...    as many of each class
    TARGET/{train,val}_label_tensor.pt      their classes, int64
    TARGET/unlabeled.npy                    the classes of the unlabelled images, which training never reads
"""

import argparse
import io
import multiprocessing
import pathlib
import random

import numpy as np
import torch
from PIL import Image

PICTURES, QUARTERS = 40, 4
# Neutral, warm, cold, green, pink.
CASTS = np.float32([(1, 1, 1), (1.15, 0.95, 0.7), (0.75, 0.95, 1.15), (0.95, 1.15, 0.8), (1.1, 0.8, 1.1)])
CLASSES = PICTURES * QUARTERS * len(CASTS)
SIZE = 96
SIDE = 300  # of a picture that serves

pictures = []


def read(folder):
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".png") or len(pictures) == PICTURES:
            continue
        picture = Image.open(path)
        if min(picture.size) >= SIDE and picture.mode == "RGB":
            picture.thumbnail((800, 800), Image.Resampling.LANCZOS)
            if np.ptp(np.asarray(picture, np.int16), axis=2).mean() > 8:  # colours, not greys
                pictures.append(picture)
    if len(pictures) < PICTURES:
        raise SystemExit(f"{folder} has {len(pictures)} pictures in colour of {SIDE} pixels or more; {PICTURES} are needed")


def part(rng, picture, box, share, size):
    """A random part of `box` in `picture` with `share` (least and most) of its shorter side, as `size` pixels."""
    left, top, right, bottom = box
    side = round(rng.uniform(*share) * min(right - left, bottom - top))
    x, y = (rng.randint(low, high - side) for low, high in ((left, right), (top, bottom)))
    return picture.resize(size, Image.Resampling.BICUBIC, (x, y, x + side, y + side))


def image(name, label):
    """The bytes of the PNG file `name`, of class `label`."""
    rng = random.Random(name)
    picture, quarter, cast = label // 20, label // 5 % QUARTERS, label % 5
    width, height = pictures[picture].size
    left, top = width // 2 * (quarter % 2), height // 2 * (quarter // 2)
    result = part(rng, pictures[picture], (left, top, left + width // 2, top + height // 2), (0.5, 1), (SIZE, SIZE))
    pixels = np.asarray(result, np.float32) * CASTS[cast] * rng.uniform(0.8, 1.1)
    result = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    other = pictures[rng.randrange(PICTURES)]
    cols, rows = rng.randint(16, 56), rng.randint(16, 56)
    cover = part(rng, other, (0, 0, *other.size), (0.2, 0.5), (cols, rows))
    result.paste(cover, (rng.randint(0, SIZE - cols), rng.randint(0, SIZE - rows)))
    file = io.BytesIO()
    result.save(file, "PNG")
    return file.getvalue()


def write(task):
    path, label = task
    if not path.exists():
        new = path.with_suffix(".new")
        new.write_bytes(image(f"{path.parent.name}/{path.name}", label))
        new.rename(path)
    return path.stat().st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--unlabeled", type=int, default=512_000, help="unlabelled images")
    parser.add_argument("--labelled", type=int, default=25_600, help="images to train and to validate with, each")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    args = parser.parse_args()
    read(args.photographs)
    rng = np.random.default_rng(0)
    labels = {"unlabeled": rng.integers(CLASSES, size=args.unlabeled)}
    for split in ("train", "val"):
        labels[split] = rng.permutation(np.arange(args.labelled) % CLASSES)
    tasks = []
    for split, classes in labels.items():
        (args.target / split).mkdir(parents=True, exist_ok=True)
        tasks += [(args.target / split / f"{i}.png", int(label)) for i, label in enumerate(classes)]
        if split == "unlabeled":
            np.save(args.target / "unlabeled.npy", classes)
        else:
            torch.save(torch.from_numpy(classes), args.target / f"{split}_label_tensor.pt")
    with multiprocessing.get_context("fork").Pool(args.processes) as pool:
        total = sum(pool.imap_unordered(write, tasks, chunksize=256))
    print(f"{len(tasks)} images of {CLASSES} classes, {total / len(tasks) / 1000:.1f} kB each")


main()
