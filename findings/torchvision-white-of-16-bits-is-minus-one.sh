#!/bin/bash
# torchvision 0.26.0: ToTensor of a grey PNG file of 16 bits gives negative numbers for its bright pixels: 40,000 becomes -25,536,
# and white becomes -1, next to black. It reads the pixels as int16, and does not scale them to 0 to 1 as it does those of 8 bits.
# v2's ToImage and ToDtype(scale=True), which replace it, give 0.61 and 1.
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
import torch
import torchvision
from PIL import Image
from torchvision import transforms
from torchvision.transforms import v2

Image.fromarray(np.array([[0, 1000, 40000, 65535]], np.uint16)).save("a.png")
image = Image.open("a.png")
old = transforms.ToTensor()(image)
new = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])(image)
print("torchvision", torchvision.__version__, image.mode, "ToTensor:", old.dtype, old.flatten().tolist(),
      "v2:", new.flatten().tolist())
assert old.dtype == torch.int16 and old.flatten().tolist() == [0, 1000, -25536, -1]
assert torch.allclose(new.flatten(), torch.tensor([0, 1000, 40000, 65535]) / 65535)
PYTHON
