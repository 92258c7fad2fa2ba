#!/bin/bash
# tifffile 2026.3.3 writes an image of five channels (rows x columns x channels) as one page for each row, of as many columns
# as there are channels: 64 x 48 x 5 becomes 64 pages of 5 x 48 pixels, without a warning. tifffile itself reads the image back; Pillow
# and OpenCV read the first row of the picture, turned. With three or four channels it is one page.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pillow==13.0.0 tifffile==2026.3.3 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" -W error - << 'PYTHON'
import cv2
import numpy as np
import tifffile
from PIL import Image

found = {}
for channels in 3, 4, 5:
    pixels = np.arange(64 * 48 * channels, dtype=np.uint16).reshape(64, 48, channels)
    tifffile.imwrite("a.tif", pixels)
    assert np.array_equal(tifffile.imread("a.tif"), pixels)
    with Image.open("a.tif") as image:
        found[channels] = image.size, image.n_frames, cv2.imread("a.tif", cv2.IMREAD_UNCHANGED).shape
        if channels == 5:
            assert np.array_equal(np.asarray(image), pixels[0])
print("tifffile", tifffile.__version__, "64 x 48 pixels, by channels: Pillow's size and pages, OpenCV's shape:", found)
assert found == {3: ((48, 64), 1, (64, 48, 3)), 4: ((48, 64), 1, (64, 48, 4)), 5: ((5, 48), 64, (48, 5))}
PYTHON
