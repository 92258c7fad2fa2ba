"""Makes a large data set of small PNG images out of photographs, in the form that docs/data.md calls numbered_png.

    python make_images.py PHOTOGRAPHS TARGET [--images N]        # Pillow

TARGET/unlabeled/0.png, 1.png, ...: of 96 x 96 pixels, 10 kB on average. Of each 256 files one is drawn from the
photographs, the others are copies of it: what is measured are folders and files, not pictures.
"""

import argparse
import io
import pathlib
import random

from PIL import Image

COPIES = 256


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=512_000)
    args = parser.parse_args()
    photographs = [Image.open(path).convert("RGB") for path in sorted(args.photographs.glob("*.jpg"))]
    folder = args.target / "unlabeled"
    folder.mkdir(parents=True)
    rng = random.Random(0)
    distinct = (args.images + COPIES - 1) // COPIES
    files = []
    for _ in range(distinct):
        photograph = rng.choice(photographs)
        size = min(photograph.size) // 2
        left, top = (rng.randrange(length - size) for length in photograph.size)
        crop = photograph.crop((left, top, left + size, top + size))
        png = io.BytesIO()
        crop.resize((40, 40), Image.Resampling.BICUBIC).resize((96, 96), Image.Resampling.BICUBIC).save(png, "PNG")
        files.append(png.getvalue())
    for i in range(args.images):
        (folder / f"{i}.png").write_bytes(files[i % distinct])
    print(f"{args.images} images, {sum(map(len, files)) / distinct / 1000:.1f} kB each")


main()
