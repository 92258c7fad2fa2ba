#!/bin/bash
# compressed-segmentation 2.3.3, the format in which Neuroglancer serves labels: compress takes any array for one without
# gaps. Of labels[::2], every second slice of a volume, it stores the first half of the slices, of the same shape, so that the
# labels no longer lie on the image; of a volume in Fortran order, as nibabel and loadmat give it, it stores scrambled labels
# unless it is told order="F". Nothing warns. zfpy 1.0.1.post0 and crackle-codec 0.55.0 store both as they are.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  compressed-segmentation==2.3.3 zfpy==1.0.1.post0 crackle-codec==0.55.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import compressed_segmentation
import crackle
import numpy as np
import zfpy

labels = np.random.default_rng(0).integers(0, 50, (16, 12, 20)).astype(np.uint32)


def stored(array):
    return compressed_segmentation.decompress(compressed_segmentation.compress(array), array.shape, array.dtype)


found = {}
for name, array in ("labels[::2]", labels[::2]), ("in Fortran order", np.asfortranarray(labels)):
    found[name] = [round(float((stored(view) == array).mean()), 2) for view in (array, array.copy("C"))]
    assert (crackle.decompress(crackle.compress(array)) == array).all()
    numbers = array.astype(np.int32)
    assert (zfpy.decompress_numpy(zfpy.compress_numpy(numbers)) == numbers).all()
print("compressed-segmentation", importlib.metadata.version("compressed-segmentation"), "share of right labels, of view and copy:",
      found)
for view, copy in found.values():
    assert view < 0.2 and copy == 1
assert (stored(labels[::2]) == labels[:8]).all()
PYTHON
