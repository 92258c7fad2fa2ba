#!/bin/bash
# Hugging Face datasets 5.2.0: one file whose name has the word "test" between other characters (cat/my-test-shot.jpg) makes
# imagefolder read this one image and nothing else, without a word: the file becomes the split "test", there is no split
# "train", and the label is gone, too. Without that file, all the other images are read with their classes.
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


def read(root, names):
    for name in names:
        path = pathlib.Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    data = datasets.load_dataset("imagefolder", data_dir=root)
    return {split: (rows.num_rows, getattr(rows.features.get("label"), "names", None)) for split, rows in data.items()}


names = [f"{kind}/{i}.jpg" for kind in ("cat", "dog") for i in range(50)]
without = read("without", names)
beside = read("beside", names + ["cat/my-test-shot.jpg"])
print("datasets", datasets.__version__, "100 images:", without, "and cat/my-test-shot.jpg:", beside)
assert without == {"train": (100, ["cat", "dog"])}
assert beside == {"test": (1, None)}
PYTHON
