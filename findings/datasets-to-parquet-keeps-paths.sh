#!/bin/bash
# Hugging Face datasets 5.2.0: Dataset.to_parquet writes image columns of local files as {"bytes": null, "path": ...}, a
# file of paths that means nothing elsewhere. save_to_disk of the same data set writes the bytes of the images.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1
cd "$work"
HF_HOME=$work/home "$work/venv/bin/python" - << 'PYTHON'
import datasets
import pyarrow.parquet
from PIL import Image

datasets.disable_progress_bars()
Image.radial_gradient("L").save("a.jpg")
data = datasets.Dataset.from_dict({"image": ["a.jpg"]}, features=datasets.Features({"image": datasets.Image()}))
data.to_parquet("a.parquet")
data.save_to_disk("saved")
in_parquet = pyarrow.parquet.read_table("a.parquet").to_pylist()[0]["image"]
on_disk = datasets.load_from_disk("saved").data.to_pylist()[0]["image"]
length = lambda image: image["bytes"] and len(image["bytes"])
print("datasets", datasets.__version__, "to_parquet:", in_parquet, "save_to_disk:", length(on_disk), "bytes of", on_disk["path"])
assert in_parquet == {"bytes": None, "path": "a.jpg"}
assert on_disk["bytes"] == open("a.jpg", "rb").read()
PYTHON
