#!/bin/bash
# rasterio 1.4.4: merge(method="first") of label rasters without a nodata value takes class 0 for missing data: where the first
# raster says 0 (background) and the second 3, the result is 3, and the second raster wins although the first is there. For all
# other classes the first one wins. With a nodata value that no pixel has (nodata=255), class 0 wins as well. So the seams of a
# mosaic of masks lose background, and only there.
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
from rasterio.merge import merge
from rasterio.transform import from_origin


def write(name, value, left):
    with rasterio.open(name, "w", driver="GTiff", width=4, height=1, count=1, dtype="uint8", crs="EPSG:32633",
                       transform=from_origin(left, 1, 1, 1)) as file:
        file.write(np.full((1, 1, 4), value, np.uint8))


def merged(first, **options):
    write("a.tif", first, 0)
    write("b.tif", 3, 2)
    return merge(["a.tif", "b.tif"], method="first", **options)[0].ravel().tolist()


found = {"first raster 0": merged(0), "first raster 1": merged(1), "first raster 0, nodata=255": merged(0, nodata=255)}
print("rasterio", rasterio.__version__, "first raster in columns 0 to 3, second of class 3 in columns 2 to 5:", found)
assert found["first raster 0"] == [0, 0, 3, 3, 3, 3]
assert found["first raster 1"] == [1, 1, 1, 1, 3, 3]
assert found["first raster 0, nodata=255"] == [0, 0, 0, 0, 3, 3]
PYTHON
