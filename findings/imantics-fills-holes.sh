#!/bin/bash
# imantics 0.1.12: its export to COCO writes the outline of a hole as a further polygon of the object, and the polygons of one
# object in COCO are added up: a ring comes back from pycocotools 2.0.11 as a disc, with the hole as part of the object.
# "area" in the same annotation is still that of the ring, so that nothing looks wrong in the file.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  imantics==0.1.12 pycocotools==2.0.11 opencv-python==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import contextlib
import importlib.metadata
import io

import imantics
import numpy as np
from pycocotools.coco import COCO

ring = np.zeros((100, 100), bool)
ring[20:80, 20:80] = True
ring[35:65, 35:65] = False
image = imantics.Image(width=100, height=100)
image.add(imantics.Mask(ring), imantics.Category("ring"))
with contextlib.redirect_stdout(io.StringIO()):
    coco = COCO()
    coco.dataset = image.export("coco")
    coco.createIndex()
(annotation,) = coco.dataset["annotations"]
read = coco.annToMask(annotation).astype(bool)
hole = round(float(read[35:65, 35:65].mean()), 2)
print("imantics", importlib.metadata.version("imantics"), "pixels of the ring:", ring.sum(), "area:", annotation["area"],
      "pixels that pycocotools reads:", read.sum(), "share of the hole in the object:", hole)
assert annotation["area"] == ring.sum() == 2700 and read.sum() > 3400 and hole > 0.85
PYTHON
