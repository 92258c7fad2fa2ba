#!/bin/bash
# CleanVision 0.3.7 reads a.tiff and leaves out a.tif, and a.bmp, without a word: of a folder with seven readable pictures it
# checks five. Duplicates and dark pictures among the others stay in the data set, and the report looks like a clean one.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  cleanvision==0.3.7 pillow==13.0.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata
import os

import numpy as np
from cleanvision import Imagelab
from PIL import Image

os.mkdir("data")
random = np.random.default_rng(0)
for ending in "jpg", "JPG", "png", "webp", "tiff", "tif", "bmp":
    Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(f"data/{ending}.{ending}")
found = sorted(os.path.basename(path) for path in Imagelab(data_path="data").issues.index)
print("CleanVision", importlib.metadata.version("cleanvision"), "reads", found, "of", sorted(os.listdir("data")))
assert found == ["JPG.JPG", "jpg.jpg", "png.png", "tiff.tiff", "webp.webp"]
PYTHON
