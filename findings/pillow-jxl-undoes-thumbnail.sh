#!/bin/bash
# pillow-jxl-plugin 1.3.8: save("a.jxl") of an image that was opened from a JPEG file stores that file, whatever was done to
# the image in place since: after thumbnail((32, 32)) the new file has the 256 x 256 original, and what was painted over with
# paste, such as a name tag, is there again. A warning says that the plugin packs JPEG files without loss by default, but not
# that changes are lost. With lossless_jpeg=False, and with a copy() of the same image, the file has the new pixels, as any PNG
# file has.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pillow-jxl-plugin==1.3.8 pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import pillow_jxl
from PIL import Image

Image.new("RGB", (256, 256), (200, 100, 50)).save("a.jpg")


def saved(change, name="b.jxl", copy=False, **options):
    with Image.open("a.jpg") as image:
        change(image)
        (image.copy() if copy else image).save(name, **options)
    with Image.open(name) as image:
        return image.size, int(np.asarray(image)[0, 0, 0])


def thumbnail(image):
    image.thumbnail((32, 32))


def blacken(image):
    image.paste((0, 0, 0), (0, 0, 128, 128))


found = {change.__name__: [saved(change), saved(change, lossless_jpeg=False), saved(change, copy=True), saved(change, "b.png")]
         for change in (thumbnail, blacken)}
print("pillow-jxl-plugin", importlib.metadata.version("pillow-jxl-plugin"),
      "size and corner pixel: default, lossless_jpeg=False, copy, PNG:", found)
for change, size in ("thumbnail", (32, 32)), ("blacken", (256, 256)):
    assert found[change][0] == ((256, 256), 200), change
    for number, (got, pixel) in enumerate(found[change][1:]):
        assert got == size and (pixel > 190 if change == "thumbnail" else pixel < 10), (change, number)
PYTHON
