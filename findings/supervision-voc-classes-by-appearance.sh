#!/bin/bash
# supervision 0.31.2: from_pascal_voc numbers the classes in the order in which they first appear in the files that it reads,
# so that training and validation have other numbers: if the first training picture shows a dog and the first validation
# picture a cat, dog is 0 in the one and 1 in the other, and a perfect detector scores nothing. A new or renamed file changes
# the numbers, too. The names are in the file, and from_yolo and from_coco keep the numbers of theirs. DetectionDataset.merge
# of both sets sorts the names.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  supervision==0.31.2 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import os

import cv2
import numpy as np
import supervision as sv


def read(folder, objects):
    os.makedirs(folder)
    for name, label in objects.items():
        cv2.imwrite(f"{folder}/{name}.jpg", np.zeros((50, 50, 3), np.uint8))
        with open(f"{folder}/{name}.xml", "w") as file:
            file.write(f"<annotation><filename>{name}.jpg</filename><size><width>50</width><height>50</height><depth>3</depth></size>"
                       f"<object><name>{label}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>20</ymax></bndbox>"
                       "</object></annotation>")
    return sv.DetectionDataset.from_pascal_voc(folder, folder)


def numbers(data):
    return {os.path.basename(path): int(annotations.class_id[0]) for path, _, annotations in data}


train, validation = read("train", {"a": "dog", "b": "cat"}), read("validation", {"c": "cat", "d": "dog"})
merged = sv.DetectionDataset.merge([train, validation])
print("supervision", sv.__version__, "classes and numbers of train (a: dog, b: cat):", train.classes, numbers(train),
      "of validation (c: cat, d: dog):", validation.classes, numbers(validation), "merged:", merged.classes, numbers(merged))
assert train.classes == ["dog", "cat"] and numbers(train) == {"a.jpg": 0, "b.jpg": 1}
assert validation.classes == ["cat", "dog"] and numbers(validation) == {"c.jpg": 0, "d.jpg": 1}
assert merged.classes == ["cat", "dog"] and numbers(merged) == {"a.jpg": 1, "b.jpg": 0, "c.jpg": 0, "d.jpg": 1}
PYTHON
