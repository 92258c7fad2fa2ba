#!/bin/bash
# mean-average-precision 2024.1.5.0: a class without a single true box counts as 0 in mAP. A detector that finds all there is
# has a mAP of 0.5 if one of two classes does not occur in the images, and of 0.125 if one of eight occurs, as in a small
# validation set. COCO's own evaluation, pycocotools 2.0.11, leaves such classes out and gives 1 for the same boxes.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  mean-average-precision==2024.1.5.0 pycocotools==2.0.11 pandas==2.3.3 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import contextlib
import importlib.metadata
import io
import warnings

import numpy as np
from mean_average_precision import MetricBuilder
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

warnings.simplefilter("ignore")


def this(classes):
    metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=classes)
    metric.add(np.array([[10, 10, 50, 50, 0, 0.9]]), np.array([[10, 10, 50, 50, 0, 0, 0]]))
    return round(float(metric.value(iou_thresholds=0.5)["mAP"]), 3)


def coco(classes):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        box = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40]}
        truth.dataset = {"images": [{"id": 1}], "categories": [{"id": i + 1} for i in range(classes)],
                         "annotations": [{"id": 1, "area": 1600, "iscrowd": 0, **box}]}
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes([{"score": 0.9, **box}]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(float(evaluation.stats[1]), 3)


found = {classes: (this(classes), coco(classes)) for classes in (1, 2, 8)}
print("mean-average-precision", importlib.metadata.version("mean-average-precision"), "pycocotools",
      importlib.metadata.version("pycocotools"), "mAP of either by number of classes:", found)
assert found == {1: (1, 1), 2: (0.5, 1), 8: (0.125, 1)}
PYTHON
