#!/bin/bash
# PaCMAP 0.9.1: distance="angular" does not compare the directions of the features: fit moves all features to the mean (and
# scales them, or takes 100 principal components) before it looks for neighbours, so that the angles are those seen from the
# mean. Then the length of a feature counts, which cosine similarity ignores: if features that are all positive, as after a
# ReLU, are multiplied by random lengths, two of three pairs of neighbours are others, although all cosines stay. So a map of
# an encoder's features shows other neighbours than its evaluation by cosine uses.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pacmap==0.9.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import pacmap

random = np.random.default_rng(0)
directions = np.abs(random.normal(size=(500, 20))) + 0.5
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
lengths = random.uniform(0.2, 5, (500, 1))


def pairs(features):
    model = pacmap.PaCMAP(n_neighbors=5, distance="angular", random_state=0)
    model.fit(features.astype(np.float32), init="random")
    return set(map(tuple, model.pair_neighbors.tolist()))


def share(first, second):
    return round(len(first & second) / len(first), 2)


cosines = directions @ directions.T - 2 * np.eye(500)
nearest = np.argsort(-cosines, axis=1)
same, longer, other = pairs(directions), pairs(directions * 3), pairs(directions * lengths)
ranks = [int(np.median([np.flatnonzero(nearest[i] == j)[0] for i, j in found])) for found in (same, other)]
print("pacmap", importlib.metadata.version("pacmap"), "share of pairs that stay: all lengths times 3:", share(same, longer),
      "each length times its own number:", share(same, other), "median rank by cosine:", ranks)
assert share(same, longer) > 0.95 and share(same, other) < 0.5
PYTHON
