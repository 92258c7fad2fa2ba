#!/bin/bash
# sewar 0.4.10: vifp of two float images with values from 0 to 1 is wrong without a warning: a noisy picture whose vifp is 0.13 has
# 1.07, better than the original (1). Its noise variance of 2 is that for values up to 255, and does not follow the range, whereas
# psnr and ssim of the same module give the same for both ranges.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  sewar==0.4.10 scipy==1.17.1 pillow==12.3.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import sewar
from PIL import Image

image = np.asarray(Image.radial_gradient("L"))
noise = np.random.default_rng(0).normal(0, 25, image.shape)
noisy = np.clip(image + noise, 0, 255).astype(np.uint8)


def measures(scale):
    pair = (image, noisy) if scale == 1 else (image / scale, noisy / scale)
    return {"vifp": round(float(sewar.vifp(*pair)), 2), "psnr": round(float(sewar.psnr(*pair)), 2),
            "ssim": round(float(sewar.ssim(*pair)[0]), 2)}


found = {"0 to 255, uint8": measures(1), "0 to 1, float": measures(255)}
print("sewar", importlib.metadata.version("sewar"), found, "the same image twice:", round(float(sewar.vifp(image, image)), 2))
whole, unit = found.values()
assert whole["psnr"] == unit["psnr"] and whole["ssim"] == unit["ssim"]
assert whole["vifp"] < 0.2 and unit["vifp"] > 1
PYTHON
