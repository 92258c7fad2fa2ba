#!/bin/bash
# SimpleITK 2.5.7: Resample(image, (2, 2)) does not make an image smaller: it cuts out a corner. It keeps neither the field of
# view nor the spacing of the image, but takes a spacing of 1 from the origin 0. Of an image of 4 x 4 pixels with spacing
# 1 there remain the first 2 x 2 pixels; with spacing 0.5, every second of all; and with spacing 4, four points in one pixel. So
# "thumbnails" of scans show a different part of each. Shrink keeps the field of view.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  simpleitk==2.5.7 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import SimpleITK as sitk

found = {}
for spacing in 1, 0.5, 4:
    image = sitk.GetImageFromArray(np.arange(16, dtype=np.uint8).reshape(4, 4) * 10)
    image.SetSpacing((spacing, spacing))
    found[spacing] = sitk.GetArrayFromImage(sitk.Resample(image, (2, 2), sitk.Transform(), sitk.sitkNearestNeighbor)).tolist()
shrunk = sitk.GetArrayFromImage(sitk.Shrink(image, (2, 2))).tolist()
print("SimpleITK", importlib.metadata.version("simpleitk"), "Resample to 2 x 2, by spacing:", found, "Shrink:", shrunk)
assert found == {1: [[0, 10], [40, 50]], 0.5: [[0, 20], [80, 100]], 4: [[0, 0], [0, 0]]}
assert shrunk == [[50, 70], [130, 150]]
PYTHON
