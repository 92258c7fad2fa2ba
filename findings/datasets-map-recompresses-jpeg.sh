#!/bin/bash
# Hugging Face datasets 5.2.0: Dataset.map whose function only looks at an image, to add a number to the row, writes the image
# anew: a JPEG picture that is stored as bytes (as in Parquet files and after push_to_hub) is decoded and compressed with
# Pillow's quality 75, and its pixels change. A picture that is stored as a path stays as it is, and so does one at which the
# function does not look.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  datasets==5.2.0 pillow==13.0.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import os

os.environ["HF_HOME"] = os.getcwd() + "/home"
import datasets
import numpy as np
from PIL import Image

datasets.disable_progress_bars()
Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)).save("a.jpg", quality=95)
with open("a.jpg", "rb") as file:
    content = file.read()
stored = {"bytes": {"bytes": content, "path": None}, "path": {"bytes": None, "path": "a.jpg"}}
functions = {"looks": lambda row: {"mean": float(np.mean(row["image"]))}, "does not look": lambda row: {"mean": 0.0}}
found = {}
for kind, image in stored.items():
    data = datasets.Dataset.from_dict({"image": [image]}).cast_column("image", datasets.Image())
    for name, function in functions.items():
        row = data.map(function)[0]
        change = np.abs(np.asarray(row["image"], int) - np.asarray(Image.open("a.jpg"), int))
        found[kind, name] = round(float(change.mean()), 1)
print("datasets", datasets.__version__, "mean change of a pixel by map:", found)
assert found.pop(("bytes", "looks")) > 5
assert found == {("bytes", "does not look"): 0, ("path", "looks"): 0, ("path", "does not look"): 0}
PYTHON
