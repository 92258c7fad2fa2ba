#!/bin/bash
# webdataset 1.0.2: a key with dots is written as it is and read up to its first dot, so all samples become one.
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
    for i in range(3):
        writer.write({"__key__": f"img.v1.{i:04}", "txt": "x", "cls": i})
samples = [(s["__key__"], sorted(k for k in s if k[0] != "_")) for s in wds.WebDataset("a.tar", shardshuffle=False)]
print("webdataset", wds.__version__, "wrote 3 samples, img.v1.0000 to img.v1.0002, and reads", samples)
assert len(samples) == 1 and samples[0][0] == "img" and len(samples[0][1]) == 6
PYTHON
