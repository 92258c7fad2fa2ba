#!/bin/bash
# torchvision 0.26.0: v2's ToImage and ToDtype(scale=True) make the white of a PGM file of 16 bits 0.00003, and that of a PNG file
# with the same pixels 1. Pillow 13.0.0 opens the PGM file with numbers of 32 bits, and torchvision divides by the largest of these.
# So a data set that has both kinds of file has black pictures among the others.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  torchvision==0.26.0 torch==2.11.0 pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W error - << 'PYTHON'
import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import v2

pixels = np.array([[0, 1000, 40000, 65535]], np.uint16)
Image.fromarray(pixels).save("a.png")
with open("a.pgm", "wb") as file:
    file.write(b"P5 4 1 65535\n" + pixels.astype(">u2").tobytes())
found = {}
for name in "a.png", "a.pgm":
    image = Image.open(name)
    assert np.array_equal(np.array(image), pixels)
    found[name] = image.mode, v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])(image).flatten()
print("torchvision", torchvision.__version__, "Pillow", PIL.__version__, {k: (m, v.tolist()) for k, (m, v) in found.items()})
assert found["a.png"][0] == "I;16" and found["a.png"][1][3] == 1 and found["a.pgm"][0] == "I" and found["a.pgm"][1].max() < 1e-4
PYTHON
