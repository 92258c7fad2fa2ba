#!/bin/bash
# zarr 3.1.6: an array that is made smaller and later larger again has its old rows back, up to the end of the chunk in which
# it was cut; the rows of removed chunks are 0. h5py 3.16.0 gives 0 for all of them. So a table of labels that was cut and grown
# has old labels for images that have none yet.
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

stored = zarr.create_array("a.zarr", shape=(10,), chunks=(4,), dtype="i4")
stored[:] = 7
with h5py.File("a.h5", "w") as file:
    other = file.create_dataset("a", data=np.full(10, 7, np.int32), maxshape=(None,), chunks=(4,))
    for array in stored, other:
        array.resize((5,))
        array.resize((10,))
    found = {"zarr": stored[:].tolist(), "h5py": other[:].tolist()}
print("zarr", zarr.__version__, "h5py", h5py.__version__, "ten sevens, cut to five and grown to ten:", found)
assert found == {"zarr": [7] * 8 + [0] * 2, "h5py": [7] * 5 + [0] * 5}
PYTHON
