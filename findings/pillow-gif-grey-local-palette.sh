#!/bin/bash
# Pillow 13.0.0 shows a GIF frame whose local colour table is the grey ramp in the colours of the global table, if the
# file has one (convert("RGB")), although the local table takes its place; convert("L") of the same image is grey.
# OpenCV 4.12 shows it in grey.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install pillow==13.0.0 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import struct

import cv2
from PIL import Image

red = bytes((255, 0, 0)) * 256
ramp = bytes(v for v in range(256) for _ in range(3))
# Two pixels, 100 and 200: the codes clear, 100, 200, end, of nine bits each.
bits = "".join(format(code, "09b")[::-1] for code in (256, 100, 200, 257)) + "0000"
data = bytes(int(bits[i:i + 8][::-1], 2) for i in range(0, 40, 8))
with open("a.gif", "wb") as file:
    file.write(b"GIF89a" + struct.pack("<HHBBB", 2, 1, 0xF7, 0, 0) + red)
    file.write(b"," + struct.pack("<HHHHB", 0, 0, 2, 1, 0x87) + ramp + bytes((8, len(data))) + data + b"\0;")
rgb = Image.open("a.gif").convert("RGB")
pillow = [rgb.getpixel((x, 0)) for x in (0, 1)]
grey = [Image.open("a.gif").convert("L").getpixel((x, 0)) for x in (0, 1)]
opencv = cv2.imread("a.gif")[0, :, ::-1].tolist()
print("Pillow", Image.__version__, pillow, "as L", grey, "OpenCV", cv2.__version__, opencv)
assert pillow == [(255, 0, 0)] * 2 and grey == [100, 200]
assert opencv == [[100] * 3, [200] * 3]
PYTHON
