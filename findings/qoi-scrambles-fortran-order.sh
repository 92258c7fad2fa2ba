#!/bin/bash
# qoi 0.8.0: encode refuses an array that is not contiguous, but takes one in Fortran order, and writes its numbers in the
# order in which they lie in memory: the picture comes back with the right size and scrambled pixels. Pictures from MATLAB
# files are such arrays: an image of a data set like SVHN (rows x columns x 3 x images), as scipy.io.loadmat gives it, is
# stored as noise.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  qoi==0.8.0 scipy==1.15.3 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import qoi
from scipy.io import loadmat, savemat

savemat("a.mat", {"X": np.random.default_rng(0).integers(0, 256, (32, 24, 3, 5), np.uint8)})
image = loadmat("a.mat")["X"][:, :, :, 1]
found = {}
for name, array in ("as loaded", image), ("np.ascontiguousarray", np.ascontiguousarray(image)):
    read = qoi.decode(qoi.encode(array))
    found[name] = read.shape, round(float((read != image).mean()), 2)
try:
    qoi.encode(image[::-1])
    refused = None
except ValueError as error:
    refused = str(error)
print("qoi", importlib.metadata.version("qoi"), "shape, share of other values:", found, "upside down:", refused)
assert found == {"as loaded": ((32, 24, 3), found["as loaded"][1]), "np.ascontiguousarray": ((32, 24, 3), 0)}
assert found["as loaded"][1] > 0.9 and "contiguous" in refused
PYTHON
