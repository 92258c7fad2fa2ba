#!/bin/bash
# Pillow 13.0.0 has the prefix of big-endian BigTIFF (MM, 0, 43) in its list, and does not identify such a file;
# tifffile, which wrote it, reads it. The same file in little-endian order is read.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install pillow==13.0.0 tifffile==2025.10.16 numpy==2.3.5
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
results = {}
for order in "<>":
    tifffile.imwrite("a.tif", pixels, bigtiff=True, byteorder=order, photometric="minisblack")
    assert open("a.tif", "rb").read(4) in TiffImagePlugin.PREFIXES
    assert np.array_equal(tifffile.imread("a.tif"), pixels)
    try:
        results[order] = np.array_equal(np.asarray(Image.open("a.tif")), pixels)
    except Exception as error:
        results[order] = type(error).__name__
print("Pillow", Image.__version__, "tifffile", tifffile.__version__, "BigTIFF by byte order:", results)
assert results == {"<": True, ">": "UnidentifiedImageError"}
PYTHON
