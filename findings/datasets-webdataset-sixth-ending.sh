#!/bin/bash
# Hugging Face datasets 5.2.0: load_dataset("webdataset") takes the endings of the first five samples for those of all. A
# later sample whose image has another ending (a PNG file among JPEG files, or .JPG among .jpg) keeps its row and its label,
# but its image is None, without a word. webdataset 1.0.2 reads all images of the same archive.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 webdataset==1.0.2
cd "$work"
HF_HOME=$work/home "$work/venv/bin/python" - << 'PYTHON'
import io
import tarfile

import datasets
import webdataset
from PIL import Image

datasets.disable_progress_bars()
endings = ["jpg"] * 6 + ["png", "JPG", "jpg"]
with tarfile.open("a.tar", "w") as tar:
    for i, ending in enumerate(endings):
        image = io.BytesIO()
        Image.new("RGB", (4, 4)).save(image, "PNG" if ending == "png" else "JPEG")
        for name, contents in (f"{i}.{ending}", image.getvalue()), (f"{i}.cls", str(i).encode()):
            entry = tarfile.TarInfo(name)
            entry.size = len(contents)
            tar.addfile(entry, io.BytesIO(contents))
data = datasets.load_dataset("webdataset", data_files="a.tar")["train"]
images = [row["jpg"] and row["jpg"]["path"] for row in data.data.to_pylist()]
keys = [sorted(set(sample) & {"jpg", "png"}) for sample in webdataset.WebDataset("a.tar", shardshuffle=False)]
print("datasets", datasets.__version__, "columns", data.column_names, "labels", data["cls"][:], "images", images)
print("webdataset", webdataset.__version__, "images", keys)
assert data["cls"][:] == list(range(9)) and "png" not in data.column_names
assert images == [f"{i}.jpg" for i in range(6)] + [None, None, "8.jpg"]
assert keys == [["jpg"]] * 6 + [["png"], ["jpg"], ["jpg"]]
PYTHON
