#!/bin/bash
# OpenCV 4.12 reads the same pixels from a PGM or PPM file of text and of bytes differently, if their largest value is not
# 255: 50 of 100 becomes 127 in P2 and P3, and stays 50 in P5 and P6. Pillow 13.0.0 makes 128 of it in all four.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pillow==13.0.0 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import io

import cv2
import numpy as np
from PIL import Image

files = {
    "P2": b"P2 3 1 100\n0 50 100\n",
    "P5": b"P5 3 1 100\n" + bytes((0, 50, 100)),
    "P3": b"P3 1 1 100\n0 50 100\n",
    "P6": b"P6 1 1 100\n" + bytes((0, 50, 100)),
}
opencv, pillow = {}, {}
for kind, file in files.items():
    image = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    opencv[kind] = image.ravel().tolist() if image.ndim == 2 else image[0, 0, ::-1].tolist()
    pillow[kind] = np.asarray(Image.open(io.BytesIO(file))).ravel().tolist()
print("OpenCV", cv2.__version__, opencv, "Pillow", Image.__version__, pillow)
assert opencv == {"P2": [0, 127, 255], "P5": [0, 50, 100], "P3": [0, 127, 255], "P6": [0, 50, 100]}
assert set(map(tuple, pillow.values())) == {(0, 128, 255)}
PYTHON
