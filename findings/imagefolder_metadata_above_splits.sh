#!/usr/bin/env bash
# Hugging Face datasets 5.2.0: one metadata.csv above train/ and val/ is dropped without a word, and the names of the splits
# become the classes; in training, every label is then None.
#
#   DATA/metadata.csv    file_name,label; train/1.png,cat; train/3.png,dog; val/2.png,dog
#   DATA/train/{1,3}.png, DATA/val/2.png
#
# load_dataset("imagefolder", data_dir=DATA) has for train ClassLabel(names=["train", "val"]) with [None, None], and for
# validation [1]. With the same file in DATA/train/ and its names relative to that, the labels are "cat" and "dog".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 pillow==13.0.0
HF_HOME=$work/home "$work/venv/bin/python" - "$work" <<'END'
import csv, pathlib, sys

import datasets
from datasets import load_dataset
from PIL import Image

datasets.disable_progress_bars()
print("datasets", datasets.__version__)


def labels(root, files, metadata):
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(root / file)
    for place, rows in metadata.items():
        with open(root / place, "w", newline="") as file:
            csv.writer(file).writerows([["file_name", "label"], *rows])
    data = load_dataset("imagefolder", data_dir=str(root))
    return {split: (str(rows.features["label"]), rows.data.column("label").to_pylist()) for split, rows in data.items()}


top = pathlib.Path(sys.argv[1])
files = ["train/1.png", "train/3.png", "val/2.png"]
above = labels(top / "above", files, {"metadata.csv": [["train/1.png", "cat"], ["train/3.png", "dog"], ["val/2.png", "dog"]]})
beside = labels(top / "beside", files, {"train/metadata.csv": [["1.png", "cat"], ["3.png", "dog"]], "val/metadata.csv": [["2.png", "dog"]]})
print("above the splits:", above)
print("in each split:   ", beside)
assert beside["train"][1] == ["cat", "dog"] and beside["validation"][1] == ["dog"]
assert above["train"] == ("ClassLabel(names=['train', 'val'])", [None, None]), above["train"]
assert above["validation"][1] == [1], above["validation"]
END
