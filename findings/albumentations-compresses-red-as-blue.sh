#!/bin/bash
# albumentations 2.0.8: ImageCompression gives the RGB image to OpenCV's JPEG encoder, which takes it for BGR. Red and blue change
# their roles: of noise in red alone, more is lost than a JPEG file of that quality loses (mean error 61 instead of 50 at quality
# 50), and of noise in blue less. The result is Pillow's of the image with red and blue exchanged, not that of the image.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  albumentations==2.0.8 opencv-python-headless==4.12.0.88 numpy==2.2.6 pillow==13.0.0
cd "$work"
NO_ALBUMENTATIONS_UPDATE=1 "$work/venv/bin/python" - << 'PYTHON'
import io

import albumentations
import numpy as np
import PIL
from PIL import Image

compress = albumentations.ImageCompression(quality_range=(50, 50), p=1)


def with_pillow(pixels):
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file)).astype(int)


errors = {}
for channel, name in (0, "red"), (2, "blue"):
    pixels = np.full((64, 64, 3), 128, np.uint8)
    pixels[..., channel] = np.random.default_rng(0).integers(0, 256, (64, 64))
    got, right, exchanged = compress(image=pixels)["image"], with_pillow(pixels), with_pillow(pixels[..., ::-1])[..., ::-1]
    assert np.abs(got - exchanged).max() <= 2, np.abs(got - exchanged).max()
    assert np.abs(got - right).max() > 20
    errors[name] = [round(float(np.abs(image - pixels.astype(int))[..., channel].mean()), 1) for image in (got, right)]
print("albumentations", albumentations.__version__, "Pillow", PIL.__version__, "mean error of both, noise in", errors)
assert errors["red"][0] > errors["red"][1] + 8 and errors["blue"][0] < errors["blue"][1] - 8
PYTHON
