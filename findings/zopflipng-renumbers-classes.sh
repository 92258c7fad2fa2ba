#!/bin/bash
# zopflipng 1.0.3-1 of Debian 12 (zopfli) makes a PNG file smaller "lossless", in its colours: of a mask with a palette, as in Pascal
# VOC, it drops the palette's unused entries and renumbers the others, so that the classes 0, 7 and 15 become 0, 1 and 2, in each
# file otherwise. optipng 0.7.7-2+b1 keeps the numbers of the same file. A mask of uint8 grey values, 0, 7 and 15, stays as it is.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pillow==12.3.0 numpy==2.2.6
cd "$work"
apt-get -qq download zopfli=1.0.3-1 optipng=0.7.7-2+b1 libpng16-16
for package in ./*.deb; do dpkg -x "$package" tools; done
"$work/venv/bin/python" -c '
import numpy as np
from PIL import Image

mask = np.zeros((40, 40), np.uint8)
mask[10:20, 10:20] = 15
mask[25:30, 5:25] = 7
Image.fromarray(mask).save("grey.png")
image = Image.fromarray(mask)
image.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
assert image.mode == "P"
image.save("palette.png")
'
for name in grey palette; do
  tools/usr/bin/zopflipng -y $name.png $name-zopflipng.png > said.txt
done
LD_LIBRARY_PATH=$(echo "$work"/tools/usr/lib/*-linux-gnu) tools/usr/bin/optipng -quiet -out palette-optipng.png palette.png
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
from PIL import Image

names = "grey", "grey-zopflipng", "palette", "palette-optipng", "palette-zopflipng"
images = {name: Image.open(f"{name}.png") for name in names}
found = {name: (image.mode, np.unique(np.asarray(image)).tolist()) for name, image in images.items()}
print("classes:", found)
assert found["grey"] == found["grey-zopflipng"] == ("L", [0, 7, 15])
assert found["palette"] == found["palette-optipng"] == ("P", [0, 7, 15])
assert found["palette-zopflipng"] == ("P", [0, 1, 2])
assert np.array_equal(images["palette"].convert("RGB"), images["palette-zopflipng"].convert("RGB"))
PYTHON
