#!/bin/bash
# OpenCV 4.12: imread returns None for a TIFF file whose orientation turns it by a quarter (5 to 8), unless it is square;
# IMREAD_IGNORE_ORIENTATION does not help. imdecode of the same bytes, and imreadmulti, give the turned picture. So of a folder of
# scanned pictures the upright ones are missing.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pillow==13.0.0 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import os

os.environ["OPENCV_LOG_LEVEL"] = "OFF"
import cv2
import numpy as np
import PIL
from PIL import Image

sizes = {}
for orientation in 1, 3, 6, 8:
    Image.new("L", (30, 20)).save("a.tif", tiffinfo={0x112: orientation})
    many, pages = cv2.imreadmulti("a.tif", [], cv2.IMREAD_UNCHANGED)
    images = (cv2.imread("a.tif"), cv2.imread("a.tif", cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION),
              cv2.imdecode(np.fromfile("a.tif", np.uint8), cv2.IMREAD_COLOR), pages[0])
    sizes[orientation] = [None if image is None else image.shape[1::-1] for image in images]
print("OpenCV", cv2.__version__, "Pillow", PIL.__version__, "size by imread, imread without orientation, imdecode, imreadmulti, "
      "of 30 x 20 pixels with orientation:", sizes)
upright, turned = [(30, 20)] * 4, [None, None, (20, 30), (20, 30)]
assert sizes == {1: upright, 3: upright, 6: turned, 8: turned}
PYTHON
