#!/bin/bash
# pylabel 0.1.55: ExportToCoco writes the annotation before an image without objects a second time: a COCO file with one box,
# and with two pictures of nothing after it, comes back with three boxes, all with the same id and on the same image. So each
# negative image adds one more copy, which counts as an object in the frequencies of classes and as a missed one in evaluation.
# The images themselves are right.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pylabel==0.1.55 numpy==2.2.6 pillow==12.3.0 pandas==2.3.3
cd "$work"
"$work/venv/bin/python" -W ignore - << 'PYTHON'
import importlib.metadata
import json
import os

from PIL import Image
from pylabel import importer

os.mkdir("images")
for name in "abc":
    Image.new("RGB", (100, 100)).save(f"images/{name}.jpg")


def annotations(names):
    """The annotations that come back of a file with one object, on the first of these images."""
    with open("coco.json", "w") as file:
        json.dump({"images": [{"id": number, "file_name": f"{name}.jpg", "width": 100, "height": 100}
                              for number, name in enumerate(names)],
                   "categories": [{"id": 1, "name": "car"}],
                   "annotations": [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 10, 50, 50], "area": 2500,
                                    "iscrowd": 0, "segmentation": []}]}, file)
    importer.ImportCoco("coco.json", path_to_images="images", name="data").export.ExportToCoco("exported.json")
    with open("exported.json") as file:
        exported = json.load(file)
    assert len(exported["images"]) == len(names)
    return [(box["id"], box["image_id"], box["bbox"]) for box in exported["annotations"]]


found = {images: annotations("abc"[:images]) for images in (1, 2, 3)}
print("pylabel", importlib.metadata.version("pylabel"), "annotations of one object, by number of images:", found)
assert found == {images: [(0, 0, [10.0, 10.0, 50.0, 50.0])] * images for images in (1, 2, 3)}
PYTHON
