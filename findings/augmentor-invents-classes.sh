#!/bin/bash
# Augmentor 0.2.12: rotate, zoom and shear interpolate the masks of ground_truth() as they do the photographs: a mask with the classes
# 0, 1 and 3 comes back with pixels of class 2 on the edges between 1 and 3 (and elsewhere between any two classes), and a mask of 0
# and 255 gets grey edges. rotate_random_90, which moves whole pixels, keeps the classes.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  Augmentor==0.2.12 pillow==12.3.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata
import os
import shutil

import Augmentor
import numpy as np
from PIL import Image

os.makedirs("images")
os.makedirs("masks")
mask = np.zeros((40, 40), np.uint8)
mask[10:30, 10:30] = 1
mask[15:25, 15:25] = 3
Image.fromarray(mask * 60).save("images/a.png")
Image.fromarray(mask).save("masks/a.png")
found = {}
for name, options in {"rotate": (10, 10), "zoom": (1.2, 1.5), "shear": (10, 10), "rotate_random_90": ()}.items():
    pipeline = Augmentor.Pipeline("images")
    pipeline.ground_truth("masks")
    pipeline.set_seed(0)
    getattr(pipeline, name)(1, *options)
    pipeline.sample(8)
    masks = [file.path for file in os.scandir("images/output") if "groundtruth" in file.name]
    assert len(masks) == 8
    found[name] = sorted({int(value) for path in masks for value in np.unique(np.asarray(Image.open(path)))})
    shutil.rmtree("images/output")
print("Augmentor", importlib.metadata.version("Augmentor"), "classes of a mask with 0, 1 and 3:", found)
assert found == {"rotate": [0, 1, 2, 3], "zoom": [0, 1, 2, 3], "shear": [0, 1, 2, 3], "rotate_random_90": [0, 1, 3]}
PYTHON
