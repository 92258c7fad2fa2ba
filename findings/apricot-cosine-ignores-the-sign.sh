#!/bin/bash
# apricot-select 0.6.1: metric="cosine" squares the cosine, so that opposite features count as the same image. Its
# documentation says that it subtracts the distances from the largest one. Of ten images at 0 degrees, ten at 180 and three
# around 90, the three that are to represent all of them contain none at 180 degrees; with the similarities that the
# documentation describes they contain one of each. Features that were centred or whitened have both signs.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  apricot-select==0.6.1 numba==0.68.1 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
from apricot import FacilityLocationSelection
from sklearn.metrics import pairwise_distances

degrees = np.array([0] * 10 + [180] * 10 + [80, 90, 100])
features = np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], axis=1)
distances = pairwise_distances(features, metric="cosine")


def chosen(metric, x):
    selection = FacilityLocationSelection(3, metric=metric, optimizer="naive").fit(x)
    return sorted(degrees[selection.ranking].tolist())


found = {"cosine": chosen("cosine", features), "as documented": chosen("precomputed", distances.max() - distances)}
print("apricot-select", importlib.metadata.version("apricot-select"), "degrees of the chosen images:", found)
assert 180 not in found["cosine"] and 0 in found["cosine"]
assert found["as documented"] == [0, 90, 180]
PYTHON
