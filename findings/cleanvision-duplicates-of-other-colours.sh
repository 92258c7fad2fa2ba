#!/bin/bash
# CleanVision 0.3.7 calls pictures with a palette exact duplicates if they have the same entries of different palettes: a
# picture in red and blue and the same one in yellow and black, such as one map in two scales of colours. It compares the
# numbers of the entries, not the colours. The same two pictures as RGB are no duplicates.
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

entries = np.random.default_rng(0).integers(0, 2, (64, 64), np.uint8)
palettes = {"a": [255, 0, 0, 0, 0, 255], "b": [255, 255, 0, 0, 0, 0]}
found = {}
for mode in "P", "RGB":
    os.mkdir(mode)
    for name, palette in palettes.items():
        image = Image.frombytes("P", (64, 64), entries.tobytes())
        image.putpalette(palette)
        image.convert(mode).save(f"{mode}/{name}.png")
    lab = Imagelab(data_path=mode)
    lab.find_issues({"exact_duplicates": {}}, n_jobs=1, verbose=False)
    found[mode] = [sorted(os.path.basename(path) for path in files) for files in lab.info["exact_duplicates"]["sets"]]
print("CleanVision", importlib.metadata.version("cleanvision"), "exact duplicates by mode:", found)
assert found == {"P": [["a.png", "b.png"]], "RGB": []}
PYTHON
