#!/bin/bash
# pyspng 0.1.4: a PNG file of 16 bits is read with an alpha channel that is not in the file: a grey one has the shape (4, 5, 2) and
# an RGB one (4, 5, 4), with 65,535 as alpha, whereas those of 8 bits have (4, 5) and (4, 5, 3). The documentation promises
# (height, width) for grey images. So a mean over all values is wrong, and a flattened depth map is twice as long.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pyspng==0.1.4 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import cv2
import numpy as np
import pyspng

found = {}
for dtype in "uint8", "uint16":
    for shape in (4, 5), (4, 5, 3):
        image = np.full(shape, 100, dtype)
        read = pyspng.load(cv2.imencode(".png", image)[1].tobytes())
        found[dtype, shape] = read.shape, str(read.dtype), float(read.mean())
print("pyspng", importlib.metadata.version("pyspng"), "type and shape as written: shape, type and mean as read:", found)
assert found == {("uint8", (4, 5)): ((4, 5), "uint8", 100), ("uint8", (4, 5, 3)): ((4, 5, 3), "uint8", 100),
                 ("uint16", (4, 5)): ((4, 5, 2), "uint16", (100 + 65535) / 2),
                 ("uint16", (4, 5, 3)): ((4, 5, 4), "uint16", (300 + 65535) / 4)}
PYTHON
