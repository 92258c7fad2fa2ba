#!/bin/bash
# image-similarity-measures 0.3.6 takes every image for one of 12 bits unless it is told otherwise, also where it reads PNG
# files of 8 bits itself: evaluation gives a PSNR 24 dB too high (51 instead of 27) and an SSIM of 0.99 instead of 0.91 for a
# noisy picture, so that poor copies look perfect, and evaluation has no option for it. max_p=255 of psnr and ssim gives the
# numbers of scikit-image 0.20.0.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  image-similarity-measures==0.3.6 scikit-image==0.20.0 opencv-python==4.11.0.86 scipy==1.15.3 numpy==1.26.4
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata
import warnings

import numpy as np

warnings.simplefilter("ignore")
import cv2
from image_similarity_measures.evaluate import evaluation
from image_similarity_measures.quality_metrics import psnr, ssim
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

noise = np.random.default_rng(0)
picture = np.clip(gaussian_filter(noise.normal(size=(64, 64, 3)), (3, 3, 0)) * 600 + 128, 0, 255).astype(np.uint8)
noisy = np.clip(picture + noise.integers(-20, 21, picture.shape), 0, 255).astype(np.uint8)
cv2.imwrite("picture.png", picture)
cv2.imwrite("noisy.png", noisy)
files = evaluation("picture.png", "noisy.png", ["psnr", "ssim"])
found = {"files": (files["psnr"], files["ssim"]), "max_p=255": (psnr(picture, noisy, 255), ssim(picture, noisy, 255)),
         "scikit-image": (peak_signal_noise_ratio(picture, noisy), structural_similarity(picture, noisy, channel_axis=2))}
found = {name: (round(float(a), 1), round(float(b), 2)) for name, (a, b) in found.items()}
print("image-similarity-measures", importlib.metadata.version("image-similarity-measures"), "PSNR and SSIM:", found)
assert found["max_p=255"] == found["scikit-image"]
assert abs(found["files"][0] - found["scikit-image"][0] - 24.1) < 0.2
assert found["files"][1] > 0.98 and found["scikit-image"][1] < 0.92
PYTHON
