#!/bin/bash
# SimpleITK 2.5.7: ReadImage(name, sitkUInt8) of a file of 16 bits keeps the lower 8 bits of each pixel, without a warning: 255
# stays 255, 256 becomes 0, 300 becomes 44. Bright areas of an X-ray turn into bands of black to white, and label 256 becomes
# background. sitkInt16 makes 40,000 of the same file -25,536. It is an argument of the reader and reads like a request for 8
# bits, which would clamp or scale. RescaleIntensity scales.
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

Image.fromarray(np.array([[0, 255, 256, 300, 40000, 65535]], np.uint16)).save("a.png")
found = {kind: sitk.GetArrayFromImage(sitk.ReadImage("a.png", getattr(sitk, kind))).ravel().tolist()
         for kind in ("sitkUInt8", "sitkInt16", "sitkUInt16")}
print("SimpleITK", sitk.Version.VersionString(), found)
assert found["sitkUInt16"] == [0, 255, 256, 300, 40000, 65535]
assert found["sitkUInt8"] == [0, 255, 0, 44, 64, 255]
assert found["sitkInt16"] == [0, 255, 256, 300, -25536, -1]
PYTHON
