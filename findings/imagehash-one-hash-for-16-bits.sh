#!/bin/bash
# ImageHash 4.3.2 with Pillow 13.0.0: different grey pictures of 16 bits (such as X-rays) have the same hash, so that a search for
# duplicates finds that all of them are one. The hashes convert to 8 bits with convert("L"), which cuts off all values above
# 255 and leaves a white picture. The same pictures, scaled to 8 bits before, have different hashes.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  ImageHash==4.3.2 pillow==13.0.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import imagehash
import numpy as np
import PIL
from PIL import Image

random = np.random.default_rng(0)
found = {}
for function in imagehash.average_hash, imagehash.dhash, imagehash.phash:
    hashes = {"16 bits": set(), "8 bits": set()}
    for number in range(20):
        pixels = np.asarray(Image.fromarray(random.integers(0, 256, (8, 8), np.uint8)).resize((128, 128)), np.uint16) * 200 + 1000
        Image.fromarray(pixels).save("a.png")
        with Image.open("a.png") as image:
            assert image.mode == "I;16"
            hashes["16 bits"].add(str(function(image)))
        hashes["8 bits"].add(str(function(Image.fromarray((pixels >> 8).astype(np.uint8)))))
    found[function.__name__] = {bits: len(values) for bits, values in hashes.items()}
print("ImageHash", importlib.metadata.version("ImageHash"), "Pillow", PIL.__version__, "different hashes of 20 pictures:", found)
assert all(count == {"16 bits": 1, "8 bits": 20} for count in found.values())
PYTHON
