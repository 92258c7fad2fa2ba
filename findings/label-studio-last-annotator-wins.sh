#!/bin/bash
# label-studio-sdk 2.1.2: if two people have annotated the same image, the exports to YOLO and Pascal VOC keep the boxes of the
# last one: each annotation overwrites the file of the one before, without a warning. COCO keeps both, but as two images with
# the same file, so that an object that both have marked counts twice, and a random split can put the same picture into
# training and validation.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  label-studio-sdk==2.1.2 pillow==12.3.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import glob
import importlib.metadata
import json
import os

from label_studio_sdk.converter import Converter
from PIL import Image

os.mkdir("images")
Image.new("RGB", (200, 100)).save("images/a.jpg")


def annotation(number, label, x):
    value = {"x": x, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [label]}
    return {"id": number, "result": [{"id": str(number), "type": "rectanglelabels", "from_name": "label", "to_name": "image",
                                      "original_width": 200, "original_height": 100, "image_rotation": 0, "value": value}]}


with open("tasks.json", "w") as file:
    json.dump([{"id": 1, "data": {"image": "images/a.jpg"}, "annotations": [annotation(1, "cat", 10), annotation(2, "dog", 60)]}],
              file)
converter = Converter('<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
                      '<Label value="cat"/><Label value="dog"/></RectangleLabels></View>', ".", download_resources=False)
converter.convert_to_coco("tasks.json", "coco", is_dir=False)
converter.convert_to_yolo("tasks.json", "yolo", is_dir=False)
converter.convert_to_voc("tasks.json", "voc", is_dir=False)

with open("coco/result.json") as file:
    coco = json.load(file)
found = {"COCO images": [image["file_name"].split("/")[-1] for image in coco["images"]], "COCO boxes": len(coco["annotations"])}
assert len(glob.glob("yolo/labels/*")) == len(glob.glob("voc/Annotations/*")) == 1
with open("yolo/labels/a.txt") as file, open("yolo/classes.txt") as classes:
    names = classes.read().split()
    found["YOLO"] = [names[int(line.split()[0])] for line in file]
with open("voc/Annotations/a.xml") as file:
    content = file.read()
    found["Pascal VOC"] = [name for name in ("cat", "dog") if f"<name>{name}</name>" in content]
print("label-studio-sdk", importlib.metadata.version("label-studio-sdk"), "a cat by one, a dog by another:", found)
assert found["COCO images"] == ["a.jpg", "a.jpg"] and found["COCO boxes"] == 2
assert found["YOLO"] == found["Pascal VOC"] == ["dog"]
PYTHON
