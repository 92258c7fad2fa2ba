#!/bin/bash
# timm 1.0.31: the class of an image in a folder below its class's folder is that inner folder: cat/indoors/1.jpg and
# dog/indoors/1.jpg are both of the class "indoors", and no class is called "cat" but that of the files right in cat/. In
# torchvision's ImageFolder, which walks the same tree, they are "cat" and "dog".
# Only timm's reader of folders is loaded, so that torch is not needed.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install --no-deps timm==1.0.31
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib
import importlib.metadata
import pathlib
import sys
import sysconfig
import types

for name in "timm", "timm.data", "timm.data.readers", "timm.utils":  # packages without what their __init__.py imports
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [sysconfig.get_paths()["purelib"] + "/" + name.replace(".", "/")]
reader = importlib.import_module("timm.data.readers.reader_image_folder")
for file in "cat/1.jpg", "cat/indoors/2.jpg", "dog/indoors/1.jpg", "dog/outdoors/2.jpg":
    pathlib.Path("data", file).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path("data", file).touch()  # the reader looks at names
folder = reader.ReaderImageFolder("data")
names = sorted(folder.class_to_idx, key=folder.class_to_idx.get)
found = {folder._filename(i): names[target] for i, (_, target) in enumerate(folder.samples)}
print("timm", importlib.metadata.version("timm"), found)
assert found == {"cat/1.jpg": "cat", "cat/indoors/2.jpg": "indoors", "dog/indoors/1.jpg": "indoors",
                 "dog/outdoors/2.jpg": "outdoors"}
PYTHON
