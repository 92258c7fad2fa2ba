#!/bin/bash
# OpenCV 4.12 multiplies the colours of an RGBA TIFF file of 8 bits by their alpha, also with IMREAD_UNCHANGED: (200, 100, 50)
# with alpha 128 becomes (100, 50, 25). It leaves the same picture as PNG, and TIFF of 16 bits, as it is. rasterio 1.4.4
# declares the fourth of four bands of 8 bits as alpha, so that OpenCV multiplies the red, green and blue of such an
# aerial picture by its near infrared.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pillow==13.0.0 opencv-python-headless==4.12.0.88 numpy==2.2.6 rasterio==1.4.4
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import warnings

import cv2
import numpy as np
import PIL
import rasterio
from PIL import Image

warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
pixel = (200, 100, 50, 128)
Image.new("RGBA", (8, 8), pixel).save("pillow.png")
Image.new("RGBA", (8, 8), pixel).save("pillow.tif")
for kind, options in (np.uint8, {}), (np.uint16, {"photometric": "RGB", "alpha": "YES"}):
    bands = np.repeat(np.array(pixel, kind), 64).reshape(4, 8, 8)
    with rasterio.open(f"rasterio-{kind.__name__}.tif", "w", driver="GTiff", width=8, height=8, count=4, dtype=kind,
                       **options) as file:
        file.write(bands)
        assert file.colorinterp[3] == rasterio.enums.ColorInterp.alpha
found = {}
for name in "pillow.png", "pillow.tif", "rasterio-uint8.tif", "rasterio-uint16.tif":
    blue, green, red, fourth = cv2.imread(name, cv2.IMREAD_UNCHANGED)[0, 0].tolist()
    found[name] = red, green, blue, fourth
print("OpenCV", cv2.__version__, "Pillow", PIL.__version__, "rasterio", rasterio.__version__, found)
assert found == {"pillow.png": pixel, "pillow.tif": (100, 50, 25, 128), "rasterio-uint8.tif": (100, 50, 25, 128),
                 "rasterio-uint16.tif": pixel}
PYTHON
