#!/bin/bash
# iterative-stratification 0.1.9: MultilabelStratifiedShuffleSplit(train_size=0.1, test_size=0.2) of 1000 images gives 333 and
# 667, where the class of scikit-learn 1.9.1 that it stands in for gives 100 and 200: it stretches the two shares until all
# images are in one of the sets. So the points of a curve over 1, 5, 10 % of the labels, with a test set of 20 %, are in truth
# those of 5, 20, 33 %, each with another test set. One size alone, or two that add up to 1, are kept.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  iterative-stratification==0.1.9 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
from sklearn.model_selection import StratifiedShuffleSplit

labels = (np.random.default_rng(0).random((1000, 4)) < [0.5, 0.3, 0.2, 0.1]).astype(int)
found = {}
for split, y in (MultilabelStratifiedShuffleSplit, labels), (StratifiedShuffleSplit, labels[:, 0]):
    for train in 0.01, 0.05, 0.1, 0.8:
        train_images, test_images = next(split(n_splits=1, train_size=train, test_size=0.2, random_state=0).split(labels, y))
        found.setdefault(split.__name__, []).append((len(train_images), len(test_images)))
print("iterative-stratification", importlib.metadata.version("iterative-stratification"),
      "images in the two sets for 1, 5, 10, 80 % and 20 %:", found)
assert found["StratifiedShuffleSplit"] == [(10, 200), (50, 200), (100, 200), (800, 200)]
for sizes, share in zip(found["MultilabelStratifiedShuffleSplit"], (0.0476, 0.2, 0.3333, 0.8)):
    assert sum(sizes) == 1000 and abs(sizes[0] - 1000 * share) < 5
PYTHON
