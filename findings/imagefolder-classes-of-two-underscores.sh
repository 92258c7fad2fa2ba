#!/bin/bash
# Hugging Face datasets 5.2.0: imagefolder leaves out a class whose folder's name begins with two underscores, such as
# __background__ (the name of class 0 in torchvision's detection and segmentation weights), without a word. The other
# classes move up by one number.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1
cd "$work"
HF_HOME=$work/home "$work/venv/bin/python" - << 'PYTHON'
import pathlib

import datasets
from PIL import Image

datasets.disable_progress_bars()
results = {}
for first in "_background_", "__background__":
    for kind in first, "cat", "dog":
        pathlib.Path(first, "train", kind).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(f"{first}/train/{kind}/1.jpg")
    data = datasets.load_dataset("imagefolder", data_dir=first)["train"]
    results[first] = data.num_rows, data.features["label"].names
print("datasets", datasets.__version__, "three classes of one image each:", results)
assert results == {"_background_": (3, ["_background_", "cat", "dog"]), "__background__": (2, ["cat", "dog"])}
PYTHON
