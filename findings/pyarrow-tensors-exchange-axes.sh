#!/bin/bash
# pyarrow 26.0.1: FixedShapeTensorArray.from_numpy_ndarray of images that are a transposed view (channels first made channels
# last, as transpose(0, 2, 3, 1) does) gives other axes back: images of height 4, width 5, and 3 channels return from
# to_numpy_ndarray as 5 x 3 x 4, with the values of other pixels at each position, without an error. It stores the permutation
# of the axes the wrong way round, so that only views in which two axes are exchanged are right. numpy.ascontiguousarray before
# helps.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pyarrow==26.0.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import pyarrow as pa

channels_first = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
found = {}
for name, axes in ("channels last", (0, 2, 3, 1)), ("width first", (0, 1, 3, 2)):
    view = channels_first.transpose(axes)
    for kind, images in (name, view), (name + ", contiguous", np.ascontiguousarray(view)):
        tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(images)
        back = tensors.to_numpy_ndarray()
        same = back.shape == images.shape and bool((back == images).all())
        found[kind] = images.shape, back.shape, same, tensors[0].to_numpy().shape
print("pyarrow", pa.__version__, "shape, shape that comes back, same values, shape of the first image:", found)
assert found["channels last"] == ((2, 4, 5, 3), (2, 5, 3, 4), False, (5, 3, 4))
assert found["channels last, contiguous"] == ((2, 4, 5, 3), (2, 4, 5, 3), True, (4, 5, 3))
assert found["width first"][2] and found["width first, contiguous"][2]
PYTHON
