"""Makes images of five channels and 12 bits out of photographs, for docs/recipes/many_channels.md.

    python make_channels.py DEMO FOLDER      # Pillow 13.0.0, tifffile 2025.10.16, numpy 2.3.5

DEMO: data/demo of this repository, photographs of 32 x 32 pixels in ten classes. FOLDER/train and FOLDER/val get their
training and test images as TIFF files of 16 bits, a folder for each class. The channels are five mixtures of red, green
and blue, as five filters would pass them, with the noise of a sensor; their values go from about 200 to 3,000 of 4,095,
the fifth only to 800.
"""

import pathlib
import sys
import tarfile

import numpy as np
import tifffile
from PIL import Image

FILTERS = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.3, 0.7], [0.3, 0.3, 0.4]])
BRIGHTEST = np.array([3000, 3000, 3000, 3000, 800])
DARK, NOISE = 200, 15


def main():
    demo, folder, rng = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), np.random.default_rng(0)
    for split, target in ("train", "train"), ("test", "val"):
        for archive in sorted((demo / split).glob("*.tar")):
            with tarfile.open(archive) as tar:
                for member in tar:
                    if not member.isfile():
                        continue
                    rgb = np.asarray(Image.open(tar.extractfile(member)).convert("RGB"), np.float64) / 255
                    values = DARK + rgb @ FILTERS.T * (BRIGHTEST - DARK)
                    values = np.clip(values + rng.normal(0, NOISE, values.shape), 0, 4095).astype(np.uint16)
                    path = (folder / target / member.name).with_suffix(".tif")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    tifffile.imwrite(path, np.moveaxis(values, 2, 0), photometric="minisblack", planarconfig="separate",
                                     compression="zlib")


main()
