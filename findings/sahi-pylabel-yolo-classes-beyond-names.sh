#!/bin/bash
# sahi 0.12.8 and pylabel 0.1.55 write the category ids of a COCO file as the class numbers of YOLO, but list the names from 0:
# with the ids 1, 2, 3, as COCO counts, a box of the first class has number 1, which is the name of the second class, and the
# last class has a number beyond the list. Neither says so, and a training on the export calls each ant a bee. With pylabel's
# option cat_id_index=0, and after sahi's update_categories, the numbers are right.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  sahi==0.12.8 pylabel==0.1.55 numpy==2.2.6 pillow==12.3.0 pandas==2.3.3
cd "$work"
"$work/venv/bin/python" -W ignore - << 'PYTHON'
import json
import os

import sahi
import yaml
from PIL import Image
from pylabel import importer
from sahi.utils.coco import Coco

names = ["ant", "bee", "cat"]
os.mkdir("images")
images, boxes = [], []
for number, name in enumerate(names, 1):
    Image.new("RGB", (100, 100)).save(f"images/{name}.jpg")
    images.append({"id": number, "file_name": f"{name}.jpg", "width": 100, "height": 100})
    boxes.append({"id": number, "image_id": number, "category_id": number, "bbox": [10, 10, 50, 50], "area": 2500, "iscrowd": 0,
                  "segmentation": []})
with open("coco.json", "w") as file:
    json.dump({"images": images, "annotations": boxes,
               "categories": [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(names, 1)]}, file)


def classes(folder, description):
    with open(description) as file:
        listed = yaml.safe_load(file)["names"]
    numbers = {}
    for name in names:
        with open(f"{folder}/{name}.txt") as file:
            numbers[name] = int(file.read().split()[0])
    return listed, numbers


coco = Coco.from_coco_dict_or_path("coco.json", image_dir="images")
coco.export_as_yolo("sahi", train_split_rate=1.0)
coco.update_categories({name: number for number, name in enumerate(names)})
coco.export_as_yolo("sahi_from_zero", train_split_rate=1.0)
data = importer.ImportCoco("coco.json", path_to_images="images", name="data")
data.export.ExportToYoloV5(output_path="pylabel/labels")
data.export.ExportToYoloV5(output_path="from_zero/labels", cat_id_index=0)
found = {"sahi": classes("sahi/train", "sahi/data.yml"),
         "sahi, update_categories": classes("sahi_from_zero/train", "sahi_from_zero/data.yml"),
         "pylabel": classes("pylabel/labels", "pylabel/dataset.yaml"),
         "pylabel, cat_id_index=0": classes("from_zero/labels", "from_zero/dataset.yaml")}
print("sahi", sahi.__version__, "names, class number in the file of each picture:", found)
assert found["sahi"] == found["pylabel"] == (names, {"ant": 1, "bee": 2, "cat": 3})
assert found["pylabel, cat_id_index=0"] == found["sahi, update_categories"] == (names, {"ant": 0, "bee": 1, "cat": 2})
PYTHON
