#!/bin/bash
# imageio 2.38.1 (with Pillow 12.3.0): a series of pictures that is written as GIF comes back shorter if neighbours are equal, as in a
# video that stands still or masks without a change: six frames of which 1 to 3, and 4 and 5, are equal are three. The numbers of
# the later frames change, so that labels by frame no longer fit. As TIFF, and as GIF of six different frames, all six come back.
# The merged frames are only longer, which an array does not show.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  imageio==2.38.1 tifffile==2025.10.16 pillow==12.3.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import imageio
import imageio.v3 as iio
import numpy as np

found = {}
for name, values in ("equal", (10, 10, 10, 200, 200, 30)), ("different", (10, 50, 90, 200, 240, 30)):
    frames = np.array(values, np.uint8)[:, None, None] + np.zeros((8, 8), np.uint8)
    for kind in "gif", "tif":
        iio.imwrite(f"a.{kind}", frames)
        found[name, kind] = [int(frame.ravel()[0]) for frame in iio.imread(f"a.{kind}", index=None)]
print("imageio", imageio.__version__, "first pixel of each frame:", found)
assert found["equal", "tif"] == [10, 10, 10, 200, 200, 30] and found["equal", "gif"] == [10, 200, 30]
assert found["different", "gif"] == found["different", "tif"] == [10, 50, 90, 200, 240, 30]
PYTHON
