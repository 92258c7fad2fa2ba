#!/bin/bash
# scikit-image 0.26.0: io.imread takes the pages of a grey TIFF stack for colours if there are three or four of them, and moves
# them to the end: 3 pages of 20 x 30 pixels become one picture of shape (20, 30, 3), 4 pages (20, 30, 4). Stacks of 2 and of 5
# pages stay (2, 20, 30) and (5, 20, 30). So in a set of volumes the short ones are turned, and their slices mixed into
# channels.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  scikit-image==0.26.0 tifffile==2026.3.3 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import skimage.io
import tifffile

shapes = {}
for pages in 2, 3, 4, 5:
    stack = np.arange(pages * 20 * 30, dtype=np.uint16).reshape(pages, 20, 30)
    tifffile.imwrite("a.tif", stack, photometric="minisblack")
    with tifffile.TiffFile("a.tif") as file:
        assert len(file.pages) == pages
    image = skimage.io.imread("a.tif")
    assert np.array_equal(image, np.moveaxis(stack, 0, -1) if pages in (3, 4) else stack)
    shapes[pages] = image.shape
print("scikit-image", skimage.__version__, "tifffile", tifffile.__version__, "shape by pages:", shapes)
assert shapes == {2: (2, 20, 30), 3: (20, 30, 3), 4: (20, 30, 4), 5: (5, 20, 30)}
PYTHON
