#!/bin/bash
# OpenCV 4.12 with pycocotools 2.0.11: a mask that goes through findContours into the polygons of a COCO file comes back without its
# last row and its last column: a square of 10 x 10 pixels has 81 of them and a box of 9 x 9, one of 5 x 5 has 64 % of its pixels,
# and a line that is one pixel wide has none. OpenCV's polygon runs through the middle of the outer pixels, COCO's runs around
# them. OpenCV's own fillPoly and boundingRect of the same polygon give all pixels. The mask as RLE (encode) does not change.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  opencv-python-headless==4.12.0.88 pycocotools==2.0.11 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import cv2
import numpy as np
from pycocotools import mask as coco


def pixels(height, width):
    mask = np.zeros((40, 40), np.uint8)
    mask[10:10 + height, 10:10 + width] = 1
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    polygon = contours[0]
    rle = coco.merge(coco.frPyObjects([polygon.ravel().tolist()], 40, 40))
    filled = cv2.fillPoly(np.zeros_like(mask), [polygon], 1)
    return (int(coco.decode(rle).sum()), coco.toBbox(rle)[2:].tolist(), int(filled.sum()), list(cv2.boundingRect(polygon)[2:]),
            int(coco.area(coco.encode(np.asfortranarray(mask)))))


found = {size: pixels(*size) for size in ((10, 10), (5, 5), (20, 1))}
print("OpenCV", cv2.__version__, "size: COCO's pixels and box of the polygon, OpenCV's, pixels as RLE:", found)
assert found == {(10, 10): (81, [9, 9], 100, [10, 10], 100), (5, 5): (16, [4, 4], 25, [5, 5], 25),
                 (20, 1): (0, [0, 0], 20, [1, 20], 20)}
PYTHON
