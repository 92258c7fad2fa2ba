"""Makes large photographs out of small ones, for measurements of what cameras write.

    python make_photographs.py IMAGES TARGET [--count N] [--megapixels M]        # Pillow

TARGET/0.jpg, 1.jpg, ...: mosaics of 4:3 of the images below IMAGES, each enlarged to 64 x 64 pixels, as JPEG files of
quality 92 with 4:2:0 chroma, as phones write them: 12 megapixels are about 4 MB.
"""

import argparse
import pathlib
import random

from PIL import Image

TILE = 64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--megapixels", type=float, default=12)
    args = parser.parse_args()
    files = sorted(args.images.rglob("*.jpg")) + sorted(args.images.rglob("*.png"))
    rng = random.Random(0)
    tiles = [Image.open(path).convert("RGB").resize((TILE, TILE), Image.Resampling.BICUBIC)
             for path in rng.sample(files, min(len(files), 1000))]
    args.target.mkdir(parents=True)
    rows = round((args.megapixels * 1e6 * 3 / 4) ** 0.5)
    cols = round(args.megapixels * 1e6 / rows)
    total = 0
    for i in range(args.count):
        picture = Image.new("RGB", (cols, rows))
        for top in range(0, rows, TILE):
            for left in range(0, cols, TILE):
                picture.paste(rng.choice(tiles), (left, top))
        path = args.target / f"{i}.jpg"
        picture.save(path, quality=92)
        total += path.stat().st_size
    print(f"{args.count} photographs of {cols} x {rows} pixels, {total / args.count / 1e6:.1f} MB each")


main()
