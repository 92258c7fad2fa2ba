#!/bin/bash
# Hugging Face datasets 5.2.0: if an image lies in a folder, what a function of Dataset.map does to it in place is lost:
# after thumbnail((16, 16)), or with a blackened name tag, the data set still has the original. With the same image as bytes
# (as in Parquet files), and with methods that give a new image, such as resize, the change stays.
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
Image.new("RGB", (48, 64), "white").save("a.png")
with open("a.png", "rb") as file:
    stored = {"path": {"bytes": None, "path": "a.png"}, "bytes": {"bytes": file.read(), "path": None}}


def thumbnail(row):
    row["image"].thumbnail((16, 16))
    return {"image": row["image"]}


def blacken(row):
    row["image"].paste("black", (0, 0, 48, 64))
    return {"image": row["image"]}


def resize(row):
    return {"image": row["image"].resize((12, 16))}


found = {}
for kind, image in stored.items():
    data = datasets.Dataset.from_dict({"image": [image]}).cast_column("image", datasets.Image())
    for function in thumbnail, blacken, resize:
        changed = data.map(function)[0]["image"]
        found[kind, function.__name__] = changed.size, int(np.max(changed))
print("datasets", datasets.__version__, "size and largest value after map:", found)
assert found == {("path", "thumbnail"): ((48, 64), 255), ("path", "blacken"): ((48, 64), 255), ("path", "resize"): ((12, 16), 255),
                 ("bytes", "thumbnail"): ((12, 16), 255), ("bytes", "blacken"): ((48, 64), 0), ("bytes", "resize"): ((12, 16), 255)}
PYTHON
