#!/bin/bash
# label-studio-sdk 2.1.2: none of the exports to boxes is right for a rectangle that was rotated. YOLO and Pascal VOC write it
# as though it were not rotated, so that a box of 80 x 20 pixels that was turned upright stays lying down, next to the object.
# COCO rotates it, but computes with percent of width and height as though both were the same length: on a picture of 200 x 100
# pixels it writes 40 x 40. The corners that the SDK itself computes for oriented boxes are right. No warning is given.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  label-studio-sdk==2.1.2 pillow==12.3.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata
import json
import os
import xml.etree.ElementTree as ElementTree

import numpy as np
from label_studio_sdk.converter import Converter
from label_studio_sdk.converter.utils import convert_annotation_to_yolo_obb
from PIL import Image

os.mkdir("images")
Image.new("RGB", (200, 100)).save("images/a.jpg")
# 40 % of 200 pixels by 20 % of 100, with the upper left corner at (100, 10), turned clockwise about that corner to stand upright.
rectangle = {"x": 50, "y": 10, "width": 40, "height": 20, "rotation": 90, "rectanglelabels": ["car"]}
result = {"id": "1", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "original_width": 200,
          "original_height": 100, "image_rotation": 0, "value": rectangle}
with open("tasks.json", "w") as file:
    json.dump([{"id": 1, "data": {"image": "images/a.jpg"}, "annotations": [{"id": 1, "result": [result]}]}], file)
converter = Converter('<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
                      '<Label value="car"/></RectangleLabels></View>', ".", download_resources=False)
converter.convert_to_coco("tasks.json", "coco", is_dir=False)
converter.convert_to_yolo("tasks.json", "yolo", is_dir=False)
converter.convert_to_voc("tasks.json", "voc", is_dir=False)

corners = np.array(convert_annotation_to_yolo_obb({"original_width": 200, "original_height": 100, **rectangle}, normalize=False))
found = {"corners": [*corners.min(axis=0).round().astype(int).tolist(), *corners.max(axis=0).round().astype(int).tolist()]}
with open("coco/result.json") as file:
    x, y, width, height = json.load(file)["annotations"][0]["bbox"]
found["COCO"] = [round(value) for value in (x, y, x + width, y + height)]
with open("yolo/labels/a.txt") as file:
    x, y, width, height = map(float, file.read().split()[1:])
found["YOLO"] = [round(value) for value in ((x - width / 2) * 200, (y - height / 2) * 100, (x + width / 2) * 200,
                                            (y + height / 2) * 100)]
box = ElementTree.parse("voc/Annotations/a.xml").find("object/bndbox")
found["Pascal VOC"] = [int(box.find(name).text) for name in ("xmin", "ymin", "xmax", "ymax")]
print("label-studio-sdk", importlib.metadata.version("label-studio-sdk"), "left, top, right, bottom:", found)
assert found["corners"] == [80, 10, 100, 90]
assert found["YOLO"] == found["Pascal VOC"] == [100, 10, 180, 30]
assert found["COCO"] == [60, 10, 100, 50]
PYTHON
