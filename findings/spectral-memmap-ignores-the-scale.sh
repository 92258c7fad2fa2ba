#!/bin/bash
# spectral 0.25 (Spectral Python): the same ENVI file has other values by the way it is read, if its header has a "reflectance scale
# factor", as satellite products have: load(), read_band() and the indexing of the image divide by it, open_memmap() does not. A
# reflectance of 0.5 is 5,000 in the memory map. Nothing marks the difference; a model that was trained on the one sees values
# 10,000 times as large in the other.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  spectral==0.25 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import spectral
from spectral.io import envi

image = np.array([[[5000, 1000], [2500, 0]]], np.int16)
envi.save_image("a.hdr", image, metadata={"reflectance scale factor": 10000})
file = envi.open("a.hdr")
found = {"load": file.load()[0, 0].tolist(), "read_band": file.read_band(0)[0, :1].tolist(), "[0, 0]": file[0, 0].tolist(),
         "open_memmap": file.open_memmap()[0, 0].tolist()}
print("spectral", spectral.__version__, "first pixel:", found)
assert np.allclose(found["load"], [0.5, 0.1]) and np.allclose(found["read_band"], [0.5]) and np.allclose(found["[0, 0]"], [0.5, 0.1])
assert found["open_memmap"] == [5000, 1000]
PYTHON
