#!/bin/bash
# imantics 0.1.12: the box of a mask ends one pixel too early, on the right and below: it takes the last pixel's number for
# the end. An object of 8 x 8 pixels has a box of 7 x 7, which covers 77 % of it and fails the stricter thresholds of COCO's
# AP, and a line of one pixel, such as a wire, has a box without area in the exports to COCO and YOLO. pycocotools 2.0.11
# gives 8 x 8.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  imantics==0.1.12 pycocotools==2.0.11 opencv-python==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import imantics
import numpy as np
from pycocotools import mask

found = {}
for name, rows in ("square", slice(20, 28)), ("line", slice(20, 21)):
    pixels = np.zeros((100, 100), bool)
    pixels[rows, 20:28] = True
    image = imantics.Image(width=100, height=100)
    image.add(imantics.Mask(pixels), imantics.Category(name))
    (annotation,) = image.export("coco")["annotations"]
    right = mask.toBbox(mask.encode(np.asfortranarray(pixels, np.uint8))).tolist()
    found[name] = list(map(int, annotation["bbox"])), right, image.export("yolo")[0].split()[3:]
print("imantics", importlib.metadata.version("imantics"), "box in COCO, that of pycocotools, width and height in YOLO:", found)
assert found["square"] == ([20, 20, 7, 7], [20, 20, 8, 8], ["0.07000", "0.07000"])
assert found["line"] == ([20, 20, 7, 0], [20, 20, 8, 1], ["0.07000", "0.00000"])
PYTHON
