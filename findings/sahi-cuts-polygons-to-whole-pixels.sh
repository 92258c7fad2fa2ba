#!/bin/bash
# sahi 0.12.8: Coco.from_coco_dict_or_path cuts the fractions off the polygons of a COCO file, whose points are rarely whole: an object
# from 10.9 to 13.9 becomes one from 10 to 13, so that its mask moves up and left by a pixel, and its overlap (IoU) with the old one
# is 0.29; one from 20.1 to 30.9 loses a row and a column. The box stays as it was, and no longer fits the mask.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  sahi==0.12.8 pycocotools==2.0.11 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import copy
import importlib.metadata

from pycocotools import mask as coco
from sahi.utils.coco import Coco


def square(low, high):
    return [low, low, high, low, high, high, low, high]


def annotation(number, low, high):
    return {"id": number, "image_id": 1, "category_id": 1, "bbox": [low, low, high - low, high - low], "iscrowd": 0,
            "area": (high - low) ** 2, "segmentation": [square(low, high)]}


data = {"images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 40}], "categories": [{"id": 1, "name": "cat"}],
        "annotations": [annotation(1, 10.9, 13.9), annotation(2, 20.1, 30.9)]}
new = Coco.from_coco_dict_or_path(copy.deepcopy(data)).json["annotations"]
found = []
for old, changed in zip(data["annotations"], new):
    masks = [coco.merge(coco.frPyObjects(item["segmentation"], 40, 40)) for item in (old, changed)]
    found.append((changed["segmentation"], changed["bbox"], round(float(coco.iou(masks[:1], masks[1:], [0])[0, 0]), 2)))
print("sahi", importlib.metadata.version("sahi"), "polygon, box, overlap (IoU) with the mask of the old polygon:", found)
assert found[0] == ([square(10, 13)], [10.9, 10.9, 3, 3], 0.29)
assert found[1][0] == [square(20, 30)] and found[1][2] < 0.9
PYTHON
