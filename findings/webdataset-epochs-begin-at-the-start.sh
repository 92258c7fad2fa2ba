#!/bin/bash
# webdataset 1.0.2: with_epoch(n) begins each epoch at the first shard again, instead of where the last one stopped, although it
# lets the data set repeat without end: with 16 images and with_epoch(6), the last ten are never read, however many epochs there
# are. Where one iterator is kept over all steps, all images are read.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  webdataset==1.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import itertools

import webdataset as wds

for shard in range(4):
    with wds.TarWriter(f"{shard}.tar") as writer:
        for i in range(4):
            writer.write({"__key__": f"{shard}-{i}", "cls": str(shard * 4 + i)})
data = wds.WebDataset("{0..3}.tar", shardshuffle=False).with_epoch(6)
epochs = [[int(sample["cls"]) for sample in data] for _ in range(5)]
repeated = wds.WebDataset("{0..3}.tar", shardshuffle=False).repeat()
steps = [int(sample["cls"]) for sample in itertools.islice(repeated, 30)]
print("webdataset", wds.__version__, "five epochs of with_epoch(6):", epochs, "thirty steps of repeat():", steps)
assert epochs == [[0, 1, 2, 3, 4, 5]] * 5 and set(steps) == set(range(16))
PYTHON
