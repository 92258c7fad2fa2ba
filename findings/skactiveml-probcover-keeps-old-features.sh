#!/bin/bash
# scikit-activeml 1.0.1: ProbCover remembers the distances of the first features that it has seen. A second query with other
# features (of the encoder after another round of training, say) chooses by the old ones, without a warning; a new object, or
# query(..., update=True), an argument that the documentation of query does not list, chooses by the new ones.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  scikit-activeml==1.0.1 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import skactiveml
from skactiveml.pool import ProbCover

random = np.random.default_rng(0)
dense, sparse = random.normal(0, 0.05, (50, 2)), random.uniform(10, 100, (50, 2))
before, after = np.concatenate([dense, sparse]), np.concatenate([sparse, dense])  # dense: rows 0 to 49, then rows 50 to 99
labels = np.full(100, np.nan)


def rows(strategy, features, **arguments):
    """Which half of the rows the first choice, the row with most neighbours, comes from."""
    return "0 to 49" if strategy.query(features, labels, **arguments)[0] < 50 else "50 to 99"


def strategy():
    return ProbCover(n_classes=2, deltas=[0.3, 0.5], alpha=0.5, random_state=0)


used = strategy()
found = {"before": rows(used, before), "after": rows(used, after), "after, new object": rows(strategy(), after),
         "after, update": rows(used, after, update=True)}
print("scikit-activeml", skactiveml.__version__, "rows of the first choice:", found)
assert found == {"before": "0 to 49", "after": "0 to 49", "after, new object": "50 to 99", "after, update": "50 to 99"}
assert "update" not in ProbCover.query.__doc__
PYTHON
