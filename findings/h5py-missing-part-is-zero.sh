#!/bin/bash
# h5py 3.16.0: a virtual data set, which joins the files of several shards, gives 0 for each shard whose file is missing, or
# was renamed or moved, without an error or a warning: of the labels 1, 1, 2, 2, 3, 3 it reads 1, 1, 0, 0, 3, 3, so that images
# get class 0, and features become zero vectors. The parts are looked for when the data are read, not when the file is opened.
# It is how HDF5 defines missing parts; fillvalue=-1 of create_virtual_dataset at least gives a value that no class has.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  h5py==3.16.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import os

import h5py
import numpy as np

for shard in range(3):
    with h5py.File(f"{shard}.h5", "w") as file:
        file["labels"] = np.full(2, shard + 1)
layout = h5py.VirtualLayout(shape=(6,), dtype="i8")
for shard in range(3):
    layout[shard * 2:shard * 2 + 2] = h5py.VirtualSource(f"{shard}.h5", "labels", shape=(2,))
with h5py.File("all.h5", "w") as file:
    file.create_virtual_dataset("labels", layout)
    file.create_virtual_dataset("with -1", layout, fillvalue=-1)


def read(name):
    with h5py.File("all.h5") as file:
        return file[name][:].tolist()


before = read("labels")
os.rename("1.h5", "one.h5")
after, marked = read("labels"), read("with -1")
print("h5py", h5py.__version__, "labels:", before, "after one file was renamed:", after, "fillvalue=-1:", marked)
assert before == [1, 1, 2, 2, 3, 3] and after == [1, 1, 0, 0, 3, 3] and marked == [1, 1, -1, -1, 3, 3]
PYTHON
