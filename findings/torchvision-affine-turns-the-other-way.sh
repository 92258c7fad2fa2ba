#!/bin/bash
# torchvision 0.26.0: the same angle turns the picture in opposite directions in two transforms: RandomRotation((90, 90)) turns it
# counter-clockwise, and RandomAffine((90, 90)) clockwise, in transforms and in v2. So a model that learns rotations as a pretext
# task, or labels that are turned with the picture, see 90 and 270 degrees exchanged after a change from the one to the
# other. The documentation of the functions rotate and affine says so, that of the two transforms does not.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  torchvision==0.26.0 torch==2.11.0 pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import torch
import torchvision
from torchvision import transforms
from torchvision.transforms import v2

picture = torch.zeros(1, 5, 5)
picture[0, 0, 2] = 1  # in the middle of the first row
found = {}
for name, module in ("transforms", transforms), ("v2", v2):
    for kind in "RandomRotation", "RandomAffine":
        turned = getattr(module, kind)((90, 90))(picture)
        found[name, kind] = {(2, 0): "left", (2, 4): "right"}[tuple(turned[0].nonzero()[0].tolist())]
print("torchvision", torchvision.__version__, "the top becomes:", found)
assert found == {(name, kind): side for name in ("transforms", "v2")
                 for kind, side in (("RandomRotation", "left"), ("RandomAffine", "right"))}
assert "clockwise" not in v2.RandomRotation.__doc__ + v2.RandomAffine.__doc__
PYTHON
