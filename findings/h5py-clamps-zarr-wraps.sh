#!/bin/bash
# Writing numbers that do not fit into an array of 8 bits gives other pixels in HDF5 than in Zarr, both without a word: h5py
# 3.16.0 clamps them (300 becomes 255 and -5 becomes 0), zarr 3.1.6 wraps them as NumPy's astype does (44 and 251). So when a
# pipeline moves from the one to the other, the brightest pixels of its images become dark, and the darkest bright.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  zarr==3.1.6 h5py==3.16.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import h5py
import numpy as np
import zarr

found = {}
for kind in np.int32, np.float32:
    pixels = np.array([300, -5, 255, 7], kind)
    with h5py.File("a.h5", "w") as file:
        array = file.create_dataset("a", (4,), np.uint8)
        array[:] = pixels
        found["h5py", kind.__name__] = array[:].tolist()
    array = zarr.create_array(f"{kind.__name__}.zarr", shape=(4,), chunks=(4,), dtype="u1")
    array[:] = pixels
    found["zarr", kind.__name__] = array[:].tolist()
print("h5py", h5py.__version__, "zarr", zarr.__version__, "300, -5, 255 and 7 in 8 bits:", found)
assert found["h5py", "int32"] == found["h5py", "float32"] == [255, 0, 255, 7]
assert found["zarr", "int32"] == [44, 251, 255, 7]
PYTHON
