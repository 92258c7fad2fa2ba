#!/bin/bash
# webdataset 1.0.2: GNU tar (1.34 and others) stores a file that has two names as one file and a link to it, and webdataset
# skips links without a word. So an image that a tool has replaced by a hard link to its duplicate, or that is in two
# classes, is lost; its sample has a label and no image. `tar --hard-dereference` writes both.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install webdataset==1.0.2 numpy==2.4.6
cd "$work"
mkdir images
echo "an image" > images/1.jpg
ln images/1.jpg images/2.jpg
echo 1 > images/1.cls
echo 2 > images/2.cls
tar -C images --sort=name -cf plain.tar .
tar -C images --sort=name --hard-dereference -cf files.tar .
tar --version | head -1
"$work/venv/bin/python" - << 'PYTHON'
import webdataset as wds

found = {}
for name in "plain.tar", "files.tar":
    samples = wds.WebDataset(name, shardshuffle=False)
    found[name] = {s["__key__"]: sorted(key for key in s if key[0] != "_") for s in samples}
print("webdataset", wds.__version__, found)
assert found["files.tar"] == {"./1": ["cls", "jpg"], "./2": ["cls", "jpg"]}
# The first name that tar meets is the file: with --sort=name, 1.jpg.
assert found["plain.tar"] == {"./1": ["cls", "jpg"], "./2": ["cls"]}
PYTHON
