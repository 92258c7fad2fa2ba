#!/bin/bash
# torchmetrics 1.9.0: a metric of two classes that is given logits depends on the batches: it applies the sigmoid to a batch only if
# one of the batch's values is outside 0 to 1. A batch whose logits all happen to be inside keeps them, and its scores are then
# ranked among the probabilities of the others: the area under the ROC curve of one perfect ranking is 1.0 in one batch and
# 0.75 in two. With the sigmoid applied before, it is 1.0 in both.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  torchmetrics==1.9.0 torch==2.11.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W error - << 'PYTHON'
import torch
import torchmetrics
from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision

logits = torch.tensor([0.99, 0.98, 0.97, 0.96, 1.5, 1.2, -1.0, -2.0])
labels = torch.tensor([1, 1, 0, 0, 1, 1, 0, 0])


def measure(kind, scores, size):
    metric = kind()
    for i in range(0, len(scores), size):
        metric.update(scores[i:i + size], labels[i:i + size])
    return round(metric.compute().item(), 3)


found = {(kind.__name__, name): [measure(kind, scores, size) for size in (8, 4)] for kind in (BinaryAUROC, BinaryAveragePrecision)
         for name, scores in (("logits", logits), ("probabilities", logits.sigmoid()))}
print("torchmetrics", torchmetrics.__version__, "one batch, two batches:", found)
assert found["BinaryAUROC", "logits"] == [1, 0.75] and found["BinaryAUROC", "probabilities"] == [1, 1]
assert found["BinaryAveragePrecision", "logits"][1] < found["BinaryAveragePrecision", "logits"][0] == 1
PYTHON
