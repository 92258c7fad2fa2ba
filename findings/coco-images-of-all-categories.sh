#!/bin/bash
# pycocotools 2.0.11: COCO.getImgIds(catIds=[cat, dog]) gives only the images that show both a cat and a dog, whereas
# getAnnIds(catIds=[cat, dog]) of the same object gives the annotations of either. A subset of images for several classes that is
# chosen by the first lacks most of its images (here two of three), and is empty for many classes.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pycocotools==2.0.11 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

from pycocotools.coco import COCO

coco = COCO()
coco.dataset = {"images": [{"id": i} for i in (1, 2, 3)],
                "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "bird"}],
                "annotations": [{"id": 1 + i, "image_id": image, "category_id": category}
                                for i, (image, category) in enumerate([(1, 1), (2, 2), (3, 1), (3, 2)])]}
coco.createIndex()
images = {"cat": coco.getImgIds(catIds=[1]), "cat and dog": coco.getImgIds(catIds=[1, 2]),
          "all three": coco.getImgIds(catIds=[1, 2, 3])}
of_boxes = sorted({coco.anns[i]["image_id"] for i in coco.getAnnIds(catIds=[1, 2])})
print("pycocotools", importlib.metadata.version("pycocotools"), "getImgIds:", images, "images of getAnnIds, cat and dog:", of_boxes)
assert images == {"cat": [1, 3], "cat and dog": [3], "all three": []} and of_boxes == [1, 2, 3]
PYTHON
