#!/bin/bash
# imbalanced-learn 0.14.2: RandomUnderSampler gives the rows sorted by class, also of data that is balanced already, from which it removes
# nothing: the labels 0, 1, 0, 1, ... become 0, ..., 0, 1, ..., 1, and the rows within class are shuffled. If the last fifth then is the
# validation set (as with KFold without shuffle, or validation_split in Keras), it has one class, and so have
# most mini-batches of a loader that reads in order. RandomOverSampler keeps the order and appends.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  imbalanced-learn==0.14.2 scikit-learn==1.9.1 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import imblearn
import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.model_selection import KFold

labels = np.array([0, 1] * 10)
rows = np.arange(20)[:, None]
found = {}
for sampler in RandomUnderSampler(random_state=0), RandomOverSampler(random_state=0):
    new_rows, new_labels = sampler.fit_resample(rows, labels)
    folds = [np.unique(new_labels[test]).tolist() for _, test in KFold(5).split(new_rows)]
    assert np.array_equal(new_labels, labels[new_rows[:, 0]]) and sorted(new_rows[:, 0]) == list(range(20))
    found[type(sampler).__name__] = "".join(map(str, new_labels)), folds
print("imbalanced-learn", imblearn.__version__, "labels and the classes of five folds:", found)
assert found["RandomOverSampler"] == ("01" * 10, [[0, 1]] * 5)
assert found["RandomUnderSampler"] == ("0" * 10 + "1" * 10, [[0], [0], [0, 1], [1], [1]])
PYTHON
