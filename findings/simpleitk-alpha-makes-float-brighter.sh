#!/bin/bash
# SimpleITK 2.5.7: ReadImage(name, sitkFloat32), which turns a colour picture into grey, multiplies the grey values by the
# alpha channel and does not divide by 255: a grey of 117.6 is 117.6 in an RGB file and 29,999 in an RGBA file of the same,
# opaque picture. With sitkUInt8 both give 117. So in a folder of PNG files, those that were saved with alpha are 255 times as
# bright, and a mean or maximum over the data set is that of a few files.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  simpleitk==2.5.7 numpy==2.4.6 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import SimpleITK as sitk
from PIL import Image

pixels = np.full((2, 2, 3), (200, 100, 50), np.uint8)
Image.fromarray(pixels).save("rgb.png")
Image.fromarray(np.dstack([pixels, np.full((2, 2), 255, np.uint8)])).save("rgba.png")
found = {(name, kind): round(float(sitk.GetArrayFromImage(sitk.ReadImage(name, getattr(sitk, kind)))[0, 0]), 1)
         for name in ("rgb.png", "rgba.png") for kind in ("sitkUInt8", "sitkFloat32")}
print("SimpleITK", sitk.Version.VersionString(), found)
assert found["rgb.png", "sitkUInt8"] == found["rgba.png", "sitkUInt8"] == 117
assert found["rgb.png", "sitkFloat32"] == 117.6
assert abs(found["rgba.png", "sitkFloat32"] - 117.645 * 255) < 0.1
PYTHON
