#!/bin/bash
# webdataset 1.0.2: a key that begins with a dot is written without a word and left out when read.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install webdataset==1.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import webdataset as wds

with wds.TarWriter("a.tar") as writer:
    for key in ".a", "b":
        writer.write({"__key__": key, "txt": "x"})
keys = [sample["__key__"] for sample in wds.WebDataset("a.tar", shardshuffle=False)]
print("webdataset", wds.__version__, "wrote the keys .a and b, and reads", keys)
assert keys == ["b"]
PYTHON
