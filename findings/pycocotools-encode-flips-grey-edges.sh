#!/bin/bash
# pycocotools 2.0.11: mask.encode takes each change of the value of a mask for a border between object and background, not
# only those from and to 0: 0 or 255 works, but in a mask with grey edges, as resizing with interpolation gives, the parts
# exchange their roles. Of a square of 100, 255, 100 down each column, the middle becomes background. Of a scaled square,
# whose edges have several greys, pixels all around are wrong, and so are area and the intersection over union with itself.
# decode gives a clean mask of 0 and 1, and nothing warns.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pycocotools==2.0.11 pillow==13.0.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
from PIL import Image
from pycocotools import mask


def decoded(values):
    return mask.decode(mask.encode(np.asfortranarray(values)))


column = np.array([[0, 100, 255, 255, 100, 0]], np.uint8).T
square = np.zeros((64, 64), np.uint8)
square[16:48, 16:48] = 255
small = np.asarray(Image.fromarray(square).resize((40, 40), Image.Resampling.BICUBIC))
wrong = {}
for name, values in ("0 or 255", np.where(small > 127, np.uint8(255), np.uint8(0))), ("grey edges", small):
    wrong[name] = [int((decoded(values) != (values > threshold)).sum()) for threshold in (0, 127)]
print("pycocotools", importlib.metadata.version("pycocotools"), "column", column[:, 0], "becomes", decoded(column)[:, 0],
      "pixels unlike those above 0 and above 127:", wrong)
assert decoded(column)[:, 0].tolist() == [0, 1, 0, 0, 1, 0]
assert wrong["0 or 255"] == [0, 0]
assert min(wrong["grey edges"]) > 20
PYTHON
