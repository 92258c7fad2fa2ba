#!/bin/bash
# Whether a grey TIFF file in which 0 means white (as from scanners of films and X-rays) is inverted on reading depends on its
# bits, the reader and its flags: Pillow 13.0.0 and OpenCV 4.12 (IMREAD_UNCHANGED) invert 8 bits and leave 16 bits as they are,
# OpenCV inverts 16 bits with IMREAD_COLOR, and tifffile 2026.3.3 inverts nothing. So one data set of both depths has
# negatives among its positives.
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

found = {}
for kind, largest in (np.uint8, 255), (np.uint16, 65535):
    tifffile.imwrite("a.tif", np.array([[0, largest]], kind), photometric="miniswhite")
    readers = {
        "tifffile": tifffile.imread("a.tif"),
        "Pillow": np.asarray(Image.open("a.tif")),
        "OpenCV, unchanged": cv2.imread("a.tif", cv2.IMREAD_UNCHANGED),
        "OpenCV, colour": cv2.imread("a.tif", cv2.IMREAD_COLOR)[..., 0],
    }
    for name, pixels in readers.items():
        found.setdefault(name, {})[kind.__name__] = "inverted" if pixels[0, 0] > pixels[0, 1] else "as stored"
print("tifffile", tifffile.__version__, "Pillow", PIL.__version__, "OpenCV", cv2.__version__, found)
assert found == {
    "tifffile": {"uint8": "as stored", "uint16": "as stored"},
    "Pillow": {"uint8": "inverted", "uint16": "as stored"},
    "OpenCV, unchanged": {"uint8": "inverted", "uint16": "as stored"},
    "OpenCV, colour": {"uint8": "inverted", "uint16": "inverted"},
}
PYTHON
