#!/bin/bash
# tifffile 2026.3.3: imread of a TIFF file whose pages differ in size gives only the pages with the shape of the first one,
# without a warning: of three scanned pages of 16, 20, and 16 rows it returns the first and the third, as a stack of two. The
# third page now has index 1, so that labels by page number are off by one. Files that are written page by page with
# append=True lose more: imread returns the first page alone, even if all pages have the same shape. Pillow reads all pages. In
# tifffile, TiffFile(...).pages has all.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  tifffile==2026.3.3 numpy==2.4.6 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import PIL
import tifffile
from PIL import Image, ImageSequence

pages = [Image.fromarray(np.full((rows, 16), value, np.uint8)) for value, rows in enumerate((16, 20, 16))]
pages[0].save("scans.tif", save_all=True, append_images=pages[1:])
for value in range(3):
    tifffile.imwrite("appended.tif", np.full((16, 16), value, np.uint8), append=True)


def values(name):
    with Image.open(name) as image:
        with_pillow = [int(np.asarray(page)[0, 0]) for page in ImageSequence.Iterator(image)]
    read = tifffile.imread(name)
    with tifffile.TiffFile(name) as file:
        of_pages = [int(page.asarray()[0, 0]) for page in file.pages]
    return read.shape, read[..., 0, 0].ravel().tolist(), of_pages, with_pillow


scans, appended = values("scans.tif"), values("appended.tif")
print("tifffile", tifffile.__version__, "Pillow", PIL.__version__)
print("shape and pages of imread, pages of TiffFile.pages, pages of Pillow; three sizes:", scans, "append=True:", appended)
assert scans == ((2, 16, 16), [0, 2], [0, 1, 2], [0, 1, 2])
assert appended == ((16, 16), [0], [0, 1, 2], [0, 1, 2])
PYTHON
