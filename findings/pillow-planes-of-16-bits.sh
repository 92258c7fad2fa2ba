#!/bin/bash
# Pillow 13.0.0 takes the bytes of an uncompressed RGB TIFF of 16 bits, stored in planes, for pixels: the columns are low and
# high bytes in turn, and the right half of the image is missing. The same picture with deflate, or interleaved, has the
# upper 8 bits, as usual. tifffile, which wrote it, reads all three alike.
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
from PIL import Image

planes = np.empty((3, 4, 6), np.uint16)
planes[:] = np.array([0x1122, 0x3344, 0x5566], np.uint16)[:, None, None]
results = {}
for name, planar, compression in ("plain", "separate", None), ("deflate", "separate", "zlib"), ("interleaved", "contig", None):
    image = planes if planar == "separate" else np.moveaxis(planes, 0, 2)
    tifffile.imwrite("a.tif", image, photometric="rgb", planarconfig=planar, compression=compression)
    assert np.array_equal(tifffile.imread("a.tif"), image)
    with Image.open("a.tif") as im:
        results[name] = [bytes(pixel).hex() for pixel in np.asarray(im)[0]]
print("Pillow", Image.__version__, "first row:", results)
assert results == {"plain": ["224466", "113355"] * 3, "deflate": ["113355"] * 6, "interleaved": ["113355"] * 6}
PYTHON
