#!/bin/bash
# tifffile 2026.3.3 writes a mask (an array of bool) as a TIFF file in which 0 means white. tifffile reads the file back as it
# was, but Pillow 13.0.0 and OpenCV 4.12 invert it, as the file says: the object becomes background, and the background object.
# The same mask as uint8 is the same in all three.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  tifffile==2026.3.3 pillow==13.0.0 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import cv2
import numpy as np
import PIL
import tifffile
from PIL import Image

mask = np.zeros((16, 16), bool)
mask[4:8, 4:8] = True  # the object: 16 of 256 pixels
found = {}
for kind, pixels in ("bool", mask), ("uint8", mask.astype(np.uint8) * 255):
    tifffile.imwrite("mask.tif", pixels)
    with tifffile.TiffFile("mask.tif") as file:
        photometric = file.pages[0].photometric.name
    found[kind] = (photometric, np.count_nonzero(tifffile.imread("mask.tif")), np.count_nonzero(Image.open("mask.tif")),
                   np.count_nonzero(cv2.imread("mask.tif", cv2.IMREAD_UNCHANGED)))
print("tifffile", tifffile.__version__, "Pillow", PIL.__version__, "OpenCV", cv2.__version__,
      "photometric interpretation, pixels of the object by tifffile, Pillow and OpenCV:", found)
assert found == {"bool": ("MINISWHITE", 16, 240, 240), "uint8": ("MINISBLACK", 16, 16, 16)}
PYTHON
