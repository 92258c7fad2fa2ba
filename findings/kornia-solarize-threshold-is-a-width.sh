#!/bin/bash
# kornia 0.9.0: RandomSolarize(0.5) has no threshold of 0.5: it draws one between 0 and 1 for each image, and changes the brightness
# by up to 0.1 before. A value of 0.2, which torchvision 0.26.0's RandomSolarize(0.5) leaves as it is, is inverted in about one of
# five images. The documentation says that the number is the distance from 0.5. torchvision's is (0.5, 0.5) with additions=0.0.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  kornia==0.9.0 torchvision==0.26.0 torch==2.11.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import kornia
import torch
import torchvision
from torchvision.transforms import v2

torch.manual_seed(0)
images = torch.full((1000, 1, 1, 1), 0.2)
solarize = kornia.augmentation.RandomSolarize
views = {"kornia, 0.5": solarize(0.5, p=1.0)(images),
         "kornia, (0.5, 0.5) and 0": solarize((0.5, 0.5), additions=0.0, p=1.0)(images),
         "torchvision, 0.5": v2.RandomSolarize(0.5, p=1.0)(images)}
found = {name: (round((view > 0.5).float().mean().item(), 2), len(view.unique())) for name, view in views.items()}
print("kornia", kornia.__version__, "torchvision", torchvision.__version__, "share of inverted images, different values:", found)
assert 0.1 < found["kornia, 0.5"][0] < 0.3 and found["kornia, 0.5"][1] > 500
assert found["kornia, (0.5, 0.5) and 0"] == found["torchvision, 0.5"] == (0, 1)
PYTHON
