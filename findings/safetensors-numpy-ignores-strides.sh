#!/bin/bash
# safetensors 0.8.0: safetensors.numpy.save and save_file write a transposed or Fortran-ordered array with its shape, but with its
# values in the order of memory: (0, 3), (1, 4), (2, 5) comes back as (0, 1), (2, 3), (4, 5), without a warning. So a weight that is
# transposed for another framework, or the components of scikit-learn's PCA, are scrambled. numpy.save keeps them.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  safetensors==0.8.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import io

import numpy as np
import safetensors
import safetensors.numpy

weight = np.arange(6, dtype=np.float32).reshape(2, 3)
found = {}
for name, array in ("as it is", weight), ("transposed", weight.T), ("Fortran order", np.asfortranarray(weight)):
    read = safetensors.numpy.load(safetensors.numpy.save({"weight": array}))["weight"]
    safetensors.numpy.save_file({"weight": array}, "a.safetensors")
    assert np.array_equal(read, safetensors.numpy.load_file("a.safetensors")["weight"])
    file = io.BytesIO()
    np.save(file, array)
    file.seek(0)
    assert np.array_equal(np.load(file), array) and read.shape == array.shape
    found[name] = read.tolist()
print("safetensors", safetensors.__version__, "numpy", np.__version__, found)
assert found == {"as it is": [[0, 1, 2], [3, 4, 5]], "transposed": [[0, 1], [2, 3], [4, 5]],
                 "Fortran order": [[0, 3, 1], [4, 2, 5]]}
PYTHON
