#!/bin/bash
# pycocotools 2.0.11: COCOeval never counts a ground-truth box whose annotation id is 0 as found: with ids that begin at 0, as a
# converter that enumerates the boxes writes them, perfect predictions for two images have an average precision of 0.25. With ids
# that begin at 1 it is 1. COCOeval stores the id of the match, and takes 0 for "no match".
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pycocotools==2.0.11 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import contextlib
import importlib.metadata
import os

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

box = [10, 10, 40, 40]


def precision(first):
    """Average precision of perfect predictions, if the annotation ids begin at `first`."""
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        truth = COCO()
        truth.dataset = {"images": [{"id": image, "width": 100, "height": 100} for image in (1, 2)],
                         "categories": [{"id": 1, "name": "cat"}],
                         "annotations": [{"id": first + i, "image_id": 1 + i, "category_id": 1, "bbox": box, "area": 1600,
                                          "iscrowd": 0} for i in range(2)]}
        truth.createIndex()
        predicted = truth.loadRes([{"image_id": image, "category_id": 1, "bbox": box, "score": 0.9} for image in (1, 2)])
        evaluation = COCOeval(truth, predicted, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(float(evaluation.stats[0]), 3)


found = {first: precision(first) for first in (0, 1, 7)}
print("pycocotools", importlib.metadata.version("pycocotools"), "first annotation id: average precision", found)
assert found == {0: 0.252, 1: 1.0, 7: 1.0}
PYTHON
