#!/bin/bash
# rasterio 1.4.4: read(window=..., out_shape=...) of a window that sticks out of the raster gives an array of the full
# out_shape, without a warning: it cuts the window at the edge and stretches the rest. A chip of 4 x 4 pixels of which 2
# columns are inside comes back with each column twice, as though the ground were twice as wide. So a loader that cuts chips of
# one size has distorted ones along the right and lower edges, and their masks are distorted too. Without out_shape the chip is
# smaller, and boundless=True fills it up with nodata.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  rasterio==1.4.4 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

with rasterio.open("a.tif", "w", driver="GTiff", width=20, height=20, count=1, dtype="uint16",
                   transform=from_origin(0, 20, 1, 1)) as file:
    file.write(np.arange(400, dtype=np.uint16).reshape(1, 20, 20))
with rasterio.open("a.tif") as file:
    window = Window(18, 0, 4, 4)
    stretched = file.read(1, window=window, out_shape=(4, 4))
    cut = file.read(1, window=window)
    filled = file.read(1, window=window, out_shape=(4, 4), boundless=True)
print("rasterio", rasterio.__version__, "first row with out_shape:", stretched[0], "without:", cut[0], "boundless:", filled[0])
assert stretched.tolist()[0] == [18, 18, 19, 19] and stretched.shape == (4, 4)
assert cut.tolist()[0] == [18, 19] and filled.tolist()[0] == [18, 19, 0, 0]
PYTHON
