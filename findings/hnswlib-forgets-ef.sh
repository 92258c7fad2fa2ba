#!/bin/bash
# hnswlib 0.8.0: an index that is saved and loaded finds fewer of the true neighbours than before, without a warning. save_index
# does not store ef, the width of the search, and load_index sets it to 10: here the share of true neighbours falls from 0.99
# to 0.59. The file holds the other settings of the graph, and pickle keeps ef. The README says so in its list of methods.
# Exits non-zero if the behaviour has changed. Compiles hnswlib, so that it requires a C++ compiler.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  hnswlib==0.8.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata
import pickle

import hnswlib
import numpy as np

vectors = np.random.default_rng(0).normal(size=(5000, 64)).astype(np.float32)
queries = vectors[:100]
true = np.argsort(((queries[:, None] - vectors) ** 2).sum(-1), axis=1)[:, :5]


def recall(index):
    found = index.knn_query(queries, 5)[0]
    return sum(len(np.intersect1d(a, b)) for a, b in zip(found, true)) / true.size


index = hnswlib.Index("l2", 64)
index.init_index(5000, M=8, ef_construction=100, random_seed=1)
index.add_items(vectors, num_threads=1)
index.set_ef(500)
index.save_index("index.bin")
loaded = hnswlib.Index("l2", 64)
loaded.load_index("index.bin")
found = {name: (i.ef, round(recall(i), 2)) for name, i in
         (("before", index), ("loaded", loaded), ("unpickled", pickle.loads(pickle.dumps(index))))}
print("hnswlib", importlib.metadata.version("hnswlib"), "ef and share of the true neighbours found:", found)
assert found["before"] == found["unpickled"] and found["before"][0] == 500 and found["before"][1] > 0.98
assert found["loaded"][0] == 10 and found["loaded"][1] < 0.7
PYTHON
