#!/bin/bash
# voyager 2.2.3: add_items takes an array of float32 for one that lies in memory row by row without gaps, without looking: of
# the view features[::2] it stores features 0, 1, 2, ... under the numbers of 0, 2, 4, ..., and of features[:, :4], the first
# components of each, pieces of the first half of the images. A search by one of the features then finds another image at
# distance 0, so that a test of the index passes if it uses the same view. float64, and a copy, are stored as they are.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  voyager==2.2.3 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import voyager

features = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)


def stored(array):
    index = voyager.Index(voyager.Space.Euclidean, num_dimensions=array.shape[1])
    index.add_items(array)
    return index.get_vectors(range(len(array)))


views = {"features[::2]": features[::2], "features[:, :4]": features[:, :4], "in Fortran order": np.asfortranarray(features)}
right = {name: [float((stored(array) == view).all(axis=1).mean()) for array in (view, view.copy("C"))]
         for name, view in views.items()}
print("voyager", importlib.metadata.version("voyager"), "share of features that are stored right, of view and copy:", right)
for name, (view, copy) in right.items():
    assert view <= 0.02 and copy == 1, name
assert (stored(features[::2]) == features[:50]).all()
assert (stored(features[::2].astype(np.float64)) == features[::2]).all()
PYTHON
