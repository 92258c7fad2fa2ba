#!/bin/bash
# usearch 2.26.6: if an index has fewer vectors than the neighbours asked for, a search for several queries fills up the rows with
# key 0, which is also the key of a vector, and the distance nan. A vote of nearest neighbours counts the class of image 0 for each
# missing one; only the field "counts" tells. faiss fills up with -1. A search for one query gives fewer keys.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  usearch==2.26.6 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import usearch
from usearch.index import Index

index = Index(ndim=4, metric="cos", dtype="f32")
vectors = np.eye(3, 4, dtype=np.float32)
index.add(np.array([0, 7, 8]), vectors)
many, one = index.search(vectors, 5), index.search(vectors[1], 5)
print("usearch", usearch.__version__, "keys", many.keys.tolist(), "distances", many.distances.tolist(), "counts",
      many.counts.tolist(), "one query:", one.keys.tolist())
assert many.keys.shape == (3, 5) and (many.keys[:, 3:] == 0).all() and np.isnan(many.distances[:, 3:]).all()
assert many.counts.tolist() == [3, 3, 3] and sorted(one.keys.tolist()) == [0, 7, 8]
PYTHON
