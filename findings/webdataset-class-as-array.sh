#!/bin/bash
# webdataset 1.0.2: TarWriter writes an array given as cls as the text [3], which the decoder of the same version refuses.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install webdataset==1.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import webdataset as wds

with wds.TarWriter("a.tar") as writer:
    writer.write({"__key__": "a", "cls": np.array([3])})
raw = next(iter(wds.WebDataset("a.tar", shardshuffle=False)))["cls"]
try:
    decoded = next(iter(wds.WebDataset("a.tar", shardshuffle=False).decode()))["cls"]
except Exception as error:
    decoded = type(error).__name__
print("webdataset", wds.__version__, "wrote np.array([3]) as", raw, "and decodes it to", decoded)
assert raw == b"[3]" and decoded == "DecodingError"
PYTHON
