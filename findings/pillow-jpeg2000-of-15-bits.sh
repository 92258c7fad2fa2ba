#!/bin/bash
# Pillow 13.0.0 multiplies the values of a grey JPEG 2000 file of 9 to 15 bits so that they fill 16 bits: of 15 bits, as in
# the bands of Sentinel-2, a reflectance of 3,000 becomes 6,000. GDAL (rasterio 1.4.4, which writes the file here), OpenCV 4.12
# and imagecodecs give 3,000. So constants of normalisation or thresholds from one reader are wrong with the other.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pillow==13.0.0 opencv-python-headless==4.12.0.88 numpy==2.2.6 rasterio==1.4.4 imagecodecs==2026.3.6
cd "$work"
"$work/venv/bin/python" -W ignore - << 'PYTHON'
import cv2
import imagecodecs
import numpy as np
import rasterio
from PIL import Image

found = {}
for bits in 12, 15, 16:
    with rasterio.open("a.jp2", "w", driver="JP2OpenJPEG", width=64, height=64, count=1, dtype="uint16", NBITS=bits,
                       QUALITY=100, REVERSIBLE="YES") as file:
        file.write(np.full((64, 64), 3000, np.uint16), 1)
    with rasterio.open("a.jp2") as file:
        values = [file.read(1)]
    values += [cv2.imread("a.jp2", cv2.IMREAD_UNCHANGED), imagecodecs.imread("a.jp2"), np.asarray(Image.open("a.jp2"))]
    found[bits] = [int(value.max()) for value in values]
print("rasterio", rasterio.__version__, "OpenCV", cv2.__version__, "imagecodecs", imagecodecs.__version__, "Pillow",
      Image.__version__, "by bits:", found)
assert found == {12: [3000] * 3 + [48000], 15: [3000] * 3 + [6000], 16: [3000] * 4}
PYTHON
