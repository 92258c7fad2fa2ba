#!/bin/bash
# webdataset 1.0.2: WebDataset(..., shardshuffle=100) reads the shards in the same order in each epoch. The order is drawn once,
# when the data set is made, also where no seed is given: shards that follow each other in the first epoch do so in all epochs, and
# a run that stops each epoch after some steps never sees the last shards. With detshuffle in a DataPipeline they change.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  webdataset==1.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import webdataset as wds

for shard in range(20):
    with wds.TarWriter(f"{shard:02d}.tar") as writer:
        writer.write({"__key__": f"{shard}", "cls": str(shard)})


def epochs(data):
    return [[int(sample["cls"]) for sample in data] for _ in range(4)]


found = epochs(wds.WebDataset("{00..19}.tar", shardshuffle=100))
other = epochs(wds.WebDataset("{00..19}.tar", shardshuffle=100))
pipeline = epochs(wds.DataPipeline(wds.SimpleShardList("{00..19}.tar"), wds.detshuffle(100), wds.tarfile_to_samples()))
print("webdataset", wds.__version__, "four epochs of shards:", found, "in a pipeline:", pipeline)
assert sorted(found[0]) == list(range(20)) and found[0] != list(range(20))
assert all(epoch == found[0] for epoch in found) and all(epoch == other[0] for epoch in other)
assert found[0] != other[0] and len(set(map(tuple, pipeline))) == 4
PYTHON
