#!/bin/bash
# kornia 0.9.0: RandomResizedCrop makes a crop smaller without antialiasing, in both of its modes and with no option for it: stripes
# of one pixel, black and white, become stripes of full contrast that were not in the picture, where torchvision 0.26.0's transform
# of the same name gives grey. So the views of a recipe that moves to the GPU by way of kornia have other textures than the
# images that the encoder is evaluated on.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  kornia==0.9.0 torchvision==0.26.0 torch==2.11.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import inspect

import kornia
import torch
import torchvision
from torchvision.transforms import v2

stripes = torch.zeros(1, 1, 64, 64)
stripes[..., ::2] = 1
whole = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0)}
crop = kornia.augmentation.RandomResizedCrop
found = {f"kornia, {mode}": crop((8, 8), cropping_mode=mode, **whole)(stripes) for mode in ("slice", "resample")}
found["torchvision"] = v2.RandomResizedCrop(8, **whole)(stripes)
found = {name: (round(view.min().item(), 2), round(view.max().item(), 2)) for name, view in found.items()}
print("kornia", kornia.__version__, "torchvision", torchvision.__version__, "darkest and brightest pixel of the stripes:", found)
assert "antialias" not in inspect.signature(crop).parameters
assert all(found[f"kornia, {mode}"][1] - found[f"kornia, {mode}"][0] > 0.9 for mode in ("slice", "resample"))
assert found["torchvision"][1] - found["torchvision"][0] < 0.1
PYTHON
