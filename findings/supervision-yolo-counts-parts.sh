#!/bin/bash
# supervision 0.31.2: as_yolo and as_pascal_voc write an object whose mask has two parts (a car behind a post) as two objects:
# a COCO file with one car becomes a data set with two, each with the box of one half. as_coco keeps one. So counts of objects,
# classes' frequencies and recall change when the format does, without a warning.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  supervision==0.31.2 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" -W ignore - << 'PYTHON'
import json
import os

import cv2
import numpy as np
import supervision as sv

os.mkdir("images")
cv2.imwrite("images/a.jpg", np.zeros((40, 40, 3), np.uint8))
parts = [[2, 2, 10, 2, 10, 20, 2, 20], [20, 2, 30, 2, 30, 20, 20, 20]]
with open("coco.json", "w") as file:
    json.dump({"images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 40}], "categories": [{"id": 1, "name": "car"}],
               "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 28, 18], "area": 324, "iscrowd": 0,
                                "segmentation": parts}]}, file)
data = sv.DetectionDataset.from_coco("images", "coco.json", force_masks=True)
data.as_coco("coco/images", "coco/a.json")
data.as_yolo("yolo/images", "yolo/labels", "yolo/data.yaml")
data.as_pascal_voc("voc/images", "voc/labels")
loaded = {"COCO": sv.DetectionDataset.from_coco("coco/images", "coco/a.json"),
          "YOLO": sv.DetectionDataset.from_yolo("yolo/images", "yolo/labels", "yolo/data.yaml"),
          "Pascal VOC": sv.DetectionDataset.from_pascal_voc("voc/images", "voc/labels")}
boxes = {name: sorted(np.concatenate([found.xyxy for _, _, found in data]).round().astype(int).tolist())
         for name, data in loaded.items()}
print("supervision", sv.__version__, "boxes of one object with two parts:", boxes)
assert len(boxes["COCO"]) == 1 and len(boxes["YOLO"]) == 2 and len(boxes["Pascal VOC"]) == 2
PYTHON
