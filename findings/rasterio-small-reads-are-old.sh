#!/bin/bash
# rasterio 1.4.4 (GDAL 3.10.3): after the pixels of a GeoTIFF with overviews are written anew ("r+"), small reads (out_shape) still
# give the old picture, from the overviews, while full reads give the new one, without a warning. A loader that reads scenes at
# the size of the network never sees a correction, such as clouds that were masked.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  rasterio==1.4.4 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import warnings

import numpy as np
import rasterio
from rasterio.enums import Resampling

warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
with rasterio.open("a.tif", "w", driver="GTiff", width=512, height=512, count=1, dtype="uint8") as file:
    file.write(np.full((1, 512, 512), 200, np.uint8))
with rasterio.open("a.tif", "r+") as file:
    file.build_overviews([2, 4], Resampling.average)
with rasterio.open("a.tif", "r+") as file:
    file.write(np.full((1, 512, 512), 10, np.uint8))
found = {}
with rasterio.open("a.tif") as file:
    for size in 512, 400, 256, 128, 64:
        found[size] = np.unique(file.read(1, out_shape=(size, size), resampling=Resampling.average)).tolist()
print("rasterio", rasterio.__version__, "GDAL", rasterio.__gdal_version__, "values by size of the read:", found)
assert found == {512: [10], 400: [10], 256: [200], 128: [200], 64: [200]}
PYTHON
