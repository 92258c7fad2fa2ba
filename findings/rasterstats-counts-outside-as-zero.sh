#!/bin/bash
# rasterstats 0.21.0: if a polygon reaches beyond a raster file that has no nodata value, zonal_stats counts the area outside
# as pixels of value 0: of a raster of 7 everywhere, a polygon that lies half inside has twice as many pixels, the mean 3.5,
# and the minimum 0. A warning says that nodata is set to -999, but the outside is filled with 0, and with nodata=-999 as an
# argument, too. If the file has a nodata value, or the pixels are given as an array, the mean is 7. So the features of fields
# at the edge of a scene are too dark.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  rasterstats==0.21.0 rasterio==1.4.4 numpy==2.4.6 shapely==2.2.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterstats import zonal_stats

pixels, transform = np.full((10, 10), 7, np.float32), from_origin(0, 10, 1, 1)
for name, nodata in ("plain.tif", None), ("nodata.tif", -999):
    with rasterio.open(name, "w", driver="GTiff", width=10, height=10, count=1, dtype="float32", transform=transform,
                       nodata=nodata) as file:
        file.write(pixels, 1)


def stats(raster, right, **options):
    corners = [[0, 0], [right, 0], [right, 10], [0, 10], [0, 0]]
    found = zonal_stats({"type": "Polygon", "coordinates": [corners]}, raster, stats="count mean min", **options)[0]
    return found["count"], found["mean"], found["min"]


found = {"inside": stats("plain.tif", 10), "half outside": stats("plain.tif", 20),
         "half outside, nodata=-999": stats("plain.tif", 20, nodata=-999), "half outside, file with nodata": stats("nodata.tif", 20),
         "half outside, array": stats(pixels, 20, affine=transform, nodata=-999)}
print("rasterstats", importlib.metadata.version("rasterstats"), "count, mean, minimum:", found)
assert found["half outside"] == found["half outside, nodata=-999"] == (200, 3.5, 0)
assert found["inside"] == found["half outside, file with nodata"] == found["half outside, array"] == (100, 7, 7)
PYTHON
