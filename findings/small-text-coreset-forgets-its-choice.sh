#!/bin/bash
# small-text 1.4.1: greedy_coreset, which is to choose images far from those labelled and from each other, mistakes the
# positions of its choice among the unlabelled rows for rows of the whole table. If the labelled rows come first, it does not
# know what it has chosen: of ten clusters, one of them labelled, nine choices come from a single one. With the labelled rows
# last, where both numbers are the same, they come from all nine others.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  small-text==1.4.1 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
from small_text.query_strategies.coresets import greedy_coreset

random = np.random.default_rng(0)
clusters = np.repeat(np.arange(10), 50)
features = random.standard_normal((10, 16))[clusters] + 0.05 * random.standard_normal((500, 16))
found = {}
for where, labelled in ("first", np.arange(50)), ("last", np.arange(450, 500)):
    unlabelled = np.setdiff1d(np.arange(500), labelled)
    chosen = greedy_coreset(features, unlabelled, labelled, 9, distance_metric="euclidean")
    found[where] = clusters[unlabelled[chosen]].tolist()
print("small-text", importlib.metadata.version("small-text"), "clusters of the choice, by where the labelled rows are:", found)
assert len(set(found["first"])) == 1 and len(set(found["last"])) == 9
PYTHON
