#!/bin/bash
# ncnn 1.0.20261020: ncnn.Mat(array) has the shape of a transposed array and the numbers in the order of the one before it:
# the usual step from rows x columns x channels to channels x rows x columns makes each channel a third of the rows, with the
# colours mixed, so that an exported encoder sees another picture. astype and division after it do not help, as they keep the
# order in memory. Mat.from_pixels of a crop, image[5:15, 5:15], likewise has the first 100 pixels from its corner on, row by
# row of the whole image. Both give the right pixels of np.ascontiguousarray, and neither warns.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  ncnn==1.0.20261020 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import ncnn
import numpy as np

image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
planes = image.transpose(2, 0, 1).astype(np.float32) / 255
crop = image[5:15, 5:15]


def pixels(array):
    return np.array(ncnn.Mat.from_pixels(array, ncnn.Mat.PixelType.PIXEL_RGB, array.shape[1], array.shape[0]))


found = {}
for name, prepare in ("as it is", lambda array: array), ("np.ascontiguousarray", np.ascontiguousarray):
    transposed, cropped = np.array(ncnn.Mat(prepare(planes))), pixels(prepare(crop))
    assert transposed.shape == planes.shape and cropped.shape == (3, 10, 10)
    found[name] = [round(float((transposed == planes).mean()), 2), round(float((cropped == crop.transpose(2, 0, 1)).mean()), 2)]
print("ncnn", importlib.metadata.version("ncnn"), "share of right numbers, of a transposed image and of a crop:", found)
assert found["np.ascontiguousarray"] == [1, 1] and max(found["as it is"]) < 0.2
first = image.reshape(-1, 3)[5 * 40 + 5:][:100].reshape(10, 10, 3)
assert (pixels(crop) == first.transpose(2, 0, 1)).all()
PYTHON
