#!/bin/bash
# datumaro 1.13.12: a COCO data set that is read and written as COCO has other category ids: it numbers them from 1 without
# gaps, so that 1, 11, 13 become 1, 2, 3, although the ids of images and annotations stay, and the exporter's option reindex is
# off. COCO's own ids have gaps (80 classes with ids up to 90). So predictions of a detector, or another split that did not go
# through datumaro, no longer fit the annotations; pycocotools compares by these ids and reports a low precision.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  datumaro==1.13.12 numpy==2.2.6 pillow==12.3.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata
import json
import os

import datumaro
from PIL import Image

os.makedirs("data/annotations")
os.makedirs("data/images/train")
Image.new("RGB", (50, 50)).save("data/images/train/a.jpg")
categories = [{"id": number, "name": name} for number, name in ((1, "person"), (11, "hydrant"), (13, "stop sign"))]
with open("data/annotations/instances_train.json", "w") as file:
    json.dump({"images": [{"id": 7, "file_name": "a.jpg", "width": 50, "height": 50}], "categories": categories,
               "annotations": [{"id": 5, "image_id": 7, "category_id": 13, "bbox": [1, 1, 20, 20], "area": 400, "iscrowd": 0,
                                "segmentation": []}]}, file)
datumaro.Dataset.import_from("data", "coco").export("new", "coco", save_media=True)
with open("new/annotations/instances_train.json") as file:
    new = json.load(file)
ids = {category["name"]: category["id"] for category in new["categories"]}
box = {name: new["annotations"][0][name] for name in ("id", "image_id", "category_id", "bbox")}
print("datumaro", importlib.metadata.version("datumaro"), "categories:", ids, "annotation:", box)
assert ids == {"person": 1, "hydrant": 2, "stop sign": 3}
assert box == {"id": 5, "image_id": 7, "category_id": 3, "bbox": [1, 1, 20, 20]}
PYTHON
