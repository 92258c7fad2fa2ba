#!/bin/bash
# litdata 0.2.76: a string that happens to be the name of an existing image file is not stored as a string: the data set
# holds the file's bytes in its place, and the reader gives a tensor of pixels. Whether {"name": "a.jpg"} keeps its name
# depends on the folder in which the writer runs.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install litdata==0.2.76 torch==2.11.0 torchvision==0.26.0 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import os

import litdata
from litdata.streaming.writer import BinaryWriter
from PIL import Image


def stored(folder):
    os.mkdir(folder)
    writer = BinaryWriter(f"{folder}/data", chunk_bytes=1 << 20)
    writer[0] = {"name": "a.jpg", "label": 3}
    writer.done()
    writer.merge()
    return litdata.StreamingDataset(f"{folder}/data", cache_dir=f"{folder}/cache")[0]["name"]


without = stored("without")
Image.radial_gradient("L").convert("RGB").save("a.jpg")
beside = stored("beside")
print("litdata", litdata.__version__, "without the file:", repr(without), "with it:", type(beside).__name__, tuple(beside.shape))
assert litdata.__version__ == "0.2.76" and without == "a.jpg" and tuple(beside.shape) == (3, 256, 256)
PYTHON
