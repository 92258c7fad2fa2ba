#!/bin/bash
# timm 1.0.31 numbers the classes of a folder otherwise than Hugging Face datasets 5.2.0 and torchvision's ImageFolder do: it
# sorts numbers in names by value and takes capital letters for small ones. Of the folders 1 to 12 only the first has the same
# number in both, so a classifier that was trained with the one and is evaluated with the other is right for one class.
# Only timm's reader of folders is loaded, so that torch is not needed.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1
"$work/venv/bin/pip" --quiet --disable-pip-version-check install --no-deps timm==1.0.31
cd "$work"
HF_HOME=$work/home "$work/venv/bin/python" - << 'PYTHON'
import importlib
import importlib.metadata
import pathlib
import sys
import sysconfig
import types

import datasets
from PIL import Image

datasets.disable_progress_bars()
for name in "timm", "timm.data", "timm.data.readers", "timm.utils":  # packages without what their __init__.py imports
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [sysconfig.get_paths()["purelib"] + "/" + name.replace(".", "/")]
reader = importlib.import_module("timm.data.readers.reader_image_folder")


def classes(root, names):
    for name in names:
        pathlib.Path(root, name).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(f"{root}/{name}/1.jpg")
    by_datasets = datasets.load_dataset("imagefolder", data_dir=root)["train"].features["label"].names
    by_timm = reader.ReaderImageFolder(root).class_to_idx
    return by_datasets, sorted(by_timm, key=by_timm.get)


numbers, words = classes("numbers", map(str, range(1, 13))), classes("words", ["ant", "Bee", "cat"])
print("datasets", datasets.__version__, numbers[0], words[0])
print("timm", importlib.metadata.version("timm"), numbers[1], words[1])
assert numbers == (["1", "10", "11", "12"] + [str(i) for i in range(2, 10)], [str(i) for i in range(1, 13)])
assert words == (["Bee", "ant", "cat"], ["ant", "Bee", "cat"])
assert sum(a == b for a, b in zip(*numbers)) == 1
PYTHON
