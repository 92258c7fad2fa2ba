#!/bin/bash
# tifffile 2026.3.3 with imagecodecs 2026.3.6 reads NaN in a TIFF file with LERC compression as 0, without a warning, although
# LERC without an error limit is lossless: heights or depths that are missing become sea level or the lens. LERC keeps NaN as a
# mask next to the values, and tifffile leaves out the mask. The files are right: rasterio 1.4.4 (GDAL) reads NaN from the same
# files, whether GDAL or tifffile wrote them. With other compressions, such as zstd, tifffile gives NaN.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  tifffile==2026.3.3 imagecodecs==2026.3.6 rasterio==1.4.4 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import rasterio
import tifffile
from rasterio.transform import from_origin

heights = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
heights[0, :3] = np.nan
tifffile.imwrite("tifffile.tif", heights, compression="lerc")
tifffile.imwrite("zstd.tif", heights, compression="zstd")
with rasterio.open("gdal.tif", "w", driver="GTiff", width=32, height=32, count=1, dtype="float32", compress="LERC",
                   transform=from_origin(0, 32, 1, 1)) as file:
    file.write(heights, 1)
found = {}
for name in "gdal.tif", "tifffile.tif", "zstd.tif":
    with rasterio.open(name) as file:
        for reader, read in ("tifffile", tifffile.imread(name)), ("rasterio", file.read(1)):
            assert (read[1:] == heights[1:]).all(), (name, reader)
            found[name, reader] = read[0, :3].tolist()
print("tifffile", tifffile.__version__, "rasterio", rasterio.__version__, "three pixels without a height:", found)
zeros = {key for key, read in found.items() if read == [0, 0, 0]}
assert zeros == {("gdal.tif", "tifffile"), ("tifffile.tif", "tifffile")}
assert all(np.isnan(read).all() for key, read in found.items() if key not in zeros)
PYTHON
