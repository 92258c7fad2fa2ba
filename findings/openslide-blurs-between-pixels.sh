#!/bin/bash
# openslide 4.0.1: read_region at a lower resolution interpolates if its location, which is in pixels of level 0, is not a
# multiple of the level's downsampling. A patch at (402, 402) of a level that is 4 times smaller lies half a pixel between the
# stored ones and is the mean of four: noise has half the contrast of the same patch at (400, 400), and stripes of one pixel
# vanish. So random patches of one slide differ in sharpness, and views of one place differ from the tiles that the features
# come from.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  openslide-python==1.4.7 openslide-bin==4.0.1.2 tifffile==2026.3.3 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import openslide
import tifffile

noise = np.random.default_rng(0).integers(0, 256, (2048, 2048, 3), np.uint8)
with tifffile.TiffWriter("slide.tif") as file:
    file.write(noise, tile=(256, 256), photometric="rgb", metadata=None)
    file.write(noise[::4, ::4], tile=(256, 256), photometric="rgb", subfiletype=1, metadata=None)
level = noise[::4, ::4]
found = {}
with openslide.OpenSlide("slide.tif") as slide:
    assert slide.level_downsamples == (1, 4)
    for x in 400, 401, 402:
        patch = np.asarray(slide.read_region((x, x), 1, (64, 64)))[..., :3]
        found[x] = round(float(patch.std()), 1), bool((patch == level[100:164, 100:164]).all())
print("openslide", openslide.__version__, openslide.__library_version__, "contrast, pixels as stored, by location:", found)
assert found[400][1] and found[400][0] > 70
assert not found[402][1] and found[402][0] < 40 and 40 < found[401][0] < 60
PYTHON
