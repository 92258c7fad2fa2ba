#!/bin/bash
# mahotas 1.4.19: dilate and erode of a grey image, or of a mask stored as 0 and 1 in uint8, change its values, as they add the ones
# of the structuring element (and subtract them): an image that is 100 everywhere is 101 after dilate and 99 after erode, a mask
# of 1 becomes 2, and erode of a mask is 0 everywhere, so that the object is gone. Bool masks, and SciPy's grey_dilation and
# grey_erosion with a footprint, keep the values.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  mahotas==1.4.19 scipy==1.17.1 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import mahotas
import numpy as np
from scipy import ndimage

cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
grey = np.full((9, 9), 100, np.uint8)
mask = np.zeros((9, 9), np.uint8)
mask[2:7, 2:7] = 1
found = {"grey": (int(mahotas.dilate(grey)[4, 4]), int(mahotas.erode(grey)[4, 4])),
         "grey, SciPy": (int(ndimage.grey_dilation(grey, footprint=cross)[4, 4]), int(ndimage.grey_erosion(grey, footprint=cross)[4, 4])),
         "mask": (int(mahotas.dilate(mask).max()), int(mahotas.erode(mask).max())),
         "bool mask": (int(mahotas.dilate(mask > 0).max()), int(mahotas.erode(mask > 0).max()))}
print("mahotas", mahotas.__version__, "value after dilate, after erode:", found)
assert found == {"grey": (101, 99), "grey, SciPy": (100, 100), "mask": (2, 0), "bool mask": (1, 1)}
PYTHON
