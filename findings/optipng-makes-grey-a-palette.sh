#!/bin/bash
# optipng 0.7.7-2+b1 of Debian 12: a grey PNG file of 8 or 16 bits with few values becomes one with a palette, so that a reader of
# numbers gets the entries' numbers instead: with np.asarray of Pillow 12.3.0, a mask of 0 and 255 becomes 0 and 1, one of 0, 100 and
# 200 becomes 0, 1 and 2, and a depth of 257 and 514 in 16 bits becomes 0 and 1. The colours as they are shown stay the same.
# Noise with 256 values stays as it is, so that one folder has both kinds.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pillow==12.3.0 numpy==2.2.6
cd "$work"
apt-get -qq download optipng=0.7.7-2+b1 libpng16-16
for package in ./*.deb; do dpkg -x "$package" tools; done
LD_LIBRARY_PATH=$(echo "$work"/tools/usr/lib/*-linux-gnu) "$work/venv/bin/python" - << 'PYTHON'
import subprocess

import numpy as np
from PIL import Image

noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
images = {"0, 255": np.where(noise > 99, 255, 0).astype(np.uint8), "0, 100, 200": noise // 100 * 100,
          "257, 514": np.where(noise > 99, 257, 514).astype(np.uint16), "noise": noise}
found = {}
for name, image in images.items():
    Image.fromarray(image).save("a.png")
    subprocess.run(["tools/usr/bin/optipng", "-quiet", "a.png"], check=True)
    with Image.open("a.png") as file:
        found[name] = file.mode, np.unique(np.asarray(file)).tolist()[:4]
print("mode and values after optipng:", found)
assert found == {"0, 255": ("P", [0, 1]), "0, 100, 200": ("P", [0, 1, 2]), "257, 514": ("P", [0, 1]), "noise": ("L", [0, 1, 2, 3])}
PYTHON
