#!/bin/bash
# faiss-cpu 1.15.1: whether remove_ids changes the numbers of the vectors that stay depends on the kind of index: a flat index moves
# all later ones down by the number removed, an inverted file and an IndexIDMap2 keep them. After image 0 is removed from a
# flat index, each neighbour found is the image before the true one, so that labels and file names are all off by one. The search
# gives no sign of it.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  faiss-cpu==1.15.1 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import faiss
import numpy as np

vectors = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
found = {}
for text in "Flat", "IVF1,Flat", "IDMap2,Flat":
    index = faiss.index_factory(8, text)
    index.train(vectors)
    if text.startswith("IDMap2"):
        index.add_with_ids(vectors, np.arange(100))
    else:
        index.add(vectors)
    index.remove_ids(np.array([0]))
    distances, numbers = index.search(vectors[1:4], 1)
    assert (distances < 1e-5).all()
    found[text] = numbers.ravel().tolist()
print("faiss", faiss.__version__, "numbers of the vectors 1, 2, 3 after 0 is removed:", found)
assert found == {"Flat": [0, 1, 2], "IVF1,Flat": [1, 2, 3], "IDMap2,Flat": [1, 2, 3]}
PYTHON
