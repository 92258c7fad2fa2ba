#!/bin/bash
# pyvips 3.2.0 (libvips 8.18): pngsave of an array of uint16 writes a PNG file of 8 bits, in which all values above 255 are
# white: 0, 200, 300, 4,000 become 0, 200, 255, 255. The image object has 16 bits, but new_from_array calls it "b-w" and not
# "grey16", and pngsave goes by that name. bitdepth=16 makes it worse: 200 becomes 51,400. TIFF keeps the values, and after
# copy(interpretation="grey16"), or from a TIFF file, PNG does so, too. A set of scans that goes through PNG is lost.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pyvips==3.2.0 pyvips-binary==8.18.7 numpy==2.4.6 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import pyvips
from PIL import Image

pixels = np.array([[0, 200, 300, 4000]], np.uint16)


def written(image, name, **options):
    image.write_to_file(name, **options)
    with Image.open(name) as file:
        return np.asarray(file).ravel().tolist()


image = pyvips.Image.new_from_array(pixels)
found = {"PNG": written(image, "a.png"), "TIFF": written(image, "a.tif"),
         "PNG, grey16": written(image.copy(interpretation="grey16"), "b.png"),
         "PNG, bitdepth=16": written(image, "c.png", bitdepth=16),
         "PNG of the TIFF file": written(pyvips.Image.new_from_file("a.tif"), "d.png")}
print("pyvips", importlib.metadata.version("pyvips"), pyvips.version(0), pyvips.version(1), image.format, image.interpretation,
      found)
assert image.format == "ushort" and image.interpretation == "b-w"
assert found.pop("PNG") == [0, 200, 255, 255] and found.pop("PNG, bitdepth=16") == [0, 51400, 65535, 65535]
assert all(values == [0, 200, 300, 4000] for values in found.values()), found
PYTHON
